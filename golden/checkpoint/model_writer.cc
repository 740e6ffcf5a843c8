#include "golden/checkpoint/model_writer.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace edgebert::checkpoint {
namespace {

/// Collects the tensors of a checkpoint under their names.
class CheckpointWriter {
 public:
  void Add(const std::string& name, const std::vector<float>& values) {
    writer_.AddFloats(name, DType::kF32, {static_cast<int64_t>(values.size())}, values);
  }
  void Add(const std::string& name, const Matrix& matrix) {
    writer_.AddFloats(name, DType::kF32, {matrix.rows, matrix.columns}, matrix.values);
  }
  void Add(const std::string& name, const LinearWeights& linear) {
    Add(name + ".weight", linear.weight);
    Add(name + ".bias", linear.bias);
  }
  void Add(const std::string& name, const LayerNormWeights& norm) {
    Add(name + ".weight", norm.gamma);
    Add(name + ".bias", norm.beta);
  }
  void Add(const std::string& name, const LayerWeights& layer) {
    Add(name + ".attention.query", layer.query);
    Add(name + ".attention.key", layer.key);
    Add(name + ".attention.value", layer.value);
    Add(name + ".attention.dense", layer.attention_output);
    Add(name + ".attention.LayerNorm", layer.attention_norm);
    Add(name + ".ffn", layer.ffn);
    Add(name + ".ffn_output", layer.ffn_output);
    Add(name + ".full_layer_layer_norm", layer.output_norm);
  }
  [[nodiscard]] std::vector<uint8_t> Serialize() const { return writer_.Serialize(); }

 private:
  SafetensorsWriter writer_;
};

}  // namespace

std::vector<uint8_t> SerializeWeights(const ModelConfig& config, const ModelWeights& weights) {
  CheckpointWriter writer;
  const std::string embeddings = "albert.embeddings";
  writer.Add(embeddings + ".word_embeddings.weight", weights.word_embeddings);
  writer.Add(embeddings + ".position_embeddings.weight", weights.position_embeddings);
  writer.Add(embeddings + ".token_type_embeddings.weight", weights.type_embeddings);
  writer.Add(embeddings + ".LayerNorm", weights.embedding_norm);
  writer.Add("albert.encoder.embedding_hidden_mapping_in", weights.embedding_projection);
  for (size_t group = 0; group < weights.groups.size(); ++group) {
    for (size_t inner = 0; inner < weights.groups[group].size(); ++inner) {
      writer.Add(
          fmt::format("albert.encoder.albert_layer_groups.{}.albert_layers.{}", group, inner),
          weights.groups[group][inner]);
    }
  }
  if (!weights.attention_span.empty()) {
    writer.Add("edgebert.attention_span", weights.attention_span);
  }
  for (size_t ramp = 0; ramp < weights.off_ramps.size(); ++ramp) {
    const std::string name = fmt::format("edgebert.off_ramps.{}", ramp);
    if (config.off_ramp_pooler) writer.Add(name + ".pooler", *weights.off_ramps[ramp].pooler);
    writer.Add(name + ".classifier", weights.off_ramps[ramp].classifier);
  }
  return writer.Serialize();
}

std::string SerializeConfig(const ModelConfig& config) {
  nlohmann::ordered_json labels;
  for (size_t i = 0; i < config.labels.size(); ++i) labels[std::to_string(i)] = config.labels[i];
  nlohmann::ordered_json edgebert = {
      {"off_ramp_pooler", config.off_ramp_pooler},
      {"off_ramp_shared", config.off_ramp_shared},
      {"entropy_threshold", config.entropy_threshold},
      {"adaptivfloat", {config.adaptivfloat_bits, config.adaptivfloat_exponent}},
      {"lowercase", config.lowercase}};
  if (config.attention_span_ramp > 0) {
    edgebert["attention_span_ramp"] = config.attention_span_ramp;
  }
  const nlohmann::ordered_json json = {{"model_type", "albert"},
                                       {"vocab_size", config.vocab_size},
                                       {"embedding_size", config.embedding_size},
                                       {"hidden_size", config.hidden_size},
                                       {"num_hidden_layers", config.num_hidden_layers},
                                       {"num_hidden_groups", config.num_hidden_groups},
                                       {"inner_group_num", config.inner_group_num},
                                       {"num_attention_heads", config.num_attention_heads},
                                       {"intermediate_size", config.intermediate_size},
                                       {"hidden_act", ActivationName(config.hidden_act)},
                                       {"max_position_embeddings", config.max_position_embeddings},
                                       {"type_vocab_size", config.type_vocab_size},
                                       {"layer_norm_eps", config.layer_norm_eps},
                                       {"cls_token_id", config.cls_token_id},
                                       {"sep_token_id", config.sep_token_id},
                                       {"pad_token_id", config.pad_token_id},
                                       {"unk_token_id", config.unk_token_id},
                                       {"id2label", labels},
                                       {"edgebert", edgebert}};
  return json.dump(2) + "\n";
}

}  // namespace edgebert::checkpoint
