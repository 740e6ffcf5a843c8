// eb_reram_macro: the embedding memory (docs/architecture.md, "ReRAM image").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Stands for the ReRAM macro. Parameters: WordBits, BitsPerCell, ReadLatency, SlcWords, MlcWords.
vlog::Module EmitReramArrayMacro();
/// The memory that eb_reram_ctrl reads; its behavioural arrays are `slc_mem` and `mlc_mem`.
/// Parameters: those of the macro, and Backend.
vlog::Module EmitReramMacro();

}  // namespace edgebert::gen
