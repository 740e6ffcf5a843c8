#include "golden/reference/albert.h"

#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "golden/base/check.h"
#include "golden/reference/functions.h"

namespace edgebert::reference {
namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using checkpoint::ModelConfig;

RowMatrix ToMatrix(const checkpoint::Matrix& matrix) {
  using FloatMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const FloatMatrix>(matrix.values.data(), matrix.rows, matrix.columns)
      .cast<double>();
}

std::vector<double> ToDoubles(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

std::span<double> Row(RowMatrix& x, Eigen::Index row) {
  return {x.data() + row * x.cols(), static_cast<size_t>(x.cols())};
}

/// y = x W^T + b for every row of x.
struct Linear {
  explicit Linear(const checkpoint::LinearWeights& weights)
      : weight(ToMatrix(weights.weight)),
        bias(Eigen::Map<const Eigen::RowVectorXf>(weights.bias.data(),
                                                  static_cast<Eigen::Index>(weights.bias.size()))
                 .cast<double>()) {}

  RowMatrix operator()(const RowMatrix& x) const {
    RowMatrix y = x * weight.transpose();
    y.rowwise() += bias;
    return y;
  }

  RowMatrix weight;
  Eigen::RowVectorXd bias;
};

struct Norm {
  Norm(const checkpoint::LayerNormWeights& weights, double eps)
      : gamma(ToDoubles(weights.gamma)), beta(ToDoubles(weights.beta)), epsilon(eps) {}

  RowMatrix operator()(RowMatrix x) const {
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      std::ranges::copy(LayerNorm(Row(x, i), gamma, beta, epsilon), Row(x, i).begin());
    }
    return x;
  }

  std::vector<double> gamma;
  std::vector<double> beta;
  double epsilon;
};

struct EncoderLayer {
  EncoderLayer(const checkpoint::LayerWeights& weights, double epsilon)
      : query(weights.query),
        key(weights.key),
        value(weights.value),
        attention_output(weights.attention_output),
        attention_norm(weights.attention_norm, epsilon),
        ffn(weights.ffn),
        ffn_output(weights.ffn_output),
        output_norm(weights.output_norm, epsilon) {}

  Linear query, key, value, attention_output;
  Norm attention_norm;
  Linear ffn, ffn_output;
  Norm output_norm;
};

struct OffRamp {
  explicit OffRamp(const checkpoint::OffRampWeights& weights) : classifier(weights.classifier) {
    if (weights.pooler) pooler.emplace(*weights.pooler);
  }

  std::optional<Linear> pooler;
  Linear classifier;
};

/// Collects tensors and rounds operands when asked to.
class Recorder {
 public:
  Recorder(const ForwardOptions& options, std::vector<NamedTensor>* tensors)
      : options_(options), tensors_(tensors) {}

  [[nodiscard]] RowMatrix Operand(const RowMatrix& x) const {
    return options_.operand ? RowMatrix(x.unaryExpr(options_.operand)) : x;
  }

  void operator()(const std::string& name, const RowMatrix& x) {
    if (!options_.keep_tensors) return;
    tensors_->push_back({name, static_cast<int>(x.rows()), static_cast<int>(x.cols()),
                         std::vector<double>(x.data(), x.data() + x.size())});
  }

 private:
  const ForwardOptions& options_;
  std::vector<NamedTensor>* tensors_;
};

}  // namespace

struct Albert::State {
  explicit State(const checkpoint::Model& model)
      : config(model.config),
        word_embeddings(model.weights.word_embeddings),
        position_embeddings(model.weights.position_embeddings),
        type_embeddings(model.weights.type_embeddings),
        embedding_norm(model.weights.embedding_norm, model.config.layer_norm_eps),
        embedding_projection(model.weights.embedding_projection),
        attention_span(ToDoubles(model.weights.attention_span)) {
    for (const auto& group : model.weights.groups) {
      auto& layers = groups.emplace_back();
      for (const auto& layer : group) layers.emplace_back(layer, config.layer_norm_eps);
    }
    for (const auto& ramp : model.weights.off_ramps) off_ramps.emplace_back(ramp);
  }

