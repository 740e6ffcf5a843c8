// The LibTorch network beside golden/reference: forward pass and gradients on the same checkpoints.
#include "golden/train/network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "golden/checkpoint/model_writer.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/checkpoint/safetensors.h"
#include "golden/reference/albert.h"
#include "tests/golden/random_model.h"

namespace edgebert::train {
namespace {

using checkpoint::Model;
using checkpoint::Tokens;

TensorMap TensorsOf(const Model& model) {
  const auto file = checkpoint::SafetensorsFile::Parse(
      "m", checkpoint::SerializeWeights(model.config, model.weights));
  TensorMap tensors;
  for (const auto& info : file->tensors()) {
    const auto tensor = file->Floats(info.name);
    tensors[info.name] = {tensor->shape, tensor->values};
  }
  return tensors;
}

Model ModelOf(const checkpoint::ModelConfig& config, const TensorMap& tensors) {
  checkpoint::SafetensorsWriter writer;
  for (const auto& [name, array] : tensors) {
    writer.AddFloats(name, checkpoint::DType::kF32, array.shape, array.values);
  }
  const auto file = checkpoint::SafetensorsFile::Parse("m", writer.Serialize());
  return {config, checkpoint::LoadModelWeights(*file, config).value()};
}

Shape ShapeOf(const checkpoint::ModelConfig& config) {
  return {.layers = config.num_hidden_layers,
          .groups = config.num_hidden_groups,
          .inner = config.inner_group_num,
          .heads = config.num_attention_heads,
          .off_ramps = config.off_ramp_shared ? 1 : config.num_hidden_layers,
          .pooler = config.off_ramp_pooler,
          .activation = std::string(checkpoint::ActivationName(config.hidden_act)),
          .layer_norm_eps = config.layer_norm_eps,
          .span_ramp = config.attention_span_ramp};
}

Model RandomModel(uint64_t seed) {
  const spec::AcceleratorConfig config = SmallConfig(4);
  Model model;
  model.config = checkpoint::RandomModelConfig(config, seed);
  model.weights = checkpoint::RandomModelWeights(model.config, 4, seed);
  return model;
}

Batch BatchOf(const std::vector<Tokens>& sentences, int labels) {
  Batch batch;
  batch.sentences = static_cast<int>(sentences.size());
  for (const Tokens& tokens : sentences) {
    batch.length = std::max(batch.length, static_cast<int>(tokens.ids.size()));
  }
  for (size_t i = 0; i < sentences.size(); ++i) {
    batch.ids.insert(batch.ids.end(), sentences[i].ids.begin(), sentences[i].ids.end());
    batch.types.insert(batch.types.end(), sentences[i].types.begin(), sentences[i].types.end());
    batch.ids.resize((i + 1) * size_t(batch.length), 0);
    batch.types.resize((i + 1) * size_t(batch.length), 0);
    batch.lengths.push_back(std::ssize(sentences[i].ids));
    batch.labels.push_back(static_cast<int64_t>(i) % labels);
  }
  return batch;
}

TEST(Network, AgreesWithTheReference) {
  std::set<std::string> activations;
  int with_spans = 0;
  int shared = 0;
  int poolers = 0;
  int grouped = 0;
  for (uint64_t seed = 1; seed <= 24; ++seed) {
    const Model model = RandomModel(seed);
    const Shape shape = ShapeOf(model.config);
    const auto sentences = checkpoint::RandomSentences(model.config, 20, 5, seed);
    const auto network = CreateNetwork(shape, TensorsOf(model), {});
    const Batch batch = BatchOf(sentences, model.config.num_labels());
    const auto logits = network->LayerLogits(batch);
    ASSERT_EQ(std::ssize(logits), shape.layers);
    const reference::Albert albert(model);
    for (size_t i = 0; i < sentences.size(); ++i) {
      const auto forward = albert.Forward(sentences[i].ids, sentences[i].types);
      for (size_t layer = 0; layer < logits.size(); ++layer) {
        const std::vector<double>& expected = forward.layers[layer].logits;
        for (size_t c = 0; c < expected.size(); ++c) {
          EXPECT_NEAR(logits[layer][i * expected.size() + c], expected[c], 2e-4)
              << "seed " << seed << " sentence " << i << " layer " << layer;
        }
      }
    }
    activations.insert(shape.activation);
    with_spans += shape.span_ramp > 0 ? 1 : 0;
    shared += shape.off_ramps == 1 ? 1 : 0;
    poolers += shape.pooler ? 1 : 0;
    grouped += shape.groups > 1 && shape.inner > 1 ? 1 : 0;
  }
  EXPECT_EQ(activations.size(), 3);
  EXPECT_GT(with_spans, 3);
  EXPECT_GT(shared, 3);
  EXPECT_GT(poolers, 3);
  EXPECT_GT(grouped, 0);
}

/// Mean cross-entropy of the last layer by the reference, the span penalty included.
double ReferenceLoss(const Model& model, const std::vector<Tokens>& sentences, const Batch& batch,
                     double penalty) {
  const reference::Albert albert(model);
  double loss = 0;
  for (size_t i = 0; i < sentences.size(); ++i) {
    const auto logits = albert.Forward(sentences[i].ids, sentences[i].types).layers.back().logits;
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit);
    loss += std::log(sum) - logits[size_t(batch.labels[i])];
  }
  loss /= static_cast<double>(sentences.size());
  double reach = 0;
  for (const float span : model.weights.attention_span) {
    reach += span + model.config.attention_span_ramp;
  }
  if (!model.weights.attention_span.empty()) {
    loss += penalty * reach / static_cast<double>(model.weights.attention_span.size());
  }
  return loss;
}

TEST(Network, GradientsAreTheSlopesOfTheReference) {
  constexpr double kPenalty = 0.01;
  int compared = 0;
  for (const uint64_t seed : {3, 5, 8, 11}) {
    Model model = RandomModel(seed);
    // ReLU has kinks that a finite step may cross.
    model.config.hidden_act = checkpoint::Activation::kGelu;
    const auto sentences = checkpoint::RandomSentences(model.config, 12, 4, seed);
    const Batch batch = BatchOf(sentences, model.config.num_labels());
    const TensorMap tensors = TensorsOf(model);
    const auto network = CreateNetwork(ShapeOf(model.config), tensors, {.span_penalty = kPenalty});
    const StepReport report = network->Backward(
        batch, {.depth = model.config.num_hidden_layers, .span_learning_rate = 1});
    EXPECT_NEAR(report.loss, ReferenceLoss(model, sentences, batch, kPenalty), 1e-4);
    for (const auto& [name, array] : tensors) {
      const std::vector<float> gradient = network->Gradient(name);
      if (gradient.empty()) continue;  // an off-ramp of an inner layer
      // The steepest element, and one elsewhere.
      size_t steepest = 0;
      for (size_t i = 0; i < gradient.size(); ++i) {
        if (std::fabs(gradient[i]) > std::fabs(gradient[steepest])) steepest = i;
      }
      for (const size_t at : {steepest, gradient.size() / 2}) {
        constexpr float kStep = 0x1p-14F;
        double loss[2];
        TensorMap moved = tensors;
        float ends[2];
        for (const int side : {0, 1}) {
          ends[side] = array.values[at] + (side == 0 ? -kStep : kStep);
          moved[name].values[at] = ends[side];
          loss[side] = ReferenceLoss(ModelOf(model.config, moved), sentences, batch, kPenalty);
        }
        const double slope = (loss[1] - loss[0]) / (double{ends[1]} - double{ends[0]});
        EXPECT_NEAR(gradient[at], slope, 2e-4 + 0.01 * std::fabs(slope)) << name << " " << at;
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 100);
}

// The teacher's part of the loss: temperature^2 times the divergence of the softened answers.
TEST(Network, LearnsFromATeacher) {
  const Model model = RandomModel(3);
  const auto sentences = checkpoint::RandomSentences(model.config, 12, 4, 3);
  Batch batch = BatchOf(sentences, model.config.num_labels());
  const auto loss = [&](double alpha) {
    const auto network = CreateNetwork(ShapeOf(model.config), TensorsOf(model),
                                       {.distil_alpha = alpha, .distil_temperature = 2});
    return network->Backward(batch, {.depth = model.config.num_hidden_layers}).loss;
  };
  const double alone = loss(0.75);
  const reference::Albert albert(model);
  const auto classes = static_cast<size_t>(model.config.num_labels());
  const auto soft = [&](const std::vector<double>& logits) {
    std::vector<double> p;
    double sum = 0;
    for (const double logit : logits) sum += p.emplace_back(std::exp(logit / 2));
    for (double& value : p) value /= sum;
    return p;
  };
  double divergence = 0;
  for (size_t i = 0; i < sentences.size(); ++i) {
    std::vector<double> teacher;
    for (size_t c = 0; c < classes; ++c) {
      teacher.push_back(double(i) - double(c) * 0.5);
      batch.teacher.push_back(static_cast<float>(teacher.back()));
    }
    const auto wanted = soft(teacher);
    const auto got =
        soft(albert.Forward(sentences[i].ids, sentences[i].types).layers.back().logits);
    for (size_t c = 0; c < classes; ++c) {
      divergence += wanted[c] * std::log(wanted[c] / got[c]) / double(sentences.size());
    }
  }
  EXPECT_NEAR(loss(0.75), 0.25 * alone + 0.75 * 4 * divergence, 1e-4);
}

// With every_layer: the mean of what each depth loses alone, weighted by the depth.
TEST(Network, LearnsInEveryLayer) {
  Model model;
  for (uint64_t seed = 3; model.config.num_hidden_layers < 3; ++seed) model = RandomModel(seed);
  const Batch batch =
      BatchOf(checkpoint::RandomSentences(model.config, 12, 4, 3), model.config.num_labels());
  const auto loss = [&](bool every_layer, int depth) {
    const auto network =
        CreateNetwork(ShapeOf(model.config), TensorsOf(model), {.every_layer = every_layer});
    return network->Backward(batch, {.depth = depth}).loss;
  };
  const int layers = model.config.num_hidden_layers;
  double sum = 0;
  double weights = 0;
  for (int depth = 1; depth <= layers; ++depth) {
    sum += depth * loss(false, depth);
    weights += depth;
    EXPECT_NEAR(loss(true, depth), sum / weights, 1e-5) << depth;
  }
  EXPECT_GT(std::abs(loss(true, layers) - loss(false, layers)), 1e-3);
}

// Sanh et al. 2020: dL/dS = dL/dW' * W, masked weights included.
TEST(Network, ScoresTakeTheGradientStraightThrough) {
  Model model = RandomModel(3);
  const auto sentences = checkpoint::RandomSentences(model.config, 12, 4, 3);
  const Batch batch = BatchOf(sentences, model.config.num_labels());
  model.weights = checkpoint::RandomModelWeights(model.config, 4, 3, {0, 0, 0});  // no zeros
  const TensorMap tensors = TensorsOf(model);
  const Moment moment = {.depth = model.config.num_hidden_layers, .sparsity = 0.5};
  const auto network = CreateNetwork(ShapeOf(model.config), tensors, {.prune_method = "movement"});
  (void)network->Backward(batch, moment);
  const TensorMap pruned = network->Export();
  const auto plain = CreateNetwork(ShapeOf(model.config), pruned, {});
  (void)plain->Backward(batch, {.depth = moment.depth});
  const std::string name = "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight";
  const std::vector<float> score = network->Gradient("scores." + name);
  const std::vector<float> weight = network->Gradient(name);
  const std::vector<float> free = plain->Gradient(name);
  const std::vector<float>& w = tensors.at(name).values;
  ASSERT_EQ(score.size(), w.size());
  int removed = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    EXPECT_NEAR(score[i], free[i] * w[i], 1e-5);
    const bool gone = pruned.at(name).values[i] == 0;
    removed += gone ? 1 : 0;
    EXPECT_NEAR(weight[i], gone ? 0 : free[i], 1e-5);
    // At first a score is the size of its weight.
    if (gone) EXPECT_LE(std::fabs(w[i]), 3);
  }
  EXPECT_EQ(removed, static_cast<int>(std::lround(0.5 * double(w.size()))));
}

TEST(Network, PrunesWholeBlocks) {
  Model model = RandomModel(3);
  model.weights = checkpoint::RandomModelWeights(model.config, 4, 3, {0, 0, 0});
  const auto sentences = checkpoint::RandomSentences(model.config, 12, 4, 3);
  const Batch batch = BatchOf(sentences, model.config.num_labels());
  const auto network = CreateNetwork(ShapeOf(model.config), TensorsOf(model),
                                     {.prune_method = "block", .prune_block = 4});
  (void)network->Backward(batch, {.depth = 1, .sparsity = 0.5});
  const FloatArray ffn =
      network->Export().at("albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight");
  const int64_t rows = ffn.shape[0];
  const int64_t columns = ffn.shape[1];
  int empty = 0;
  int blocks = 0;
  for (int64_t row = 0; row < rows; row += 4) {
    for (int64_t column = 0; column < columns; column += 4) {
      int zeros = 0;
      int all = 0;
      for (int64_t r = row; r < std::min(row + 4, rows); ++r) {
        for (int64_t c = column; c < std::min(column + 4, columns); ++c) {
          ++all;
          zeros += ffn.values[size_t(r * columns + c)] == 0 ? 1 : 0;
        }
      }
      EXPECT_TRUE(zeros == 0 || zeros == all);
      empty += zeros == all ? 1 : 0;
      ++blocks;
    }
  }
  EXPECT_EQ(empty, static_cast<int>(std::lround(0.5 * blocks)));
}

/// Whether a network that rounds its weights answers as the reference does on weights that
/// `round` made of each matrix.
void ExpectRounded(const Recipe& recipe,
                   const std::function<std::vector<float>(const std::vector<float>&)>& round) {
  const Model model = RandomModel(5);
  const TensorMap tensors = TensorsOf(model);
  const auto network = CreateNetwork(ShapeOf(model.config), tensors, recipe);
  network->RoundWeights(true);
  TensorMap rounded = tensors;
  for (auto& [name, array] : rounded) {
    if (array.shape.size() == 2) array.values = round(array.values);
  }
  const auto sentences = checkpoint::RandomSentences(model.config, 20, 5, 1);
  const Batch batch = BatchOf(sentences, model.config.num_labels());
  const auto logits = network->LayerLogits(batch).back();
  const reference::Albert albert(ModelOf(model.config, rounded));
  for (size_t i = 0; i < sentences.size(); ++i) {
    const auto expected = albert.Forward(sentences[i].ids, sentences[i].types).layers.back().logits;
    for (size_t c = 0; c < expected.size(); ++c) {
      EXPECT_NEAR(logits[i * expected.size() + c], expected[c], 2e-4)
          << recipe.format_kind << " " << recipe.code_bits;
    }
  }
  // Straight through: every matrix that is used has a gradient.
  (void)network->Backward(batch, {.depth = model.config.num_hidden_layers});
  EXPECT_FALSE(network->Gradient("albert.embeddings.word_embeddings.weight").empty());
}

// Beside golden/checkpoint's quantiser.
TEST(Network, RoundsWeightsAsTheQuantiserDoes) {
  for (const auto& [bits, exponent] : {std::pair(8, 3), std::pair(4, 2), std::pair(6, 4)}) {
    const checkpoint::CodeFormat format{bits, exponent};
    ExpectRounded({.code_bits = bits, .exponent_bits = exponent}, [&](std::vector<float> values) {
      const auto quantized = checkpoint::QuantizeTensor(values, format);
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] =
            static_cast<float>(checkpoint::Dequantize(quantized.codes[i], quantized.bias, format));
      }
      return values;
    });
  }
}

