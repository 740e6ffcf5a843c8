// eb_vmac_array: Lanes x Lanes multipliers around a held tile (docs/architecture.md).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: Lanes, CodeW, ExpW, Pipeline.
vlog::Module EmitVmacArray();

}  // namespace edgebert::gen
