// When things are taken, free or there: the bookkeeping of the cycle model's units.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace edgebert::model::timing {

using Cycle = int64_t;

/// Cycles [begin, end).
struct Interval {
  Cycle begin = 0;
  Cycle end = 0;

  [[nodiscard]] Cycle Overlap(Cycle from, Cycle to) const {
    return std::max<Cycle>(0, std::min(end, to) - std::max(begin, from));
  }
};

/// Intervals in ascending order in which something is taken.
class Schedule {
 public:
  void Add(Interval interval) { intervals_.push_back(interval); }
  /// The first free cycle from `cycle` on. Queries ascend.
  Cycle Free(Cycle cycle) {
    while (next_ < intervals_.size() && intervals_[next_].end <= cycle) ++next_;
    for (size_t i = next_; i < intervals_.size() && intervals_[i].begin <= cycle; ++i) {
      cycle = std::max(cycle, intervals_[i].end);
    }
    return cycle;
  }
  /// The last of `count` free cycles from `cycle` on.
  Cycle FreeRun(Cycle cycle, int count) {
    cycle = Free(cycle);
    for (size_t i = next_; i < intervals_.size(); ++i) {
      if (intervals_[i].begin >= cycle + count) break;
      if (intervals_[i].end <= cycle) continue;
      count -= static_cast<int>(std::max<Cycle>(0, intervals_[i].begin - cycle));
      cycle = intervals_[i].end;
    }
    return cycle + count - 1;
  }

 private:
  std::vector<Interval> intervals_;
  size_t next_ = 0;
};

/// The last `size` elements of a sequence that grows, by their number in it.
class Recent {
 public:
  explicit Recent(int size) : values_(std::bit_ceil(static_cast<size_t>(size))) {}

  void Add(Cycle value) { values_[static_cast<size_t>(count_++) & (values_.size() - 1)] = value; }
  [[nodiscard]] int64_t count() const { return count_; }
  [[nodiscard]] Cycle operator[](int64_t i) const {
    return values_[static_cast<size_t>(i) & (values_.size() - 1)];
  }
  [[nodiscard]] Cycle back() const { return (*this)[count_ - 1]; }

 private:
  std::vector<Cycle> values_;
  int64_t count_ = 0;
};

}  // namespace edgebert::model::timing
