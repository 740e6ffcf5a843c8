// How fast edgebert-cosim simulates, what the golden machine and waves take of that, and how soon
// it starts. Prints a table and writes it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "cosim/program/session.h"
#include "tests/bench/page.h"
#include "tests/support/temporary_folder.h"

namespace edgebert::cosim {
namespace {

struct Speed {
  uint64_t cycles = 0;
  double seconds = 0;  ///< of the processor
  uint64_t compared = 0;

  [[nodiscard]] double Kilohertz() const { return static_cast<double>(cycles) / seconds / 1000; }
};

template <typename Function>
double ProcessorSeconds(const Function& function) {
  const std::clock_t before = std::clock();
  function();
  return static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
}

/// edgebert-cosim on dense random sentences as long as the accelerator takes, at full depth.
class Bench {
 public:
  Bench(const std::string& config, std::vector<std::string> others)
      : arguments_({"edgebert-cosim", "--config", config, "--random-model", "1", "--full-size",
                    "--threshold", "0"}) {
    arguments_.insert(arguments_.end(), others.begin(), others.end());
    std::vector<const char*> texts;
    for (const std::string& argument : arguments_) texts.push_back(argument.c_str());
    auto options = Options::Parse(static_cast<int>(texts.size()), texts.data());
    EB_CHECK(options.ok() && options->has_value(), "{}", options.error().Format());
    options_ = std::move(**options);
    const auto config_of = PrepareWorkload(options_);
    EB_CHECK(config_of.ok(), "{}", config_of.error().Format());
    options_.length = config_of->config.model.seq_len;
    auto workload = PrepareWorkload(options_);
    EB_CHECK(workload.ok(), "{}", workload.error().Format());
    workload_ = std::move(*workload);
  }

  /// Seconds to a loaded simulator.
  double Start() {
    const auto before = std::chrono::steady_clock::now();
    session_ = std::make_unique<Session>(options_, workload_, EmitVerilog(workload_.config),
                                         Progress{}, Session::RunProgress{});
    const Status built = session_->Build();
    EB_CHECK(built.ok(), "{}", built.error().Format());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  }

  Speed Run(size_t sentence) {
    SentenceOutcome outcome;
    Speed speed;
    speed.seconds = ProcessorSeconds([&] { outcome = session_->Run(sentence); });
    EB_CHECK(!outcome.divergence, "{}", outcome.divergence->Format());
    speed.cycles = outcome.hardware.last_cycle - outcome.hardware.first_cycle;
    speed.compared = outcome.compared;
    return speed;
  }

  /// The accelerator with its memory and the protocol checkers, no golden machine beside it.
  Speed RunAlone() {
    auto accelerator = Accelerator::Build(workload_.config, EmitVerilog(workload_.config), {});
    EB_CHECK(accelerator.ok(), "{}", accelerator.error().Format());
    EB_CHECK((*accelerator)->Load(workload_.image, 1).ok(), "the image does not load");
    HardwareResult result;
    Speed speed;
    speed.seconds = ProcessorSeconds([&] {
      result = (*accelerator)->Run(workload_.sentences[0].tokens, 0, 1, ~uint64_t{0} >> 1);
    });
    EB_CHECK(result.finished && result.error == 0, "error {}", result.error);
    speed.cycles = result.last_cycle - result.first_cycle;
    return speed;
  }

 private:
  std::vector<std::string> arguments_;
  Options options_;
  Workload workload_;
  std::unique_ptr<Session> session_;
};

constexpr int kRepetitions = 3;

template <typename Function>
Speed Best(const Function& run) {
  Speed best = run();
  for (int i = 1; i < kRepetitions; ++i) {
    const Speed again = run();
    if (again.seconds < best.seconds) best = again;
  }
  return best;
}

void Row(Page& page, const std::string& what, const Speed& speed, const std::string& note) {
  page.Line(fmt::format("| {} | {} | {:.1f} | {:.0f} | {} |", what, speed.cycles, speed.seconds,
                        speed.Kilohertz(), note));
}

int Main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: {} CONFIGS OUT.md\n", argv[0]);
    return 2;
  }
  const std::string configs = argv[1];
  const TemporaryFolder folder;
  Page page;
  page.Line("# Speed of co-simulation");
  page.Line("");
  page.Line(
      "Measured by `scripts/bench.sh DATA.tsv simulation`: dense random models of the largest "
      "size, "
      "sentences as long as the accelerator takes, full depth, every write-back compared. "
      "Processor "
      "time of one thread.");
  page.Line("");
  page.Line("| | cycles | s | kcycles/s | |");
  page.Line("|---|---|---|---|---|");

  const std::string small = configs + "/default.cfg";
  Bench plain(small, {"--limit", "1"});
  plain.Start();
  const Speed whole = Best([&] { return plain.Run(0); });
  Row(page, "default, 64 tokens, 12 layers", whole,
      fmt::format("{} write-backs compared", whole.compared));
  const Speed alone = Best([&] { return plain.RunAlone(); });
  Row(page, "the same, no golden machine", alone,
      fmt::format("so golden machine and comparison take {:.0f} %",
                  100 * (1 - alone.seconds / whole.seconds)));

  Bench traced(small, {"--limit", "2", "--trace=" + folder.File("waves.fst")});
  traced.Start();
  const Speed window = traced.Run(0);
  const Speed outside = Best([&] { return traced.Run(1); });
  Row(page, "built for waves, outside the window", outside, "");
  Row(page, "with waves of 20,000 cycles", window,
      fmt::format("{:.1f} s more, {:.0f} s a million cycles of waves",
                  window.seconds - outside.seconds, (window.seconds - outside.seconds) * 50));

  Bench large(configs + "/albert_base.cfg", {"--limit", "1"});
  large.Start();
  const Speed sentence = large.Run(0);
  Row(page, "albert_base, 128 tokens, 12 layers", sentence,
      fmt::format("{} write-backs compared", sentence.compared));

  setenv("CCACHE_DISABLE", "1", 1);
  Bench cold(small, {"--limit", "1", "--cache", folder.File("cache")});
  const double cold_start = cold.Start();
  const double cached_start = cold.Start();
  page.Line("");
  page.Line(fmt::format(
      "From emission to a loaded simulator, wall clock: {:.1f} s the first time, {:.2f} s from the "
      "cache.",
      cold_start, cached_start));

  std::ofstream file(argv[2]);
  file << page.text();
  return file.good() ? 0 : 1;
}

}  // namespace
}  // namespace edgebert::cosim

int main(int argc, char** argv) { return edgebert::cosim::Main(argc, argv); }
