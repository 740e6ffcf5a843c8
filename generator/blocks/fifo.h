// eb_fifo: synchronous first-word-fall-through FIFO.
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitFifo();

}  // namespace edgebert::gen
