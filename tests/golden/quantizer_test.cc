// The quantiser against the definition of the codes: nearest value, found by listing them all.
#include "golden/checkpoint/quantizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace edgebert::checkpoint {
namespace {

const CodeFormat kFormats[] = {{8, 3}, {8, 2}, {8, 4}, {7, 3}, {6, 3}, {6, 2}, {5, 3}, {4, 2}};

/// Positive values of the format in the order of their codes 1, 2, ...; from the definition in
/// docs/numerics.md, section 2.
std::vector<double> PositiveValues(const CodeFormat& format, int bias) {
  const int mantissa_bits = format.code_bits - 1 - format.exponent_bits;
  std::vector<double> values;
  for (int e = 0; e < 1 << format.exponent_bits; ++e) {
    for (int m = 0; m < 1 << mantissa_bits; ++m) {
      if (e == 0 && m == 0) continue;
      values.push_back(std::pow(2.0, e + bias) * (1 + m / std::pow(2.0, mantissa_bits)));
    }
  }
  return values;
}

/// The code by comparison with every value.
int NearestCode(double x, const std::vector<double>& values, const CodeFormat& format) {
  const double a = std::fabs(x);
  const int sign = x < 0 ? 1 << (format.code_bits - 1) : 0;
  if (a < values.front() / 2) return 0;
  if (a <= values.front()) return sign | 1;
  for (size_t i = 0; i + 1 < values.size(); ++i) {
    if (a > values[i + 1]) continue;
    const int low = static_cast<int>(i) + 1;
    const double below = a - values[i];
    const double above = values[i + 1] - a;
    if (below == above) return sign | (low % 2 == 0 ? low : low + 1);
    return sign | (below < above ? low : low + 1);
  }
  return sign | static_cast<int>(values.size());
}

TEST(Quantizer, RoundsToTheNearestValue) {
  std::mt19937_64 random(1);
  for (const CodeFormat& format : kFormats) {
    for (const int bias : {-31, -11, -4, 0, 15}) {
      const std::vector<double> values = PositiveValues(format, bias);
      std::vector<double> inputs = {0,
                                    values.front() / 2,
                                    values.back() * 1.01,
                                    values.back() * 9,
                                    values.front() / 4,
                                    std::ldexp(1.0, bias)};
      for (size_t i = 0; i + 1 < values.size(); ++i) {
        inputs.push_back(values[i]);
        inputs.push_back((values[i] + values[i + 1]) / 2);
      }
      for (int i = 0; i < 1000; ++i) {
        const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
        inputs.push_back(values.back() * 1.1 * unit * unit * unit);
      }
      for (const double x : inputs) {
        for (const double y : {x, -x, std::nextafter(x, 0.0), std::nextafter(x, 1e300)}) {
          ASSERT_EQ(Quantize(y, bias, format), NearestCode(y, values, format))
              << y << " bias " << bias << " W " << format.code_bits << " E "
              << format.exponent_bits;
        }
      }
    }
  }
}

TEST(Quantizer, DequantizesEveryCode) {
  for (const CodeFormat& format : kFormats) {
    const std::vector<double> values = PositiveValues(format, -5);
    const int sign = 1 << (format.code_bits - 1);
    EXPECT_EQ(Dequantize(0, -5, format), 0);
    EXPECT_EQ(Dequantize(static_cast<uint8_t>(sign), -5, format), 0);
    for (size_t i = 0; i < values.size(); ++i) {
      const int code = static_cast<int>(i) + 1;
      EXPECT_EQ(Dequantize(static_cast<uint8_t>(code), -5, format), values[i]);
      EXPECT_EQ(Dequantize(static_cast<uint8_t>(code | sign), -5, format), -values[i]);
      EXPECT_EQ(Quantize(-values[i], -5, format), code | sign);
    }
  }
}

TEST(Quantizer, BiasCoversTheLargestMagnitude) {
  const CodeFormat format{8, 3};
  // floor(log2 A) - 7, by hand.
  EXPECT_EQ(BiasOf(1.0, format), -7);
  EXPECT_EQ(BiasOf(1.99, format), -7);
  EXPECT_EQ(BiasOf(2.0, format), -6);
  EXPECT_EQ(BiasOf(0.25, format), -9);
  EXPECT_EQ(BiasOf(0, format), 0);
  EXPECT_EQ(BiasOf(1e-30, format), -31);
  EXPECT_EQ(BiasOf(1e30, format), 15);
  EXPECT_EQ(BiasOf(1.0, {8, 2}), -3);
  EXPECT_EQ(BiasOf(1.0, {8, 4}), -15);
}

TEST(Quantizer, QuantizesATensorWithItsScale) {
  const CodeFormat format{8, 3};
  const std::vector<float> values = {4.0F, -1.0F, 0.0F, 0.5F};
  // Scaled by a quarter: 1, -0.25, 0, 0.125 with bias -7, so exponents 7, 5 and 4.
  const QuantizedTensor tensor = QuantizeTensor(values, format, 0.25);
  EXPECT_EQ(tensor.bias, -7);
  EXPECT_EQ(tensor.codes, (std::vector<uint8_t>{0x70, 0xD0, 0x00, 0x40}));
  // A bias from elsewhere is kept: 1 is exponent 5 of bias -5.
  const QuantizedTensor wide = QuantizeTensor(values, format, 0.25, -5);
  EXPECT_EQ(wide.bias, -5);
  EXPECT_EQ(wide.codes, (std::vector<uint8_t>{0x50, 0xB0, 0x00, 0x20}));
}

TEST(Quantizer, FixedPointWordsRoundAndSaturate) {
  EXPECT_EQ(ToFixedPoint(1.0, 16, 26), 65536);
  EXPECT_EQ(ToFixedPoint(-0.5 / 65536, 16, 26), -1);
  EXPECT_EQ(ToFixedPoint(0.4 / 65536, 16, 26), 0);
  EXPECT_EQ(ToFixedPoint(600, 16, 26), (1 << 25) - 1);
  EXPECT_EQ(ToFixedPoint(-600, 16, 26), -(1 << 25));
}

}  // namespace
}  // namespace edgebert::checkpoint
