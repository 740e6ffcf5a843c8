// The shrinking of failures: on rules that cost nothing, and on a bug in the RTL.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fuzz/accelerator_case.h"

namespace edgebert::fuzz {
namespace {

std::string ValueOf(const CommandLine& line, const std::string& name) {
  for (const auto& [key, value] : line) {
    if (key == name) return value;
  }
  return {};
}

TEST(Shrink, KeepsOnlyWhatTheFailureNeeds) {
  int asked = 0;
  const auto fails = [&](const CommandLine& line) {
    ++asked;
    return ValueOf(line, "vmac.pipeline") == "3" && !ValueOf(line, "seed").empty() &&
           std::stoi(ValueOf(line, "seed")) >= 7;
  };
  const CommandLine line = {{"vmac.n", "8"},      {"vmac.pipeline", "3"}, {"format.width", "5"},
                            {"pack-weights", ""}, {"stalls", "0.3"},      {"seed", "5000"},
                            {"limit", "4"}};
  EXPECT_THAT(Shrink(line, fails, 1000), testing::ElementsAre(testing::Pair("vmac.pipeline", "3"),
                                                              testing::Pair("seed", "8")));
  EXPECT_LT(asked, 40);
}

TEST(Shrink, StopsAfterItsTrialsWithSomethingThatFails) {
  const auto fails = [](const CommandLine& line) { return line.size() >= 2; };
  const CommandLine line(20, {"limit", "4"});
  for (int trials : {0, 1, 3, 10}) EXPECT_TRUE(fails(Shrink(line, fails, trials)));
}

TEST(Draw, IsTheSameEveryTimeAndOftenDifferent) {
  EXPECT_EQ(DrawCase(3, 5), DrawCase(3, 5));
  EXPECT_NE(Format(DrawCase(3, 5)), Format(DrawCase(3, 6)));
  EXPECT_NE(ValueOf(DrawCase(3, 0), "model.ffn"), ValueOf(DrawCase(4, 0), "model.ffn"));
}

// Tests of their own, since they build designs.
TEST(SeededBug, ShrinksToALineWithoutWhatItDoesNotNeed) {
  // A span ends one key early on the left.
  const std::string good = "(left_q4 <= $signed(";
  const DesignEdit bug = [&](cosim::VerilogFiles& files) {
    for (auto& [name, text] : files) {
      if (!name.ends_with("/eb_span_mask.v")) continue;
      const size_t at = text.find(good);
      ASSERT_NE(at, text.npos);
      text.replace(at, good.size(), "(left_q4 < $signed(");
    }
  };
  const auto fails = [&](const CommandLine& line) {
    const Outcome outcome = RunCase(line, bug);
    EXPECT_NE(outcome.verdict, Verdict::kBuild) << outcome.message;
    return outcome.verdict == Verdict::kDivergence;
  };
  // On the preset, so that one simulator serves all trials.
  const auto draw = [](uint64_t run) {
    CommandLine line = DrawCase(1, run);
    std::erase_if(line,
                  [](const auto& option) { return option.first.find('.') != std::string::npos; });
    return line;
  };
  uint64_t run = 0;
  while (run < 20 && !fails(draw(run))) ++run;
  ASSERT_LT(run, 20U) << "no case finds the bug";
  const CommandLine line = Shrink(draw(run), fails, 60);
  fmt::print("from     {}\nsmallest {}\n", Format(draw(run)), Format(line));
  EXPECT_LE(line.size(), 3U);
  EXPECT_TRUE(fails(line));
  EXPECT_EQ(RunCase(line).verdict, Verdict::kExact);
}

}  // namespace
}  // namespace edgebert::fuzz
