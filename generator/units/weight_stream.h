// eb_weight_stream: the weight stream from AXI beats to word groups and tiles
// (docs/architecture.md, "Weight stream").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: Lanes, CodeW, AxiAddrW, AxiDataW.
vlog::Module EmitWeightStream();

}  // namespace edgebert::gen
