// File lists: how each tool reads the design.
#pragma once

#include <string>
#include <vector>

namespace edgebert::gen {

/// `verilator -F verilator.f` from anywhere: paths are relative to the list.
[[nodiscard]] std::string VerilatorFileList(const std::vector<std::string>& paths);
/// `iverilog -c icarus.f` in the folder of the list.
[[nodiscard]] std::string IcarusFileList(const std::vector<std::string>& paths);
/// Paths and nothing else, for any other tool (`-F`, or `-f` in the folder of the list).
[[nodiscard]] std::string CommercialFileList(const std::vector<std::string>& paths,
                                             const std::string& purpose);
/// `yosys yosys.ys` in the folder of the script: reads, checks and elaborates eb_top.
[[nodiscard]] std::string YosysScript(const std::vector<std::string>& paths);

}  // namespace edgebert::gen
