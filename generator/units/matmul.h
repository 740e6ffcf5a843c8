// eb_matmul: the MATMUL unit (docs/architecture.md, "Instructions").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Rows of a tile that the span window leaves. Parameters: Lanes.
vlog::Module EmitRowWindow();
/// Parameters: Lanes, CodeW, ExpW, AccW, MaxRows, Pipeline, Backend.
vlog::Module EmitMatmul();

}  // namespace edgebert::gen
