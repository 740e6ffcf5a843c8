// What the tests of the matrix datapath share: the format written as real arithmetic, and the
// emitted modules as files.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "generator/vlog/module.h"

namespace edgebert::test {

/// AdaptivFloat<width, exponent>.
struct Format {
  int width = 8;
  int exponent = 3;
  [[nodiscard]] int mantissa() const { return width - 1 - exponent; }
};

/// The real value of a code with bias 0, straight from the format's definition
/// (docs/numerics.md, section 2). Exact.
inline double RealValue(unsigned code, const Format& format) {
  const unsigned m = code & ((1U << format.mantissa()) - 1);
  const unsigned e = (code >> format.mantissa()) & ((1U << format.exponent) - 1);
  if (e == 0 && m == 0) return 0;
  const double magnitude = std::ldexp(1 + std::ldexp(m, -format.mantissa()), static_cast<int>(e));
  return ((code >> (format.width - 1)) & 1U) != 0 ? -magnitude : magnitude;
}

/// The product of two codes in units of 2^-2M, the integer view of products.
inline int64_t IntegerProduct(unsigned a, unsigned b, const Format& format) {
  return std::llround(
      std::ldexp(RealValue(a, format) * RealValue(b, format), 2 * format.mantissa()));
}

/// Bits of a product and of a dot product of `lanes` of them.
inline int ProductBits(const Format& format) {
  return 2 * (format.mantissa() + 1 + (1 << format.exponent)) - 1;
}
inline int DotBits(const Format& format, int lanes) {
  return ProductBits(format) + static_cast<int>(std::lround(std::log2(lanes)));
}

inline std::vector<std::pair<std::string, std::string>> Files(
    const std::vector<vlog::Module>& modules) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const vlog::Module& module : modules) {
    files.emplace_back(module.name() + ".v", module.Emit());
  }
  return files;
}

}  // namespace edgebert::test
