#include "cosim/sim/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

extern char** environ;

namespace edgebert::cosim {
namespace {

constexpr int kPollMilliseconds = 100;

Error CannotStart(const std::string& program, int code) {
  return Error({program}, fmt::format("cannot start '{}': {}", program, std::strerror(code)),
               "tool-missing");
}

}  // namespace

Result<ProcessResult> RunProcess(const std::vector<std::string>& arguments,
                                 const std::string& directory,
                                 const std::function<void()>& while_waiting) {
  EB_CHECK(!arguments.empty(), "a process needs a program");
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return CannotStart(arguments[0], errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
  pid_t child = 0;
  const int status = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (status != 0) {
    close(ends[0]);
    return CannotStart(arguments[0], status);
  }

  ProcessResult result;
  std::array<char, 4096> buffer{};
  while (true) {
    pollfd wait{ends[0], POLLIN, 0};
    const int ready = poll(&wait, 1, kPollMilliseconds);
    if (ready > 0) {
      const ssize_t count = read(ends[0], buffer.data(), buffer.size());
      if (count == 0 || (count < 0 && errno != EINTR)) break;
      if (count > 0) result.output.append(buffer.data(), static_cast<size_t>(count));
    } else if (while_waiting) {
      while_waiting();
    }
  }
  close(ends[0]);
  int code = 0;
  while (waitpid(child, &code, 0) < 0 && errno == EINTR) {
  }
  result.exit_code = WIFEXITED(code) ? WEXITSTATUS(code) : 128 + WTERMSIG(code);
  return result;
}

std::vector<std::string> FindPrograms(const std::string& program) {
  std::vector<std::string> found;
  const char* path = std::getenv("PATH");
  if (path == nullptr) return found;
  const std::string folders = path;
  for (size_t begin = 0; begin <= folders.size();) {
    const size_t end = std::min(folders.find(':', begin), folders.size());
    std::string candidate = folders.substr(begin, end - begin) + "/" + program;
    if (access(candidate.c_str(), X_OK) == 0) found.push_back(std::move(candidate));
    begin = end + 1;
  }
  return found;
}

}  // namespace edgebert::cosim
