// eb_bitmask_encoder: the non-zero mask of a vector (docs/architecture.md, "Bitmask").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: Lanes, CodeW.
vlog::Module EmitBitmaskEncoder();

}  // namespace edgebert::gen
