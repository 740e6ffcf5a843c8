// eb_segment_address: turns a STREAM instruction into a segment of the weight stream
// (docs/architecture.md, "Instructions").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameter: AxiAddrW.
vlog::Module EmitSegmentAddress();

}  // namespace edgebert::gen
