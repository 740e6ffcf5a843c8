// The worst cases that docs/numerics.md section 10 states, read from the page itself, so that page
// and measurement cannot drift apart.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace edgebert {

/// The bound of the row `name` of the table; fails the test when there is none.
inline double StatedError(const std::string& name) {
  std::ifstream page(EDGEBERT_NUMERICS);
  const std::string start = "| `" + name + "` |";
  bool in_section = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## ")) in_section = line.starts_with("## 10.");
    if (!in_section || !line.starts_with(start)) continue;
    const size_t cell = line.find('|', start.size());
    return std::strtod(line.c_str() + cell + 1, nullptr);
  }
  ADD_FAILURE() << "docs/numerics.md section 10 has no row `" << name << "`";
  return 0;
}

/// Checks the outcome of a sweep of the whole domain: the page must state the worst case, not just
/// some upper limit.
inline void ExpectStatedError(const std::string& name, double worst) {
  const double stated = StatedError(name);
  fmt::print("{:<20} worst {:.3e}, stated {:.3e}\n", name, worst, stated);
  EXPECT_LE(worst, stated) << name;
  EXPECT_GE(worst, 0.9 * stated) << name << ": the stated bound is loose";
}

}  // namespace edgebert
