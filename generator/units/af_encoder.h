// eb_af_encoder: Fixed to AdaptivFloat code (docs/numerics.md section 2).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitAfEncoder();

}  // namespace edgebert::gen
