// The whole accelerator beside the golden machine over every array size, several code formats,
// random checkpoints, bus stalls and every length of sentence. Each write-back is compared.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "cosim/program/session.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/model/machine.h"

namespace edgebert::cosim {
namespace {

constexpr std::array kStalls = {0.0, 0.3, 0.7};
constexpr int kLanes[] = {4, 8, 16, 32};

struct Format {
  int width;
  int exponent;
};
constexpr Format kFormats[] = {{8, 3}, {8, 4}, {6, 2}, {4, 2}};

/// One simulator and what runs on it.
struct Sweep {
  int lanes;
  Format format;
  int models;
  bool every_stall;  ///< every model under each probability, not one after the other

  friend std::ostream& operator<<(std::ostream& out, const Sweep& sweep) {
    return out << fmt::format("n = {}, <{},{}>", sweep.lanes, sweep.format.width,
                              sweep.format.exponent);
  }
};

std::vector<Sweep> ShortSweeps() {
  std::vector<Sweep> sweeps;
  for (size_t i = 0; i < std::size(kLanes); ++i) {
    sweeps.push_back({kLanes[i], kFormats[i], 12, false});
  }
  return sweeps;
}

std::vector<Sweep> FullSweeps() {
  std::vector<Sweep> sweeps;
  for (const int lanes : kLanes) {
    for (const Format& format : kFormats) sweeps.push_back({lanes, format, 20, true});
  }
  return sweeps;
}

struct Totals {
  uint64_t sentences = 0;
  uint64_t early = 0;  ///< of those, left before the last layer
  uint64_t write_backs = 0;
  uint64_t cycles = 0;

  void Print(const std::string& name) const {
    fmt::print("{}: {} sentences ({} early exits), {} write-backs compared, {} cycles\n", name,
               sentences, early, write_backs, cycles);
  }
};

class TinySweep : public testing::TestWithParam<Sweep> {
 protected:
  static void SetUpTestSuite() { all_ = {}; }
  static void TearDownTestSuite() { all_.Print("all"); }

  static Options MakeOptions(const Sweep& sweep, int model, double stalls) {
    const std::string preset = sweep.lanes == 4 ? "tiny" : fmt::format("tiny_n{}", sweep.lanes);
    const std::vector<std::string> arguments = {"edgebert-cosim",
                                                "--config",
                                                EDGEBERT_CONFIGS "/" + preset + ".cfg",
                                                "--random-model",
                                                std::to_string(model),
                                                "--format.width",
                                                std::to_string(sweep.format.width),
                                                "--format.exponent",
                                                std::to_string(sweep.format.exponent)};
    std::vector<const char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
    auto options = Options::Parse(static_cast<int>(pointers.size()), pointers.data());
    EB_CHECK(options.ok() && options->has_value(), "{}", options.error().Format());
    (**options).stalls = stalls;
    (**options).seed = static_cast<uint64_t>(model);
    return **options;
  }

  /// A sentence of every length the model takes.
  static std::vector<Sentence> EveryLength(const Workload& workload, uint64_t seed) {
    std::vector<Sentence> sentences;
    for (int length = 1; length <= workload.image.facts.max_tokens; ++length) {
      const auto tokens = checkpoint::RandomSentences(workload.model, length, 1,
                                                      seed + static_cast<uint64_t>(length))[0];
      sentences.push_back(
          {length, fmt::format("{} tokens", length), std::nullopt, checkpoint::TokenWords(tokens)});
    }
    return sentences;
  }

  void Run(const Options& options) {
    auto workload = PrepareWorkload(options);
    ASSERT_TRUE(workload.ok()) << workload.error().Format();
    workload->sentences = EveryLength(*workload, *options.random_model);
    Session session(options, *workload, EmitVerilog(workload->config), {}, {});
    const Status built = session.Build();
    ASSERT_TRUE(built.ok()) << built.error().Format();
    model::Machine machine(workload->config, workload->image);
    for (size_t i = 0; i < workload->sentences.size(); ++i) {
      // Every other sentence runs to its full depth; the entropy of one of its layers, not always
      // the same, makes the others leave there, or earlier.
      workload->threshold_register = 0;
      if (i % 2 == 1) {
        const auto entropies = machine.Run(workload->sentences[i].tokens, 0).entropies;
        workload->threshold_register = entropies[i / 2 % entropies.size()] + 1;
      }
      const SentenceOutcome outcome = session.Run(i);
      ASSERT_FALSE(outcome.divergence.has_value())
          << fmt::format("model {}, stalls {}, {} tokens, threshold {:#x}\n", *options.random_model,
                         options.stalls, i + 1, workload->threshold_register)
          << outcome.divergence->Format();
      const size_t length = workload->sentences[i].tokens.size();
      ASSERT_EQ(length, i + 1);
      ASSERT_GT(outcome.compared, length);
      lengths_.insert(length);
      ++totals_.sentences;
      totals_.early += outcome.golden.exit_layer < workload->image.facts.layers ? 1 : 0;
      totals_.write_backs += outcome.compared;
      totals_.cycles += outcome.hardware.last_cycle - outcome.hardware.first_cycle;
    }
  }

  static inline Totals all_;
  Totals totals_;
  std::set<size_t> lengths_;
};

TEST_P(TinySweep, AgreesWithTheGoldenMachine) {
  const Sweep& sweep = GetParam();
  for (int model = 1; model <= sweep.models; ++model) {
    const auto turn = static_cast<size_t>(model) % kStalls.size();
    for (const double stalls :
         sweep.every_stall ? std::span(kStalls) : std::span(kStalls).subspan(turn, 1)) {
      ASSERT_NO_FATAL_FAILURE(Run(MakeOptions(sweep, model, stalls)));
    }
  }
  constexpr size_t kLongest = 16;  // of these presets
  EXPECT_EQ(lengths_.size(), kLongest);
  EXPECT_EQ(*lengths_.rbegin(), kLongest);
  EXPECT_GT(totals_.early, 0U);
  EXPECT_LT(totals_.early, totals_.sentences);
  totals_.Print(testing::PrintToString(sweep));
  all_.sentences += totals_.sentences;
  all_.early += totals_.early;
  all_.write_backs += totals_.write_backs;
  all_.cycles += totals_.cycles;
}

std::string Name(const testing::TestParamInfo<Sweep>& info) {
  return fmt::format("n{}_code{}{}", info.param.lanes, info.param.format.width,
                     info.param.format.exponent);
}

INSTANTIATE_TEST_SUITE_P(Short, TinySweep, testing::ValuesIn(ShortSweeps()), Name);
INSTANTIATE_TEST_SUITE_P(Full, TinySweep, testing::ValuesIn(FullSweeps()), Name);

}  // namespace
}  // namespace edgebert::cosim
