// eb_matmul with the array, the accumulator and the post-processor (docs/architecture.md,
// "Timing").
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "golden/model/cycle_model.h"
#include "golden/model/timing/schedule.h"
#include "golden/model/timing/weight_stream.h"
#include "golden/spec/config.h"
#include "golden/spec/isa.h"

namespace edgebert::model::timing {

class Matmul {
 public:
  Matmul(const spec::AcceleratorConfig& config, WeightStream& stream);

  /// Takes a command from this cycle on.
  [[nodiscard]] Cycle Ready() const { return shadow_free_; }
  [[nodiscard]] Cycle Idle() const { return idle_; }
  /// All but the youngest command are done.
  [[nodiscard]] Cycle OlderIdle() const { return older_idle_; }
  /// Cycles in which results go to activation memory.
  [[nodiscard]] Schedule& writes() { return writes_; }

  /// A command dispatched in cycle `start`. `before` is the MATMUL before it, or null.
  void Run(const spec::Instruction& instruction, int length, Cycle start, OperationCycles* before,
           OperationCycles* operation);

  /// The end of the sentence, or the next command: the cycles until then in which the last command
  /// drains are its own.
  void Account(Cycle until, OperationCycles* before);

 private:
  struct Command;

  /// Loads and streams the tiles of a strip from cycle `load` on, which becomes that of the next
  /// strip; when the last row is issued.
  Cycle SumStrip(const Command& command, int strip, int length, Cycle* load, ArrayCycles* array);
  /// Drains a strip whose last row is issued in cycle `issued`; when its first row is written, if
  /// it has one.
  std::optional<Cycle> Drain(const Command& command, int strip, Cycle issued, bool when_empty);
  /// Rows or columns of a held tile, one a cycle in which neither source nor residual rows are
  /// read; those beyond the sentence are not read.
  Cycle LoadFromMemory(Cycle from, int existing);

  int lanes_;
  Cycle issue_to_drain_;
  WeightStream& stream_;
  Cycle shadow_free_ = 0;  ///< the shadow tile
  Cycle array_free_ = 0;   ///< the last row of a tile has been issued
  Cycle accounted_ = 0;    ///< what the array does is known up to here
  std::array<Cycle, 2> bank_free_ = {0, 0};
  size_t bank_ = 0;  ///< of the next strip
  Cycle drained_;
  Cycle post_empty_ = 0;
  Cycle idle_ = 0;
  Cycle older_idle_ = 0;
  Schedule reads_;  ///< of residual rows, which go before source rows
  Schedule writes_;
};

}  // namespace edgebert::model::timing
