// eb_layer_norm: LayerNorm of rows of activation memory (docs/numerics.md section 6).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Cycles from the last read of a row to its statistics, and log2(n) for the sums of a vector.
inline constexpr int kNormStatisticsCycles = 11;

/// One lane of the normalising pipeline.
vlog::Module EmitNormLane();
vlog::Module EmitLayerNorm();

}  // namespace edgebert::gen
