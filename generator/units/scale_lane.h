// eb_scale_lane: softmax weight to code (docs/numerics.md section 5).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitScaleLane();

}  // namespace edgebert::gen
