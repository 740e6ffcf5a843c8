#include "cosim/system/scoreboard.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "cosim/system/accelerator.h"
#include "golden/model/adaptivfloat.h"
#include "golden/spec/formats.h"

namespace edgebert::cosim {
namespace {

using model::WriteKind;
using spec::Opcode;

constexpr std::array<const char*, spec::kUnits> kUnitNames = {"matmul", "softmax", "layer_norm",
                                                              "embedding", "exit"};
/// Of eb_sequencer's state_q.
constexpr std::array kSequencerStates = {"idle",  "check",  "request", "receive",
                                         "run",   "exit",   "entropy", "finish",
                                         "flush", "result", "clear",   "drain"};

constexpr uint64_t kStateClear = 10;

constexpr uint32_t kStatusDone = 2;
constexpr uint32_t kStatusError = 4;

const char* OpcodeName(Opcode opcode) {
  switch (opcode) {
    case Opcode::kEnd:
      return "END";
    case Opcode::kStream:
      return "STREAM";
    case Opcode::kLoop:
      return "LOOP";
    case Opcode::kEmbed:
      return "EMBED";
    case Opcode::kMatmul:
      return "MATMUL";
    case Opcode::kSoftmax:
      return "SOFTMAX";
    case Opcode::kLayerNorm:
      return "LAYER_NORM";
    case Opcode::kExit:
      return "EXIT";
  }
  return "an unknown opcode";
}

/// Bits of one lane of a write-back.
int LaneBits(WriteKind kind, const spec::AcceleratorConfig& config) {
  switch (kind) {
    case WriteKind::kActivation:
      return config.format.width;
    case WriteKind::kScore:
      return spec::kScoreBits;
    case WriteKind::kLogit:
      return spec::kFixedBits;
    case WriteKind::kEntropy:
      return spec::kEntropyBits;
    case WriteKind::kPrediction:
      return 8;
  }
  return 0;
}

const char* KindName(WriteKind kind) {
  switch (kind) {
    case WriteKind::kActivation:
      return "activation";
    case WriteKind::kScore:
      return "score";
    case WriteKind::kLogit:
      return "logit";
    case WriteKind::kEntropy:
      return "entropy";
    case WriteKind::kPrediction:
      return "prediction";
  }
  return "";
}

uint64_t LowBits(int64_t value, int bits) {
  return static_cast<uint64_t>(value) & ((uint64_t{1} << bits) - 1);
}

}  // namespace

std::string Divergence::Format() const {
  std::string text = fmt::format("first divergence: {}\n", kind);
  const auto line = [&](const char* name, const std::string& value) {
    text += fmt::format("  {:<12} {}\n", name, value);
  };
  if (!place.empty()) line("at", fmt::format("{} (op {}, pc {})", place, sequence, pc));
  if (row >= 0) {
    line("element", fmt::format("row {}, tile {}{}", row, tile,
                                lane >= 0 ? fmt::format(", lane {}", lane) : ""));
  }
  line("cycle", std::to_string(cycle));
  if (!expected.empty()) line("expected", expected);
  if (!got.empty()) line("got", got);
  if (!note.empty()) line("note", note);
  return text;
}

Scoreboard::Signals::Signals(const Dut& dut) {
  const auto sequencer = [&](const char* name) {
    return dut.Get(fmt::format("u_sequencer.{}", name));
  };
  const auto memory = [&](const char* name) {
    return dut.Get(fmt::format("u_activation_memory.{}", name));
  };
  const auto matmul = [&](const char* name) { return dut.Get(fmt::format("u_matmul.{}", name)); };
  const auto off_ramp = [&](const char* name) { return dut.Get(fmt::format("u_exit.{}", name)); };
  const auto stream = [&](const char* name) {
    return dut.Get(fmt::format("u_weight_stream.{}", name));
  };
  cmd_valid = sequencer("cmd_valid_o");
  cmd_ready = sequencer("cmd_ready_i");
  busy = sequencer("unit_busy_i");
  pc = sequencer("pc_q");
  iteration = sequencer("iteration_q");
  state = sequencer("state_q");
  segment_valid = sequencer("segment_valid_o");
  segment_ready = sequencer("segment_ready_i");
  wr_valid = memory("wr_valid_i");
  wr_ready = memory("wr_ready_o");
  wr_addr = memory("wr_addr_i");
  wr_data = memory("wr_data_i");
  rd_valid = memory("rd_valid_i");
  rd_ready = memory("rd_ready_o");
  score_valid = matmul("score_wr_valid_o");
  score_addr = matmul("score_wr_addr_o");
  score_data = matmul("score_wr_data_o");
  logit_valid = matmul("logit_valid_o");
  logit_strip = matmul("logit_strip_o");
  logit_data = matmul("logit_data_o");
  result_valid = off_ramp("result_valid_o");
  entropy = off_ramp("entropy_o");
  prediction = off_ramp("prediction_o");
  exit = off_ramp("exit_o");
  words_request = stream("words_request_i");
  words_valid = stream("words_valid_o");
  tile_request = stream("tile_request_i");
  tile_valid = stream("tile_valid_o");
  beat_valid = stream("beat_valid_i");
  beat_ready = stream("beat_ready_o");
}

Scoreboard::Scoreboard(const Dut& dut, const spec::AcceleratorConfig& config,
                       const model::Image& image)
    : config_(config), image_(image), signals_(dut), machine_(config, image) {}

void Scoreboard::Start(std::span<const uint32_t> tokens, uint32_t threshold,
                       const model::MachineState* state) {
  machine_.Start(tokens, threshold);
  if (state != nullptr) machine_.set_state(*state);
  for (Unit& unit : units_) unit.clear();
  working_ = 0;
  operations_.clear();
  cleared_ = false;
  divergence_.reset();
  compared_ = 0;
}

void Scoreboard::Diverge(Divergence divergence) {
  if (divergence_) return;
  if (divergence.cycle == 0) divergence.cycle = cycle_;
  divergence_ = std::move(divergence);
}

void Scoreboard::DivergeAt(const Work& work, Divergence divergence) {
  const Operation& operation = operations_[work.operation];
  divergence.place = operation.name;
  divergence.sequence = operation.sequence;
  divergence.pc = operation.pc;
  Diverge(std::move(divergence));
}

void Scoreboard::Sample(uint64_t cycle) {
  cycle_ = cycle;
  if (divergence_) return;
  SampleWrites(cycle);
  const uint64_t busy = signals_.busy.Get();
  cleared_ = cleared_ || signals_.state.Get() == kStateClear;
  if (cleared_) return;
  for (uint64_t idle = working_ & ~busy; idle != 0; idle &= idle - 1) {
    const auto unit = static_cast<spec::Unit>(std::countr_zero(idle));
    if (cycle > operations_[UnitOf(unit).back().operation].first_cycle) CheckComplete(unit, cycle);
  }
  const uint64_t dispatched = signals_.cmd_valid.Get() & signals_.cmd_ready.Get();
  if (dispatched == 0) return;
  for (uint32_t u = 0; u < spec::kUnits; ++u) {
    if (((dispatched >> u) & 1) != 0) Dispatch(static_cast<spec::Unit>(u), cycle);
  }
}

void Scoreboard::SampleWrites(uint64_t cycle) {
  const int lanes = config_.vmac.n;
  const uint64_t writes = signals_.wr_valid.Get() & signals_.wr_ready.Get();
  if (writes != 0) {
    const int width = config_.format.width;
    for (int client = 0; client < 4; ++client) {  // matmul, softmax, layer_norm, embedding
      if (((writes >> client) & 1) == 0) continue;
      const auto address = static_cast<uint32_t>(
          signals_.wr_addr.GetBits(client * spec::kAddressBits, spec::kAddressBits));
      Compare(static_cast<spec::Unit>(client), WriteKind::kActivation, address, signals_.wr_data,
              client * lanes * width, width, cycle);
    }
  }
  if (signals_.score_valid) {
    Compare(spec::Unit::kMatmul, WriteKind::kScore,
            static_cast<uint32_t>(signals_.score_addr.Get()), signals_.score_data, 0,
            spec::kScoreBits, cycle);
  }
  if (signals_.logit_valid) {
    Compare(spec::Unit::kMatmul, WriteKind::kLogit,
            static_cast<uint32_t>(signals_.logit_strip.Get()), signals_.logit_data, 0,
            spec::kFixedBits, cycle);
  }
  if (signals_.result_valid) {
    const auto entropy = static_cast<uint32_t>(signals_.entropy.Get());
    CompareNumber(spec::Unit::kExit, WriteKind::kEntropy, entropy, spec::kEntropyBits, cycle);
    CompareNumber(spec::Unit::kExit, WriteKind::kPrediction,
                  static_cast<uint32_t>(signals_.prediction.Get()), 8, cycle);
    const bool exits = entropy < machine_.state().threshold;
    if ((signals_.exit.Get() != 0) != exits && !divergence_) {
      DivergeAt(UnitOf(spec::Unit::kExit).front(), {.kind = "program",
                                                    .cycle = cycle,
                                                    .expected = exits ? "exit" : "no exit",
                                                    .got = exits ? "no exit" : "exit"});
    }
  }
}

bool Scoreboard::SkipToUnitInstruction() {
  while (!machine_.state().finished) {
    const auto pc = static_cast<size_t>(machine_.state().pc);
    if (pc < image_.program.size()) {
      const auto opcode = static_cast<Opcode>(image_.program[pc].Get(spec::kOpcode));
      if (spec::UnitOf(opcode)) return true;
    }
    machine_.StepOnce(this);
  }
  return false;
}

void Scoreboard::Dispatch(spec::Unit unit, uint64_t cycle) {
  if (divergence_) return;
  if (unit != spec::Unit::kMatmul) CheckComplete(unit, cycle);
  if (divergence_) return;
  const int pc = static_cast<int>(signals_.pc.Get());
  const int iteration = static_cast<int>(signals_.iteration.Get());
  const std::string got =
      fmt::format("pc {} iteration {} to {}", pc, iteration, kUnitNames[static_cast<size_t>(unit)]);
  if (!SkipToUnitInstruction()) {
    Diverge({.kind = "program", .cycle = cycle, .expected = "end of the sentence", .got = got});
    return;
  }
  const model::MachineState& state = machine_.state();
  const auto opcode =
      static_cast<Opcode>(image_.program[static_cast<size_t>(state.pc)].Get(spec::kOpcode));
  if (state.pc != pc || state.iteration != iteration || spec::UnitOf(opcode) != unit) {
    Diverge({.kind = "program",
             .cycle = cycle,
             .expected = fmt::format("pc {} iteration {} ({})", state.pc, state.iteration,
                                     OpcodeName(opcode)),
             .got = got});
    return;
  }
  collecting_ = &UnitOf(unit).emplace_back(Work{.operation = operations_.size()});
  working_ |= uint64_t{1} << static_cast<uint32_t>(unit);
  machine_.StepOnce(this);
  collecting_ = nullptr;
  operations_.back().first_cycle = cycle;
  last_activity_ = cycle;
}

void Scoreboard::OnInstruction(const model::Step& step) {
  if (collecting_ == nullptr) return;
  collecting_->instruction = step.instruction;
  operations_.push_back({.name = step.Describe(),
                         .opcode = static_cast<Opcode>(step.instruction->Get(spec::kOpcode)),
                         .sequence = step.sequence,
                         .pc = step.pc,
                         .iteration = step.iteration,
                         .layer = step.layer});
}

void Scoreboard::OnWriteBack(const model::Step& /*step*/, const model::WriteBack& write) {
  Work& work = *collecting_;
  work.writes.push_back({write.kind, write.address, write.row, write.tile, work.lanes.size()});
  work.lanes.insert(work.lanes.end(), write.lanes.begin(), write.lanes.end());
}

Scoreboard::Work* Scoreboard::Writing(Unit* unit, WriteKind kind, uint64_t cycle) {
  while (unit->size() > 1 && unit->front().Written()) {
    operations_[unit->front().operation].last_cycle = cycle;
    unit->pop_front();
  }
  if (unit->empty()) return nullptr;
  Work& work = unit->front();
  return work.Written() || work.writes[work.next].kind != kind ? nullptr : &work;
}

void Scoreboard::Compare(spec::Unit unit_number, WriteKind kind, uint32_t address, const Port& data,
                         int lsb, int width, uint64_t cycle) {
  // Where an instruction fails, how far it came is the hardware's own affair.
  if (divergence_ || GoldenFailed()) return;
  Unit& unit = UnitOf(unit_number);
  Work* work = Writing(&unit, kind, cycle);
  if (work == nullptr) {
    Divergence divergence{
        .kind = "unexpected write",
        .cycle = cycle,
        .got = fmt::format("{} of {}, address {:#x}", KindName(kind),
                           kUnitNames[static_cast<size_t>(unit_number)], address)};
    if (!unit.empty()) {
      DivergeAt(unit.front(), std::move(divergence));
    } else {
      Diverge(std::move(divergence));
    }
    return;
  }
  const Expected& expected = work->writes[work->next];
  Divergence divergence{.cycle = cycle, .row = expected.row, .tile = expected.tile};
  if (expected.address != address) {
    divergence.kind = "address";
    divergence.expected = fmt::format("{} vector {:#x}", KindName(kind), expected.address);
    divergence.got = fmt::format("{} vector {:#x}", KindName(kind), address);
    DivergeAt(*work, std::move(divergence));
    return;
  }
  const int32_t* lanes = &work->lanes[expected.first_lane];
  std::vector<int> wrong;
  for (int lane = 0; lane < config_.vmac.n; ++lane) {
    if (data.GetBits(lsb + lane * width, width) != LowBits(lanes[lane], width)) {
      wrong.push_back(lane);
    }
  }
  if (!wrong.empty()) {
    const int lane = wrong.front();
    uint64_t raw = data.GetBits(lsb + lane * width, width);
    if (kind != WriteKind::kActivation && ((raw >> (width - 1)) & 1) != 0) {
      raw |= ~uint64_t{0} << width;
    }
    divergence.kind = "value";
    divergence.lane = lane;
    divergence.expected = Decode(kind, lanes[lane], work->instruction);
    divergence.got = Decode(kind, static_cast<int64_t>(raw), work->instruction);
    divergence.note =
        fmt::format("{} of {} lanes differ: {}; {} of {} vectors were right", wrong.size(),
                    config_.vmac.n, fmt::join(wrong, " "), work->next, work->writes.size());
    DivergeAt(*work, std::move(divergence));
    return;
  }
  ++work->next;
  ++compared_;
  last_activity_ = cycle;
}

void Scoreboard::CompareNumber(spec::Unit unit_number, WriteKind kind, uint32_t number, int bits,
                               uint64_t cycle) {
  // Where an instruction fails, how far it came is the hardware's own affair.
  if (divergence_ || GoldenFailed()) return;
  Work* work = Writing(&UnitOf(unit_number), kind, cycle);
  if (work == nullptr) {
    Diverge({.kind = "unexpected write", .cycle = cycle, .got = KindName(kind)});
    return;
  }
  const int32_t expected = work->lanes[work->writes[work->next].first_lane];
  if (LowBits(expected, bits) != number) {
    DivergeAt(*work, {.kind = "value",
                      .cycle = cycle,
                      .expected = Decode(kind, expected, work->instruction),
                      .got = Decode(kind, number, work->instruction)});
    return;
  }
  ++work->next;
  ++compared_;
  last_activity_ = cycle;
}

void Scoreboard::CheckComplete(spec::Unit unit_number, uint64_t cycle) {
  Unit& unit = UnitOf(unit_number);
  for (const Work& work : unit) {
    if (!work.Written() && !GoldenFailed()) {
      const Expected& missing = work.writes[work.next];
      DivergeAt(work, {.kind = "missing writes",
                       .cycle = cycle,
                       .row = missing.row,
                       .tile = missing.tile,
                       .expected = fmt::format("{} writes", work.writes.size()),
                       .got = fmt::format("idle after {}", work.next)});
      return;
    }
    operations_[work.operation].last_cycle = cycle;
  }
  unit.clear();
  working_ &= ~(uint64_t{1} << static_cast<uint32_t>(unit_number));
}

std::string Scoreboard::Decode(WriteKind kind, int64_t value,
                               const spec::Instruction* instruction) const {
  const int bits = LaneBits(kind, config_);
  const std::string hex =
      fmt::format("0x{:0{}x}", LowBits(value, bits), static_cast<size_t>((bits + 3) / 4));
  switch (kind) {
    case WriteKind::kActivation: {
      const model::AdaptivFloat format{config_.format.width, config_.format.exponent};
      int64_t bias = 0;
      switch (static_cast<Opcode>(instruction->Get(spec::kOpcode))) {
        case Opcode::kMatmul:
          bias = instruction->Get(spec::kMatmulBiasOut);
          break;
        case Opcode::kSoftmax:
          bias = instruction->Get(spec::kSoftmaxBiasOut);
          break;
        case Opcode::kLayerNorm:
          bias = instruction->Get(spec::kLayerNormBiasOut);
          break;
        default:
          bias = instruction->Get(spec::kEmbedBiasOut);
      }
      const auto view = static_cast<double>(format.ToInteger(static_cast<uint32_t>(value)));
      const double decoded = std::ldexp(view, static_cast<int>(bias) - format.mantissa());
      return fmt::format("{} = {:.6g} (bias {})", hex, decoded, bias);
    }
    case WriteKind::kScore:
      return fmt::format("{} = {:.6g}", hex,
                         std::ldexp(static_cast<double>(value), -spec::kScoreFraction));
    case WriteKind::kLogit:
      return fmt::format("{} = {:.6g}", hex,
                         std::ldexp(static_cast<double>(value), -spec::kFixedFraction));
    case WriteKind::kEntropy:
      return fmt::format("{} = {:.6g} nats", hex,
                         std::ldexp(static_cast<double>(value), -spec::kEntropyFraction));
    case WriteKind::kPrediction:
      return fmt::format("class {}", value);
  }
  return hex;
}

void Scoreboard::Finish(const HardwareResult& hardware,
                        const std::vector<AxiViolation>& violations) {
  if (hardware.finished && !cleared_) {
    for (uint32_t u = 0; u < spec::kUnits; ++u) CheckComplete(static_cast<spec::Unit>(u), cycle_);
  }
  if (!violations.empty() && (!divergence_ || violations[0].cycle <= divergence_->cycle)) {
    divergence_.reset();
    Diverge({.kind = "protocol", .cycle = violations[0].cycle, .note = violations[0].Format()});
  }
  if (divergence_ || !hardware.finished) return;
  if (!cleared_ && SkipToUnitInstruction()) {
    const auto pc = static_cast<size_t>(machine_.state().pc);
    Diverge({.kind = "program",
             .cycle = hardware.last_cycle,
             .expected = fmt::format("{} at pc {}", image_.names[pc].text, pc),
             .got = "end of the sentence"});
    return;
  }
  CompareResults(hardware);
  if (!divergence_) CompareCounters(hardware);
}

void Scoreboard::CompareResults(const HardwareResult& hardware) {
  const model::SentenceResult& golden = machine_.result();
  const auto expect = [&](const std::string& what, int64_t expected, int64_t got) {
    if (expected == got) return;
    Diverge({.kind = "result",
             .cycle = hardware.last_cycle,
             .expected = fmt::format("{} {}", what, expected),
             .got = fmt::format("{} {}", what, got)});
  };
  const auto code = static_cast<uint32_t>(golden.error);
  expect("error code", code, hardware.error & 0xff);
  expect("error detail", golden.error_detail, hardware.error >> 8);
  expect("done and error of STATUS", code == 0 ? kStatusDone : kStatusError,
         hardware.status & (kStatusDone | kStatusError));
  if (divergence_ || golden.error != spec::ErrorCode::kNone) return;
  expect("EXIT_LAYER", golden.exit_layer, hardware.exit_layer);
  expect("PREDICTION", golden.prediction, hardware.prediction);
  expect("ENTROPY", golden.entropies.back(), hardware.entropy);
  expect("SATURATION", golden.saturated ? 1 : 0, hardware.saturated ? 1 : 0);
  expect("number of logits", static_cast<int64_t>(golden.logits.size()),
         static_cast<int64_t>(hardware.logits.size()));
  for (size_t c = 0; c < golden.logits.size() && !divergence_; ++c) {
    expect(fmt::format("logit {}", c), golden.logits[c], hardware.logits[c]);
  }
  std::vector<uint32_t> record(hardware.record.size(), kUntouchedWord);
  record[0] = spec::kResultMarker;
  record[1] = static_cast<uint32_t>(golden.exit_layer);
  record[2] = static_cast<uint32_t>(golden.prediction);
  record[3] = static_cast<uint32_t>(golden.logits.size());
  std::ranges::copy(golden.entropies, record.begin() + spec::kResultEntropyWord);
  std::ranges::transform(golden.logits, record.begin() + spec::kResultLogitsWord,
                         [](int32_t logit) { return static_cast<uint32_t>(logit); });
  for (size_t i = 0; i < record.size() && !divergence_; ++i) {
    expect(fmt::format("word {} of the result record", i), record[i], hardware.record[i]);
  }
}

void Scoreboard::CompareCounters(const HardwareResult& hardware) {
  const model::SentenceResult& golden = machine_.result();
  if (golden.error != spec::ErrorCode::kNone) return;
  const model::Counts& counts = golden.counts;
  const auto check = [&](const char* name, const char* relation, uint64_t bound, bool holds) {
    if (holds) return;
    Diverge({.kind = "counter",
             .cycle = hardware.last_cycle,
             .expected = fmt::format("{} {} {}", name, relation, bound),
             .got = std::to_string(hardware.Counter(name))});
  };
  const auto equal = [&](const char* name, uint64_t expected) {
    check(name, "=", expected, hardware.Counter(name) == expected);
  };
  const auto at_least = [&](const char* name, uint64_t expected) {
    check(name, ">=", expected, hardware.Counter(name) >= expected);
  };
  equal("MAC_CYCLES", counts.mac_rows);
  equal("GATED_ROWS", counts.gated_rows);
  equal("TILES", counts.tiles);
  equal("WINDOW_ROWS_SKIPPED", counts.skipped_rows);
  equal("ACTIVATION_WRITES", counts.activation_writes);
  equal("SCORE_WRITES", counts.score_writes);
  equal("INSTRUCTIONS", counts.instructions);
  equal("ACTIVATION_READS",
        counts.source_reads + counts.residual_reads + counts.held_reads + counts.norm_vectors);
  equal("SCORE_READS", counts.softmax_tiles);
  // An early exit drops what the weight stream has taken for the next layer.
  const bool full_depth = golden.exit_layer == image_.facts.layers;
  const auto stream = full_depth ? equal : std::function<void(const char*, uint64_t)>(at_least);
  stream("WEIGHT_BEATS", counts.weight_beats);
  stream("WEIGHT_NONZEROS", counts.weight_nonzeros);
  equal("RERAM_READS", counts.reram_words);
  equal("RERAM_CORRECTED", counts.reram_corrected);
  // Every cycle of the array is one kind of cycle.
  const uint64_t cycles = hardware.Counter("CYCLES");
  uint64_t sum = 0;
  for (const char* name :
       {"MAC_CYCLES", "WAIT_WEIGHT", "WAIT_HELD", "WAIT_READ", "WAIT_DRAIN", "IDLE_MATMUL"}) {
    sum += hardware.Counter(name);
  }
  check("CYCLES", ">=", sum, cycles >= sum);
  check("CYCLES", "<=", hardware.last_cycle - hardware.first_cycle,
        cycles <= hardware.last_cycle - hardware.first_cycle);
}

void Scoreboard::ReportHang(uint64_t limit) {
  const Signals& s = signals_;
  const auto state = static_cast<size_t>(s.state.Get());
  std::string note = fmt::format(
      "no interrupt after {} cycles; the cycle above is that of the last activity\n"
      "    sequencer     {}, pc {}, iteration {}, command valid {:05b} ready {:05b}, "
      "segment valid {} ready {}\n",
      limit, state < kSequencerStates.size() ? kSequencerStates[state] : "?", s.pc.Get(),
      s.iteration.Get(), s.cmd_valid.Get(), s.cmd_ready.Get(), s.segment_valid.Get(),
      s.segment_ready.Get());
  for (size_t u = 0; u < units_.size(); ++u) {
    note += fmt::format("    {:<13} {}", kUnitNames[u],
                        ((s.busy.Get() >> u) & 1) != 0 ? "busy" : "idle");
    for (const Work& work : units_[u]) {
      const Operation& operation = operations_[work.operation];
      note += fmt::format(": {} (op {}, pc {}) since cycle {}, {} of {} writes", operation.name,
                          operation.sequence, operation.pc, operation.first_cycle, work.next,
                          work.writes.size());
      if (!work.Written()) {
        note += fmt::format(", next row {} tile {}", work.writes[work.next].row,
                            work.writes[work.next].tile);
      }
    }
    note += '\n';
  }
  note += fmt::format(
      "    weight stream words request {} valid {}, tile request {} valid {}, "
      "beat valid {} ready {}\n",
      s.words_request.Get(), s.words_valid.Get(), s.tile_request.Get(), s.tile_valid.Get(),
      s.beat_valid.Get(), s.beat_ready.Get());
  note += fmt::format(
      "    activations   read valid {:04b} ready {:04b}, write valid {:04b} "
      "ready {:04b}",
      s.rd_valid.Get(), s.rd_ready.Get(), s.wr_valid.Get(), s.wr_ready.Get());
  Diverge({.kind = "hang", .cycle = last_activity_, .note = std::move(note)});
}

uint64_t CycleLimit(const model::Counts& counts, const spec::AcceleratorConfig& config, int latency,
                    double stalls) {
  const uint64_t stream_beats = counts.weight_beats + counts.tiles * config.vmac.n;
  const uint64_t result_words =
      static_cast<uint64_t>(spec::kResultLogitsWord + config.model.classes);
  const uint64_t ideal = counts.mac_rows + 2 * counts.activation_writes + counts.held_reads +
                         4 * counts.norm_vectors + 4 * counts.softmax_tiles +
                         counts.reram_words * static_cast<uint64_t>(config.reram.read_latency) +
                         100 * counts.instructions;
  constexpr double kFactor = 10;
  constexpr uint64_t kConstant = 20'000;
  // A result may wait for the answer of the one before.
  const double bus = static_cast<double>(stream_beats + config.model.seq_len) *
                         CyclesABeat(config, latency, stalls) +
                     static_cast<double>(result_words) * 2 * latency;
  return kConstant +
         static_cast<uint64_t>(kFactor *
                               (static_cast<double>(ideal) / ((1 - stalls) * (1 - stalls)) + bus));
}

}  // namespace edgebert::cosim