/// The value of `table` that is nearest to each.
std::vector<float> Nearest(std::vector<float> values, const std::vector<double>& table) {
  for (float& value : values) {
    value = static_cast<float>(*std::ranges::min_element(
        table, {}, [&](double entry) { return std::fabs(entry - double(value)); }));
  }
  return values;
}

// Every value that a format has, written down code by code.
TEST(Network, RoundsWeightsToOtherFormats) {
  for (const auto& [bits, exponent] : {std::pair(8, 4), std::pair(5, 2), std::pair(6, 3)}) {
    const int mantissas = 1 << (bits - 1 - exponent);
    const int bias = (1 << (exponent - 1)) - 1;
    std::vector<double> table;
    for (int e = 0; e < 1 << exponent; ++e) {
      for (int m = 0; m < mantissas; ++m) {
        const double fraction = static_cast<double>(m) / mantissas;
        const double value =
            e == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, e - bias);
        table.insert(table.end(), {value, -value});
      }
    }
    ExpectRounded({.format_kind = "minifloat", .code_bits = bits, .exponent_bits = exponent},
                  [&](const std::vector<float>& values) { return Nearest(values, table); });
  }
  for (const int bits : {8, 4}) {
    ExpectRounded({.format_kind = "integer", .code_bits = bits},
                  [&](const std::vector<float>& values) {
                    double largest = 0;
                    for (const float value : values) {
                      largest = std::max(largest, std::fabs(double(value)));
                    }
                    const int top = (1 << (bits - 1)) - 1;
                    std::vector<double> table;
                    for (int i = -top; i <= top; ++i) table.push_back(largest * i / top);
                    return Nearest(values, table);
                  });
  }
}

