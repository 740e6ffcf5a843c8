// Thousands of sentences through one instance of the RTL that is never reset: two tasks in turn,
// early, late and no exits, stalls part of the time. Every write-back and result is compared, and
// without stalls every counter that the cycle model predicts, so that nothing drifts.
//
// With $EDGEBERT_REPORT the long form writes long_run.md into that folder.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "cosim/system/accelerator.h"
#include "cosim/system/scoreboard.h"
#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/model/cycle_model.h"

namespace edgebert::cosim {
namespace {

constexpr uint64_t kShape = 9;  // seed of what both tasks have in common
constexpr int kSentencesOfATask = 40;
constexpr double kStalls = 0.2;
constexpr int kLatency = 9;
constexpr size_t kMostLayers = 3;

/// A random model, its sentences, and what watches it run.
struct Task {
  std::string name;
  model::Image image;
  std::vector<std::vector<uint32_t>> sentences;
  std::array<uint32_t, 3> thresholds{};  ///< never, sometimes, always after the first layer
  std::unique_ptr<Scoreboard> scoreboard;
  std::unique_ptr<model::CycleModel> cycles;
};

/// Counts of a run.
struct Totals {
  int sentences = 0, switches = 0, stalled = 0, predicted = 0;
  uint64_t compared = 0, cycles = 0;
  std::array<std::array<int, kMostLayers>, 2> exits{};  ///< by task and layer
};

/// Passes samples to the scoreboard of the task that runs.
struct Relay : Agent {
  void Sample(uint64_t cycle) override {
    if (target != nullptr) target->Sample(cycle);
  }
  Scoreboard* target = nullptr;
};

class LongRun : public testing::Test {
 protected:
  void SetUp() override {
    auto config = spec::LoadConfig(EDGEBERT_CONFIGS "/tiny.cfg");
    ASSERT_TRUE(config.ok()) << config.error().Format();
    config_ = *config;
    auto built = Accelerator::Build(config_, EmitVerilog(config_), {.latency = kLatency});
    ASSERT_TRUE(built.ok()) << built.error().Format();
    accelerator_ = std::move(*built);
    accelerator_->Add(relay_);
    for (const int task : {0, 1}) MakeTask(task);
    ASSERT_EQ(tasks_[0].image.reram, tasks_[1].image.reram);
  }

  /// Task 0 has as many layers as the configuration, task 1 one less.
  void MakeTask(int number) {
    checkpoint::ModelConfig model = checkpoint::RandomModelConfig(config_, kShape);
    const auto common = checkpoint::RandomModelWeights(model, config_.vmac.n, kShape);
    model.num_hidden_layers = config_.model.layers - number;
    auto weights = checkpoint::RandomModelWeights(model, config_.vmac.n, kShape + 1 + number);
    weights.word_embeddings = common.word_embeddings;
    weights.position_embeddings = common.position_embeddings;
    weights.type_embeddings = common.type_embeddings;
    const auto sentences = checkpoint::RandomSentences(model, config_.model.seq_len,
                                                       kSentencesOfATask, kShape + number);
    const auto biases =
        checkpoint::Calibrate({model, weights}, sentences, checkpoint::FormatOf(config_));
    auto image = checkpoint::BuildImage(model, weights, biases, config_, {.name = "random"});
    EB_CHECK(image.ok(), "{}", image.error().Format());
    Task& task = tasks_[static_cast<size_t>(number)];
    task.image = *std::move(image);
    for (const auto& sentence : sentences) {
      task.sentences.push_back(checkpoint::TokenWords(sentence));
    }
    task.scoreboard = std::make_unique<Scoreboard>(accelerator_->dut(), config_, task.image);
    task.cycles = std::make_unique<model::CycleModel>(
        config_, task.image, model::MemoryTiming{kLatency, AxiMemoryOptions{}.outstanding});
    // Half of the sentences leave after the first layer at the second threshold.
    model::Machine machine(config_, task.image);
    std::vector<uint32_t> entropies;
    for (const auto& tokens : task.sentences) {
      entropies.push_back(machine.Run(tokens, 0).entropies.front());
    }
    std::ranges::sort(entropies);
    task.thresholds = {0, entropies[entropies.size() / 2], entropies.back() + 1};
  }

  /// Stops at the first thing that is wrong.
  Totals Run(int sentences, uint64_t seed) {
    Totals totals;
    Random random(seed);
    size_t current = 0;
    EXPECT_TRUE(accelerator_->Load(tasks_[0].image, seed).ok());
    for (int i = 0; i < sentences && !HasFailure(); ++i) {
      SCOPED_TRACE(fmt::format("sentence {} of seed {}", i, seed));
      const bool stalls = random.Chance(0.5);
      accelerator_->SetStalls(stalls ? kStalls : 0);
      if (random.Chance(0.5)) {
        current = 1 - current;
        const auto cost = accelerator_->SwitchTask(tasks_[current].image);
        EXPECT_TRUE(cost.ok()) << cost.error().Format();
        ++totals.switches;
      }
      Task& task = tasks_[current];
      const auto& tokens = task.sentences[random.Below(task.sentences.size())];
      const uint32_t threshold = task.thresholds[random.Below(task.thresholds.size())];
      const HardwareResult result = RunSentence(task, tokens, threshold, random.Next());
      if (HasFailure()) break;
      if (!stalls) ExpectPredicted(result, task.cycles->Predict(tokens, result.exit_layer));
      ++totals.sentences;
      totals.stalled += stalls ? 1 : 0;
      totals.predicted += stalls ? 0 : 1;
      totals.compared += task.scoreboard->compared();
      totals.cycles += result.Counter("CYCLES");
      ++totals.exits[current][static_cast<size_t>(result.exit_layer) - 1];
    }
    return totals;
  }

