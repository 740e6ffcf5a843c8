#include "golden/checkpoint/model_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace edgebert::checkpoint {
namespace {

/// Takes tensors out of a file and collects what is wrong with them.
class Loader {
 public:
  explicit Loader(const SafetensorsFile& file) : file_(file) {}

  [[nodiscard]] const Error& error() const { return error_; }

  std::vector<float> Vector(const std::string& name, int size) {
    const int64_t shape[] = {size};
    return Take(file_.Floats(name, shape));
  }
  Matrix LoadMatrix(const std::string& name, int rows, int columns) {
    const int64_t shape[] = {rows, columns};
    return {rows, columns, Take(file_.Floats(name, shape))};
  }
  LinearWeights Linear(const std::string& name, int outputs, int inputs) {
    return {LoadMatrix(name + ".weight", outputs, inputs), Vector(name + ".bias", outputs)};
  }
  LayerNormWeights LayerNorm(const std::string& name, int size) {
    return {Vector(name + ".weight", size), Vector(name + ".bias", size)};
  }
  LayerWeights Layer(const std::string& name, const ModelConfig& config) {
    const int hidden = config.hidden_size;
    const int intermediate = config.intermediate_size;
    return {.query = Linear(name + ".attention.query", hidden, hidden),
            .key = Linear(name + ".attention.key", hidden, hidden),
            .value = Linear(name + ".attention.value", hidden, hidden),
            .attention_output = Linear(name + ".attention.dense", hidden, hidden),
            .attention_norm = LayerNorm(name + ".attention.LayerNorm", hidden),
            .ffn = Linear(name + ".ffn", intermediate, hidden),
            .ffn_output = Linear(name + ".ffn_output", hidden, intermediate),
            .output_norm = LayerNorm(name + ".full_layer_layer_norm", hidden)};
  }
  OffRampWeights OffRamp(const std::string& pooler, const std::string& classifier,
                         const ModelConfig& config) {
    OffRampWeights ramp;
    if (config.off_ramp_pooler) {
      ramp.pooler = Linear(pooler, config.hidden_size, config.hidden_size);
    }
    ramp.classifier = Linear(classifier, config.num_labels(), config.hidden_size);
    return ramp;
  }

  void Fail(const std::string& message, const char* rule) {
    error_.Add({.file = file_.name()}, message, rule);
  }

 private:
  std::vector<float> Take(Result<FloatTensor> tensor) {
    if (tensor.ok()) return std::move(tensor->values);
    error_.Append(tensor.error());
    return {};
  }

  const SafetensorsFile& file_;
  Error error_;
};

}  // namespace

Result<ModelWeights> LoadModelWeights(const SafetensorsFile& file, const ModelConfig& config) {
  Loader loader(file);
  ModelWeights weights;
  const std::string embeddings = "albert.embeddings";
  const int embedding = config.embedding_size;
  weights.word_embeddings =
      loader.LoadMatrix(embeddings + ".word_embeddings.weight", config.vocab_size, embedding);
  weights.position_embeddings = loader.LoadMatrix(embeddings + ".position_embeddings.weight",
                                                  config.max_position_embeddings, embedding);
  weights.type_embeddings = loader.LoadMatrix(embeddings + ".token_type_embeddings.weight",
                                              config.type_vocab_size, embedding);
  weights.embedding_norm = loader.LayerNorm(embeddings + ".LayerNorm", embedding);
  weights.embedding_projection =
      loader.Linear("albert.encoder.embedding_hidden_mapping_in", config.hidden_size, embedding);

  weights.groups.resize(static_cast<size_t>(config.num_hidden_groups));
  for (int group = 0; group < config.num_hidden_groups; ++group) {
    for (int inner = 0; inner < config.inner_group_num; ++inner) {
      weights.groups[static_cast<size_t>(group)].push_back(loader.Layer(
          fmt::format("albert.encoder.albert_layer_groups.{}.albert_layers.{}", group, inner),
          config));
    }
  }

  if (file.Find("edgebert.attention_span") != nullptr) {
    weights.attention_span = loader.Vector("edgebert.attention_span", config.num_attention_heads);
    if (config.attention_span_ramp == 0) {
      loader.Fail("tensor 'edgebert.attention_span' needs 'attention_span_ramp' in config.json",
                  "model-weights-span");
    }
  }

  const std::string ramps = "edgebert.off_ramps.";
  const bool has_ramps =
      std::any_of(file.tensors().begin(), file.tensors().end(),
                  [&](const TensorInfo& tensor) { return tensor.name.starts_with(ramps); });
  if (has_ramps) {
    const int count = config.off_ramp_shared ? 1 : config.num_hidden_layers;
    for (int i = 0; i < count; ++i) {
      weights.off_ramps.push_back(loader.OffRamp(fmt::format("{}{}.pooler", ramps, i),
                                                 fmt::format("{}{}.classifier", ramps, i), config));
    }
  } else if (config.off_ramp_shared) {
    weights.off_ramps.push_back(loader.OffRamp("albert.pooler", "classifier", config));
  } else {
    loader.Fail(
        "there are no tensors 'edgebert.off_ramps.*', and config.json does not say "
        "'off_ramp_shared'",
        "model-weights-off-ramp");
  }
  if (!loader.error().empty()) return loader.error();
  return weights;
}

Result<Model> LoadModel(const std::string& directory) {
  EB_ASSIGN_OR_RETURN(ModelConfig config, ReadModelConfig(directory + "/config.json"));
  EB_ASSIGN_OR_RETURN(const SafetensorsFile file,
                      SafetensorsFile::Read(directory + "/model.safetensors"));
  EB_ASSIGN_OR_RETURN(ModelWeights weights, LoadModelWeights(file, config));
  return Model{std::move(config), std::move(weights)};
}

}  // namespace edgebert::checkpoint
