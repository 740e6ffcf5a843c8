// eb_ln: natural logarithm (docs/numerics.md section 4).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitLn();

}  // namespace edgebert::gen
