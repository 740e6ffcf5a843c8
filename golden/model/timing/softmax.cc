#include "golden/model/timing/softmax.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <vector>

namespace edgebert::model::timing {

namespace {

constexpr Cycle kSoftmaxStart = 2;  // command register; the row's tiles
// From a row's last tile in a pass to its first in the next; and log2(n) levels of a tree.
constexpr Cycle kSoftmaxMax = 10;         // mask (6), visible scores, largest, queue, tile register
constexpr Cycle kSoftmaxReciprocal = 14;  // ring, weight (7), sum, reciprocal (3), queue, tile
constexpr Cycle kSoftmaxToWrite = 7;      // ring, scale and encode (6)
constexpr size_t kSoftmaxRows = 8;        // between two passes

}  // namespace

Cycle RunSoftmax(const spec::AcceleratorConfig& config, const spec::Instruction& command,
                 int length, Cycle start, Schedule& writes) {
  const int lanes = config.vmac.n;
  const Cycle levels = std::countr_zero(static_cast<unsigned>(lanes));
  const int reach = command.GetInt(spec::kSoftmaxReach);
  const size_t ring = std::bit_ceil(static_cast<size_t>(spec::CeilDiv(config.model.seq_len, lanes) +
                                                        kSoftmaxReciprocal + levels));

  // The cycles in which each tile is read by the second and the third pass, and the first of a row.
  std::vector<Cycle> second;
  std::vector<Cycle> third;
  std::vector<size_t> rows;
  Schedule refused;  // the third pass stands still
  Cycle next_1 = start + kSoftmaxStart;
  Cycle next_2 = 0;
  Cycle next_3 = 0;
  Cycle written = 0;
  for (int row = 0; row < length; ++row) {
    const int first_tile = std::max(0, row - reach) / lanes;
    const int last_tile = std::min(length - 1, row + reach) / lanes;
    const size_t begin = second.size();
    const size_t end = begin + static_cast<size_t>(last_tile - first_tile + 1);
    // A row follows the one kSoftmaxRows before it into the next pass.
    const bool follows = rows.size() >= kSoftmaxRows;
    const size_t before = follows ? rows[rows.size() - kSoftmaxRows] : 0;
    rows.push_back(begin);

    if (follows) next_1 = std::max(next_1, second[before] + 1);
    for (size_t tile = begin; tile < end; ++tile) {
      if (tile >= ring) next_1 = std::max(next_1, second[tile - ring] + 1);
      ++next_1;
    }
    next_2 = std::max(next_2, next_1 - 1 + kSoftmaxMax + levels);
    if (follows) next_2 = std::max(next_2, third[before] + 1);
    for (size_t tile = begin; tile < end; ++tile) {
      if (tile >= ring) next_2 = std::max(next_2, third[tile - ring] + 1);
      second.push_back(next_2++);
    }
    next_3 = std::max(next_3, next_2 - 1 + kSoftmaxReciprocal + levels);
    for (size_t tile = begin; tile < end; ++tile) {
      third.push_back(refused.Free(next_3));
      next_3 = third.back() + 1;
      const Cycle offered = refused.FreeRun(third.back(), static_cast<int>(kSoftmaxToWrite)) + 1;
      written = writes.Free(offered);
      if (written > offered) refused.Add({offered, written});
    }
  }
  return written + 1;
}

}  // namespace edgebert::model::timing
