// The functional points of docs/results/coverage.md, met on the RTL of `tiny`: every operation with
// every kind of skipping under every kind of stall, and an exit at every layer. Checkpoints are
// drawn one after the other until all points are met; a point that none of them meets fails.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/fuzz/accelerator_case.h"

namespace edgebert::fuzz {
namespace {

constexpr int kModels[] = {0, 1, 2, 4, 5, 9, 27};  // found by trying: each adds points
constexpr int kLayers = 3;                         // of tiny
constexpr const char* kOperations[] = {"attention norm",
                                       "attention output",
                                       "classifier",
                                       "context",
                                       "embedding",
                                       "embedding norm",
                                       "embedding projection",
                                       "exit",
                                       "ffn",
                                       "ffn output",
                                       "key",
                                       "output norm",
                                       "pooler",
                                       "query",
                                       "scores",
                                       "softmax",
                                       "value"};

/// Points that were not met.
std::set<std::string> Missing(const Points& points) {
  std::set<std::string> missing;
  for (const char* operation : kOperations) {
    const auto counts = points.operations.find(operation);
    for (size_t skip = 0; skip < std::size(kSkipNames); ++skip) {
      for (size_t stall = 0; stall < std::size(kStallNames); ++stall) {
        if (counts == points.operations.end() || counts->second[skip][stall] == 0) {
          missing.insert(
              fmt::format("{}, {}, {}", operation, kSkipNames[skip], kStallNames[stall]));
        }
      }
    }
  }
  for (int layer = 1; layer <= kLayers; ++layer) {
    if (!points.exits.contains({layer, kLayers})) missing.insert(fmt::format("exit {}", layer));
  }
  return missing;
}

TEST(Points, EveryOperationMeetsEverySkipAndStall) {
  Points points;
  EXPECT_EQ(Missing(points).size(),
            std::size(kOperations) * std::size(kSkipNames) * std::size(kStallNames) + kLayers);
  for (const int model : kModels) {
    for (const CommandLine& stall :
         {CommandLine{}, CommandLine{{"stalls", "0.3"}}, CommandLine{{"latency", "150"}}}) {
      for (const char* threshold : {"0", "0.9"}) {
        CommandLine line = {
            {"random-model", std::to_string(model)}, {"limit", "2"}, {"threshold", threshold}};
        if (model % 2 == 0) line.emplace_back("length", "16");
        line.insert(line.end(), stall.begin(), stall.end());
        const Outcome outcome = RunCase(line);
        if (outcome.verdict == Verdict::kRefused) continue;  // it takes no 16 tokens
        ASSERT_EQ(outcome.verdict, Verdict::kExact) << Format(line) << '\n' << outcome.message;
        points += outcome.points;
      }
    }
  }
  EXPECT_EQ(Missing(points), std::set<std::string>{});
}

}  // namespace
}  // namespace edgebert::fuzz
