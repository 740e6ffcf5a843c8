// The reference against values known in closed form and against the papers' formulas written out as
// plain loops, without the reference's matrix library.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>
#include <random>

#include "golden/checkpoint/model_weights.h"
#include "golden/checkpoint/tokenizer.h"
#include "golden/reference/albert.h"
#include "golden/reference/evaluate.h"
#include "golden/reference/functions.h"

namespace edgebert::reference {
namespace {

using checkpoint::Activation;
using checkpoint::LinearWeights;
using checkpoint::Model;
using checkpoint::ModelConfig;

using Rows = std::vector<std::vector<double>>;

// ---- functions --------------------------------------------------------------------------------

TEST(ReferenceFunctions, Activations) {
  // x Phi(x), with Phi from tables of the normal distribution.
  EXPECT_NEAR(Activate(Activation::kGelu, 1), 0.8413447460685429, 1e-15);
  EXPECT_NEAR(Activate(Activation::kGelu, -1), -0.1586552539314571, 1e-15);
  EXPECT_NEAR(Activate(Activation::kGelu, 2), 2 * 0.9772498680518208, 1e-15);
  EXPECT_EQ(Activate(Activation::kGelu, 0), 0);
  for (double x = -6; x <= 6; x += 0.37) {
    // (1 + tanh u) / 2 is the logistic function of 2u.
    const double u = std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * std::pow(x, 3));
    EXPECT_NEAR(Activate(Activation::kGeluNew, x), x / (1 + std::exp(-2 * u)), 1e-14) << x;
  }
  EXPECT_EQ(Activate(Activation::kRelu, -3), 0);
  EXPECT_EQ(Activate(Activation::kRelu, 3), 3);
}

TEST(ReferenceFunctions, SpanMaskIsAPlateauAndARamp) {
  EXPECT_EQ(SpanMask(5, 8, 0), 1);
  EXPECT_EQ(SpanMask(5, 8, 5), 1);
  EXPECT_EQ(SpanMask(5, 8, 9), 0.5);
  EXPECT_EQ(SpanMask(5, 8, 13), 0);
  EXPECT_EQ(SpanMask(5, 8, 60), 0);
  EXPECT_EQ(SpanMask(-6, 8, 0), 0.25);
  EXPECT_EQ(SpanMask(-6, 8, 1), 0.125);
  EXPECT_EQ(SpanMask(-8, 8, 0), 0);
}

TEST(ReferenceFunctions, MaskedSoftmax) {
  // Exponentials 1, 2, 3, 4 with masks 1, 1/2, 0, 1.
  const std::vector<double> scores = {0, std::log(2), std::log(3), std::log(4)};
  const std::vector<double> result = MaskedSoftmax(scores, std::vector<double>{1, 0.5, 0, 1});
  const double expected[] = {1.0 / 6, 1.0 / 6, 0, 4.0 / 6};
  for (size_t j = 0; j < 4; ++j) EXPECT_NEAR(result[j], expected[j], 1e-15);
  // A hidden score is not seen, however large; large scores do not overflow.
  const std::vector<double> large =
      MaskedSoftmax(std::vector<double>{1000, 1000, 2000}, std::vector<double>{1, 1, 0});
  EXPECT_EQ(large, (std::vector<double>{0.5, 0.5, 0}));
}

TEST(ReferenceFunctions, LayerNormHasMeanBetaAndDeviationGamma) {
  // 1, 3, 5, 7 have mean 4 and variance 5.
  const std::vector<double> x = {1, 3, 5, 7};
  const std::vector<double> one(4, 1.0);
  const std::vector<double> zero(4, 0.0);
  const std::vector<double> plain = LayerNorm(x, one, zero, 0);
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(plain[i], (x[i] - 4) / std::sqrt(5), 1e-15);
  const std::vector<double> affine =
      LayerNorm(x, std::vector<double>{1, 2, 3, 4}, std::vector<double>{10, 20, 30, 40}, 4);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(affine[i],
                (x[i] - 4) / 3 * static_cast<double>(i + 1) + 10 * static_cast<double>(i + 1),
                1e-14);
  }
  EXPECT_EQ(LayerNorm(one, one, x, 1e-6), x);  // no deviation: beta
}

