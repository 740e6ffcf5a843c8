// A VMAC: exact dot products and the accumulator behind them (docs/numerics.md section 3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "golden/model/rounding.h"

namespace edgebert::model {

/// Sum of the products of two equally long rows of integer views; exact in 64 bits for every format
/// (ProductBits is at most 39) and 2^24 products.
[[nodiscard]] constexpr int64_t Dot(std::span<const int32_t> a, std::span<const int32_t> b) {
  int64_t sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += int64_t{a[i]} * b[i];
  return sum;
}

/// acc + dot, saturated to `bits`; sets `saturated` when that changed the sum.
[[nodiscard]] constexpr int64_t Accumulate(int64_t acc, int64_t dot, int bits, bool& saturated) {
  const int64_t sum = acc + dot;
  const int64_t kept = Sat(sum, bits);
  saturated = saturated || kept != sum;
  return kept;
}

}  // namespace edgebert::model
