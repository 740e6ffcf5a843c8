// What a system around eb_top starts from: an instance to copy, a driver in C, a register
// description for tools, power intent, and configurations of two place-and-route flows.
#pragma once

#include <string>
#include <vector>

#include "generator/handoff/file_set.h"
#include "golden/spec/config.h"

namespace edgebert::gen {

/// integration/eb_top_template.v, eb_driver.h, eb_driver.c; eb_top.ipxact.xml (IEEE 1685-2014);
/// eb_top.upf (IEEE 1801-2013); openroad/config.mk; librelane/config.json. `synthesis_files` are
/// relative to eb_top.v.
[[nodiscard]] FileSet EmitIntegration(const spec::AcceleratorConfig& config,
                                      const std::vector<std::string>& synthesis_files);

}  // namespace edgebert::gen
