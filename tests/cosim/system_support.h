// What the tests of the bus units and the sequencer share.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "cosim/axi/axi_checker.h"
#include "generator/vlog/module.h"

namespace edgebert::test {

using Files = std::vector<std::pair<std::string, std::string>>;

inline Files EmittedFiles(std::initializer_list<vlog::Module> modules) {
  Files files;
  for (const vlog::Module& module : modules)
    files.emplace_back(module.name() + ".v", module.Emit());
  return files;
}

/// All violations, one a line; empty when the protocol was kept.
inline std::string Format(const std::vector<cosim::AxiViolation>& violations) {
  std::string text;
  for (const cosim::AxiViolation& violation : violations) text += violation.Format() + '\n';
  return text;
}

}  // namespace edgebert::test
