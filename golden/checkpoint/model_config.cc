#include "golden/checkpoint/model_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "golden/checkpoint/file.h"
#include "golden/checkpoint/json_text.h"

namespace edgebert::checkpoint {
namespace {

constexpr int kMaxSize = 1 << 16;        // of hidden, intermediate and embedding vectors, positions
constexpr int kMaxVocabulary = 1 << 24;  // ids
constexpr int kMaxLabels = 4096;

constexpr std::array<std::pair<std::string_view, Activation>, 3> kActivations = {{
    {"gelu", Activation::kGelu},
    {"gelu_new", Activation::kGeluNew},
    {"relu", Activation::kRelu},
}};

/// Reads the members of one JSON object, and collects what is wrong with them.
class ObjectReader {
 public:
  /// `begin` is where the object's text starts.
  ObjectReader(const std::string& file, std::string_view text, const nlohmann::json& object,
               size_t begin, Error* error)
      : file_(file), text_(text), object_(object), begin_(begin), error_(error) {}

  [[nodiscard]] bool Has(const char* key) const {
    return object_.contains(key) && !object_[key].is_null();
  }
  [[nodiscard]] const nlohmann::json& Value(const char* key) const { return object_[key]; }
  [[nodiscard]] size_t Offset(const char* key) const { return FindKey(text_, key, begin_); }

  void Fail(const char* key, const std::string& message, const char* rule) const {
    const size_t at = key == nullptr ? begin_ : Offset(key);
    const int line = at == text_.npos ? 0 : LineOf(text_, at);
    error_->Add({.file = file_, .line = line}, message, rule);
  }

  void Require(const char* key) const {
    if (!Has(key)) Fail(nullptr, fmt::format("'{}' is missing", key), "model-config-missing");
  }

  /// Leaves `*value` alone when the key is absent or wrong.
  void Read(const char* key, int low, int high, int* value) const {
    if (!Has(key)) return;
    if (!Value(key).is_number_integer()) {
      Fail(key, fmt::format("'{}' is {}, not an integer", key, Value(key).dump()),
           "model-config-type");
      return;
    }
    const double number = Value(key).get<double>();
    if (number < low || number > high) {
      Fail(key,
           fmt::format("'{}' is {}; it must be from {} to {}", key, Value(key).dump(), low, high),
           "model-config-range");
      return;
    }
    *value = Value(key).get<int>();
  }

  void Read(const char* key, double low, double high, double* value) const {
    if (!Has(key)) return;
    if (!Value(key).is_number()) {
      Fail(key, fmt::format("'{}' is {}, not a number", key, Value(key).dump()),
           "model-config-type");
      return;
    }
    const double number = Value(key).get<double>();
    if (!(number >= low && number <= high)) {
      Fail(key,
           fmt::format("'{}' is {}; it must be from {} to {}", key, Value(key).dump(), low, high),
           "model-config-range");
      return;
    }
    *value = number;
  }

  void Read(const char* key, bool* value) const {
    if (!Has(key)) return;
    if (!Value(key).is_boolean()) {
      Fail(key, fmt::format("'{}' is {}, not true or false", key, Value(key).dump()),
           "model-config-type");
      return;
    }
    *value = Value(key).get<bool>();
  }

  /// For keys of which only one value is implemented.
  void Expect(const char* key, const char* expected) const {
    if (Has(key) && Value(key) != expected) {
      Fail(key,
           fmt::format("'{}' is {}; only \"{}\" is supported", key, Value(key).dump(), expected),
           "model-config-range");
    }
  }

 private:
  const std::string& file_;
  std::string_view text_;
  const nlohmann::json& object_;
  size_t begin_;
  Error* error_;
};

void ReadActivation(const ObjectReader& reader, Activation* activation) {
  if (!reader.Has("hidden_act")) return;
  for (const auto& [name, value] : kActivations) {
    if (reader.Value("hidden_act") == name) {
      *activation = value;
      return;
    }
  }
  reader.Fail("hidden_act",
              fmt::format("'hidden_act' is {}; it must be \"gelu\", \"gelu_new\" or \"relu\"",
                          reader.Value("hidden_act").dump()),
              "model-config-range");
}

void ReadLabels(const ObjectReader& reader, std::vector<std::string>* labels) {
  int count = 2;  // Hugging Face's default
  const bool counted = reader.Has("num_labels");
  reader.Read("num_labels", 2, kMaxLabels, &count);
  if (!reader.Has("id2label")) {
    for (int i = 0; i < count; ++i) labels->push_back(fmt::format("LABEL_{}", i));
    return;
  }
  const nlohmann::json& names = reader.Value("id2label");
  const auto fail = [&](const std::string& message) {
    reader.Fail("id2label", "'id2label' " + message, "model-config-range");
  };
  if (!names.is_object() || names.size() < 2 || names.size() > size_t{kMaxLabels}) {
    return fail(fmt::format("is not an object of 2 to {} labels", kMaxLabels));
  }
  if (counted && names.size() != static_cast<size_t>(count)) {
    return fail(fmt::format("has {} labels, but 'num_labels' is {}", names.size(), count));
  }
  for (size_t i = 0; i < names.size(); ++i) {
    const auto name = names.find(std::to_string(i));
    if (name == names.end() || !name->is_string()) {
      return fail(fmt::format("has no name for label {}", i));
    }
    labels->push_back(name->get<std::string>());
  }
}

void ReadSpecialToken(const ObjectReader& reader, const char* key, const char* alternative,
                      const ModelConfig& config, int* id) {
  // Hugging Face's ALBERT calls [CLS] and [SEP] bos and eos.
  const char* found = alternative != nullptr && !reader.Has(key) ? alternative : key;
  if (config.vocab_size > 0) reader.Read(found, 0, config.vocab_size - 1, id);
}

void ReadEdgebert(const ObjectReader& reader, const nlohmann::json& object, ModelConfig* config) {
  // "activation_bias" is read by calibration.h.
  constexpr std::array<std::string_view, 7> kKeys = {
      "attention_span_ramp", "off_ramp_pooler", "off_ramp_shared", "entropy_threshold",
      "adaptivfloat",        "lowercase",       "activation_bias"};
  for (const auto& [key, value] : object.items()) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      reader.Fail(key.c_str(), fmt::format("unknown key '{}' in 'edgebert'", key),
                  "model-config-unknown");
    }
  }
  reader.Read("attention_span_ramp", 1.0, kMaxSize, &config->attention_span_ramp);
  reader.Read("off_ramp_pooler", &config->off_ramp_pooler);
  reader.Read("off_ramp_shared", &config->off_ramp_shared);
  reader.Read("entropy_threshold", 0.0, 65535.0, &config->entropy_threshold);
  reader.Read("lowercase", &config->lowercase);
  if (reader.Has("adaptivfloat")) {
    const nlohmann::json& format = reader.Value("adaptivfloat");
    const bool numbers = format.is_array() && format.size() == 2 && format[0].is_number_integer() &&
                         format[1].is_number_integer();
    const double bits = numbers ? format[0].get<double>() : 0;
    const double exponent = numbers ? format[1].get<double>() : 0;
    if (bits < 4 || bits > 8 || exponent < 2 || exponent > 4 || exponent > bits - 2) {
      reader.Fail(
          "adaptivfloat",
          fmt::format("'adaptivfloat' is {}; it must be [W, E] with W from 4 to 8, E from 2 "
                      "to 4 and E <= W - 2",
                      format.dump()),
          "model-config-range");
    } else {
      config->adaptivfloat_bits = static_cast<int>(bits);
      config->adaptivfloat_exponent = static_cast<int>(exponent);
    }
  }
}

