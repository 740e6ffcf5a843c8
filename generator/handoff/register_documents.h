// The register map for people and for drivers, from golden/spec/register_map.h.
#pragma once

#include <cstdint>
#include <string>

#include "golden/spec/config.h"

namespace edgebert::gen {

/// The SHAPE register.
[[nodiscard]] uint32_t ShapeValue(const spec::AcceleratorConfig& config);
/// registers.md
[[nodiscard]] std::string RegisterMarkdown(const spec::AcceleratorConfig& config);
/// eb_registers.h, C99: offsets, fields, error codes and the identity of the configuration.
[[nodiscard]] std::string RegisterHeader(const spec::AcceleratorConfig& config);

}  // namespace edgebert::gen
