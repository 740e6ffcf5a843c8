#include "golden/model/softmax.h"

#include <cstdlib>
#include <vector>

#include "golden/model/functions.h"

namespace edgebert::model {

void SoftmaxRow(std::span<const int16_t> scores, int row, const SpanCoefficients& span,
                const AdaptivFloat& format, int bias, std::span<uint8_t> codes) {
  const int length = static_cast<int>(scores.size());
  std::vector<int64_t> mask(scores.size());
  int64_t largest = INT16_MIN;
  for (int j = 0; j < length; ++j) {
    mask[size_t(j)] = SpanMask(span, std::abs(row - j));
    if (mask[size_t(j)] > 0) largest = std::max<int64_t>(largest, scores[size_t(j)]);
  }
  std::vector<int64_t> weight(scores.size(), 0);
  int64_t sum = 0;
  for (int j = 0; j < length; ++j) {
    if (mask[size_t(j)] == 0) continue;
    const int64_t d = (largest - scores[size_t(j)])
                      << (spec::kExpInputFraction - spec::kScoreFraction);
    weight[size_t(j)] = RoundShift(Exp(d) * mask[size_t(j)], spec::kMaskFraction);
    sum += weight[size_t(j)];
  }
  const Scaled inverse = Reciprocal(static_cast<uint64_t>(sum));
  for (int j = 0; j < length; ++j) {
    const int64_t p = RoundShift(weight[size_t(j)] * inverse.mantissa, inverse.shift);
    codes[size_t(j)] = static_cast<uint8_t>(format.Encode(p, bias));
  }
}

}  // namespace edgebert::model
