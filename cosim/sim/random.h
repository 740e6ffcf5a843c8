// A small seeded generator (splitmix64): the same numbers on every machine.
#pragma once

#include <cstdint>

namespace edgebert::cosim {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// 0 .. limit - 1, limit > 0.
  uint64_t Below(uint64_t limit) { return Next() % limit; }
  /// first .. last.
  int Between(int first, int last) {
    return first + static_cast<int>(Below(static_cast<uint64_t>(last - first) + 1));
  }
  /// True with probability p. No number is drawn for p <= 0.
  bool Chance(double p) { return p > 0 && static_cast<double>(Next() >> 11) * 0x1.0p-53 < p; }

 private:
  uint64_t state_;
};

}  // namespace edgebert::cosim
