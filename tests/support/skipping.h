// Sentences with ever more of the work left out, one kind of skipping at a time.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "golden/checkpoint/model_config.h"
#include "golden/checkpoint/model_weights.h"
#include "golden/spec/config.h"

namespace edgebert::skipping {

using ModelEdit = std::function<void(checkpoint::ModelConfig&, checkpoint::ModelWeights&)>;

enum class Kind { kHeads, kSpans, kTokens, kTiles, kLayers };

/// One sentence on the largest model of a configuration.
struct Point {
  Kind kind;
  int left = 0;  ///< live heads, reach, tokens, k tiles in twelve, layers
  ModelEdit edit{};
  int tokens = 0;
  int layers = 0;
};

/// Heads from `live` on are off; the others see `reach` tokens to either side.
inline ModelEdit Spans(int live, int reach) {
  return [=](checkpoint::ModelConfig& config, checkpoint::ModelWeights& weights) {
    // The mask of a distance d is 1 + z - d, clipped to [0, 1].
    config.attention_span_ramp = 1;
    weights.attention_span.assign(static_cast<size_t>(config.num_attention_heads), -1.0F);
    std::fill_n(weights.attention_span.begin(), live, static_cast<float>(reach));
  };
}

/// Of any twelve successive k tiles of a strip of an encoder matrix `left` stay; which, differs
/// from strip to strip.
inline ModelEdit Tiles(int left, int lanes) {
  return [=](checkpoint::ModelConfig& /*config*/, checkpoint::ModelWeights& weights) {
    for (auto& group : weights.groups) {
      for (checkpoint::LayerWeights& layer : group) {
        for (checkpoint::LinearWeights* linear :
             {&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.ffn,
              &layer.ffn_output}) {
          checkpoint::Matrix& matrix = linear->weight;
          for (int row = 0; row < matrix.rows; ++row) {
            for (int column = 0; column < matrix.columns; ++column) {
              if ((column / lanes + row / lanes) % 12 < left) continue;
              matrix.values[size_t(row) * size_t(matrix.columns) + size_t(column)] = 0;
            }
          }
        }
      }
    }
  };
}

/// From everything to next to nothing; the first of each kind is dense.
inline std::vector<Point> Points(const spec::AcceleratorConfig& config) {
  const int tokens = config.model.seq_len;
  const int heads = config.model.heads;
  constexpr int kLayers = 2;
  std::vector<Point> points;
  for (const int live : {heads, heads * 3 / 4, heads / 2, heads / 4, 1, 0}) {
    points.push_back({Kind::kHeads, live, Spans(live, tokens), tokens, kLayers});
  }
  for (const int reach : {tokens - 1, tokens / 2, tokens / 4, tokens / 8, 0}) {
    points.push_back({Kind::kSpans, reach, Spans(heads, reach), tokens, kLayers});
  }
  for (int left = tokens; left > 1; left = left * 5 / 8) {
    points.push_back({Kind::kTokens, left, {}, left, kLayers});
  }
  for (const int left : {12, 9, 6, 3, 1, 0}) {
    points.push_back({Kind::kTiles, left, Tiles(left, config.vmac.n), tokens, kLayers});
  }
  for (int left = config.model.layers; left > 0; left /= 2) {
    points.push_back({Kind::kLayers, left, {}, tokens, left});
  }
  return points;
}

}  // namespace edgebert::skipping
