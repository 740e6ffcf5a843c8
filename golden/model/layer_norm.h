// LayerNorm of one row of codes (docs/numerics.md section 6).
#pragma once

#include <cstdint>
#include <span>

#include "golden/model/adaptivfloat.h"

namespace edgebert::model {

/// (v - mean) / sqrt(variance + epsilon) of each code of a row, Q8.12, the statistics over `hidden`
/// codes; lanes beyond hold code 0. `eps` is epsilon scaled as the contract says.
void Normalize(std::span<const uint8_t> codes, int64_t hidden, uint64_t eps,
               const AdaptivFloat& format, std::span<int32_t> normalized);

/// The whole row: `Normalize`, gamma (Q8.12), beta (Fixed), and codes with `bias_out`. Lanes beyond
/// `hidden` have gamma = beta = 0 and so stay 0; `codes` and `out` may be the same.
void LayerNormRow(std::span<const uint8_t> codes, int64_t hidden, std::span<const int32_t> gamma,
                  std::span<const int32_t> beta, uint64_t eps, const AdaptivFloat& format,
                  int bias_out, std::span<uint8_t> out);

}  // namespace edgebert::model
