// The way of a sum from the VMACs to memory, against real arithmetic.
#include "golden/model/post_processor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "golden/model/vmac.h"
#include "tests/golden/adaptivfloat_oracle.h"

namespace edgebert::model {
namespace {

using Real = long double;

Real Clamp(Real v, int bits) {
  const Real limit = std::ldexp(Real{1}, bits - 1);
  return std::clamp(v, -limit, limit - 1);
}
Real Nearest(Real v) { return std::floor(v + Real{0.5}); }

TEST(Vmac, DotIsExactForTheLargestAndRandomViewsOfEveryFormat) {
  std::mt19937_64 random(4);
  for (const AdaptivFloat& format : AllFormats()) {
    const std::vector<double> values = PositiveValues(format, format.mantissa());
    for (const size_t k : {size_t{4}, size_t{32}, size_t{16384}}) {
      std::vector<int32_t> a(k);
      std::vector<int32_t> b(k);
      Real expected = 0;
      for (size_t i = 0; i < k; ++i) {
        const auto code = static_cast<uint32_t>(random() >> (64 - format.width));
        const auto weight = static_cast<uint32_t>(random() >> (64 - format.width));
        a[i] = static_cast<int32_t>(format.ToInteger(code));
        b[i] = static_cast<int32_t>(format.ToInteger(weight));
        expected += Real{ValueOf(code, format, values)} * ValueOf(weight, format, values);
      }
      EXPECT_EQ(static_cast<Real>(Dot(a, b)), expected);
      const auto largest = static_cast<int32_t>(format.ToInteger(format.largest()));
      std::fill(a.begin(), a.end(), -largest);
      std::fill(b.begin(), b.end(), largest);
      EXPECT_EQ(static_cast<Real>(Dot(a, b)),
                -static_cast<Real>(k) * values.back() * values.back());
    }
  }
}

TEST(Vmac, AccumulateSaturatesAndRemembers) {
  bool saturated = false;
  EXPECT_EQ(Accumulate(32000, 767, 16, saturated), 32767);
  EXPECT_EQ(Accumulate(-32000, -768, 16, saturated), -32768);
  EXPECT_FALSE(saturated);
  EXPECT_EQ(Accumulate(32000, 768, 16, saturated), 32767);
  EXPECT_TRUE(saturated);
  EXPECT_EQ(Accumulate(32767, -1, 16, saturated), 32766);
  EXPECT_TRUE(saturated) << "the flag is sticky";
  saturated = false;
  EXPECT_EQ(Accumulate(-32768, -1, 16, saturated), -32768);
  EXPECT_TRUE(saturated);
}

TEST(PostProcessor, IsShiftBiasActivationResidualInThisOrder) {
  std::mt19937_64 random(5);
  const auto signed_bits = [&](int bits) {
    return static_cast<int64_t>(random()) >> (64 - bits) >> random() % static_cast<unsigned>(bits);
  };
  for (int shift = spec::kShiftMin; shift <= spec::kShiftMax; ++shift) {
    for (int i = 0; i < 2000; ++i) {
      const int64_t acc = signed_bits(53);
      const int64_t bias = signed_bits(spec::kFixedBits);
      const int64_t residual = i % 2 == 0 ? 0 : signed_bits(spec::kFixedBits);
      const bool relu = i % 3 == 0;
      Real x = Clamp(Nearest(std::ldexp(static_cast<Real>(acc), -shift)), 26);
      x = Clamp(x + static_cast<Real>(bias), 26);
      if (relu) x = std::max(x, Real{0});
      x = Clamp(x + static_cast<Real>(residual), 26);
      const auto activation = relu ? spec::Activation::kRelu : spec::Activation::kNone;
      ASSERT_EQ(static_cast<Real>(PostProcess(acc, shift, bias, activation, residual)), x)
          << acc << " by " << shift << " + " << bias << ", " << residual;
    }
  }
}

TEST(PostProcessor, SaturatesEachStep) {
  using enum spec::Activation;
  constexpr int64_t kMax = spec::kFixedMax;
  constexpr int64_t kMin = spec::kFixedMin;
  EXPECT_EQ(PostProcess(int64_t{1} << 60, -16, -5, kNone, 0), kMax - 5);
  EXPECT_EQ(PostProcess(-(int64_t{1} << 60), -16, 5, kNone, 0), kMin + 5);
  EXPECT_EQ(PostProcess(kMax, 0, kMax, kNone, -7), kMax - 7);
  EXPECT_EQ(PostProcess(-9, 0, 0, kRelu, -7), -7) << "the residual comes after the activation";
  EXPECT_EQ(PostProcess(-9, 0, 12, kRelu, 0), 3) << "the bias comes before the activation";
}

TEST(PostProcessor, EveryScoreIsTheNearestWithNineFractionBits) {
  for (int64_t x = spec::kFixedMin; x <= spec::kFixedMax; x += 1) {
    const double expected =
        std::clamp(std::floor(static_cast<double>(x) / 128 + 0.5), -32768.0, 32767.0);
    if (static_cast<double>(ToScore(x)) != expected) {
      FAIL() << x << " gave " << ToScore(x) << " instead of " << expected;
    }
  }
}

}  // namespace
}  // namespace edgebert::model
