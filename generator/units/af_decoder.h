// eb_af_decoder: AdaptivFloat code to Fixed (docs/numerics.md section 2).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitAfDecoder();

}  // namespace edgebert::gen
