// eb_reset_sync: asynchronous assertion, synchronous release of the reset.
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitResetSync();

}  // namespace edgebert::gen
