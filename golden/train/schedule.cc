#include "golden/train/schedule.h"

#include <utility>

namespace edgebert::train {

Schedule::Schedule(const Options& options, int layers, std::vector<DepthStep> depth)
    : options_(options), layers_(layers), depth_(std::move(depth)) {}

Moment Schedule::At(double done) const {
  Moment moment;
  moment.depth = layers_;
  for (const DepthStep& step : depth_) {
    if (done < step.until) {
      moment.depth = step.layers;
      break;
    }
  }
  const double warmup = options_.train.warmup;
  const double part = done < warmup ? done / warmup : (1 - done) / (1 - warmup);
  moment.learning_rate = options_.train.learning_rate * part;
  if (options_.span.ramp > 0 && done < options_.span.end) {
    moment.span_learning_rate = options_.span.learning_rate;
  }
  const auto& prune = options_.prune;
  moment.masks_fixed = done >= prune.end;
  moment.score_learning_rate = moment.masks_fixed ? 0 : prune.learning_rate;
  if (prune.method != "none") {
    moment.sparsity = CubicSparsity(done, prune.begin, prune.end, prune.sparsity);
  }
  moment.embedding_sparsity = CubicSparsity(done, prune.begin, prune.end, prune.embedding_sparsity);
  return moment;
}

double CubicSparsity(double done, double begin, double end, double last) {
  if (done < begin) return 0;
  if (done >= end) return last;
  const double left = 1 - (done - begin) / (end - begin);
  return last * (1 - left * left * left);
}

}  // namespace edgebert::train
