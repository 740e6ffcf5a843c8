// eb_activation_memory: the vectors of codes that all units share (docs/architecture.md, "Data
// layout").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: Lanes, CodeW, AddrW, Depth (vectors), Backend.
vlog::Module EmitActivationMemory();

}  // namespace edgebert::gen
