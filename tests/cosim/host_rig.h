// eb_top of tiny with a memory, a host at its registers and checkers on both buses: what the tests
// of recovery and of faults share. Nothing here expects that the design works.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cosim/axi/axi_checker.h"
#include "cosim/axi/axi_lite_master.h"
#include "cosim/axi/axi_memory.h"
#include "cosim/sim/bench.h"
#include "cosim/sim/dut.h"
#include "cosim/system/accelerator.h"
#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/model/machine.h"

namespace edgebert {

inline constexpr uint64_t kProgramBase = 0x1'0000;
inline constexpr uint64_t kTokenBase = 0x2'0000;
inline constexpr uint64_t kResultBase = 0x3'0000;
inline constexpr uint64_t kWeightBase = 0x10'0000;
inline constexpr uint32_t kStart = 1, kAbort = 2, kLoad = 4;                             // CONTROL
inline constexpr uint32_t kBusy = 1, kDone = 2, kError = 4, kLoaded = 8, kAborted = 16;  // STATUS
inline constexpr uint32_t kTimeout = 8;  // IRQ_STATUS

class HostRig {
 protected:
  using Sentence = std::vector<uint32_t>;  // token words

  /// `files`: Verilog instead of what the generator emits; registers start at 0 then.
  HostRig(const std::vector<cosim::PublicSignal>& more_signals, double stalls,
          const cosim::VerilogFiles& files = {},
          const spec::AcceleratorConfig& config = TinyConfig())
      : config_(config),
        dut_(Build(config_, more_signals, files)),
        irq_(dut_.Get("irq_o")),
        memory_(cosim::AxiPorts::Bind(dut_),
                {.seed = 3, .stalls = stalls, .latency = 8, .latency_jitter = 8}),
        host_(cosim::AxiLitePorts::Bind(dut_), {.seed = 4, .stalls = stalls}),
        axi_checker_(cosim::AxiPorts::Bind(dut_), dut_.Get("rst_ni")),
        axil_checker_(cosim::AxiLitePorts::Bind(dut_), dut_.Get("rst_ni")),
        bench_(dut_),
        record_(4 * (spec::kResultLogitsWord + 256)) {
    MakeImage();
    memory_.AddReadOnlyRegion(kProgramBase, program_);
    memory_.AddReadOnlyRegion(kTokenBase, tokens_);
    memory_.AddRegion(kResultBase, record_);
    memory_.AddReadOnlyRegion(kWeightBase, weights_);
    bench_.Add(memory_);
    bench_.Add(host_);
    bench_.Add(axi_checker_);
    bench_.Add(axil_checker_);
  }

  /// Puts the image into the cells of the ReRAM.
  void ProgramReram() {
    const auto load = [&](const std::string& name, const std::vector<uint8_t>& bytes) {
      const cosim::Memory memory = dut_.GetMemory("u_reram_macro.g_array." + name);
      const size_t word_bytes = static_cast<size_t>(memory.bits() + 7) / 8;
      for (size_t i = 0; i < bytes.size(); ++i) {
        const int bit = 8 * static_cast<int>(i % word_bytes);
        memory[i / word_bytes].SetBits(bit, std::min(8, memory.bits() - bit), bytes[i]);
      }
    };
    load("slc_mem", image_.reram.slc);
    load("mlc_mem", image_.reram.mlc);
  }

  /// Resets the design and what stands around it.
  void Reset() {
    memory_.Reset();
    host_.Reset();
    axi_checker_.Reset();
    axil_checker_.Reset();
    dut_.Reset();
    for (int i = 0; i < 4; ++i) bench_.Cycle();  // eb_reset_sync
  }

  /// The registers that a host writes once; false when one does not answer, or refuses.
  bool Configure() {
    bool okay = true;
    for (const auto& [name, base] :
         {std::pair{"PROGRAM_BASE", kProgramBase}, std::pair{"TOKEN_BASE", kTokenBase},
          std::pair{"RESULT_BASE", kResultBase}, std::pair{"WEIGHT_BASE", kWeightBase}}) {
      okay = okay && TryWrite(std::string(name) + "_LOW", static_cast<uint32_t>(base)) &&
             TryWrite(std::string(name) + "_HIGH", 0);
    }
    return okay && TryWrite("IRQ_ENABLE", 15) && TryWrite("RESIDENT_BYTES", 0) &&
           TryWrite("PROGRAM_LENGTH", static_cast<uint32_t>(image_.program.size()));
  }

  bool TryWrite(const std::string& name, uint32_t value) {
    return host_.Write(bench_, cosim::RegisterOffset(name), value).Okay();
  }
  std::optional<uint32_t> TryRead(const std::string& name) {
    const cosim::AxiLiteReply reply = host_.Read(bench_, cosim::RegisterOffset(name));
    return reply.Okay() ? std::optional(reply.data) : std::nullopt;
  }