TEST(ReferenceFunctions, EntropyOfKnownDistributions) {
  EXPECT_NEAR(Entropy(std::vector<double>{5, 5}), std::log(2), 1e-15);
  EXPECT_NEAR(Entropy(std::vector<double>(7, -3.0)), std::log(7), 1e-15);
  // Probabilities 3/4 and 1/4.
  EXPECT_NEAR(Entropy(std::vector<double>{std::log(3), 0}),
              -0.75 * std::log(0.75) - 0.25 * std::log(0.25), 1e-15);
  EXPECT_EQ(Entropy(std::vector<double>{2000, 0}), 0);
  const std::vector<double> logits = {0.3, -1.2, 2.5};
  double sum = 0;
  for (const double x : logits) sum += std::exp(x);
  double shannon = 0;
  for (const double x : logits) shannon -= std::exp(x) / sum * std::log(std::exp(x) / sum);
  EXPECT_NEAR(Entropy(logits), shannon, 1e-15);
}

TEST(ReferenceFunctions, PredictionIsTheLowestOfATie) {
  EXPECT_EQ(Predict(std::vector<double>{1, 3, 3, 2}), 1);
}

// ---- the whole model --------------------------------------------------------------------------

class RandomModel {
 public:
  explicit RandomModel(const ModelConfig& config) {
    model_.config = config;
    auto& weights = model_.weights;
    weights.word_embeddings = Matrix(config.vocab_size, config.embedding_size);
    weights.position_embeddings = Matrix(config.max_position_embeddings, config.embedding_size);
    weights.type_embeddings = Matrix(config.type_vocab_size, config.embedding_size);
    weights.embedding_norm = Norm(config.embedding_size);
    weights.embedding_projection = Linear(config.hidden_size, config.embedding_size);
    for (int group = 0; group < config.num_hidden_groups; ++group) {
      auto& layers = weights.groups.emplace_back();
      for (int inner = 0; inner < config.inner_group_num; ++inner) {
        layers.push_back({.query = Linear(config.hidden_size, config.hidden_size),
                          .key = Linear(config.hidden_size, config.hidden_size),
                          .value = Linear(config.hidden_size, config.hidden_size),
                          .attention_output = Linear(config.hidden_size, config.hidden_size),
                          .attention_norm = Norm(config.hidden_size),
                          .ffn = Linear(config.intermediate_size, config.hidden_size),
                          .ffn_output = Linear(config.hidden_size, config.intermediate_size),
                          .output_norm = Norm(config.hidden_size)});
      }
    }
    const int ramps = config.off_ramp_shared ? 1 : config.num_hidden_layers;
    for (int i = 0; i < ramps; ++i) {
      auto& ramp = weights.off_ramps.emplace_back();
      if (config.off_ramp_pooler) ramp.pooler = Linear(config.hidden_size, config.hidden_size);
      ramp.classifier = Linear(config.num_labels(), config.hidden_size);
    }
  }

  Model& operator*() { return model_; }
  Model* operator->() { return &model_; }

 private:
  std::vector<float> Vector(int size) {
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<size_t>(size));
    for (float& value : values) value = normal(random_);
    return values;
  }
  checkpoint::Matrix Matrix(int rows, int columns) {
    return {rows, columns, Vector(rows * columns)};
  }
  LinearWeights Linear(int outputs, int inputs) {
    return {Matrix(outputs, inputs), Vector(outputs)};
  }
  checkpoint::LayerNormWeights Norm(int size) { return {Vector(size), Vector(size)}; }

  std::mt19937 random_{1};
  Model model_;
};

ModelConfig SmallConfig() {
  ModelConfig config;
  config.vocab_size = 20;
  config.embedding_size = 3;
  config.hidden_size = 8;
  config.num_hidden_layers = 4;
  config.num_attention_heads = 4;
  config.intermediate_size = 5;
  config.max_position_embeddings = 10;
  config.layer_norm_eps = 1e-3;
  config.labels = {"a", "b", "c"};
  config.off_ramp_pooler = false;
  return config;
}

const std::vector<int> kIds = {2, 19, 7, 7, 0, 11, 3};
const std::vector<int> kTypes = {0, 0, 0, 1, 1, 1, 1};

