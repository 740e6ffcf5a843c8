// Bench: a Dut and the agents around it, one cycle after the other.
#pragma once

#include <vector>

#include "cosim/sim/dut.h"

namespace edgebert::cosim {

/// A model, driver, monitor or checker at the pins of a design.
class Agent {
 public:
  virtual ~Agent() = default;
  /// Sets inputs of the design for this cycle. Outputs are those after the last edge.
  virtual void Drive(uint64_t /*cycle*/) {}
  /// Everything has settled: what is seen here is what the edge that follows takes.
  virtual void Sample(uint64_t /*cycle*/) {}
};

/// An agent that only looks.
class Monitor : public Agent {
 public:
  void Drive(uint64_t /*cycle*/) final {}
};

class Bench {
 public:
  explicit Bench(Dut& dut) : dut_(dut) {}

  /// Agents are called in the order of adding; they must outlive the bench.
  void Add(Agent& agent) {
    drivers_.push_back(&agent);
    samplers_.push_back(&agent);
  }
  void Add(Monitor& monitor) { samplers_.push_back(&monitor); }

  void Cycle() {
    const uint64_t cycle = dut_.cycles();
    for (Agent* agent : drivers_) agent->Drive(cycle);
    dut_.Eval();
    for (Agent* agent : samplers_) agent->Sample(cycle);
    dut_.Tick();
  }

  /// Cycles until `done()`; false when `limit` cycles (or the design's own limit) did not suffice.
  template <typename Predicate>
  bool RunUntil(Predicate done, uint64_t limit) {
    for (uint64_t i = 0; i <= limit; ++i) {
      if (done()) return true;
      if (i == limit || dut_.AtLimit()) return false;
      Cycle();
    }
    return false;
  }

  [[nodiscard]] Dut& dut() const { return dut_; }

 private:
  Dut& dut_;
  std::vector<Agent*> drivers_;
  std::vector<Agent*> samplers_;
};

}  // namespace edgebert::cosim
