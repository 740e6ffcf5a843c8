#include "golden/train/network.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>

#include "golden/base/check.h"

namespace edgebert::train {
namespace {

using torch::Tensor;

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kAdamEpsilon = 1e-8;
constexpr int64_t kOffRampBatch = 256;

const char kWords[] = "albert.embeddings.word_embeddings.weight";
const char kSpan[] = "edgebert.attention_span";

Tensor ToTensor(const FloatArray& array) {
  return torch::from_blob(const_cast<float*>(array.values.data()), array.shape).clone();
}

std::vector<float> Values(const Tensor& tensor) {
  const Tensor flat = tensor.detach().contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

FloatArray ToArray(const Tensor& tensor) { return {tensor.sizes().vec(), Values(tensor)}; }

Tensor ToLongs(const std::vector<int64_t>& values, torch::IntArrayRef shape) {
  return torch::from_blob(const_cast<int64_t*>(values.data()), shape, torch::kLong);
}

/// What AdamW keeps for a tensor.
struct Parameter {
  Tensor value;
  Tensor mean;    // of the gradient
  Tensor square;  // mean of its square

  explicit Parameter(Tensor initial)
      : value(std::move(initial)),
        mean(torch::zeros_like(value)),
        square(torch::zeros_like(value)) {
    value.set_requires_grad(true);
  }

  /// Loshchilov & Hutter 2019, algorithm 2, with the step counted from 1.
  void Update(double learning_rate, double decay, int64_t step) {
    const Tensor gradient = value.grad();
    if (!gradient.defined()) return;
    mean.mul_(kBeta1).add_(gradient, 1 - kBeta1);
    square.mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
    const double mean_scale = 1 - std::pow(kBeta1, static_cast<double>(step));
    const double square_scale = 1 - std::pow(kBeta2, static_cast<double>(step));
    const Tensor divisor = (square / square_scale).sqrt_().add_(kAdamEpsilon);
    if (decay > 0) value.mul_(1 - learning_rate * decay);
    value.addcdiv_(mean, divisor, -learning_rate / mean_scale);
  }
};

/// The matrices of one encoder layer that are ranked together when it is pruned.
struct PruneGroup {
  std::vector<std::string> names;
};

struct Linear {
  Tensor weight;
  Tensor bias;
  Tensor operator()(const Tensor& x) const { return torch::linear(x, weight, bias); }
};

struct EncoderLayer {
  Linear query_key_value;  // one product for all three
  Linear attention_output;
  Linear attention_norm;  // weight and bias of a LayerNorm
  Linear ffn;
  Linear ffn_output;
  Linear output_norm;
};

struct Impl {
  Impl(const Shape& model_shape, const TensorMap& weights, const Recipe& run_recipe)
      : shape(model_shape), recipe(run_recipe) {
    for (const auto& [name, array] : weights) parameters.emplace(name, ToTensor(array));
    for (int group = 0; group < shape.groups; ++group) {
      for (int inner = 0; inner < shape.inner; ++inner) {
        const std::string name = LayerName(group, inner);
        const auto weight = [&](const char* part) { return name + part + ".weight"; };
        prune_groups.push_back(
            {{weight(".attention.query"), weight(".attention.key"), weight(".attention.value")}});
        for (const char* part : {".attention.dense", ".ffn", ".ffn_output"}) {
          prune_groups.push_back({{weight(part)}});
        }
      }
    }
    if (recipe.keep_zeros) {
      masks[kWords] = Value(kWords).detach().ne(0).to(torch::kFloat);
      for (const PruneGroup& group : prune_groups) {
        for (const std::string& name : group.names) {
          masks[name] = Value(name).detach().ne(0).to(torch::kFloat);
        }
      }
    }
    if (recipe.freeze_embeddings) {
      for (auto& [name, parameter] : parameters) {
        if (IsEmbedding(name)) parameter.value.set_requires_grad(false);
      }
    }
  }

  static std::string LayerName(int group, int inner) {
    return fmt::format("albert.encoder.albert_layer_groups.{}.albert_layers.{}", group, inner);
  }
  static bool IsEmbedding(const std::string& name) {
    return name.rfind("albert.embeddings.", 0) == 0 && name.find("LayerNorm") == name.npos;
  }
  static bool IsOffRamp(const std::string& name) {
    return name.rfind("edgebert.off_ramps.", 0) == 0;
  }

  const Tensor& Value(const std::string& name) const {
    const auto found = parameters.find(name);
    EB_CHECK(found != parameters.end(), "no tensor '{}'", name);
    return found->second.value;
  }

  /// A matrix as it is used: rounded, with the gradient of one that is not (Bengio et al. 2013).
  Tensor Used(const Tensor& weight) const {
    return round_weights ? weight + (Rounded(weight.detach()) - weight.detach()) : weight;
  }

  /// Activations as they enter a matrix product.
  Tensor Operand(const Tensor& x) const { return recipe.round_activations ? Used(x) : x; }

  /// The nearest values of a format: AdaptivFloat (docs/numerics.md, section 2), or one to compare
  /// it with. `minifloat` is a small IEEE float: bias fixed, denormals, but no infinities;
  /// `integer` is symmetric and has one scale a tensor.
  Tensor Rounded(const Tensor& weight) const {
    const Tensor size = weight.abs();
    const auto largest = size.max().item<double>();
    if (largest == 0) return weight;
    if (recipe.format_kind == "integer") {
      const double scale = largest / ((1 << (recipe.code_bits - 1)) - 1);
      return torch::round(weight / scale) * scale;
    }
    const int mantissa_bits = recipe.code_bits - 1 - recipe.exponent_bits;
    const int exponents = 1 << recipe.exponent_bits;
    const double ulp = std::ldexp(1.0, -mantissa_bits);
    // Of each element: its power of two.
    const Tensor power = torch::ldexp(torch::ones({}), std::get<1>(torch::frexp(size)) - 1);
    const auto nearest = [&](const Tensor& unit) { return torch::round(size / unit) * unit; };
    if (recipe.format_kind == "minifloat") {
      const int bias = exponents / 2 - 1;
      const double greatest = std::ldexp(2 - ulp, exponents - 1 - bias);
      return nearest(power.clamp_min(std::ldexp(1.0, 1 - bias)) * ulp).clamp_max(greatest) *
             weight.sign();
    }
    const int top = std::ilogb(largest);
    const int bias = top - (exponents - 1);
    const double smallest = std::ldexp(1 + ulp, bias);  // codes
    const double greatest = std::ldexp(2 - ulp, top);
    return nearest(power * ulp).clamp(smallest, greatest) * size.ge(smallest / 2) * weight.sign();
  }

  /// A matrix of the encoder without what is pruned.
  Tensor Pruned(const std::string& name) const {
    const Tensor& weight = Value(name);
    const auto mask = masks.find(name);
    if (mask == masks.end()) return weight;
    Tensor pruned = weight * mask->second;
    const auto score = scores.find(name);
    if (score == scores.end() || !score->second.value.requires_grad()) return pruned;
    // Movement pruning (Sanh et al. 2020): the gradient reaches a score as if the mask were it.
    const Tensor& s = score->second.value;
    return pruned + weight.detach() * Expand(s - s.detach(), weight);
  }

  /// Scores of blocks to scores of weights.
  Tensor Expand(const Tensor& score, const Tensor& weight) const {
    if (score.sizes() == weight.sizes()) return score;
    return score.repeat_interleave(recipe.prune_block, 0)
        .narrow(0, 0, weight.size(0))
        .repeat_interleave(recipe.prune_block, 1)
        .narrow(1, 0, weight.size(1));
  }

  Linear Norm(const std::string& name) const {
    return {Value(name + ".weight"), Value(name + ".bias")};
  }
  Linear Matrix(const std::string& name) const {
    return {Used(Pruned(name + ".weight")), Value(name + ".bias")};
  }

  EncoderLayer Layer(int group, int inner) const {
    const std::string name = LayerName(group, inner);
    const std::string attention = name + ".attention";
    const Linear q = Matrix(attention + ".query");
    const Linear k = Matrix(attention + ".key");
    const Linear v = Matrix(attention + ".value");
    return {{torch::cat({q.weight, k.weight, v.weight}), torch::cat({q.bias, k.bias, v.bias})},
            Matrix(attention + ".dense"),
            Norm(attention + ".LayerNorm"),
            Matrix(name + ".ffn"),
            Matrix(name + ".ffn_output"),
            Norm(name + ".full_layer_layer_norm")};
  }

  Tensor Normalise(const Tensor& x, const Linear& norm) const {
    return torch::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias, shape.layer_norm_eps);
  }

  Tensor Drop(const Tensor& x, bool training) const {
    return training && recipe.dropout > 0 ? torch::dropout(x, recipe.dropout, true) : x;
  }

  Tensor Activate(const Tensor& x) const {
    if (shape.activation == "relu") return torch::relu(x);
    return torch::gelu(x, shape.activation == "gelu_new" ? "tanh" : "none");
  }

  /// m of each head, query and key (Sukhbaatar et al. 2019), by distance.
  Tensor SpanMask(int64_t length) const {
    const Tensor positions = torch::arange(length, torch::kFloat);
    const Tensor distance = (positions.unsqueeze(0) - positions.unsqueeze(1)).abs();
    const Tensor span = Value(kSpan).view({-1, 1, 1});
    const Tensor mask = (shape.span_ramp + span - distance) / shape.span_ramp;
    // clamp() passes gradients at its ends; a head that is off rests at one of them.
    return mask.clamp(0, 1) * mask.gt(0);
  }

  /// Hidden states [sentences, length, hidden] after each of `depth` layers.
  std::vector<Tensor> Forward(const Batch& batch, int depth, bool training) const {
    const int64_t sentences = batch.sentences;
    const int64_t length = batch.length;
    const Tensor ids = ToLongs(batch.ids, {sentences, length});
    const Tensor types = ToLongs(batch.types, {sentences, length});
    const Tensor lengths = ToLongs(batch.lengths, {sentences, 1});
    const Tensor padding =
        (torch::arange(length).unsqueeze(0) >= lengths).view({sentences, 1, 1, length});

    Tensor words = Value(kWords);
    if (const auto mask = masks.find(kWords); mask != masks.end()) words = words * mask->second;
    const Tensor sum =
        torch::embedding(Used(words), ids) +
        Used(Value("albert.embeddings.position_embeddings.weight")).narrow(0, 0, length) +
        torch::embedding(Used(Value("albert.embeddings.token_type_embeddings.weight")), types);
    const std::string mapping = "albert.encoder.embedding_hidden_mapping_in";
    const Linear projection = {Used(Value(mapping + ".weight")), Value(mapping + ".bias")};
    Tensor x =
        Drop(projection(Operand(Normalise(sum, Norm("albert.embeddings.LayerNorm")))), training);

    Tensor mask;
    if (shape.span_ramp > 0) mask = SpanMask(length);
    std::vector<std::vector<EncoderLayer>> groups(size_t(shape.groups));
    for (int group = 0; group < shape.groups; ++group) {
      for (int inner = 0; inner < shape.inner; ++inner) {
        groups[size_t(group)].push_back(Layer(group, inner));
      }
    }
    std::vector<Tensor> outputs;
    for (int layer = 0; layer < depth; ++layer) {
      const int group = layer / (shape.layers / shape.groups);
      for (const EncoderLayer& weights : groups[size_t(group)]) {
        x = Encode(weights, x, padding, mask, training);
      }
      outputs.push_back(x);
    }
    return outputs;
  }

  Tensor Encode(const EncoderLayer& layer, const Tensor& x, const Tensor& padding,
                const Tensor& mask, bool training) const {
    const int64_t sentences = x.size(0);
    const int64_t length = x.size(1);
    const int64_t hidden = x.size(2);
    const int64_t head_size = hidden / shape.heads;
    // [3, sentences, heads, length, head size]
    const Tensor qkv = layer.query_key_value(Operand(x))
                           .view({sentences, length, 3, shape.heads, head_size})
                           .permute({2, 0, 3, 1, 4});
    const Tensor products = torch::matmul(Operand(qkv[0]), Operand(qkv[1]).transpose(-1, -2)) *
                            (1 / std::sqrt(static_cast<double>(head_size)));
    Tensor attention =
        torch::softmax(products.masked_fill(padding, -std::numeric_limits<float>::infinity()), -1);
    if (mask.defined()) {
      attention = attention * mask;
      // A head that is off sees nothing: 0 / tiny.
      attention = attention / attention.sum(-1, true).clamp_min(1e-12);
    }
    const Tensor context = torch::matmul(Operand(attention), Operand(qkv[2]))
                               .transpose(1, 2)
                               .reshape({sentences, length, hidden});
    const Tensor first = Normalise(x + Drop(layer.attention_output(Operand(context)), training),
                                   layer.attention_norm);
    const Tensor inner = Operand(Activate(layer.ffn(Operand(first))));
    return Normalise(first + Drop(layer.ffn_output(inner), training), layer.output_norm);
  }

  /// Logits from token 0 of `x`, [rows, hidden].
  Tensor LeaveBy(int ramp, Tensor x) const {
    const std::string name = fmt::format("edgebert.off_ramps.{}", ramp);
    if (shape.pooler) {
      x = torch::tanh(torch::linear(Operand(x), Used(Value(name + ".pooler.weight")),
                                    Value(name + ".pooler.bias")));
    }
    return torch::linear(Operand(x), Used(Value(name + ".classifier.weight")),
                         Value(name + ".classifier.bias"));
  }

  int MainRamp() const { return shape.off_ramps - 1; }

  /// Cross-entropy with the labels, and with the teacher (Hinton et al. 2015).
  Tensor Loss(const Tensor& logits, const Batch& batch) const {
    const Tensor labels = ToLongs(batch.labels, {batch.sentences});
    Tensor loss = torch::nn::functional::cross_entropy(
        logits, labels,
        torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(recipe.label_smoothing));
    if (!batch.teacher.empty()) {
      const double temperature = recipe.distil_temperature;
      const Tensor teacher = torch::from_blob(const_cast<float*>(batch.teacher.data()),
                                              {batch.sentences, logits.size(1)});
      const Tensor wanted = torch::log_softmax(teacher / temperature, -1);
      const Tensor got = torch::log_softmax(logits / temperature, -1);
      const Tensor divergence = (wanted.exp() * (wanted - got)).sum(-1).mean();
      loss = (1 - recipe.distil_alpha) * loss +
             recipe.distil_alpha * temperature * temperature * divergence;
    }
    return loss;
  }

  /// The size of each weight or, with block pruning, of each block, over that of the matrix.
  Tensor Magnitudes(const Tensor& weight) const {
    const Tensor w = weight.detach();
    const Tensor rms = w.square().mean().sqrt().clamp_min(1e-12);
    if (recipe.prune_method != "block") return w.abs() / rms;
    const int64_t block = recipe.prune_block;
    const int64_t rows = (w.size(0) + block - 1) / block;
    const int64_t columns = (w.size(1) + block - 1) / block;
    const Tensor padded = torch::constant_pad_nd(
        w.square(), {0, columns * block - w.size(1), 0, rows * block - w.size(0)});
    return padded.view({rows, block, columns, block}).mean({1, 3}).sqrt() / rms;
  }

  /// Removes the lowest `sparsity` of `values`.
  static std::vector<Tensor> TopMasks(const std::vector<Tensor>& values, double sparsity) {
    std::vector<Tensor> flat;
    for (const Tensor& value : values) flat.push_back(value.reshape({-1}));
    const Tensor all = torch::cat(flat);
    const auto removed =
        static_cast<int64_t>(std::lround(sparsity * static_cast<double>(all.numel())));
    std::vector<Tensor> result;
    for (const Tensor& value : values) {
      result.push_back(
          removed == 0 ? torch::ones_like(value)
                       : (value > std::get<0>(torch::kthvalue(all, removed))).to(torch::kFloat));
    }
    return result;
  }

  void UpdateMasks(const Moment& moment) {
    const torch::NoGradGuard no_gradient;
    if (moment.masks_fixed) {
      for (auto& [name, score] : scores) score.value.set_requires_grad(false);
      return;
    }
    if (moment.embedding_sparsity > 0) {
      masks[kWords] = TopMasks({Value(kWords).detach().abs()}, moment.embedding_sparsity)[0];
    }
    if (moment.sparsity == 0) return;
    const bool learnt = recipe.prune_method != "magnitude";
    for (const PruneGroup& group : prune_groups) {
      std::vector<Tensor> values;
      for (const std::string& name : group.names) {
        if (learnt && scores.count(name) == 0) scores.emplace(name, Magnitudes(Value(name)));
        values.push_back(learnt ? scores.at(name).value.detach() : Magnitudes(Value(name)));
      }
      const std::vector<Tensor> kept = TopMasks(values, moment.sparsity);
      for (size_t i = 0; i < kept.size(); ++i) {
        masks[group.names[i]] = Expand(kept[i], Value(group.names[i])).contiguous();
      }
    }
  }

  /// Calls `visit(parameter, learning rate, decay, is_weight)` for what a step trains: weights,
  /// spans and scores.
  template <typename Visit>
  void EachTrained(const Moment& moment, const Visit& visit) {
    const std::string main_ramp = fmt::format("edgebert.off_ramps.{}.", MainRamp());
    for (auto& [name, parameter] : parameters) {
      if (IsOffRamp(name) && name.rfind(main_ramp, 0) != 0) continue;
      if (name == kSpan) {
        if (moment.span_learning_rate > 0) visit(parameter, moment.span_learning_rate, 0.0, false);
        continue;
      }
      const bool matrix = parameter.value.dim() == 2;
      visit(parameter, moment.learning_rate, matrix ? recipe.weight_decay : 0.0, true);
    }
    for (auto& [name, score] : scores) visit(score, moment.score_learning_rate, 0.0, false);
  }

  StepReport Backward(const Batch& batch, const Moment& moment) {
    UpdateMasks(moment);
    if (recipe.dropout > 0) {
      torch::manual_seed(recipe.seed * 0x9e3779b97f4a7c15U + static_cast<uint64_t>(moment.step));
    }
    for (auto* table : {&parameters, &scores}) {
      for (auto& [name, parameter] : *table) parameter.value.mutable_grad().reset();
    }
    const std::vector<Tensor> hidden = Forward(batch, moment.depth, true);
    const Tensor logits = LeaveBy(MainRamp(), hidden.back().select(1, 0));
    Tensor loss = Loss(logits, batch);
    if (recipe.every_layer) {
      // Zhou et al. 2020, PABEE, with one classifier.
      const auto depth = static_cast<int64_t>(hidden.size());
      loss = loss * depth;
      for (int64_t layer = 1; layer < depth; ++layer) {
        const Tensor& x = hidden[size_t(layer - 1)];
        loss = loss + layer * Loss(LeaveBy(MainRamp(), x.select(1, 0)), batch);
      }
      loss = loss / (depth * (depth + 1) / 2);
    }
    if (shape.span_ramp > 0 && moment.span_learning_rate > 0 && recipe.span_penalty > 0) {
      loss = loss + recipe.span_penalty * (Value(kSpan) + shape.span_ramp).mean();
    }
    loss.backward();
    StepReport report;
    report.loss = loss.item<double>();
    const Tensor labels = ToLongs(batch.labels, {batch.sentences});
    report.correct = static_cast<int>(logits.argmax(-1).eq(labels).sum().item<int64_t>());
    report.finite = std::isfinite(report.loss);
    return report;
  }

  StepReport Step(const Batch& batch, const Moment& moment) {
    StepReport report = Backward(batch, moment);
    const torch::NoGradGuard no_gradient;
    double squares = 0;  // of the weights; spans and scores have their own scales
    double others = 0;
    EachTrained(moment, [&](Parameter& parameter, double, double, bool is_weight) {
      const Tensor gradient = parameter.value.grad();
      if (!gradient.defined()) return;
      (is_weight ? squares : others) += gradient.square().sum().item<double>();
    });
    report.finite = report.finite && std::isfinite(squares + others);
    if (!report.finite) return report;
    const double norm = std::sqrt(squares);
    const double scale = norm > recipe.clip ? recipe.clip / norm : 1.0;
    EachTrained(moment, [&](Parameter& parameter, double rate, double decay, bool is_weight) {
      Tensor& gradient = parameter.value.mutable_grad();
      if (is_weight && scale < 1 && gradient.defined()) gradient.mul_(scale);
      parameter.Update(rate, decay, moment.step + 1);
    });
    if (shape.span_ramp > 0) {
      Value(kSpan).clamp_(
          -shape.span_ramp,
          static_cast<double>(Value("albert.embeddings.position_embeddings.weight").size(0)));
    }
    return report;
  }

  Shape shape;
  Recipe recipe;
  bool round_weights = false;
  std::map<std::string, Parameter> parameters;
  std::map<std::string, Parameter> scores;  // of movement pruning
  std::map<std::string, Tensor> masks;      // 1: kept
  std::vector<PruneGroup> prune_groups;
};

/// The number of threads of the BLAS that LibTorch calls can only be set through itself.
bool UseOneThread() {
  torch::set_num_threads(1);
  using SetThreads = void (*)(int);
  const auto set = reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  if (set == nullptr) return false;
  set(1);
  return true;
}

class TorchNetwork final : public Network {
 public:
  TorchNetwork(const Shape& shape, const TensorMap& weights, const Recipe& recipe)
      : has_open_blas_(UseOneThread()), impl_(shape, weights, recipe) {}

