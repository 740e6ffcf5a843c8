// eb_bitmask_decoder: compacted non-zero codes back to vectors (docs/architecture.md, "Bitmask").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: Lanes, CodeW, InCodes (codes of an input word).
vlog::Module EmitBitmaskDecoder();

}  // namespace edgebert::gen
