// eb_bitmask_decoder over one record of the weight stream, or one row of the ReRAM
// (docs/architecture.md, "Timing").
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "golden/model/timing/schedule.h"

namespace edgebert::model::timing {

inline constexpr Cycle kCodesToMask = 1;  // code buffer
inline constexpr Cycle kMaskToRow = 1;    // row register

/// Ones among the n bits (4, 8, 16 or 32) from bit `first`, a multiple of n.
inline int Ones(std::span<const uint8_t> bytes, size_t first, int n) {
  const uint8_t* at = bytes.data() + first / 8;
  if (n == 4) return std::popcount((uint32_t{*at} >> first % 8) & 0xF);
  int ones = 0;
  for (int i = 0; i < n / 8; ++i) ones += std::popcount(at[i]);
  return ones;
}

/// Words of codes enter its buffer, masks take the codes of their vector.
class BitmaskDecoder {
 public:
  BitmaskDecoder(int lanes, int word_codes) : lanes_(lanes), word_codes_(word_codes) {}

  void Begin() {
    words_ = 0;
    ones_ = 0;
    masks_.clear();
    leaving_ = 0;
  }

  /// When a mask with `ones` ones is taken that could be in cycle `from`. `enter(word, room)` says
  /// when a word enters that the buffer has room for from cycle `room` on.
  template <typename Enter>
  Cycle TakeMask(int ones, Cycle from, const Enter& enter) {
    ones_ += ones;
    while (words_ * word_codes_ < ones_) {
      // In the cycle in which it enters, at most a vector of codes stays.
      const int leave = words_ * word_codes_ - lanes_;
      while (leave > 0 && masks_[leaving_].ones < leave) ++leaving_;
      entered_ = enter(words_, leave > 0 ? masks_[leaving_].taken : 0);
      ++words_;
    }
    const Cycle taken = ones_ > 0 ? std::max(from, entered_ + kCodesToMask) : from;
    masks_.push_back({ones_, taken});
    return taken;
  }

 private:
  struct Mask {
    int ones;  ///< of all masks up to this one
    Cycle taken;
  };

  int lanes_;
  int word_codes_;
  int words_ = 0;
  int ones_ = 0;
  Cycle entered_ = 0;  ///< the last word
  std::vector<Mask> masks_;
  size_t leaving_ = 0;
};

}  // namespace edgebert::model::timing
