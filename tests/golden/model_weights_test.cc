#include "golden/checkpoint/model_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

namespace edgebert::checkpoint {
namespace {

ModelConfig SmallConfig() {
  ModelConfig config;
  config.vocab_size = 7;
  config.embedding_size = 2;
  config.hidden_size = 4;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 2;
  config.intermediate_size = 3;
  config.max_position_embeddings = 5;
  config.labels = {"a", "b", "c"};
  return config;
}

using Shapes = std::map<std::string, std::vector<int64_t>>;

void AddLinear(Shapes& shapes, const std::string& name, int64_t outputs, int64_t inputs) {
  shapes[name + ".weight"] = {outputs, inputs};
  shapes[name + ".bias"] = {outputs};
}

/// Tensors of SmallConfig without off-ramps, written out by hand from Hugging Face's names.
Shapes EncoderShapes(int groups = 1, int inner_layers = 1) {
  Shapes shapes = {{"albert.embeddings.word_embeddings.weight", {7, 2}},
                   {"albert.embeddings.position_embeddings.weight", {5, 2}},
                   {"albert.embeddings.token_type_embeddings.weight", {2, 2}},
                   {"albert.embeddings.LayerNorm.weight", {2}},
                   {"albert.embeddings.LayerNorm.bias", {2}}};
  AddLinear(shapes, "albert.encoder.embedding_hidden_mapping_in", 4, 2);
  for (int group = 0; group < groups; ++group) {
    for (int inner = 0; inner < inner_layers; ++inner) {
      const std::string layer = "albert.encoder.albert_layer_groups." + std::to_string(group) +
                                ".albert_layers." + std::to_string(inner);
      for (const char* name : {"query", "key", "value", "dense"}) {
        AddLinear(shapes, layer + ".attention." + name, 4, 4);
      }
      AddLinear(shapes, layer + ".ffn", 3, 4);
      AddLinear(shapes, layer + ".ffn_output", 4, 3);
      for (const char* name : {".attention.LayerNorm", ".full_layer_layer_norm"}) {
        shapes[layer + name + ".weight"] = {4};
        shapes[layer + name + ".bias"] = {4};
      }
    }
  }
  return shapes;
}

/// Tensor number n, in the order of names, holds n, n + 0.01, n + 0.02, ...
SafetensorsFile FileOf(const Shapes& shapes) {
  SafetensorsWriter writer;
  int number = 0;
  for (const auto& [name, shape] : shapes) {
    const auto size = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies());
    std::vector<float> values;
    for (int64_t i = 0; i < size; ++i) {
      values.push_back(static_cast<float>(number) + 0.01F * static_cast<float>(i));
    }
    writer.AddFloats(name, DType::kF32, shape, values);
    ++number;
  }
  return SafetensorsFile::Parse("m", writer.Serialize()).value();
}

/// The first value of a tensor of FileOf.
float NumberOf(const Shapes& shapes, const std::string& name) {
  return static_cast<float>(std::distance(shapes.begin(), shapes.find(name)));
}

std::string ErrorOf(const Shapes& shapes, const ModelConfig& config) {
  const auto weights = LoadModelWeights(FileOf(shapes), config);
  return weights.ok() ? "" : weights.error().Format();
}

TEST(ModelWeights, PutsEveryTensorInItsPlace) {
  Shapes shapes = EncoderShapes(2, 2);
  AddLinear(shapes, "albert.pooler", 4, 4);
  AddLinear(shapes, "classifier", 3, 4);
  ModelConfig config = SmallConfig();
  config.num_hidden_groups = 2;
  config.inner_group_num = 2;
  const auto loaded = LoadModelWeights(FileOf(shapes), config);
  ASSERT_TRUE(loaded.ok()) << loaded.error().Format();
  const ModelWeights& weights = *loaded;

  const auto expect_vector = [&](const std::vector<float>& vector, const std::string& name) {
    ASSERT_EQ(vector.size(), static_cast<size_t>(shapes.at(name)[0])) << name;
    EXPECT_EQ(vector[0], NumberOf(shapes, name)) << name;
  };
  const auto expect_matrix = [&](const Matrix& matrix, const std::string& name) {
    ASSERT_EQ(matrix.rows, shapes.at(name)[0]) << name;
    ASSERT_EQ(matrix.columns, shapes.at(name)[1]) << name;
    ASSERT_EQ(matrix.values.size(), static_cast<size_t>(matrix.rows * matrix.columns)) << name;
    EXPECT_EQ(matrix.values[0], NumberOf(shapes, name)) << name;
    // Row 1 starts after one row.
    EXPECT_EQ(matrix.Row(1)[0], NumberOf(shapes, name) + 0.01F * static_cast<float>(matrix.columns))
        << name;
  };
  const auto expect_linear = [&](const LinearWeights& linear, const std::string& name) {
    expect_matrix(linear.weight, name + ".weight");
    expect_vector(linear.bias, name + ".bias");
  };
  const auto expect_norm = [&](const LayerNormWeights& norm, const std::string& name) {
    expect_vector(norm.gamma, name + ".weight");
    expect_vector(norm.beta, name + ".bias");
  };
  expect_matrix(weights.word_embeddings, "albert.embeddings.word_embeddings.weight");
  expect_matrix(weights.position_embeddings, "albert.embeddings.position_embeddings.weight");
  expect_matrix(weights.type_embeddings, "albert.embeddings.token_type_embeddings.weight");
  expect_norm(weights.embedding_norm, "albert.embeddings.LayerNorm");
  expect_linear(weights.embedding_projection, "albert.encoder.embedding_hidden_mapping_in");
  ASSERT_EQ(weights.groups.size(), 2);
  for (size_t group = 0; group < 2; ++group) {
    ASSERT_EQ(weights.groups[group].size(), 2);
    for (size_t inner = 0; inner < 2; ++inner) {
      const LayerWeights& layer = weights.groups[group][inner];
      const std::string name = "albert.encoder.albert_layer_groups." + std::to_string(group) +
                               ".albert_layers." + std::to_string(inner);
      expect_linear(layer.query, name + ".attention.query");
      expect_linear(layer.key, name + ".attention.key");
      expect_linear(layer.value, name + ".attention.value");
      expect_linear(layer.attention_output, name + ".attention.dense");
      expect_norm(layer.attention_norm, name + ".attention.LayerNorm");
      expect_linear(layer.ffn, name + ".ffn");
      expect_linear(layer.ffn_output, name + ".ffn_output");
      expect_norm(layer.output_norm, name + ".full_layer_layer_norm");
    }
  }
  // A plain ALBERT: its pooler and classifier serve every layer, and there are no spans.
  ASSERT_EQ(weights.off_ramps.size(), 1);
  expect_linear(weights.OffRamp(0).classifier, "classifier");
  expect_linear(weights.OffRamp(1).classifier, "classifier");
  expect_linear(*weights.OffRamp(1).pooler, "albert.pooler");
  EXPECT_TRUE(weights.attention_span.empty());
}

TEST(ModelWeights, TakesAnOffRampALayer) {
  Shapes shapes = EncoderShapes();
  shapes["edgebert.attention_span"] = {2};
  for (const char* layer : {"0", "1"}) {
    AddLinear(shapes, std::string("edgebert.off_ramps.") + layer + ".classifier", 3, 4);
    AddLinear(shapes, std::string("edgebert.off_ramps.") + layer + ".pooler", 4, 4);
  }
  ModelConfig config = SmallConfig();
  config.attention_span_ramp = 8;
  config.off_ramp_shared = false;
  const auto weights = LoadModelWeights(FileOf(shapes), config);
  ASSERT_TRUE(weights.ok()) << weights.error().Format();
  ASSERT_EQ(weights->off_ramps.size(), 2);
  EXPECT_EQ(weights->OffRamp(1).classifier.bias[0],
            NumberOf(shapes, "edgebert.off_ramps.1.classifier.bias"));
  EXPECT_EQ(weights->OffRamp(1).pooler->bias[0],
            NumberOf(shapes, "edgebert.off_ramps.1.pooler.bias"));
  ASSERT_EQ(weights->attention_span.size(), 2);
  EXPECT_EQ(weights->attention_span[0], NumberOf(shapes, "edgebert.attention_span"));

  config.off_ramp_pooler = false;
  config.off_ramp_shared = true;
  const auto shared = LoadModelWeights(FileOf(shapes), config);
  ASSERT_TRUE(shared.ok());
  EXPECT_EQ(shared->off_ramps.size(), 1);
  EXPECT_FALSE(shared->off_ramps[0].pooler.has_value());
  EXPECT_EQ(shared->OffRamp(1).classifier.bias[0],
            NumberOf(shapes, "edgebert.off_ramps.0.classifier.bias"));
}

TEST(ModelWeights, ReportsEveryTensorThatIsWrong) {
  Shapes shapes = EncoderShapes();
  AddLinear(shapes, "classifier", 2, 4);
  ModelConfig config = SmallConfig();
  config.off_ramp_pooler = false;
  shapes.erase("albert.embeddings.LayerNorm.bias");
  const std::string error = ErrorOf(shapes, config);
  const size_t second = error.find('\n') + 1;
  EXPECT_EQ(error.substr(0, second),
            "m: error: there is no tensor 'albert.embeddings.LayerNorm.bias' "
            "[safetensors-missing]\n");
  EXPECT_NE(error.find("tensor 'classifier.weight' has the shape [2, 4], expected [3, 4]", second),
            error.npos);
  EXPECT_NE(error.find("tensor 'classifier.bias' has the shape [2], expected [3]", second),
            error.npos);
}

TEST(ModelWeights, ReportsContradictionsWithTheConfiguration) {
  Shapes shapes = EncoderShapes();
  AddLinear(shapes, "classifier", 3, 4);
  ModelConfig config = SmallConfig();
  config.off_ramp_pooler = false;
  EXPECT_EQ(ErrorOf(shapes, config), "");
  config.off_ramp_shared = false;
  EXPECT_EQ(ErrorOf(shapes, config),
            "m: error: there are no tensors 'edgebert.off_ramps.*', and config.json does not say "
            "'off_ramp_shared' [model-weights-off-ramp]");
  config.off_ramp_shared = true;
  shapes["edgebert.attention_span"] = {2};
  EXPECT_EQ(ErrorOf(shapes, config),
            "m: error: tensor 'edgebert.attention_span' needs 'attention_span_ramp' in config.json "
            "[model-weights-span]");
}

// The facts that models/sst2/README.md states.
TEST(ModelWeights, LoadsTheShippedModel) {
  const auto model = LoadModel(EDGEBERT_SHIPPED_MODEL);
  ASSERT_TRUE(model.ok()) << model.error().Format();
  const auto zeros = [](const Matrix& matrix) {
    const auto count = std::count(matrix.values.begin(), matrix.values.end(), 0.0F);
    return static_cast<double>(count) / static_cast<double>(matrix.values.size());
  };
  EXPECT_NEAR(zeros(model->weights.word_embeddings), 0.60, 0.005);
  const LayerWeights& layer = model->weights.groups[0][0];
  for (const LinearWeights* linear : {&layer.query, &layer.key, &layer.value,
                                      &layer.attention_output, &layer.ffn, &layer.ffn_output}) {
    EXPECT_NEAR(zeros(linear->weight), 0.55, 0.005);
  }
  EXPECT_EQ(std::ranges::count(model->weights.attention_span,
                               static_cast<float>(-model->config.attention_span_ramp)),
            6);
  EXPECT_EQ(model->weights.off_ramps.size(), 12);
}

}  // namespace
}  // namespace edgebert::checkpoint