  StepReport Step(const Batch& batch, const Moment& moment) override;
  StepReport Backward(const Batch& batch, const Moment& moment) override;
  std::vector<float> Gradient(const std::string& name) const override;
  void SwitchHeadsOff(double off_reach, int least) override;
  void RoundWeights(bool on) override { impl_.round_weights = on; }
  std::vector<float> Logits(const Batch& batch, int depth) const override;
  std::vector<std::vector<float>> LayerLogits(const Batch& batch) const override;
  void TrainOffRamps(const std::vector<Batch>& batches, int epochs, double learning_rate,
                     const EpochReport& report) override;
  TensorMap Export() const override;
  double EncoderSparsity() const override;
  double EmbeddingSparsity() const override;
  std::vector<float> Spans() const override;
  TensorMap State() const override;
  void SetState(const TensorMap& state) override;
  bool HasOpenBlas() const override;

 private:
  bool has_open_blas_;
  Impl impl_;
};

StepReport TorchNetwork::Step(const Batch& batch, const Moment& moment) {
  return impl_.Step(batch, moment);
}

StepReport TorchNetwork::Backward(const Batch& batch, const Moment& moment) {
  return impl_.Backward(batch, moment);
}

std::vector<float> TorchNetwork::Gradient(const std::string& name) const {
  const bool score = name.rfind("scores.", 0) == 0;
  const auto& table = score ? impl_.scores : impl_.parameters;
  const Tensor gradient = table.at(score ? name.substr(7) : name).value.grad();
  return gradient.defined() ? Values(gradient) : std::vector<float>();
}

void TorchNetwork::SwitchHeadsOff(double off_reach, int least) {
  if (impl_.shape.span_ramp == 0) return;
  const torch::NoGradGuard no_gradient;
  Tensor span = impl_.Value(kSpan);
  const Tensor order = span.argsort();
  for (int64_t i = 0; i < order.size(0); ++i) {
    const auto head = order[i].item<int64_t>();
    const double reach = span[head].item<double>() + impl_.shape.span_ramp;
    // One head stays: without any, no token would see another.
    if ((reach < off_reach || i < least) && i + 1 < order.size(0)) {
      span[head] = -impl_.shape.span_ramp;
    }
  }
}

std::vector<float> TorchNetwork::Logits(const Batch& batch, int depth) const {
  const torch::NoGradGuard no_gradient;
  const std::vector<Tensor> hidden = impl_.Forward(batch, depth, false);
  return Values(impl_.LeaveBy(impl_.MainRamp(), hidden.back().select(1, 0)));
}

std::vector<std::vector<float>> TorchNetwork::LayerLogits(const Batch& batch) const {
  const torch::NoGradGuard no_gradient;
  const std::vector<Tensor> hidden = impl_.Forward(batch, impl_.shape.layers, false);
  std::vector<std::vector<float>> logits;
  for (size_t layer = 0; layer < hidden.size(); ++layer) {
    const int ramp = impl_.shape.off_ramps == 1 ? 0 : static_cast<int>(layer);
    logits.push_back(Values(impl_.LeaveBy(ramp, hidden[layer].select(1, 0))));
  }
  return logits;
}

void TorchNetwork::TrainOffRamps(const std::vector<Batch>& batches, int epochs,
                                 double learning_rate, const EpochReport& report) {
  const Impl& network = impl_;
  const int layers = network.shape.layers;
  const bool shared = network.shape.off_ramps == 1;
  const int trained = shared ? layers : layers - 1;  // the last one is trained already
  // What the frozen encoder says, once.
  std::vector<std::vector<Tensor>> rows(static_cast<size_t>(layers));
  std::vector<int64_t> label_values;
  {
    const torch::NoGradGuard no_gradient;
    for (const Batch& batch : batches) {
      const std::vector<Tensor> hidden = network.Forward(batch, layers, false);
      for (size_t layer = 0; layer < hidden.size(); ++layer) {
        rows[layer].push_back(hidden[layer].select(1, 0).clone());
      }
      label_values.insert(label_values.end(), batch.labels.begin(), batch.labels.end());
    }
  }
  std::vector<Tensor> features;
  for (const std::vector<Tensor>& layer : rows) features.push_back(torch::cat(layer));
  const auto sentences = static_cast<int64_t>(label_values.size());
  const Tensor labels = ToLongs(label_values, {sentences});

  std::vector<Parameter*> parameters;
  const std::string main = fmt::format("edgebert.off_ramps.{}.", network.MainRamp());
  for (auto& [name, parameter] : impl_.parameters) {
    if (!Impl::IsOffRamp(name)) continue;
    const std::string part = name.substr(name.rfind('.', name.rfind('.') - 1) + 1);
    if (shared || name.rfind(main, 0) != 0) {
      parameter = Parameter(network.Value(main + part).detach().clone());
      parameters.push_back(&parameter);
    }
  }
  std::vector<int64_t> order(label_values.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  std::mt19937_64 random(network.recipe.seed);
  const int64_t steps = (sentences + kOffRampBatch - 1) / kOffRampBatch;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random() % i]);
    double sum = 0;
    for (int64_t step = 0; step < steps; ++step) {
      const int64_t begin = step * kOffRampBatch;
      const int64_t count = std::min(kOffRampBatch, sentences - begin);
      const std::vector<int64_t> picked(order.begin() + begin, order.begin() + begin + count);
      const Tensor index = ToLongs(picked, {count});
      for (Parameter* parameter : parameters) parameter->value.mutable_grad().reset();
      // The sum over the layers (Xin et al. 2020, DeeBERT, section 3.3).
      Tensor loss = torch::zeros({});
      for (int layer = 0; layer < trained; ++layer) {
        const Tensor logits =
            network.LeaveBy(shared ? 0 : layer, features[size_t(layer)].index_select(0, index));
        loss = loss + torch::nn::functional::cross_entropy(logits, labels.index_select(0, index));
      }
      if (trained == 0) continue;
      loss.backward();
      sum += loss.item<double>() * static_cast<double>(count);
      const torch::NoGradGuard no_gradient;
      const double done =
          static_cast<double>(epoch * steps + step) / static_cast<double>(epochs * steps);
      for (Parameter* parameter : parameters) {
        parameter->Update(learning_rate * (1 - done), 0, epoch * steps + step + 1);
      }
    }
    report(epoch, sum / static_cast<double>(sentences) / std::max(1, trained));
  }
}

