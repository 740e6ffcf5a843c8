// Builds the image of a model for a configuration: quantises the weights, lays out weight stream,
// ReRAM and activation memory, and writes the program (docs/architecture.md).
//
// Activation memory, in vectors of n codes; S is the image's longest sentence:
//   hidden        S x ceil(H/n)   input of the layer, also the residual of the attention
//   sum           S x ceil(H/n)   residual sums, before a LayerNorm
//   norm          S x ceil(H/n)   after the first LayerNorm, also the residual of the FFN
//   scratch, one of
//     attention   query, key: S x HeadVectors; value, probabilities: two of each, for alternate
//                 heads (S x HeadVectors, S x ceil(S/n)); context S x heads x HeadVectors
//     FFN         S x ceil(F/n)
//     embedding   sum and normalised, S x ceil(E/n) each
//     off-ramp    ceil(H/n): output of the pooler
// The heads are software-pipelined: the context of a head is computed after the projections of the
// next, so that its softmax has those to hide behind. If two value and probability tensors do not
// fit, there is one of each, and a head ends before the next begins.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "golden/base/result.h"
#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/model_config.h"
#include "golden/checkpoint/model_weights.h"
#include "golden/checkpoint/tokenizer.h"
#include "golden/model/image.h"
#include "golden/spec/config.h"

namespace edgebert::checkpoint {

struct BuildOptions {
  std::string name;     ///< of the model, for reports
  bool overlap = true;  ///< wait only for units that an instruction depends on; else for all
  /// Reorder FFN neurons, and lanes inside a head, where that leaves more tiles without weights,
  /// and leave out those that no weight reads. Nothing else changes: sums are exact in any order.
  bool pack_weights = false;
};

/// Rules: "image-limit" (the model exceeds a limit of the configuration; one diagnostic a limit),
/// "image-range" (a weight that its fixed-point word cannot hold), "image-pack" (packed weights
/// with an accumulator that saturates: its sums depend on their order).
Result<model::Image> BuildImage(const ModelConfig& model, const ModelWeights& weights,
                                const ActivationBiases& biases,
                                const spec::AcceleratorConfig& config,
                                const BuildOptions& options = {});

/// The token words of the accelerator (id in bits 23:0, type in bits 31:24).
std::vector<uint32_t> TokenWords(const Tokens& tokens);

/// Whether the shape fits the configuration. Rule: "image-limit", one diagnostic a limit.
Status CheckLimits(const ModelConfig& model, const spec::AcceleratorConfig& config);

/// The most instructions the program of a model of this shape can have.
int ProgramBound(const ModelConfig& model);

/// `config` with the limits of the model's shape; the rest is kept. Fails where a configuration
/// cannot be that large.
Result<spec::AcceleratorConfig> FitConfig(const ModelConfig& model, spec::AcceleratorConfig config);

}  // namespace edgebert::checkpoint
