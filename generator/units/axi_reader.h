// eb_axi_reader: AXI4 read master that turns one long request into bursts and an ordered beat
// stream (docs/architecture.md, "Weight stream").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: AxiAddrW, AxiDataW, AxiIdW, MaxBurst (beats), Outstanding (bursts), FifoDepth
/// (beats, at least MaxBurst), Backend.
vlog::Module EmitAxiReader();

}  // namespace edgebert::gen