TensorMap TorchNetwork::Export() const {
  const torch::NoGradGuard no_gradient;
  TensorMap tensors;
  for (const auto& [name, parameter] : impl_.parameters) {
    const auto mask = impl_.masks.find(name);
    tensors[name] =
        ToArray(mask == impl_.masks.end() ? parameter.value : parameter.value * mask->second);
  }
  return tensors;
}

double TorchNetwork::EncoderSparsity() const {
  const torch::NoGradGuard no_gradient;
  double zeros = 0;
  double all = 0;
  for (const PruneGroup& group : impl_.prune_groups) {
    for (const std::string& name : group.names) {
      const Tensor weight = impl_.Pruned(name);
      zeros += weight.eq(0).sum().item<double>();
      all += static_cast<double>(weight.numel());
    }
  }
  return zeros / all;
}

double TorchNetwork::EmbeddingSparsity() const {
  const torch::NoGradGuard no_gradient;
  Tensor words = impl_.Value(kWords);
  if (const auto mask = impl_.masks.find(kWords); mask != impl_.masks.end()) {
    words = words * mask->second;
  }
  return words.eq(0).sum().item<double>() / static_cast<double>(words.numel());
}

std::vector<float> TorchNetwork::Spans() const {
  return impl_.shape.span_ramp > 0 ? Values(impl_.Value(kSpan)) : std::vector<float>();
}

