// eb_span_mask: attention span mask of a key tile (docs/numerics.md section 5).
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitSpanMask();

}  // namespace edgebert::gen
