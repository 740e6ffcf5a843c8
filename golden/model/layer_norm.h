// LayerNorm of one row of codes (docs/numerics.md section 6).
#pragma once

#include <cstdint>
#include <span>

#include "golden/model/adaptivfloat.h"

namespace edgebert::model {

/// Normalises the first `hidden` codes of a row and writes all of them. Lanes beyond `hidden` are
/// padding: code 0, gamma 0, beta 0. `gamma` is Q8.12, `beta` Fixed, `eps` scaled as the contract
/// says; `codes` and `out` may be the same.
void LayerNormRow(std::span<const uint8_t> codes, int64_t hidden, std::span<const int32_t> gamma,
                  std::span<const int32_t> beta, uint64_t eps, const AdaptivFloat& format,
                  int bias_out, std::span<uint8_t> out);

}  // namespace edgebert::model
