// eb_counter: 64-bit event counter.
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitCounter();

}  // namespace edgebert::gen
