// The GTKWave view of a trace.
#pragma once

#include <cstdint>
#include <string>

#include "golden/base/result.h"
#include "golden/spec/config.h"

namespace edgebert::cosim {

/// Writes the view of the trace `fst` beside it: `<stem>.gtkw`, and its filters in
/// `<stem>_filters`. It opens on the cycles [first, last). Returns its path. Rule: "output-write".
Result<std::string> WriteWaveView(const spec::AcceleratorConfig& config, const std::string& fst,
                                  uint64_t first, uint64_t last);

}  // namespace edgebert::cosim
