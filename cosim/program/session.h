// A co-simulation: the accelerator and the golden machine side by side over the sentences of a
// workload, and the replay of the first divergence with waves.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cosim/program/options.h"
#include "cosim/program/workload.h"
#include "cosim/system/accelerator.h"
#include "cosim/system/scoreboard.h"
#include "golden/model/cycle_model.h"

namespace edgebert::cosim {

struct SentenceOutcome {
  HardwareResult hardware;
  model::SentenceResult golden;
  std::optional<Divergence> divergence;
  std::vector<Operation> operations;
  uint64_t compared = 0;  ///< write-backs
  /// What the cycle model says of the same layers; of whole sentences without stalls.
  std::optional<model::CyclePrediction> predicted;
};

/// Where a divergence was replayed.
struct ReplayReport {
  std::string trace_file;
  uint64_t cycle = 0;   ///< of the divergence
  std::string command;  ///< that repeats it
  std::string failure;  ///< why there is no trace
};

/// Opens the trace at one point and closes it at another.
class Tracer : public Agent {
 public:
  /// `scoreboard` tells which instruction runs; both must outlive the tracer.
  Tracer(Dut& dut, const Scoreboard& scoreboard, std::string path, TracePoint from,
         std::optional<TracePoint> to, std::string scope = "", int depth = 0);
  void Drive(uint64_t cycle) override;
  /// Empty, or why there is no trace.
  [[nodiscard]] const Status& status() const { return status_; }
  /// Cycles traced so far: [first, last).
  [[nodiscard]] uint64_t first_cycle() const { return first_cycle_; }
  [[nodiscard]] uint64_t last_cycle() const { return last_cycle_; }

 private:
  [[nodiscard]] bool Reached(const TracePoint& point, uint64_t cycle) const;
  [[nodiscard]] bool Passed(const TracePoint& point, uint64_t cycle) const;

  Dut& dut_;
  const Scoreboard& scoreboard_;
  std::string path_;
  TracePoint from_;
  std::optional<TracePoint> to_;
  std::string scope_;
  int depth_;
  bool done_ = false;
  uint64_t first_cycle_ = 0;
  uint64_t last_cycle_ = 0;
  Status status_ = Ok();
};

class Session {
 public:
  /// Called while a sentence runs, every few milliseconds of simulation.
  using RunProgress =
      std::function<void(const Sentence& sentence, const Scoreboard& scoreboard, uint64_t cycles)>;

  Session(const Options& options, const Workload& workload, VerilogFiles files, Progress building,
          RunProgress running);
  ~Session();

  /// Builds the simulator, with tracing when the options ask for a trace, and loads the image.
  Status Build();
  /// Runs sentence `index` of the workload.
  SentenceOutcome Run(size_t index);
  /// Where the trace of the options is, once sentences have run; null without one.
  [[nodiscard]] const Tracer* tracer() const { return tracer_.get(); }
  /// Runs up to sentence `index`, which diverged, in a simulator of its own, and traces a window
  /// around the divergence into `trace_file`.
  Result<ReplayReport> Replay(size_t index, const std::string& trace_file);

 private:
  struct Simulation;
  [[nodiscard]] Status CheckTraceScope() const;
  Result<std::unique_ptr<Simulation>> MakeSimulation(bool trace) const;
  SentenceOutcome RunOn(Simulation& simulation, size_t index) const;
  /// Runs sentences first..last; the outcome of the first that diverges, else of the last.
  SentenceOutcome RunRange(Simulation& simulation, size_t first, size_t last) const;

  const Options& options_;
  const Workload& workload_;
  std::optional<model::CycleModel> cycle_model_;
  VerilogFiles files_;
  Progress building_;
  RunProgress running_;
  std::unique_ptr<Simulation> simulation_;
  std::unique_ptr<Tracer> tracer_;
};

}  // namespace edgebert::cosim
