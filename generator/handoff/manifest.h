// manifest.json: what was generated, from which configuration.
#pragma once

#include <string>
#include <vector>

#include "golden/spec/config.h"

namespace edgebert::gen {

/// `files` are paths relative to the manifest.
[[nodiscard]] std::string Manifest(const spec::AcceleratorConfig& config,
                                   const std::vector<std::string>& files);

}  // namespace edgebert::gen
