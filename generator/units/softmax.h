// eb_softmax: span-masked softmax of the score memory (docs/numerics.md section 5).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// From a row's last tile in a pass to its first in the next, at most, beside log2(n) cycles: what
/// its rings hold beyond a row.
inline constexpr int kSoftmaxPassCycles = 14;

vlog::Module EmitSoftmax();

}  // namespace edgebert::gen
