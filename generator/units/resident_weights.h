// eb_resident_weights: the weight stream held on chip (docs/architecture.md, "Weight stream").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitResidentWeights();

}  // namespace edgebert::gen
