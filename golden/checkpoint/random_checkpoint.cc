#include "golden/checkpoint/random_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>

#include "golden/checkpoint/file.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/model_writer.h"

namespace edgebert::checkpoint {
namespace {

/// The standard fixes the engine but not the distributions, so these are our own.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  /// Uniform in [low, high].
  int Integer(int low, int high) {
    return low + static_cast<int>(engine_() % (uint64_t(high - low) + 1));
  }
  bool Chance(double probability) { return Uniform() < probability; }
  /// Uniform in [0, 1).
  double Uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  /// About normal, variance 1: the sum of 12 uniforms, so never beyond 6.
  double Normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += Uniform();
    return sum;
  }

 private:
  std::mt19937_64 engine_;
};

std::vector<float> Vector(Random& random, int size, double mean, double deviation) {
  std::vector<float> values(static_cast<size_t>(size));
  for (float& value : values) value = static_cast<float>(mean + deviation * random.Normal());
  return values;
}

/// Half of the elements, some blocks of lanes x lanes, and some rows of blocks are zero.
struct Pattern {
  Pruning pruning;
  int lanes;
};

Matrix SparseMatrix(Random& random, int rows, int columns, double deviation,
                    const Pattern& pattern) {
  Matrix matrix{rows, columns, Vector(random, rows * columns, 0, deviation)};
  for (float& value : matrix.values) {
    if (random.Chance(pattern.pruning.elements)) value = 0;
  }
  const int lanes = pattern.lanes;
  for (int row = 0; row < rows; row += lanes) {
    const bool whole_row = random.Chance(pattern.pruning.tile_rows);
    for (int column = 0; column < columns; column += lanes) {
      if (!whole_row && !random.Chance(pattern.pruning.tiles)) continue;
      for (int r = row; r < std::min(row + lanes, rows); ++r) {
        for (int c = column; c < std::min(column + lanes, columns); ++c) {
          matrix.values[size_t(r) * size_t(columns) + size_t(c)] = 0;
        }
      }
    }
  }
  return matrix;
}

LinearWeights Linear(Random& random, int outputs, int inputs, const Pattern& pattern) {
  // Keeps the variance of the output near that of the input.
  const double deviation = std::sqrt(1.0 / ((1 - pattern.pruning.elements) * inputs));
  return {SparseMatrix(random, outputs, inputs, deviation, pattern),
          Vector(random, outputs, 0, 0.1)};
}

LayerNormWeights Norm(Random& random, int size) {
  return {Vector(random, size, 1, 0.1), Vector(random, size, 0, 0.1)};
}

LayerWeights Layer(Random& random, const ModelConfig& config, const Pattern& pattern) {
  const int hidden = config.hidden_size;
  return {.query = Linear(random, hidden, hidden, pattern),
          .key = Linear(random, hidden, hidden, pattern),
          .value = Linear(random, hidden, hidden, pattern),
          .attention_output = Linear(random, hidden, hidden, pattern),
          .attention_norm = Norm(random, hidden),
          .ffn = Linear(random, config.intermediate_size, hidden, pattern),
          .ffn_output = Linear(random, hidden, config.intermediate_size, pattern),
          .output_norm = Norm(random, hidden)};
}

OffRampWeights OffRamp(Random& random, const ModelConfig& config, const Pattern& pattern) {
  OffRampWeights ramp;
  if (config.off_ramp_pooler) {
    ramp.pooler = Linear(random, config.hidden_size, config.hidden_size, pattern);
  }
  ramp.classifier = Linear(random, config.num_labels(), config.hidden_size, pattern);
  return ramp;
}

/// A SentencePiece ModelProto (protocol buffers): field 1 of it is one piece, of which field 1 is
/// the text, 2 the score and 3 the type (1 normal, 2 unknown, 3 control).
std::vector<uint8_t> SerializeTokenizer(const ModelConfig& config) {
  std::vector<uint8_t> bytes;
  for (int id = 0; id < config.vocab_size; ++id) {
    uint8_t type = 1;
    std::string text = fmt::format("\u2581t{}", id);
    if (id == config.unk_token_id) {
      type = 2;
      text = "<unk>";
    } else if (id == config.cls_token_id || id == config.sep_token_id ||
               id == config.pad_token_id) {
      type = 3;
      text = fmt::format("[{}]", id);
    }
    std::vector<uint8_t> piece = {0x0A, static_cast<uint8_t>(text.size())};
    piece.insert(piece.end(), text.begin(), text.end());
    // The score is the float -1.
    piece.insert(piece.end(), {0x15, 0x00, 0x00, 0x80, 0xBF, 0x18, type});
    bytes.push_back(0x0A);
    bytes.push_back(static_cast<uint8_t>(piece.size()));
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  }
  return bytes;
}

}  // namespace

