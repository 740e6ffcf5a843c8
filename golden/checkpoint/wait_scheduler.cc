#include "golden/checkpoint/wait_scheduler.h"

#include <algorithm>

namespace edgebert::checkpoint {
namespace {

bool Conflict(const Access& a, const Access& b) {
  return a.resource == b.resource && (a.write || b.write) && a.begin < b.end && b.begin < a.end;
}

/// The only unit that takes an instruction before it has finished those before.
constexpr auto kPipelined = static_cast<uint32_t>(spec::Unit::kMatmul);

}  // namespace

uint32_t WaitScheduler::Issue(spec::Unit unit, std::span<const Access> accesses) {
  const auto own = static_cast<uint32_t>(unit);
  uint32_t mask = 0;
  if (!overlap_ || barrier_) {
    mask = kAllUnits;
  } else {
    for (uint32_t other = 0; other < spec::kUnits; ++other) {
      const bool in_order = own == kPipelined && other == kPipelined;
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
  // Dispatch also waits for the unit itself: until it is idle, or can take one more.
  for (uint32_t other = 0; other < spec::kUnits; ++other) {
    if ((mask >> other & 1) != 0 || (other == own && own != kPipelined)) running_[other].clear();
  }
  running_[own].insert(running_[own].end(), accesses.begin(), accesses.end());
  return mask;
}

}  // namespace edgebert::checkpoint
