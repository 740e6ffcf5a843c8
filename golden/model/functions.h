// Piecewise linear functions of the contract (docs/numerics.md section 4).
#pragma once

#include <cstdint>

#include "golden/model/rounding.h"
#include "golden/spec/tables.h"

namespace edgebert::model {

/// Value of a table at u, at the table's fraction bits.
[[nodiscard]] int64_t Pwl(const spec::PwlTable& table, uint32_t u);

/// e^-d: d unsigned with 12 fraction bits, below 2^19; result with 16.
[[nodiscard]] int64_t Exp(int64_t d);

/// mantissa * 2^-(16 + shift).
struct Scaled {
  int64_t mantissa = 0;
  int shift = 0;
};

/// 1/s, s > 0.
[[nodiscard]] Scaled Reciprocal(uint64_t s);
/// 1/sqrt(d), d > 0.
[[nodiscard]] Scaled RSqrt(Uint128 d);
/// Natural logarithm of s > 0 with 16 fraction bits, at 16 fraction bits.
[[nodiscard]] int64_t Ln(uint64_t s);

}  // namespace edgebert::model
