#include "golden/checkpoint/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "golden/checkpoint/file.h"
#include "golden/checkpoint/json_text.h"
#include "golden/reference/albert.h"
#include "golden/spec/formats.h"

namespace edgebert::checkpoint {
namespace {

constexpr char kKey[] = "activation_bias";

/// Which tensors of the reference (`embedding.TENSOR`, or `layer. … .TENSOR`) a bias covers.
struct TensorKind {
  bool embedding;
  const char* tensor;
  int ActivationBiases::*bias;
  bool by_head = false;
};
constexpr std::array kTensorKinds = {
    TensorKind{true, "sum", &ActivationBiases::embedding_sum},
    TensorKind{true, "norm", &ActivationBiases::embedding_norm},
    TensorKind{true, "projection", &ActivationBiases::hidden},
    TensorKind{false, "query", &ActivationBiases::query, true},
    TensorKind{false, "key", &ActivationBiases::key, true},
    TensorKind{false, "value", &ActivationBiases::value, true},
    TensorKind{false, "context", &ActivationBiases::context, true},
    TensorKind{false, "attention_sum", &ActivationBiases::attention_sum},
    TensorKind{false, "attention_norm", &ActivationBiases::attention_norm},
    TensorKind{false, "ffn", &ActivationBiases::ffn},
    TensorKind{false, "output_sum", &ActivationBiases::ffn_sum},
    TensorKind{false, "output_norm", &ActivationBiases::hidden},
    TensorKind{false, "pooled", &ActivationBiases::pooler},
};

const TensorKind* KindOf(const std::string& name) {
  const bool embedding = name.starts_with("embedding.");
  const std::string tensor = name.substr(name.rfind('.') + 1);
  const auto kind = std::find_if(
      kTensorKinds.begin(), kTensorKinds.end(),
      [&](const TensorKind& k) { return k.embedding == embedding && k.tensor == tensor; });
  return kind == kTensorKinds.end() ? nullptr : kind;
}

/// Columns of dead heads are never computed, so their size does not matter.
double Largest(const reference::NamedTensor& tensor, const ModelConfig& config,
               const std::vector<bool>& live_heads, bool by_head) {
  double largest = 0;
  for (int row = 0; row < tensor.rows; ++row) {
    for (int column = 0; column < tensor.columns; ++column) {
      if (by_head && !live_heads[size_t(column / config.HeadSize())]) continue;
      largest = std::max(largest, std::fabs(tensor.At(row, column)));
    }
  }
  return largest;
}

}  // namespace

ActivationBiases Calibrate(const Model& model, std::span<const Tokens> sentences,
                           const CodeFormat& format, const std::function<void(size_t)>& progress) {
  const ModelConfig& config = model.config;
  std::vector<bool> live_heads(size_t(config.num_attention_heads), true);
  for (size_t head = 0; head < model.weights.attention_span.size(); ++head) {
    live_heads[head] = config.attention_span_ramp + model.weights.attention_span[head] > 0;
  }

  const reference::Albert albert(model);
  std::array<double, kActivationBiasNames.size()> largest{};  // of each bias
  const auto largest_of = [&](int ActivationBiases::*bias) -> double& {
    size_t index = 0;
    while (kActivationBiasNames[index].member != bias) ++index;
    return largest[index];
  };
  for (size_t i = 0; i < sentences.size(); ++i) {
    const reference::ForwardResult result =
        albert.Forward(sentences[i].ids, sentences[i].types, {.keep_tensors = true});
    for (const reference::NamedTensor& tensor : result.tensors) {
      const TensorKind* kind = KindOf(tensor.name);
      if (kind == nullptr) continue;
      double magnitude = Largest(tensor, config, live_heads, kind->by_head);
      if (kind->bias == &ActivationBiases::query) magnitude /= std::sqrt(config.HeadSize());
      double& bound = largest_of(kind->bias);
      bound = std::max(bound, magnitude);
    }
    if (progress) progress(i + 1);
  }

  ActivationBiases biases;
  for (size_t i = 0; i < largest.size(); ++i) {
    biases.*kActivationBiasNames[i].member = BiasOf(largest[i], format);
  }
  // Any sentence may have a row that sees one key only: its probability is 1.
  biases.probability = BiasOf(1.0, format);
  return biases;
}

ActivationBiases Rebase(const ActivationBiases& biases, const CodeFormat& from,
                        const CodeFormat& to) {
  ActivationBiases rebased;
  for (const ActivationBiasName& name : kActivationBiasNames) {
    rebased.*name.member = std::clamp(biases.*name.member + from.ExponentMax() - to.ExponentMax(),
                                      spec::kBiasMin, spec::kBiasMax);
  }
  return rebased;
}

Result<ActivationBiases> ReadActivationBiases(const std::string& directory) {
  const std::string path = directory + "/config.json";
  EB_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, "calibration-io"));
  nlohmann::json json;
  if (const auto mistake = ParseJson(text, &json)) {
    return Error({path, LineOf(text, mistake->byte)}, mistake->message, "calibration-io");
  }
  if (!json.is_object()) return Error({path, 1}, "the file is not a JSON object", "calibration-io");
  const nlohmann::json edgebert = json.value("edgebert", nlohmann::json::object());
  if (!edgebert.is_object() || !edgebert.contains(kKey)) {
    return Error({path},
                 fmt::format("no '{}' in 'edgebert': calibrate the model with --calibrate", kKey),
                 "calibration-missing");
  }
  const nlohmann::json& object = edgebert.at(kKey);
  const int line = LineOf(text, FindKey(text, kKey));
  Error error;
  ActivationBiases biases;
  for (const ActivationBiasName& name : kActivationBiasNames) {
    if (!object.is_object() || !object.contains(name.key)) {
      error.Add({path, line}, fmt::format("'{}' has no '{}'", kKey, name.key), "calibration-value");
      continue;
    }
    const nlohmann::json& value = object.at(name.key);
    if (!value.is_number_integer() || value.get<double>() < spec::kBiasMin ||
        value.get<double>() > spec::kBiasMax) {
      error.Add({path, line},
                fmt::format("'{}' of '{}' is {}; it must be an integer from {} to {}", name.key,
                            kKey, value.dump(), spec::kBiasMin, spec::kBiasMax),
                "calibration-value");
      continue;
    }
    biases.*name.member = value.get<int>();
  }
  if (!error.empty()) return error;
  return biases;
}

Status WriteCalibratedModel(const std::string& from, const ActivationBiases& biases,
                            const std::string& to) {
  namespace fs = std::filesystem;
  const std::string source = from + "/config.json";
  EB_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(source, "calibration-io"));
  auto json = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Error({source}, "not a JSON object", "calibration-io");
  nlohmann::ordered_json values;
  for (const ActivationBiasName& name : kActivationBiasNames) {
    values[name.key] = biases.*name.member;
  }
  json["edgebert"][kKey] = std::move(values);

  std::error_code failure;
  fs::create_directories(to, failure);
  for (const char* file : {"model.safetensors", "tokenizer.model"}) {
    if (failure || fs::equivalent(from, to, failure)) break;
    fs::copy_file(fs::path(from) / file, fs::path(to) / file, fs::copy_options::overwrite_existing,
                  failure);
  }
  if (failure) {
    return Error({to}, fmt::format("cannot copy the model: {}", failure.message()),
                 "calibration-io");
  }
  const std::string written = json.dump(2) + "\n";
  return WriteFileAtomically(to + "/config.json",
                             {reinterpret_cast<const uint8_t*>(written.data()), written.size()},
                             "calibration-io");
}

}  // namespace edgebert::checkpoint
