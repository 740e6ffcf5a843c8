// What a co-simulation runs: a configuration, an image and sentences.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cosim/program/options.h"
#include "golden/checkpoint/model_config.h"
#include "golden/checkpoint/model_weights.h"
#include "golden/model/image.h"
#include "golden/model/machine.h"
#include "golden/spec/config.h"

namespace edgebert::cosim {

struct Sentence {
  int number = 0;  ///< in the data, from 0
  std::string text;
  std::optional<int> label;
  std::vector<uint32_t> tokens;  ///< token words
};

struct Workload {
  spec::AcceleratorConfig config;
  checkpoint::ModelConfig model;
  model::Image image;
  std::vector<Sentence> sentences;
  /// With --rtl-from: `image` is that part of the only sentence, which starts here.
  std::optional<model::MachineState> start;
  double threshold = 0;             ///< nats
  uint32_t threshold_register = 0;  ///< the same, unsigned Q16.16
  uint64_t dense_mac_rows = 0;      ///< of the hardware without pruning, spans, exits; padded
};

/// A change to the model before its image is built.
using ModelEdit = std::function<void(checkpoint::ModelConfig&, checkpoint::ModelWeights&)>;

/// Rules: those of the checkpoint readers, the configuration and the image builder.
Result<Workload> PrepareWorkload(const Options& options, const ModelEdit& edit = {});

}  // namespace edgebert::cosim
