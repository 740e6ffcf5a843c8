// The shape of a model: Hugging Face's config.json of ALBERT, with an object "edgebert" for what
// EdgeBERT adds.
//
// A file without "edgebert" is a plain ALBERT: no spans, one off-ramp (pooler and classifier)
// shared by all layers, AdaptivFloat<8,3>. Keys of Hugging Face that do not change the forward pass
// are ignored; unknown keys inside "edgebert" are errors.
//
// Rules: "model-config-io", "model-config-json", "model-config-missing", "model-config-type",
// "model-config-range", "model-config-unknown".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "golden/base/result.h"

namespace edgebert::checkpoint {

enum class Activation : uint8_t {
  kGelu,     ///< x Phi(x), with the error function
  kGeluNew,  ///< its tanh approximation
  kRelu,
};
std::string_view ActivationName(Activation activation);

struct ModelConfig {
  int vocab_size = 0;
  int embedding_size = 0;
  int hidden_size = 0;
  int num_hidden_layers = 0;
  int num_hidden_groups = 1;  ///< sets of weights; divides num_hidden_layers
  int inner_group_num = 1;    ///< encoder layers in one group
  int num_attention_heads = 0;
  int intermediate_size = 0;
  Activation hidden_act = Activation::kGeluNew;
  int max_position_embeddings = 0;
  int type_vocab_size = 2;
  double layer_norm_eps = 1e-12;

  int cls_token_id = 2;
  int sep_token_id = 3;
  int pad_token_id = 0;
  int unk_token_id = 1;

  std::vector<std::string> labels;  ///< id2label, one a class; at least 2

  // "edgebert"
  double attention_span_ramp = 0;  ///< R >= 1, tokens; 0: the model has no learnt spans
  bool off_ramp_pooler = true;     ///< tanh pooler before the classifier
  bool off_ramp_shared = true;     ///< one off-ramp for all layers
  double entropy_threshold = 0;    ///< T, nats; 0: never exit early
  int adaptivfloat_bits = 8;       ///< W
  int adaptivfloat_exponent = 3;   ///< E
  bool lowercase = true;           ///< the tokeniser lowers its input

  [[nodiscard]] int num_labels() const { return static_cast<int>(labels.size()); }
  [[nodiscard]] int HeadSize() const { return hidden_size / num_attention_heads; }
  /// The group whose weights a layer (0-based) uses.
  [[nodiscard]] int GroupOfLayer(int layer) const {
    return layer / (num_hidden_layers / num_hidden_groups);
  }
};

Result<ModelConfig> ReadModelConfig(const std::string& path);
/// The same from memory; `name` stands for the file in diagnostics.
Result<ModelConfig> ParseModelConfig(const std::string& name, const std::string& text);

}  // namespace edgebert::checkpoint
