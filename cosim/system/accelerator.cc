#include "cosim/system/accelerator.h"

#include <algorithm>
#include <cstring>

#include "generator/emit_all.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"

namespace edgebert::cosim {
namespace {

constexpr uint64_t kFirstAddress = 0x1'0000;     // 0 stays unmapped: a base that was never written
constexpr uint64_t kOtherAddress = 0x1000'0000;  // of every second task
constexpr uint64_t kPage = 4096;
constexpr uint64_t kGuardBytes = 256;  // after the result record; must stay as it is
constexpr int kResetCycles = 4;
constexpr double kLoadConstant = 20'000;  // cycles
constexpr double kLoadFactor = 10;  // what surely suffices is this often what is needed at most

constexpr uint32_t kStart = 1, kLoad = 4;  // CONTROL
constexpr uint32_t kAllInterrupts = 15;

/// Signals the monitors look at, ports of the units as docs/architecture.md has them, and memories.
std::vector<PublicSignal> PublicSignals(bool state_access) {
  std::vector<PublicSignal> signals;
  const auto add = [&](const char* module, std::initializer_list<const char*> variables) {
    for (const char* variable : variables) signals.push_back({module, variable});
  };
  add("eb_sequencer", {"cmd_valid_o", "cmd_ready_i", "unit_busy_i", "pc_q", "iteration_q",
                       "state_q", "segment_valid_o", "segment_ready_i"});
  add("eb_activation_memory",
      {"wr_valid_i", "wr_ready_o", "wr_addr_i", "wr_data_i", "rd_valid_i", "rd_ready_o"});
  add("eb_matmul", {"score_wr_valid_o", "score_wr_addr_o", "score_wr_data_o", "logit_valid_o",
                    "logit_strip_o", "logit_data_o"});
  add("eb_exit", {"result_valid_o", "entropy_o", "prediction_o", "exit_o"});
  add("eb_weight_stream", {"words_request_i", "words_valid_o", "tile_request_i", "tile_valid_o",
                           "beat_valid_i", "beat_ready_o"});
  signals.push_back({"eb_reram_macro", "slc_mem", true});
  signals.push_back({"eb_reram_macro", "mlc_mem", true});
  if (state_access) {
    signals.push_back({"eb_sram_1r1w", "mem", true});
    signals.push_back({"eb_exit", "logit_q", true});
  }
  return signals;
}

uint64_t PageUp(uint64_t address) { return (address + kPage - 1) / kPage * kPage; }

}  // namespace

VerilogFiles EmitVerilog(const spec::AcceleratorConfig& config) {
  VerilogFiles files;
  const gen::FileSet all = gen::EmitAll(config, "cosim");
  for (const auto& [path, text] : all.files()) {
    if (path.starts_with("common/") || path.ends_with("/eb_top.v")) files.emplace_back(path, text);
  }
  return files;
}

std::vector<uint8_t> WordBytes(std::span<const uint32_t> words) {
  std::vector<uint8_t> bytes;
  bytes.reserve(4 * words.size());
  for (const uint32_t word : words) {
    for (int b = 0; b < 4; ++b) bytes.push_back(static_cast<uint8_t>(word >> (8 * b)));
  }
  return bytes;
}

uint32_t RegisterOffset(std::string_view name) {
  for (const spec::Register& entry : spec::kRegisters) {
    if (entry.name == name) return entry.offset;
  }
  EB_CHECK(false, "no register '{}'", name);
  return 0;
}

size_t CounterIndex(std::string_view name) {
  for (size_t i = 0; i < spec::kCounters.size(); ++i) {
    if (spec::kCounters[i].name == name) return i;
  }
  EB_CHECK(false, "no counter '{}'", name);
  return 0;
}

Result<std::unique_ptr<Accelerator>> Accelerator::Build(const spec::AcceleratorConfig& config,
                                                        const VerilogFiles& files,
                                                        const AcceleratorOptions& options) {
  EB_ASSIGN_OR_RETURN(Dut dut, Dut::Build({.files = files,
                                           .top = "eb_top",
                                           .public_signals = PublicSignals(options.state_access),
                                           .trace = options.trace,
                                           .optimize = options.optimize,
                                           .unknowns = options.unknowns,
                                           .cache_dir = options.cache_dir,
                                           .progress = options.progress},
                                          options.initial_seed));
  return std::unique_ptr<Accelerator>(new Accelerator(config, options, std::move(dut)));
}

Accelerator::Accelerator(const spec::AcceleratorConfig& config, const AcceleratorOptions& options,
                         Dut dut)
    : config_(config),
      options_(options),
      dut_(std::move(dut)),
      irq_(dut_.Get("irq_o")),
      bench_(dut_),
      memory_(AxiPorts::Bind(dut_), {.stalls = options.stalls,
                                     .latency = options.latency,
                                     .latency_jitter = options.stalls > 0 ? options.latency : 0}),
      host_(AxiLitePorts::Bind(dut_), {.stalls = options.stalls}),
      axi_checker_(AxiPorts::Bind(dut_), dut_.Get("rst_ni")),
      axil_checker_(AxiLitePorts::Bind(dut_), dut_.Get("rst_ni")) {
  dut_.SetCycleLimit(~uint64_t{0});  // every wait below has its own
  bench_.Add(memory_);
  bench_.Add(host_);
  bench_.Add(axi_checker_);
  bench_.Add(axil_checker_);
}

Status Accelerator::LoadReram(const model::Image& image) {
  const auto load = [&](const char* name, const std::vector<uint8_t>& bytes) -> Status {
    const auto memory = dut_.FindMemory(fmt::format("u_reram_macro.g_array.{}", name));
    if (!memory) {
      return Error({}, "the ReRAM has no behavioural array: 'memory.backend' must not be 'macro'",
                   "cosim-image");
    }
    const size_t word_bytes = static_cast<size_t>(memory->bits() + 7) / 8;
    const size_t words = (bytes.size() + word_bytes - 1) / word_bytes;
    if (words > static_cast<size_t>(memory->depth())) {
      return Error(
          {},
          fmt::format("the image has {} words for {}, the macro {}", words, name, memory->depth()),
          "cosim-image");
    }
    // The cells beyond the image are erased.
    const std::vector<uint8_t> erased(word_bytes, 0);
    for (size_t word = 0; word < static_cast<size_t>(memory->depth()); ++word) {
      (*memory)[word].SetBytes(word < words
                                   ? std::span(bytes).subspan(word * word_bytes, word_bytes)
                                   : std::span(erased));
    }
    return Ok();
  };
  EB_RETURN_IF_ERROR(load("slc_mem", image.reram.slc));
  EB_RETURN_IF_ERROR(load("mlc_mem", image.reram.mlc));
  reram_ = image.reram;
  return Ok();
}

Status Accelerator::MapMemory(const model::Image& image, uint64_t first_address) {
  program_.clear();
  for (const spec::Instruction& instruction : image.program) {
    const auto bytes = WordBytes(instruction.words);
    program_.insert(program_.end(), bytes.begin(), bytes.end());
  }
  classes_ = image.facts.classes;
  tokens_.assign(PageUp(4 * static_cast<uint64_t>(config_.model.seq_len)), 0);
  const size_t record_words = spec::kResultLogitsWord + static_cast<size_t>(classes_);
  results_.assign(4 * record_words + kGuardBytes, kUntouchedByte);

  program_base_ = first_address;
  token_base_ = PageUp(program_base_ + program_.size());
  result_base_ = token_base_ + tokens_.size();
  weight_base_ = PageUp(result_base_ + results_.size());
  // Above 4 GiB where there is such an address.
  if (config_.axi.addr_width > 32) weight_base_ += uint64_t{1} << 32;
  const uint64_t end = weight_base_ + image.weights.size();
  if (config_.axi.addr_width < 64 && (end >> config_.axi.addr_width) != 0) {
    return Error(
        {},
        fmt::format("the image ends at {:#x}, beyond {} address bits", end, config_.axi.addr_width),
        "cosim-image");
  }
  // The stream ends with a whole beat.
  resident_bytes_ = config_.memory.resident_kib > 0 ? image.weights.size() : 0;
  const uint64_t resident_limit =
      uint64_t{1024} * static_cast<uint64_t>(config_.memory.resident_kib);
  if (resident_bytes_ > resident_limit) {
    return Error({},
                 fmt::format("the weight stream has {} bytes, 'memory.resident_kib' holds {}: make "
                             "it larger, or 0 to read weights when they are used",
                             resident_bytes_, resident_limit),
                 "cosim-image");
  }
  memory_.ClearRegions();
  memory_.AddReadOnlyRegion(program_base_, program_);
  memory_.AddReadOnlyRegion(token_base_, tokens_);
  memory_.AddRegion(result_base_, results_);
  memory_.AddReadOnlyRegion(weight_base_, image.weights);
  return Ok();
}

Status Accelerator::Load(const model::Image& image, uint64_t seed) {
  memory_.Reset();
  memory_.Reseed(seed);
  host_.Reset();
  host_.Reseed(seed);
  axi_checker_.Reset();
  axil_checker_.Reset();
  dut_.Reset(kResetCycles);
  EB_RETURN_IF_ERROR(LoadReram(image));
  EB_RETURN_IF_ERROR(MapMemory(image, kFirstAddress));
  return LoadProgram(image);
}

Result<SwitchCost> Accelerator::SwitchTask(const model::Image& image) {
  if (image.reram != reram_) {
    return Error({},
                 fmt::format("'{}' has other embedding tables than the ReRAM", image.facts.name),
                 "cosim-switch");
  }
  EB_RETURN_IF_ERROR(
      MapMemory(image, program_base_ == kFirstAddress ? kOtherAddress : kFirstAddress));
  const uint64_t cycles = dut_.cycles();
  const uint64_t beats = memory_.traffic().read_beats;
  EB_RETURN_IF_ERROR(LoadProgram(image));
  return SwitchCost{dut_.cycles() - cycles, (memory_.traffic().read_beats - beats) *
                                                static_cast<uint64_t>(config_.axi.data_width / 8)};
}

double CyclesABeat(const spec::AcceleratorConfig& config, int latency, double stalls) {
  constexpr int kPipeline = 10;  // registers on the way of a request, and of its data
  const int burst = std::min(config.axi.max_burst, config.memory.stream_fifo_beats);
  const int jitter = stalls > 0 ? latency : 0;
  const double moving = 1 - stalls;  // each side of a handshake
  return (latency + jitter + kPipeline + burst) / (burst * moving * moving);
}

Status Accelerator::LoadProgram(const model::Image& image) {
  const bool okay =
      WriteRegister("IRQ_ENABLE", kAllInterrupts) && WriteAddress("PROGRAM_BASE", program_base_) &&
      WriteAddress("WEIGHT_BASE", weight_base_) && WriteAddress("TOKEN_BASE", token_base_) &&
      WriteAddress("RESULT_BASE", result_base_) &&
      WriteRegister("PROGRAM_LENGTH", static_cast<uint32_t>(image.program.size())) &&
      WriteRegister("RESIDENT_BYTES", static_cast<uint32_t>(resident_bytes_)) &&
      WriteRegister("CONTROL", kLoad);
  if (!okay) return Error({}, "the registers do not answer", "cosim-load");
  const uint64_t bits = 8 * (4 * spec::kInstructionWords * image.program.size() + resident_bytes_);
  const auto limit = static_cast<uint64_t>(
      kLoadConstant + kLoadFactor * static_cast<double>(bits) / config_.axi.data_width *
                          CyclesABeat(config_, options_.latency, options_.stalls));
  if (!bench_.RunUntil([&] { return irq_.Get(); }, limit)) {
    return Error({}, fmt::format("the program is not loaded after {} cycles", limit), "cosim-load");
  }
  const uint32_t error = ReadRegister("ERROR");
  if (error != 0) {
    return Error({}, fmt::format("loading the program ends with error {}", error), "cosim-load");
  }
  WriteRegister("IRQ_STATUS", kAllInterrupts);
  return Ok();
}

bool Accelerator::WriteRegister(std::string_view name, uint32_t value) {
  return host_.Write(bench_, RegisterOffset(name), value).Okay();
}

bool Accelerator::WriteAddress(const std::string& name, uint64_t address) {
  return WriteRegister(name + "_LOW", static_cast<uint32_t>(address)) &&
         WriteRegister(name + "_HIGH", static_cast<uint32_t>(address >> 32));
}

uint32_t Accelerator::ReadRegister(std::string_view name) {
  return host_.Read(bench_, RegisterOffset(name)).data;
}

HardwareResult Accelerator::Run(std::span<const uint32_t> tokens, uint32_t threshold, uint64_t seed,
                                uint64_t cycle_limit, const std::function<bool()>& stop) {
  memory_.Reseed(seed);
  host_.Reseed(seed);
  const auto bytes = WordBytes(tokens);
  std::ranges::copy(std::span(bytes).first(std::min(bytes.size(), tokens_.size())),
                    tokens_.begin());
  std::ranges::fill(results_, kUntouchedByte);
  HardwareResult result;
  const bool okay = WriteRegister("LENGTH", static_cast<uint32_t>(tokens.size())) &&
                    WriteRegister("THRESHOLD", threshold);
  result.first_cycle = dut_.cycles();
  if (!okay || !WriteRegister("CONTROL", kStart)) return result;
  bool stopped = false;
  const auto done = [&] {
    stopped = stop && stop();
    return stopped || irq_.Get();
  };
  result.finished = bench_.RunUntil(done, cycle_limit) && !stopped;
  result.last_cycle = dut_.cycles();
  if (result.finished) ReadResults(&result);
  return result;
}

void Accelerator::ReadResults(HardwareResult* result) {
  result->status = ReadRegister("STATUS");
  result->error = ReadRegister("ERROR");
  result->exit_layer = static_cast<int>(ReadRegister("EXIT_LAYER"));
  result->prediction = static_cast<int>(ReadRegister("PREDICTION"));
  result->entropy = ReadRegister("ENTROPY");
  result->saturated = (ReadRegister("SATURATION") & 1) != 0;
  for (int c = 0; c < classes_; ++c) {
    const uint32_t offset = spec::kLogitBase + 4 * static_cast<uint32_t>(c);
    result->logits.push_back(static_cast<int32_t>(host_.Read(bench_, offset).data));
  }
  for (size_t c = 0; c < spec::kCounters.size(); ++c) {
    const uint32_t offset = spec::kCounterBase + 8 * static_cast<uint32_t>(c);
    const uint64_t low = host_.Read(bench_, offset).data;
    result->counters[c] = low | uint64_t{host_.Read(bench_, offset + 4).data} << 32;
  }
  result->record.resize(results_.size() / 4);
  for (size_t i = 0; i < result->record.size(); ++i) {
    for (size_t b = 0; b < 4; ++b) {
      result->record[i] |= uint32_t{results_[4 * i + b]} << (8 * b);
    }
  }
  WriteRegister("IRQ_STATUS", kAllInterrupts);
}

void Accelerator::SetState(const model::MachineState& state) {
  const auto lanes = static_cast<size_t>(config_.vmac.n);
  const auto memory = [&](const std::string& instance) {
    const auto found = dut_.FindMemory(instance + ".g_array.mem");
    EB_CHECK(found.has_value(), "{} is no array, or the build has no state_access", instance);
    return *found;
  };
  const auto vector_of = [&](const auto& values, size_t vector) {
    return std::span(values).subspan(vector * lanes, lanes);
  };
  const Memory codes = memory("u_activation_memory.u_codes");
  const Memory masks = memory("u_activation_memory.u_mask");
  for (size_t vector = 0; vector < state.activations.size() / lanes; ++vector) {
    const auto values = vector_of(state.activations, vector);
    uint64_t mask = 0;
    for (size_t lane = 0; lane < lanes; ++lane) {
      mask |= static_cast<uint64_t>(values[lane] != 0) << lane;
    }
    codes[vector].SetLanes(config_.format.width, values);
    masks[vector].Set(mask);
  }
  const Memory scores = memory("u_score_memory");
  for (size_t vector = 0; vector < state.scores.size() / lanes; ++vector) {
    scores[vector].SetLanes(spec::kScoreBits, vector_of(state.scores, vector));
  }
  for (size_t i = 0; i < state.logits.size(); ++i) {
    const auto logit = static_cast<uint64_t>(state.logits[i]);
    dut_.Get(fmt::format("u_exit.g_logit[{}].logit_q", i))
        .Set(logit & ((uint64_t{1} << spec::kFixedBits) - 1));
  }
}

void Accelerator::SetStalls(double stalls) {
  memory_.SetStalls(stalls, stalls > 0 ? options_.latency : 0);
  host_.SetStalls(stalls);
}

void Accelerator::Idle(uint64_t cycles) {
  for (uint64_t i = 0; i < cycles; ++i) bench_.Cycle();
}

std::vector<AxiViolation> Accelerator::Violations() const {
  std::vector<AxiViolation> violations = axi_checker_.violations();
  const auto& others = axil_checker_.violations();
  violations.insert(violations.end(), others.begin(), others.end());
  std::ranges::sort(violations, {}, &AxiViolation::cycle);
  return violations;
}

}  // namespace edgebert::cosim
