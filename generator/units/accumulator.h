// eb_accumulator: the ping-pong banks of partial sums (docs/numerics.md, section 3).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: Lanes, DotW, AccW, MaxRows, Backend.
vlog::Module EmitAccumulator();

}  // namespace edgebert::gen
