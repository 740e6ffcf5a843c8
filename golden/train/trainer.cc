#include "golden/train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <optional>
#include <random>

#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/file.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/model_writer.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/checkpoint/safetensors.h"
#include "golden/model/machine.h"
#include "golden/reference/functions.h"
#include "golden/spec/formats.h"
#include "golden/train/batches.h"
#include "golden/train/data.h"
#include "golden/train/schedule.h"
#include "golden/train/vocabulary.h"

namespace edgebert::train {
namespace {

namespace fs = std::filesystem;
using checkpoint::Model;
using checkpoint::ModelConfig;
using checkpoint::ModelWeights;
using checkpoint::SafetensorsFile;
using checkpoint::SafetensorsWriter;
using checkpoint::Tokenizer;

constexpr int kLogSteps = 20;  // steps that a line of the log is the mean of
constexpr double kProgressSeconds = 5;

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

Result<TensorMap> ToTensors(const SafetensorsFile& file) {
  TensorMap tensors;
  for (const checkpoint::TensorInfo& info : file.tensors()) {
    EB_ASSIGN_OR_RETURN(checkpoint::FloatTensor tensor, file.Floats(info.name));
    tensors[info.name] = {std::move(tensor.shape), std::move(tensor.values)};
  }
  return tensors;
}

Result<TensorMap> ToTensors(const Model& model) {
  EB_ASSIGN_OR_RETURN(
      const SafetensorsFile file,
      SafetensorsFile::Parse("model", SerializeWeights(model.config, model.weights)));
  return ToTensors(file);
}

uint32_t Checksum(const Model& model) {
  const std::vector<uint8_t> weights = SerializeWeights(model.config, model.weights);
  boost::crc_32_type crc;
  crc.process_bytes(weights.data(), weights.size());
  return crc.checksum();
}

SafetensorsWriter ToWriter(const TensorMap& tensors) {
  SafetensorsWriter writer;
  for (const auto& [name, array] : tensors) {
    writer.AddFloats(name, checkpoint::DType::kF32, array.shape, array.values);
  }
  return writer;
}

Shape ShapeOf(const ModelConfig& config) {
  return {.layers = config.num_hidden_layers,
          .groups = config.num_hidden_groups,
          .inner = config.inner_group_num,
          .heads = config.num_attention_heads,
          .off_ramps = config.off_ramp_shared ? 1 : config.num_hidden_layers,
          .pooler = config.off_ramp_pooler,
          .activation = std::string(ActivationName(config.hidden_act)),
          .layer_norm_eps = config.layer_norm_eps,
          .span_ramp = config.attention_span_ramp};
}

Recipe RecipeOf(const Options& options) {
  return {.weight_decay = options.train.weight_decay,
          .clip = options.train.clip,
          .dropout = options.train.dropout,
          .label_smoothing = options.train.label_smoothing,
          .freeze_embeddings = options.model.freeze_embeddings,
          .span_penalty = options.span.penalty,
          .prune_method = options.prune.method,
          .prune_block = options.prune.block,
          .every_layer = options.train.every_layer,
          .keep_zeros = options.prune.keep_zeros,
          .distil_alpha = options.distil.alpha,
          .distil_temperature = options.distil.temperature,
          .format_kind = options.format.kind,
          .code_bits = options.format.width,
          .exponent_bits = options.format.exponent,
          .round_activations = options.format.activations,
          .seed = static_cast<uint64_t>(options.train.seed)};
}

/// All indices of a list, shuffled.
std::vector<int> ShuffledIndices(size_t count, uint64_t seed) {
  std::vector<int> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::mt19937_64 random(seed);
  for (size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  return order;
}

std::string Duration(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

class Clock {
 public:
  [[nodiscard]] double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

struct Partition {
  std::vector<Row> rows;
  std::vector<Example> examples;
};

/// Where a run stands: what is saved beside the network.
struct Position {
  int epoch = 0;
  int batch = 0;
  int64_t step = 0;
};

/// What the off-ramps say of a sentence, one a layer.
struct OffRampAnswers {
  std::vector<double> entropy;
  std::vector<bool> right;
};

/// What an entropy threshold does to sentences.
struct Exit {
  double accuracy = 0;
  double mean_layer = 0;
};

Exit ExitBelow(double threshold, std::span<const OffRampAnswers> sentences) {
  Exit exit;
  for (const OffRampAnswers& sentence : sentences) {
    const size_t last = sentence.entropy.size() - 1;
    size_t layer = 0;
    while (layer < last && !(sentence.entropy[layer] < threshold)) ++layer;
    exit.mean_layer += static_cast<double>(layer + 1);
    exit.accuracy += sentence.right[layer] ? 1 : 0;
  }
  exit.mean_layer /= static_cast<double>(sentences.size());
  exit.accuracy /= static_cast<double>(sentences.size());
  return exit;
}

/// Collects the answer of every off-ramp while a sentence runs at full depth.
class AnswerCollector : public model::MachineObserver {
 public:
  explicit AnswerCollector(int label) : label_(label) {}
  void OnWriteBack(const model::Step& /*step*/, const model::WriteBack& write) override {
    if (write.kind == model::WriteKind::kEntropy) {
      answers_.entropy.push_back(std::ldexp(write.lanes[0], -spec::kEntropyFraction));
    } else if (write.kind == model::WriteKind::kPrediction) {
      answers_.right.push_back(write.lanes[0] == label_);
    }
  }
  [[nodiscard]] const OffRampAnswers& answers() const { return answers_; }

 private:
  int label_;
  OffRampAnswers answers_;
};

class Trainer {
 public:
  explicit Trainer(const Run& run) : run_(run), options_(run.options) {}

  Status Train();

 private:
  [[nodiscard]] std::string Path(const char* file) const { return run_.out + "/" + file; }

  // Preparation.
  Status ReadData();
  Status ChooseTokenizer();
  Status ChooseModel();
  static Status Encode(const Tokenizer& tokenizer, const std::string& path, Partition* part);
  Status StartNetwork();
  Status AskTeacher();
  [[nodiscard]] std::string DataChecksum() const;
  [[nodiscard]] std::string Fingerprint() const;

  // Training.
  Status TrainMain();
  Status AverageWithStart();
  void FixSpans();
  Status SaveState() const;
  Status LoadState();
  Status AddToLog(const Moment& moment, double valid);
  void ShowProgress(const Moment& moment);
  [[nodiscard]] double ValidAccuracy(int depth) const;
  [[nodiscard]] Error NotFinite(std::span<const int> batch) const;

  // The end.
  void TrainOffRamps();
  [[nodiscard]] std::vector<OffRampAnswers> NetworkAnswers() const;
  [[nodiscard]] Result<std::vector<OffRampAnswers>> GoldenAnswers(
      const Model& model, const checkpoint::ActivationBiases& biases) const;
  Status Finish();

  const Run& run_;
  const Options& options_;
  std::vector<std::string> labels_;
  Partition train_;
  Partition valid_;
  std::vector<uint8_t> tokenizer_bytes_;
  std::optional<Tokenizer> tokenizer_;
  std::optional<Model> init_;  // of model.init
  Model model_;                // to start from
  std::unique_ptr<Network> network_;
  std::vector<float> teacher_;  // logits of each training sentence; empty: no teacher
  Position position_;

  // Since the last line of the log.
  double loss_sum_ = 0;
  int loss_count_ = 0;
  int correct_ = 0;
  int seen_ = 0;
  std::string log_;
  double last_valid_ = 0;
  Clock clock_;
  double last_shown_ = 0;
  double last_saved_ = 0;
  // Work of this process, in tokens times layers, and what is left of the run.
  double work_done_ = 0;
  double work_left_ = 0;
  bool stopped_ = false;
};

Status Trainer::ReadData() {
  Error error;
  for (const auto& [key, path] : {std::pair("data.train", &options_.data.train),
                                  std::pair("data.valid", &options_.data.valid)}) {
    if (path->empty()) {
      error.Add({.file = "command line"}, fmt::format("'{}' is required but missing", key),
                "train-value");
    }
  }
  if (!error.empty()) return error;
  EB_ASSIGN_OR_RETURN(train_.rows, ReadRows(options_, Part::kTrain));
  EB_ASSIGN_OR_RETURN(valid_.rows, ReadRows(options_, Part::kValid));
  if (!options_.model.init.empty()) {
    EB_ASSIGN_OR_RETURN(init_, checkpoint::LoadModel(options_.model.init));
  }
  EB_ASSIGN_OR_RETURN(labels_, FindLabels(options_, train_.rows));
  // The same task, when the checkpoint knows every label.
  if (init_ && options_.data.labels.empty() &&
      LabelRows(options_.data.train, train_.rows, init_->config.labels).ok()) {
    labels_ = init_->config.labels;
  }
  const auto label = [&](const std::string& path, Partition* part) -> Status {
    EB_ASSIGN_OR_RETURN(const std::vector<int> classes, LabelRows(path, part->rows, labels_));
    for (size_t i = 0; i < classes.size(); ++i) {
      part->examples.push_back({.label = classes[i], .line = part->rows[i].line});
    }
    return Ok();
  };
  EB_RETURN_IF_ERROR(label(options_.data.train, &train_));
  EB_RETURN_IF_ERROR(label(options_.data.valid, &valid_));
  return Ok();
}

Status Trainer::ChooseTokenizer() {
  std::vector<std::string> paths;
  if (!options_.tokenizer.model.empty()) {
    paths = {options_.tokenizer.model};
  } else {
    for (const std::string& folder : {options_.model.init, options_.model.embeddings}) {
      if (folder.empty()) continue;
      paths = {folder + "/tokenizer.model", folder + "/spiece.model"};
      break;
    }
  }
  if (paths.empty()) {
    std::vector<std::string> texts;
    for (const Row& row : train_.rows) {
      texts.push_back(row.text);
      if (!row.pair.empty()) texts.push_back(row.pair);
    }
    EB_ASSIGN_OR_RETURN(tokenizer_bytes_, TrainTokenizer(texts, options_.tokenizer.pieces,
                                                         options_.tokenizer.lowercase));
    return Ok();
  }
  const std::string& path = paths.size() > 1 && !fs::exists(paths[0]) ? paths[1] : paths[0];
  EB_ASSIGN_OR_RETURN(tokenizer_bytes_, checkpoint::ReadFile(path, "tokenizer-io"));
  return Ok();
}

/// A model with all weights drawn anew.
ModelWeights InitialWeights(const ModelConfig& config, const Options& options) {
  ModelWeights weights = checkpoint::RandomModelWeights(
      config, 1, MixSeed(static_cast<uint64_t>(options.train.seed), 0x696e6974),
      {.elements = 0, .tiles = 0, .tile_rows = 0});
  const auto zero = [](std::vector<float>* values) { std::ranges::fill(*values, 0.0F); };
  const auto norm = [&](checkpoint::LayerNormWeights* n) {
    std::ranges::fill(n->gamma, 1.0F);
    zero(&n->beta);
  };
  const auto scale = [](checkpoint::LinearWeights* linear, double factor) {
    for (float& value : linear->weight.values) value *= static_cast<float>(factor);
  };
  norm(&weights.embedding_norm);
  zero(&weights.embedding_projection.bias);
  for (auto& group : weights.groups) {
    for (checkpoint::LayerWeights& layer : group) {
      for (auto* linear : {&layer.query, &layer.key, &layer.value, &layer.attention_output,
                           &layer.ffn, &layer.ffn_output}) {
        zero(&linear->bias);
        scale(linear, 0.5);
      }
      norm(&layer.attention_norm);
      norm(&layer.output_norm);
      scale(&layer.attention_output, options.model.residual_init);
      scale(&layer.ffn_output, options.model.residual_init);
    }
  }
  for (checkpoint::OffRampWeights& ramp : weights.off_ramps) {
    zero(&ramp.classifier.bias);
    scale(&ramp.classifier, 0.5);
    if (ramp.pooler) zero(&ramp.pooler->bias);
  }
  std::ranges::fill(weights.attention_span, static_cast<float>(options.span.start));
  return weights;
}

Status Trainer::ChooseModel() {
  ModelConfig config;
  if (init_) {
    config = init_->config;
    config.max_position_embeddings =
        std::min(config.max_position_embeddings, options_.model.positions);
  } else {
    config.embedding_size = options_.model.embedding;
    config.hidden_size = options_.model.hidden;
    config.num_hidden_layers = options_.model.layers;
    config.num_attention_heads = options_.model.heads;
    config.intermediate_size = options_.model.ffn;
    config.hidden_act = options_.model.activation == "gelu"       ? checkpoint::Activation::kGelu
                        : options_.model.activation == "gelu_new" ? checkpoint::Activation::kGeluNew
                                                                  : checkpoint::Activation::kRelu;
    config.max_position_embeddings = options_.model.positions;
    config.layer_norm_eps = options_.model.layer_norm_eps;
    config.lowercase = options_.tokenizer.lowercase;
    const Status described = DescribeTokenizer(tokenizer_bytes_, &config);
    if (!described.ok()) return described.error().Placed({.file = options_.tokenizer.model});
  }
  config.labels = labels_;
  config.off_ramp_pooler = options_.model.pooler;
  config.off_ramp_shared = options_.model.shared_off_ramp;
  if (options_.format.kind == "adaptivfloat") {
    config.adaptivfloat_bits = options_.format.width;
    config.adaptivfloat_exponent = options_.format.exponent;
  } else {  // what the accelerator takes by default
    const spec::AcceleratorConfig accelerator;
    config.adaptivfloat_bits = accelerator.format.width;
    config.adaptivfloat_exponent = accelerator.format.exponent;
  }
  config.entropy_threshold = 0;
  if (options_.span.ramp > 0) config.attention_span_ramp = options_.span.ramp;

  std::optional<Model> tables;
  if (!options_.model.embeddings.empty()) {
    EB_ASSIGN_OR_RETURN(tables, checkpoint::LoadModel(options_.model.embeddings));
    const ModelConfig& from = tables->config;
    if (init_ &&
        (from.vocab_size != config.vocab_size || from.embedding_size != config.embedding_size)) {
      return Error({.file = options_.model.embeddings},
                   fmt::format("its word embeddings are {} x {}, those of 'model.init' {} x {}",
                               from.vocab_size, from.embedding_size, config.vocab_size,
                               config.embedding_size),
                   "train-init");
    }
    config.vocab_size = from.vocab_size;
    config.embedding_size = from.embedding_size;
    config.max_position_embeddings = from.max_position_embeddings;
    config.type_vocab_size = from.type_vocab_size;
    config.cls_token_id = from.cls_token_id;
    config.sep_token_id = from.sep_token_id;
    config.pad_token_id = from.pad_token_id;
    config.unk_token_id = from.unk_token_id;
    config.lowercase = from.lowercase;
  }

  model_ = {config, InitialWeights(config, options_)};
  ModelWeights& weights = model_.weights;
  if (init_) {
    const ModelWeights& from = init_->weights;
    weights.word_embeddings = from.word_embeddings;
    weights.position_embeddings = from.position_embeddings;
    weights.type_embeddings = from.type_embeddings;
    weights.embedding_norm = from.embedding_norm;
    weights.embedding_projection = from.embedding_projection;
    weights.groups = from.groups;
    checkpoint::Matrix& positions = weights.position_embeddings;
    positions.rows = config.max_position_embeddings;
    positions.values.resize(size_t(positions.rows) * size_t(positions.columns));
    if (!from.attention_span.empty() &&
        init_->config.attention_span_ramp == config.attention_span_ramp) {
      weights.attention_span = from.attention_span;
    } else if (options_.span.ramp == 0) {
      weights.attention_span.clear();
      model_.config.attention_span_ramp = 0;
    }
    if (init_->config.labels == labels_ &&
        init_->config.off_ramp_pooler == config.off_ramp_pooler) {
      const int last = config.num_hidden_layers - 1;
      for (checkpoint::OffRampWeights& ramp : weights.off_ramps) ramp = from.OffRamp(last);
    }
  }
  if (tables) {
    weights.word_embeddings = tables->weights.word_embeddings;
    weights.position_embeddings = tables->weights.position_embeddings;
    weights.type_embeddings = tables->weights.type_embeddings;
    weights.embedding_norm = tables->weights.embedding_norm;
  }
  std::vector<float>& spans = weights.attention_span;
  const auto off = static_cast<float>(-model_.config.attention_span_ramp);
  EB_ASSIGN_OR_RETURN(const std::vector<int> heads,
                      ParseHeads(options_.span.off, static_cast<int>(spans.size())));
  for (const int head : heads) spans[size_t(head - 1)] = off;
  if (!heads.empty() && std::ranges::count(spans, off) == std::ssize(spans)) {
    return Error({}, "'span.off' must leave a head", "train-value");
  }
  return Ok();
}

Status Trainer::Encode(const Tokenizer& tokenizer, const std::string& path, Partition* part) {
  Error error;
  for (size_t i = 0; i < part->rows.size(); ++i) {
    const Row& row = part->rows[i];
    Result<checkpoint::Tokens> tokens =
        row.pair.empty()
            ? tokenizer.Encode(row.text, checkpoint::Overflow::kTruncate)
            : tokenizer.EncodePair(row.text, row.pair, checkpoint::Overflow::kTruncate);
    if (tokens.ok()) {
      part->examples[i].tokens = std::move(tokens).value();
    } else {
      error.Append(tokens.error().Placed({.file = path, .line = row.line}));
    }
  }
  if (!error.empty()) return error;
  return Ok();
}

Status Trainer::StartNetwork() {
  const std::string staged = Path("tokenizer.model.new");
  EB_RETURN_IF_ERROR(checkpoint::WriteFileAtomically(staged, tokenizer_bytes_, "train-out"));
  Result<Tokenizer> tokenizer = Tokenizer::Load(staged, model_.config);
  std::error_code ignored;
  fs::remove(staged, ignored);
  if (!tokenizer.ok()) return tokenizer.error();
  tokenizer_.emplace(std::move(tokenizer).value());
  EB_RETURN_IF_ERROR(Encode(*tokenizer_, options_.data.train, &train_));
  EB_RETURN_IF_ERROR(Encode(*tokenizer_, options_.data.valid, &valid_));
  if (!options_.distil.answers.empty()) {
    EB_ASSIGN_OR_RETURN(teacher_,
                        ReadAnswers(options_.distil.answers, labels_, train_.examples.size()));
  }
  EB_RETURN_IF_ERROR(AskTeacher());
  EB_ASSIGN_OR_RETURN(const TensorMap tensors, ToTensors(model_));
  network_ = CreateNetwork(ShapeOf(model_.config), tensors, RecipeOf(options_));
  return Ok();
}

/// The teacher's logits are kept in the folder: a run that goes on need not ask again.
Status Trainer::AskTeacher() {
  const std::string& folder = options_.distil.teacher;
  if (folder.empty()) return Ok();
  EB_ASSIGN_OR_RETURN(const Model teacher, checkpoint::LoadModel(folder));
  if (teacher.config.labels != labels_) {
    return Error({.file = folder + "/config.json"},
                 fmt::format("the teacher's classes '{}' are not those of the task, '{}'",
                             fmt::join(teacher.config.labels, ","), fmt::join(labels_, ",")),
                 "train-init");
  }
  const std::string key = fmt::format("{:08x} of {}", Checksum(teacher), DataChecksum());
  const std::string path = Path("teacher-logits.safetensors");
  const std::vector<int64_t> shape = {std::ssize(train_.examples), std::ssize(labels_)};
  if (fs::exists(path)) {
    EB_ASSIGN_OR_RETURN(const SafetensorsFile file, SafetensorsFile::Read(path));
    const auto found = file.metadata().find("key");
    if (found != file.metadata().end() && found->second == key) {
      EB_ASSIGN_OR_RETURN(checkpoint::FloatTensor logits, file.Floats("logits", shape));
      teacher_ = std::move(logits.values);
      return Ok();
    }
  }

  EB_ASSIGN_OR_RETURN(const Tokenizer tokenizer,
                      Tokenizer::Load(folder + "/tokenizer.model", teacher.config));
  Partition asked = {train_.rows, train_.examples};
  EB_RETURN_IF_ERROR(Encode(tokenizer, options_.data.train, &asked));
  EB_ASSIGN_OR_RETURN(const TensorMap tensors, ToTensors(teacher));
  const std::unique_ptr<Network> network = CreateNetwork(ShapeOf(teacher.config), tensors, {});
  const size_t classes = labels_.size();
  teacher_.resize(asked.examples.size() * classes);
  size_t done = 0;
  for (const std::vector<int>& indices :
       OrderedBatches(asked.examples, options_.train.batch_tokens)) {
    const Batch batch = MakeBatch(asked.examples, indices, teacher.config.pad_token_id);
    const std::vector<float> logits = network->Logits(batch, teacher.config.num_hidden_layers);
    for (size_t i = 0; i < indices.size(); ++i) {
      std::copy_n(logits.begin() + std::ptrdiff_t(i * classes), classes,
                  teacher_.begin() + std::ptrdiff_t(size_t(indices[i]) * classes));
    }
    done += indices.size();
    if (clock_.Seconds() > last_shown_ + kProgressSeconds) {
      last_shown_ = clock_.Seconds();
      run_.say(fmt::format("teacher: {} of {} sentences", done, asked.examples.size()), true);
    }
  }
  SafetensorsWriter writer;
  writer.SetMetadata("key", key);
  writer.AddFloats("logits", checkpoint::DType::kF32, shape, teacher_);
  return writer.Write(path);
}

std::string Trainer::DataChecksum() const {
  boost::crc_32_type crc;
  for (const Partition* part : {&train_, &valid_}) {
    for (const Row& row : part->rows) {
      for (const std::string* text : {&row.text, &row.pair, &row.label}) {
        crc.process_bytes(text->data(), text->size() + 1);
      }
    }
  }
  return fmt::format("data {:08x}", crc.checksum());
}

/// What a state must agree with: the options that training depends on, and what their files hold.
std::string Trainer::Fingerprint() const {
  Options options = options_;
  options.save = {};
  const auto crc = [](const auto& values) {
    boost::crc_32_type sum;
    sum.process_bytes(values.data(), values.size() * sizeof values[0]);
    return sum.checksum();
  };
  return fmt::format(
      "{}{}\ntokenizer {:08x}\nweights of model.init and model.embeddings {:08x}\n"
      "answers of the teacher {:08x}\n",
      ToText(options), DataChecksum(), crc(tokenizer_bytes_), Checksum(model_), crc(teacher_));
}

Status Trainer::SaveState() const {
  SafetensorsWriter writer = ToWriter(network_->State());
  writer.SetMetadata("run", Fingerprint());
  writer.SetMetadata("position",
                     fmt::format("{} {} {}", position_.epoch, position_.batch, position_.step));
  writer.SetMetadata("log", log_);
  return writer.Write(Path("training-state.safetensors"));
}

Status Trainer::LoadState() {
  const std::string path = Path("training-state.safetensors");
  if (run_.restart || !fs::exists(path)) return Ok();
  EB_ASSIGN_OR_RETURN(const SafetensorsFile file, SafetensorsFile::Read(path));
  const auto metadata = [&](const char* key) {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
  };
  const std::string run = metadata("run");
  const std::string fingerprint = Fingerprint();
  if (run != fingerprint) {
    const auto [theirs, ours] = std::ranges::mismatch(run, fingerprint);
    const auto line = [](const std::string& text, auto at) {
      const auto begin = text.rfind('\n', size_t(at - text.begin()));
      const size_t from = begin == text.npos ? 0 : begin + 1;
      return text.substr(from, text.find('\n', from) - from);
    };
    return Error(
        {.file = path},
        fmt::format("an interrupted run of other options or files is here ('{}', now '{}'); "
                    "--restart gives it up",
                    line(run, theirs), line(fingerprint, ours)),
        "train-state");
  }
  EB_ASSIGN_OR_RETURN(const TensorMap state, ToTensors(file));
  long long step = 0;
  if (std::sscanf(metadata("position").c_str(), "%d %d %lld", &position_.epoch, &position_.batch,
                  &step) != 3) {
    return Error({.file = path}, "the state has no position", "train-state");
  }
  position_.step = step;
  log_ = metadata("log");
  network_->SetState(state);
  run_.say(fmt::format("going on from step {}", position_.step), false);
  return Ok();
}

double Trainer::ValidAccuracy(int depth) const {
  int correct = 0;
  for (const std::vector<int>& indices :
       OrderedBatches(valid_.examples, options_.train.batch_tokens)) {
    const Batch batch = MakeBatch(valid_.examples, indices, model_.config.pad_token_id);
    const std::vector<float> logits = network_->Logits(batch, depth);
    const size_t classes = labels_.size();
    for (size_t i = 0; i < indices.size(); ++i) {
      const auto begin = logits.begin() + std::ptrdiff_t(i * classes);
      const auto best = std::max_element(begin, begin + std::ptrdiff_t(classes)) - begin;
      correct += best == batch.labels[i] ? 1 : 0;
    }
  }
  return static_cast<double>(correct) / static_cast<double>(valid_.examples.size());
}

Status Trainer::AddToLog(const Moment& moment, double valid) {
  if (loss_count_ == 0) return Ok();
  if (log_.empty()) {
    log_ =
        "step\tepoch\tdepth\tloss\taccuracy\tvalid\tmean_reach\theads_off\tsparsity\t"
        "embedding_sparsity\n";
  }
  const double ramp = model_.config.attention_span_ramp;
  double reach = 0;
  int off = 0;
  const std::vector<float> spans = network_->Spans();
  for (const float span : spans) {
    reach += std::max(0.0, span + ramp);
    off += span + ramp <= 0 ? 1 : 0;
  }
  if (!spans.empty()) reach /= static_cast<double>(spans.size());
  log_ += fmt::format("{}\t{}\t{}\t{:.5g}\t{:.4f}\t{}\t{:.2f}\t{}\t{:.4f}\t{:.4f}\n",
                      position_.step, position_.epoch + 1, moment.depth, loss_sum_ / loss_count_,
                      static_cast<double>(correct_) / seen_,
                      valid > 0 ? fmt::format("{:.4f}", valid) : "", reach, off,
                      network_->EncoderSparsity(), network_->EmbeddingSparsity());
  loss_sum_ = 0;
  loss_count_ = correct_ = seen_ = 0;
  return checkpoint::WriteFileAtomically(Path("log.tsv"), Bytes(log_), "train-out");
}

void Trainer::ShowProgress(const Moment& moment) {
  if (clock_.Seconds() < last_shown_ + kProgressSeconds || loss_count_ == 0) return;
  last_shown_ = clock_.Seconds();
  std::string line =
      fmt::format("epoch {}/{} step {} depth {} loss {:.4f} accuracy {:.1f} %", position_.epoch + 1,
                  std::ceil(options_.train.epochs), position_.step, moment.depth,
                  loss_sum_ / loss_count_, 100.0 * correct_ / seen_);
  if (last_valid_ > 0) line += fmt::format(" (valid {:.2f} %)", 100 * last_valid_);
  const double ramp = model_.config.attention_span_ramp;
  const std::vector<float> spans = network_->Spans();
  if (!spans.empty()) {
    double reach = 0;
    for (const float span : spans) reach += std::max(0.0, span + ramp);
    line += fmt::format(" reach {:.1f} tokens", reach / static_cast<double>(spans.size()));
  }
  if (moment.sparsity > 0) line += fmt::format(" sparsity {:.1f} %", 100 * moment.sparsity);
  line += fmt::format(" {} left", Duration(work_left_ * clock_.Seconds() / work_done_));
  run_.say(line, true);
}

Error Trainer::NotFinite(std::span<const int> batch) const {
  std::vector<int> lines;
  for (const int index : batch) lines.push_back(train_.examples[size_t(index)].line);
  return Error({.file = options_.data.train},
               fmt::format("the loss or its gradient is not a number in step {} (epoch {}), on "
                           "lines {}; the last saved state and checkpoint are untouched",
                           position_.step + 1, position_.epoch + 1, fmt::join(lines, " ")),
               "train-loss");
}

/// Learnt spans stay from now on; short heads see nothing.
void Trainer::FixSpans() {
  if (options_.span.ramp == 0) return;
  network_->SwitchHeadsOff(options_.span.off_reach, options_.span.least_off);
}

Status Trainer::TrainMain() {
  EB_ASSIGN_OR_RETURN(std::vector<DepthStep> growth,
                      ParseDepth(options_.train.depth, model_.config.num_hidden_layers));
  const Schedule schedule(options_, model_.config.num_hidden_layers, std::move(growth));
  const auto seed = static_cast<uint64_t>(options_.train.seed);
  const double epochs = options_.train.epochs;
  const auto work_of = [&](double begin, double end) {  // in epochs of one layer, and embeddings
    double work = 0;
    constexpr int kPieces = 1000;
    for (int i = 0; i < kPieces; ++i) {
      const double at = begin + (end - begin) * (i + 0.5) / kPieces;
      work += (schedule.At(at).depth + 0.5) * (end - begin) / kPieces;
    }
    return work;
  };
  int64_t steps_here = 0;
  bool heads_off = false;  // by this process; switching them off again changes nothing
  for (; position_.epoch < epochs; ++position_.epoch, position_.batch = 0) {
    const std::vector<std::vector<int>> batches =
        ShuffledBatches(train_.examples, options_.train.batch_tokens, seed, position_.epoch);
    Moment moment;
    for (; position_.batch < std::ssize(batches); ++position_.batch, ++position_.step) {
      const double done = (position_.epoch + static_cast<double>(position_.batch) /
                                                 static_cast<double>(batches.size())) /
                          epochs;
      if (done >= 1) break;
      if (done >= options_.span.end && !heads_off) {
        FixSpans();
        heads_off = true;
      }
      if (last_saved_ + options_.save.seconds <= clock_.Seconds()) {
        EB_RETURN_IF_ERROR(SaveState());
        last_saved_ = clock_.Seconds();
      }
      if (steps_here++ == run_.stop_after) {
        stopped_ = true;
        return Ok();
      }
      network_->RoundWeights(done >= options_.format.aware);
      moment = schedule.At(done);
      moment.step = position_.step;
      const std::vector<int>& indices = batches[size_t(position_.batch)];
      const Batch batch = MakeBatch(train_.examples, indices, model_.config.pad_token_id, teacher_,
                                    {.rate = options_.train.word_dropout,
                                     .unknown = model_.config.unk_token_id,
                                     .cls = model_.config.cls_token_id,
                                     .sep = model_.config.sep_token_id,
                                     .seed = MixSeed(seed, static_cast<uint64_t>(position_.step))});
      const StepReport report = network_->Step(batch, moment);
      if (!report.finite) return NotFinite(indices);
      loss_sum_ += report.loss;
      ++loss_count_;
      correct_ += report.correct;
      seen_ += batch.sentences;
      const double next = done + 1 / (epochs * static_cast<double>(batches.size()));
      work_done_ += work_of(done, next);
      work_left_ = work_of(next, 1);
      ShowProgress(moment);
      if ((position_.step + 1) % kLogSteps == 0) EB_RETURN_IF_ERROR(AddToLog(moment, 0));
    }
    last_valid_ = ValidAccuracy(moment.depth);
    run_.say(fmt::format("epoch {}: {} layers, validation accuracy {:.2f} % after {}",
                         position_.epoch + 1, moment.depth, 100 * last_valid_,
                         Duration(clock_.Seconds())),
             false);
    EB_RETURN_IF_ERROR(AddToLog(moment, last_valid_));
  }
  FixSpans();
  return SaveState();
}

/// The mean of a model and what it became is often better than either (Wortsman et al. 2022).
Status Trainer::AverageWithStart() {
  const auto part = static_cast<float>(options_.train.average);
  if (part == 0) return Ok();
  EB_ASSIGN_OR_RETURN(const TensorMap start, ToTensors(model_));
  TensorMap state = network_->State();
  for (const auto& [name, array] : start) {
    if (name == "edgebert.attention_span") continue;
    std::vector<float>& values = state.at("value." + name).values;
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = (1 - part) * values[i] + part * array.values[i];
    }
  }
  network_->SetState(state);
  return Ok();
}

void Trainer::TrainOffRamps() {
  if (options_.off_ramp.epochs == 0) return;
  std::vector<Example> sample;
  const size_t most = static_cast<size_t>(options_.off_ramp.sentences);
  for (const int index :
       ShuffledIndices(train_.examples.size(), static_cast<uint64_t>(options_.train.seed))) {
    if (sample.size() == most) break;
    sample.push_back(train_.examples[size_t(index)]);
  }
  std::vector<Batch> batches;
  for (const std::vector<int>& indices : OrderedBatches(sample, options_.train.batch_tokens)) {
    batches.push_back(MakeBatch(sample, indices, model_.config.pad_token_id));
  }
  run_.say(fmt::format("off-ramps: {} sentences, encoder frozen", sample.size()), false);
  network_->TrainOffRamps(
      batches, options_.off_ramp.epochs, options_.off_ramp.learning_rate,
      [&](int epoch, double loss) {
        run_.say(fmt::format("off-ramps: epoch {} loss {:.4f}", epoch + 1, loss), true);
      });
}

std::vector<OffRampAnswers> Trainer::NetworkAnswers() const {
  std::vector<OffRampAnswers> sentences;
  for (const std::vector<int>& indices :
       OrderedBatches(valid_.examples, options_.train.batch_tokens)) {
    const Batch batch = MakeBatch(valid_.examples, indices, model_.config.pad_token_id);
    const std::vector<std::vector<float>> layers = network_->LayerLogits(batch);
    for (size_t i = 0; i < indices.size(); ++i) {
      OffRampAnswers& sentence = sentences.emplace_back();
      for (const std::vector<float>& layer : layers) {
        const auto begin = layer.begin() + std::ptrdiff_t(i * labels_.size());
        const std::vector<double> logits(begin, begin + std::ptrdiff_t(labels_.size()));
        sentence.entropy.push_back(reference::Entropy(logits));
        sentence.right.push_back(reference::Predict(logits) == batch.labels[i]);
      }
    }
  }
  return sentences;
}

/// What the accelerator will answer, bit for bit.
Result<std::vector<OffRampAnswers>> Trainer::GoldenAnswers(
    const Model& model, const checkpoint::ActivationBiases& biases) const {
  spec::AcceleratorConfig config;
  config.format = {model.config.adaptivfloat_bits, model.config.adaptivfloat_exponent};
  EB_ASSIGN_OR_RETURN(config, checkpoint::FitConfig(model.config, config));
  EB_ASSIGN_OR_RETURN(const model::Image image,
                      checkpoint::BuildImage(model.config, model.weights, biases, config));
  model::Machine machine(config, image);
  std::vector<OffRampAnswers> sentences;
  for (const Example& example : valid_.examples) {
    AnswerCollector collector(example.label);
    const model::SentenceResult& result =
        machine.Run(checkpoint::TokenWords(example.tokens), 0, &collector);
    if (result.error != spec::ErrorCode::kNone) {
      return Error({.file = options_.data.valid, .line = example.line},
                   fmt::format("the golden model stopped with error {} (detail {})",
                               static_cast<int>(result.error), result.error_detail),
                   "train-golden");
    }
    sentences.push_back(collector.answers());
  }
  return sentences;
}

Status Trainer::Finish() {
  network_->RoundWeights(options_.format.aware < 1);
  TrainOffRamps();
  std::string spans = "head\treach\n";
  const std::vector<float> learnt = network_->Spans();
  for (size_t head = 0; head < learnt.size(); ++head) {
    spans +=
        fmt::format("{}\t{:.2f}\n", head + 1, learnt[head] + model_.config.attention_span_ramp);
  }
  Model model;
  model.config = model_.config;
  const std::vector<uint8_t> weights = ToWriter(network_->Export()).Serialize();
  EB_ASSIGN_OR_RETURN(const SafetensorsFile file, SafetensorsFile::Parse("model", weights));
  EB_ASSIGN_OR_RETURN(model.weights, checkpoint::LoadModelWeights(file, model.config));

  std::vector<checkpoint::Tokens> sample;
  for (const int index :
       ShuffledIndices(train_.examples.size(), static_cast<uint64_t>(options_.train.seed))) {
    if (std::ssize(sample) == options_.format.sentences) break;
    sample.push_back(train_.examples[size_t(index)].tokens);
  }
  const checkpoint::CodeFormat format = {model.config.adaptivfloat_bits,
                                         model.config.adaptivfloat_exponent};
  run_.say(fmt::format("calibrating AdaptivFloat<{},{}> on {} sentences", format.code_bits,
                       format.exponent_bits, sample.size()),
           false);
  const checkpoint::ActivationBiases biases = checkpoint::Calibrate(model, sample, format);

  run_.say(
      fmt::format("golden model: {} validation sentences at full depth", valid_.examples.size()),
      false);
  EB_ASSIGN_OR_RETURN(const std::vector<OffRampAnswers> golden, GoldenAnswers(model, biases));
  const std::vector<OffRampAnswers> network = NetworkAnswers();
  constexpr int kThresholds = 100;
  std::string table = "threshold\tmean_exit_layer\taccuracy\tfp32_mean_exit_layer\tfp32_accuracy\n";
  Exit full;
  Exit chosen;
  bool lost = false;  // a smaller threshold already costs too much
  for (int i = 0; i < kThresholds; ++i) {
    const double nats = std::log(static_cast<double>(labels_.size())) * i / kThresholds;
    const double threshold = std::round(nats * 1e4) / 1e4;
    // The accelerator's register has 16 fraction bits.
    const double rounded = std::ldexp(
        checkpoint::ToFixedPoint(threshold, spec::kEntropyFraction, 33), -spec::kEntropyFraction);
    const Exit exit = ExitBelow(rounded, golden);
    const Exit fp32 = ExitBelow(threshold, network);
    table += fmt::format("{:.4f}\t{:.4f}\t{:.4f}\t{:.4f}\t{:.4f}\n", threshold, exit.mean_layer,
                         exit.accuracy, fp32.mean_layer, fp32.accuracy);
    if (i == 0) full = exit;
    lost = lost || exit.accuracy < full.accuracy - options_.exit.loss / 100 - 1e-9;
    if (lost) continue;
    chosen = exit;
    model.config.entropy_threshold = threshold;
  }

  // Everything is written beside the old checkpoint before anything replaces it.
  const fs::path staging = Path("checkpoint.new");
  std::error_code failure;
  fs::remove_all(staging, failure);
  fs::create_directories(staging, failure);
  if (failure) {
    return Error({.file = staging}, "cannot create the folder: " + failure.message(), "train-out");
  }
  const auto write = [&](const char* name, std::span<const uint8_t> bytes) {
    return checkpoint::WriteFileAtomically(staging / name, bytes, "train-out");
  };
  const bool pairs = !valid_.rows[0].pair.empty();
  std::string valid = pairs ? "sentence\tpair\tlabel\n" : "sentence\tlabel\n";
  const auto add_column = [&](std::string text, char end) {
    for (char& c : text) c = c == '\t' || c == '\n' || c == '\r' ? ' ' : c;
    valid += text + end;
  };
  for (size_t i = 0; i < valid_.rows.size(); ++i) {
    add_column(valid_.rows[i].text, '\t');
    if (pairs) add_column(valid_.rows[i].pair, '\t');
    add_column(labels_[size_t(valid_.examples[i].label)], '\n');
  }
  const auto stage = [&]() -> Status {
    EB_RETURN_IF_ERROR(write("model.safetensors", weights));
    EB_RETURN_IF_ERROR(write("tokenizer.model", tokenizer_bytes_));
    EB_RETURN_IF_ERROR(write("config.json", Bytes(SerializeConfig(model.config))));
    EB_RETURN_IF_ERROR(checkpoint::WriteCalibratedModel(staging, biases, staging));
    EB_RETURN_IF_ERROR(write("exits.tsv", Bytes(table)));
    EB_RETURN_IF_ERROR(write("spans.tsv", Bytes(spans)));
    EB_RETURN_IF_ERROR(write("valid.tsv", Bytes(valid)));
    return Ok();
  };
  const Status staged = stage();
  if (!staged.ok()) {
    fs::remove_all(staging, failure);
    return staged;
  }
  for (const char* name : {"model.safetensors", "tokenizer.model", "config.json", "exits.tsv",
                           "spans.tsv", "valid.tsv"}) {
    fs::rename(staging / name, Path(name), failure);
    if (failure) {
      return Error({.file = Path(name)}, "cannot replace the file: " + failure.message(),
                   "train-out");
    }
  }
  fs::remove_all(staging, failure);
  fs::remove(Path("training-state.safetensors"), failure);
  run_.say(fmt::format("full depth: accuracy {:.2f} % (FP32: {:.2f} %); exit below {:.4f} nats: "
                       "{:.2f} %, after {:.2f} of {} layers",
                       100 * full.accuracy, 100 * ExitBelow(0, network).accuracy,
                       model.config.entropy_threshold, 100 * chosen.accuracy, chosen.mean_layer,
                       model.config.num_hidden_layers),
           false);
  run_.say(fmt::format("zeros: {:.1f} % of the encoder, {:.1f} % of the word embeddings; {}",
                       100 * network_->EncoderSparsity(), 100 * network_->EmbeddingSparsity(),
                       Duration(clock_.Seconds())),
           false);
  return Ok();
}

Status Trainer::Train() {
  std::error_code failure;
  fs::create_directories(run_.out, failure);
  if (failure) {
    return Error({.file = run_.out}, "cannot create the folder: " + failure.message(), "train-out");
  }
  EB_RETURN_IF_ERROR(ReadData());
  EB_RETURN_IF_ERROR(ChooseTokenizer());
  EB_RETURN_IF_ERROR(ChooseModel());
  EB_RETURN_IF_ERROR(StartNetwork());
  if (!network_->HasOpenBlas()) {
    run_.say(
        "warning: the BLAS is not OpenBLAS, which is about 17 times faster: install "
        "libopenblas0-pthread",
        false);
  }
  run_.say(
      fmt::format("{} sentences to train on, {} to validate on, {} classes, {} pieces",
                  train_.rows.size(), valid_.rows.size(), labels_.size(), model_.config.vocab_size),
      false);
  EB_RETURN_IF_ERROR(LoadState());
  EB_RETURN_IF_ERROR(TrainMain());
  if (stopped_) return Ok();
  EB_RETURN_IF_ERROR(AverageWithStart());
  return Finish();
}

}  // namespace

Status Train(const Run& run) { return Trainer(run).Train(); }

}  // namespace edgebert::train
