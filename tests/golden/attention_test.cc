// Span mask and masked softmax against their real formulas.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "golden/model/softmax.h"
#include "golden/model/span_mask.h"
#include "tests/golden/adaptivfloat_oracle.h"
#include "tests/golden/stated_errors.h"

namespace edgebert::model {
namespace {

struct Span {
  double z;
  double ramp;  // R
  [[nodiscard]] SpanCoefficients Coefficients() const {
    return {std::llround(std::ldexp((ramp + z) / ramp, 20)),
            std::llround(std::ldexp(1 / ramp, 20))};
  }
  [[nodiscard]] double Mask(int distance) const {
    return std::clamp((ramp + z - distance) / ramp, 0.0, 1.0);
  }
};

const Span kSpans[] = {{0, 1},   {0.5, 1}, {3, 2},     {7.3, 4},  {-3.9, 4},
                       {20, 32}, {511, 1}, {511, 512}, {31.7, 96}};

TEST(SpanMask, IsTheRampAndNeverRises) {
  for (const Span& span : kSpans) {
    const SpanCoefficients coefficients = span.Coefficients();
    int64_t previous = 32768;
    for (int x = 0; x < 512; ++x) {
      const int64_t m = SpanMask(coefficients, x);
      // Half a unit of the result, of c, and of r for every step.
      const double bound = 0x1p-16 + (x + 1) * 0x1p-21;
      ASSERT_NEAR(std::ldexp(static_cast<double>(m), -15), span.Mask(x), bound)
          << "z " << span.z << " R " << span.ramp << " at " << x;
      ASSERT_LE(m, previous);
      previous = m;
    }
  }
}

TEST(SpanMask, WithoutASpanEveryDistanceIsFullyVisible) {
  for (int x = 0; x < 512; ++x) EXPECT_EQ(SpanMask({}, x), 32768);
}

struct Errors {
  double exp;
  double reciprocal;
};
const Errors& StatedErrors() {
  static const Errors errors{StatedError("Exp, relative"), StatedError("Reciprocal, relative")};
  return errors;
}

/// Row of probabilities with the ideal mask of the integer coefficients, in real arithmetic.
struct RealSoftmax {
  std::vector<double> p;
  double sum = 0;  // of the weights, relative to the largest visible score

  RealSoftmax(const std::vector<int16_t>& scores, int row, const SpanCoefficients& span) {
    double largest = -1e9;
    std::vector<double> mask;
    for (int j = 0; j < static_cast<int>(scores.size()); ++j) {
      const double ramp =
          static_cast<double>(span.c) - std::abs(row - j) * static_cast<double>(span.r);
      // A mask that rounds to nothing makes the key invisible.
      const double m = std::clamp(std::ldexp(ramp, -20), 0.0, 1.0);
      mask.push_back(m < 0x1p-16 ? 0 : m);
      if (mask.back() > 0) largest = std::max(largest, scores[size_t(j)] / 512.0);
    }
    for (size_t j = 0; j < scores.size(); ++j) {
      p.push_back(mask[j] * std::exp(mask[j] > 0 ? scores[j] / 512.0 - largest : 0));
      sum += p.back();
    }
    for (double& value : p) value /= sum;
  }
};

/// What p may be off by, derived from the errors that docs/numerics.md section 10 states for its
/// parts. `sum` is that of the real weights.
double Tolerance(double p, double sum, size_t keys) {
  const double weight = StatedErrors().exp;
  // Half a unit of 2^-16 for Exp, another for the product, two for the mask.
  constexpr double kRounding = 4 * 0x1p-17;
  const double sum_error = weight * sum + static_cast<double>(keys) * kRounding;
  const double smallest_sum = std::max(sum - sum_error, 0x1p-15);
  return (weight * p * sum + kRounding + p * sum_error) / smallest_sum +
         StatedErrors().reciprocal * p + 0x1p-17;
}

std::vector<int16_t> RandomScores(std::mt19937_64& random, size_t length, double spread) {
  std::vector<int16_t> scores(length);
  for (int16_t& score : scores) {
    const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
    score = static_cast<int16_t>(std::clamp((unit - 0.5) * spread * 512, -32768.0, 32767.0));
  }
  return scores;
}

TEST(Softmax, RowsAreWithinTheStatedErrorOfTheRealFunction) {
  std::mt19937_64 random(6);
  ASSERT_GT(StatedErrors().exp, 0);
  double worst = 0;
  double worst_share = 0;
  for (const size_t length :
       {size_t{1}, size_t{2}, size_t{5}, size_t{30}, size_t{64}, size_t{512}}) {
    for (const double spread : {0.0, 0.5, 4.0, 12.0, 30.0, 127.9}) {
      for (int trial = 0; trial < 12; ++trial) {
        const std::vector<int16_t> scores = RandomScores(random, length, spread);
        std::vector<SpanCoefficients> spans = {{}};
        for (const Span& span : kSpans) spans.push_back(span.Coefficients());
        for (const SpanCoefficients& span : spans) {
          if (SpanMask(span, 0) == 0) continue;
          const int row = static_cast<int>(random() % length);
          std::vector<int32_t> p(length);
          SpanSoftmax(scores, row, span, p);
          const RealSoftmax expected(scores, row, span);
          for (size_t j = 0; j < length; ++j) {
            const double error = std::fabs(std::ldexp(p[j], -16) - expected.p[j]);
            const double bound = Tolerance(expected.p[j], expected.sum, length);
            ASSERT_LE(error, bound) << "length " << length << " spread " << spread << " row " << row
                                    << " key " << j << " p " << expected.p[j];
            if (span.r == 0) worst = std::max(worst, error);
            worst_share = std::max(worst_share, error / bound);
            if (SpanMask(span, std::abs(row - static_cast<int>(j))) == 0) ASSERT_EQ(p[j], 0);
          }
        }
      }
    }
  }
  fmt::print("softmax: worst error without span {:.3e}; {:.2f} of its bound\n", worst, worst_share);
  EXPECT_GT(worst_share, 0.3) << "the bound says nothing";
}

TEST(Softmax, TheLargestScoreMayBeBarelyVisible) {
  // The mask of the far key is one unit: its weight is 2, the smallest that a row can sum up to.
  const SpanCoefficients span{(1 << 20) + 32, 1 << 20};
  ASSERT_EQ(SpanMask(span, 1), 1);
  const std::vector<int16_t> scores = {-32768, 32767};
  std::vector<int32_t> p(2);
  SpanSoftmax(scores, 0, span, p);
  EXPECT_EQ(p[0], 0);
  EXPECT_NEAR(p[1], 65536, 16);
}

TEST(Softmax, CodesAreTheProbabilitiesEncoded) {
  std::mt19937_64 random(7);
  for (const AdaptivFloat& format : AllFormats()) {
    const int bias = -(1 << format.exponent);  // the largest value is just below 1
    const std::vector<double> values = PositiveValues(format, bias);
    const std::vector<int16_t> scores = RandomScores(random, 40, 10);
    std::vector<int32_t> p(scores.size());
    std::vector<uint8_t> codes(scores.size());
    const SpanCoefficients span = Span{7.3, 4}.Coefficients();
    SpanSoftmax(scores, 11, span, p);
    SoftmaxRow(scores, 11, span, format, bias, codes);
    for (size_t j = 0; j < codes.size(); ++j) {
      ASSERT_EQ(codes[j], NearestCode(std::ldexp(p[j], -16), format, values));
    }
  }
}

}  // namespace
}  // namespace edgebert::model
