// Sentences on eb_top whose registers and memories start at random values: what it computes, and
// how long it takes, does not depend on them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cosim/program/session.h"

namespace edgebert::cosim {
namespace {

constexpr int kSeeds = 8;

/// What is wrong with the sentences of a design that starts at random values; empty when nothing
/// is.
std::string FirstFailure(const VerilogFiles& files, int seed) {
  const std::vector<std::string> texts = {"edgebert-cosim",
                                          "--config",
                                          EDGEBERT_CONFIGS "/tiny.cfg",
                                          "--random-model",
                                          "27",
                                          "--limit",
                                          "2",
                                          "--seed",
                                          std::to_string(seed),
                                          "--random-init"};
  std::vector<const char*> arguments;
  for (const std::string& text : texts) arguments.push_back(text.c_str());
  const auto options = Options::Parse(static_cast<int>(arguments.size()), arguments.data());
  EB_CHECK(options.ok() && options->has_value(), "{}", options.error().Format());
  const auto workload = PrepareWorkload(**options);
  EB_CHECK(workload.ok(), "{}", workload.error().Format());
  Session session(**options, *workload, files, {}, {});
  if (const Status built = session.Build(); !built.ok()) {
    EXPECT_EQ(built.error().Format().find("failed:"), std::string::npos) << built.error().Format();
    return built.error().Format();
  }
  for (size_t i = 0; i < workload->sentences.size(); ++i) {
    const SentenceOutcome outcome = session.Run(i);
    if (outcome.divergence) return outcome.divergence->Format();
    EXPECT_GT(outcome.compared, 100U);
    EXPECT_TRUE(outcome.predicted.has_value());
    const uint64_t cycles = outcome.hardware.Counter("CYCLES");
    if (cycles != outcome.predicted->cycles) {
      return fmt::format("{} cycles, predicted {}", cycles, outcome.predicted->cycles);
    }
  }
  return "";
}

VerilogFiles TinyFiles() {
  const auto config = spec::LoadConfig(EDGEBERT_CONFIGS "/tiny.cfg");
  EB_CHECK(config.ok(), "{}", config.error().Format());
  return EmitVerilog(*config);
}

TEST(XPropagation, SentencesDoNotDependOnInitialValues) {
  const VerilogFiles files = TinyFiles();
  for (int seed = 1; seed <= kSeeds; ++seed) EXPECT_EQ(FirstFailure(files, seed), "") << seed;
}

TEST(XPropagation, AMissingResetIsSeen) {
  VerilogFiles files = TinyFiles();
  const std::string reset = "beats_q     <= 32'd0;";
  int removed = 0;
  for (auto& [name, text] : files) {
    if (!name.ends_with("/eb_axi_reader.v")) continue;
    const size_t at = text.find(reset);
    ASSERT_NE(at, std::string::npos);
    text.erase(at, reset.size());
    ++removed;
  }
  ASSERT_EQ(removed, 1);
  int seen = 0;
  for (int seed = 1; seed <= kSeeds; ++seed) seen += FirstFailure(files, seed).empty() ? 0 : 1;
  EXPECT_GT(seen, kSeeds / 2);
}

}  // namespace
}  // namespace edgebert::cosim
