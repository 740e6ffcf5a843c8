// What synthesis and timing analysis start from: constraints, memory macros, and scripts for Yosys
// and OpenSTA that run as they are in the output directory.
#pragma once

#include <string>
#include <vector>

#include "generator/handoff/file_set.h"
#include "golden/spec/config.h"

namespace edgebert::gen {

/// Clock of the constraints when CLOCK_PERIOD is not set [ns].
inline constexpr double kDefaultClockPeriod = 10.0;
/// Black boxes of the memory macros, relative to eb_top.v.
inline constexpr const char* kMacroStubs = "synthesis/macros.v";

/// `path`, or the file of synthesis/ that takes its place, relative to eb_top.v; empty for a
/// stand-in that synthesis does not need.
[[nodiscard]] std::vector<std::string> SynthesisFiles(const spec::AcceleratorConfig& config,
                                                      const std::vector<std::string>& paths);

/// eb_top.sdc and synthesis/, beside eb_top.v: wrappers that name one macro for each shape of
/// memory, the macros as black boxes and as a placeholder liberty file, and the two scripts.
[[nodiscard]] FileSet EmitSynthesis(const spec::AcceleratorConfig& config,
                                    const std::vector<std::string>& paths);

}  // namespace edgebert::gen
