// The weights of an EdgeBERT model as named float matrices, from a .safetensors file with the
// tensor names of Hugging Face's ALBERT, and:
//   edgebert.attention_span                                   [heads] z, in tokens
//   edgebert.off_ramps.N.classifier.{weight,bias}             [labels, hidden], [labels]
//   edgebert.off_ramps.N.pooler.{weight,bias}                 [hidden, hidden], [hidden]
// A file without any edgebert.off_ramps has one off-ramp, shared by all layers: classifier.* and,
// when the configuration says so, albert.pooler.*.
//
// Rules: those of safetensors.h and "model-weights-span", "model-weights-off-ramp".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "golden/base/result.h"
#include "golden/checkpoint/model_config.h"
#include "golden/checkpoint/safetensors.h"

namespace edgebert::checkpoint {

/// Row-major.
struct Matrix {
  int rows = 0;
  int columns = 0;
  std::vector<float> values;

  [[nodiscard]] std::span<const float> Row(int row) const {
    return std::span(values).subspan(size_t(row) * size_t(columns), size_t(columns));
  }
};

/// y = W x + b.
struct LinearWeights {
  Matrix weight;            ///< [outputs, inputs]
  std::vector<float> bias;  ///< [outputs]
};

struct LayerNormWeights {
  std::vector<float> gamma;
  std::vector<float> beta;
};

/// One encoder layer. The H outputs of query, key and value are the heads one after another.
struct LayerWeights {
  LinearWeights query;             ///< [hidden, hidden]
  LinearWeights key;               ///< [hidden, hidden]
  LinearWeights value;             ///< [hidden, hidden]
  LinearWeights attention_output;  ///< [hidden, hidden]
  LayerNormWeights attention_norm;
  LinearWeights ffn;         ///< [intermediate, hidden]
  LinearWeights ffn_output;  ///< [hidden, intermediate]
  LayerNormWeights output_norm;
};

/// From the final hidden state of token 0 to logits.
struct OffRampWeights {
  std::optional<LinearWeights> pooler;  ///< [hidden, hidden], then tanh
  LinearWeights classifier;             ///< [labels, hidden]
};

struct ModelWeights {
  Matrix word_embeddings;      ///< [vocab, embedding]
  Matrix position_embeddings;  ///< [max positions, embedding]
  Matrix type_embeddings;      ///< [types, embedding]
  LayerNormWeights embedding_norm;
  LinearWeights embedding_projection;  ///< [hidden, embedding]
  /// [group][inner layer]; see ModelConfig::GroupOfLayer.
  std::vector<std::vector<LayerWeights>> groups;
  /// z of each head, the same in all layers; empty: every head sees everything.
  std::vector<float> attention_span;
  std::vector<OffRampWeights> off_ramps;  ///< one, shared, or one a layer

  [[nodiscard]] const OffRampWeights& OffRamp(int layer) const {
    return off_ramps[off_ramps.size() == 1 ? 0 : size_t(layer)];
  }
};

/// Loads and checks every tensor the configuration calls for; other tensors are ignored.
Result<ModelWeights> LoadModelWeights(const SafetensorsFile& file, const ModelConfig& config);

struct Model {
  ModelConfig config;
  ModelWeights weights;
};
/// Reads `directory`/config.json and `directory`/model.safetensors.
Result<Model> LoadModel(const std::string& directory);

}  // namespace edgebert::checkpoint
