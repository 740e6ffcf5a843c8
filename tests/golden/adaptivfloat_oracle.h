// AdaptivFloat in real numbers, from its definition (docs/numerics.md section 2): a list of values
// and a search through it. Nothing here knows how the units do it.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "golden/model/adaptivfloat.h"

namespace edgebert {

/// Every legal <W,E>: W 4..8, E 2..4, at least one mantissa bit.
inline std::vector<model::AdaptivFloat> AllFormats() {
  std::vector<model::AdaptivFloat> formats;
  for (int width = 4; width <= 8; ++width) {
    for (int exponent = 2; exponent <= 4; ++exponent) {
      if (width - 1 - exponent >= 1) formats.push_back({width, exponent});
    }
  }
  return formats;
}

/// Entry i is the value of the positive code i; entry 0 is zero.
inline std::vector<double> PositiveValues(const model::AdaptivFloat& format, int bias) {
  const int mantissa_bits = format.width - 1 - format.exponent;
  std::vector<double> values;
  for (int e = 0; e < 1 << format.exponent; ++e) {
    for (int m = 0; m < 1 << mantissa_bits; ++m) {
      values.push_back(std::pow(2.0, e + bias) * (1 + m / std::pow(2.0, mantissa_bits)));
    }
  }
  values[0] = 0;
  return values;
}

inline double ValueOf(uint32_t code, const model::AdaptivFloat& format,
                      const std::vector<double>& values) {
  const uint32_t sign = 1u << (format.width - 1);
  return (code & sign) != 0 ? -values[code - sign] : values[code];
}

/// Nearest code of x by comparison with every value; a tie goes to the even one. The gap around
/// zero has its own rule: from half of the smallest value on, the smallest value.
inline uint32_t NearestCode(double x, const model::AdaptivFloat& format,
                            const std::vector<double>& values) {
  const double a = std::fabs(x);
  if (a < values[1] / 2) return 0;
  uint32_t best = 1;
  for (uint32_t code = 2; code < values.size(); ++code) {
    const double distance = std::fabs(a - values[code]);
    const double best_distance = std::fabs(a - values[best]);
    if (distance < best_distance || (distance == best_distance && code % 2 == 0)) best = code;
  }
  return x < 0 ? best | 1u << (format.width - 1) : best;
}

}  // namespace edgebert
