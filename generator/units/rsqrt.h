// eb_rsqrt: 1/sqrt(D) as mantissa and exponent (docs/numerics.md section 4).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitRSqrt();

}  // namespace edgebert::gen
