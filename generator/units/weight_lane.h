// eb_weight_lane: softmax weight of one key (docs/numerics.md section 5).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitWeightLane();

}  // namespace edgebert::gen
