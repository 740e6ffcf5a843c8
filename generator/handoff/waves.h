// What GTKWave needs to show the accelerator: a view (.gtkw) of the signals that tell the story of
// a sentence, and translate filters that show states and opcodes by name and AdaptivFloat codes by
// value.
#pragma once

#include <cstdint>
#include <string>

#include "generator/handoff/file_set.h"
#include "golden/spec/config.h"

namespace edgebert::gen {

/// The filters, lines of `HEX text`: opcode.txt, one `<unit>_state.txt` a state machine,
/// adaptivfloat_<W>_<E>.txt for a code behind the 8-bit bias of its tensor, and integer_<W>_<E>.txt
/// for a code alone (its integer view, docs/numerics.md).
[[nodiscard]] FileSet WaveFilters(const spec::AcceleratorConfig& config);

/// The view. GTKWave looks for `filters`, the folder of WaveFilters, from where it is started.
struct WaveView {
  std::string filters;
  std::string dump;     ///< FST file to open; empty: the one on GTKWave's command line
  uint64_t start = 0;   ///< first time shown [ns]
  uint64_t end = 2000;  ///< last time shown [ns]
};
[[nodiscard]] std::string WaveViewText(const spec::AcceleratorConfig& config, const WaveView& view);

/// waves/<name>.gtkw and waves/filters: opened from the folder that holds waves/.
[[nodiscard]] FileSet EmitWaves(const spec::AcceleratorConfig& config, const std::string& name);

}  // namespace edgebert::gen
