#include "golden/model/timing/matmul.h"

#include <algorithm>

#include "golden/spec/formats.h"

namespace edgebert::model::timing {

namespace {

constexpr Cycle kCommandToLoad = 2;   // command register; BEGIN
constexpr Cycle kLoadToShadow = 1;    // the tile is full
constexpr Cycle kReleaseToLoad = 1;   // the tile is free again
constexpr Cycle kIssueToDrain = 3;    // read data; sum of the accumulator (2); beside the array
constexpr Cycle kDrainStart = 1;      // the drain's row register
constexpr Cycle kDrainToDrain = 3;    // address of the next strip's first row
constexpr Cycle kDrainToResult = 11;  // accumulator memory; post-processor (10)
constexpr Cycle kResultToMemory = 1;  // output queue, of what goes to activation memory
constexpr Cycle kOlderIdle = 1;       // register of "all but the youngest"

/// Rows within reach of a tile of n rows or keys.
struct RowWindow {
  int first = 0;
  int last = 0;

  RowWindow(bool window, int tile, int lanes, int reach, int rows)
      : first(window ? std::max(0, tile * lanes - reach) : 0),
        last(window ? std::min(rows - 1, tile * lanes + lanes - 1 + reach) : rows - 1) {}
  [[nodiscard]] int Count() const { return std::max(0, last - first + 1); }
};

}  // namespace

struct Matmul::Command {
  Command(const spec::Instruction& instruction, int length, int lanes)
      : held(static_cast<spec::Held>(instruction.Get(spec::kMatmulHeld))),
        destination(static_cast<spec::Destination>(instruction.Get(spec::kMatmulDestination))),
        residual(instruction.Get(spec::kMatmulResidual) != 0),
        window(instruction.Get(spec::kMatmulWindow) != 0),
        reach(instruction.GetInt(spec::kMatmulReach)),
        strips(instruction.Get(spec::kMatmulStripsLen) != 0
                   ? spec::CeilDiv(length, lanes)
                   : instruction.GetInt(spec::kMatmulStrips)),
        k_tiles(instruction.Get(spec::kMatmulKTilesLen) != 0
                    ? spec::CeilDiv(length, lanes)
                    : instruction.GetInt(spec::kMatmulKTiles)),
        rows(instruction.Get(spec::kMatmulRowsLen) != 0 ? length
                                                        : instruction.GetInt(spec::kMatmulRows)) {}

