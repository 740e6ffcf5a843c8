// The embedding tables in the ReRAM: where a row is, and how it is read (docs/architecture.md,
// "ReRAM image"). golden/checkpoint writes the image.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "golden/model/image.h"
#include "golden/model/secded.h"

namespace edgebert::model {

/// A row of `elements` codes (whole vectors), and the words that reading it takes.
struct ReramLayout {
  int word_bits = 64;      ///< 32, 64 or 128
  int code_bits = 8;       ///< W
  int elements = 0;        ///< of a row, a multiple of n
  uint32_t mask_base = 0;  ///< first SLC word of the masks
  int check_bits = 0;      ///< of a word, above its word_bits; 0 without ECC

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

/// A word as the ReRAM controller has it: its data, corrected where that was needed.
struct ReramWord {
  std::array<uint8_t, 16> bytes{};
  Secded outcome = Secded::kRight;

  /// `count` <= 32 bits of the data from bit `first`.
  [[nodiscard]] uint32_t Bits(int first, int count) const;
};

/// Word `word` of a region. Beyond the region it is zero, as that of the macro: a fault in an index
/// entry leads there.
[[nodiscard]] ReramWord ReadReramWord(const std::vector<uint8_t>& region, const ReramLayout& layout,
                                      uint64_t word);

struct ReramRow {
  std::vector<uint8_t> codes;
  int words_read = 0;          ///< SLC and MLC
  int words_corrected = 0;     ///< of those
  bool uncorrectable = false;  ///< one of them is; the codes mean nothing
};

/// Reads a row.
[[nodiscard]] ReramRow ReadReramRow(const ReramImage& image, const ReramLayout& layout,
                                    uint32_t row);

}  // namespace edgebert::model