void CheckDivides(const ObjectReader& reader, const char* key, int value, const char* divisor_key,
                  int divisor) {
  if (divisor > 0 && value % divisor != 0) {
    reader.Fail(
        key,
        fmt::format("'{}' is {}, not a multiple of '{}' = {}", key, value, divisor_key, divisor),
        "model-config-range");
  }
}

}  // namespace

std::string_view ActivationName(Activation activation) {
  return kActivations[static_cast<size_t>(activation)].first;
}

Result<ModelConfig> ReadModelConfig(const std::string& path) {
  EB_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, "model-config-io"));
  return ParseModelConfig(path, text);
}

Result<ModelConfig> ParseModelConfig(const std::string& name, const std::string& text) {
  nlohmann::json json;
  if (const auto mistake = ParseJson(text, &json)) {
    return Error({.file = name, .line = LineOf(text, mistake->byte)}, mistake->message,
                 "model-config-json");
  }
  if (!json.is_object()) {
    return Error({.file = name, .line = 1}, "the file is not a JSON object", "model-config-json");
  }

  Error error;
  ModelConfig config;
  const ObjectReader reader(name, text, json, 0, &error);
  for (const char* key : {"vocab_size", "embedding_size", "hidden_size", "num_hidden_layers",
                          "num_attention_heads", "intermediate_size", "max_position_embeddings"}) {
    reader.Require(key);
  }
  reader.Expect("model_type", "albert");
  reader.Expect("position_embedding_type", "absolute");
  reader.Read("vocab_size", 1, kMaxVocabulary, &config.vocab_size);
  reader.Read("embedding_size", 1, kMaxSize, &config.embedding_size);
  reader.Read("hidden_size", 1, kMaxSize, &config.hidden_size);
  reader.Read("num_hidden_layers", 1, 1024, &config.num_hidden_layers);
  reader.Read("num_hidden_groups", 1, 1024, &config.num_hidden_groups);
  reader.Read("inner_group_num", 1, 1024, &config.inner_group_num);
  reader.Read("num_attention_heads", 1, 1024, &config.num_attention_heads);
  reader.Read("intermediate_size", 1, kMaxSize, &config.intermediate_size);
  reader.Read("max_position_embeddings", 3, kMaxSize, &config.max_position_embeddings);
  reader.Read("type_vocab_size", 1, 256, &config.type_vocab_size);
  reader.Read("layer_norm_eps", 1e-15, 1.0, &config.layer_norm_eps);
  ReadActivation(reader, &config.hidden_act);
  ReadSpecialToken(reader, "cls_token_id", "bos_token_id", config, &config.cls_token_id);
  ReadSpecialToken(reader, "sep_token_id", "eos_token_id", config, &config.sep_token_id);
  ReadSpecialToken(reader, "pad_token_id", nullptr, config, &config.pad_token_id);
  ReadSpecialToken(reader, "unk_token_id", nullptr, config, &config.unk_token_id);
  ReadLabels(reader, &config.labels);
  CheckDivides(reader, "hidden_size", config.hidden_size, "num_attention_heads",
               config.num_attention_heads);
  CheckDivides(reader, "num_hidden_layers", config.num_hidden_layers, "num_hidden_groups",
               config.num_hidden_groups);

  if (reader.Has("edgebert")) {
    const nlohmann::json& edgebert = reader.Value("edgebert");
    if (edgebert.is_object()) {
      ReadEdgebert(ObjectReader(name, text, edgebert, reader.Offset("edgebert"), &error), edgebert,
                   &config);
    } else {
      reader.Fail("edgebert", "'edgebert' is not an object", "model-config-type");
    }
  }
  if (!error.empty()) return error;
  return config;
}

}  // namespace edgebert::checkpoint
