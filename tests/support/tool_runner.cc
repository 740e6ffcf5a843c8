#include "tests/support/tool_runner.h"

#include <gtest/gtest.h>

#include "cosim/sim/process.h"

namespace edgebert::test {
namespace {

// What timeout(1) returns when it had to kill: 124, or 128 + SIGKILL.
constexpr int kTimedOut = 124;
constexpr int kKilled = 137;

}  // namespace

ToolResult RunTool(const std::vector<std::string>& command, const std::string& directory,
                   int timeout_seconds) {
  const std::string& program = command.at(0);
  if (program.find('/') == std::string::npos && !cosim::FindProgram(program)) {
    ADD_FAILURE() << "'" << program << "' is not installed";
    return {.exit_code = 127, .output = "'" + program + "' is not installed"};
  }
  std::vector<std::string> guarded = {"timeout", "--signal=KILL", std::to_string(timeout_seconds)};
  guarded.insert(guarded.end(), command.begin(), command.end());
  auto result = cosim::RunProcess(guarded, directory);
  if (!result.ok()) {
    ADD_FAILURE() << result.error().Format();
    return {.exit_code = 127, .output = result.error().Format()};
  }
  const bool timed_out = result->exit_code == kTimedOut || result->exit_code == kKilled;
  return {result->exit_code, result->output, timed_out};
}

}  // namespace edgebert::test
