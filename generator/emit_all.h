// Everything that a configuration makes: Verilog, file lists, documents, manifest.
#pragma once

#include <string>
#include <vector>

#include "generator/handoff/file_set.h"
#include "generator/vlog/module.h"
#include "golden/spec/config.h"

namespace edgebert::gen {

/// The modules that depend on no configuration, in alphabetical order.
[[nodiscard]] std::vector<vlog::Module> CommonModules();

/// The configuration-independent files: `common/<module>.v`.
[[nodiscard]] FileSet EmitCommon();

/// The files of one configuration, below the folder `name`: eb_top.v, file lists for the tools
/// (they name the common modules as ../common/<module>.v), register map, memory list and manifest.
/// The same configuration and name always give the same bytes.
[[nodiscard]] FileSet EmitConfiguration(const spec::AcceleratorConfig& config,
                                        const std::string& name);

/// Both, and the GTKWave views: what edgebert-gen writes.
[[nodiscard]] FileSet EmitAll(const spec::AcceleratorConfig& config, const std::string& name);

}  // namespace edgebert::gen
