// Faults of ReRAM cells: a seeded map of them, put into an image. The golden machine and the RTL
// read the same image, and so the same faults.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "golden/model/image.h"

namespace edgebert::checkpoint {

/// A cell of b bits has 2^b levels in the order of the Gray code, so that neighbours differ in one
/// bit. A faulty cell always reads as a neighbour of its level.
struct ReramFaults {
  double rate = 0;    ///< probability that a cell is faulty
  uint64_t seed = 1;  ///< of the map
  // Bits a cell of each part; 0: the part has no faults.
  int index_bits = 1;
  int mask_bits = 1;
  int code_bits = 2;
};

/// Puts faults into words of `word_bits`, each padded to whole bytes; the bits that are left over
/// at the end of a word are a cell of fewer bits. Returns the number of faulty cells.
size_t InjectCellFaults(double rate, uint64_t seed, int cell_bits, int word_bits,
                        std::span<uint8_t> words);

/// Puts faults into the cells that the image uses, those of check bits too. Returns their number.
size_t InjectFaults(const ReramFaults& faults, model::Image* image);

}  // namespace edgebert::checkpoint
