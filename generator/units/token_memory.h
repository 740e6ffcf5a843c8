// eb_token_memory: the tokens of the sentence (docs/architecture.md, EMBED).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: AxiDataW, MaxRows (tokens), Backend.
vlog::Module EmitTokenMemory();

}  // namespace edgebert::gen
