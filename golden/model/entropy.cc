#include "golden/model/entropy.h"

#include <algorithm>

#include "golden/model/functions.h"

namespace edgebert::model {

OffRampResult Entropy(std::span<const int32_t> logits) {
  const auto largest = std::max_element(logits.begin(), logits.end());
  constexpr int kDrop = spec::kFixedFraction - spec::kExpInputFraction;
  constexpr int64_t kFar = (int64_t{1} << spec::kExpInputBits) - 1;
  uint64_t sum = 0;
  Int128 weighted = 0;
  for (const int32_t logit : logits) {
    const int64_t d = std::min(RoundShift(int64_t{*largest} - logit, kDrop), kFar);
    const int64_t e = Exp(d);
    sum += static_cast<uint64_t>(e);
    weighted += Int128{d} * e;
  }
  const Scaled inverse = Reciprocal(sum);
  const int64_t mean =
      RoundShiftWide(weighted * inverse.mantissa, spec::kExpInputFraction + inverse.shift);
  const int64_t entropy = std::max<int64_t>(0, Ln(sum) + mean);
  return {static_cast<uint32_t>(entropy), static_cast<int>(largest - logits.begin())};
}

}  // namespace edgebert::model
