// EdgeBERT's forward pass in double precision, written from the papers: ALBERT (Lan et al. 2020:
// factorised embeddings, shared layers, post-norm), adaptive attention span by distance |i - j|
// (Sukhbaatar et al. 2019), off-ramps with early exit on entropy (Xin et al. 2020, DeeBERT; Tambe
// et al. 2021, EdgeBERT). No quantisation; nothing in it comes from golden/model.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "golden/checkpoint/model_config.h"
#include "golden/checkpoint/model_weights.h"

namespace edgebert::reference {

/// An intermediate tensor, row-major. A row is a token, or of scores and probabilities a query.
struct NamedTensor {
  std::string name;
  int rows = 0;
  int columns = 0;
  std::vector<double> values;

  [[nodiscard]] double At(int row, int column) const {
    return values[size_t(row) * size_t(columns) + size_t(column)];
  }
};

struct ForwardOptions {
  /// Stop after the first layer whose entropy is below this, in nats. 0: run all layers.
  double threshold = 0;
  /// Keep every intermediate tensor, under these names, in order of computation:
  ///   embedding.{sum,norm,projection}
  ///   layer.L.{query,key,value}                   with bias; [tokens, hidden]
  ///   layer.L.head.H.{scores,probabilities}       of heads that are not off; [tokens, tokens]
  ///   layer.L.context                             [tokens, hidden]
  ///   layer.L.{attention,attention_sum,attention_norm}   output projection, + input, LayerNorm
  ///   layer.L.{ffn,ffn_output,output_sum,output_norm}    ffn is after the activation
  ///   layer.L.{pooled,logits}                     pooled only with a pooler; [1, ...]
  /// L and H count from 0. With inner_group_num > 1, "layer.L" is "layer.L.inner.I" for all but the
  /// last line.
  bool keep_tensors = false;
  /// Applied to every activation that enters a matrix product. Empty: they are as they are.
  std::function<double(double)> operand;
};

struct LayerResult {
  std::vector<double> logits;
  double entropy = 0;  ///< nats
};

struct ForwardResult {
  std::vector<LayerResult> layers;  ///< one a layer run
  std::vector<NamedTensor> tensors;

  /// Stops the program when there is no tensor of this name.
  [[nodiscard]] const NamedTensor& Tensor(const std::string& name) const;
};

/// A model, ready to run.
class Albert {
 public:
  explicit Albert(const checkpoint::Model& model);
  Albert(Albert&&) noexcept;
  Albert& operator=(Albert&&) noexcept;
  ~Albert();

  /// `ids` and `types` have one entry a token, special tokens included: between 1 and
  /// max_position_embeddings, each inside its table.
  [[nodiscard]] ForwardResult Forward(std::span<const int> ids, std::span<const int> types,
                                      const ForwardOptions& options = {}) const;

 private:
  struct State;  // keeps Eigen's headers out of this one
  std::unique_ptr<const State> state_;
};

}  // namespace edgebert::reference