  /// Section 3.1 of ALBERT: small embeddings, summed and normalised, then projected.
  RowMatrix Embed(std::span<const int> ids, std::span<const int> types, Recorder& record) const;

  /// The context of all heads: attention of every token to the tokens inside the head's span.
  RowMatrix Attend(const RowMatrix& query, const RowMatrix& key, const RowMatrix& value,
                   const std::string& name, Recorder& record) const;

  RowMatrix Encode(const EncoderLayer& layer, const RowMatrix& input, const std::string& name,
                   Recorder& record) const;

  LayerResult LeaveBy(const OffRamp& ramp, const RowMatrix& hidden, const std::string& name,
                      Recorder& record) const;

  ModelConfig config;
  checkpoint::Matrix word_embeddings;
  checkpoint::Matrix position_embeddings;
  checkpoint::Matrix type_embeddings;
  Norm embedding_norm;
  Linear embedding_projection;
  std::vector<std::vector<EncoderLayer>> groups;
  std::vector<double> attention_span;
  std::vector<OffRamp> off_ramps;
};

RowMatrix Albert::State::Embed(std::span<const int> ids, std::span<const int> types,
                               Recorder& record) const {
  RowMatrix sum(static_cast<Eigen::Index>(ids.size()), config.embedding_size);
  for (int i = 0; i < static_cast<int>(ids.size()); ++i) {
    const auto word = word_embeddings.Row(ids[static_cast<size_t>(i)]);
    const auto position = position_embeddings.Row(i);
    const auto type = type_embeddings.Row(types[static_cast<size_t>(i)]);
    for (size_t e = 0; e < word.size(); ++e) {
      sum(i, static_cast<Eigen::Index>(e)) =
          double{word[e]} + double{position[e]} + double{type[e]};
    }
  }
  record("embedding.sum", sum);
  const RowMatrix norm = embedding_norm(sum);
  record("embedding.norm", norm);
  RowMatrix projection = embedding_projection(record.Operand(norm));
  record("embedding.projection", projection);
  return projection;
}

RowMatrix Albert::State::Attend(const RowMatrix& query, const RowMatrix& key,
                                const RowMatrix& value, const std::string& name,
                                Recorder& record) const {
  const Eigen::Index tokens = query.rows();
  const int head_size = config.HeadSize();
  RowMatrix context = RowMatrix::Zero(tokens, config.hidden_size);
  for (int head = 0; head < config.num_attention_heads; ++head) {
    // m of each distance; without a learnt span every key is fully visible.
    std::vector<double> mask(static_cast<size_t>(tokens), 1.0);
    if (!attention_span.empty()) {
      for (size_t distance = 0; distance < mask.size(); ++distance) {
        mask[distance] = SpanMask(attention_span[static_cast<size_t>(head)],
                                  config.attention_span_ramp, static_cast<double>(distance));
      }
    }
    if (mask[0] == 0) continue;  // the head is off: it contributes nothing

    const auto columns = Eigen::seqN(head * head_size, head_size);
    const RowMatrix scores = query(Eigen::all, columns) * key(Eigen::all, columns).transpose() /
                             std::sqrt(static_cast<double>(head_size));
    RowMatrix probabilities = scores;
    std::vector<double> row_mask(mask.size());
    for (Eigen::Index i = 0; i < tokens; ++i) {
      for (Eigen::Index j = 0; j < tokens; ++j) {
        row_mask[static_cast<size_t>(j)] = mask[static_cast<size_t>(std::abs(i - j))];
      }
      const std::span<double> row = Row(probabilities, i);
      std::ranges::copy(MaskedSoftmax(row, row_mask), row.begin());
    }
    context(Eigen::all, columns) = record.Operand(probabilities) * value(Eigen::all, columns);
    record(fmt::format("{}.head.{}.scores", name, head), scores);
    record(fmt::format("{}.head.{}.probabilities", name, head), probabilities);
  }
  return context;
}

