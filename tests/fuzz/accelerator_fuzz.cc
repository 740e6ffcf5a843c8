// Random accelerators x checkpoints x sentences x stalls on the RTL against the golden machine:
//   accelerator_fuzz FIRST CONFIGURATIONS RUNS [MINUTES]
// Draws configurations FIRST, FIRST + 1, .. and RUNS cases on each; shrinks what fails to the
// smallest command line of edgebert-cosim. Exit status: 0 all exact, 1 a failure.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/accelerator_case.h"

namespace edgebert::fuzz {
namespace {

constexpr int kShrinkTrials = 200;

struct Totals {
  uint64_t exact = 0;
  uint64_t failed = 0;
  uint64_t refused = 0;
  uint64_t sentences = 0;
  uint64_t compared = 0;
  uint64_t cycles = 0;
  double largest_error = 0;
  Points points;
};

/// Operations in sentences that met each kind of skipping: without stalls / under stalls of the
/// buses / with slow memory; and how often each layer was left by, of models of each depth.
void PrintPoints(const Points& points) {
  fmt::print("* | operation | {} |\n", fmt::join(kSkipNames, " | "));
  fmt::print("* |---|{}\n",
             fmt::join(std::vector<std::string>(std::size(kSkipNames), "---:|"), ""));
  for (const auto& [name, counts] : points.operations) {
    fmt::print("* | {} |", name);
    for (const auto& stalls : counts) fmt::print(" {} |", fmt::join(stalls, " / "));
    fmt::print("\n");
  }
  fmt::print("*\n* exits, layer of layers:");
  for (const auto& [layer, count] : points.exits) {
    fmt::print(" {} of {}: {};", layer.first, layer.second, count);
  }
  fmt::print("\n");
}

void ReportFailure(const CommandLine& line, const Outcome& outcome) {
  fmt::print("{}\n{}\n", Format(line), outcome.message);
  const CommandLine smallest = Shrink(
      line, [&](const CommandLine& smaller) { return RunCase(smaller).verdict == outcome.verdict; },
      kShrinkTrials);
  fmt::print("smallest: {}\n", Format(smallest));
}

int Main(uint64_t first, uint64_t configurations, uint64_t runs, double minutes) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  Totals totals;
  uint64_t done = 0;
  for (; done < configurations; ++done) {
    if (minutes > 0 && Clock::now() - start > std::chrono::duration<double>(60 * minutes)) break;
    const uint64_t configuration = first + done;
    fmt::print("configuration {}, first case {}\n", configuration,
               Format(DrawCase(configuration, 0)));
    std::fflush(stdout);
    Totals here;
    for (uint64_t run = 0; run < runs; ++run) {
      const CommandLine line = DrawCase(configuration, run);
      const Outcome outcome = RunCase(line);
      here.sentences += outcome.sentences;
      here.compared += outcome.compared;
      here.cycles += outcome.cycles;
      totals.points += outcome.points;
      here.largest_error = std::max(here.largest_error, outcome.largest_error);
      if (outcome.verdict == Verdict::kExact) {
        ++here.exact;
      } else if (outcome.verdict == Verdict::kRefused) {
        ++here.refused;
        fmt::print("refused: {}\n{}\n", Format(line), outcome.message);
      } else {
        ++here.failed;
        ReportFailure(line, outcome);
        break;  // the others of this design most likely fail alike
      }
    }
    fmt::print(
        "configuration {}: {} exact, {} failed, {} refused; {} sentences, {} write-backs, "
        "{} cycles, cycle model {:.2f} %\n",
        configuration, here.exact, here.failed, here.refused, here.sentences, here.compared,
        here.cycles, 100 * here.largest_error);
    std::fflush(stdout);
    totals.exact += here.exact;
    totals.failed += here.failed;
    totals.refused += here.refused;
    totals.sentences += here.sentences;
    totals.compared += here.compared;
    totals.cycles += here.cycles;
    totals.largest_error = std::max(totals.largest_error, here.largest_error);
  }
  PrintPoints(totals.points);
  fmt::print("| {} to {} | {} | {} | {} | {} | {} | {} | {:.2f} |\n", first, first + done - 1,
             totals.exact, totals.failed, totals.refused, totals.sentences, totals.compared,
             totals.cycles, 100 * totals.largest_error);
  return totals.failed == 0 && totals.exact > 0 ? 0 : 1;
}

}  // namespace
}  // namespace edgebert::fuzz

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "usage: {} FIRST CONFIGURATIONS RUNS [MINUTES]\n", argv[0]);
    return 2;
  }
  const auto number = [&](int i) { return std::strtoull(argv[i], nullptr, 10); };
  return edgebert::fuzz::Main(number(1), number(2), number(3),
                              argc > 4 ? std::strtod(argv[4], nullptr) : 0);
}
