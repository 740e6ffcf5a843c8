#include "golden/model/adaptivfloat.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "golden/spec/formats.h"
#include "tests/golden/adaptivfloat_oracle.h"

namespace edgebert::model {
namespace {

std::string Name(const AdaptivFloat& format, int bias) {
  return fmt::format("<{},{}> bias {}", format.width, format.exponent, bias);
}

/// Floor of v + 1/2, clamped to a Fixed: `v` is in units of 2^-16.
int64_t FixedOf(double v) {
  return static_cast<int64_t>(std::clamp(std::floor(v + 0.5), static_cast<double>(spec::kFixedMin),
                                         static_cast<double>(spec::kFixedMax)));
}

TEST(AdaptivFloat, EveryCodeOfEveryFormatHasTheValueOfTheFormula) {
  for (const AdaptivFloat& format : AllFormats()) {
    const int code_int_bits = format.mantissa() + 1 + ((1 << format.exponent) - 1) + 1;
    for (int bias = spec::kBiasMin; bias <= spec::kBiasMax; ++bias) {
      const std::vector<double> values = PositiveValues(format, bias);
      for (uint32_t code = 0; code < 1u << format.width; ++code) {
        const double value = ValueOf(code, format, values);
        const int64_t view = format.ToInteger(code);
        ASSERT_EQ(std::ldexp(static_cast<double>(view), bias - format.mantissa()), value)
            << Name(format, bias) << " code " << code;
        ASSERT_EQ(view, Sat(view, code_int_bits)) << Name(format, bias) << " code " << code;
        ASSERT_EQ(format.ToFixed(code, bias), FixedOf(std::ldexp(value, 16)))
            << Name(format, bias) << " code " << code;
      }
    }
  }
}

TEST(AdaptivFloat, EveryValueThatAFixedHoldsEncodesToItself) {
  for (const AdaptivFloat& format : AllFormats()) {
    for (int bias = spec::kBiasMin; bias <= spec::kBiasMax; ++bias) {
      const std::vector<double> values = PositiveValues(format, bias);
      for (uint32_t code = 0; code < 1u << format.width; ++code) {
        const double scaled = std::ldexp(ValueOf(code, format, values), 16);
        if (scaled != static_cast<double>(FixedOf(scaled))) continue;
        const uint32_t expected = scaled == 0 ? 0 : code;
        ASSERT_EQ(format.Encode(static_cast<int64_t>(scaled), bias), expected)
            << Name(format, bias);
      }
    }
  }
}

/// Compares Encode with the nearest value for the magnitudes 0 .. last of both signs. The nearest
/// value only moves upwards, so it is followed instead of searched for.
void Sweep(const AdaptivFloat& format, int bias, int64_t last) {
  std::vector<double> values = PositiveValues(format, bias);
  for (double& value : values) value = std::ldexp(value, spec::kFixedFraction);
  const uint32_t sign = 1u << (format.width - 1);
  uint32_t nearest = 1;
  for (int64_t a = 0; a <= last; ++a) {
    const auto real = static_cast<double>(a);
    while (nearest + 1 < values.size()) {
      const double above = values[nearest + 1] - real;
      const double below = real - values[nearest];
      if (above > below || (above == below && nearest % 2 == 0)) break;
      ++nearest;
    }
    const uint32_t expected = real < values[1] / 2 ? 0 : nearest;
    ASSERT_EQ(format.Encode(a, bias), expected) << Name(format, bias) << " of " << a;
    ASSERT_EQ(format.Encode(-a, bias), expected == 0 ? 0 : expected | sign)
        << Name(format, bias) << " of " << -a;
  }
}

TEST(AdaptivFloat, EncodesEveryFixedBelowFourToTheNearestValue) {
  for (const AdaptivFloat& format : AllFormats()) {
    for (int bias = spec::kBiasMin; bias <= spec::kBiasMax; ++bias) {
      Sweep(format, bias, int64_t{1} << 18);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(AdaptivFloat, EncodesEveryFixedToTheNearestValue) {
  for (const auto& [format, bias] :
       {std::pair{AdaptivFloat{8, 3}, -4}, std::pair{AdaptivFloat{8, 4}, -9},
        std::pair{AdaptivFloat{5, 2}, 5}}) {
    Sweep(format, bias, spec::kFixedMax);
    EXPECT_EQ(format.Encode(spec::kFixedMin, bias),
              format.Encode(spec::kFixedMax, bias) | 1u << (format.width - 1));
  }
}

TEST(AdaptivFloat, EncodesRandomAndHalfwayNumbersAsASearchThroughAllValuesDoes) {
  std::mt19937_64 random(1);
  for (const AdaptivFloat& format : AllFormats()) {
    for (int bias = spec::kBiasMin; bias <= spec::kBiasMax; ++bias) {
      const std::vector<double> values = PositiveValues(format, bias);
      std::vector<int64_t> inputs = {0, spec::kFixedMin, spec::kFixedMax};
      for (size_t i = 0; i + 1 < values.size(); ++i) {
        const double half = std::ldexp((values[i] + values[i + 1]) / 2, 16);
        if (half >= static_cast<double>(spec::kFixedMax)) break;
        for (const int64_t offset : {-1, 0, 1}) inputs.push_back(FixedOf(half) + offset);
      }
      for (int i = 0; i < 300; ++i) {
        inputs.push_back(static_cast<int64_t>(random() >> 39) >> random() % 25);
      }
      for (const int64_t x : inputs) {
        for (const int64_t y : {x, -x}) {
          const double real = std::ldexp(static_cast<double>(y), -16);
          ASSERT_EQ(format.Encode(SatFixed(y), bias), NearestCode(real, format, values))
              << Name(format, bias) << " of " << y;
        }
      }
    }
  }
}

TEST(AdaptivFloat, SaturatesWithItsSign) {
  EXPECT_EQ((AdaptivFloat{8, 3}.Encode(spec::kFixedMax, -10)), 0x7Fu);
  EXPECT_EQ((AdaptivFloat{8, 3}.Encode(spec::kFixedMin, -10)), 0xFFu);
}

}  // namespace
}  // namespace edgebert::model
