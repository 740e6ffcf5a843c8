// File lists: how each tool reads the design.
#pragma once

#include <string>
#include <vector>

namespace edgebert::gen {

/// `verilator -F verilator.f` from anywhere: paths are relative to the list.
[[nodiscard]] std::string VerilatorFileList(const std::vector<std::string>& paths);
/// `iverilog -c icarus.f` in the folder of the list. Most commercial tools read it as well.
[[nodiscard]] std::string IcarusFileList(const std::vector<std::string>& paths);
/// `yosys yosys.ys` in the folder of the script: reads, checks and elaborates eb_top.
[[nodiscard]] std::string YosysScript(const std::vector<std::string>& paths);

}  // namespace edgebert::gen