  /// Starts a sentence; false when a register does not answer, or refuses.
  bool TryStart(const Sentence& sentence) {
    const std::vector<uint8_t> bytes = cosim::WordBytes(sentence);
    std::copy(bytes.begin(), bytes.end(), tokens_.begin());
    std::fill(record_.begin(), record_.end(), 0);
    return TryWrite("LENGTH", static_cast<uint32_t>(sentence.size())) && TryWrite("THRESHOLD", 0) &&
           TryWrite("CONTROL", kStart);
  }

  bool WaitForInterrupt(uint64_t limit) {
    return bench_.RunUntil([&] { return irq_.Get() != 0; }, limit);
  }

  /// The record that the golden machine leaves of a sentence.
  [[nodiscard]] std::vector<uint32_t> GoldenRecord(const Sentence& sentence) const {
    model::Machine machine(config_, image_);
    const model::SentenceResult& golden = machine.Run(sentence, /*threshold=*/0);
    EB_CHECK(golden.error == spec::ErrorCode::kNone, "the golden machine ends with an error");
    std::vector<uint32_t> expected(record_.size() / 4);
    expected[0] = spec::kResultMarker;
    expected[1] = static_cast<uint32_t>(golden.exit_layer);
    expected[2] = static_cast<uint32_t>(golden.prediction);
    expected[3] = static_cast<uint32_t>(golden.logits.size());
    std::copy(golden.entropies.begin(), golden.entropies.end(), expected.begin() + 4);
    for (size_t c = 0; c < golden.logits.size(); ++c) {
      expected[spec::kResultLogitsWord + c] = static_cast<uint32_t>(golden.logits[c]);
    }
    return expected;
  }

  spec::AcceleratorConfig config_;
  cosim::Dut dut_;
  cosim::Port irq_;
  cosim::AxiMemory memory_;
  cosim::AxiLiteMaster host_;
  cosim::AxiChecker axi_checker_;
  cosim::AxiLiteChecker axil_checker_;
  cosim::Bench bench_;
  model::Image image_;
  std::vector<Sentence> sentences_;
  std::vector<uint8_t> program_, tokens_, record_, weights_;

  static spec::AcceleratorConfig TinyConfig() {
    auto config = spec::LoadConfig(EDGEBERT_CONFIGS "/tiny.cfg");
    EB_CHECK(config.ok(), "{}", config.error().Format());
    return *config;
  }

 private:
  static cosim::Dut Build(const spec::AcceleratorConfig& config,
                          const std::vector<cosim::PublicSignal>& more_signals,
                          const cosim::VerilogFiles& files) {
    std::vector<cosim::PublicSignal> signals = {{"eb_reram_macro", "slc_mem", true},
                                                {"eb_reram_macro", "mlc_mem", true},
                                                {"eb_sequencer", "unit_busy_i"}};
    signals.insert(signals.end(), more_signals.begin(), more_signals.end());
    const bool emitted = files.empty();
    auto dut = cosim::Dut::Build(
        {.files = emitted ? cosim::EmitVerilog(config) : files,
         .top = "eb_top",
         .public_signals = signals,
         .optimize = cosim::Optimize::kQuick,
         .unknowns = emitted ? cosim::Unknowns::kRandom : cosim::Unknowns::kFast},
        /*seed=*/8);
    EB_CHECK(dut.ok(), "{}", dut.error().Format());
    dut->SetCycleLimit(~uint64_t{0});  // every wait has its own
    return std::move(dut).value();
  }

  /// A random model of 3 layers, and sentences.
  void MakeImage() {
    constexpr uint64_t kSeed = 9;
    const auto model = checkpoint::RandomModelConfig(config_, kSeed);
    const auto weights = checkpoint::RandomModelWeights(model, config_.vmac.n, kSeed);
    const auto sentences =
        checkpoint::RandomSentences(model, config_.model.seq_len, /*count=*/3, kSeed);
    const auto biases =
        checkpoint::Calibrate({model, weights}, sentences, checkpoint::FormatOf(config_));
    auto built = checkpoint::BuildImage(model, weights, biases, config_, {.name = "random"});
    EB_CHECK(built.ok(), "{}", built.error().Format());
    image_ = *std::move(built);
    for (const auto& sentence : sentences) {
      sentences_.push_back(checkpoint::TokenWords(sentence));
    }
    for (const auto& instruction : image_.program) {
      const auto bytes = cosim::WordBytes(instruction.words);
      program_.insert(program_.end(), bytes.begin(), bytes.end());
    }
    tokens_.resize(4 * static_cast<size_t>(config_.model.seq_len));
    weights_ = image_.weights;
  }
};

}  // namespace edgebert