RowMatrix Albert::State::Encode(const EncoderLayer& layer, const RowMatrix& input,
                                const std::string& name, Recorder& record) const {
  const RowMatrix operand = record.Operand(input);
  const RowMatrix query = layer.query(operand);
  record(name + ".query", query);
  const RowMatrix key = layer.key(operand);
  record(name + ".key", key);
  const RowMatrix value = layer.value(operand);
  record(name + ".value", value);
  const RowMatrix context =
      Attend(record.Operand(query), record.Operand(key), record.Operand(value), name, record);
  record(name + ".context", context);
  const RowMatrix attention = layer.attention_output(record.Operand(context));
  record(name + ".attention", attention);
  const RowMatrix attention_sum = input + attention;
  record(name + ".attention_sum", attention_sum);
  const RowMatrix attention_norm = layer.attention_norm(attention_sum);
  record(name + ".attention_norm", attention_norm);

  const RowMatrix ffn = layer.ffn(record.Operand(attention_norm)).unaryExpr([this](double x) {
    return Activate(config.hidden_act, x);
  });
  record(name + ".ffn", ffn);
  const RowMatrix ffn_output = layer.ffn_output(record.Operand(ffn));
  record(name + ".ffn_output", ffn_output);
  const RowMatrix output_sum = attention_norm + ffn_output;
  record(name + ".output_sum", output_sum);
  RowMatrix output_norm = layer.output_norm(output_sum);
  record(name + ".output_norm", output_norm);
  return output_norm;
}

LayerResult Albert::State::LeaveBy(const OffRamp& ramp, const RowMatrix& hidden,
                                   const std::string& name, Recorder& record) const {
  RowMatrix first = hidden.row(0);
  if (ramp.pooler) {
    first = (*ramp.pooler)(record.Operand(first)).array().tanh();
    record(name + ".pooled", first);
  }
  const RowMatrix logits = ramp.classifier(record.Operand(first));
  record(name + ".logits", logits);
  LayerResult result;
  result.logits.assign(logits.data(), logits.data() + logits.size());
  result.entropy = Entropy(result.logits);
  return result;
}

const NamedTensor& ForwardResult::Tensor(const std::string& name) const {
  const auto tensor = std::ranges::find(tensors, name, &NamedTensor::name);
  EB_CHECK(tensor != tensors.end(), "there is no tensor '{}'", name);
  return *tensor;
}

Albert::Albert(const checkpoint::Model& model) : state_(std::make_unique<State>(model)) {}
Albert::Albert(Albert&&) noexcept = default;
Albert& Albert::operator=(Albert&&) noexcept = default;
Albert::~Albert() = default;

ForwardResult Albert::Forward(std::span<const int> ids, std::span<const int> types,
                              const ForwardOptions& options) const {
  const ModelConfig& config = state_->config;
  EB_CHECK(!ids.empty() && ids.size() <= static_cast<size_t>(config.max_position_embeddings),
           "{} tokens, {} positions", ids.size(), config.max_position_embeddings);
  EB_CHECK(ids.size() == types.size(), "{} tokens, {} types", ids.size(), types.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    EB_CHECK(ids[i] >= 0 && ids[i] < config.vocab_size, "token {} of {}", ids[i],
             config.vocab_size);
    EB_CHECK(types[i] >= 0 && types[i] < config.type_vocab_size, "type {} of {}", types[i],
             config.type_vocab_size);
  }

  ForwardResult result;
  Recorder record(options, &result.tensors);
  RowMatrix hidden = state_->Embed(ids, types, record);
  for (int layer = 0; layer < config.num_hidden_layers; ++layer) {
    const std::string name = fmt::format("layer.{}", layer);
    const auto& group = state_->groups[static_cast<size_t>(config.GroupOfLayer(layer))];
    for (size_t inner = 0; inner < group.size(); ++inner) {
      hidden = state_->Encode(group[inner], hidden,
                              group.size() == 1 ? name : fmt::format("{}.inner.{}", name, inner),
                              record);
    }
    const auto& ramps = state_->off_ramps;
    const OffRamp& ramp = ramps[ramps.size() == 1 ? 0 : static_cast<size_t>(layer)];
    result.layers.push_back(state_->LeaveBy(ramp, hidden, name, record));
    if (result.layers.back().entropy < options.threshold) break;
  }
  return result;
}

}  // namespace edgebert::reference
