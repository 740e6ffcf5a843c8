// eb_exit: the end of an off-ramp: logits, entropy and the decision (docs/numerics.md section 7).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Entropy and prediction of a set of logits, one class a cycle.
vlog::Module EmitEntropy();
vlog::Module EmitExit();

}  // namespace edgebert::gen
