#include "generator/handoff/manifest.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <sstream>

#include "generator/handoff/memory_list.h"
#include "golden/spec/register_map.h"

namespace edgebert::gen {
namespace {

using Json = nlohmann::ordered_json;

/// A value of the canonical configuration text: a number, a truth value or a word.
Json Value(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  if (text == "true" || text == "false") return text == "true";
  return text;
}

/// The canonical text as sections of keys.
Json Configuration(const spec::AcceleratorConfig& config) {
  Json sections;
  std::istringstream lines(spec::ToConfigText(config));
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find(" = ");
    if (line.starts_with('[')) {
      section = line.substr(1, line.find(']') - 1);
    } else if (!line.starts_with('#') && equals != std::string::npos) {
      sections[section][line.substr(0, equals)] = Value(line.substr(equals + 3));
    }
  }
  return sections;
}

}  // namespace

std::string Manifest(const spec::AcceleratorConfig& config, const std::vector<std::string>& files) {
  int64_t sram_bits = 0;
  for (const MemoryInstance& memory : MemoryList(config)) {
    if (memory.write_enables > 0) sram_bits += memory.Bits();
  }
  const Json manifest = {
      {"top", "eb_top"},
      {"config_hash", fmt::format("0x{:08X}", spec::ConfigHash(config))},
      {"register_map_version", spec::kRegisterMapVersion},
      {"config", Configuration(config)},
      {"derived",
       {{"accumulator_bits", spec::AccumulatorBits(config)},
        {"product_bits", spec::ProductBits(config)},
        {"activation_vectors", spec::ActivationVectors(config)},
        {"codes_per_beat", spec::CodesPerBeat(config)},
        {"sram_bits", sram_bits}}},
      {"files", files},
  };
  return manifest.dump(2) + "\n";
}

}  // namespace edgebert::gen
