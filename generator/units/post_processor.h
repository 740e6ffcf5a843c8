// eb_post_processor: accumulators to codes, scores or logits (docs/numerics.md section 3).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// One lane: shift, bias, activation, residual, encoder.
vlog::Module EmitPostLane();
/// Lanes of them, with the valid bit and the tag of each vector.
vlog::Module EmitPostProcessor();

}  // namespace edgebert::gen
