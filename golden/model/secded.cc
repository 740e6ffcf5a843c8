#include "golden/model/secded.h"

#include <bit>
#include <cstddef>

#include "golden/spec/secded.h"

namespace edgebert::model {

Secded SecdedDecode(int data_bits, std::span<uint8_t> word) {
  const int hamming_bits = spec::SecdedHammingBits(data_bits);
  uint32_t syndrome = 0;
  uint32_t parity = 0;
  for (int bit = 0; bit < data_bits + hamming_bits + 1; ++bit) {
    if ((word[size_t(bit / 8)] >> bit % 8 & 1) == 0) continue;
    parity ^= 1;
    if (bit < data_bits) {
      syndrome ^= spec::kSecdedColumns[size_t(bit)];
    } else if (bit < data_bits + hamming_bits) {
      syndrome ^= 1U << (bit - data_bits);
    }
  }
  if (parity == 0) return syndrome == 0 ? Secded::kRight : Secded::kUncorrectable;
  if (syndrome == 0 || std::has_single_bit(syndrome)) return Secded::kCorrected;  // a check bit
  for (int bit = 0; bit < data_bits; ++bit) {
    if (spec::kSecdedColumns[size_t(bit)] != syndrome) continue;
    word[size_t(bit / 8)] = static_cast<uint8_t>(word[size_t(bit / 8)] ^ 1U << bit % 8);
    return Secded::kCorrected;
  }
  return Secded::kUncorrectable;
}

}  // namespace edgebert::model
