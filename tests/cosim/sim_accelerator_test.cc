// The whole accelerator beside the golden machine: models that must agree, and disturbances of the
// hardware's inputs that the scoreboard must find, and name the place of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cosim/system/accelerator.h"
#include "cosim/system/scoreboard.h"
#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/random_checkpoint.h"

namespace edgebert::cosim {
namespace {

using testing::HasSubstr;

constexpr uint32_t kFullDepth = 0;  // threshold

spec::AcceleratorConfig TinyConfig() {
  auto config = spec::LoadConfig(EDGEBERT_CONFIGS "/tiny.cfg");
  EB_CHECK(config.ok(), "{}", config.error().Format());
  return *config;
}

/// A random model and what it runs.
struct Case {
  Case(const spec::AcceleratorConfig& config, uint64_t seed, int count = 3) {
    model = checkpoint::RandomModelConfig(config, seed);
    const auto weights = checkpoint::RandomModelWeights(model, config.vmac.n, seed);
    const auto tokens = checkpoint::RandomSentences(model, config.model.seq_len, count, seed);
    const auto biases =
        checkpoint::Calibrate({model, weights}, tokens, checkpoint::FormatOf(config));
    auto built = checkpoint::BuildImage(model, weights, biases, config, {.name = "random"});
    EB_CHECK(built.ok(), "{}", built.error().Format());
    image = *std::move(built);
    for (const auto& sentence : tokens) sentences.push_back(checkpoint::TokenWords(sentence));
  }
  checkpoint::ModelConfig model;
  model::Image image;
  std::vector<std::vector<uint32_t>> sentences;
};

/// Lets a new scoreboard take the place of the last one.
struct Relay : Agent {
  void Sample(uint64_t cycle) override {
    if (target != nullptr) target->Sample(cycle);
  }
  Scoreboard* target = nullptr;
};

/// One simulator for all tests: building it takes longer than all of them.
class AcceleratorTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto built = Accelerator::Build(TinyConfig(), EmitVerilog(TinyConfig()),
                                    {.optimize = Optimize::kQuick, .stalls = 0.3, .latency = 5});
    ASSERT_TRUE(built.ok()) << built.error().Format();
    accelerator_ = std::move(*built).release();
  }
  static void TearDownTestSuite() { delete accelerator_; }

  AcceleratorTest() : config_(TinyConfig()), case_(config_, 9) {
    relay_.target = nullptr;
    if (!relay_added_) accelerator_->Add(relay_);
    relay_added_ = true;
  }

  /// Runs a sentence on hardware that has `image`, against the golden machine with the right one.
  HardwareResult Run(const model::Image& image, const std::vector<uint32_t>& tokens,
                     const std::vector<uint32_t>& golden_tokens, uint32_t threshold = kFullDepth,
                     uint32_t golden_threshold = kFullDepth) {
    scoreboard_.emplace(accelerator_->dut(), config_, case_.image);
    relay_.target = nullptr;
    const Status loaded = accelerator_->Load(image, 1);
    EXPECT_TRUE(loaded.ok()) << loaded.error().Format();
    relay_.target = &*scoreboard_;
    scoreboard_->Start(golden_tokens, golden_threshold);
    constexpr uint64_t kLimit = 200'000;
    const HardwareResult result =
        accelerator_->Run(tokens, threshold, 1, kLimit, [&] { return scoreboard_->diverged(); });
    if (!result.finished && !scoreboard_->diverged()) scoreboard_->ReportHang(kLimit);
    scoreboard_->Finish(result, accelerator_->Violations());
    relay_.target = nullptr;
    return result;
  }
  const Divergence& Diverged() {
    EB_CHECK(scoreboard_->diverged(), "nothing diverged");
    return *scoreboard_->divergence();
  }
  /// Program counter of the first instruction with this opcode.
  size_t Find(spec::Opcode opcode) const {
    for (size_t pc = 0; pc < case_.image.program.size(); ++pc) {
      if (case_.image.program[pc].Get(spec::kOpcode) == static_cast<int64_t>(opcode)) return pc;
    }
    return case_.image.program.size();
  }

  static inline Accelerator* accelerator_ = nullptr;
  static inline Relay relay_;
  static inline bool relay_added_ = false;
  spec::AcceleratorConfig config_;
  Case case_;
  std::optional<Scoreboard> scoreboard_;
};

