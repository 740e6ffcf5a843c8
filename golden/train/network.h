// ALBERT with learnt attention spans, pruned weights and off-ramps, that learns: the LibTorch half
// of the trainer. One thread, FP32. Tensors have the names of a checkpoint (golden/checkpoint/
// model_weights.h), so this header knows neither LibTorch nor the rest of the project.
//
// It is a library that is opened at run time with its own symbols first: Debian's LibTorch brings
// Protocol Buffers, and its SentencePiece another version of the same symbols. LibTorch 1.13 wants
// C++17, so this header keeps to that.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace edgebert::train {

struct FloatArray {
  std::vector<int64_t> shape;
  std::vector<float> values;  ///< row-major
};
using TensorMap = std::map<std::string, FloatArray>;

struct Shape {
  int layers = 0;
  int groups = 1;  ///< sets of weights; divides layers
  int inner = 1;   ///< encoder layers in one group
  int heads = 0;
  int off_ramps = 1;  ///< 1, shared, or one a layer
  bool pooler = false;
  std::string activation;  ///< gelu, gelu_new, relu
  double layer_norm_eps = 0;
  double span_ramp = 0;  ///< R; 0: no spans
};

/// What stays the same for a whole run.
struct Recipe {
  double weight_decay = 0;
  double clip = 1;  ///< largest norm of the gradient
  double dropout = 0;
  double label_smoothing = 0;
  bool freeze_embeddings = false;
  double span_penalty = 0;
  std::string prune_method = "none";  ///< none, magnitude, movement, block
  int prune_block = 16;
  bool every_layer = false;  ///< the loss is that of all layers, weighted by their numbers
  bool keep_zeros = false;   ///< zeros of the initial encoder and words stay
  double distil_alpha = 0;
  double distil_temperature = 1;
  std::string format_kind = "adaptivfloat";  ///< adaptivfloat, minifloat, integer
  int code_bits = 8;
  int exponent_bits = 3;
  bool round_activations = false;  ///< with the weights: what enters a matrix product
  uint64_t seed = 0;
};

/// What changes from step to step.
struct Moment {
  int64_t step = 0;  ///< from 0
  int depth = 0;     ///< layers to run
  double learning_rate = 0;
  double span_learning_rate = 0;  ///< 0: spans are fixed
  double score_learning_rate = 0;
  double sparsity = 0;  ///< of the encoder
  double embedding_sparsity = 0;
  bool masks_fixed = false;  ///< keep the masks of the last step
};

/// Sentences padded to the length of the longest.
struct Batch {
  int sentences = 0;
  int length = 0;
  std::vector<int64_t> ids;    ///< [sentences, length]
  std::vector<int64_t> types;  ///< [sentences, length]
  std::vector<int64_t> lengths;
  std::vector<int64_t> labels;
  std::vector<float> teacher;  ///< logits [sentences, labels]; empty: no teacher
};

struct StepReport {
  bool finite = true;  ///< else the loss or a gradient was not, and nothing was changed
  double loss = 0;     ///< all of it
  int correct = 0;     ///< sentences, before the step
};

/// Called after each epoch of the off-ramps with its mean loss.
using EpochReport = std::function<void(int epoch, double loss)>;

class Network {
 public:
  Network() = default;
  virtual ~Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// One step of AdamW. Trains everything but the off-ramps of inner layers.
  virtual StepReport Step(const Batch& batch, const Moment& moment) = 0;
  /// The first half of a step: gradients, not clipped.
  virtual StepReport Backward(const Batch& batch, const Moment& moment) = 0;
  /// Of the tensor at the last Backward; empty when it has none. "scores.NAME": of its scores.
  [[nodiscard]] virtual std::vector<float> Gradient(const std::string& name) const = 0;

  /// Heads that reach fewer tokens than `off_reach`, and at least `least` heads, see nothing
  /// from now on.
  virtual void SwitchHeadsOff(double off_reach, int least) = 0;

  /// Whether matrices and tables, and with `round_activations` what they are multiplied with, are
  /// rounded to the format as they are used; their gradients pass straight through.
  virtual void RoundWeights(bool on) = 0;

  /// Logits [sentences, labels] after `depth` layers, by the off-ramp that Step trains.
  [[nodiscard]] virtual std::vector<float> Logits(const Batch& batch, int depth) const = 0;
  /// The same after each layer, by its own off-ramp.
  [[nodiscard]] virtual std::vector<std::vector<float>> LayerLogits(const Batch& batch) const = 0;

  /// Copies the trained off-ramp to the other layers and trains those (a shared one: for all
  /// layers); nothing else changes.
  virtual void TrainOffRamps(const std::vector<Batch>& batches, int epochs, double learning_rate,
                             const EpochReport& report) = 0;

  /// The tensors of the checkpoint, pruned.
  [[nodiscard]] virtual TensorMap Export() const = 0;
  /// Zeros in the pruned matrices of the encoder, and in the word embeddings, of 1.
  [[nodiscard]] virtual double EncoderSparsity() const = 0;
  [[nodiscard]] virtual double EmbeddingSparsity() const = 0;
  /// Spans z, one a head; empty: none.
  [[nodiscard]] virtual std::vector<float> Spans() const = 0;

  /// Everything that the next step depends on.
  [[nodiscard]] virtual TensorMap State() const = 0;
  /// `state` is that of a network of the same shape and recipe.
  virtual void SetState(const TensorMap& state) = 0;

  /// Whether matrix products are fast: OpenBLAS is about 17 times faster than the reference BLAS.
  [[nodiscard]] virtual bool HasOpenBlas() const = 0;
};

/// `weights` are all tensors of a checkpoint of this shape.
std::unique_ptr<Network> CreateNetwork(const Shape& shape, const TensorMap& weights,
                                       const Recipe& recipe);

}  // namespace edgebert::train
