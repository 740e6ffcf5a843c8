#include "golden/checkpoint/reram_faults.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "golden/base/check.h"
#include "golden/spec/isa.h"

namespace edgebert::checkpoint {
namespace {

uint32_t LevelOf(uint32_t bits) {
  uint32_t level = 0;
  for (; bits != 0; bits >>= 1) level ^= bits;
  return level;
}

uint32_t BitsOf(uint32_t level) { return level ^ level >> 1; }

/// The bits of a neighbouring level: of two, `up` chooses.
uint32_t Neighbour(uint32_t bits, int cell_bits, bool up) {
  const uint32_t level = LevelOf(bits);
  const uint32_t top = (1U << cell_bits) - 1;
  const bool above = level == 0 || (level != top && up);
  return BitsOf(above ? level + 1 : level - 1);
}

/// A chance of 2^-64 less than it should be at rate 1 does not matter.
uint64_t Threshold(double rate) {
  return rate >= 1 ? std::numeric_limits<uint64_t>::max()
                   : static_cast<uint64_t>(std::ldexp(rate, 64));
}

int StoredBits(const model::ImageFormat& format) {
  return format.reram_word_bits + format.reram_check_bits;
}

/// First SLC byte of the masks.
size_t MaskBegin(const model::Image& image) {
  const auto embed = std::ranges::find_if(image.program, [](const spec::Instruction& instruction) {
    return instruction.Get(spec::kOpcode) == static_cast<int64_t>(spec::Opcode::kEmbed);
  });
  EB_CHECK(embed != image.program.end(), "the program of '{}' has no EMBED", image.facts.name);
  return static_cast<size_t>(embed->Get(spec::kEmbedMaskBase)) *
         static_cast<size_t>((StoredBits(image.format) + 7) / 8);
}

}  // namespace

size_t InjectCellFaults(double rate, uint64_t seed, int cell_bits, int word_bits,
                        std::span<uint8_t> words) {
  const uint64_t threshold = Threshold(rate);
  std::mt19937_64 random(seed);
  size_t faulty = 0;
  const auto word_bytes = static_cast<size_t>((word_bits + 7) / 8);
  for (size_t word = 0; word < words.size(); word += word_bytes) {
    for (int first = 0; first < word_bits; first += cell_bits) {
      if (random() >= threshold) continue;
      ++faulty;
      const int width = std::min(cell_bits, word_bits - first);
      const auto byte = [&](int bit) -> uint8_t& {
        return words[word + static_cast<size_t>((first + bit) / 8)];
      };
      uint32_t bits = 0;
      for (int i = 0; i < width; ++i) bits |= (uint32_t{byte(i)} >> (first + i) % 8 & 1) << i;
      const uint32_t flipped = bits ^ Neighbour(bits, width, (random() & 1) != 0);
      for (int i = 0; i < width; ++i) {
        byte(i) = static_cast<uint8_t>(byte(i) ^ (flipped >> i & 1) << (first + i) % 8);
      }
    }
  }
  return faulty;
}

size_t InjectFaults(const ReramFaults& faults, model::Image* image) {
  const std::span<uint8_t> slc = image->reram.slc;
  const size_t masks = MaskBegin(*image);
  std::mt19937_64 seeds(faults.seed);
  size_t faulty = 0;
  for (const auto& [cell_bits, words] : {std::pair{faults.index_bits, slc.first(masks)},
                                         {faults.mask_bits, slc.subspan(masks)},
                                         {faults.code_bits, std::span(image->reram.mlc)}}) {
    const uint64_t seed = seeds();
    if (cell_bits == 0) continue;
    faulty += InjectCellFaults(faults.rate, seed, cell_bits, StoredBits(image->format), words);
  }
  return faulty;
}

}  // namespace edgebert::checkpoint
