#include "golden/checkpoint/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace edgebert::checkpoint {
namespace {

template <typename Buffer>
Result<Buffer> ReadInto(const std::string& path, const std::string& rule) {
  const auto failed = [&](const char* what) {
    return Error({.file = path}, fmt::format("cannot {} the file: {}", what, std::strerror(errno)),
                 rule);
  };
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failed("open");
  Buffer buffer;
  char block[1 << 16];
  ssize_t count = 0;
  while ((count = read(descriptor, block, sizeof block)) > 0) {
    buffer.insert(buffer.end(), block, block + count);
  }
  if (count < 0) {
    Error error = failed("read");
    close(descriptor);
    return error;
  }
  close(descriptor);
  return buffer;
}

}  // namespace

Result<std::vector<uint8_t>> ReadFile(const std::string& path, const std::string& rule) {
  return ReadInto<std::vector<uint8_t>>(path, rule);
}

Result<std::string> ReadTextFile(const std::string& path, const std::string& rule) {
  return ReadInto<std::string>(path, rule);
}

Status WriteFileAtomically(const std::string& path, std::span<const uint8_t> bytes,
                           const std::string& rule) {
  std::string temporary = path + ".XXXXXX";
  const auto failed = [&](const char* what) {
    return Error({.file = path}, fmt::format("cannot {} the file: {}", what, std::strerror(errno)),
                 rule);
  };
  const int descriptor = mkstemp(temporary.data());
  if (descriptor < 0) return failed("create");
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t count = write(descriptor, bytes.data() + written, bytes.size() - written);
    if (count < 0) break;
    written += static_cast<size_t>(count);
  }
  // mkstemp makes files private; ours are as readable as any other.
  bool ok = written == bytes.size() && fchmod(descriptor, 0644) == 0;
  ok = close(descriptor) == 0 && ok;
  if (ok && std::rename(temporary.c_str(), path.c_str()) == 0) return Ok();
  Error error = failed("write");
  unlink(temporary.c_str());
  return error;
}

Status CheckWritable(const std::string& path, const std::string& rule) {
  struct stat status = {};
  std::string temporary = path + ".XXXXXX";
  if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    errno = EISDIR;
  } else if (const int descriptor = mkstemp(temporary.data()); descriptor >= 0) {
    close(descriptor);
    unlink(temporary.c_str());
    return Ok();
  }
  return Error({.file = path}, fmt::format("cannot create the file: {}", std::strerror(errno)),
               rule);
}

}  // namespace edgebert::checkpoint