// Where operands are rounded: beside the reference, which has a minifloat of its own. Of one
// sentence, as padding is not in the reference.
TEST(Network, RoundsActivationsThatEnterProducts) {
  constexpr int kBits = 5;
  constexpr int kExponent = 3;
  constexpr int kMantissas = 1 << (kBits - 1 - kExponent);
  constexpr int kBias = 3;
  const auto round = [](double value) {
    const double top = std::ldexp(2.0 - 1.0 / kMantissas, (1 << kExponent) - 1 - kBias);
    const int exponent = std::max(value == 0 ? -99 : std::ilogb(value), 1 - kBias);
    const double step = std::ldexp(1.0 / kMantissas, exponent);
    return std::clamp(std::nearbyint(value / step) * step, -top, top);
  };
  int different = 0;
  for (uint64_t seed = 1; seed <= 24; ++seed) {
    const Model model = RandomModel(seed);
    TensorMap rounded = TensorsOf(model);
    for (auto& [name, array] : rounded) {
      if (array.shape.size() != 2) continue;
      for (float& value : array.values) value = static_cast<float>(round(double(value)));
    }
    const auto network = CreateNetwork(ShapeOf(model.config), TensorsOf(model),
                                       {.format_kind = "minifloat",
                                        .code_bits = kBits,
                                        .exponent_bits = kExponent,
                                        .round_activations = true});
    network->RoundWeights(true);
    const Tokens tokens = checkpoint::RandomSentences(model.config, 12, 1, seed)[0];
    const auto logits = network->LayerLogits(BatchOf({tokens}, model.config.num_labels()));
    const reference::Albert albert(ModelOf(model.config, rounded));
    const auto expected = albert.Forward(tokens.ids, tokens.types, {.operand = round}).layers;
    const auto exact = albert.Forward(tokens.ids, tokens.types).layers;
    for (size_t layer = 0; layer < logits.size(); ++layer) {
      for (size_t c = 0; c < logits[layer].size(); ++c) {
        EXPECT_NEAR(logits[layer][c], expected[layer].logits[c], 2e-4)
            << "seed " << seed << " layer " << layer;
        different += std::fabs(expected[layer].logits[c] - exact[layer].logits[c]) > 1e-2 ? 1 : 0;
      }
    }
    // Straight through, attention too.
    (void)network->Backward(BatchOf({tokens}, model.config.num_labels()),
                            {.depth = model.config.num_hidden_layers});
    EXPECT_FALSE(
        network
            ->Gradient("albert.encoder.albert_layer_groups.0.albert_layers.0.attention.key.weight")
            .empty());
  }
  EXPECT_GT(different, 100);
}