TensorMap TorchNetwork::State() const {
  TensorMap state;
  const auto add = [&](const std::string& prefix, const std::map<std::string, Parameter>& table) {
    for (const auto& [name, parameter] : table) {
      state[prefix + "value." + name] = ToArray(parameter.value);
      state[prefix + "mean." + name] = ToArray(parameter.mean);
      state[prefix + "square." + name] = ToArray(parameter.square);
    }
  };
  add("", impl_.parameters);
  add("score.", impl_.scores);
  for (const auto& [name, mask] : impl_.masks) state["mask." + name] = ToArray(mask);
  return state;
}

void TorchNetwork::SetState(const TensorMap& state) {
  const torch::NoGradGuard no_gradient;
  const auto take = [&](const std::string& prefix, const std::string& name, Parameter* parameter) {
    parameter->value.copy_(ToTensor(state.at(prefix + "value." + name)));
    parameter->mean.copy_(ToTensor(state.at(prefix + "mean." + name)));
    parameter->square.copy_(ToTensor(state.at(prefix + "square." + name)));
  };
  for (auto& [name, parameter] : impl_.parameters) take("", name, &parameter);
  const std::string score = "score.value.";
  const std::string mask = "mask.";
  for (const auto& [key, array] : state) {
    if (key.rfind(score, 0) == 0) {
      const std::string name = key.substr(score.size());
      take("score.", name, &impl_.scores.emplace(name, ToTensor(array)).first->second);
    } else if (key.rfind(mask, 0) == 0) {
      impl_.masks[key.substr(mask.size())] = ToTensor(array);
    }
  }
}

bool TorchNetwork::HasOpenBlas() const { return has_open_blas_; }

}  // namespace
}  // namespace edgebert::train

/// The one symbol of the library (network_library.cc).
extern "C" edgebert::train::Network* EbCreateNetwork(const edgebert::train::Shape& shape,
                                                     const edgebert::train::TensorMap& weights,
                                                     const edgebert::train::Recipe& recipe) {
  return new edgebert::train::TorchNetwork(shape, weights, recipe);
}
