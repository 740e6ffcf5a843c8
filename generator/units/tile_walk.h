// eb_tile_walk: the key tiles of a row, one after the other.
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitTileWalk();

}  // namespace edgebert::gen
