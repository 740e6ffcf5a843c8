// Is time saved in proportion to the work left out? Cycles against the array's MAC cycles, for each
// kind of skipping, on the RTL and as the cycle model predicts them. Prints the table and writes
// it.
#include <fmt/format.h>

#include <fstream>
#include <optional>

#include "cosim/program/session.h"
#include "tests/bench/page.h"
#include "tests/support/skipping.h"

namespace edgebert::skipping {
namespace {

struct Figures {
  uint64_t predicted = 0;
  uint64_t cycles = 0;
  uint64_t mac = 0;
  bool exact = true;
};

std::string Describe(const Point& point) {
  switch (point.kind) {
    case Kind::kHeads:
      return fmt::format("{} heads", point.left);
    case Kind::kSpans:
      return fmt::format("{} tokens to either side", point.left);
    case Kind::kTokens:
      return fmt::format("{} tokens", point.left);
    case Kind::kTiles:
      return fmt::format("{} of 12 weight tiles", point.left);
    case Kind::kLayers:
      return fmt::format("{} layers", point.left);
  }
  return "";
}

/// A model of as many layers as the sentence takes: one that leaves after that many of more takes
/// the same, but for a cycle at its end.
Figures RunRtl(const std::string& file, const Point& point) {
  const std::string tokens = std::to_string(point.tokens);
  const std::vector<const char*> arguments = {
      "edgebert-cosim", "--config", file.c_str(), "--random-model", "1",           "--full-size",
      "--limit",        "1",        "--length",   tokens.c_str(),   "--threshold", "0"};
  const auto options = cosim::Options::Parse(static_cast<int>(arguments.size()), arguments.data());
  EB_CHECK(options.ok() && options->has_value(), "{}", options.error().Format());
  const auto workload = cosim::PrepareWorkload(
      **options, [&](checkpoint::ModelConfig& shape, checkpoint::ModelWeights& weights) {
        shape.num_hidden_layers = point.layers;
        if (point.edit) point.edit(shape, weights);
      });
  EB_CHECK(workload.ok(), "{}", workload.error().Format());
  cosim::Session session(**options, *workload, cosim::EmitVerilog(workload->config), {}, {});
  const Status built = session.Build();
  EB_CHECK(built.ok(), "{}", built.error().Format());
  const cosim::SentenceOutcome outcome = session.Run(0);
  return {.predicted = outcome.predicted->cycles,
          .cycles = outcome.hardware.Counter("CYCLES"),
          .mac = outcome.hardware.Counter("MAC_CYCLES"),
          .exact = !outcome.divergence};
}

void Table(Page& page, const std::string& file) {
  const auto config = spec::LoadConfig(file);
  EB_CHECK(config.ok(), "{}", config.error().Format());
  page.Line(fmt::format("\n## default, {} tokens, measured on the RTL\n", config->model.seq_len));
  page.Line(
      "| left | work: MAC cycles | of all | cycles | of all | cycles saved for a MAC cycle saved "
      "| predicted | bit-exact |");
  page.Line("|---|---|---|---|---|---|---|---|");
  std::optional<Kind> kind;
  Figures all;
  for (const Point& point : Points(*config)) {
    const Figures f = RunRtl(file, point);
    if (kind != point.kind) all = f;
    kind = point.kind;
    const auto percent = [](uint64_t part, uint64_t whole) {
      return 100 * static_cast<double>(part) / static_cast<double>(whole);
    };
    page.Line(fmt::format(
        "| {} | {} | {:.2f} % | {} | {:.2f} % | {} | {} | {} |", Describe(point), f.mac,
        percent(f.mac, all.mac), f.cycles, percent(f.cycles, all.cycles),
        f.mac == all.mac ? ""
                         : fmt::format("**{:.3f}**", static_cast<double>(all.cycles - f.cycles) /
                                                         static_cast<double>(all.mac - f.mac)),
        f.predicted, f.exact ? "yes" : "NO"));
  }
}

int Main(int argc, const char* const* argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: {} CONFIGS PAGE.md\n", argv[0]);
    return 2;
  }
  Page page;
  page.Line(
      "# Skipping\n\n"
      "What work costs that is not done (`scripts/bench.sh DATA.tsv skipping`). Dense random "
      "models of the configuration's\nfull size, of 2 layers but where layers are counted; "
      "from one kind of work ever more is left out: heads that are off,\nkeys outside the span "
      "of every head, padding, tiles without weights (the same share of every strip of the "
      "encoder),\nlayers after the exit. Work is the rows that stream through the array.\n\n"
      "1.000: a cycle for a cycle. What the rules of docs/architecture.md, \"Timing\", let it "
      "differ is asserted by the test\n`skipping`:\n\n"
      "- a head that is off saves its rows and the loads of its held tiles, exactly, as long as "
      "three are left;\n"
      "- rows outside the span are saved, but held tiles load and strips drain as before;\n"
      "- tokens are saved in proportion until there are fewer than a dense tile takes to come from "
      "the weight stream;\n"
      "- an absent tile saves its rows, exactly, while its strip keeps three; a strip of one "
      "waits for drains and loads, and\n  one of none still drains its rows;\n"
      "- a layer saves what a layer takes; what is left over is embedding and result.");
  Table(page, argv[1] + std::string("/default.cfg"));
  std::ofstream(argv[2]) << page.text();
  return 0;
}

}  // namespace
}  // namespace edgebert::skipping

int main(int argc, char** argv) { return edgebert::skipping::Main(argc, argv); }
