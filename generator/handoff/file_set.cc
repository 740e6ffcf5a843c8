#include "generator/handoff/file_set.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace edgebert::gen {
namespace {

namespace fs = std::filesystem;

Error CannotWrite(const fs::path& path, const std::string& reason) {
  return Error({path.string()}, "cannot write: " + reason, "output-write");
}

Status MakeFolders(const fs::path& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) return CannotWrite(path, code.message());
  // Succeeds as well where a file stands.
  if (!fs::is_directory(path)) return CannotWrite(path, std::strerror(ENOTDIR));
  return Ok();
}

Status WriteFile(const fs::path& path, const std::string& text) {
  EB_RETURN_IF_ERROR(MakeFolders(path.parent_path()));
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return CannotWrite(path, std::strerror(errno));
  return Ok();
}

/// A folder that is removed with what is left in it.
class Scratch {
 public:
  explicit Scratch(fs::path path) : path_(std::move(path)) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Every file must find its folder, and no folder in its place. Makes folders once all can be made.
Status PreparePlaces(const fs::path& target, const std::map<std::string, std::string>& files) {
  for (const auto& [name, text] : files) {
    const fs::path place = target / name;
    if (fs::is_directory(place)) return CannotWrite(place, std::strerror(EISDIR));
    for (fs::path folder = place.parent_path(); folder != target; folder = folder.parent_path()) {
      if (fs::exists(folder) && !fs::is_directory(folder)) {
        return CannotWrite(folder, std::strerror(ENOTDIR));
      }
    }
  }
  for (const auto& [name, text] : files) {
    EB_RETURN_IF_ERROR(MakeFolders((target / name).parent_path()));
  }
  return Ok();
}

}  // namespace

void FileSet::Add(const std::string& path, std::string text) {
  const fs::path relative(path);
  EB_CHECK(!path.empty() && relative.is_relative() && relative.lexically_normal() == relative &&
               *relative.begin() != "..",
           "'{}' is not a plain relative path", path);
  const bool is_new = files_.emplace(path, std::move(text)).second;
  EB_CHECK(is_new, "file '{}' added twice", path);
}

Status FileSet::WriteTo(const std::string& directory) const {
  const fs::path target = fs::absolute(directory + "/").lexically_normal().parent_path();
  const bool exists = fs::exists(target);
  if (exists && !fs::is_directory(target)) return CannotWrite(target, std::strerror(ENOTDIR));

  // On the file system of the target, so that renaming cannot fail half-way.
  const std::string suffix = ".partial-" + std::to_string(getpid());
  const Scratch scratch(exists ? target / suffix : fs::path(target.string() + suffix));
  std::error_code made;
  fs::create_directories(scratch.path(), made);
  if (made) return CannotWrite(target, made.message());
  for (const auto& [name, text] : files_) {
    EB_RETURN_IF_ERROR(WriteFile(scratch.path() / name, text));
  }

  std::error_code code;
  if (!exists) {
    fs::rename(scratch.path(), target, code);
    if (code) return CannotWrite(target, code.message());
    return Ok();
  }
  EB_RETURN_IF_ERROR(PreparePlaces(target, files_));
  for (const auto& [name, text] : files_) {
    fs::rename(scratch.path() / name, target / name, code);
    if (code) return CannotWrite(target / name, code.message());
  }
  return Ok();
}

}  // namespace edgebert::gen
