#include "golden/model/exact_matmul.h"

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <random>
#include <vector>

namespace edgebert::model {
namespace {

/// Every instruction set of this processor in turn, the others hidden.
class ExactMatmul : public testing::TestWithParam<int64_t> {
 protected:
  ExactMatmul() { Choose(GetParam()); }
  ~ExactMatmul() override { Choose(0); }

 private:
  static void Choose(int64_t targets) {  // 0: whatever there is
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

INSTANTIATE_TEST_SUITE_P(Targets, ExactMatmul,
                         testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& tested) { return hwy::TargetName(tested.param); });

TEST_P(ExactMatmul, IsThePlainProduct) {
  constexpr int16_t kLargest = 3968;  // of <8,3>: 136 products stay inside 32 bits
  constexpr ptrdiff_t kExactPairs = 68;
  std::mt19937_64 random(1);
  const auto fill = [&](ptrdiff_t size, bool extreme) {
    std::vector<int16_t> values(static_cast<size_t>(size), kLargest);
    if (extreme) return values;
    for (int16_t& v : values) {
      v = static_cast<int16_t>(static_cast<int>(random() % (2 * kLargest + 1)) - kLargest);
    }
    return values;
  };
  for (const ptrdiff_t lanes : {1, 3, 4, 8, 13, 16, 31, 32, 64}) {
    for (const ptrdiff_t rows : {1, 3, 4, 7, 19}) {
      for (const ptrdiff_t pairs : {1, 5, 68, 69, 300}) {
        for (const bool extreme : {false, true}) {
          const ptrdiff_t stride = 2 * pairs + 3;
          const std::vector<int16_t> a = fill(rows * stride, extreme);
          const std::vector<int16_t> w = fill(2 * pairs * lanes, extreme);
          constexpr int64_t kBefore = int64_t{5} << 40;
          std::vector<int64_t> expected(static_cast<size_t>(rows * lanes), kBefore);
          for (ptrdiff_t r = 0; r < rows; ++r) {
            for (ptrdiff_t j = 0; j < lanes; ++j) {
              for (ptrdiff_t k = 0; k < 2 * pairs; ++k) {
                expected[static_cast<size_t>(r * lanes + j)] +=
                    int64_t{a[static_cast<size_t>(r * stride + k)]} *
                    w[static_cast<size_t>(k / 2 * 2 * lanes + 2 * j + k % 2)];
              }
            }
          }
          std::vector<int64_t> fast(expected.size(), kBefore);
          AddProducts(a.data(), stride, rows, w.data(), pairs, lanes, kExactPairs, fast.data());
          ASSERT_EQ(fast, expected) << rows << " x " << 2 * pairs << " x " << lanes;
        }
      }
    }
  }
}

}  // namespace
}  // namespace edgebert::model