  HardwareResult RunSentence(Task& task, const std::vector<uint32_t>& tokens, uint32_t threshold,
                             uint64_t seed) {
    constexpr uint64_t kLimit = 400'000;
    relay_.target = task.scoreboard.get();
    task.scoreboard->Start(tokens, threshold);
    HardwareResult result = accelerator_->Run(tokens, threshold, seed, kLimit,
                                              [&] { return task.scoreboard->diverged(); });
    if (!result.finished && !task.scoreboard->diverged()) task.scoreboard->ReportHang(kLimit);
    task.scoreboard->Finish(result, accelerator_->Violations());
    relay_.target = nullptr;
    EXPECT_FALSE(task.scoreboard->diverged()) << task.scoreboard->divergence()->Format();
    return result;
  }

  static void ExpectPredicted(const HardwareResult& rtl, const model::CyclePrediction& predicted) {
    for (const auto& [name, cycles] : {std::pair{"CYCLES", predicted.cycles},
                                       {"MAC_CYCLES", predicted.array.mac},
                                       {"WAIT_WEIGHT", predicted.array.weight},
                                       {"WAIT_HELD", predicted.array.held},
                                       {"WAIT_READ", predicted.array.read},
                                       {"WAIT_DRAIN", predicted.array.drain},
                                       {"IDLE_MATMUL", predicted.matmul_idle},
                                       {"SOFTMAX_CYCLES", predicted.softmax},
                                       {"LAYER_NORM_CYCLES", predicted.layer_norm},
                                       {"EMBED_CYCLES", predicted.embed},
                                       {"EXIT_CYCLES", predicted.exit}}) {
      EXPECT_EQ(rtl.Counter(name), cycles) << name;
    }
  }

  spec::AcceleratorConfig config_;
  std::unique_ptr<Accelerator> accelerator_;
  Relay relay_;
  std::array<Task, 2> tasks_;
};

/// Every threshold does what it is for.
void ExpectEveryExit(const Totals& totals) {
  EXPECT_GT(totals.exits[0][0], 0);
  EXPECT_GT(totals.exits[0][2], 0);
  EXPECT_GT(totals.exits[1][0], 0);
  EXPECT_GT(totals.exits[1][1], 0);
  EXPECT_GT(totals.switches, totals.sentences / 3);
  EXPECT_GT(totals.stalled, totals.sentences / 3);
  EXPECT_GT(totals.predicted, totals.sentences / 3);
}

TEST_F(LongRun, Quick) {
  const Totals totals = Run(300, 1);
  EXPECT_EQ(totals.sentences, 300);
  ExpectEveryExit(totals);
}

TEST_F(LongRun, SeesOtherEmbeddings) {
  Run(20, 2);
  ASSERT_FALSE(HasFailure());
  ASSERT_TRUE(accelerator_->Load(tasks_[0].image, 2).ok());
  Task& task = tasks_[0];
  const Memory codes = accelerator_->dut().GetMemory("u_reram_macro.g_array.mlc_mem");
  for (size_t word = 0; word < static_cast<size_t>(codes.depth()); ++word) {
    codes[word].SetBits(0, 1, codes[word].GetBits(0, 1) ^ 1);
  }
  relay_.target = task.scoreboard.get();
  task.scoreboard->Start(task.sentences[0], 0);
  accelerator_->Run(task.sentences[0], 0, 1, 400'000, [&] { return task.scoreboard->diverged(); });
  EXPECT_TRUE(task.scoreboard->diverged());
}

void WriteReport(const char* folder, const Totals& totals) {
  std::string text =
      "# Long run\n\nWritten by `scripts/robustness.sh long_run`: sentences through one "
      "instance of the RTL (tiny) that is never reset.\nEach draws a task (two models on "
      "one embedding table), a sentence, a threshold (never, sometimes, always\nafter "
      "layer 1) and whether the buses stall (a fifth of all handshakes). Every write-back, "
      "result and counter of work was\ncompared with the golden machine; without stalls "
      "every counter of cycles with the cycle model, exactly.\n\n| | |\n|---|---:|\n";
  const auto row = [&](const char* name, const std::string& value) {
    text += fmt::format("| {} | {} |\n", name, value);
  };
  row("sentences, all bit-exact", fmt::to_string(totals.sentences));
  row("changes of the task", fmt::to_string(totals.switches));
  row("sentences with stalls", fmt::to_string(totals.stalled));
  row("sentences without, cycles as predicted", fmt::to_string(totals.predicted));
  row("write-backs compared", fmt::to_string(totals.compared));
  row("cycles", fmt::to_string(totals.cycles));
  for (size_t task = 0; task < totals.exits.size(); ++task) {
    row(fmt::format("task {}: exits after layer 1, 2, 3", task).c_str(),
        fmt::format("{}", fmt::join(totals.exits[task], ", ")));
  }
  std::ofstream(std::string(folder) + "/long_run.md") << text;
}

class LongRunSlow : public LongRun {};

TEST_F(LongRunSlow, TenThousandSentences) {
  const Totals totals = Run(10'000, 3);
  EXPECT_EQ(totals.sentences, 10'000);
  ExpectEveryExit(totals);
  fmt::print("{} sentences, {} write-backs, {} cycles\n", totals.sentences, totals.compared,
             totals.cycles);
  const char* folder = std::getenv("EDGEBERT_REPORT");
  if (folder != nullptr && !HasFailure()) WriteReport(folder, totals);
}

}  // namespace
}  // namespace edgebert::cosim
