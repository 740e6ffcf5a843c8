// The piecewise linear functions over their whole domains against <cmath>.
#include "golden/model/functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "golden/model/activation.h"
#include "tests/golden/stated_errors.h"

namespace edgebert::model {
namespace {

double Fixed(int64_t v) { return std::ldexp(static_cast<double>(v), -16); }

double Gelu(double x) { return x * std::erfc(-x / std::sqrt(2.0)) / 2; }
double GeluNew(double x) {
  return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

/// A chord over a step h, shifted by half of its deviation, is at most h^2/16 max|f''| away; the
/// roundings of c0, c1 and the product are half a unit each. `f` is the function of the segment
/// position s + t, in steps of `h` of the argument.
void ExpectChords(const spec::PwlTable& table, int first, int last, double h,
                  const std::function<double(double)>& f, double largest_curvature) {
  const int r = table.remainder_bits;
  double worst = 0;
  for (uint32_t u = static_cast<uint32_t>(first) << r; u < static_cast<uint32_t>(last) << r; ++u) {
    const double position = std::ldexp(u, -r) - first;
    worst = std::max(worst, std::fabs(Fixed(Pwl(table, u)) - f(position * h)));
  }
  EXPECT_LE(worst, h * h / 16 * largest_curvature + 1.5 * 0x1p-16) << table.name;
}

TEST(Tables, HaveTheShapeOfTheContract) {
  const auto expect = [](const spec::PwlTable& table, int index_bits, int remainder_bits) {
    EXPECT_EQ(table.index_bits, index_bits) << table.name;
    EXPECT_EQ(table.remainder_bits, remainder_bits) << table.name;
    EXPECT_EQ(table.fraction_bits, 16) << table.name;
    EXPECT_EQ(table.c0.size(), size_t{1} << index_bits) << table.name;
    EXPECT_EQ(table.c1.size(), size_t{1} << index_bits) << table.name;
  };
  expect(spec::Exp2Table(), 5, 7);
  expect(spec::GeluTable(), 7, 12);
  expect(spec::GeluNewTable(), 7, 12);
  expect(spec::TanhTable(), 7, 12);
  expect(spec::ReciprocalTable(), 6, 10);
  expect(spec::RSqrtTable(), 7, 10);
  expect(spec::LnTable(), 6, 10);
}

TEST(Tables, StayWithinHalfTheDeviationOfTheirChords) {
  const double ln2 = std::log(2.0);
  ExpectChords(
      spec::Exp2Table(), 0, 32, 1.0 / 32, [](double f) { return std::exp2(-f); }, ln2 * ln2);
  ExpectChords(
      spec::ReciprocalTable(), 0, 64, 1.0 / 64, [](double m) { return 1 / (1 + m); }, 2);
  ExpectChords(
      spec::LnTable(), 0, 64, 1.0 / 64, [](double m) { return std::log1p(m); }, 1);
  ExpectChords(
      spec::RSqrtTable(), 0, 64, 1.0 / 64, [](double m) { return 1 / std::sqrt(1 + m); }, 0.75);
  ExpectChords(
      spec::RSqrtTable(), 64, 128, 2.0 / 64, [](double m) { return 1 / std::sqrt(2 + m); },
      0.75 * std::pow(2, -2.5));
  // u - gelu(u) has the curvature of gelu: at most 2 phi(0). Behind the first segment, whose chord
  // is not shifted.
  ExpectChords(
      spec::GeluTable(), 1, 128, 1.0 / 16,
      [](double u) { return u + 1.0 / 16 - Gelu(u + 1.0 / 16); }, std::sqrt(2 / M_PI));
  ExpectChords(
      spec::TanhTable(), 1, 128, 1.0 / 16, [](double u) { return std::tanh(u + 1.0 / 16); },
      4 / std::sqrt(27.0));
}

TEST(Functions, Exp) {
  double absolute = 0;
  double relative = 0;
  for (int64_t d = 0; d < int64_t{1} << spec::kExpInputBits; ++d) {
    const double expected = std::exp(-std::ldexp(static_cast<double>(d), -12));
    const double error = std::fabs(Fixed(Exp(d)) - expected);
    absolute = std::max(absolute, error);
    // What is left when the result itself is exact to half a unit.
    relative = std::max(relative, (error - 0x1p-17) / expected);
    ASSERT_GE(Exp(d), 0);
    ASSERT_LE(Exp(d), 65536);
  }
  ExpectStatedError("Exp", absolute);
  ExpectStatedError("Exp, relative", relative);
}

/// Calls `visit` for every number below 2^20, and for every 16 bits below a leading one at bit 16
/// .. 48 with the lowest and the highest bits that truncation drops.
void EveryMantissa(const std::function<void(uint64_t)>& visit) {
  for (uint64_t s = 1; s < uint64_t{1} << 20; ++s) visit(s);
  for (const int k : {16, 20, 33, 48}) {
    for (uint64_t bits = 0; bits < 65536; ++bits) {
      const uint64_t low = (65536 + bits) << (k - 16);
      visit(low);
      visit(low | ((uint64_t{1} << (k - 16)) - 1));
    }
  }
}

TEST(Functions, Reciprocal) {
  double worst = 0;
  EveryMantissa([&](uint64_t s) {
    const Scaled r = Reciprocal(s);
    EXPECT_LE(r.mantissa, 65536);
    const double value = std::ldexp(static_cast<double>(r.mantissa), -16 - r.shift);
    worst = std::max(worst, std::fabs(value * static_cast<double>(s) - 1));
  });
  ExpectStatedError("Reciprocal, relative", worst);
}

TEST(Functions, RSqrt) {
  double worst = 0;
  const auto visit = [&](Uint128 d) {
    const Scaled y = RSqrt(d);
    EXPECT_LE(y.mantissa, 65536);
    const double value = std::ldexp(static_cast<double>(y.mantissa), -16 - y.shift);
    worst = std::max(worst, std::fabs(value * std::sqrt(static_cast<double>(d)) - 1));
  };
  EveryMantissa([&](uint64_t d) {
    visit(d);
    visit(Uint128{d} << 51);  // odd and even exponents beyond 64 bits
    visit(Uint128{d} << 52);
    visit(2 * Uint128{d} + 1);
  });
  ExpectStatedError("RSqrt, relative", worst);
}

TEST(Functions, Ln) {
  double worst = 0;
  for (uint64_t s = uint64_t{1} << 15; s <= uint64_t{1} << 24; ++s) {
    const double expected = std::log(std::ldexp(static_cast<double>(s), -16));
    worst = std::max(worst, std::fabs(Fixed(Ln(s)) - expected));
  }
  ExpectStatedError("Ln", worst);
}

/// Every Fixed below 8 in magnitude; beyond, the function is exactly `limit`.
double WorstActivation(spec::Activation activation, const std::function<double(double)>& f,
                       const std::function<int64_t(int64_t)>& limit) {
  constexpr int64_t kEnd = int64_t{8} << 16;
  double worst = 0;
  for (int64_t x = -kEnd + 1; x < kEnd; ++x) {
    worst = std::max(worst, std::fabs(Fixed(Activate(activation, x)) - f(Fixed(x))));
  }
  worst = std::max(
      {worst, std::fabs(f(8) - Fixed(limit(kEnd))), std::fabs(f(-8) - Fixed(limit(-kEnd)))});
  for (int64_t x = kEnd; x <= spec::kFixedMax; ++x) {
    if (Activate(activation, x) != limit(x) || Activate(activation, -x) != limit(-x)) {
      ADD_FAILURE() << "not at its limit at +-" << x;
      break;
    }
  }
  EXPECT_EQ(Activate(activation, spec::kFixedMin), limit(spec::kFixedMin));
  EXPECT_EQ(Activate(activation, 0), 0);
  return worst;
}

TEST(Functions, Activations) {
  const auto relu = [](int64_t x) { return std::max<int64_t>(x, 0); };
  const auto sign = [](int64_t x) { return int64_t{x < 0 ? -65536 : 65536}; };
  ExpectStatedError("gelu", WorstActivation(spec::Activation::kGelu, Gelu, relu));
  ExpectStatedError("gelu_new", WorstActivation(spec::Activation::kGeluNew, GeluNew, relu));
  ExpectStatedError("tanh",
                    WorstActivation(
                        spec::Activation::kTanh, [](double x) { return std::tanh(x); }, sign));
}

TEST(Functions, TanhIsOddAndAtMostOne) {
  for (int64_t x = 0; x < int64_t{8} << 16; ++x) {
    const int64_t t = Activate(spec::Activation::kTanh, x);
    ASSERT_EQ(Activate(spec::Activation::kTanh, -x), -t);
    ASSERT_LE(t, 65536) << x;
    ASSERT_GE(t, 0) << x;
  }
}

TEST(Functions, ReluAndNone) {
  for (const int64_t x : {spec::kFixedMin, int64_t{-1}, int64_t{0}, int64_t{1}, spec::kFixedMax}) {
    EXPECT_EQ(Activate(spec::Activation::kNone, x), x);
    EXPECT_EQ(Activate(spec::Activation::kRelu, x), x > 0 ? x : 0);
  }
}

}  // namespace
}  // namespace edgebert::model
