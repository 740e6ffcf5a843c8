// Attention span mask (docs/numerics.md section 5; Sukhbaatar et al., ACL 2019).
#pragma once

#include <algorithm>
#include <cstdint>

#include "golden/model/rounding.h"

namespace edgebert::model {

/// c = (R+z)/R and r = 1/R with 20 fraction bits.
struct SpanCoefficients {
  int64_t c = int64_t{1} << spec::kMaskCoefficientFraction;
  int64_t r = 0;
};

/// m(distance) in Q1.15.
[[nodiscard]] constexpr int64_t SpanMask(const SpanCoefficients& span, int distance) {
  constexpr int kDrop = spec::kMaskCoefficientFraction - spec::kMaskFraction;
  return std::clamp<int64_t>(RoundShift(span.c - distance * span.r, kDrop), 0,
                             int64_t{1} << spec::kMaskFraction);
}

}  // namespace edgebert::model
