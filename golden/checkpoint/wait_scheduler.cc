#include "golden/checkpoint/wait_scheduler.h"

#include <algorithm>

namespace edgebert::checkpoint {
namespace {

bool Conflict(const Access& a, const Access& b) {
  return a.resource == b.resource && (a.write || b.write) && a.begin < b.end && b.begin < a.end;
}

/// The only unit that takes an instruction before it has finished those before.
constexpr auto kMatmul = static_cast<uint32_t>(spec::Unit::kMatmul);
constexpr uint32_t kOlder = spec::kWaitOlderMatmuls;

}  // namespace

uint32_t WaitScheduler::Issue(spec::Unit unit, std::span<const Access> accesses) {
  const auto own = static_cast<uint32_t>(unit);
  uint32_t mask = 0;
  if (!overlap_ || barrier_) {
    mask = kAllUnits;
  } else {
    for (uint32_t other = 0; other < running_.size(); ++other) {
      const bool in_order = own == kMatmul && (other == kMatmul || other == kOlder);
      for (const Access& access : running_[other]) {
        if (std::any_of(accesses.begin(), accesses.end(), [&](const Access& mine) {
              return Conflict(mine, access) && !(in_order && mine.write);
            })) {
          mask |= 1U << other;
        }
      }
    }
  }
  barrier_ = false;
  if ((mask >> kMatmul & 1) != 0) {
    running_[kOlder].clear();
    mask &= ~(1U << kOlder);
  }
  for (uint32_t other = 0; other < running_.size(); ++other) {
    if ((mask >> other & 1) != 0) running_[other].clear();
  }
  // Dispatch also waits for the unit itself, MATMUL only until it can take one more.
  if (own == kMatmul) {
    running_[kOlder].insert(running_[kOlder].end(), running_[own].begin(), running_[own].end());
  }
  running_[own].assign(accesses.begin(), accesses.end());
  return mask;
}

}  // namespace edgebert::checkpoint
