// The cycle model against the RTL: what golden/model/cycle_model predicts of a sentence is what the
// performance counters measure, in the whole, by unit and by what the array waits for.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include "cosim/program/session.h"
#include "golden/model/cycle_model.h"

namespace edgebert::cosim {
namespace {

constexpr double kTolerance = 0.01;
/// A unit or a wait that takes less of the sentence has no meaningful relative error.
constexpr double kSmallestShare = 0.01;
/// Nor has a sentence of fewer cycles.
constexpr uint64_t kShortestSentence = 2000;

struct Case {
  const char* name;
  const char* preset;
  std::vector<std::string> arguments;  ///< further ones of edgebert-cosim

  friend std::ostream& operator<<(std::ostream& out, const Case& test) { return out << test.name; }
};

class CycleModelCosim : public testing::TestWithParam<Case> {
 protected:
  /// Prints both and compares them; `share_of` is the sentence.
  static void Compare(const char* name, uint64_t predicted, uint64_t measured, uint64_t share_of) {
    const auto p = static_cast<double>(predicted);
    const auto m = static_cast<double>(measured);
    const double error = measured == 0 ? 0 : p / m - 1;
    fmt::print("  {:<18} {:>9} {:>9} {:>7.2f} %\n", name, predicted, measured, 100 * error);
    const double floor = kSmallestShare * static_cast<double>(share_of);
    EXPECT_LE(std::fabs(p - m), kTolerance * std::max(m, floor)) << name;
  }
};

TEST_P(CycleModelCosim, PredictsTheCyclesOfTheRtl) {
  std::vector<std::string> texts = {"edgebert-cosim", "--config",
                                    fmt::format("{}/{}.cfg", EDGEBERT_CONFIGS, GetParam().preset)};
  texts.insert(texts.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  std::vector<const char*> arguments;
  for (const std::string& text : texts) arguments.push_back(text.c_str());
  const auto options = Options::Parse(static_cast<int>(arguments.size()), arguments.data());
  ASSERT_TRUE(options.ok() && options->has_value()) << options.error().Format();
  const auto workload = PrepareWorkload(**options);
  ASSERT_TRUE(workload.ok()) << workload.error().Format();
  Session session(**options, *workload, EmitVerilog(workload->config), {}, {});
  const Status built = session.Build();
  ASSERT_TRUE(built.ok()) << built.error().Format();
  int compared = 0;
  for (size_t i = 0; i < workload->sentences.size(); ++i) {
    const SentenceOutcome outcome = session.Run(i);
    ASSERT_FALSE(outcome.divergence.has_value()) << outcome.divergence->Format();
    ASSERT_TRUE(outcome.predicted.has_value());
    const HardwareResult& rtl = outcome.hardware;
    const model::CyclePrediction& predicted = *outcome.predicted;
    const uint64_t cycles = rtl.Counter("CYCLES");
    if (cycles < kShortestSentence) continue;
    ++compared;
    fmt::print("{}: {} tokens, {} of {} layers; predicted, measured\n", GetParam().name,
               workload->sentences[i].tokens.size(), rtl.exit_layer, workload->image.facts.layers);
    const auto compare = [&](const char* name, uint64_t value, uint64_t measured) {
      Compare(name, value, measured, cycles);
    };
    compare("cycles", predicted.cycles, cycles);
    compare("matmul", predicted.array.Sum(), cycles - rtl.Counter("IDLE_MATMUL"));
    compare("softmax", predicted.softmax, rtl.Counter("SOFTMAX_CYCLES"));
    compare("layer norm", predicted.layer_norm, rtl.Counter("LAYER_NORM_CYCLES"));
    compare("embed", predicted.embed, rtl.Counter("EMBED_CYCLES"));
    compare("exit", predicted.exit, rtl.Counter("EXIT_CYCLES"));
    compare("MAC", predicted.array.mac, rtl.Counter("MAC_CYCLES"));
    compare("wait: weights", predicted.array.weight, rtl.Counter("WAIT_WEIGHT"));
    compare("wait: held tile", predicted.array.held, rtl.Counter("WAIT_HELD"));
    compare("wait: read", predicted.array.read, rtl.Counter("WAIT_READ"));
    compare("wait: drain", predicted.array.drain, rtl.Counter("WAIT_DRAIN"));
    compare("no MATMUL", predicted.matmul_idle, rtl.Counter("IDLE_MATMUL"));

    // Every operation begins and ends when it should, counted from the first.
    ASSERT_EQ(predicted.operations.size(), outcome.operations.size());
    const double slack = kTolerance * static_cast<double>(cycles);
    for (size_t o = 0; o < predicted.operations.size(); ++o) {
      const model::OperationCycles& operation = predicted.operations[o];
      const Operation& measured = outcome.operations[o];
      EXPECT_EQ(operation.sequence, measured.sequence);
      EXPECT_EQ(operation.pc, measured.pc);
      const auto first = static_cast<double>(operation.first - predicted.operations[0].first);
      const auto last = static_cast<double>(operation.last - predicted.operations[0].first);
      const uint64_t start = outcome.operations[0].first_cycle;
      EXPECT_NEAR(first, static_cast<double>(measured.first_cycle - start), slack) << measured.name;
      EXPECT_NEAR(last, static_cast<double>(measured.last_cycle - start), slack) << measured.name;
    }
  }
  EXPECT_GT(compared, 0);
}

/// The shipped model, long and short sentences, with and without early exit.
std::vector<std::string> Shipped(std::vector<std::string> more) {
  std::vector<std::string> arguments = {
      "--model",
      EDGEBERT_SHIPPED_MODEL,
      "--text",
      "dull",
      "--text",
      "a lovely, gripping film",
      "--text",
      "it is the kind of film that promises much, delivers little, and then has the nerve to end "
      "on a note of hope for a sequel"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<Case> QuickCases() {
  return {
      {"tiny", "tiny", {"--random-model", "9", "--limit", "3", "--threshold", "0"}},
      {"tiny_early_exit", "tiny", {"--random-model", "13", "--limit", "3", "--threshold", "0.9"}},
      {"tiny_slow_memory", "tiny", {"--random-model", "3", "--limit", "3", "--latency", "90"}},
      {"tiny_resident",
       "tiny",
       {"--random-model", "9", "--limit", "3", "--threshold", "0", "--memory.resident_kib", "64"}},
      // Entropies of both layers wait for their responses when the record is written.
      {"tiny_resident_slow_memory",
       "tiny",
       {"--random-model", "71340", "--limit", "3", "--latency", "400", "--model.heads", "1",
        "--memory.resident_kib", "1"}},
      {"tiny_n8", "tiny_n8", {"--random-model", "4", "--limit", "3", "--threshold", "0"}},
      {"tiny_n16", "tiny_n16", {"--random-model", "5", "--limit", "3", "--threshold", "0"}},
      {"tiny_n32", "tiny_n32", {"--random-model", "6", "--limit", "3", "--threshold", "0"}},
      {"shipped", "default", Shipped({})},
      {"shipped_full_depth",
       "default",
       {"--model", EDGEBERT_SHIPPED_MODEL, "--text", "a film for no one", "--threshold", "0"}},
  };
}

/// Their simulators take a minute to build.
std::vector<Case> SlowCases() {
  return {
      {"shipped_n4", "n4", Shipped({})},
      {"shipped_n8", "n8", Shipped({})},
      {"shipped_n32", "n32", Shipped({})},
      {"albert_base_layer",
       "albert_base",
       {"--random-model", "1", "--full-size", "--limit", "1", "--length", "128", "--model.layers",
        "1", "--threshold", "0"}},
  };
}

std::string Name(const testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Quick, CycleModelCosim, testing::ValuesIn(QuickCases()), Name);
INSTANTIATE_TEST_SUITE_P(Slow, CycleModelCosim, testing::ValuesIn(SlowCases()), Name);

}  // namespace
}  // namespace edgebert::cosim
