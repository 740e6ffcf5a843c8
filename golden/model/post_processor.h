// What happens to an accumulator on its way out of the array (docs/numerics.md section 3).
#pragma once

#include <cstdint>

#include "golden/model/activation.h"
#include "golden/model/rounding.h"

namespace edgebert::model {

/// Shift, bias, activation, residual. `bias` and `residual` are Fixed; so is the result.
[[nodiscard]] inline int64_t PostProcess(int64_t acc, int shift, int64_t bias,
                                         spec::Activation activation, int64_t residual) {
  const int64_t places = shift > 0 ? RoundShift(acc, shift) : acc;
  // A left shift saturates before it can overflow.
  const int64_t headroom = shift < 0 ? Sat(places, spec::kFixedBits) << -shift : places;
  const int64_t x = Activate(activation, SatFixed(SatFixed(headroom) + bias));
  return SatFixed(x + residual);
}

/// A Fixed as an attention score, Q7.9.
[[nodiscard]] constexpr int64_t ToScore(int64_t x) {
  return Sat(RoundShift(x, spec::kFixedFraction - spec::kScoreFraction), spec::kScoreBits);
}

}  // namespace edgebert::model
