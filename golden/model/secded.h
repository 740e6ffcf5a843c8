// The decoder of a word of the ReRAM with ECC (docs/architecture.md, "ReRAM image").
#pragma once

#include <cstdint>
#include <span>

namespace edgebert::model {

enum class Secded : uint8_t {
  kRight,
  kCorrected,      ///< one wrong bit, of data or check
  kUncorrectable,  ///< two, or more that do not look like one
};

/// Reads a word of `data_bits` with its check bits above, and corrects its data in place.
Secded SecdedDecode(int data_bits, std::span<uint8_t> word);

}  // namespace edgebert::model
