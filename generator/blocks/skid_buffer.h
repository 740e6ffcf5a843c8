// eb_skid_buffer: registers a stream in both directions.
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitSkidBuffer();

}  // namespace edgebert::gen
