// edgebert-golden: runs a checkpoint on the bit-exact machine, at the scale of a data set.
//
// Exit status: 0 done, 2 bad input.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/program_options.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <future>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "golden/base/result.h"
#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/file.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/checkpoint/sentences.h"
#include "golden/checkpoint/tokenizer.h"
#include "golden/cycle_report.h"
#include "golden/model/cycle_model.h"
#include "golden/model/machine.h"
#include "golden/reference/albert.h"
#include "golden/reference/functions.h"
#include "golden/spec/formats.h"

namespace edgebert {
namespace {

namespace po = boost::program_options;
using checkpoint::Sentence;
using checkpoint::Tokens;
using nlohmann::ordered_json;

struct Arguments {
  std::string model;
  std::string data;
  std::string text;
  std::string pair;
  std::string config;
  std::string image;
  std::string json;
  std::string calibrate;
  std::string out;
  int limit = 0;
  int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  std::optional<double> threshold;  // none: the model's own
  bool reference = false;
  bool pack_weights = false;
  bool cycles = false;
  bool sweep_n = false;
  bool full_size = false;
  int length = 0;  // of the sentence of --full-size; 0: the longest
  model::MemoryTiming memory;
  po::variables_map values;  // for the options of the configuration
};

/// Counts on stderr, once the work has taken two seconds: in place on a terminal, else now and then
/// on a line of its own.
class Progress {
 public:
  explicit Progress(const char* what) : what_(what) {}
  ~Progress() {
    if (shown_ && on_terminal_) fmt::print(stderr, "\n");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(size_t done, size_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ =
        now + (on_terminal_ ? std::chrono::milliseconds(500) : std::chrono::milliseconds(10000));
    shown_ = true;
    fmt::print(stderr, "{}{}: {} of {}{}", on_terminal_ ? "\r" : "", what_, done, total,
               on_terminal_ ? "" : "\n");
    std::fflush(stderr);
  }

 private:
  const char* what_;
  bool on_terminal_ = isatty(STDERR_FILENO) != 0;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_ =
      std::chrono::steady_clock::now() + std::chrono::seconds(2);
};

/// What the reference says of a sentence, had it left by its own threshold, and its logits at every
/// layer.
struct ReferenceAnswer {
  int exit_layer = 0;
  int prediction = 0;
  std::vector<std::vector<double>> logits;
};

double FromFixed(int64_t value) { return std::ldexp(static_cast<double>(value), -16); }

Result<std::vector<Sentence>> ReadSentences(const Arguments& arguments, const std::string& data,
                                            const checkpoint::ModelConfig& config,
                                            const checkpoint::Tokenizer& tokenizer,
                                            int max_tokens) {
  checkpoint::SentenceSource source{.pair = arguments.pair, .data = data, .limit = arguments.limit};
  if (data.empty()) source.texts = {arguments.text};
  return checkpoint::ReadSentences(source, config, tokenizer, max_tokens);
}

Status Calibrate(const Arguments& arguments, const checkpoint::Model& model,
                 const checkpoint::Tokenizer& tokenizer) {
  EB_ASSIGN_OR_RETURN(const std::vector<Sentence> sentences,
                      ReadSentences(arguments, arguments.calibrate, model.config, tokenizer, 0));
  std::vector<Tokens> tokens;
  tokens.reserve(sentences.size());
  for (const Sentence& sentence : sentences) tokens.push_back(sentence.tokens);
  const checkpoint::CodeFormat format{model.config.adaptivfloat_bits,
                                      model.config.adaptivfloat_exponent};
  Progress progress("calibrating");
  const checkpoint::ActivationBiases biases = checkpoint::Calibrate(
      model, tokens, format, [&](size_t done) { progress.Show(done, tokens.size()); });
  EB_RETURN_IF_ERROR(checkpoint::WriteCalibratedModel(arguments.model, biases, arguments.out));
  fmt::print("activation biases of {} sentences, AdaptivFloat<{},{}>\n", tokens.size(),
             format.code_bits, format.exponent_bits);
  for (const checkpoint::ActivationBiasName& name : checkpoint::kActivationBiasNames) {
    fmt::print("  {:<16} {:>4}\n", name.key, biases.*name.member);
  }
  return Ok();
}

/// The configuration of the command line, else one that fits the model.
Result<spec::AcceleratorConfig> ChooseConfig(const Arguments& arguments,
                                             const checkpoint::ModelConfig& model) {
  spec::AcceleratorConfig config;
  if (arguments.config.empty()) {
    config.format = {model.adaptivfloat_bits, model.adaptivfloat_exponent};
    EB_ASSIGN_OR_RETURN(config, checkpoint::FitConfig(model, config));
  } else {
    EB_ASSIGN_OR_RETURN(config, spec::LoadConfig(arguments.config));
  }
  return spec::ApplyConfigOptions(config, arguments.values);
}

ReferenceAnswer AskReference(const reference::Albert& albert, const Tokens& tokens,
                             double threshold) {
  const reference::ForwardResult forward = albert.Forward(tokens.ids, tokens.types);
  ReferenceAnswer answer;
  for (const reference::LayerResult& layer : forward.layers) {
    answer.logits.push_back(layer.logits);
    const int number = static_cast<int>(answer.logits.size());
    if (answer.exit_layer == 0 && layer.entropy < threshold) answer.exit_layer = number;
  }
  if (answer.exit_layer == 0) answer.exit_layer = static_cast<int>(forward.layers.size());
  answer.prediction = reference::Predict(answer.logits[size_t(answer.exit_layer - 1)]);
  return answer;
}

/// Sums over the sentences.
struct Totals {
  size_t sentences = 0;
  size_t labelled = 0;
  size_t tokens = 0;
  size_t correct = 0;
  size_t saturated = 0;
  uint64_t exit_layers = 0;
  std::vector<size_t> exits;  // of each layer
  model::Counts counts;
  // Against the reference.
  size_t reference_correct = 0;
  uint64_t reference_exit_layers = 0;
  size_t same_answer = 0;
  double largest_logit_difference = 0;
};

class Runner {
 public:
  Runner(const Arguments& arguments, const checkpoint::Model& model,
         const spec::AcceleratorConfig& config, const model::Image& image)
      : arguments_(arguments), model_(model), config_(config), image_(image) {
    threshold_ = arguments.threshold.value_or(model.config.entropy_threshold);
    totals_.exits.resize(size_t(image.facts.layers));
  }

