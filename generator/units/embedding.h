// eb_embedding: the EMBED unit (docs/architecture.md; docs/numerics.md, section 8).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: Lanes, CodeW, ExpW, MaxVectors (of an embedding row), Backend.
vlog::Module EmitEmbedding();

}  // namespace edgebert::gen
