// The presets and the files made of them.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "golden/base/check.h"
#include "golden/spec/config.h"

namespace edgebert::test {

inline std::filesystem::path SourceRoot() { return EDGEBERT_SOURCE_ROOT; }

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EB_CHECK(file.good(), "cannot read {}", path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Preset {
  std::string name;
  spec::AcceleratorConfig config;
};

/// Every file of generator/configs, by name.
inline std::vector<Preset> Presets() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(SourceRoot() / "generator/configs")) {
    if (entry.path().extension() == ".cfg") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Preset> presets;
  for (const auto& path : paths) {
    auto config = spec::LoadConfig(path.string());
    EB_CHECK(config.ok(), "{}", config.error().Format());
    presets.push_back({path.stem().string(), *config});
  }
  return presets;
}

}  // namespace edgebert::test