std::vector<double> NaiveLinear(const LinearWeights& linear, const std::vector<double>& x) {
  std::vector<double> y;
  for (int o = 0; o < linear.weight.rows; ++o) {
    double sum = linear.bias[static_cast<size_t>(o)];
    for (size_t i = 0; i < x.size(); ++i) sum += double{linear.weight.Row(o)[i]} * x[i];
    y.push_back(sum);
  }
  return y;
}

std::vector<double> NaiveNorm(const checkpoint::LayerNormWeights& norm, std::vector<double> x,
                              double epsilon) {
  double mean = 0;
  double square = 0;
  for (const double value : x) mean += value / static_cast<double>(x.size());
  for (const double value : x) square += value * value / static_cast<double>(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = double{norm.beta[i]} +
           double{norm.gamma[i]} * (x[i] - mean) / std::sqrt(square - mean * mean + epsilon);
  }
  return x;
}

std::vector<double> Sum(std::vector<double> a, const std::vector<double>& b) {
  for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

/// The context of token i: for every head, the mean of the values of the tokens j, weighted by
/// m(|i-j|) e^(q_i k_j / sqrt(d)).
std::vector<double> NaiveContext(const Model& model, const Rows& query, const Rows& key,
                                 const Rows& value, size_t i) {
  const auto size = static_cast<size_t>(model.config.HeadSize());
  std::vector<double> context(query[i].size(), 0.0);
  for (size_t head = 0; head < static_cast<size_t>(model.config.num_attention_heads); ++head) {
    double normaliser = 0;
    std::vector<double> sum(size, 0.0);
    for (size_t j = 0; j < query.size(); ++j) {
      double score = 0;
      for (size_t c = head * size; c < (head + 1) * size; ++c) score += query[i][c] * key[j][c];
      double weight = std::exp(score / std::sqrt(static_cast<double>(size)));
      if (!model.weights.attention_span.empty()) {
        const double ramp = model.config.attention_span_ramp;
        const double distance = i > j ? static_cast<double>(i - j) : static_cast<double>(j - i);
        const double mask = (ramp + model.weights.attention_span[head] - distance) / ramp;
        weight *= std::min(1.0, std::max(0.0, mask));
      }
      normaliser += weight;
      for (size_t c = 0; c < size; ++c) sum[c] += weight * value[j][head * size + c];
    }
    for (size_t c = 0; c < size && normaliser > 0; ++c) {
      context[head * size + c] = sum[c] / normaliser;
    }
  }
  return context;
}

/// Logits of every layer.
Rows NaiveForward(const Model& model) {
  const auto& weights = model.weights;
  const double epsilon = model.config.layer_norm_eps;
  Rows x;
  for (size_t i = 0; i < kIds.size(); ++i) {
    std::vector<double> sum;
    for (size_t e = 0; e < static_cast<size_t>(model.config.embedding_size); ++e) {
      sum.push_back(double{weights.word_embeddings.Row(kIds[i])[e]} +
                    double{weights.position_embeddings.Row(static_cast<int>(i))[e]} +
                    double{weights.type_embeddings.Row(kTypes[i])[e]});
    }
    x.push_back(
        NaiveLinear(weights.embedding_projection, NaiveNorm(weights.embedding_norm, sum, epsilon)));
  }
  Rows logits;
  for (int layer = 0; layer < model.config.num_hidden_layers; ++layer) {
    // Two groups of four layers: 0 0 1 1.
    const size_t group = model.config.num_hidden_groups == 2 ? (layer < 2 ? 0 : 1) : 0;
    for (const checkpoint::LayerWeights& encoder : weights.groups[group]) {
      Rows query, key, value, next;
      for (const auto& row : x) {
        query.push_back(NaiveLinear(encoder.query, row));
        key.push_back(NaiveLinear(encoder.key, row));
        value.push_back(NaiveLinear(encoder.value, row));
      }
      for (size_t i = 0; i < x.size(); ++i) {
        const auto context = NaiveContext(model, query, key, value, i);
        const auto middle =
            NaiveNorm(encoder.attention_norm,
                      Sum(x[i], NaiveLinear(encoder.attention_output, context)), epsilon);
        auto hidden = NaiveLinear(encoder.ffn, middle);
        for (double& h : hidden) h = Activate(model.config.hidden_act, h);
        next.push_back(NaiveNorm(encoder.output_norm,
                                 Sum(middle, NaiveLinear(encoder.ffn_output, hidden)), epsilon));
      }
      x = next;
    }
    const auto& ramp = weights.off_ramps[model.config.off_ramp_shared ? 0 : size_t(layer)];
    std::vector<double> first = x[0];
    if (ramp.pooler) {
      first = NaiveLinear(*ramp.pooler, first);
      for (double& value : first) value = std::tanh(value);
    }
    logits.push_back(NaiveLinear(ramp.classifier, first));
  }
  return logits;
}

void ExpectNaive(const Model& model) {
  const Rows expected = NaiveForward(model);
  const ForwardResult result = Albert(model).Forward(kIds, kTypes);
  ASSERT_EQ(result.layers.size(), expected.size());
  for (size_t layer = 0; layer < expected.size(); ++layer) {
    ASSERT_EQ(result.layers[layer].logits.size(), expected[layer].size());
    for (size_t c = 0; c < expected[layer].size(); ++c) {
      EXPECT_NEAR(result.layers[layer].logits[c], expected[layer][c], 1e-11) << layer;
    }
    EXPECT_NEAR(result.layers[layer].entropy, Entropy(expected[layer]), 1e-11) << layer;
  }
}

TEST(Reference, PlainAlbert) {
  ModelConfig config = SmallConfig();
  config.off_ramp_pooler = true;
  ExpectNaive(*RandomModel(config));
}

TEST(Reference, GroupsInnerLayersAndOffRamps) {
  ModelConfig config = SmallConfig();
  config.num_hidden_groups = 2;
  config.inner_group_num = 2;
  config.off_ramp_shared = false;
  config.hidden_act = Activation::kGelu;
  ExpectNaive(*RandomModel(config));
}

TEST(Reference, SpansByDistance) {
  ModelConfig config = SmallConfig();
  config.attention_span_ramp = 4;
  config.hidden_act = Activation::kRelu;
  RandomModel model(config);
  model->weights.attention_span = {-4, -1.5, 1, 20};  // off, 3 tokens, 5 tokens, all
  ExpectNaive(*model);
}

TEST(Reference, SpanShapesTheProbabilities) {
  ModelConfig config = SmallConfig();
  config.attention_span_ramp = 4;
  RandomModel model(config);
  model->weights.attention_span = {-4, -1.5, 1, 20};
  const ForwardResult result = Albert(*model).Forward(kIds, kTypes, {.keep_tensors = true});
  // Reach: distances below R + z.
  const double reach[] = {0, 2.5, 5, 24};
  for (int head = 1; head < 4; ++head) {
    const NamedTensor& probabilities =
        result.Tensor("layer.0.head." + std::to_string(head) + ".probabilities");
    for (int i = 0; i < probabilities.rows; ++i) {
      double sum = 0;
      for (int j = 0; j < probabilities.columns; ++j) {
        EXPECT_EQ(probabilities.At(i, j) > 0, std::abs(i - j) < reach[head]);
        sum += probabilities.At(i, j);
      }
      EXPECT_NEAR(sum, 1, 1e-14);
    }
  }
  // Head 0 is off: columns 0 and 1 of the context are zero, and it has no scores.
  const NamedTensor& context = result.Tensor("layer.0.context");
  for (int i = 0; i < context.rows; ++i) {
    EXPECT_EQ(context.At(i, 0), 0);
    EXPECT_EQ(context.At(i, 1), 0);
    EXPECT_NE(context.At(i, 2), 0);
  }
  for (const NamedTensor& tensor : result.tensors) {
    EXPECT_EQ(tensor.name.find("head.0."), tensor.name.npos);
  }
}

TEST(Reference, KeptTensorsAreWhatTheyAreCalled) {
  ModelConfig config = SmallConfig();
  config.off_ramp_pooler = true;
  RandomModel model(config);
  const ForwardResult result = Albert(*model).Forward(kIds, kTypes, {.keep_tensors = true});
  const auto expect_sum = [&](const char* sum, const char* a, const char* b) {
    const NamedTensor& total = result.Tensor(sum);
    for (size_t i = 0; i < total.values.size(); ++i) {
      EXPECT_NEAR(total.values[i], result.Tensor(a).values[i] + result.Tensor(b).values[i], 1e-14);
    }
  };
  expect_sum("layer.0.attention_sum", "embedding.projection", "layer.0.attention");
  expect_sum("layer.1.attention_sum", "layer.0.output_norm", "layer.1.attention");
  expect_sum("layer.3.output_sum", "layer.3.attention_norm", "layer.3.ffn_output");
  EXPECT_EQ(result.Tensor("layer.2.logits").values, result.layers[2].logits);
  EXPECT_EQ(result.Tensor("layer.2.pooled").columns, 8);
  EXPECT_EQ(result.Tensor("layer.2.ffn").columns, 5);
  EXPECT_EQ(result.Tensor("embedding.sum").columns, 3);
  EXPECT_EQ(result.Tensor("layer.2.head.3.scores").rows, 7);
}

TEST(Reference, ExitsStrictlyBelowTheThreshold) {
  RandomModel model(SmallConfig());
  const Albert albert(*model);
  const double first = albert.Forward(kIds, kTypes).layers[0].entropy;
  ASSERT_GT(first, 0);
  EXPECT_EQ(albert.Forward(kIds, kTypes, {.threshold = std::nextafter(first, 9.0)}).layers.size(),
            1);
  EXPECT_GT(albert.Forward(kIds, kTypes, {.threshold = first}).layers.size(), 1);
}

// Off-ramps that ignore the sentence: logits (0,0), (0,2), (1,0).
TEST(Reference, EvaluatesThresholds) {
  ModelConfig config = SmallConfig();
  config.num_hidden_layers = 3;
  config.labels = {"a", "b"};
  config.off_ramp_shared = false;
  RandomModel model(config);
  const std::vector<float> logits[] = {{0, 0}, {0, 2}, {1, 0}};
  for (size_t layer = 0; layer < 3; ++layer) {
    auto& classifier = model->weights.off_ramps[layer].classifier;
    std::fill(classifier.weight.values.begin(), classifier.weight.values.end(), 0.0F);
    classifier.bias = logits[layer];
  }
  const std::vector<LabelledTokens> sentences = {
      {{{1, 2}, {0, 0}}, 0}, {{{3, 4, 5}, {0, 0, 0}}, 1}, {{{6}, {0}}, 1}};
  // Entropies: ln 2; of the logistic function at 2, 0.365; at 1, 0.582.
  const double thresholds[] = {0.5, 0, 0.7, 0.3, std::log(2.0)};
  size_t calls = 0;
  const auto results =
      EvaluateReference(Albert(*model), sentences, thresholds, [&](size_t done, size_t total) {
        EXPECT_EQ(done, ++calls);
        EXPECT_EQ(total, 3);
      });
  EXPECT_EQ(calls, 3);
  const double exits[] = {2, 3, 1, 3, 2};
  const double accuracies[] = {2.0 / 3, 1.0 / 3, 1.0 / 3, 1.0 / 3, 2.0 / 3};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(results[i].threshold, thresholds[i]);
    EXPECT_EQ(results[i].mean_exit_layer, exits[i]);
    EXPECT_NEAR(results[i].accuracy, accuracies[i], 1e-15);
    EXPECT_EQ(results[i].exits[static_cast<size_t>(exits[i]) - 1], 3);
  }
}

TEST(Reference, ShippedModelTellsGoodFromBad) {
  const Model model = checkpoint::LoadModel(EDGEBERT_SHIPPED_MODEL).value();
  const auto tokenizer =
      checkpoint::Tokenizer::Load(EDGEBERT_SHIPPED_MODEL "/tokenizer.model", model.config).value();
  const Albert albert(model);
  const auto label = [&](const char* sentence) {
    const auto tokens = tokenizer.Encode(sentence).value();
    return model.config.labels[static_cast<size_t>(
        Predict(albert.Forward(tokens.ids, tokens.types).layers.back().logits))];
  };
  EXPECT_EQ(label("A warm, funny and beautifully acted film."), "positive");
  EXPECT_EQ(label("One of the best pictures of the year."), "positive");
  EXPECT_EQ(label("A dull, lifeless mess with a terrible script."), "negative");
  EXPECT_EQ(label("It is a complete waste of time."), "negative");
}

}  // namespace
}  // namespace edgebert::reference