// A Hugging Face checkpoint of the paper's size: 12 layers of one set, 768 wide, 128 tokens.
TEST(NetworkSlow, AgreesAtAlbertBaseSize) {
  checkpoint::ModelConfig config;
  config.vocab_size = 30000;
  config.embedding_size = 128;
  config.hidden_size = 768;
  config.num_hidden_layers = 12;
  config.num_attention_heads = 12;
  config.intermediate_size = 3072;
  config.max_position_embeddings = 512;
  config.labels = {"a", "b"};
  const Model model{config, checkpoint::RandomModelWeights(config, 16, 1, {0, 0, 0})};
  const auto sentences = checkpoint::RandomSentences(config, 128, 1, 1);
  const auto network = CreateNetwork(ShapeOf(config), TensorsOf(model), {});
  const auto logits = network->LayerLogits(BatchOf(sentences, 2));
  const auto forward = reference::Albert(model).Forward(sentences[0].ids, sentences[0].types);
  for (size_t layer = 0; layer < logits.size(); ++layer) {
    for (size_t c = 0; c < 2; ++c) {
      EXPECT_NEAR(logits[layer][c], forward.layers[layer].logits[c], 1e-3) << layer;
    }
  }
}

TEST(Network, SwitchesShortHeadsOff) {
  checkpoint::ModelConfig config = RandomModel(3).config;
  config.num_attention_heads = 4;
  config.hidden_size = 16;
  config.attention_span_ramp = 8;
  Model model{config, checkpoint::RandomModelWeights(config, 4, 3)};
  model.weights.attention_span = {-7, 5, -5, 9};
  const auto spans = [&](double reach, int least) {
    const auto network = CreateNetwork(ShapeOf(config), TensorsOf(model), {});
    network->SwitchHeadsOff(reach, least);
    return network->Spans();
  };
  EXPECT_EQ(spans(2, 0), (std::vector<float>{-8, 5, -5, 9}));
  EXPECT_EQ(spans(0, 3), (std::vector<float>{-8, -8, -8, 9}));
  EXPECT_EQ(spans(100, 0), (std::vector<float>{-8, -8, -8, 9}));
}

}  // namespace
}  // namespace edgebert::train
