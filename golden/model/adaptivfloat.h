// AdaptivFloat<W,E> on integers (docs/numerics.md section 2; Tambe et al., DAC 2020, algorithm 1).
#pragma once

#include <cstdint>

#include "golden/model/rounding.h"

namespace edgebert::model {

/// The shape of a code: sign, exponent bits, M = width - 1 - exponent mantissa bits.
struct AdaptivFloat {
  int width = 8;
  int exponent = 3;

  [[nodiscard]] constexpr int mantissa() const { return width - 1 - exponent; }
  /// The largest code without its sign: all exponent and mantissa bits set.
  [[nodiscard]] constexpr uint32_t largest() const { return (1u << (width - 1)) - 1; }

  /// Integer view: 0, or +-(2^M + m) << e. The value is view * 2^(bias - M).
  [[nodiscard]] constexpr int64_t ToInteger(uint32_t code) const {
    const uint32_t body = code & largest();
    if (body == 0) return 0;
    const uint32_t man = body & ((1u << mantissa()) - 1);
    const auto view = static_cast<int64_t>((uint64_t{1} << mantissa()) + man)
                      << (body >> mantissa());
    return (code >> (width - 1)) != 0 ? -view : view;
  }

  /// Value as a Fixed, saturated.
  [[nodiscard]] constexpr int64_t ToFixed(uint32_t code, int bias) const {
    return SatFixed(RoundShift(ToInteger(code), mantissa() - spec::kFixedFraction - bias));
  }

  /// The code of a Fixed: nearest, ties to even; saturates with its sign; magnitudes under half of
  /// the smallest non-zero become zero, the rest of that gap the smallest non-zero.
  [[nodiscard]] constexpr uint32_t Encode(int64_t x, int bias) const {
    if (x == 0) return 0;
    const uint32_t sign = x < 0 ? 1u << (width - 1) : 0;
    const auto magnitude = static_cast<uint64_t>(x < 0 ? -x : x);
    const int lead = LeadingOne(magnitude);
    const int e = lead - spec::kFixedFraction - bias;
    const int m = mantissa();
    if (e < -1) return 0;
    if (e == -1) {
      const uint64_t fraction = (lead >= m ? magnitude >> (lead - m) : magnitude << (m - lead)) &
                                ((uint64_t{1} << m) - 1);
      return fraction != 0 ? sign | 1u : 0;
    }
    if (e >= 1 << exponent) return sign | largest();
    // M + 1 significant bits, 2^M .. 2^(M+1); a carry runs on into the exponent by itself.
    uint64_t kept = 0;
    if (lead <= m) {
      kept = magnitude << (m - lead);
    } else {
      const int drop = lead - m;
      const uint64_t half = uint64_t{1} << (drop - 1);
      const uint64_t odd = magnitude >> drop & 1;
      kept = (magnitude + half - 1 + odd) >> drop;  // a tie carries only into an odd place
    }
    const uint64_t body = (static_cast<uint64_t>(e) << m) + kept - (uint64_t{1} << m);
    return sign | static_cast<uint32_t>(std::clamp<uint64_t>(body, 1, largest()));
  }

  friend constexpr bool operator==(const AdaptivFloat&, const AdaptivFloat&) = default;
};

}  // namespace edgebert::model
