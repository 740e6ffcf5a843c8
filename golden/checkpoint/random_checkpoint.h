// Seeded random models and sentences for tests: every shape and feature the hardware has, at sizes
// that a configuration holds. The same seed gives the same model on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "golden/base/result.h"
#include "golden/checkpoint/model_config.h"
#include "golden/checkpoint/model_weights.h"
#include "golden/checkpoint/tokenizer.h"
#include "golden/spec/config.h"

namespace edgebert::checkpoint {

/// A small random shape within the limits of the configuration: any activation function, pooler
/// or not, shared or own off-ramps, groups and inner layers, spans or none.
ModelConfig RandomModelConfig(const spec::AcceleratorConfig& config, uint64_t seed);

/// The largest shape of the configuration, without spans.
ModelConfig LargestModelConfig(const spec::AcceleratorConfig& config);

/// Probabilities that a weight, an n x n tile and a row of tiles are zero.
struct Pruning {
  double elements = 0.5;
  double tiles = 0.25;
  double tile_rows = 0.1;
};

/// Random weights of a shape; where it has spans, from dead heads to the whole sentence. Magnitudes
/// are those of a trained model, so that nothing degenerates.
ModelWeights RandomModelWeights(const ModelConfig& config, int lanes, uint64_t seed,
                                const Pruning& pruning = {});

/// `count` sentences of 1 .. `max_tokens` tokens, the first one and the longest included; with
/// token types when the model has them.
std::vector<Tokens> RandomSentences(const ModelConfig& config, int max_tokens, int count,
                                    uint64_t seed);

/// Writes config.json, model.safetensors and a tokenizer.model whose pieces are "t<id>". Rule:
/// "checkpoint-write".
Status WriteCheckpoint(const ModelConfig& config, const ModelWeights& weights,
                       const std::string& directory);

}  // namespace edgebert::checkpoint