  /// Sentences are independent: each thread takes the next one that nobody has.
  Status Run(const std::vector<Sentence>& sentences) {
    std::optional<reference::Albert> albert;
    if (arguments_.reference) albert.emplace(model_);
    const auto register_value =
        static_cast<uint32_t>(checkpoint::ToFixedPoint(threshold_, spec::kEntropyFraction, 33));
    std::vector<model::SentenceResult> results(sentences.size());
    std::vector<ReferenceAnswer> answers(sentences.size());
    std::vector<model::CyclePrediction> cycles(sentences.size());
    const model::CycleModel cycle_model(config_, image_, arguments_.memory);
    std::atomic<size_t> next = 0;
    std::atomic<size_t> done = 0;
    const auto work = [&] {
      model::Machine machine(config_, image_);
      for (size_t i = next++; i < sentences.size(); i = next++) {
        const std::vector<uint32_t> tokens = checkpoint::TokenWords(sentences[i].tokens);
        results[i] = machine.Run(tokens, register_value);
        if (results[i].error == spec::ErrorCode::kNone) {
          cycles[i] = cycle_model.Predict(tokens, results[i].exit_layer);
        }
        if (albert) answers[i] = AskReference(*albert, sentences[i].tokens, threshold_);
        ++done;
      }
    };
    std::vector<std::future<void>> threads;
    const size_t count =
        std::clamp<size_t>(static_cast<size_t>(arguments_.threads), 1, sentences.size());
    for (size_t i = 0; i < count; ++i) threads.push_back(std::async(std::launch::async, work));
    Progress progress("sentences");
    for (std::future<void>& thread : threads) {
      while (thread.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
        progress.Show(done, sentences.size());
      }
      thread.get();
    }
    for (size_t i = 0; i < sentences.size(); ++i) {
      const model::SentenceResult& result = results[i];
      if (result.error != spec::ErrorCode::kNone) {
        return Error(
            {},
            fmt::format("the machine stopped with error {} (detail {}) at '{}'",
                        static_cast<int>(result.error), result.error_detail, sentences[i].text),
            "golden-machine");
      }
      Add(sentences[i], result, cycles[i]);
      if (albert) Compare(sentences[i], result, answers[i]);
    }
    return Ok();
  }

