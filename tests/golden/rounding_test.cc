#include "golden/model/rounding.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>

namespace edgebert::model {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

/// Rounded to nearest, ties upwards, by division: floor((2 v + d) / (2 d)).
int64_t RoundedQuotient(int64_t v, int shift) {
  const Int128 divisor = Int128{2} << shift;
  const Int128 numerator = Int128{2} * v + (Int128{1} << shift);
  Int128 quotient = numerator / divisor;
  if (numerator % divisor < 0) --quotient;
  return static_cast<int64_t>(quotient);
}

TEST(Rounding, RoundShiftIsTheNearestQuotientWithTiesUpwards) {
  std::mt19937_64 random(2);
  for (int shift = 1; shift <= 66; ++shift) {
    for (int64_t v = -4096; v <= 4096; ++v) {
      ASSERT_EQ(RoundShift(v, shift), RoundedQuotient(v, shift)) << v << " by " << shift;
    }
    for (int i = 0; i < 2000; ++i) {
      const auto v = static_cast<int64_t>(random()) >> random() % 64;
      ASSERT_EQ(RoundShift(v, shift), RoundedQuotient(v, shift)) << v << " by " << shift;
    }
    for (const int64_t v : {kMax, kMax - 1, kMin, kMin + 1}) {
      ASSERT_EQ(RoundShift(v, shift), RoundedQuotient(v, shift)) << v << " by " << shift;
    }
  }
  EXPECT_EQ(RoundShift(3, 1), 2);
  EXPECT_EQ(RoundShift(-3, 1), -1);
}

TEST(Rounding, RoundShiftToTheLeftIsExact) {
  for (int shift = 0; shift <= 30; ++shift) {
    for (int64_t v = -1000; v <= 1000; ++v) {
      ASSERT_EQ(RoundShift(v, -shift), v * (int64_t{1} << shift));
      ASSERT_EQ(RoundShiftWide(v, -shift), v * (int64_t{1} << shift));
    }
  }
}

TEST(Rounding, RoundShiftWideRoundsProductsBeyond64Bits) {
  const Int128 three_halves = Int128{3} << 99;
  EXPECT_EQ(RoundShiftWide(three_halves, 100), 2);
  EXPECT_EQ(RoundShiftWide(-three_halves, 100), -1);
  EXPECT_EQ(RoundShiftWide(three_halves - 1, 100), 1);
  EXPECT_EQ(RoundShiftWide(-three_halves - 1, 100), -2);
}

TEST(Rounding, SatClampsToTheRangeOfItsBits) {
  for (int bits = 2; bits <= 20; ++bits) {
    const int64_t last = (1 << (bits - 1)) - 1;
    for (const int64_t v : {last - 1, last, -last - 1, -last}) EXPECT_EQ(Sat(v, bits), v);
    for (const int64_t v : {last + 1, kMax}) EXPECT_EQ(Sat(v, bits), last);
    for (const int64_t v : {-last - 2, kMin}) EXPECT_EQ(Sat(v, bits), -last - 1);
  }
  EXPECT_EQ(SatFixed(33554432), 33554431);
  EXPECT_EQ(SatFixed(-33554433), -33554432);
}

TEST(Rounding, LeadingOneAndTheBitsBelowIt) {
  std::mt19937_64 random(3);
  for (int k = 0; k < 127; ++k) {
    for (int i = 0; i < 200; ++i) {
      const Uint128 below = (Uint128{random()} << 64 | random()) & ((Uint128{1} << k) - 1);
      const Uint128 v = (Uint128{1} << k) | below;
      ASSERT_EQ(LeadingOne(v), k);
      uint32_t expected = 0;
      for (int b = 1; b <= 16; ++b) {
        const bool set = k - b >= 0 && (v >> (k - b) & 1) != 0;
        expected = 2 * expected + (set ? 1 : 0);
      }
      ASSERT_EQ(BitsBelow(v, k), expected) << k;
    }
  }
  EXPECT_EQ(LeadingOne(~uint64_t{0}), 63);
}

}  // namespace
}  // namespace edgebert::model
