// Accelerator: eb_top with a memory behind its AXI port and a host at its registers.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cosim/axi/axi_checker.h"
#include "cosim/axi/axi_lite_master.h"
#include "cosim/axi/axi_memory.h"
#include "cosim/sim/bench.h"
#include "golden/model/image.h"
#include "golden/model/machine.h"
#include "golden/spec/config.h"
#include "golden/spec/register_map.h"

namespace edgebert::cosim {

/// (file name, text).
using VerilogFiles = std::vector<std::pair<std::string, std::string>>;

/// The Verilog of a configuration, from the generator.
VerilogFiles EmitVerilog(const spec::AcceleratorConfig& config);

/// Byte offset of a register of golden/spec/register_map.h; the name must exist.
uint32_t RegisterOffset(std::string_view name);
/// Index of a counter.
size_t CounterIndex(std::string_view name);

/// Words as the accelerator has them in memory.
std::vector<uint8_t> WordBytes(std::span<const uint32_t> words);

/// What memory holds where a result record may come.
inline constexpr uint8_t kUntouchedByte = 0xcc;
inline constexpr uint32_t kUntouchedWord = 0xcccccccc;

/// Cycles that a beat of a long read takes at most, on average: bursts one after the other.
double CyclesABeat(const spec::AcceleratorConfig& config, int latency, double stalls);

struct AcceleratorOptions {
  bool trace = false;
  Optimize optimize = Optimize::kSpeed;
  double stalls = 0;  ///< probability of every stall of both buses, per cycle
  int latency = 16;   ///< cycles from a read address to its first data
  Unknowns unknowns = Unknowns::kFast;
  uint32_t initial_seed = 1;  ///< of Unknowns::kRandom
  bool state_access = false;  ///< SetState can be used: its memories are open to the bench
  std::string cache_dir;
  Progress progress;
};

/// What the hardware says of a sentence.
struct HardwareResult {
  bool finished = false;     ///< false: stopped by the caller, or at the cycle limit
  uint64_t first_cycle = 0;  ///< of the command START
  uint64_t last_cycle = 0;   ///< of the interrupt
  uint32_t status = 0;       ///< STATUS and ERROR registers
  uint32_t error = 0;
  int exit_layer = 0;
  int prediction = 0;
  uint32_t entropy = 0;
  bool saturated = false;
  std::vector<int32_t> logits;
  std::vector<uint32_t> record;  ///< the result record in memory, and what follows it
  std::array<uint64_t, spec::kCounters.size()> counters{};

  [[nodiscard]] uint64_t Counter(std::string_view name) const {
    return counters[CounterIndex(name)];
  }
};

/// What a change of the task takes, from the host's first register write to the interrupt.
struct SwitchCost {
  uint64_t cycles = 0;
  uint64_t bytes = 0;  ///< read over AXI
};

class Accelerator {
 public:
  /// Builds eb_top. Rules: those of Dut::Build.
  static Result<std::unique_ptr<Accelerator>> Build(const spec::AcceleratorConfig& config,
                                                    const VerilogFiles& files,
                                                    const AcceleratorOptions& options);

  /// Further agents, called after those of the buses.
  void Add(Agent& agent) { bench_.Add(agent); }
  void Add(Monitor& monitor) { bench_.Add(monitor); }

  /// Resets the design, writes the image to the ReRAM (through the backdoor) and to memory, and
  /// loads the program. The image must outlive its use. Rules: "cosim-image" (too large for the
  /// ReRAM or the memory map), "cosim-load" (the design refuses the program or does not answer).
  Status Load(const model::Image& image, uint64_t seed);

  /// Changes the task: another image on the same embedding tables, at another address; the ReRAM
  /// stays as it is, and nothing is reset. Nothing of the image before can be read any more. Rules:
  /// "cosim-switch" (other tables), and those of Load.
  Result<SwitchCost> SwitchTask(const model::Image& image);

  /// Runs a sentence to its interrupt. `stop` is asked in every cycle. `seed` fixes the stalls.
  HardwareResult Run(std::span<const uint32_t> tokens, uint32_t threshold, uint64_t seed,
                     uint64_t cycle_limit, const std::function<bool()>& stop = {});

  /// Sets the memories between units (activations, scores, logits) through the backdoor.
  void SetState(const model::MachineState& state);

  /// From now on, as in the options.
  void SetStalls(double stalls);

  /// Cycles in which the host does nothing.
  void Idle(uint64_t cycles);

  /// Protocol violations on either bus since the last Load.
  [[nodiscard]] std::vector<AxiViolation> Violations() const;
  [[nodiscard]] Dut& dut() { return dut_; }
  [[nodiscard]] AxiMemory& memory() { return memory_; }

  Accelerator(const Accelerator&) = delete;
  Accelerator& operator=(const Accelerator&) = delete;

 private:
  Accelerator(const spec::AcceleratorConfig& config, const AcceleratorOptions& options, Dut dut);
  Status LoadReram(const model::Image& image);
  Status MapMemory(const model::Image& image, uint64_t first_address);
  /// And the weights, where they are kept on chip.
  Status LoadProgram(const model::Image& image);
  bool WriteRegister(std::string_view name, uint32_t value);
  uint32_t ReadRegister(std::string_view name);
  bool WriteAddress(const std::string& name, uint64_t address);
  void ReadResults(HardwareResult* result);

  spec::AcceleratorConfig config_;
  AcceleratorOptions options_;
  Dut dut_;
  Flag irq_;
  Bench bench_;
  AxiMemory memory_;
  AxiLiteMaster host_;
  AxiChecker axi_checker_;
  AxiLiteChecker axil_checker_;
  std::vector<uint8_t> program_, tokens_, results_;  // what the accelerator reads and writes
  uint64_t program_base_ = 0, token_base_ = 0, result_base_ = 0, weight_base_ = 0;
  uint64_t resident_bytes_ = 0;  ///< of the weight stream, kept on chip
  int classes_ = 0;
  model::ReramImage reram_;  // what the macro holds
};

}  // namespace edgebert::cosim
