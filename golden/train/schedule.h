// What a run does when: everything follows from how much of it is done, from 0 to 1.
#pragma once

#include <vector>

#include "golden/train/network.h"
#include "golden/train/options.h"

namespace edgebert::train {

class Schedule {
 public:
  /// `layers`, `depth`: of the model, and how it grows to them.
  Schedule(const Options& options, int layers, std::vector<DepthStep> depth);

  /// The step number is for the caller to set.
  [[nodiscard]] Moment At(double done) const;

 private:
  Options options_;
  int layers_;
  std::vector<DepthStep> depth_;
};

/// 0 until `begin`, `last` from `end` on, and between them the cubic of Zhu & Gupta 2017: fast
/// while much is redundant, then slow.
double CubicSparsity(double done, double begin, double end, double last);

}  // namespace edgebert::train
