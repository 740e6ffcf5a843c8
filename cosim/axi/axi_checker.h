// Protocol checkers for AXI4 and AXI4-Lite (AMBA AXI, IHI 0022). They only watch, and collect what
// breaks a rule. Both sides of the interface are watched.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "cosim/axi/axi_ports.h"
#include "cosim/sim/bench.h"

namespace edgebert::cosim {

/// Rules: "valid-stable" (valid falls before ready), "payload-stable", "valid-in-reset",
/// "burst-4k", "burst-type", "burst-length", "burst-size", "wrap-aligned", "wlast", "rlast",
/// "strobes", "response-without-request", "response-id", "response-code", "unfinished".
struct AxiViolation {
  uint64_t cycle = 0;
  std::string rule;
  std::string detail;

  [[nodiscard]] std::string Format() const;
};

/// Valid and payload of one channel.
class AxiChannelWatch {
 public:
  AxiChannelWatch(std::string name, Flag valid, Flag ready, std::vector<Port> payload);

  /// Checks this cycle; true when a transfer takes place.
  bool Sample(uint64_t cycle, bool in_reset, std::vector<AxiViolation>& violations) {
    // Nothing can be wrong with a channel at rest, as most are in most cycles.
    return (stalled_ || valid_) && SampleBusy(cycle, in_reset, violations);
  }
  void Reset() { stalled_ = false; }

 private:
  bool SampleBusy(uint64_t cycle, bool in_reset, std::vector<AxiViolation>& violations);

  std::string name_;
  Flag valid_;
  Flag ready_;
  std::vector<Port> payload_;
  std::vector<std::vector<uint8_t>> held_;  ///< payload of the cycle before, when stalled_
  bool stalled_ = false;
};

class AxiChecker : public Monitor {
 public:
  /// `reset` is the design's rst_ni.
  AxiChecker(const AxiPorts& ports, Flag reset);
  void Sample(uint64_t cycle) override;
  /// Call at the end: every burst must have been answered.
  void Finish(uint64_t cycle);
  /// Forgets violations and what is outstanding: the design is being reset.
  void Reset();
  [[nodiscard]] const std::vector<AxiViolation>& violations() const { return violations_; }

 private:
  struct Burst {
    AxiAddress address;
    int beats = 0;  ///< transferred
  };

  void Report(uint64_t cycle, std::string rule, std::string detail);
  void CheckAddress(uint64_t cycle, const std::string& channel, const AxiAddress& address,
                    int bus_bytes);
  void Forget();
  void SampleRead(uint64_t cycle, bool in_reset);
  void SampleWrite(uint64_t cycle, bool in_reset);
  void MatchWrites(uint64_t cycle);

  struct WriteBeat {
    bool last;
    std::vector<uint8_t> strobes;
  };

  AxiPorts ports_;
  Flag reset_;
  std::vector<AxiViolation> violations_;
  std::vector<AxiChannelWatch> read_watches_;   // AR, R
  std::vector<AxiChannelWatch> write_watches_;  // AW, W, B
  std::deque<Burst> reads_;
  std::deque<Burst> writes_;           ///< addresses whose data is not complete
  std::deque<WriteBeat> write_beats_;  ///< data ahead of its address
  std::deque<uint64_t> unanswered_;    ///< ids of complete writes
};

class AxiLiteChecker : public Monitor {
 public:
  AxiLiteChecker(const AxiLitePorts& ports, Flag reset);
  void Sample(uint64_t cycle) override;
  void Finish(uint64_t cycle);
  /// Forgets violations and what is outstanding: the design is being reset.
  void Reset();
  [[nodiscard]] const std::vector<AxiViolation>& violations() const { return violations_; }

 private:
  AxiLitePorts ports_;
  Flag reset_;
  std::vector<AxiViolation> violations_;
  AxiChannelWatch aw_, w_, b_, ar_, r_;
  int addresses_ = 0;  ///< writes of which the address, the data are in, unanswered
  int data_ = 0;
  int reads_ = 0;
};

}  // namespace edgebert::cosim
