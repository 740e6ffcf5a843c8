#include "golden/model/softmax.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "golden/base/check.h"
#include "golden/model/functions.h"

namespace edgebert::model {

void SpanSoftmax(std::span<const int16_t> scores, int row, const SpanCoefficients& span,
                 std::span<int32_t> probabilities) {
  const auto mask = [&](size_t j) { return SpanMask(span, std::abs(row - static_cast<int>(j))); };
  int64_t largest = INT16_MIN;
  for (size_t j = 0; j < scores.size(); ++j) {
    if (mask(j) > 0) largest = std::max<int64_t>(largest, scores[j]);
  }
  // The weights take the place of the probabilities until their sum is known.
  int64_t sum = 0;
  for (size_t j = 0; j < scores.size(); ++j) {
    const int64_t m = mask(j);
    if (m == 0) {
      probabilities[j] = 0;
      continue;
    }
    const int64_t d = (largest - scores[j]) << (spec::kExpInputFraction - spec::kScoreFraction);
    const int64_t weight = RoundShift(Exp(d) * m, spec::kMaskFraction);
    probabilities[j] = static_cast<int32_t>(weight);
    sum += weight;
  }
  EB_CHECK(sum > 0, "no key is visible from row {}", row);
  const Scaled inverse = Reciprocal(static_cast<uint64_t>(sum));
  for (int32_t& p : probabilities) {
    p = static_cast<int32_t>(RoundShift(p * inverse.mantissa, inverse.shift));
  }
}

void SoftmaxRow(std::span<const int16_t> scores, int row, const SpanCoefficients& span,
                const AdaptivFloat& format, int bias, std::span<uint8_t> codes) {
  std::vector<int32_t> probabilities(scores.size());
  SpanSoftmax(scores, row, span, probabilities);
  std::transform(probabilities.begin(), probabilities.end(), codes.begin(),
                 [&](int32_t p) { return static_cast<uint8_t>(format.Encode(p, bias)); });
}

}  // namespace edgebert::model
