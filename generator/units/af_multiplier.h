// eb_af_multiplier: product of two AdaptivFloat operands (docs/numerics.md, sections 2 and 3).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: CodeW, ExpW, Registered, Gated.
vlog::Module EmitAfMultiplier();

}  // namespace edgebert::gen
