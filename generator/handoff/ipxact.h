// The registers of eb_top for tools: IP-XACT, IEEE 1685-2014.
#pragma once

#include <string>

#include "golden/spec/config.h"

namespace edgebert::gen {

/// A component with one memory map, behind the AXI4-Lite port.
[[nodiscard]] std::string IpXact(const spec::AcceleratorConfig& config);

}  // namespace edgebert::gen
