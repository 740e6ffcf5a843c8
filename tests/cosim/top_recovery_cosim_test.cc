// eb_top after aborts, bus errors and broken inputs: it says what happened, leaves its buses quiet,
// and runs the next sentence as the golden machine does.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cosim/axi/axi_checker.h"
#include "cosim/axi/axi_lite_master.h"
#include "cosim/axi/axi_memory.h"
#include "cosim/sim/bench.h"
#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "cosim/system/accelerator.h"
#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/model/machine.h"
#include "tests/cosim/system_support.h"

namespace edgebert {
namespace {

using cosim::AxiResponse;
using cosim::RegisterOffset;
using spec::ErrorCode;

constexpr uint64_t kProgramBase = 0x1'0000;
constexpr uint64_t kTokenBase = 0x2'0000;
constexpr uint64_t kResultBase = 0x3'0000;
constexpr uint64_t kWeightBase = 0x10'0000;
constexpr uint32_t kStart = 1, kAbort = 2, kLoad = 4;                             // CONTROL
constexpr uint32_t kBusy = 1, kDone = 2, kError = 4, kLoaded = 8, kAborted = 16;  // STATUS
constexpr uint64_t kLimit = 200'000;

spec::AcceleratorConfig TinyConfig() {
  auto config = spec::LoadConfig(EDGEBERT_CONFIGS "/tiny.cfg");
  EB_CHECK(config.ok(), "{}", config.error().Format());
  return *config;
}

std::vector<uint8_t> Bytes(std::span<const uint32_t> words) {
  std::vector<uint8_t> bytes;
  for (const uint32_t word : words) {
    for (int b = 0; b < 4; ++b) bytes.push_back(static_cast<uint8_t>(word >> (8 * b)));
  }
  return bytes;
}

class TopRecovery : public testing::Test {
 protected:
  TopRecovery()
      : config_(TinyConfig()),
        dut_(Build(config_)),
        memory_(cosim::AxiPorts::Bind(dut_),
                {.seed = 3, .stalls = 0.2, .latency = 8, .latency_jitter = 8}),
        host_(cosim::AxiLitePorts::Bind(dut_), {.seed = 4, .stalls = 0.2}),
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
    dut_.Reset();
    for (int i = 0; i < 4; ++i) bench_.Cycle();  // eb_reset_sync
    for (const auto& [name, base] :
         {std::pair{"PROGRAM_BASE_LOW", kProgramBase}, std::pair{"TOKEN_BASE_LOW", kTokenBase},
          std::pair{"RESULT_BASE_LOW", kResultBase}, std::pair{"WEIGHT_BASE_LOW", kWeightBase}}) {
      Write(name, static_cast<uint32_t>(base));
    }
    Write("IRQ_ENABLE", 7);
    Write("PROGRAM_LENGTH", static_cast<uint32_t>(image_.program.size()));
    Load();
  }
  ~TopRecovery() override {
    EXPECT_TRUE(memory_.Idle());
    EXPECT_EQ(test::Format(axi_checker_.violations()), "");
    EXPECT_EQ(test::Format(axil_checker_.violations()), "");
  }

  static cosim::Dut Build(const spec::AcceleratorConfig& config) {
    auto dut = cosim::Dut::Build({.files = cosim::EmitVerilog(config),
                                  .top = "eb_top",
                                  .public_signals = {{"eb_reram_macro", "slc_mem", true},
                                                     {"eb_reram_macro", "mlc_mem", true},
                                                     {"eb_sequencer", "unit_busy_i"}},
                                  .optimize = cosim::Optimize::kQuick,
                                  .unknowns = cosim::Unknowns::kRandom},
                                 /*seed=*/8);
    EB_CHECK(dut.ok(), "{}", dut.error().Format());
    return std::move(dut).value();
  }

