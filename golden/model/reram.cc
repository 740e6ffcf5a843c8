#include "golden/model/reram.h"

#include <algorithm>
#include <bit>
#include <span>

#include "golden/model/bitmask.h"

namespace edgebert::model {
namespace {

/// `count` <= 32 bits from bit `first`; words are whole bytes, so a region is one string of bits.
/// As of the macro, what lies beyond the region is zero: a fault in an index entry leads there.
uint32_t Bits(const std::vector<uint8_t>& region, uint64_t first, int count) {
  if (first + static_cast<uint64_t>(count) > 8 * region.size()) return 0;
  uint32_t value = 0;
  for (int i = 0; i < count; ++i) {
    const uint64_t bit = first + static_cast<uint64_t>(i);
    value |= (uint32_t{region[bit / 8]} >> bit % 8 & 1) << i;
  }
  return value;
}

}  // namespace

ReramRow ReadReramRow(const ReramImage& image, const ReramLayout& layout, uint32_t row) {
  constexpr int kGroup = 32;
  const auto word_bits = static_cast<uint64_t>(layout.word_bits);
  const auto entry = row % static_cast<uint32_t>(layout.entries_per_word());
  const uint32_t first_word = Bits(image.slc, layout.IndexWord(row) * word_bits + entry * 32, 32);
  const uint64_t mask_bit = layout.MaskWord(row) * word_bits;

  ReramRow result{.codes = std::vector<uint8_t>(size_t(layout.elements)),
                  .words_read = 1 + layout.mask_words()};
  std::vector<uint8_t> nonzeros;
  int stored = 0;  // codes of the row passed so far
  for (int e = 0; e < layout.elements; e += kGroup) {
    const int count = std::min(kGroup, layout.elements - e);
    const uint32_t mask = Bits(image.slc, mask_bit + static_cast<uint64_t>(e), count);
    nonzeros.clear();
    for (int i = 0; i < std::popcount(mask); ++i, ++stored) {
      // 32 bits, as the macro's address.
      const uint32_t word = first_word + static_cast<uint32_t>(stored / layout.codes_per_word());
      const int lane = stored % layout.codes_per_word();
      nonzeros.push_back(static_cast<uint8_t>(
          Bits(image.mlc, word * word_bits + static_cast<uint64_t>(lane * layout.code_bits),
               layout.code_bits)));
    }
    Expand(mask, nonzeros, std::span(result.codes).subspan(size_t(e), size_t(count)));
  }
  result.words_read += (stored + layout.codes_per_word() - 1) / layout.codes_per_word();
  return result;
}

}  // namespace edgebert::model
