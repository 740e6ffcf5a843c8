// eb_reciprocal: 1/S as mantissa and exponent (docs/numerics.md section 4).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitReciprocal();

}  // namespace edgebert::gen
