// The memories that a configuration needs, for the choice of macros.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "golden/spec/config.h"

namespace edgebert::gen {

/// One instance of a memory wrapper.
struct MemoryInstance {
  std::string path;     ///< below eb_top
  std::string wrapper;  ///< module
  int words = 0;
  int word_bits = 0;
  int write_enables = 1;  ///< each covers word_bits / write_enables bits
  std::string use;
  std::string macro = "";  ///< module of synthesis/macros.v; instances of one shape share it

  [[nodiscard]] int64_t Bits() const { return int64_t{words} * word_bits; }
};

/// In the order of their paths.
[[nodiscard]] std::vector<MemoryInstance> MemoryList(const spec::AcceleratorConfig& config);

/// memories.csv: one instance a line, with the macro of its shape.
[[nodiscard]] std::string MemoryListText(const spec::AcceleratorConfig& config);

}  // namespace edgebert::gen
