// eb_af_decoder: AdaptivFloat code to Fixed (docs/numerics.md section 2).
#pragma once

#include <string>

#include "generator/vlog/module.h"

namespace edgebert::gen {

vlog::Module EmitAfDecoder();

/// Verilog of CodeW and ExpW: the bias of a tensor plus this is offset_i.
std::string AfDecoderOffset();

}  // namespace edgebert::gen
