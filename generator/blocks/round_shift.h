// eb_round_shift: Sat(RoundShift(x, s), OutW) of docs/numerics.md, section 1.
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitRoundShift();

}  // namespace edgebert::gen
