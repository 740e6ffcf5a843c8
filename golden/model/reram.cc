#include "golden/model/reram.h"

#include <algorithm>
#include <bit>
#include <span>

#include "golden/model/bitmask.h"

namespace edgebert::model {

uint32_t ReramWord::Bits(int first, int count) const {
  uint32_t value = 0;
  for (int i = 0; i < count; ++i) {
    const int bit = first + i;
    value |= (uint32_t{bytes[size_t(bit / 8)]} >> bit % 8 & 1) << i;
  }
  return value;
}

ReramWord ReadReramWord(const std::vector<uint8_t>& region, const ReramLayout& layout,
                        uint64_t word) {
  const auto stored_bytes = size_t(layout.word_bits + layout.check_bits + 7) / 8;
  ReramWord result;
  if ((word + 1) * stored_bytes > region.size()) return result;
  std::array<uint8_t, 18> stored{};
  std::copy_n(region.begin() + static_cast<ptrdiff_t>(word * stored_bytes), stored_bytes,
              stored.begin());
  if (layout.check_bits != 0) result.outcome = SecdedDecode(layout.word_bits, stored);
  std::copy_n(stored.begin(), layout.word_bits / 8, result.bytes.begin());
  return result;
}

ReramRow ReadReramRow(const ReramImage& image, const ReramLayout& layout, uint32_t row) {
  constexpr int kGroup = 32;
  ReramRow result{.codes = std::vector<uint8_t>(size_t(layout.elements))};
  const auto read = [&](const std::vector<uint8_t>& region, uint64_t word) {
    const ReramWord read = ReadReramWord(region, layout, word);
    ++result.words_read;
    if (read.outcome == Secded::kCorrected) ++result.words_corrected;
    if (read.outcome == Secded::kUncorrectable) result.uncorrectable = true;
    return read;
  };
  const auto entry = static_cast<int>(row % static_cast<uint32_t>(layout.entries_per_word()));
  const uint32_t first_word = read(image.slc, layout.IndexWord(row)).Bits(entry * 32, 32);

  ReramWord masks;
  ReramWord codes;
  std::vector<uint8_t> nonzeros;
  int stored = 0;  // codes of the row passed so far
  for (int e = 0; e < layout.elements; e += kGroup) {
    if (e % layout.word_bits == 0) {
      masks = read(image.slc, layout.MaskWord(row) + uint64_t(e / layout.word_bits));
    }
    const int count = std::min(kGroup, layout.elements - e);
    const uint32_t mask = masks.Bits(e % layout.word_bits, count);
    nonzeros.clear();
    for (int i = 0; i < std::popcount(mask); ++i, ++stored) {
      const int lane = stored % layout.codes_per_word();
      // 32 bits, as the macro's address.
      const uint32_t word = first_word + static_cast<uint32_t>(stored / layout.codes_per_word());
      if (lane == 0) codes = read(image.mlc, word);
      nonzeros.push_back(
          static_cast<uint8_t>(codes.Bits(lane * layout.code_bits, layout.code_bits)));
    }
    Expand(mask, nonzeros, std::span(result.codes).subspan(size_t(e), size_t(count)));
  }
  return result;
}

}  // namespace edgebert::model