ModelConfig RandomModelConfig(const spec::AcceleratorConfig& config, uint64_t seed) {
  Random random(seed);
  const spec::ModelLimits& limits = config.model;
  const int lanes = config.vmac.n;
  // A few vectors wide, so that a sentence takes little time, and most often not in whole vectors.
  const auto width = [&](int limit) { return random.Integer(4, std::min(limit, 4 * lanes)); };
  while (true) {
    ModelConfig model;
    model.num_attention_heads = random.Integer(1, std::min(limits.heads, 4));
    const int heads = model.num_attention_heads;
    model.hidden_size = heads * random.Integer(spec::CeilDiv(4, heads), 2 * lanes);
    model.embedding_size = width(limits.embedding);
    model.intermediate_size = width(limits.ffn);
    model.vocab_size = random.Integer(1, std::min(limits.vocab, 64));
    model.max_position_embeddings = random.Integer(3, 48);
    model.type_vocab_size = random.Integer(1, std::min(limits.token_types, 2));
    model.num_hidden_groups = random.Integer(1, 2);
    model.num_hidden_layers = model.num_hidden_groups * random.Integer(1, 3);
    model.inner_group_num = random.Chance(0.25) ? 2 : 1;
    model.hidden_act = static_cast<Activation>(random.Integer(0, 2));
    model.layer_norm_eps = random.Chance(0.5) ? 1e-12 : 1e-6;
    for (int i = random.Integer(2, std::min(limits.classes, 2 * lanes)); i > 0; --i) {
      model.labels.push_back(fmt::format("c{}", model.labels.size()));
    }
    if (random.Chance(0.75)) model.attention_span_ramp = random.Integer(1, 8);
    model.off_ramp_pooler = limits.pooler && random.Chance(0.5);
    model.off_ramp_shared = random.Chance(0.5);
    model.entropy_threshold = random.Uniform();
    model.adaptivfloat_bits = config.format.width;
    model.adaptivfloat_exponent = config.format.exponent;
    const int last = model.vocab_size - 1;
    model.unk_token_id = 0;
    model.pad_token_id = std::min(1, last);
    model.cls_token_id = std::min(2, last);
    model.sep_token_id = std::min(3, last);
    if (CheckLimits(model, config).ok() && ProgramBound(model) <= config.memory.program_words) {
      return model;
    }
  }
}

ModelConfig LargestModelConfig(const spec::AcceleratorConfig& config) {
  const spec::ModelLimits& limits = config.model;
  ModelConfig model;
  model.num_attention_heads = limits.heads;
  model.hidden_size = limits.hidden;
  model.embedding_size = limits.embedding;
  model.intermediate_size = limits.ffn;
  model.vocab_size = limits.vocab;
  model.max_position_embeddings = limits.seq_len;
  model.type_vocab_size = limits.token_types;
  model.num_hidden_layers = limits.layers;
  for (int i = 0; i < limits.classes; ++i) model.labels.push_back(fmt::format("c{}", i));
  model.off_ramp_pooler = limits.pooler;
  model.off_ramp_shared = true;
  model.entropy_threshold = 0;
  model.adaptivfloat_bits = config.format.width;
  model.adaptivfloat_exponent = config.format.exponent;
  model.unk_token_id = 0;
  model.pad_token_id = 1;
  model.cls_token_id = 2;
  model.sep_token_id = 3;
  return model;
}

ModelWeights RandomModelWeights(const ModelConfig& config, int lanes, uint64_t seed,
                                const Pruning& pruning) {
  Random random(seed);
  const Pattern pattern{pruning, lanes};
  ModelWeights weights;
  const int embedding = config.embedding_size;
  const auto table = [&](int rows, double deviation) {
    return SparseMatrix(random, rows, embedding, deviation, pattern);
  };
  weights.word_embeddings = table(config.vocab_size, 0.05);
  weights.position_embeddings = table(config.max_position_embeddings, 0.02);
  weights.type_embeddings = table(config.type_vocab_size, 0.01);
  weights.embedding_norm = Norm(random, embedding);
  weights.embedding_projection = Linear(random, config.hidden_size, embedding, pattern);
  weights.groups.resize(static_cast<size_t>(config.num_hidden_groups));
  for (std::vector<LayerWeights>& group : weights.groups) {
    for (int inner = 0; inner < config.inner_group_num; ++inner) {
      group.push_back(Layer(random, config, pattern));
    }
  }
  if (config.attention_span_ramp > 0) {
    for (int head = 0; head < config.num_attention_heads; ++head) {
      const double span = random.Chance(0.25) ? -config.attention_span_ramp
                                              : random.Uniform() * config.max_position_embeddings -
                                                    config.attention_span_ramp / 2;
      weights.attention_span.push_back(static_cast<float>(span));
    }
  }
  const int ramps = config.off_ramp_shared ? 1 : config.num_hidden_layers;
  for (int i = 0; i < ramps; ++i) weights.off_ramps.push_back(OffRamp(random, config, pattern));
  return weights;
}

std::vector<Tokens> RandomSentences(const ModelConfig& config, int max_tokens, int count,
                                    uint64_t seed) {
  Random random(seed);
  const int longest = std::min(max_tokens, config.max_position_embeddings);
  std::vector<Tokens> sentences;
  for (int i = 0; i < count; ++i) {
    const int length = i == 0 ? longest : i == 1 ? 1 : random.Integer(1, longest);
    const int second = random.Integer(0, length);  // where the second sentence starts
    Tokens tokens;
    for (int j = 0; j < length; ++j) {
      tokens.ids.push_back(random.Integer(0, config.vocab_size - 1));
      tokens.types.push_back(config.type_vocab_size > 1 && j >= second ? 1 : 0);
    }
    sentences.push_back(std::move(tokens));
  }
  return sentences;
}

Status WriteCheckpoint(const ModelConfig& config, const ModelWeights& weights,
                       const std::string& directory) {
  constexpr char kRule[] = "checkpoint-write";
  std::error_code failure;
  std::filesystem::create_directories(directory, failure);
  if (failure) {
    return Error({directory}, fmt::format("cannot create the folder: {}", failure.message()),
                 kRule);
  }
  const std::string json = SerializeConfig(config);
  EB_RETURN_IF_ERROR(
      WriteFileAtomically(directory + "/config.json",
                          {reinterpret_cast<const uint8_t*>(json.data()), json.size()}, kRule));
  EB_RETURN_IF_ERROR(
      WriteFileAtomically(directory + "/tokenizer.model", SerializeTokenizer(config), kRule));
  return WriteFileAtomically(directory + "/model.safetensors", SerializeWeights(config, weights),
                             kRule);
}

}  // namespace edgebert::checkpoint
