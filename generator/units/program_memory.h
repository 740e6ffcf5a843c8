// eb_program_memory: holds the program and fetches it one instruction ahead
// (docs/architecture.md, "Instructions").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: AxiDataW, ProgramDepth (instructions), Backend.
vlog::Module EmitProgramMemory();

}  // namespace edgebert::gen
