// The files of a model folder, from a model in memory: what ReadModelConfig and LoadModelWeights
// read back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "golden/checkpoint/model_config.h"
#include "golden/checkpoint/model_weights.h"

namespace edgebert::checkpoint {

/// The text of config.json, without activation biases.
std::string SerializeConfig(const ModelConfig& config);

/// The bytes of model.safetensors, in FP32.
std::vector<uint8_t> SerializeWeights(const ModelConfig& config, const ModelWeights& weights);

}  // namespace edgebert::checkpoint
