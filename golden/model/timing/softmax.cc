#include "golden/model/timing/softmax.h"

#include <algorithm>

namespace edgebert::model::timing {

namespace {

constexpr Cycle kSoftmaxStart = 2;     // command register; span of the first row
constexpr Cycle kSoftmaxMaxDrain = 1;  // largest score
constexpr Cycle kSoftmaxSumDrain = 7;  // exp, product, sum, reciprocal
constexpr Cycle kSoftmaxSpan = 2;      // hand-over; span of the next row
constexpr Cycle kSoftmaxToWrite = 5;   // from hand-over: row buffer, product, encoder (2), write

}  // namespace

Cycle RunSoftmax(const spec::Instruction& command, int length, int lanes, Cycle start,
                 Schedule& writes) {
  const int reach = command.GetInt(spec::kSoftmaxReach);
  Cycle pass = start + kSoftmaxStart;  // the first tile of the row's first pass
  Cycle written = 0;                   // the last vector of the row before
  for (int row = 0; row < length; ++row) {
    const int first = std::max(0, row - reach) / lanes;
    const int last = std::min(length - 1, row + reach) / lanes;
    const int tiles = last - first + 1;
    const Cycle summed = pass + tiles + kSoftmaxMaxDrain + tiles + kSoftmaxSumDrain;
    const Cycle hand_over = std::max(summed, written + 1);
    written = writes.FreeRun(hand_over + kSoftmaxToWrite, tiles);
    pass = hand_over + kSoftmaxSpan;
  }
  return written + 1;
}

}  // namespace edgebert::model::timing
