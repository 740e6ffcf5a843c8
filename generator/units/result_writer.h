// eb_result_writer: writes the result record (docs/architecture.md, "Result record").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameter: AxiAddrW.
vlog::Module EmitResultWriter();

}  // namespace edgebert::gen
