// eb_exp: e^-d (docs/numerics.md section 4).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitExp();

}  // namespace edgebert::gen
