// eb_top: the accelerator (docs/architecture.md).
#pragma once

#include "generator/vlog/module.h"
#include "golden/spec/config.h"

namespace edgebert::gen {

/// The top module of a configuration; its ports and constants are those of the configuration.
vlog::Module EmitTop(const spec::AcceleratorConfig& config);

/// Words of the ReRAM regions: every row of the word, position and token-type tables of the model
/// limits, no code being zero (docs/architecture.md, "ReRAM image").
[[nodiscard]] int ReramSlcWords(const spec::AcceleratorConfig& config);
[[nodiscard]] int ReramMlcWords(const spec::AcceleratorConfig& config);

}  // namespace edgebert::gen
