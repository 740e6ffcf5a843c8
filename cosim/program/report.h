// What edgebert-cosim prints and writes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cosim/program/session.h"
#include "cosim/program/workload.h"

namespace edgebert::cosim {

class Report {
 public:
  explicit Report(const Workload& workload) : workload_(workload) {}

  /// The model, the accelerator and the head of the table.
  void PrintHead() const;
  /// One line of the table; remembers the outcome.
  void Add(const Sentence& sentence, const SentenceOutcome& outcome);
  /// Sums and means. `seconds` is processor time of RTL and golden.
  void PrintSummary(double seconds) const;
  /// {"sentences": [...], "summary": {...}}.
  [[nodiscard]] nlohmann::ordered_json Json(double seconds) const;
  /// Sentences that ended without an answer.
  [[nodiscard]] uint64_t errors() const { return errors_; }

 private:
  /// Mean of a counter over the sentences that ended.
  [[nodiscard]] double Mean(const char* counter) const;
  [[nodiscard]] double Utilisation() const { return Mean("MAC_CYCLES") / Mean("CYCLES"); }

  const Workload& workload_;
  std::vector<nlohmann::ordered_json> sentences_;
  std::array<uint64_t, spec::kCounters.size()> counters_{};
  uint64_t finished_ = 0;
  uint64_t errors_ = 0;
  uint64_t exact_ = 0;
  uint64_t labelled_ = 0;
  uint64_t correct_ = 0;
  uint64_t exit_layers_ = 0;
  uint64_t compared_ = 0;
  uint64_t simulated_cycles_ = 0;
  uint64_t predicted_ = 0;         ///< sentences that the cycle model speaks of
  uint64_t predicted_cycles_ = 0;  ///< of those
  double largest_error_ = 0;       ///< of the cycle model, relative
};

}  // namespace edgebert::cosim
