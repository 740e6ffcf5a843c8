#include "golden/model/entropy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "golden/spec/formats.h"
#include "tests/golden/stated_errors.h"

namespace edgebert::model {
namespace {

/// -sum p ln p over the softmax of Fixed logits.
double RealEntropy(const std::vector<int32_t>& logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const int32_t x : logits) sum += std::exp((x - largest) / 65536);
  double entropy = 0;
  for (const int32_t x : logits) {
    const double p = std::exp((x - largest) / 65536) / sum;
    if (p > 0) entropy -= p * std::log(p);
  }
  return entropy;
}

double Error(const std::vector<int32_t>& logits) {
  return std::fabs(std::ldexp(Entropy(logits).entropy, -16) - RealEntropy(logits));
}

TEST(Entropy, EveryDifferenceOfTwoLogits) {
  double worst = 0;
  // Beyond 32 both entropies are below a unit; see the next test.
  for (int32_t difference = 0; difference < 32 << 16; ++difference) {
    // Not around zero: only the difference may count.
    const std::vector<int32_t> logits = {-777777, difference - 777777};
    const OffRampResult result = Entropy(logits);
    ASSERT_EQ(result.prediction, difference > 0 ? 1 : 0);
    const double x = difference / 65536.0;
    const double small = std::exp(-x);
    const double expected = std::log1p(small) + x * small / (1 + small);
    worst = std::max(worst, std::fabs(std::ldexp(result.entropy, -16) - expected));
  }
  ExpectStatedError("Entropy, 2 classes", worst);
}

TEST(Entropy, FarLogitsCountNothing) {
  const uint32_t one_class = Entropy(std::vector<int32_t>{5}).entropy;
  EXPECT_LE(one_class, 8u);
  for (int32_t difference = 32 << 16; difference < 1 << 26; difference += 999) {
    const int32_t low = spec::kFixedMin;
    ASSERT_EQ(Entropy(std::vector<int32_t>{low, low + difference}).entropy, one_class);
  }
}

TEST(Entropy, UpTo256Classes) {
  std::mt19937_64 random(10);
  const double two_classes = StatedError("Entropy, 2 classes");
  const double each_class = StatedError("Entropy, each further class");
  double worst_share = 0;
  const auto check = [&](const std::vector<int32_t>& logits) {
    const double bound = two_classes + each_class * static_cast<double>(logits.size() - 2);
    const double error = Error(logits);
    ASSERT_LE(error, bound) << logits.size() << " classes";
    worst_share = std::max(worst_share, error / bound);
    const auto first_largest = std::max_element(logits.begin(), logits.end());
    ASSERT_EQ(Entropy(logits).prediction, first_largest - logits.begin());
    ASSERT_LT(Entropy(logits).entropy, 1u << spec::kEntropyBits);
  };
  for (size_t classes = 2; classes <= 256; ++classes) {
    for (int trial = 0; trial < 60; ++trial) {
      std::vector<int32_t> logits(classes);
      const int drop = 38 + trial % 16;  // from +-512 down to +-1/64
      for (int32_t& x : logits) x = static_cast<int32_t>(static_cast<int64_t>(random()) >> drop);
      check(logits);
    }
    // All but one at the same distance: where each is about half a unit, their sum is worst.
    for (int32_t distance = 0; distance < 14 << 16; distance += 1 << 13) {
      std::vector<int32_t> logits(classes, -distance);
      logits[classes / 2] = 0;
      check(logits);
    }
    check(std::vector<int32_t>(classes, spec::kFixedMax));
    if (HasFatalFailure()) return;
  }
  fmt::print("entropy: {:.2f} of the bound\n", worst_share);
  EXPECT_GT(worst_share, 0.6) << "the bound says nothing";
}

TEST(Entropy, TheLowestIndexWinsATie) {
  EXPECT_EQ(Entropy(std::vector<int32_t>{-3, 7, 7, 2}).prediction, 1);
}

}  // namespace
}  // namespace edgebert::model
