// Entropy of the logits of an off-ramp, and the answer (docs/numerics.md section 7; DeeBERT, ACL
// 2020).
#pragma once

#include <cstdint>
#include <span>

namespace edgebert::model {

struct OffRampResult {
  uint32_t entropy = 0;  ///< Nats, 16 fraction bits, below 2^20.
  int prediction = 0;    ///< Index of the largest logit, the lowest on a tie.
};

/// Of Fixed logits, at least one.
[[nodiscard]] OffRampResult Entropy(std::span<const int32_t> logits);

}  // namespace edgebert::model
