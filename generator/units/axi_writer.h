// eb_axi_writer: AXI4 write master for single 32-bit words (docs/architecture.md, "Result record").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: AxiAddrW, AxiDataW, AxiIdW, Outstanding (writes).
vlog::Module EmitAxiWriter();

}  // namespace edgebert::gen
