// eb_activation: ReLU, GELU, tanh of a Fixed (docs/numerics.md section 4).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitActivation();

}  // namespace edgebert::gen
