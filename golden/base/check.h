// EB_CHECK: stops on a broken invariant of our own (never on a user's mistake; those are
// Diagnostics).
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

/// `EB_CHECK(row < rows, "row {} of {}", row, rows);`
#define EB_CHECK(condition, ...)                                                                \
  do {                                                                                          \
    if (!(condition)) {                                                                         \
      fmt::print(stderr, "{}:{}: internal error: '{}' does not hold: {}\n", __FILE__, __LINE__, \
                 #condition, fmt::format(__VA_ARGS__));                                         \
      std::fflush(stderr);                                                                      \
      std::abort();                                                                             \
    }                                                                                           \
  } while (false)
