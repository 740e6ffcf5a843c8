// Random models for tests of builder and machine: small configurations, and weights that the format
// holds exactly, so that only the arithmetic of the machine is left to differ from real numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/spec/config.h"

namespace edgebert {

/// Room for any model of RandomModelConfig.
inline spec::AcceleratorConfig SmallConfig(int lanes, int width = 8, int exponent = 3) {
  spec::AcceleratorConfig config;
  config.vmac.n = lanes;
  config.format = {width, exponent};
  config.model = {.hidden = 8 * lanes,
                  .ffn = 4 * lanes,
                  .heads = 4,
                  .seq_len = 48,
                  .layers = 6,
                  .classes = 2 * lanes,
                  .vocab = 64,
                  .embedding = 4 * lanes,
                  .token_types = 2,
                  .pooler = true};
  return config;
}

/// Replaces `values` times `scale` by the nearest values of the format. All matrices of `values`
/// share their scale.
inline void Snap(std::vector<std::vector<float>*> values, const checkpoint::CodeFormat& format,
                 double scale = 1) {
  double largest = 0;
  for (const std::vector<float>* matrix : values) {
    for (const float v : *matrix) largest = std::max(largest, std::fabs(v * scale));
  }
  const int bias = checkpoint::BiasOf(largest, format);
  for (std::vector<float>* matrix : values) {
    for (float& v : *matrix) {
      const double snapped =
          checkpoint::Dequantize(checkpoint::Quantize(v * scale, bias, format), bias, format);
      v = static_cast<float>(snapped / scale);
      // Not below, where a largest value that is a power of two would have a smaller scale.
      if (std::fabs(v * scale) < std::fabs(snapped)) v = std::nextafter(v, v < 0 ? -1e9F : 1e9F);
    }
  }
}

/// Rounds to `fraction` fraction bits.
inline void SnapFixed(std::vector<float>& values, int fraction) {
  for (float& v : values)
    v = static_cast<float>(std::ldexp(std::round(std::ldexp(v, fraction)), -fraction));
}

/// Weights that quantisation leaves alone.
inline void SnapWeights(checkpoint::Model& model, const checkpoint::CodeFormat& format) {
  checkpoint::ModelWeights& weights = model.weights;
  const double query_scale = 1 / std::sqrt(double(model.config.HeadSize()));
  const auto snap_linear = [&](checkpoint::LinearWeights& linear, double scale = 1) {
    Snap({&linear.weight.values}, format, scale);
    SnapFixed(linear.bias, 16);
  };
  const auto snap_norm = [](checkpoint::LayerNormWeights& norm) {
    SnapFixed(norm.gamma, 12);
    SnapFixed(norm.beta, 16);
  };
  Snap({&weights.word_embeddings.values}, format);
  Snap({&weights.position_embeddings.values}, format);
  Snap({&weights.type_embeddings.values}, format);
  snap_norm(weights.embedding_norm);
  snap_linear(weights.embedding_projection);
  for (std::vector<checkpoint::LayerWeights>& group : weights.groups) {
    for (checkpoint::LayerWeights& layer : group) {
      snap_linear(layer.query, query_scale);
      for (checkpoint::LinearWeights* linear :
           {&layer.key, &layer.value, &layer.attention_output, &layer.ffn, &layer.ffn_output}) {
        snap_linear(*linear);
      }
      snap_norm(layer.attention_norm);
      snap_norm(layer.output_norm);
    }
  }
  // The ramps of one loop share their scale: so do all of them here.
  std::vector<std::vector<float>*> poolers;
  std::vector<std::vector<float>*> classifiers;
  for (checkpoint::OffRampWeights& ramp : weights.off_ramps) {
    if (ramp.pooler) {
      poolers.push_back(&ramp.pooler->weight.values);
      SnapFixed(ramp.pooler->bias, 16);
    }
    classifiers.push_back(&ramp.classifier.weight.values);
    SnapFixed(ramp.classifier.bias, 16);
  }
  Snap(poolers, format);
  Snap(classifiers, format);
}

/// A model, sentences for it and the scales of its activations.
struct RandomCase {
  checkpoint::Model model;
  std::vector<checkpoint::Tokens> sentences;
  checkpoint::ActivationBiases biases;
};

inline RandomCase MakeRandomCase(const spec::AcceleratorConfig& config, uint64_t seed,
                                 int sentences = 4) {
  RandomCase random;
  random.model.config = checkpoint::RandomModelConfig(config, seed);
  random.model.weights = checkpoint::RandomModelWeights(random.model.config, config.vmac.n, seed);
  SnapWeights(random.model, checkpoint::FormatOf(config));
  random.sentences =
      checkpoint::RandomSentences(random.model.config, config.model.seq_len, sentences, seed);
  random.biases =
      checkpoint::Calibrate(random.model, random.sentences, checkpoint::FormatOf(config));
  return random;
}

}  // namespace edgebert
