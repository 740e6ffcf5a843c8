#include "golden/checkpoint/wait_scheduler.h"

#include <algorithm>

namespace edgebert::checkpoint {
namespace {

bool Conflict(const Access& a, const Access& b) {
  return a.resource == b.resource && (a.write || b.write) && a.begin < b.end && b.begin < a.end;
}

}  // namespace

uint32_t WaitScheduler::Issue(spec::Unit unit, std::span<const Access> accesses) {
  uint32_t mask = 0;
  if (!overlap_ || barrier_) {
    mask = kAllUnits;
  } else {
    for (uint32_t other = 0; other < spec::kUnits; ++other) {
      for (const Access& access : running_[other]) {
        if (std::any_of(accesses.begin(), accesses.end(),
                        [&](const Access& mine) { return Conflict(mine, access); })) {
          mask |= 1U << other;
        }
      }
    }
  }
  barrier_ = false;
  // Dispatch also waits for the unit itself.
  const uint32_t own = static_cast<uint32_t>(unit);
  for (uint32_t other = 0; other < spec::kUnits; ++other) {
    if ((mask >> other & 1) != 0 || other == own) running_[other].clear();
  }
  running_[own].assign(accesses.begin(), accesses.end());
  return mask;
}

}  // namespace edgebert::checkpoint
