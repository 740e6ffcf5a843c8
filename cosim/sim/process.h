// Runs a tool and collects what it prints. No shell is involved.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "golden/base/result.h"

namespace edgebert::cosim {

struct ProcessResult {
  int exit_code = 0;   ///< 128 + signal when a signal ended the process
  std::string output;  ///< standard output and error, in the order of printing
};

/// Runs `arguments` (the first is looked up in PATH) in `directory` and waits for the end.
/// `while_waiting`, when set, is called about ten times a second. Rule: "tool-missing" when the
/// program cannot be started.
Result<ProcessResult> RunProcess(const std::vector<std::string>& arguments,
                                 const std::string& directory,
                                 const std::function<void()>& while_waiting = {});

/// The executables called `program` in the folders of PATH, in its order.
std::vector<std::string> FindPrograms(const std::string& program);
inline bool FindProgram(const std::string& program) { return !FindPrograms(program).empty(); }

}  // namespace edgebert::cosim