  /// A random model of 3 layers, and a sentence.
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
    sentence_ = checkpoint::TokenWords(sentences[0]);
    for (const auto& instruction : image_.program) {
      const auto bytes = Bytes(instruction.words);
      program_.insert(program_.end(), bytes.begin(), bytes.end());
    }
    tokens_.resize(4 * static_cast<size_t>(config_.model.seq_len));
    weights_ = image_.weights;
    const auto load = [&](const std::string& name, const std::vector<uint8_t>& bytes) {
      const cosim::Memory memory = dut_.GetMemory("u_reram_macro.g_array." + name);
      const size_t word_bytes = static_cast<size_t>(memory.bits()) / 8;
      for (size_t i = 0; i < bytes.size(); ++i) {
        memory[i / word_bytes].SetBits(8 * static_cast<int>(i % word_bytes), 8, bytes[i]);
      }
    };
    load("slc_mem", image_.reram.slc);
    load("mlc_mem", image_.reram.mlc);
  }

  void Write(const std::string& name, uint32_t value) {
    EXPECT_TRUE(host_.Write(bench_, RegisterOffset(name), value).Okay()) << name;
  }
  uint32_t Read(const std::string& name) {
    const cosim::AxiLiteReply reply = host_.Read(bench_, RegisterOffset(name));
    EXPECT_TRUE(reply.Okay()) << name;
    return reply.data;
  }
  void Start(const std::vector<uint32_t>& sentence) {
    const std::vector<uint8_t> bytes = Bytes(sentence);
    std::copy(bytes.begin(), bytes.end(), tokens_.begin());
    std::fill(record_.begin(), record_.end(), 0);
    Write("LENGTH", static_cast<uint32_t>(sentence.size()));
    Write("CONTROL", kStart);
  }
  /// Waits for the interrupt and expects a state.
  void Finish(uint32_t status, uint32_t error = 0) {
    const cosim::Port irq = dut_.Get("irq_o");
    ASSERT_TRUE(bench_.RunUntil([&] { return irq.Get() != 0; }, kLimit)) << "no interrupt";
    EXPECT_EQ(Read("STATUS"), status);
    EXPECT_EQ(Read("ERROR"), error);
    EXPECT_EQ(Read("IRQ_STATUS"), status >> 1 == (kDone | kLoaded) >> 1 ? 1U
                                  : (status & kError) != 0              ? 2U
                                                                        : 4U);
    EXPECT_EQ(dut_.Get("u_sequencer.unit_busy_i").Get(), 0U);
    EXPECT_TRUE(memory_.Idle());
    Write("IRQ_STATUS", 7);
    EXPECT_EQ(irq.Get(), 0U);
  }
  /// Loads what `program_` is now.
  void Load() {
    Write("CONTROL", kLoad);
    Finish(kDone | kLoaded);
  }
  static uint32_t ErrorWord(ErrorCode code, uint32_t detail) {
    return static_cast<uint32_t>(code) | detail << 8;
  }

  /// Runs the sentence to its end and compares with the golden machine.
  void ExpectGolden() {
    Start(sentence_);
    Finish(kDone | kLoaded);
    model::Machine machine(config_, image_);
    const model::SentenceResult& golden = machine.Run(sentence_, /*threshold=*/0);
    ASSERT_EQ(golden.error, ErrorCode::kNone);
    std::vector<uint32_t> expected(record_.size() / 4);
    expected[0] = spec::kResultMarker;
    expected[1] = static_cast<uint32_t>(golden.exit_layer);
    expected[2] = static_cast<uint32_t>(golden.prediction);
    expected[3] = static_cast<uint32_t>(golden.logits.size());
    std::copy(golden.entropies.begin(), golden.entropies.end(), expected.begin() + 4);
    for (size_t c = 0; c < golden.logits.size(); ++c) {
      expected[spec::kResultLogitsWord + c] = static_cast<uint32_t>(golden.logits[c]);
    }
    EXPECT_EQ(record_, Bytes(expected));
    EXPECT_EQ(Read("EXIT_LAYER"), expected[1]);
    EXPECT_EQ(Read("PREDICTION"), expected[2]);
    EXPECT_EQ(Read("ENTROPY"), golden.entropies.back());
  }

  spec::AcceleratorConfig config_;
  cosim::Dut dut_;
  cosim::AxiMemory memory_;
  cosim::AxiLiteMaster host_;
  cosim::AxiChecker axi_checker_;
  cosim::AxiLiteChecker axil_checker_;
  cosim::Bench bench_;
  model::Image image_;
  std::vector<uint32_t> sentence_;
  std::vector<uint8_t> program_, tokens_, record_, weights_;
};

