// A page of results: printed as it grows, and kept to be written to a file.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>

namespace edgebert {

class Page {
 public:
  void Line(const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
    text_ += line + "\n";
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace edgebert