TEST_F(AcceleratorTest, AgreesOnRandomModels) {
  for (const uint64_t seed : {1, 3, 5, 9}) {
    case_ = Case(config_, seed);
    for (const auto& tokens : case_.sentences) {
      const HardwareResult result = Run(case_.image, tokens, tokens);
      ASSERT_TRUE(result.finished);
      ASSERT_FALSE(scoreboard_->diverged()) << "model " << seed << "\n" << Diverged().Format();
      EXPECT_EQ(result.exit_layer, case_.image.facts.layers);
      EXPECT_GT(scoreboard_->compared(), tokens.size());
      EXPECT_TRUE(accelerator_->memory().Idle());
      for (const Operation& operation : scoreboard_->operations()) {
        EXPECT_GT(operation.last_cycle, operation.first_cycle) << operation.name;
      }
    }
  }
}

TEST_F(AcceleratorTest, AgreesOnEarlyExitsWithoutAReload) {
  constexpr uint32_t kAlwaysExit = 100 << 16;
  scoreboard_.emplace(accelerator_->dut(), config_, case_.image);
  ASSERT_TRUE(accelerator_->Load(case_.image, 1).ok());
  relay_.target = &*scoreboard_;
  for (const uint32_t threshold : {kAlwaysExit, kFullDepth, kAlwaysExit}) {
    scoreboard_->Start(case_.sentences[0], threshold);
    const HardwareResult result = accelerator_->Run(case_.sentences[0], threshold, 2, 200'000, {});
    scoreboard_->Finish(result, accelerator_->Violations());
    ASSERT_FALSE(scoreboard_->diverged()) << Diverged().Format();
    EXPECT_EQ(result.exit_layer, threshold == kAlwaysExit ? 1 : case_.image.facts.layers);
  }
  relay_.target = nullptr;
}

// Weights on chip: the same results, and no weight over AXI while a sentence runs.
TEST(ResidentWeights, AgreeAndReadNoWeights) {
  spec::AcceleratorConfig config = TinyConfig();
  config.memory.resident_kib = 64;
  auto built = Accelerator::Build(config, EmitVerilog(config),
                                  {.optimize = Optimize::kQuick, .stalls = 0.3, .latency = 40});
  ASSERT_TRUE(built.ok()) << built.error().Format();
  Accelerator& accelerator = **built;
  const Case test(config, 9);
  Scoreboard scoreboard(accelerator.dut(), config, test.image);
  Relay relay;
  accelerator.Add(relay);

  // A load that fails says so, and leaves nothing resident.
  const size_t beat = static_cast<size_t>(config.axi.data_width) / 8;
  accelerator.memory().AddFault({.burst = accelerator.memory().traffic().read_bursts + 60});
  const Status failed = accelerator.Load(test.image, 1);
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(failed.error().Format(), HasSubstr("loading the program ends with error"));
  accelerator.memory().ClearFaults();

  const uint64_t before = accelerator.memory().traffic().read_beats;
  ASSERT_TRUE(accelerator.Load(test.image, 1).ok());
  const uint64_t program_beats = test.image.program.size() * (spec::kInstructionBits / 8) / beat;
  EXPECT_EQ(accelerator.memory().traffic().read_beats - before,
            program_beats + test.image.weights.size() / beat);
  relay.target = &scoreboard;
  for (const auto& tokens : test.sentences) {
    const uint64_t start = accelerator.memory().traffic().read_beats;
    scoreboard.Start(tokens, kFullDepth);
    const HardwareResult result = accelerator.Run(tokens, kFullDepth, 2, 200'000, {});
    scoreboard.Finish(result, accelerator.Violations());
    ASSERT_FALSE(scoreboard.diverged()) << scoreboard.divergence()->Format();
    EXPECT_EQ(result.exit_layer, test.image.facts.layers);
    EXPECT_EQ(accelerator.memory().traffic().read_beats - start,
              (4 * tokens.size() + beat - 1) / beat);
  }

  // Too small a memory is the user's mistake.
  config.memory.resident_kib = 1;
  auto small = Accelerator::Build(config, EmitVerilog(config), {.optimize = Optimize::kQuick});
  ASSERT_TRUE(small.ok()) << small.error().Format();
  const Status refused = (*small)->Load(test.image, 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().Format(), HasSubstr("'memory.resident_kib' holds 1024"));
}

TEST_F(AcceleratorTest, AgreesOnATokenOutsideTheVocabulary) {
  std::vector<uint32_t> tokens = case_.sentences[0];
  tokens[3] = 0xffff;
  const HardwareResult result = Run(case_.image, tokens, tokens);
  ASSERT_TRUE(result.finished);
  EXPECT_FALSE(scoreboard_->diverged()) << Diverged().Format();
  EXPECT_EQ(result.error, static_cast<uint32_t>(spec::ErrorCode::kTokenRange) | 3U << 8);
}

TEST_F(AcceleratorTest, FindsAnotherToken) {
  std::vector<uint32_t> tokens = case_.sentences[0];
  tokens[5] = (tokens[5] + 1) % static_cast<uint32_t>(case_.image.facts.vocabulary);
  Run(case_.image, tokens, case_.sentences[0]);
  EXPECT_EQ(Diverged().kind, "value");
  EXPECT_EQ(Diverged().pc, static_cast<int>(Find(spec::Opcode::kEmbed)));
  EXPECT_EQ(Diverged().row, 5);
  EXPECT_THAT(Diverged().Format(), HasSubstr("bias"));
  EXPECT_GT(Diverged().cycle, 0U);
}

TEST_F(AcceleratorTest, FindsAChangedWeight) {
  // The weight stream begins with gamma of the embedding's LayerNorm: lane 2 of its first vector.
  model::Image image = case_.image;
  image.weights[4 * 2 + 1] ^= 0x7f;
  Run(image, case_.sentences[0], case_.sentences[0]);
  EXPECT_EQ(Diverged().kind, "value");
  EXPECT_EQ(Diverged().pc, static_cast<int>(Find(spec::Opcode::kLayerNorm)));
  EXPECT_EQ(Diverged().tile, 0);
  EXPECT_EQ(Diverged().lane, 2);
  EXPECT_THAT(Diverged().note, HasSubstr("1 of 4 lanes differ: 2;"));
}

TEST_F(AcceleratorTest, FindsAChangedAddress) {
  model::Image image = case_.image;
  spec::Instruction& norm = image.program[Find(spec::Opcode::kLayerNorm)];
  norm.Set(spec::kLayerNormDstBase, norm.Get(spec::kLayerNormDstBase) + 3);
  Run(image, case_.sentences[0], case_.sentences[0]);
  EXPECT_EQ(Diverged().kind, "address");
  EXPECT_EQ(Diverged().row, 0);
}

TEST_F(AcceleratorTest, FindsMissingAndUnexpectedWrites) {
  // A LayerNorm of one row in place of all, and of all in place of one.
  for (const bool fewer : {true, false}) {
    model::Image image = case_.image;
    spec::Instruction& norm = image.program[Find(spec::Opcode::kLayerNorm)];
    norm.Set(spec::kLayerNormRowsLen, 0);
    norm.Set(spec::kLayerNormRows, 1);
    const auto& tokens = case_.sentences[0];
    if (fewer) {
      Run(image, tokens, tokens);
      EXPECT_EQ(Diverged().kind, "missing writes");
      EXPECT_EQ(Diverged().row, 1);
    } else {
      std::swap(image, case_.image);
      Run(image, tokens, tokens);
      EXPECT_EQ(Diverged().kind, "unexpected write");
    }
    EXPECT_EQ(Diverged().pc, static_cast<int>(Find(spec::Opcode::kLayerNorm)));
  }
}

TEST_F(AcceleratorTest, FindsAnotherProgramFlow) {
  model::Image image = case_.image;
  std::swap(image.program[Find(spec::Opcode::kExit)], image.program[Find(spec::Opcode::kEmbed)]);
  Run(image, case_.sentences[0], case_.sentences[0]);
  EXPECT_EQ(Diverged().kind, "program");

  constexpr uint32_t kAlwaysExit = 100 << 16;
  Run(case_.image, case_.sentences[0], case_.sentences[0], kAlwaysExit, kFullDepth);
  EXPECT_EQ(Diverged().kind, "program");
  EXPECT_EQ(Diverged().expected, "no exit");
}

TEST_F(AcceleratorTest, ReportsAHang) {
  model::Image image = case_.image;
  spec::Instruction& stream = image.program[Find(spec::Opcode::kStream)];
  stream.Set(spec::kStreamBeats, 1);
  for (spec::Instruction& instruction : image.program) {
    if (instruction.Get(spec::kOpcode) == static_cast<int64_t>(spec::Opcode::kStream)) {
      instruction.Set(spec::kStreamBeats, 1);
    }
  }
  Run(image, case_.sentences[0], case_.sentences[0]);
  EXPECT_EQ(Diverged().kind, "hang");
  EXPECT_THAT(Diverged().note, HasSubstr("layer_norm    busy: "));
  EXPECT_THAT(Diverged().note, HasSubstr("words request 1 valid 0"));
  EXPECT_LT(Diverged().cycle, accelerator_->dut().cycles() - 100'000);
}

TEST_F(AcceleratorTest, FindsABusError) {
  accelerator_->memory().AddFault({.burst = accelerator_->memory().traffic().read_bursts + 30});
  Run(case_.image, case_.sentences[0], case_.sentences[0]);
  accelerator_->memory().ClearFaults();
  EXPECT_EQ(Diverged().kind, "result");
  EXPECT_EQ(Diverged().expected, "error code 0");
  EXPECT_EQ(Diverged().got, "error code 1");
}

}  // namespace
}  // namespace edgebert::cosim
