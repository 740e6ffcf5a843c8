#include "cosim/program/wave_view.h"

#include <filesystem>

#include "cosim/sim/dut.h"
#include "generator/handoff/waves.h"

namespace edgebert::cosim {

Result<std::string> WriteWaveView(const spec::AcceleratorConfig& config, const std::string& fst,
                                  uint64_t first, uint64_t last) {
  const std::filesystem::path trace = std::filesystem::absolute(fst).lexically_normal();
  const std::string stem = trace.stem().string();
  const gen::WaveView view{.filters = (trace.parent_path() / (stem + "_filters")).string(),
                           .dump = trace.string(),
                           .start = Dut::kPeriod * first,
                           .end = Dut::kPeriod * last};
  gen::FileSet files;
  files.Add(stem + ".gtkw", gen::WaveViewText(config, view));
  const gen::FileSet filters = gen::WaveFilters(config);
  for (const auto& [path, text] : filters.files()) files.Add(stem + "_filters/" + path, text);
  EB_RETURN_IF_ERROR(files.WriteTo(trace.parent_path().string()));
  return std::filesystem::path(fst).replace_extension(".gtkw").string();
}

}  // namespace edgebert::cosim
