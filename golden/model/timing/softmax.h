// eb_softmax (docs/architecture.md, "Timing").
#pragma once

#include "golden/model/timing/schedule.h"
#include "golden/spec/config.h"
#include "golden/spec/isa.h"

namespace edgebert::model::timing {

/// When a command dispatched in cycle `start` is done. `writes` of others go before its own.
Cycle RunSoftmax(const spec::AcceleratorConfig& config, const spec::Instruction& command,
                 int length, Cycle start, Schedule& writes);

}  // namespace edgebert::model::timing
