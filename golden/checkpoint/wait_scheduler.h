// Wait masks: which units an instruction must find idle (docs/architecture.md, "Units and
// dispatch").
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "golden/spec/isa.h"

namespace edgebert::checkpoint {

enum class Resource : uint8_t { kActivations, kScores, kLogits, kWeightStream };

/// A half-open range of addresses that an instruction reads or writes. Taking from the weight
/// stream is a write: it changes what the next one takes.
struct Access {
  Resource resource = Resource::kActivations;
  uint32_t begin = 0;
  uint32_t end = 1;
  bool write = false;
};

/// Follows a program in order. An instruction may overtake those it shares no data with; of two
/// that touch the same address, one writing, the later waits for the unit of the earlier. Between
/// MATMULs only a read of what an earlier one writes must wait: their unit reads the weight stream
/// and writes in order, and writes nothing of the later before all reads of the earlier.
class WaitScheduler {
 public:
  /// Without `overlap` every instruction waits for all units.
  explicit WaitScheduler(bool overlap) : overlap_(overlap) {}

  /// The wait mask of the next instruction: bit 0 for the youngest MATMUL and all before it, bit
  /// kWaitOlderMatmuls if the youngest may still run.
  uint32_t Issue(spec::Unit unit, std::span<const Access> accesses);

  /// The next instruction waits for all units: for places that the program also jumps to.
  void Barrier() { barrier_ = true; }

 private:
  bool overlap_;
  bool barrier_ = false;
  /// What may still be running: the accesses of each unit; of MATMUL those of the youngest, and at
  /// kWaitOlderMatmuls those of the others since they were last known to be done.
  std::array<std::vector<Access>, spec::kUnits + 1> running_;
};

/// Waits for every unit.
inline constexpr uint32_t kAllUnits = (1U << spec::kUnits) - 1;

}  // namespace edgebert::checkpoint
