// Bitmask compression: a mask with a bit a lane, and the codes that are not zero, in lane order
// (docs/architecture.md, "Bitmask"; EdgeBERT, MICRO 2021).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "golden/model/adaptivfloat.h"

namespace edgebert::model {

/// Bit i is set when lane i, of at most 32, is not zero. Both signs of zero are zero.
[[nodiscard]] uint32_t NonzeroMask(std::span<const uint8_t> lanes, const AdaptivFloat& format);

/// Codes of the lanes whose mask bit is set.
[[nodiscard]] std::vector<uint8_t> Compact(std::span<const uint8_t> lanes, uint32_t mask);

/// The inverse: fills `lanes`, zero where the mask is clear, from the front of `nonzeros`. Returns
/// how many of those it took.
size_t Expand(uint32_t mask, std::span<const uint8_t> nonzeros, std::span<uint8_t> lanes);

}  // namespace edgebert::model
