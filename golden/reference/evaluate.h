// Accuracy and mean exit layer of the reference on labelled sentences.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "golden/checkpoint/tokenizer.h"
#include "golden/reference/albert.h"

namespace edgebert::reference {

struct LabelledTokens {
  checkpoint::Tokens tokens;
  int label = 0;
};

/// What one entropy threshold does to a data set.
struct ThresholdResult {
  double threshold = 0;        ///< nats
  double accuracy = 0;         ///< of 1
  double mean_exit_layer = 0;  ///< layers count from 1
  std::vector<int> exits;      ///< [i]: sentences that leave after layer i + 1
};

/// Called after each sentence.
using Progress = std::function<void(size_t done, size_t total)>;

/// A sentence leaves after the first layer whose entropy is below the threshold, or after the last
/// one. `sentences` and `thresholds` are not empty.
std::vector<ThresholdResult> EvaluateReference(const Albert& model,
                                               std::span<const LabelledTokens> sentences,
                                               std::span<const double> thresholds,
                                               const Progress& progress = {});

}  // namespace edgebert::reference