TEST_F(TopRecovery, AbortAtAnyMoment) {
  ExpectGolden();
  cosim::Random random(5);
  int aborted = 0;
  for (int i = 0; i < 60; ++i) {
    Start(sentence_);
    // Early moments are dense: tokens, embedding and the first tiles follow each other quickly.
    const uint64_t wait = random.Below(i % 2 == 0 ? 600 : 12'000);
    for (uint64_t cycle = 0; cycle < wait; ++cycle) bench_.Cycle();
    if ((Read("STATUS") & kBusy) == 0) {
      Finish(kDone | kLoaded);
      continue;
    }
    Write("CONTROL", kAbort);
    const cosim::Port irq = dut_.Get("irq_o");
    ASSERT_TRUE(bench_.RunUntil([&] { return irq.Get() != 0; }, kLimit));
    if ((Read("STATUS") & kDone) != 0) {  // it ended while the abort was on its way
      Finish(kDone | kLoaded);
      continue;
    }
    Finish(kAborted | kLoaded);
    ++aborted;
    if (i % 4 == 0) ExpectGolden();
  }
  EXPECT_GT(aborted, 30);
  ExpectGolden();
}

TEST_F(TopRecovery, ReadErrorsAnywhere) {
  for (const auto& [base, length, detail] :
       {std::tuple{kProgramBase, uint64_t{program_.size()}, 0U},
        std::tuple{kTokenBase, uint64_t{4 * sentence_.size()}, 1U},
        std::tuple{kWeightBase, uint64_t{weights_.size()}, 2U}}) {
    for (const uint64_t part : {0, 1, 2, 3}) {
      const uint64_t beat = config_.axi.data_width / 8U;
      const uint64_t address = base + (length - 1) * part / 3 / beat * beat;
      memory_.AddFault(
          {.first_address = address,
           .last_address = address + beat - 1,
           .response = part % 2 == 0 ? AxiResponse::kSlaveError : AxiResponse::kDecodeError});
      if (detail == 0) {
        Write("CONTROL", kLoad);
        Finish(kError, ErrorWord(ErrorCode::kAxiRead, detail));
      } else {
        Start(sentence_);
        Finish(kError | kLoaded, ErrorWord(ErrorCode::kAxiRead, detail));
      }
      memory_.ClearFaults();
      if (detail == 0) {
        Write("CONTROL", kLoad);
        Finish(kDone | kLoaded);
      }
      ExpectGolden();
    }
  }
}

TEST_F(TopRecovery, WriteErrors) {
  for (const uint64_t write : {0, 2, 5}) {
    memory_.AddFault({.write = true, .burst = memory_.traffic().write_bursts + write});
    Start(sentence_);
    Finish(kError | kLoaded, ErrorWord(ErrorCode::kAxiWrite, 0));
    memory_.ClearFaults();
    ExpectGolden();
  }
}

TEST_F(TopRecovery, WeightsOfAnotherProgram) {
  const std::vector<uint8_t> good = weights_;
  for (size_t i = weights_.size() / 3; i < weights_.size(); ++i) weights_[i] = 0x11;
  Start(sentence_);
  Finish(kError | kLoaded, ErrorWord(ErrorCode::kStreamFormat, 0));
  std::copy(good.begin(), good.end(), weights_.begin());
  ExpectGolden();
}

/// Before the first record are gamma and beta of the embeddings and the biases of a strip.
TEST_F(TopRecovery, AKTileThatTheSourceDoesNotHave) {
  size_t groups = 1;
  const spec::Instruction* projection = nullptr;
  for (const spec::Instruction& instruction : image_.program) {
    const auto opcode = static_cast<spec::Opcode>(instruction.Get(spec::kOpcode));
    if (opcode == spec::Opcode::kLayerNorm) {
      groups += 2 * static_cast<size_t>(instruction.Get(spec::kLayerNormVectors));
    }
    if (opcode != spec::Opcode::kMatmul) continue;
    projection = &instruction;
    break;
  }
  const size_t beat = static_cast<size_t>(config_.axi.data_width) / 8;
  const auto lanes = static_cast<size_t>(config_.vmac.n);
  const size_t group = (lanes * 4 + beat - 1) / beat * beat;
  const size_t prefix = (spec::kTilePrefixBits / 8 + lanes * lanes / 8 + beat - 1) / beat * beat;
  std::span<uint8_t> record = std::span(weights_).subspan(groups * group);
  // A strip without tiles: the next one begins with its biases.
  while ((record[2] >> (spec::kTileEmptyBit - 16) & 1) != 0) {
    record = record.subspan(prefix + group);
  }
  ASSERT_EQ(record[3], spec::kTileMarker);
  const std::array<uint8_t, 2> good = {record[0], record[1]};
  const auto limit = static_cast<uint32_t>(projection->Get(spec::kMatmulKTiles));
  for (const uint32_t k_tile : {limit, limit + 256, 0xffffU}) {
    record[0] = static_cast<uint8_t>(k_tile);
    record[1] = static_cast<uint8_t>(k_tile >> 8);
    Start(sentence_);
    Finish(kError | kLoaded, ErrorWord(ErrorCode::kStreamFormat, 0));
    std::copy(good.begin(), good.end(), record.begin());
    ExpectGolden();
  }
}

TEST_F(TopRecovery, AnEmbeddingOfNoVectors) {
  const std::vector<uint8_t> good = program_;
  size_t pc = 0;
  while (image_.program[pc].Get(spec::kOpcode) != static_cast<int64_t>(spec::Opcode::kEmbed)) ++pc;
  spec::Instruction none = image_.program[pc];
  none.Set(spec::kEmbedVectors, 0);
  const std::vector<uint8_t> bytes = Bytes(none.words);
  std::copy(bytes.begin(), bytes.end(), &program_[pc * bytes.size()]);
  Load();
  Start(sentence_);
  Finish(kError | kLoaded, ErrorWord(ErrorCode::kBadOperand, static_cast<uint32_t>(pc)));
  std::copy(good.begin(), good.end(), program_.begin());
  Load();
  ExpectGolden();
}

TEST_F(TopRecovery, TokensOutsideTheTables) {
  std::vector<uint32_t> wrong = sentence_;
  wrong.back() = 0xffffff;
  Start(wrong);
  Finish(kError | kLoaded,
         ErrorWord(ErrorCode::kTokenRange, static_cast<uint32_t>(sentence_.size()) - 1));
  wrong = sentence_;
  wrong[1] |= 0xffU << spec::kTokenTypeBit;
  Start(wrong);
  Finish(kError | kLoaded, ErrorWord(ErrorCode::kTypeRange, 1));
  Start(std::vector<uint32_t>{});
  Finish(kError | kLoaded, ErrorWord(ErrorCode::kLength, 0));
  ExpectGolden();
}

TEST_F(TopRecovery, BusyRefusesAndCountersStandStill) {
  Start(sentence_);
  EXPECT_EQ(host_.Write(bench_, RegisterOffset("CONTROL"), kStart).response,
            AxiResponse::kSlaveError);
  EXPECT_EQ(host_.Write(bench_, RegisterOffset("LENGTH"), 1).response, AxiResponse::kSlaveError);
  EXPECT_EQ(host_.Write(bench_, RegisterOffset("WEIGHT_BASE_LOW"), 0).response,
            AxiResponse::kSlaveError);
  EXPECT_EQ(Read("STATUS"), kBusy | kLoaded);
  Finish(kDone | kLoaded);
  const auto counters = [&] {
    std::vector<uint32_t> values;
    for (uint32_t c = 0; c < spec::kCounters.size(); ++c) {
      values.push_back(host_.Read(bench_, spec::kCounterBase + 8 * c).data);
    }
    return values;
  };
  const std::vector<uint32_t> first = counters();
  for (int i = 0; i < 100; ++i) bench_.Cycle();
  EXPECT_EQ(counters(), first);
  EXPECT_GT(first[cosim::CounterIndex("CYCLES")], first[cosim::CounterIndex("MAC_CYCLES")]);
  ExpectGolden();
}

}  // namespace
}  // namespace edgebert
