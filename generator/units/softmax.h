// eb_softmax: span-masked softmax of the score memory (docs/numerics.md section 5).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitSoftmax();

}  // namespace edgebert::gen
