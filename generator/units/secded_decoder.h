// eb_secded_decoder: corrects words of the ReRAM (docs/architecture.md, "ReRAM image").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: DataBits, CheckBits.
vlog::Module EmitSecdedDecoder();

}  // namespace edgebert::gen
