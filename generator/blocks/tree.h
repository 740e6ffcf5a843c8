// eb_max_tree and eb_sum_tree: registered binary trees over lanes.
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitMaxTree();
vlog::Module EmitSumTree();

}  // namespace edgebert::gen
