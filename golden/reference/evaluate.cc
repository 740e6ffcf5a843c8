#include "golden/reference/evaluate.h"

#include <algorithm>

#include "golden/base/check.h"
#include "golden/reference/functions.h"

namespace edgebert::reference {

std::vector<ThresholdResult> EvaluateReference(const Albert& model,
                                               std::span<const LabelledTokens> sentences,
                                               std::span<const double> thresholds,
                                               const Progress& progress) {
  EB_CHECK(!sentences.empty() && !thresholds.empty(), "nothing to evaluate");
  std::vector<ThresholdResult> results;
  for (const double threshold : thresholds)
    results.push_back({.threshold = threshold, .exits = {}});
  // The lowest threshold leaves last, so its run holds the exits of all others.
  const ForwardOptions options{.threshold = std::ranges::min(thresholds)};
  for (size_t i = 0; i < sentences.size(); ++i) {
    const auto& [tokens, label] = sentences[i];
    const ForwardResult forward = model.Forward(tokens.ids, tokens.types, options);
    for (ThresholdResult& result : results) {
      size_t layer = 0;
      while (layer + 1 < forward.layers.size() &&
             !(forward.layers[layer].entropy < result.threshold)) {
        ++layer;
      }
      result.exits.resize(std::max(result.exits.size(), layer + 1));
      ++result.exits[layer];
      result.mean_exit_layer += static_cast<double>(layer + 1);
      result.accuracy += Predict(forward.layers[layer].logits) == label ? 1 : 0;
    }
    if (progress) progress(i + 1, sentences.size());
  }
  for (ThresholdResult& result : results) {
    result.mean_exit_layer /= static_cast<double>(sentences.size());
    result.accuracy /= static_cast<double>(sentences.size());
  }
  return results;
}

}  // namespace edgebert::reference
