#include "cosim/program/workload.h"

#include <algorithm>
#include <filesystem>

#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/dataset.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/model_weights.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/checkpoint/tokenizer.h"
#include "golden/model/machine.h"
#include "golden/spec/formats.h"

namespace edgebert::cosim {
namespace {

using checkpoint::Tokens;

constexpr int kRandomSentences = 4;
constexpr int kCalibrationSentences = 8;

Error At(const SourceSpan& where, const Error& error) {
  Error placed;
  for (const Diagnostic& diagnostic : error.diagnostics()) {
    placed.Add(where, diagnostic.message, diagnostic.rule);
  }
  return placed;
}

Result<std::vector<Sentence>> ReadSentences(const Options& options,
                                            const checkpoint::ModelConfig& model) {
  EB_ASSIGN_OR_RETURN(const checkpoint::Tokenizer tokenizer,
                      checkpoint::Tokenizer::Load(options.model + "/tokenizer.model", model));
  std::vector<Sentence> sentences;
  const int limit = options.limit == 0 ? 0 : options.first + options.limit;
  for (int i = options.first; i < std::ssize(options.text) && (limit == 0 || i < limit); ++i) {
    const std::string& text = options.text[static_cast<size_t>(i)];
    const Result<Tokens> tokens =
        options.pair.empty() ? tokenizer.Encode(text) : tokenizer.EncodePair(text, options.pair);
    if (!tokens.ok()) return At({.file = "command line"}, tokens.error());
    sentences.push_back({i, text, std::nullopt, checkpoint::TokenWords(*tokens)});
  }
  if (!sentences.empty()) return sentences;
  if (!options.text.empty()) {
    return Error({"command line"}, fmt::format("no sentence after the first {}", options.first),
                 "cosim-option");
  }
  EB_ASSIGN_OR_RETURN(const std::vector<checkpoint::Example> examples,
                      checkpoint::ReadDataset(options.data, model.labels, limit));
  Error error;
  for (size_t i = static_cast<size_t>(options.first); i < examples.size(); ++i) {
    const checkpoint::Example& example = examples[i];
    const Result<Tokens> tokens =
        tokenizer.Encode(example.sentence, checkpoint::Overflow::kTruncate);
    if (tokens.ok()) {
      sentences.push_back(
          {static_cast<int>(i), example.sentence, example.label, checkpoint::TokenWords(*tokens)});
    } else {
      error.Append(At({.file = options.data, .line = example.line}, tokens.error()));
    }
  }
  if (!error.empty()) return error;
  if (sentences.empty()) {
    return Error({options.data}, fmt::format("no sentence after the first {}", options.first),
                 "cosim-option");
  }
  return sentences;
}

std::vector<Sentence> RandomSentences(const Options& options, const checkpoint::ModelConfig& model,
                                      int seq_len, uint64_t seed) {
  const int count = options.limit == 0 ? kRandomSentences : options.limit;
  std::vector<Tokens> tokens;
  if (options.length == 0) {
    tokens = checkpoint::RandomSentences(model, seq_len, options.first + count, seed);
  } else {
    for (int i = 0; i < options.first + count; ++i) {
      tokens.push_back(checkpoint::RandomSentences(model, options.length, 1,
                                                   seed + static_cast<uint64_t>(i))[0]);
    }
  }
  std::vector<Sentence> sentences;
  for (int i = options.first; i < options.first + count; ++i) {
    const Tokens& words = tokens[static_cast<size_t>(i)];
    sentences.push_back({i, fmt::format("random, {} tokens", words.ids.size()), std::nullopt,
                         checkpoint::TokenWords(words)});
  }
  return sentences;
}

/// Rows through the array for one sentence of the longest length on the same hardware without any
/// of EdgeBERT's savings: every weight tile, every key, every layer.
uint64_t DenseMacRows(const checkpoint::ModelConfig& model, const spec::AcceleratorConfig& config) {
  const int n = config.vmac.n;
  const auto tiles = [n](int size) { return static_cast<uint64_t>(spec::CeilDiv(size, n)); };
  const auto rows =
      static_cast<uint64_t>(std::min(model.max_position_embeddings, config.model.seq_len));
  const uint64_t hidden = tiles(model.hidden_size);
  const uint64_t heads = static_cast<uint64_t>(model.num_attention_heads);
  const uint64_t head = heads * tiles(model.HeadSize());
  const uint64_t keys = tiles(static_cast<int>(rows));
  const uint64_t layer =
      rows * (4 * hidden * head + 2 * keys * head + 2 * hidden * tiles(model.intermediate_size));
  const uint64_t off_ramp =
      (model.off_ramp_pooler ? hidden * hidden : 0) + hidden * tiles(model.num_labels());
  return rows * tiles(model.embedding_size) * hidden +
         static_cast<uint64_t>(model.num_hidden_layers) *
             (static_cast<uint64_t>(model.inner_group_num) * layer + off_ramp);
}

}  // namespace

Result<Workload> PrepareWorkload(const Options& options) {
  Workload workload;
  if (!options.config_file.empty()) {
    EB_ASSIGN_OR_RETURN(workload.config, spec::LoadConfig(options.config_file));
    EB_ASSIGN_OR_RETURN(workload.config, options.ApplyOverrides(workload.config));
  }
  checkpoint::ModelWeights weights;
  checkpoint::ActivationBiases biases;
  std::string name;
  if (options.random_model) {
    const uint64_t seed = *options.random_model;
    const checkpoint::CodeFormat format = checkpoint::FormatOf(workload.config);
    workload.model = checkpoint::RandomModelConfig(workload.config, seed);
    weights = checkpoint::RandomModelWeights(workload.model, workload.config.vmac.n, seed);
    biases = checkpoint::Calibrate(
        {workload.model, weights},
        checkpoint::RandomSentences(workload.model, workload.config.model.seq_len,
                                    kCalibrationSentences, seed),
        format);
    name = fmt::format("random model {}", seed);
    const int longest =
        std::min(workload.model.max_position_embeddings, workload.config.model.seq_len);
    if (options.length > longest) {
      return Error({.file = "command line"}, fmt::format("--length must be at most {}", longest),
                   "cosim-option");
    }
    workload.sentences = RandomSentences(options, workload.model, longest, seed);
  } else {
    EB_ASSIGN_OR_RETURN(checkpoint::Model model, checkpoint::LoadModel(options.model));
    workload.model = model.config;
    weights = std::move(model.weights);
    const checkpoint::CodeFormat own{workload.model.adaptivfloat_bits,
                                     workload.model.adaptivfloat_exponent};
    if (options.config_file.empty()) {
      workload.config.format = {own.code_bits, own.exponent_bits};
      EB_ASSIGN_OR_RETURN(workload.config, checkpoint::FitConfig(workload.model, workload.config));
      EB_ASSIGN_OR_RETURN(workload.config, options.ApplyOverrides(workload.config));
    }
    EB_ASSIGN_OR_RETURN(const checkpoint::ActivationBiases stored,
                        checkpoint::ReadActivationBiases(options.model));
    biases = checkpoint::Rebase(stored, own, checkpoint::FormatOf(workload.config));
    name = std::filesystem::absolute(options.model).lexically_normal().filename();
    if (name.empty()) name = options.model;
    EB_ASSIGN_OR_RETURN(workload.sentences, ReadSentences(options, workload.model));
  }
  EB_ASSIGN_OR_RETURN(workload.image, checkpoint::BuildImage(workload.model, weights, biases,
                                                             workload.config, {.name = name}));
  EB_RETURN_IF_ERROR(model::Machine::Check(workload.config, workload.image));
  workload.threshold = options.threshold < 0 ? workload.model.entropy_threshold : options.threshold;
  workload.threshold_register = static_cast<uint32_t>(
      checkpoint::ToFixedPoint(workload.threshold, spec::kEntropyFraction, 33));
  workload.dense_mac_rows = DenseMacRows(workload.model, workload.config);
  if (options.rtl_from) {
    if (workload.sentences.size() != 1) {
      return Error({"command line"}, "--rtl-from is for one sentence: give --limit 1",
                   "cosim-option");
    }
    EB_ASSIGN_OR_RETURN(
        model::ProgramSlice slice,
        model::SliceProgram(workload.config, workload.image, workload.sentences[0].tokens,
                            workload.threshold_register, *options.rtl_from, *options.rtl_to));
    workload.image = std::move(slice.image);
    workload.start = std::move(slice.start);
  }
  return workload;
}

}  // namespace edgebert::cosim
