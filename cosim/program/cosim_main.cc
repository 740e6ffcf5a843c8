// edgebert-cosim: runs sentences on the generated RTL and on the golden machine in one process and
// compares every write-back.
//
// Exit status: 0 all bit-exact, 1 a divergence, 2 bad input, 3 a tool or build failure.
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>

#include "cosim/program/report.h"
#include "cosim/program/wave_view.h"
#include "golden/checkpoint/file.h"

namespace edgebert::cosim {
namespace {

enum ExitStatus { kExact = 0, kDivergence = 1, kBadInput = 2, kToolFailure = 3 };

constexpr const char* kReplayTrace = "divergence.fst";
constexpr uint64_t kCyclesShown = 150;

int StatusOf(const Error& error) {
  const std::string& rule = error.diagnostics().front().rule;
  if (rule == "cosim-load") return kDivergence;
  constexpr std::array kToolRules = {"verilate", "compile", "tool-missing", "cache-io",
                                     "library-load"};
  return std::ranges::find(kToolRules, rule) == kToolRules.end() ? kBadInput : kToolFailure;
}

int Fail(const Error& error) {
  fmt::print(stderr, "{}\n", error.Format());
  return StatusOf(error);
}

/// A line on the terminal that the next one overwrites; nothing when stderr is a file.
class StatusLine {
 public:
  ~StatusLine() { Clear(); }
  void Show(const std::string& text) {
    if (!terminal_) return;
    fmt::print(stderr, "\r\033[K{}", text);
    std::fflush(stderr);
    shown_ = true;
  }
  void Clear() {
    if (shown_) fmt::print(stderr, "\r\033[K");
    shown_ = false;
  }

 private:
  bool terminal_ = isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
};

Status WriteJson(const std::string& path, const nlohmann::ordered_json& json) {
  const std::string text = json.dump(2) + "\n";
  return checkpoint::WriteFileAtomically(
      path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()}, "cosim-output");
}

void PrintReplay(Session& session, const spec::AcceleratorConfig& config, size_t index) {
  fmt::print("\nreplaying with waves ..\n");
  std::fflush(stdout);
  const Result<ReplayReport> replay = session.Replay(index, kReplayTrace);
  if (!replay.ok()) {
    fmt::print("{}\n", replay.error().Format());
  } else if (!replay->failure.empty()) {
    fmt::print("no waves: {}\n", replay->failure);
  } else {
    const uint64_t cycle = replay->cycle;
    const auto view =
        WriteWaveView(config, replay->trace_file, cycle - std::min(cycle, kCyclesShown),
                      cycle + kCyclesShown / 10);
    fmt::print("waves: gtkwave {}\nto repeat it: {}\n", view.ok() ? *view : replay->trace_file,
               replay->command);
  }
}

int Main(int argc, const char* const* argv) {
  using Clock = std::chrono::steady_clock;
  const auto parsed = Options::Parse(argc, argv);
  if (!parsed.ok()) return Fail(parsed.error());
  if (!parsed->has_value()) return kExact;
  const Options& options = **parsed;
  // Before an hour of simulation, not after.
  for (const std::string& path : {options.json, options.trace}) {
    if (path.empty()) continue;
    const Status writable = checkpoint::CheckWritable(path, "cosim-output");
    if (!writable.ok()) return Fail(writable.error());
  }
  const auto workload = PrepareWorkload(options);
  if (!workload.ok()) return Fail(workload.error());

  StatusLine line;
  const auto building = [&](std::string_view stage, double seconds) {
    line.Show(fmt::format("{} ({:.0f} s)", stage, seconds));
  };
  const auto start = Clock::now();
  const auto running = [&](const Sentence& sentence, const Scoreboard& scoreboard,
                           uint64_t cycles) {
    const std::chrono::duration<double> elapsed = Clock::now() - start;
    if (elapsed.count() < 2) return;
    const auto& operations = scoreboard.operations();
    line.Show(fmt::format("sentence {}: cycle {}, {}", sentence.number, cycles,
                          operations.empty() ? "" : operations.back().name));
  };
  Session session(options, *workload, EmitVerilog(workload->config), building, running);
  const Status built = session.Build();
  line.Clear();
  if (!built.ok()) return Fail(built.error());

  Report report(*workload);
  report.PrintHead();
  double seconds = 0;
  std::optional<Divergence> divergence;
  size_t index = 0;
  for (; index < workload->sentences.size(); ++index) {
    const std::clock_t before = std::clock();
    const SentenceOutcome outcome = session.Run(index);
    seconds += static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    line.Clear();
    report.Add(workload->sentences[index], outcome);
    divergence = outcome.divergence;
    if (divergence) break;
  }
  report.PrintSummary(seconds);
  if (!options.json.empty()) {
    const Status written = WriteJson(options.json, report.Json(seconds));
    if (!written.ok()) return Fail(written.error());
  }
  if (const Tracer* tracer = session.tracer()) {
    if (!tracer->status().ok()) return Fail(tracer->status().error());
    fmt::print("{:<22} {}, cycles {} to {}\n", "waves", options.trace, tracer->first_cycle(),
               tracer->last_cycle());
    const auto view =
        WriteWaveView(workload->config, options.trace, tracer->first_cycle(),
                      std::min(tracer->last_cycle(), tracer->first_cycle() + kCyclesShown));
    if (!view.ok()) return Fail(view.error());
    fmt::print("{:<22} gtkwave {}\n", "to see them", *view);
  }
  if (!divergence) return report.errors() == 0 ? kExact : kBadInput;
  fmt::print("\n{}", divergence->Format());
  if (options.replay && options.trace.empty()) PrintReplay(session, workload->config, index);
  return kDivergence;
}

}  // namespace
}  // namespace edgebert::cosim

int main(int argc, char** argv) { return edgebert::cosim::Main(argc, argv); }
