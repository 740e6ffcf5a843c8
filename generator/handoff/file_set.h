// The files of an output directory, written all or not at all.
#pragma once

#include <map>
#include <string>

#include "golden/base/result.h"

namespace edgebert::gen {

class FileSet {
 public:
  /// `path` is relative to the output directory, with '/' between folders. Each path comes once.
  void Add(const std::string& path, std::string text);

  /// By path, in alphabetical order.
  [[nodiscard]] const std::map<std::string, std::string>& files() const { return files_; }

  /// Writes every file below `directory`, which is made when it does not exist. Everything is first
  /// written beside its place and then renamed: a new directory appears complete, an existing one
  /// has its files replaced one by one after all of them are ready, and other files in it stay.
  /// Rule: "output-write", with the path and the reason; no file has changed then.
  [[nodiscard]] Status WriteTo(const std::string& directory) const;

 private:
  std::map<std::string, std::string> files_;
};

}  // namespace edgebert::gen
