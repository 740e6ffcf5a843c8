// eb_layer_norm (docs/architecture.md, "Timing").
#pragma once

#include "golden/model/timing/schedule.h"
#include "golden/model/timing/weight_stream.h"
#include "golden/spec/config.h"
#include "golden/spec/isa.h"

namespace edgebert::model::timing {

/// When a command dispatched in cycle `start` is done.
Cycle RunLayerNorm(const spec::AcceleratorConfig& config, const spec::Instruction& command,
                   int length, Cycle start, WeightStream& stream);

}  // namespace edgebert::model::timing
