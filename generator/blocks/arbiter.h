// eb_arbiter: one of several requests at a time.
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitArbiter();

}  // namespace edgebert::gen
