// eb_reram_ctrl: rows of the embedding tables (docs/architecture.md, "ReRAM image").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: Lanes, CodeW, WordBits (of a macro word).
vlog::Module EmitReramCtrl();

}  // namespace edgebert::gen
