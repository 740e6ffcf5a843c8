#include "generator/handoff/file_lists.h"

namespace edgebert::gen {

std::string VerilatorFileList(const std::vector<std::string>& paths) {
  std::string text = "// verilator -F verilator.f\n--top-module eb_top\n";
  for (const std::string& path : paths) text += path + '\n';
  return text;
}

std::string IcarusFileList(const std::vector<std::string>& paths) {
  std::string text = "// iverilog -g2005 -s eb_top -c icarus.f, in this folder\n";
  for (const std::string& path : paths) text += path + '\n';
  return text;
}

std::string CommercialFileList(const std::vector<std::string>& paths, const std::string& purpose) {
  std::string text = "// eb_top, Verilog-2005; paths relative to this file. For " + purpose + "\n";
  for (const std::string& path : paths) text += path + '\n';
  return text;
}

std::string YosysScript(const std::vector<std::string>& paths) {
  std::string text = "# yosys yosys.ys, in this folder\n";
  for (const std::string& path : paths) text += "read_verilog " + path + '\n';
  return text + "hierarchy -check -top eb_top\nproc\nopt\ncheck -assert\n";
}

}  // namespace edgebert::gen
