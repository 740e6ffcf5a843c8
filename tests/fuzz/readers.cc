#include "tests/fuzz/readers.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/crc.hpp>
#include <string>
#include <vector>

#include "golden/base/result.h"
#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/dataset.h"
#include "golden/checkpoint/model_config.h"
#include "golden/checkpoint/model_weights.h"
#include "golden/checkpoint/safetensors.h"
#include "golden/checkpoint/tokenizer.h"
#include "golden/model/image.h"
#include "golden/spec/config.h"
#include "golden/spec/formats.h"
#include "golden/train/data.h"
#include "golden/train/options.h"
#include "tests/support/temporary_folder.h"

namespace edgebert::fuzz {
namespace {

using checkpoint::ModelConfig;
using File = std::span<const uint8_t>;

constexpr const char* kName = "input";

std::string Text(File file) { return {file.begin(), file.end()}; }

/// The bytes as a file with a path, for readers that want one.
class FileInMemory {
 public:
  explicit FileInMemory(File bytes)
      : descriptor_(memfd_create(kName, 0)), path_(fmt::format("/proc/self/fd/{}", descriptor_)) {
    size_t written = 0;
    while (written < bytes.size()) {
      const ssize_t count = write(descriptor_, bytes.data() + written, bytes.size() - written);
      EB_CHECK(count > 0, "no file in memory");
      written += static_cast<size_t>(count);
    }
  }
  FileInMemory(const FileInMemory&) = delete;
  FileInMemory& operator=(const FileInMemory&) = delete;
  ~FileInMemory() { close(descriptor_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  int descriptor_;
  std::string path_;
};

/// Checks the diagnostics of a refusal. `file`: what they must name; empty: the caller adds it.
template <typename T>
bool Taken(const Result<T>& result, const std::string& file = kName) {
  if (result.ok()) return true;
  for (const Diagnostic& diagnostic : result.error().diagnostics()) {
    EB_CHECK(diagnostic.where.file == file && !diagnostic.rule.empty() &&
                 !diagnostic.message.empty() && diagnostic.where.line >= 0,
             "a refusal that does not say where or why: {}", diagnostic.Format());
  }
  return false;
}

bool ReadConfig(File file) {
  const auto config = spec::ParseConfigText(Text(file), kName);
  if (!Taken(config)) return false;
  EB_CHECK(spec::Validate(*config).ok(), "taken, but not valid");
  const std::string text = spec::ToConfigText(*config);
  const auto again = spec::ParseConfigText(text, kName);
  EB_CHECK(again.ok() && spec::ToConfigText(*again) == text, "comes back otherwise:\n{}", text);
  // Widths that follow from it.
  EB_CHECK(spec::AccumulatorBits(*config) <= 64 && spec::ActivationVectors(*config) > 0,
           "{} accumulator bits, {} activation vectors", spec::AccumulatorBits(*config),
           spec::ActivationVectors(*config));
  return true;
}

bool ReadTrainOptions(File file) {
  const auto options = train::ParseOptions(kName, Text(file));
  if (!Taken(options)) return false;
  const std::string text = train::ToText(*options);
  const auto again = train::ParseOptions(kName, text);
  EB_CHECK(again.ok() && train::ToText(*again) == text, "comes back otherwise:\n{}", text);
  return true;
}

bool ReadSafetensors(File bytes) {
  const auto file = checkpoint::SafetensorsFile::Parse(kName, {bytes.begin(), bytes.end()});
  if (!Taken(file)) return false;
  checkpoint::SafetensorsWriter writer;
  for (const auto& [key, value] : file->metadata()) writer.SetMetadata(key, value);
  for (const checkpoint::TensorInfo& tensor : file->tensors()) {
    const std::span<const uint8_t> data = file->Bytes(tensor);
    writer.Add(tensor.name, tensor.dtype, tensor.shape, {data.begin(), data.end()});
    const auto floats = file->Floats(tensor.name);
    if (Taken(floats)) {
      EB_CHECK(floats->values.size() * size_t(checkpoint::DTypeBytes(tensor.dtype)) == data.size(),
               "'{}' has {} values", tensor.name, floats->values.size());
    }
  }
  const auto again = checkpoint::SafetensorsFile::Parse(kName, writer.Serialize());
  EB_CHECK(again.ok() && again->metadata() == file->metadata() &&
               again->tensors().size() == file->tensors().size(),
           "comes back otherwise");
  for (const checkpoint::TensorInfo& tensor : file->tensors()) {
    const checkpoint::TensorInfo* other = again->Find(tensor.name);
    EB_CHECK(other != nullptr && other->dtype == tensor.dtype && other->shape == tensor.shape &&
                 std::ranges::equal(again->Bytes(*other), file->Bytes(tensor)),
             "'{}' comes back otherwise", tensor.name);
  }
  return true;
}

/// The model that the weights in the corpus are of.
ModelConfig SmallModel() {
  ModelConfig config;
  config.vocab_size = 4;
  config.embedding_size = 2;
  config.hidden_size = 2;
  config.num_hidden_layers = 1;
  config.num_attention_heads = 1;
  config.intermediate_size = 2;
  config.max_position_embeddings = 3;
  config.attention_span_ramp = 2;
  config.labels = {"a", "b"};
  return config;
}

bool ReadModelWeights(File bytes) {
  const auto file = checkpoint::SafetensorsFile::Parse(kName, {bytes.begin(), bytes.end()});
  if (!Taken(file)) return false;
  const ModelConfig config = SmallModel();
  const auto weights = checkpoint::LoadModelWeights(*file, config);
  if (!Taken(weights)) return false;
  EB_CHECK(weights->word_embeddings.values.size() == size_t(config.vocab_size) * 2 &&
               weights->groups.size() == 1 && weights->groups[0].size() == 1 &&
               weights->off_ramps.size() == 1,
           "weights of another shape");
  return true;
}

bool ReadModelConfig(File file) {
  const auto config = checkpoint::ParseModelConfig(kName, Text(file));
  if (!Taken(config)) return false;
  EB_CHECK(config->vocab_size > 0 && config->num_labels() >= 2 && config->HeadSize() > 0 &&
               config->cls_token_id < config->vocab_size &&
               config->GroupOfLayer(config->num_hidden_layers - 1) < config->num_hidden_groups,
           "taken, but out of range");
  return true;
}

bool ReadActivationBiases(File file) {
  static const TemporaryFolder folder;
  const std::string path = folder.Write("config.json", Text(file));
  const auto biases = checkpoint::ReadActivationBiases(folder.path());
  if (!Taken(biases, path)) return false;
  for (const checkpoint::ActivationBiasName& name : checkpoint::kActivationBiasNames) {
    EB_CHECK((*biases).*name.member >= spec::kBiasMin && (*biases).*name.member <= spec::kBiasMax,
             "{} is {}", name.key, (*biases).*name.member);
  }
  return true;
}

void CheckTokens(const checkpoint::Tokens& tokens, const ModelConfig& config) {
  EB_CHECK(tokens.ids.size() >= 3 && tokens.types.size() == tokens.ids.size() &&
               tokens.ids.size() <= size_t(config.max_position_embeddings),
           "{} tokens, {} types", tokens.ids.size(), tokens.types.size());
  for (const int id : tokens.ids) {
    EB_CHECK(id >= 0 && id < config.vocab_size, "token {} of {}", id, config.vocab_size);
  }
}

bool ReadTokenizer(File bytes) {
  const FileInMemory file(bytes);
  ModelConfig config = SmallModel();
  config.vocab_size = 64;
  config.max_position_embeddings = 32;
  const auto tokenizer = checkpoint::Tokenizer::Load(file.path(), config);
  if (!Taken(tokenizer, file.path())) return false;
  for (const char* sentence : {"a", "t5 t6 T7", "the quick brown fox",
                               "\u00c9t\u00e9 \u4e2d \U0001f600", "  spaces \t and\u00a0more "}) {
    const auto tokens = tokenizer->Encode(sentence, checkpoint::Overflow::kTruncate);
    if (Taken(tokens, "")) CheckTokens(*tokens, config);
  }
  for (int id = -1; id <= config.vocab_size; ++id) static_cast<void>(tokenizer->Piece(id));
  return true;
}

bool ReadSentence(File file) {
  static const auto config = checkpoint::ReadModelConfig(EDGEBERT_SHIPPED_MODEL "/config.json");
  static const auto tokenizer =
      checkpoint::Tokenizer::Load(EDGEBERT_SHIPPED_MODEL "/tokenizer.model", config.value());
  const std::string text = Text(file);
  if (checkpoint::FindInvalidUtf8(text)) {
    EB_CHECK(!Taken(tokenizer.value().Encode(text), ""), "taken, but not UTF-8");
    return false;
  }
  const std::string lower = checkpoint::LowerCase(text);
  EB_CHECK(lower.size() == text.size() && !checkpoint::FindInvalidUtf8(lower) &&
               checkpoint::LowerCase(lower) == lower,
           "'{}' lowered is '{}'", text, lower);
  const auto tokens = tokenizer->Encode(text, checkpoint::Overflow::kTruncate);
  const auto pair = tokenizer->EncodePair(text, text, checkpoint::Overflow::kTruncate);
  EB_CHECK(Taken(pair, "") == Taken(tokens, ""), "taken once, but not twice");
  if (!tokens.ok()) return false;
  CheckTokens(*tokens, *config);
  CheckTokens(*pair, *config);
  return true;
}

bool ReadDataset(File file) {
  const std::array<std::string, 3> labels = {"negative", "positive", "2"};
  const auto examples = checkpoint::ParseDataset(kName, Text(file), labels);
  if (!Taken(examples)) return false;
  for (const checkpoint::Example& example : *examples) {
    EB_CHECK(example.label >= 0 && example.label < std::ssize(labels) && example.line > 1 &&
                 !example.sentence.empty() && !checkpoint::FindInvalidUtf8(example.sentence),
             "line {} has label {}", example.line, example.label);
  }
  return true;
}

/// The first line chooses the layout: the name of a format, or "csv".
bool ReadTrainingData(File file) {
  const std::string text = Text(file);
  const size_t end = std::min(text.find('\n'), text.size());
  train::Options options;
  options.data.train = options.data.valid = kName;
  const std::string layout = text.substr(0, end);
  for (const char* format : {"sst2", "qnli", "qqp", "mnli", "clinc"}) {
    if (layout == format) options.data.format = format;
  }
  if (layout == "csv") options.data.train += ".csv";
  const std::string rest = text.substr(std::min(end + 1, text.size()));
  const auto rows = train::ParseRows(options, train::Part::kTrain, rest);
  if (!Taken(rows, options.data.train)) return false;
  const auto labels = train::FindLabels(options, *rows);
  if (!Taken(labels, options.data.train)) return false;
  const auto classes = train::LabelRows(options.data.train, *rows, *labels);
  EB_CHECK(classes.ok() && classes->size() == rows->size(), "labels that are no labels");
  for (size_t i = 0; i < rows->size(); ++i) {
    EB_CHECK((*labels)[size_t((*classes)[i])] == (*rows)[i].label, "row {} has class {}", i,
             (*classes)[i]);
  }
  return true;
}

bool ReadImage(File bytes) {
  std::vector<uint8_t> repaired(bytes.begin(), bytes.end());
  constexpr size_t kChecksumBytes = 4;
  if (repaired.size() >= kChecksumBytes) {
    boost::crc_32_type crc;
    crc.process_bytes(repaired.data(), repaired.size() - kChecksumBytes);
    for (size_t i = 0; i < kChecksumBytes; ++i) {
      repaired[repaired.size() - kChecksumBytes + i] =
          static_cast<uint8_t>(crc.checksum() >> 8 * i);
    }
  }
  if (repaired != std::vector<uint8_t>(bytes.begin(), bytes.end())) {
    const FileInMemory damaged(bytes);
    EB_CHECK(!Taken(model::LoadImage(damaged.path()), damaged.path()),
             "taken with a checksum that is wrong");
  }
  const FileInMemory file(repaired);
  const auto image = model::LoadImage(file.path());
  if (!Taken(image, file.path())) return false;
  static const TemporaryFolder folder;
  const std::string path = folder.File("image");
  EB_CHECK(model::SaveImage(*image, path).ok(), "cannot be saved");
  const auto again = model::LoadImage(path);
  EB_CHECK(again.ok() && *again == *image, "comes back otherwise");
  return true;
}

constexpr Reader kReaders[] = {
    {"config", ReadConfig},
    {"train_options", ReadTrainOptions},
    {"model_config", ReadModelConfig},
    {"activation_biases", ReadActivationBiases},
    {"safetensors", ReadSafetensors},
    {"model_weights", ReadModelWeights},
    {"tokenizer", ReadTokenizer},
    {"sentence", ReadSentence},
    {"dataset", ReadDataset},
    {"training_data", ReadTrainingData},
    {"image", ReadImage},
};

}  // namespace

std::span<const Reader> Readers() { return kReaders; }

}  // namespace edgebert::fuzz
