#include "cosim/program/workload.h"

#include <algorithm>
#include <filesystem>

#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/model_weights.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/checkpoint/reram_faults.h"
#include "golden/checkpoint/sentences.h"
#include "golden/checkpoint/tokenizer.h"
#include "golden/model/machine.h"
#include "golden/spec/formats.h"

namespace edgebert::cosim {
namespace {

using checkpoint::Tokens;

constexpr int kRandomSentences = 4;
constexpr int kCalibrationSentences = 8;

Result<std::vector<Sentence>> ReadSentences(const Options& options,
                                            const checkpoint::ModelConfig& model, int max_tokens) {
  EB_ASSIGN_OR_RETURN(const checkpoint::Tokenizer tokenizer,
                      checkpoint::Tokenizer::Load(options.model + "/tokenizer.model", model));
  EB_ASSIGN_OR_RETURN(const std::vector<checkpoint::Sentence> read,
                      checkpoint::ReadSentences({.texts = options.text,
                                                 .pair = options.pair,
                                                 .data = options.data,
                                                 .first = options.first,
                                                 .limit = options.limit},
                                                model, tokenizer, max_tokens));
  std::vector<Sentence> sentences;
  for (const checkpoint::Sentence& sentence : read) {
    sentences.push_back(
        {sentence.number, sentence.text, sentence.label, checkpoint::TokenWords(sentence.tokens)});
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

Result<Workload> PrepareWorkload(const Options& options, const ModelEdit& edit) {
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
    workload.model = options.full_size ? checkpoint::LargestModelConfig(workload.config)
                                       : checkpoint::RandomModelConfig(workload.config, seed);
    weights = checkpoint::RandomModelWeights(
        workload.model, workload.config.vmac.n, seed,
        options.full_size ? checkpoint::Pruning{0, 0, 0} : checkpoint::Pruning{});
    biases = checkpoint::Calibrate(
        {workload.model, weights},
        checkpoint::RandomSentences(workload.model, workload.config.model.seq_len,
                                    options.full_size ? 1 : kCalibrationSentences, seed),
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
    EB_ASSIGN_OR_RETURN(workload.sentences,
                        ReadSentences(options, workload.model, workload.config.model.seq_len));
  }
  if (edit) edit(workload.model, weights);
  Result<model::Image> image =
      checkpoint::BuildImage(workload.model, weights, biases, workload.config,
                             {.name = name, .pack_weights = options.pack_weights});
  if (!image.ok()) return image.error().Placed({.file = options.model + "/config.json"});
  workload.image = *std::move(image);
  checkpoint::InjectFaults({.rate = options.reram_faults,
                            .seed = options.fault_map,
                            .code_bits = workload.config.reram.bits_per_cell},
                           &workload.image);
  EB_RETURN_IF_ERROR(model::Machine::Check(workload.config, workload.image));
  workload.threshold = options.threshold.value_or(workload.model.entropy_threshold);
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
