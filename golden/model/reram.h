// The embedding tables in the ReRAM: where a row is, and how it is read (docs/architecture.md,
// "ReRAM image"). golden/checkpoint writes the image.
#pragma once

#include <cstdint>
#include <vector>

#include "golden/model/image.h"

namespace edgebert::model {

/// A row of `elements` codes (whole vectors), and the words that reading it takes.
struct ReramLayout {
  int word_bits = 64;      ///< 32, 64 or 128
  int code_bits = 8;       ///< W
  int elements = 0;        ///< of a row, a multiple of n
  uint32_t mask_base = 0;  ///< first SLC word of the masks

  [[nodiscard]] constexpr int entries_per_word() const { return word_bits / 32; }
  [[nodiscard]] constexpr int codes_per_word() const { return word_bits / code_bits; }
  [[nodiscard]] constexpr int mask_words() const { return (elements + word_bits - 1) / word_bits; }
  /// SLC word of the index entry of a row; the entry is number row % entries_per_word in it.
  [[nodiscard]] constexpr uint64_t IndexWord(uint32_t row) const {
    return row / static_cast<uint32_t>(entries_per_word());
  }
  /// First SLC word of the mask of a row.
  [[nodiscard]] constexpr uint64_t MaskWord(uint32_t row) const {
    return mask_base + uint64_t{row} * static_cast<uint64_t>(mask_words());
  }
};

struct ReramRow {
  std::vector<uint8_t> codes;
  int words_read = 0;  ///< SLC and MLC
};

/// Reads a row. Codes beyond the image are zero.
[[nodiscard]] ReramRow ReadReramRow(const ReramImage& image, const ReramLayout& layout,
                                    uint32_t row);

}  // namespace edgebert::model
