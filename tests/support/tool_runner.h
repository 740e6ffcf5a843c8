// Runs the external tools that tests lean on. A tool that is not installed fails the test.
#pragma once

#include <string>
#include <vector>

namespace edgebert::test {

struct ToolResult {
  int exit_code = 0;   ///< 128 + signal when a signal ended the tool
  std::string output;  ///< standard output and error, in the order of printing
  bool timed_out = false;

  [[nodiscard]] bool ok() const { return exit_code == 0 && !timed_out; }
};

/// Runs `command` (the first word is looked up in PATH) in `directory`; kills it with its children
/// after `timeout_seconds`. A missing program fails the running test and returns exit code 127.
ToolResult RunTool(const std::vector<std::string>& command, const std::string& directory,
                   int timeout_seconds = 60);

}  // namespace edgebert::test
