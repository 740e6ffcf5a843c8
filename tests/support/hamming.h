// The extended Hamming code as textbooks have it, by positions from 1: check bits at the powers of
// two, data at the other positions in order, and check bit i the parity of the positions that have
// bit i. Words come as the ReRAM has them: data, check bits, parity of all.
#pragma once

#include <cstddef>
#include <vector>

namespace edgebert::test {

/// The word of some data bits.
inline std::vector<bool> HammingWord(const std::vector<bool>& data) {
  std::vector<bool> positions(1);  // position 0 is none
  for (size_t next = 0; next < data.size();) {
    const bool is_check = (positions.size() & (positions.size() - 1)) == 0;
    positions.push_back(is_check ? false : data[next++]);
  }
  std::vector<bool> word = data;
  for (size_t check = 1; check < positions.size(); check *= 2) {
    bool parity = false;
    for (size_t p = 1; p < positions.size(); ++p) parity ^= (p & check) != 0 && positions[p];
    word.push_back(parity);
  }
  bool parity = false;
  for (const bool bit : word) parity ^= bit;
  word.push_back(parity);
  return word;
}

}  // namespace edgebert::test
