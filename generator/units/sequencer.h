// eb_sequencer: loads and runs the program (docs/architecture.md, "Units and dispatch").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: AxiAddrW, AxiDataW, MaxRows, ProgramDepth, Backend.
vlog::Module EmitSequencer();

}  // namespace edgebert::gen
