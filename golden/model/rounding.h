// Named roundings and saturations (docs/numerics.md section 1).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "golden/spec/formats.h"

namespace edgebert::model {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

/// v * 2^-shift, rounded to nearest with ties toward +infinity; exact for shift <= 0, where the
/// result must fit.
[[nodiscard]] constexpr int64_t RoundShift(int64_t v, int shift) {
  if (shift <= 0) return static_cast<int64_t>(static_cast<uint64_t>(v) << -shift);
  if (shift > 63) return 0;
  return (v >> shift) + (v >> (shift - 1) & 1);  // the half that rounds up, without an overflow
}

/// The same for products that outgrow 64 bits; the result must fit 64.
[[nodiscard]] constexpr int64_t RoundShiftWide(Int128 v, int shift) {
  if (shift <= 0) return static_cast<int64_t>(v << -shift);
  return static_cast<int64_t>((v + (Int128{1} << (shift - 1))) >> shift);
}

/// Clamps to the two's-complement range of `bits` bits, 1..63.
[[nodiscard]] constexpr int64_t Sat(int64_t v, int bits) {
  const int64_t limit = int64_t{1} << (bits - 1);
  return std::clamp(v, -limit, limit - 1);
}

[[nodiscard]] constexpr int64_t SatFixed(int64_t v) { return Sat(v, spec::kFixedBits); }

/// Position of the leading one of v > 0.
[[nodiscard]] constexpr int LeadingOne(uint64_t v) { return 63 - std::countl_zero(v); }
[[nodiscard]] constexpr int LeadingOne(Uint128 v) {
  const auto high = static_cast<uint64_t>(v >> 64);
  return high != 0 ? 64 + LeadingOne(high) : LeadingOne(static_cast<uint64_t>(v));
}

/// The 16 bits below the leading one at bit k: zeros appended, lower bits truncated.
[[nodiscard]] constexpr uint32_t BitsBelow(Uint128 v, int k) {
  return static_cast<uint32_t>(k >= 16 ? v >> (k - 16) : v << (16 - k)) & 0xFFFFu;
}

}  // namespace edgebert::model
