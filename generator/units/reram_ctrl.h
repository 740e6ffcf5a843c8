// eb_reram_ctrl: rows of the embedding tables (docs/architecture.md, "ReRAM image").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: Lanes, CodeW, WordBits (data of a macro word), CheckBits (ECC of a macro word, or
/// 0).
vlog::Module EmitReramCtrl();

}  // namespace edgebert::gen
