// Two tasks on one embedding table: the accelerator goes from one to the other without a reset and
// without touching its ReRAM, and every write-back is still that of the golden machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cosim/system/accelerator.h"
#include "cosim/system/scoreboard.h"
#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/checkpoint/sentences.h"

namespace edgebert::cosim {
namespace {

constexpr uint64_t kShape = 9;  // seed of what both tasks have in common
constexpr uint64_t kLimit = 400'000;

struct Task {
  model::Image image;
  std::vector<uint32_t> tokens;
};

/// A random model of its own on the tables of seed kShape.
Task RandomTask(const spec::AcceleratorConfig& config, uint64_t seed, int layers) {
  checkpoint::ModelConfig model = checkpoint::RandomModelConfig(config, kShape);
  const auto common = checkpoint::RandomModelWeights(model, config.vmac.n, kShape);
  model.num_hidden_layers = layers;
  auto weights = checkpoint::RandomModelWeights(model, config.vmac.n, seed);
  weights.word_embeddings = common.word_embeddings;
  weights.position_embeddings = common.position_embeddings;
  weights.type_embeddings = common.type_embeddings;
  const auto sentences = checkpoint::RandomSentences(model, config.model.seq_len, 2, kShape);
  const auto biases =
      checkpoint::Calibrate({model, weights}, sentences, checkpoint::FormatOf(config));
  auto image = checkpoint::BuildImage(model, weights, biases, config, {.name = "random"});
  EB_CHECK(image.ok(), "{}", image.error().Format());
  return {*std::move(image), checkpoint::TokenWords(sentences[0])};
}

/// Passes samples to the scoreboard of the task that runs.
struct Relay : Agent {
  void Sample(uint64_t cycle) override {
    if (target != nullptr) target->Sample(cycle);
  }
  Scoreboard* target = nullptr;
};

class TaskSwitch : public testing::TestWithParam<int> {  // KiB of weights on chip
 protected:
  void SetUp() override {
    auto config = spec::LoadConfig(EDGEBERT_CONFIGS "/tiny.cfg");
    ASSERT_TRUE(config.ok()) << config.error().Format();
    config_ = *config;
    config_.memory.resident_kib = GetParam();
    auto built = Accelerator::Build(config_, EmitVerilog(config_),
                                    {.optimize = Optimize::kQuick, .stalls = 0.2, .latency = 9});
    ASSERT_TRUE(built.ok()) << built.error().Format();
    accelerator_ = std::move(*built);
    accelerator_->Add(relay_);
  }
  /// The first divergence of a sentence of `task`, as text.
  std::string Run(const Task& task) {
    Scoreboard scoreboard(accelerator_->dut(), config_, task.image);
    relay_.target = &scoreboard;
    scoreboard.Start(task.tokens, 0);
    const HardwareResult result =
        accelerator_->Run(task.tokens, 0, 3, kLimit, [&] { return scoreboard.diverged(); });
    if (!result.finished && !scoreboard.diverged()) scoreboard.ReportHang(kLimit);
    scoreboard.Finish(result, accelerator_->Violations());
    relay_.target = nullptr;
    return scoreboard.diverged() ? scoreboard.divergence()->Format() : "";
  }

  spec::AcceleratorConfig config_;
  std::unique_ptr<Accelerator> accelerator_;
  Relay relay_;
};

TEST_P(TaskSwitch, ThereAndBack) {
  const Task one = RandomTask(config_, 9, 2);
  const Task other = RandomTask(config_, 10, 1);
  ASSERT_EQ(one.image.reram, other.image.reram);
  ASSERT_NE(one.image.weights, other.image.weights);
  ASSERT_TRUE(accelerator_->Load(one.image, 1).ok());
  EXPECT_EQ(Run(one), "");
  for (const Task* task : {&other, &one, &other}) {
    const auto cost = accelerator_->SwitchTask(task->image);
    ASSERT_TRUE(cost.ok()) << cost.error().Format();
    // A program is 32 bytes an instruction; weights come along only where they are kept on chip.
    const size_t weights = GetParam() > 0 ? task->image.weights.size() : 0;
    EXPECT_EQ(cost->bytes, 32 * task->image.program.size() + weights);
    EXPECT_GT(cost->cycles, 8 * cost->bytes / static_cast<uint64_t>(config_.axi.data_width));
    EXPECT_EQ(Run(*task), "");
  }
}

TEST_P(TaskSwitch, IsSeenByTheScoreboard) {
  const Task one = RandomTask(config_, 9, 2);
  const Task other = RandomTask(config_, 10, 2);
  ASSERT_TRUE(accelerator_->Load(one.image, 1).ok());
  EXPECT_NE(Run(other), "");
}

TEST_P(TaskSwitch, RefusesOtherTables) {
  const Task one = RandomTask(config_, 9, 2);
  Task other = RandomTask(config_, 10, 2);
  other.image.reram.mlc[0] ^= 1;
  ASSERT_TRUE(accelerator_->Load(one.image, 1).ok());
  const auto cost = accelerator_->SwitchTask(other.image);
  ASSERT_FALSE(cost.ok());
  EXPECT_THAT(cost.error().Format(), testing::HasSubstr("[cosim-switch]"));
  EXPECT_EQ(Run(one), "");
}

// The models that ship, on one accelerator.
TEST(ShippedModels, ShareTheirTablesAndKnowTheirTasks) {
  auto config = spec::LoadConfig(EDGEBERT_CONFIGS "/default.cfg");
  ASSERT_TRUE(config.ok()) << config.error().Format();
  config->model.classes = 7;
  std::vector<model::ReramImage> rerams;
  for (const auto& [name, sentences] :
       std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>>{
           {"sst2",
            {{"a warm and wonderful film", "positive"},
             {"dull, ugly and far too long", "negative"}}},
           {"snips",
            {{"play some jazz by miles davis", "PlayMusic"},
             {"will it rain in paris tomorrow", "GetWeather"},
             {"book a table for two at an italian restaurant", "BookRestaurant"}}}}) {
    const std::string folder = EDGEBERT_MODELS "/" + name;
    const auto model = checkpoint::LoadModel(folder);
    ASSERT_TRUE(model.ok()) << model.error().Format();
    const auto biases = checkpoint::ReadActivationBiases(folder);
    ASSERT_TRUE(biases.ok()) << biases.error().Format();
    const auto image = checkpoint::BuildImage(model->config, model->weights, *biases, *config, {});
    ASSERT_TRUE(image.ok()) << image.error().Format();
    rerams.push_back(image->reram);
    const auto tokenizer = checkpoint::Tokenizer::Load(folder + "/tokenizer.model", model->config);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().Format();
    model::Machine machine(*config, *image);
    for (const auto& [text, label] : sentences) {
      const auto read = checkpoint::ReadSentences({.texts = {text}, .pair = "", .data = ""},
                                                  model->config, *tokenizer, config->model.seq_len);
      ASSERT_TRUE(read.ok()) << read.error().Format();
      const auto& result = machine.Run(checkpoint::TokenWords((*read)[0].tokens), 0);
      EXPECT_EQ(model->config.labels[size_t(result.prediction)], label) << text;
    }
  }
  EXPECT_EQ(rerams[0], rerams[1]);
}

INSTANTIATE_TEST_SUITE_P(Weights, TaskSwitch, testing::Values(0, 64));

}  // namespace
}  // namespace edgebert::cosim