  /// What a sweep needs: tokens and exit layer of each sentence.
  [[nodiscard]] const std::vector<SweptSentence>& swept() const { return swept_; }

  void Print() const;
  [[nodiscard]] ordered_json Json() const;

 private:
  void Add(const Sentence& sentence, const model::SentenceResult& result,
           const model::CyclePrediction& cycles);
  void Compare(const Sentence& sentence, const model::SentenceResult& result,
               const ReferenceAnswer& answer);
  /// Mean over the sentences.
  [[nodiscard]] double Mean(uint64_t sum) const {
    return static_cast<double>(sum) / static_cast<double>(totals_.sentences);
  }
  [[nodiscard]] double Accuracy(size_t correct) const {
    return static_cast<double>(correct) / static_cast<double>(totals_.labelled);
  }

  const Arguments& arguments_;
  const checkpoint::Model& model_;
  const spec::AcceleratorConfig& config_;
  const model::Image& image_;
  double threshold_ = 0;
  Totals totals_;
  CycleTotals cycles_;
  std::vector<SweptSentence> swept_;
  std::vector<ordered_json> results_;
};

void Runner::Add(const Sentence& sentence, const model::SentenceResult& result,
                 const model::CyclePrediction& cycles) {
  cycles_.Add(cycles);
  swept_.push_back({checkpoint::TokenWords(sentence.tokens), result.exit_layer});
  ++totals_.sentences;
  totals_.tokens += sentence.tokens.ids.size();
  totals_.exit_layers += static_cast<uint64_t>(result.exit_layer);
  ++totals_.exits[size_t(result.exit_layer - 1)];
  totals_.saturated += result.saturated ? 1 : 0;
  totals_.counts += result.counts;
  if (sentence.label) {
    ++totals_.labelled;
    totals_.correct += *sentence.label == result.prediction ? 1 : 0;
  }

  ordered_json json;
  json["text"] = sentence.text;
  if (sentence.label) json["label"] = *sentence.label;
  json["predicted"] = result.prediction;
  json["exit_layer"] = result.exit_layer;
  for (const uint32_t entropy : result.entropies) json["entropy"].push_back(FromFixed(entropy));
  for (const int32_t logit : result.logits) json["logits"].push_back(FromFixed(logit));
  json["tokens"] = sentence.tokens.ids;
  json["mac_cycles"] = result.counts.mac_rows;
  json["predicted_cycles"] = cycles.cycles;
  results_.push_back(std::move(json));
}

void Runner::Compare(const Sentence& sentence, const model::SentenceResult& result,
                     const ReferenceAnswer& answer) {
  if (sentence.label) totals_.reference_correct += *sentence.label == answer.prediction ? 1 : 0;
  totals_.reference_exit_layers += static_cast<uint64_t>(answer.exit_layer);
  totals_.same_answer += answer.prediction == result.prediction ? 1 : 0;
  const std::vector<double>& logits = answer.logits[size_t(result.exit_layer - 1)];
  double largest = 0;
  for (size_t c = 0; c < logits.size(); ++c) {
    largest = std::max(largest, std::fabs(logits[c] - FromFixed(result.logits[c])));
  }
  totals_.largest_logit_difference = std::max(totals_.largest_logit_difference, largest);
  results_.back()["reference"] = {{"predicted", answer.prediction},
                                  {"exit_layer", answer.exit_layer},
                                  {"logit_difference", largest}};
}

void Runner::Print() const {
  const model::Counts& counts = totals_.counts;
  const auto row = [](const char* name, const std::string& value) {
    fmt::print("{:<28} {}\n", name, value);
  };
  row("model",
      fmt::format("{}: {} layers, hidden {}, {} heads", image_.facts.name, image_.facts.layers,
                  model_.config.hidden_size, model_.config.num_attention_heads));
  row("accelerator", fmt::format("n = {}, AdaptivFloat<{},{}>, {}-bit weight stream",
                                 image_.format.lanes, image_.format.code_bits,
                                 image_.format.exponent_bits, image_.format.axi_data_bits));
  row("sentences", fmt::format("{}, {:.1f} tokens each", totals_.sentences, Mean(totals_.tokens)));
  row("entropy threshold", fmt::format("{:.4g} nats", threshold_));
  if (totals_.labelled > 0) {
    row("accuracy", fmt::format("{:.2f} %", 100 * Accuracy(totals_.correct)));
  }
  if (totals_.sentences == 1) {
    const int predicted = results_[0]["predicted"];
    row("answer", fmt::format("{} (class {})", image_.facts.labels[size_t(predicted)], predicted));
  }
  row("mean exit layer", fmt::format("{:.3f}", Mean(totals_.exit_layers)));
  row("exits after layer 1, 2, ..", fmt::format("{}", fmt::join(totals_.exits, " ")));
  row("predicted cycles",
      fmt::format(
          "{:.0f} a sentence, {:.1f} % of them MAC cycles", cycles_.Mean(cycles_.cycles),
          100.0 * static_cast<double>(cycles_.Array().mac) / static_cast<double>(cycles_.cycles)));
  row("ideal MAC cycles", fmt::format("{:.0f} a sentence", Mean(counts.mac_rows)));
  row("  with a zero vector",
      fmt::format("{:.1f} %", 100.0 * static_cast<double>(counts.gated_rows) /
                                  static_cast<double>(counts.mac_rows)));
  const double products =
      static_cast<double>(counts.mac_rows) * image_.format.lanes * image_.format.lanes;
  row("  with a zero operand",
      fmt::format("{:.1f} % of the products",
                  100 - 100 * static_cast<double>(counts.live_products) / products));
  row("held tiles", fmt::format("{:.0f} a sentence", Mean(counts.tiles)));
  row("weight stream", fmt::format("{:.0f} bytes a sentence",
                                   Mean(counts.weight_beats) * image_.format.axi_data_bits / 8));
  row("image",
      fmt::format("{} bytes of weights, {} of ReRAM, {} instructions", image_.weights.size(),
                  image_.reram.slc.size() + image_.reram.mlc.size(), image_.program.size()));
  if (totals_.saturated > 0) {
    row("accumulator saturated", fmt::format("in {} sentences", totals_.saturated));
  }
  if (arguments_.cycles) PrintCycles(cycles_, image_);
  if (!arguments_.reference) return;
  fmt::print("\n{:<28} {:>12} {:>12}\n", "", "golden", "reference");
  if (totals_.labelled > 0) {
    fmt::print("{:<28} {:>10.2f} % {:>10.2f} %\n", "accuracy", 100 * Accuracy(totals_.correct),
               100 * Accuracy(totals_.reference_correct));
  }
  fmt::print("{:<28} {:>12.3f} {:>12.3f}\n", "mean exit layer", Mean(totals_.exit_layers),
             Mean(totals_.reference_exit_layers));
  row("same answer", fmt::format("{:.2f} %", 100 * Mean(totals_.same_answer)));
  row("largest logit difference", fmt::format("{:.3f}", totals_.largest_logit_difference));
}

ordered_json Runner::Json() const {
  ordered_json summary;
  summary["model"] = image_.facts.name;
  summary["config_hash"] = fmt::format("{:08x}", spec::ConfigHash(config_));
  summary["threshold"] = threshold_;
  summary["sentences"] = totals_.sentences;
  summary["mean_tokens"] = Mean(totals_.tokens);
  if (totals_.labelled > 0) summary["accuracy"] = Accuracy(totals_.correct);
  summary["mean_exit_layer"] = Mean(totals_.exit_layers);
  summary["exits"] = totals_.exits;
  summary["saturated_sentences"] = totals_.saturated;
  summary["mean_predicted_cycles"] = cycles_.Mean(cycles_.cycles);
  summary["memory_latency"] = arguments_.memory.latency;
  summary["mean_mac_cycles"] = Mean(totals_.counts.mac_rows);
  summary["mean_gated_rows"] = Mean(totals_.counts.gated_rows);
  summary["mean_tiles"] = Mean(totals_.counts.tiles);
  summary["mean_weight_beats"] = Mean(totals_.counts.weight_beats);
  summary["mean_weight_nonzeros"] = Mean(totals_.counts.weight_nonzeros);
  summary["image"] = {{"weight_bytes", image_.weights.size()},
                      {"slc_bytes", image_.reram.slc.size()},
                      {"mlc_bytes", image_.reram.mlc.size()},
                      {"instructions", image_.program.size()}};
  if (arguments_.reference) {
    ordered_json& reference = summary["reference"];
    if (totals_.labelled > 0) reference["accuracy"] = Accuracy(totals_.reference_correct);
    reference["mean_exit_layer"] = Mean(totals_.reference_exit_layers);
    reference["same_answer"] = Mean(totals_.same_answer);
    reference["largest_logit_difference"] = totals_.largest_logit_difference;
  }
  return {{"sentences", results_}, {"summary", summary}};
}

/// Cycles of a dense random model of the configuration's full size, at full depth: they do not
/// depend on what the weights are.
Status PredictFullSize(const Arguments& arguments) {
  spec::AcceleratorConfig config;
  if (!arguments.config.empty()) {
    EB_ASSIGN_OR_RETURN(config, spec::LoadConfig(arguments.config));
  }
  EB_ASSIGN_OR_RETURN(config, spec::ApplyConfigOptions(config, arguments.values));
  const int length = arguments.length == 0 ? config.model.seq_len : arguments.length;
  if (length > config.model.seq_len) {
    return Error({.file = "command line"},
                 fmt::format("--length must be at most {}", config.model.seq_len), "golden-option");
  }
  const checkpoint::ModelConfig model = checkpoint::LargestModelConfig(config);
  const checkpoint::ModelWeights weights =
      checkpoint::RandomModelWeights(model, config.vmac.n, 1, {0, 0, 0});
  const auto build = [&](const spec::AcceleratorConfig& sized) {
    return checkpoint::BuildImage(model, weights, {}, sized, {.name = "full size"});
  };
  EB_ASSIGN_OR_RETURN(const model::Image image, build(config));
  const std::vector<SweptSentence> sentences = {
      {checkpoint::TokenWords(checkpoint::RandomSentences(model, length, 1, 1).front()),
       model.num_hidden_layers}};
  CycleTotals totals;
  totals.Add(model::CycleModel(config, image, arguments.memory)
                 .Predict(sentences.front().tokens, sentences.front().layers));
  fmt::print("{:<28} dense, {} layers, hidden {}, {} heads\n", "model", model.num_hidden_layers,
             model.hidden_size, model.num_attention_heads);
  fmt::print("{:<28} {} for {} tokens, {:.1f} % of them MAC cycles\n", "predicted cycles",
             totals.cycles, length,
             100.0 * static_cast<double>(totals.Array().mac) / static_cast<double>(totals.cycles));
  if (arguments.cycles) PrintCycles(totals, image);
  if (!arguments.sweep_n) return Ok();
  return PrintArraySizes(config, arguments.memory, sentences, 1, build);
}

Status Execute(const Arguments& arguments) {
  if (!arguments.json.empty()) {
    EB_RETURN_IF_ERROR(checkpoint::CheckWritable(arguments.json, "golden-json"));
  }
  EB_ASSIGN_OR_RETURN(const checkpoint::Model model, checkpoint::LoadModel(arguments.model));
  EB_ASSIGN_OR_RETURN(
      const checkpoint::Tokenizer tokenizer,
      checkpoint::Tokenizer::Load(arguments.model + "/tokenizer.model", model.config));
  if (!arguments.calibrate.empty()) return Calibrate(arguments, model, tokenizer);

  EB_ASSIGN_OR_RETURN(const spec::AcceleratorConfig config, ChooseConfig(arguments, model.config));
  EB_ASSIGN_OR_RETURN(const checkpoint::ActivationBiases stored,
                      checkpoint::ReadActivationBiases(arguments.model));
  const checkpoint::ActivationBiases biases = checkpoint::Rebase(
      stored, {model.config.adaptivfloat_bits, model.config.adaptivfloat_exponent},
      checkpoint::FormatOf(config));
  const std::string name = std::filesystem::absolute(arguments.model).lexically_normal().filename();
  const auto build = [&](const spec::AcceleratorConfig& sized) {
    return checkpoint::BuildImage(
        model.config, model.weights, biases, sized,
        {.name = name.empty() ? arguments.model : name, .pack_weights = arguments.pack_weights});
  };
  const Result<model::Image> built = build(config);
  if (!built.ok()) return built.error().Placed({.file = arguments.model + "/config.json"});
  const model::Image& image = *built;
  std::vector<Sentence> sentences;
  if (!arguments.data.empty() || !arguments.text.empty()) {
    EB_ASSIGN_OR_RETURN(sentences, ReadSentences(arguments, arguments.data, model.config, tokenizer,
                                                 config.model.seq_len));
  }
  if (!arguments.image.empty()) EB_RETURN_IF_ERROR(model::SaveImage(image, arguments.image));
  if (sentences.empty()) return Ok();

  Runner runner(arguments, model, config, image);
  EB_RETURN_IF_ERROR(runner.Run(sentences));
  if (!arguments.json.empty()) {
    const std::string text = runner.Json().dump(2) + "\n";
    EB_RETURN_IF_ERROR(checkpoint::WriteFileAtomically(
        arguments.json, {reinterpret_cast<const uint8_t*>(text.data()), text.size()},
        "golden-json"));
  }
  runner.Print();
  if (!arguments.sweep_n) return Ok();
  return PrintArraySizes(config, arguments.memory, runner.swept(), arguments.threads, build);
}

/// Rules between the options.
Status CheckArguments(const Arguments& arguments) {
  Error error;
  const auto fail = [&](const char* message) {
    error.Add({.file = "command line"}, message, "golden-option");
  };
  if (arguments.full_size) {
    const bool runs = !arguments.model.empty() || !arguments.data.empty() ||
                      !arguments.text.empty() || !arguments.image.empty() ||
                      !arguments.json.empty() || !arguments.calibrate.empty() ||
                      arguments.reference || arguments.limit != 0 || arguments.threshold;
    if (runs) {
      fail(
          "--full-size runs no sentences: give it only a configuration, --length, --latency, "
          "--cycles and --sweep-n");
    }
  } else if (arguments.model.empty()) {
    fail("the option '--model' is required but missing");
  } else if (arguments.calibrate.empty()) {
    if (!arguments.data.empty() && !arguments.text.empty()) fail("both --data and --text given");
    if (arguments.data.empty() && arguments.text.empty() && arguments.image.empty()) {
      fail("nothing to do: give --data, --text, --image or --calibrate");
    }
    if (!arguments.pair.empty() && arguments.text.empty()) fail("--pair needs --text");
    if (!arguments.out.empty()) fail("--out needs --calibrate");
  } else if (arguments.out.empty()) {
    fail("--calibrate needs --out");
  }
  if (arguments.length < 0) fail("--length must not be negative");
  if (arguments.length != 0 && !arguments.full_size) fail("--length is for --full-size");
  if (arguments.memory.latency < 1 || arguments.memory.latency > 10'000) {
    fail("--latency must be from 1 to 10000");
  }
  if (arguments.limit < 0) fail("--limit must not be negative");
  if (arguments.threads < 1 || arguments.threads > 1024) fail("--threads must be from 1 to 1024");
  const double threshold = arguments.threshold.value_or(0);
  if (!(threshold >= 0 && threshold <= 65535)) fail("--threshold must be from 0 to 65535");
  if (!error.empty()) return error;
  return Ok();
}

int Main(int argc, const char* const* argv) {
  Arguments arguments;
  po::options_description options(
      "edgebert-golden --model DIR (--data FILE.tsv | --text TEXT | --image FILE)\n"
      "edgebert-golden --model DIR --calibrate FILE.tsv --out DIR\n"
      "edgebert-golden --full-size --config FILE\n\nOptions");
  options.add_options()("help", "print this text")(
      "model", po::value(&arguments.model)->value_name("DIR"),
      "folder with config.json, model.safetensors and tokenizer.model")(
      "data", po::value(&arguments.data)->value_name("FILE"),
      "sentences to run: sentence<TAB>label a line, after a header line")(
      "limit", po::value(&arguments.limit)->value_name("N"), "run only the first N sentences")(
      "text", po::value(&arguments.text)->value_name("TEXT"), "one sentence to run")(
      "pair", po::value(&arguments.pair)->value_name("TEXT"), "second sentence of --text")(
      "threshold", po::value<double>()->value_name("T"),
      "exit below this entropy [nats]; 0 is full depth; default: the model's own")(
      "json", po::value(&arguments.json)->value_name("FILE"), "write every result here")(
      "threads", po::value(&arguments.threads)->value_name("N"),
      "sentences at the same time; default: one a processor")(
      "reference", po::bool_switch(&arguments.reference),
      "run the double-precision reference too, and compare")(
      "config", po::value(&arguments.config)->value_name("FILE"),
      "accelerator configuration; default: one that fits the model")(
      "cycles", po::bool_switch(&arguments.cycles),
      "print where the predicted cycles go, by operation and by what the array waits for")(
      "sweep-n", po::bool_switch(&arguments.sweep_n),
      "predict the cycles of arrays of 4, 8, 16 and 32 VMACs")(
      "latency", po::value(&arguments.memory.latency)->value_name("CYCLES"),
      "of the memory that cycles are predicted for; default: 16")(
      "full-size", po::bool_switch(&arguments.full_size),
      "instead of --model: predict the cycles of a dense model of the configuration's full size")(
      "length", po::value(&arguments.length)->value_name("N"),
      "tokens of the sentence of --full-size; default: the longest")(
      "image", po::value(&arguments.image)->value_name("FILE"), "write the image here")(
      "pack-weights", po::bool_switch(&arguments.pack_weights),
      "reorder neurons where that empties tiles of weights; same answers")(
      "calibrate", po::value(&arguments.calibrate)->value_name("FILE"),
      "find the activation biases on these sentences (--limit: on the first N)")(
      "out", po::value(&arguments.out)->value_name("DIR"),
      "write the calibrated model here; may be the folder of --model");
  po::options_description config_options("Configuration, over that of --config");
  spec::AddConfigOptions(config_options);
  options.add(config_options);
  try {
    po::store(po::command_line_parser(argc, argv).options(options).positional({}).run(),
              arguments.values);
    if (arguments.values.contains("help")) {
      std::cout << options;
      return 0;
    }
    po::notify(arguments.values);
    if (arguments.values.contains("threshold")) {
      arguments.threshold = arguments.values["threshold"].as<double>();
    }
  } catch (const po::error& error) {
    fmt::print(stderr, "{}\n",
               Error({.file = "command line"}, error.what(), "golden-option").Format());
    return 2;
  }
  const auto run = [&]() -> Status {
    EB_RETURN_IF_ERROR(CheckArguments(arguments));
    return arguments.full_size ? PredictFullSize(arguments) : Execute(arguments);
  };
  const Status status = run();
  if (!status.ok()) {
    fmt::print(stderr, "{}\n", status.error().Format());
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace edgebert

int main(int argc, char** argv) { return edgebert::Main(argc, argv); }
