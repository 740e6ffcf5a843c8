// An AXI4 memory: the slave at the accelerator's master port.
//
// Legal in every way the specification allows and unpleasant by seed: random latency, ready and
// valid withheld with a given probability, write data taken before its address, several bursts
// outstanding. Bursts of one master are answered in order.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "cosim/axi/axi_ports.h"
#include "cosim/sim/bench.h"
#include "cosim/sim/random.h"

namespace edgebert::cosim {

/// An error response for the bursts that match; all conditions given must hold.
struct AxiFault {
  bool write = false;
  uint64_t first_address = 0;  ///< beats whose address is in [first, last]
  uint64_t last_address = ~uint64_t{0};
  std::optional<uint64_t> burst;  ///< only the n-th burst of its direction, from 0
  AxiResponse response = AxiResponse::kSlaveError;
};

struct AxiMemoryOptions {
  uint64_t seed = 1;
  double stalls = 0;       ///< probability that a ready or a new valid is withheld in a cycle
  int latency = 16;        ///< cycles from address to first data, and from last data to response
  int latency_jitter = 0;  ///< up to so many cycles more, by seed
  int outstanding = 8;     ///< bursts accepted before the first is answered, each direction
};

/// Beats and bursts since the start.
struct AxiTraffic {
  uint64_t read_bursts = 0;
  uint64_t read_beats = 0;
  uint64_t write_bursts = 0;
  uint64_t write_beats = 0;
  uint64_t unmapped = 0;  ///< beats outside every region, answered DECERR
};

class AxiMemory : public Agent {
 public:
  AxiMemory(const AxiPorts& ports, const AxiMemoryOptions& options);

  /// Memory at [base, base + bytes.size()). `bytes` must outlive the model. Regions do not overlap.
  void AddRegion(uint64_t base, std::span<uint8_t> bytes) { Insert({base, bytes, bytes}); }
  /// The same, read-only: writes are answered SLVERR.
  void AddReadOnlyRegion(uint64_t base, std::span<const uint8_t> bytes) {
    Insert({base, bytes, {}});
  }
  void ClearRegions() { regions_.clear(); }
  void AddFault(const AxiFault& fault) { faults_.push_back(fault); }
  void ClearFaults() { faults_.clear(); }

  /// Starts the random choices anew.
  void Reseed(uint64_t seed) { random_ = Random(seed); }
  /// From now on, as in the options.
  void SetStalls(double stalls, int latency_jitter) {
    options_.stalls = stalls;
    options_.latency_jitter = latency_jitter;
    writes_rest_ = false;
  }

  /// Forgets what is outstanding: the design is being reset.
  void Reset();
  void Drive(uint64_t cycle) override;
  void Sample(uint64_t cycle) override;

  [[nodiscard]] const AxiTraffic& traffic() const { return traffic_; }
  /// Nothing accepted and unanswered.
  [[nodiscard]] bool Idle() const;

 private:
  struct Region {
    uint64_t base;
    std::span<const uint8_t> bytes;
    std::span<uint8_t> writable;
  };
  struct ReadBurst {
    AxiAddress address;
    uint64_t index;  ///< of all read bursts
    uint64_t ready_cycle;
    int beat = 0;
  };
  struct WriteBurst {
    AxiAddress address;
    uint64_t index;
    int beat = 0;
    AxiResponse response = AxiResponse::kOkay;
  };
  struct WriteBeat {
    std::vector<uint8_t> data;
    std::vector<uint8_t> strobes;
  };
  struct WriteResponse {
    uint64_t id;
    AxiResponse response;
    uint64_t ready_cycle;
  };

  void Insert(Region region);
  const Region* Find(uint64_t address) const;
  uint64_t ReadyCycle(uint64_t cycle);
  AxiResponse Injected(bool write, uint64_t address, uint64_t burst) const;
  void DriveRead(uint64_t cycle);
  void DriveWrite(uint64_t cycle);
  void PresentBeat(const ReadBurst& burst);
  void ApplyWrites(uint64_t cycle);
  void ApplyBeat(WriteBurst& burst, const WriteBeat& beat);

  AxiPorts ports_;
  AxiMemoryOptions options_;
  Random random_;
  std::vector<Region> regions_;
  std::vector<AxiFault> faults_;
  AxiTraffic traffic_;
  std::deque<ReadBurst> reads_;
  std::deque<WriteBurst> writes_;
  std::deque<WriteBeat> write_beats_;
  std::deque<WriteResponse> responses_;
  bool read_presented_ = false;
  bool response_presented_ = false;
  bool writes_rest_ = false;  ///< nothing written or answered, and the pins say so
};

}  // namespace edgebert::cosim
