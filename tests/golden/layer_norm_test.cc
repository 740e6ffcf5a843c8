// LayerNorm against the exact statistics of its integer views.
#include "golden/model/layer_norm.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "tests/golden/adaptivfloat_oracle.h"
#include "tests/golden/stated_errors.h"

namespace edgebert::model {
namespace {

using Real = long double;

/// H^2 times the variance, as the sum of the squared differences of all pairs (Lagrange): never
/// negative, and without the cancellation of H S2 - S1^2.
Real PairwiseVariance(const std::vector<int64_t>& v) {
  // Equal values are counted, so that long rows stay cheap.
  std::vector<int64_t> sorted = v;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::pair<int64_t, int64_t>> groups;
  for (const int64_t value : sorted) {
    if (groups.empty() || groups.back().first != value) groups.emplace_back(value, 0);
    ++groups.back().second;
  }
  Real sum = 0;
  for (size_t a = 0; a < groups.size(); ++a) {
    for (size_t b = a + 1; b < groups.size(); ++b) {
      const auto difference = static_cast<Real>(groups[b].first - groups[a].first);
      sum += difference * difference * static_cast<Real>(groups[a].second * groups[b].second);
    }
  }
  return sum;
}

/// Checks the normalised values of a row; padding is appended to see that it does not count.
/// Returns the largest share of the allowed error.
Real CheckRow(std::vector<uint8_t> codes, uint64_t eps, const AdaptivFloat& format,
              Real relative_error, const std::string& what) {
  const size_t hidden = codes.size();
  const std::vector<double> values = PositiveValues(format, format.mantissa());  // integer views
  std::vector<int64_t> views;
  for (const uint8_t code : codes) {
    views.push_back(static_cast<int64_t>(ValueOf(code, format, values)));
  }
  const Real variance = PairwiseVariance(views) + static_cast<Real>(eps);
  int64_t sum = 0;
  for (const int64_t v : views) sum += v;
  codes.resize(hidden + 3, 0);
  std::vector<int32_t> z(codes.size());
  Normalize(codes, static_cast<int64_t>(hidden), eps, format, z);
  Real share = 0;
  for (size_t i = 0; i < hidden; ++i) {
    const auto centred = static_cast<Real>(static_cast<int64_t>(hidden) * views[i] - sum);
    const Real exact = variance == 0 ? 0 : centred / std::sqrt(variance);
    const Real expected = std::clamp(exact, Real{-128}, 128 - std::ldexp(Real{1}, -12));
    const Real bound = std::fabs(expected) * relative_error + std::ldexp(Real{1}, -13);
    const Real error = std::fabs(std::ldexp(static_cast<Real>(z[i]), -12) - expected);
    share = std::max(share, error / bound);
    if (!(error <= bound)) {
      ADD_FAILURE() << what << " element " << i << ": " << z[i] / 4096.0 << " instead of "
                    << static_cast<double>(expected);
      return share;
    }
  }
  return share;
}

std::vector<uint8_t> RandomRow(std::mt19937_64& random, const AdaptivFloat& format, size_t hidden) {
  std::vector<uint8_t> codes(hidden);
  for (uint8_t& code : codes) code = static_cast<uint8_t>(random() >> (64 - format.width));
  return codes;
}

TEST(LayerNorm, NormalisesRandomRowsOfEveryFormat) {
  std::mt19937_64 random(8);
  const Real relative = StatedError("RSqrt, relative");
  ASSERT_GT(relative, 0);
  Real share = 0;
  for (const AdaptivFloat& format : AllFormats()) {
    for (const size_t hidden : {size_t{2}, size_t{16}, size_t{192}, size_t{768}, size_t{4096}}) {
      for (int trial = 0; trial < 20; ++trial) {
        // Small epsilons, and some that outweigh the row.
        const uint64_t eps = trial % 4 == 0 ? 0 : random() >> 1 >> random() % 63;
        share = std::max(
            share, CheckRow(RandomRow(random, format, hidden), eps, format, relative,
                            fmt::format("<{},{}> H {}", format.width, format.exponent, hidden)));
      }
    }
  }
  EXPECT_GT(share, 0.5) << "the bound says nothing";
}

TEST(LayerNorm, SumsAreExactAtTheLargestViewsAndRows) {
  const Real relative = StatedError("RSqrt, relative");
  const AdaptivFloat format{8, 4};
  const auto largest = static_cast<uint8_t>(format.largest());
  for (const size_t hidden : {size_t{192}, size_t{4095}, size_t{4096}}) {
    std::vector<uint8_t> codes(hidden, largest);
    // Nothing but epsilon is left of two numbers of 62 bits.
    CheckRow(codes, 1, format, relative, "constant row");
    // One element differs by the smallest step: D = (H-1) step^2 out of the same two.
    codes[hidden / 2] = static_cast<uint8_t>(largest - 1);
    CheckRow(codes, 0, format, relative, "one step");
    codes[hidden / 2] = 1;
    CheckRow(codes, 0, format, relative, "one small");
    // The largest variance there is, with the largest epsilon.
    for (size_t i = 0; i < hidden; i += 2) codes[i] = static_cast<uint8_t>(largest | 0x80);
    CheckRow(codes, 0, format, relative, "both ends");
    CheckRow(codes, ~uint64_t{0}, format, relative, "both ends, largest epsilon");
  }
}

TEST(LayerNorm, RowsWithoutVarianceAreZero) {
  const AdaptivFloat format{8, 3};
  for (const uint8_t code : {uint8_t{0}, uint8_t{1}, uint8_t{0x7F}, uint8_t{0xFF}}) {
    const std::vector<uint8_t> codes(64, code);
    std::vector<int32_t> z(64, 1);
    for (const uint64_t eps : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 40}) {
      Normalize(codes, 64, eps, format, z);
      EXPECT_EQ(z, std::vector<int32_t>(64, 0));
    }
  }
}

TEST(LayerNorm, SmallestSigmaIsNormalisedLikeAnyOther) {
  // The two smallest neighbours of the format, one unit apart: sigma is half a unit.
  const AdaptivFloat format{8, 3};
  std::vector<uint8_t> codes(128, 1);
  std::fill(codes.begin(), codes.begin() + 64, uint8_t{2});
  std::vector<int32_t> z(128);
  Normalize(codes, 128, 0, format, z);
  EXPECT_EQ(z.front(), 4096);
  EXPECT_EQ(z.back(), -4096);
}

TEST(LayerNorm, RowIsGammaThenBetaThenTheCode) {
  std::mt19937_64 random(9);
  for (const AdaptivFloat& format : AllFormats()) {
    const int bias = 2 - (1 << format.exponent);
    const std::vector<double> values = PositiveValues(format, bias);
    const size_t hidden = 96;
    std::vector<uint8_t> codes = RandomRow(random, format, hidden);
    codes.resize(hidden + 8, 0);
    std::vector<int32_t> gamma(codes.size(), 0);
    std::vector<int32_t> beta(codes.size(), 0);
    for (size_t i = 0; i < hidden; ++i) {
      gamma[i] = static_cast<int32_t>(static_cast<int64_t>(random()) >> 44);
      beta[i] = static_cast<int32_t>(static_cast<int64_t>(random()) >> 38);
    }
    std::vector<int32_t> z(codes.size());
    Normalize(codes, hidden, 12345, format, z);
    std::vector<uint8_t> out(codes.size(), 0xAA);
    LayerNormRow(codes, hidden, gamma, beta, 12345, format, bias, out);
    for (size_t i = 0; i < codes.size(); ++i) {
      // In units of 2^-16: exact in a double.
      const double product = std::floor(std::ldexp(double(z[i]) * gamma[i], -8) + 0.5);
      const double scaled = std::clamp(product, -0x1p25, 0x1p25 - 1);
      const double x = std::clamp(scaled + beta[i], -0x1p25, 0x1p25 - 1);
      ASSERT_EQ(out[i], NearestCode(std::ldexp(x, -16), format, values)) << i;
    }
    EXPECT_TRUE(std::all_of(out.begin() + hidden, out.end(), [](uint8_t c) { return c == 0; }));
    LayerNormRow(codes, hidden, gamma, beta, 12345, format, bias, codes);
    EXPECT_EQ(codes, out) << "in place";
  }
}

}  // namespace
}  // namespace edgebert::model
