// Span-masked softmax of one row of scores (docs/numerics.md section 5).
#pragma once

#include <cstdint>
#include <span>

#include "golden/model/adaptivfloat.h"
#include "golden/model/span_mask.h"

namespace edgebert::model {

/// Probabilities, as Fixed, of the query `row` over `scores` (Q7.9, one a token of the sentence);
/// keys outside the span give zero. `probabilities` has as many entries as `scores`.
void SpanSoftmax(std::span<const int16_t> scores, int row, const SpanCoefficients& span,
                 std::span<int32_t> probabilities);

/// The same as codes with `bias`.
void SoftmaxRow(std::span<const int16_t> scores, int row, const SpanCoefficients& span,
                const AdaptivFloat& format, int bias, std::span<uint8_t> codes);

}  // namespace edgebert::model
