// The scale of every kind of activation: one AdaptivFloat bias for all layers, found by running
// the double-precision reference over sentences, and kept in config.json so that a shipped model
// needs no data:
//   "edgebert": {"activation_bias": {"embedding_sum": -9, ...}}
// for the format of "edgebert.adaptivfloat".
//
// Rules: "calibration-missing", "calibration-value", "calibration-io".
#pragma once

#include <array>
#include <functional>
#include <span>
#include <string>

#include "golden/base/result.h"
#include "golden/checkpoint/model_config.h"
#include "golden/checkpoint/model_weights.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/tokenizer.h"

namespace edgebert::checkpoint {

struct ActivationBiases {
  int embedding_sum = 0;   ///< word + position + type
  int embedding_norm = 0;  ///< after the embedding LayerNorm
  int hidden = 0;          ///< input of a layer: projected embedding, second LayerNorm
  int query = 0;           ///< with 1/sqrt(head size) folded in
  int key = 0;
  int value = 0;
  int probability = 0;     ///< softmax
  int context = 0;         ///< probabilities times values
  int attention_sum = 0;   ///< attention output + layer input
  int attention_norm = 0;  ///< after the first LayerNorm
  int ffn = 0;             ///< after the activation function
  int ffn_sum = 0;         ///< FFN output + first LayerNorm
  int pooler = 0;          ///< after tanh

  friend bool operator==(const ActivationBiases&, const ActivationBiases&) = default;
};

/// Key of config.json and member of each bias.
struct ActivationBiasName {
  const char* key;
  int ActivationBiases::*member;
};
inline constexpr std::array kActivationBiasNames = {
    ActivationBiasName{"embedding_sum", &ActivationBiases::embedding_sum},
    ActivationBiasName{"embedding_norm", &ActivationBiases::embedding_norm},
    ActivationBiasName{"hidden", &ActivationBiases::hidden},
    ActivationBiasName{"query", &ActivationBiases::query},
    ActivationBiasName{"key", &ActivationBiases::key},
    ActivationBiasName{"value", &ActivationBiases::value},
    ActivationBiasName{"probability", &ActivationBiases::probability},
    ActivationBiasName{"context", &ActivationBiases::context},
    ActivationBiasName{"attention_sum", &ActivationBiases::attention_sum},
    ActivationBiasName{"attention_norm", &ActivationBiases::attention_norm},
    ActivationBiasName{"ffn", &ActivationBiases::ffn},
    ActivationBiasName{"ffn_sum", &ActivationBiases::ffn_sum},
    ActivationBiasName{"pooler", &ActivationBiases::pooler},
};

/// Biases that cover the largest magnitudes of the sentences. `progress`, if given, is called after
/// each sentence with the number done.
ActivationBiases Calibrate(const Model& model, std::span<const Tokens> sentences,
                           const CodeFormat& format,
                           const std::function<void(size_t)>& progress = nullptr);

/// The same ranges in another format.
ActivationBiases Rebase(const ActivationBiases& biases, const CodeFormat& from,
                        const CodeFormat& to);

/// The biases of `directory`/config.json, for the format the file names.
Result<ActivationBiases> ReadActivationBiases(const std::string& directory);

/// Copies the model folder `from` to `to` (which may be the same), with these biases.
Status WriteCalibratedModel(const std::string& from, const ActivationBiases& biases,
                            const std::string& to);

}  // namespace edgebert::checkpoint
