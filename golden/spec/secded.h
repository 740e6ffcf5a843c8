// The code that protects a word of the ReRAM (docs/architecture.md, "ReRAM image"): an extended
// Hamming code, which corrects one wrong bit and detects two.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace edgebert::spec {

/// Data bits of the longest word.
inline constexpr int kSecdedMostBits = 128;

/// The check bits that a data bit is in, bit i for check bit i: the numbers from 3 up that are no
/// powers of two, in order, whatever the width of the word.
inline constexpr auto kSecdedColumns = [] {
  std::array<uint32_t, kSecdedMostBits> columns{};
  uint32_t next = 3;
  for (uint32_t& column : columns) {
    if (std::has_single_bit(next)) ++next;
    column = next++;
  }
  return columns;
}();

/// Check bits of a word without the parity of all, which is one more.
[[nodiscard]] constexpr int SecdedHammingBits(int data_bits) {
  return static_cast<int>(std::bit_width(kSecdedColumns[static_cast<size_t>(data_bits - 1)]));
}
[[nodiscard]] constexpr int SecdedCheckBits(int data_bits) {
  return SecdedHammingBits(data_bits) + 1;
}

}  // namespace edgebert::spec
