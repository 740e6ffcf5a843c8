// eb_sram_1r1w: the only place where memory is made (docs/architecture.md). A macro
// replaces one file.
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// One read port, one write port; the read data is registered.
vlog::Module EmitSram1r1w();
/// The interface of the black boxes that Backend 2 instantiates; an integrator supplies the body.
vlog::Module EmitSram1r1wMacro();

}  // namespace edgebert::gen
