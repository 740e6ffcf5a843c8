#include "tests/support/lint.h"

#include <fmt/format.h>

#include <filesystem>

#include "tests/support/temporary_folder.h"
#include "tests/support/tool_runner.h"

namespace edgebert::test {
namespace {

std::string Shown(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

::testing::AssertionResult FilesLintClean(const std::vector<std::string>& paths,
                                          const std::string& top, const Parameters& parameters) {
  std::vector<std::string> verilator = {"verilator", "--lint-only", "-Wall", "--top-module", top};
  std::vector<std::string> icarus = {"iverilog", "-g2005", "-Wall", "-t", "null", "-s", top};
  std::string script = "read_verilog";
  for (const std::string& path : paths) script.append(" ").append(path);
  script += "; hierarchy -check -top " + top;
  for (const auto& [name, value] : parameters) {
    verilator.push_back(fmt::format("-G{}={}", name, value));
    icarus.push_back(fmt::format("-P{}.{}={}", top, name, value));
    script += fmt::format(" -chparam {} {}", name, value);
  }
  script += "; proc; opt; check -assert";
  verilator.insert(verilator.end(), paths.begin(), paths.end());
  icarus.insert(icarus.end(), paths.begin(), paths.end());

  auto verdict = ::testing::AssertionSuccess();
  for (const auto& command : {verilator, icarus, {"yosys", "-q", "-p", script}}) {
    const ToolResult result = RunTool(command, std::filesystem::temp_directory_path());
    if (result.ok() && result.output.empty()) continue;
    if (verdict) verdict = ::testing::AssertionFailure();
    verdict << Shown(command) << "\nexit code " << result.exit_code
            << (result.timed_out ? ", timed out" : "") << ":\n"
            << result.output << "\n";
  }
  return verdict;
}

::testing::AssertionResult LintsClean(const std::vector<vlog::Module>& modules,
                                      const std::string& top, const Parameters& parameters) {
  const TemporaryFolder folder;
  std::vector<std::string> paths;
  paths.reserve(modules.size());
  for (const vlog::Module& module : modules) {
    paths.push_back(folder.Write(module.name() + ".v", module.Emit()));
  }
  return FilesLintClean(paths, top, parameters);
}

}  // namespace edgebert::test
