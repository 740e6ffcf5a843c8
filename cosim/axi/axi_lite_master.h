// An AXI4-Lite master: blocking register reads and writes that run the bench meanwhile.
#pragma once

#include "cosim/axi/axi_ports.h"
#include "cosim/sim/bench.h"
#include "cosim/sim/random.h"

namespace edgebert::cosim {

struct AxiLiteOptions {
  uint64_t seed = 1;
  double stalls = 0;              ///< probability of holding a valid or ready back for a cycle
  uint64_t cycle_limit = 10'000;  ///< of one access
};

struct AxiLiteReply {
  bool finished = false;  ///< false: no answer within the limit
  AxiResponse response = AxiResponse::kOkay;
  uint32_t data = 0;

  [[nodiscard]] bool Okay() const { return finished && response == AxiResponse::kOkay; }
};

class AxiLiteMaster : public Agent {
 public:
  /// The bench must have this master added.
  AxiLiteMaster(const AxiLitePorts& ports, const AxiLiteOptions& options);

  void Reseed(uint64_t seed) { random_ = Random(seed); }
  /// From now on, as in the options.
  void SetStalls(double stalls) { options_.stalls = stalls; }
  /// Forgets what is under way: the design is being reset.
  void Reset();

  AxiLiteReply Read(Bench& bench, uint32_t address);
  AxiLiteReply Write(Bench& bench, uint32_t address, uint32_t data, uint32_t strobes = 0xf);

  void Drive(uint64_t cycle) override;
  void Sample(uint64_t cycle) override;

 private:
  /// A valid that we drive: pending until taken, shown after random cycles.
  struct Request {
    Flag valid;
    Flag ready;
    bool pending = false;
    bool shown = false;
  };
  void DriveRequest(Request& request);
  static void SampleRequest(Request& request);
  AxiLiteReply Wait(Bench& bench);

  AxiLitePorts ports_;
  AxiLiteOptions options_;
  Random random_;
  Request aw_, w_, ar_;
  bool busy_ = false;
  bool at_rest_ = false;  ///< no access, and the pins say so
  bool reading_ = false;
  AxiLiteReply reply_;
};

}  // namespace edgebert::cosim