  spec::Held held;
  spec::Destination destination;
  bool residual;
  bool window;
  int reach;
  int strips;
  int k_tiles;
  int rows;
};

Matmul::Matmul(const spec::AcceleratorConfig& config, WeightStream& stream)
    : lanes_(config.vmac.n),
      issue_to_drain_(config.vmac.pipeline + kIssueToDrain),
      stream_(stream),
      drained_(-kDrainToDrain) {}

void Matmul::Run(const spec::Instruction& instruction, int length, Cycle start,
                 OperationCycles* before, OperationCycles* operation) {
  Account(start + 1, before);
  const bool overlaps = idle_ > start;
  older_idle_ = overlaps ? idle_ + kOlderIdle : 0;
  const Command command(instruction, length, lanes_);
  Cycle load = start + kCommandToLoad;
  for (int strip = 0; strip < command.strips; ++strip) {
    const Cycle issued = SumStrip(command, strip, length, &load, &operation->array);
    // Another command's rows are treated otherwise: the post-processor must be empty.
    const std::optional<Cycle> written = Drain(command, strip, issued, strip == 0);
    if (strip == 0 && overlaps && written) before->last = static_cast<uint64_t>(*written);
  }
  operation->last = static_cast<uint64_t>(idle_);
}

void Matmul::Account(Cycle until, OperationCycles* before) {
  const Cycle busy = std::min(until, idle_);
  if (before != nullptr && busy > accounted_) {
    before->array.drain += static_cast<uint64_t>(busy - accounted_);
  }
  accounted_ = std::max(accounted_, until);
}

Cycle Matmul::SumStrip(const Command& command, int strip, int length, Cycle* load,
                       ArrayCycles* array) {
  const bool from_stream = command.held == spec::Held::kStream;
  Interval bias_blocked;  // the biases wait for the bank
  if (from_stream) {
    const Cycle taken = std::max(stream_.Words(*load), bank_free_[bank_]);
    stream_.TakeWords(taken);
    bias_blocked = {*load, bank_free_[bank_]};
    *load = taken + 1;
  }
  Cycle issued = 0;
  bool last = false;
  for (int k = 0; !last; ++k) {
    const int held_tile = command.held == spec::Held::kRows ? strip : k;
    const RowWindow rows(command.window && !from_stream, held_tile, lanes_, command.reach,
                         command.rows);
    WeightStream::Tile tile;
    if (from_stream) {
      tile = stream_.NextTile(*load, shadow_free_);
    } else {
      tile.last = k + 1 >= command.k_tiles;
      tile.empty = rows.Count() == 0;
      tile.loaded = LoadFromMemory(*load, std::clamp(length - held_tile * lanes_, 0, lanes_));
    }
    last = tile.last;
    const Cycle full = tile.loaded + kLoadToShadow;
    if (full > accounted_) {
      const Cycle blocked = bias_blocked.Overlap(accounted_, full);
      array->drain += static_cast<uint64_t>(blocked);
      (from_stream ? array->weight : array->held) +=
          static_cast<uint64_t>(full - accounted_ - blocked);
    }
    const Cycle ready = std::max(full, array_free_);
    const Cycle open = k == 0 && !from_stream ? std::max(ready, bank_free_[bank_]) : ready;
    array->drain += static_cast<uint64_t>(open - ready);
    Cycle first = open;
    issued = open;
    if (tile.empty) {
      ++array->skip;
    } else {
      const int count = rows.Count();
      first = reads_.Free(open);
      issued = reads_.FreeRun(open, count);
      array->mac += static_cast<uint64_t>(count);
      array->read += static_cast<uint64_t>(issued + 1 - open - count);
    }
    shadow_free_ = first + kReleaseToLoad;  // the first row swaps the tiles
    array_free_ = issued + 1;
    accounted_ = array_free_;
    if (last) *load = tile.loaded + 1;
  }
  return issued;
}

std::optional<Cycle> Matmul::Drain(const Command& command, int strip, Cycle issued,
                                   bool when_empty) {
  const bool to_logits = command.destination == spec::Destination::kLogits;
  const bool to_memory = command.destination == spec::Destination::kActivations;
  const RowWindow rows(command.window && command.held == spec::Held::kRows, strip, lanes_,
                       command.reach, to_logits ? 1 : command.rows);
  drained_ = std::max(issued + issue_to_drain_, drained_ + kDrainToDrain);
  if (when_empty) drained_ = std::max(drained_, post_empty_);
  std::optional<Cycle> written;
  if (rows.Count() > 0) {
    const Cycle first = drained_ + kDrainStart;
    drained_ += kDrainStart + rows.Count() - 1;
    if (command.residual) reads_.Add({first, drained_ + 1});
    const Cycle result = kDrainToResult + (to_memory ? kResultToMemory : 0);
    if (to_memory) writes_.Add({first + result, drained_ + result + 1});
    post_empty_ = drained_ + result + 1;
    written = first + result;
  }
  bank_free_[bank_] = drained_ + 1;
  bank_ ^= 1;
  idle_ = std::max(post_empty_, drained_ + 1);
  return written;
}

Cycle Matmul::LoadFromMemory(Cycle from, int existing) {
  from = std::max(from, shadow_free_);
  if (existing > 0) from = reads_.FreeRun(std::max(from, array_free_), existing) + 1;
  return from + lanes_ - existing - 1;
}

}  // namespace edgebert::model::timing
