#include "cosim/program/session.h"

#include <algorithm>
#include <regex>

namespace edgebert::cosim {
namespace {

constexpr uint64_t kDefaultWindow = 20'000;  // cycles
// Around a divergence.
constexpr uint64_t kCyclesBefore = 5'000;
constexpr uint64_t kCyclesAfter = 50;
constexpr uint64_t kCyclesAfterHang = 5'000;
constexpr uint64_t kProgressCycles = 1 << 16;

/// The stalls of a sentence depend on the seed and on its number, so that it can be replayed alone.
uint64_t SentenceSeed(uint64_t seed, int number) {
  return Random(seed ^ (static_cast<uint64_t>(number) << 32)).Next();
}

}  // namespace

Tracer::Tracer(Dut& dut, const Scoreboard& scoreboard, std::string path, TracePoint from,
               std::optional<TracePoint> to, std::string scope, int depth)
    : dut_(dut),
      scoreboard_(scoreboard),
      path_(std::move(path)),
      from_(from),
      to_(to),
      scope_(std::move(scope)),
      depth_(depth) {}

bool Tracer::Reached(const TracePoint& point, uint64_t cycle) const {
  if (!point.is_op) return cycle >= point.number;
  const auto& operations = scoreboard_.operations();
  return !operations.empty() && operations.back().sequence >= point.number;
}

bool Tracer::Passed(const TracePoint& point, uint64_t cycle) const {
  if (!point.is_op) return cycle > point.number;
  const auto& operations = scoreboard_.operations();
  return std::ranges::any_of(operations,
                             [&](const Operation& o) { return o.sequence >= point.number; }) &&
         std::ranges::all_of(operations, [&](const Operation& o) {
           return o.sequence > point.number || o.last_cycle != 0;
         });
}

void Tracer::Drive(uint64_t cycle) {
  if (done_) return;
  if (!dut_.tracing()) {
    if (!Reached(from_, cycle)) return;
    status_ = dut_.OpenTrace(path_, scope_, depth_);
    done_ = !status_.ok();
    first_cycle_ = cycle;
    return;
  }
  last_cycle_ = cycle;
  if (to_ ? Passed(*to_, cycle) : cycle >= first_cycle_ + kDefaultWindow) {
    dut_.CloseTrace();
    done_ = true;
  }
}

/// A simulator with everything around it.
struct Session::Simulation {
  std::unique_ptr<Accelerator> accelerator;
  std::unique_ptr<Scoreboard> scoreboard;
  std::unique_ptr<model::Machine> ahead;  ///< runs first, to know how long the hardware may take
};

Session::Session(const Options& options, const Workload& workload, VerilogFiles files,
                 Progress building, RunProgress running)
    : options_(options),
      workload_(workload),
      files_(std::move(files)),
      building_(std::move(building)),
      running_(std::move(running)) {
  if (options.stalls > 0 || workload.start) return;
  const AxiMemoryOptions memory;
  cycle_model_.emplace(workload.config, workload.image,
                       model::MemoryTiming{options.latency, memory.outstanding});
}

Session::~Session() = default;

Result<std::unique_ptr<Session::Simulation>> Session::MakeSimulation(bool trace) const {
  auto simulation = std::make_unique<Simulation>();
  EB_ASSIGN_OR_RETURN(
      simulation->accelerator,
      Accelerator::Build(workload_.config, files_,
                         {.trace = trace,
                          .optimize = options_.optimize,
                          .stalls = options_.stalls,
                          .latency = options_.latency,
                          .unknowns = options_.random_init ? Unknowns::kRandom : Unknowns::kFast,
                          .initial_seed = static_cast<uint32_t>(options_.seed),
                          .state_access = workload_.start.has_value(),
                          .cache_dir = options_.cache,
                          .progress = building_}));
  simulation->scoreboard = std::make_unique<Scoreboard>(simulation->accelerator->dut(),
                                                        workload_.config, workload_.image);
  simulation->accelerator->Add(*simulation->scoreboard);
  simulation->ahead = std::make_unique<model::Machine>(workload_.config, workload_.image);
  return simulation;
}

/// A scope that no module instantiates would leave an empty trace.
Status Session::CheckTraceScope() const {
  const std::regex part(R"(([^.\[]+)(\[\d+\])?(\.|$))");
  for (auto match =
           std::sregex_iterator(options_.trace_scope.begin(), options_.trace_scope.end(), part);
       match != std::sregex_iterator(); ++match) {
    const std::regex instance(fmt::format(R"(\b{}( \(|\n))", (*match)[1].str()));
    if (std::ranges::none_of(
            files_, [&](const auto& file) { return std::regex_search(file.second, instance); })) {
      return Error({"command line"},
                   fmt::format("--trace-scope {}: the design has no instance '{}'",
                               options_.trace_scope, (*match)[1].str()),
                   "cosim-option");
    }
  }
  return Ok();
}

Status Session::Build() {
  EB_RETURN_IF_ERROR(CheckTraceScope());
  EB_ASSIGN_OR_RETURN(simulation_, MakeSimulation(!options_.trace.empty()));
  const Status loaded = simulation_->accelerator->Load(workload_.image, options_.seed);
  if (!loaded.ok()) return loaded.error().Placed({.file = options_.config_file});
  if (!options_.trace.empty()) {
    const TracePoint start{.number = simulation_->accelerator->dut().cycles()};
    tracer_ =
        std::make_unique<Tracer>(simulation_->accelerator->dut(), *simulation_->scoreboard,
                                 options_.trace, options_.trace_from.value_or(start),
                                 options_.trace_to, options_.trace_scope, options_.trace_depth);
    simulation_->accelerator->Add(*tracer_);
  }
  return Ok();
}

SentenceOutcome Session::RunOn(Simulation& simulation, size_t index) const {
  const Sentence& sentence = workload_.sentences[index];
  Accelerator& accelerator = *simulation.accelerator;
  Scoreboard& scoreboard = *simulation.scoreboard;
  model::Machine& ahead = *simulation.ahead;
  ahead.Start(sentence.tokens, workload_.threshold_register);
  if (workload_.start) {
    ahead.set_state(*workload_.start);
    accelerator.SetState(*workload_.start);
  }
  while (ahead.StepOnce()) {
  }
  const uint64_t limit =
      CycleLimit(ahead.result().counts, workload_.config, options_.latency, options_.stalls);
  const uint64_t first = accelerator.dut().cycles();
  uint64_t next_report = first + kProgressCycles;
  const auto stop = [&] {
    const uint64_t cycles = accelerator.dut().cycles();
    if (cycles >= next_report) {
      next_report = cycles + kProgressCycles;
      if (running_) running_(sentence, scoreboard, cycles - first);
    }
    return scoreboard.diverged();
  };
  scoreboard.Start(sentence.tokens, workload_.threshold_register,
                   workload_.start ? &*workload_.start : nullptr);
  SentenceOutcome outcome;
  outcome.hardware = accelerator.Run(sentence.tokens, workload_.threshold_register,
                                     SentenceSeed(options_.seed, sentence.number), limit, stop);
  if (!outcome.hardware.finished && !scoreboard.diverged()) scoreboard.ReportHang(limit);
  scoreboard.Finish(outcome.hardware, accelerator.Violations());
  outcome.golden = scoreboard.golden();
  outcome.divergence = scoreboard.divergence();
  outcome.operations = scoreboard.operations();
  outcome.compared = scoreboard.compared();
  if (cycle_model_ && outcome.hardware.finished && outcome.hardware.error == 0) {
    outcome.predicted = cycle_model_->Predict(sentence.tokens, outcome.hardware.exit_layer);
  }
  return outcome;
}

SentenceOutcome Session::Run(size_t index) { return RunOn(*simulation_, index); }

SentenceOutcome Session::RunRange(Simulation& simulation, size_t first, size_t last) const {
  for (size_t index = first; index < last; ++index) {
    SentenceOutcome outcome = RunOn(simulation, index);
    if (outcome.divergence) return outcome;
  }
  return RunOn(simulation, last);
}

Result<ReplayReport> Session::Replay(size_t index, const std::string& trace_file) {
  ReplayReport report{.trace_file = trace_file};
  // The sentence alone reproduces most divergences; if it does not, what ran before it matters.
  for (const size_t first : index == 0 ? std::vector<size_t>{0} : std::vector<size_t>{index, 0}) {
    EB_ASSIGN_OR_RETURN(auto search, MakeSimulation(true));
    EB_RETURN_IF_ERROR(search->accelerator->Load(workload_.image, options_.seed));
    const SentenceOutcome found = RunRange(*search, first, index);
    if (!found.divergence) continue;
    const uint64_t cycle = found.divergence->cycle;
    report.cycle = cycle;
    const bool hang = found.divergence->kind == "hang";
    const uint64_t from = cycle > kCyclesBefore ? cycle - kCyclesBefore : 0;
    const uint64_t to = cycle + (hang ? kCyclesAfterHang : kCyclesAfter);
    report.command = options_.ReplayLine(workload_.sentences[first].number,
                                         static_cast<int>(index - first) + 1, trace_file, from, to);

    EB_ASSIGN_OR_RETURN(auto traced, MakeSimulation(true));
    Tracer tracer(traced->accelerator->dut(), *traced->scoreboard, trace_file, {.number = from},
                  TracePoint{.number = to});
    traced->accelerator->Add(tracer);
    EB_RETURN_IF_ERROR(traced->accelerator->Load(workload_.image, options_.seed));
    RunRange(*traced, first, index);
    // The divergence ends the run; the window wants a little more.
    traced->accelerator->Idle(kCyclesAfter);
    traced->accelerator->dut().CloseTrace();
    if (!tracer.status().ok()) report.failure = tracer.status().error().Format();
    return report;
  }
  report.failure = "the divergence does not recur in the simulator with tracing";
  return report;
}

}  // namespace edgebert::cosim
