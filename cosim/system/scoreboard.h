// Scoreboard: runs the golden machine beside the hardware and compares every write-back as it
// happens.
//
// When the sequencer dispatches an instruction, the machine executes the same one; its write-backs
// are then expected from that unit, in order. Units overlap in the hardware as they like: each has
// its own lists, one for each instruction that it works on. What a sentence leaves behind
// (registers, result record, counters) is compared at its end.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "cosim/sim/bench.h"
#include "cosim/system/accelerator.h"
#include "golden/model/machine.h"
#include "golden/spec/config.h"

namespace edgebert::cosim {

/// The first thing that differs.
struct Divergence {
  /// "value", "address", "unexpected write", "missing writes", "program", "result", "counter",
  /// "protocol", "hang".
  std::string kind;
  uint64_t cycle = 0;
  std::string place;      ///< layer, head and instruction, if it belongs to one
  uint64_t sequence = 0;  ///< of the instruction, with `place`
  int pc = -1;
  int row = -1;
  int tile = -1;
  int lane = -1;
  std::string expected;  ///< hexadecimal and decoded
  std::string got;
  std::string note;

  /// Several lines.
  [[nodiscard]] std::string Format() const;
};

/// One dispatched instruction.
struct Operation {
  std::string name;  ///< Step::Describe
  spec::Opcode opcode = spec::Opcode::kEnd;
  uint64_t sequence = 0;
  int pc = 0;
  int iteration = 0;
  int layer = 0;
  uint64_t first_cycle = 0;  ///< of the dispatch
  uint64_t last_cycle = 0;   ///< the unit is idle or writes for the next one; 0 while it works
};

class Scoreboard : public Monitor, private model::MachineObserver {
 public:
  /// `image` must pass Machine::Check and outlive the scoreboard.
  Scoreboard(const Dut& dut, const spec::AcceleratorConfig& config, const model::Image& image);

  /// A sentence begins: call before Accelerator::Run. `state`, when given, is where it starts.
  void Start(std::span<const uint32_t> tokens, uint32_t threshold,
             const model::MachineState* state = nullptr);
  void Sample(uint64_t cycle) override;
  /// The sentence has ended: compares what it leaves behind.
  void Finish(const HardwareResult& hardware, const std::vector<AxiViolation>& violations);
  /// The sentence did not end: says what every unit is doing.
  void ReportHang(uint64_t limit);

  [[nodiscard]] bool diverged() const { return divergence_.has_value(); }
  [[nodiscard]] const std::optional<Divergence>& divergence() const { return divergence_; }
  [[nodiscard]] const model::SentenceResult& golden() const { return machine_.result(); }
  /// Of this sentence, in the order of dispatch.
  [[nodiscard]] const std::vector<Operation>& operations() const { return operations_; }
  /// Write-backs compared in this sentence.
  [[nodiscard]] uint64_t compared() const { return compared_; }

 private:
  /// A write-back of the golden machine that the hardware has to make.
  struct Expected {
    model::WriteKind kind;
    uint32_t address;
    int row;
    int tile;
    size_t first_lane;  ///< in `lanes` of its work
  };
  /// What a unit has to do for one instruction.
  struct Work {
    size_t operation = 0;  ///< index in operations_
    const spec::Instruction* instruction = nullptr;
    std::vector<Expected> writes{};
    std::vector<int32_t> lanes{};
    size_t next = 0;

    [[nodiscard]] bool Written() const { return next == writes.size(); }
  };
  /// The oldest first. Only eb_matmul takes an instruction before the one before is done.
  using Unit = std::deque<Work>;
  struct Signals {
    explicit Signals(const Dut& dut);
    Port cmd_valid, cmd_ready, busy, pc, iteration, state, segment_valid, segment_ready;
    Port wr_valid, wr_ready, wr_addr, wr_data, rd_valid, rd_ready;
    Flag score_valid, logit_valid, result_valid;
    Port score_addr, score_data, logit_strip, logit_data, entropy, prediction, exit;
    Port words_request, words_valid, tile_request, tile_valid, beat_valid, beat_ready;
  };

  // MachineObserver.
  void OnInstruction(const model::Step& step) override;
  void OnWriteBack(const model::Step& step, const model::WriteBack& write) override;

  void SampleWrites(uint64_t cycle);
  void Dispatch(spec::Unit unit, uint64_t cycle);
  /// The golden machine executes what the sequencer does by itself; false at the sentence's end.
  bool SkipToUnitInstruction();
  void Compare(spec::Unit unit, model::WriteKind kind, uint32_t address, const Port& data, int lsb,
               int width, uint64_t cycle);
  void CompareNumber(spec::Unit unit, model::WriteKind kind, uint32_t number, int bits,
                     uint64_t cycle);
  /// The work the unit's next write belongs to; none when the unit has nothing to write.
  Work* Writing(Unit* unit, model::WriteKind kind, uint64_t cycle);
  /// The unit is idle.
  void CheckComplete(spec::Unit unit, uint64_t cycle);
  void CompareResults(const HardwareResult& hardware);
  void CompareCounters(const HardwareResult& hardware);
  void Diverge(Divergence divergence);
  void DivergeAt(const Work& work, Divergence divergence);
  [[nodiscard]] std::string Decode(model::WriteKind kind, int64_t value,
                                   const spec::Instruction* instruction) const;
  [[nodiscard]] bool GoldenFailed() const {
    return machine_.result().error != spec::ErrorCode::kNone;
  }
  Unit& UnitOf(spec::Unit unit) { return units_[static_cast<size_t>(unit)]; }

  spec::AcceleratorConfig config_;
  const model::Image& image_;
  Signals signals_;
  model::Machine machine_;
  std::array<Unit, spec::kUnits> units_;
  uint64_t working_ = 0;  ///< a bit for every unit of units_ that is not empty
  Work* collecting_ = nullptr;
  std::vector<Operation> operations_;
  bool cleared_ = false;  ///< an error has dropped what the units were doing
  std::optional<Divergence> divergence_;
  uint64_t compared_ = 0;
  uint64_t cycle_ = 0;
  uint64_t last_activity_ = 0;  ///< cycle of the last dispatch or write-back
};

/// Cycles within which a sentence surely ends, from the golden counts: many times the ideal.
uint64_t CycleLimit(const model::Counts& counts, const spec::AcceleratorConfig& config, int latency,
                    double stalls);

}  // namespace edgebert::cosim
