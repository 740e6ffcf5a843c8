#include "golden/checkpoint/image_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <numeric>
#include <optional>

#include "golden/checkpoint/image_layout.h"
#include "golden/checkpoint/lane_packing.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/wait_scheduler.h"
#include "golden/model/span_mask.h"
#include "golden/spec/formats.h"

namespace edgebert::checkpoint {
namespace {

using model::Image;
using spec::Instruction;
using spec::Opcode;

spec::Activation ActivationOf(Activation activation) {
  switch (activation) {
    case Activation::kGelu:
      return spec::Activation::kGelu;
    case Activation::kGeluNew:
      return spec::Activation::kGeluNew;
    case Activation::kRelu:
      return spec::Activation::kRelu;
  }
  return spec::Activation::kNone;
}

/// A part of activation memory, in vectors.
struct Region {
  int base = 0;
  int size = 0;
};

/// A tensor in activation memory: the vector of (row, tile) is at base + row*stride + tile.
struct Operand {
  Region region;  ///< what it lies in
  int base = 0;
  int stride = 0;
  int bias = 0;
};

/// Where everything lies; see image_builder.h. Biases are those of the model.
struct MemoryMap {
  Operand hidden, sum, norm;
  Operand query, key, context;
  std::vector<Operand> value, probability;  // of alternate heads
  Operand ffn;
  Operand embedding_sum, embedding_norm;
  Operand pooled;
  int size = 0;
};

int MaxTokens(const ModelConfig& model, const spec::AcceleratorConfig& config) {
  return std::min(model.max_position_embeddings, config.model.seq_len);
}

/// `buffers` value and probability tensors.
MemoryMap MapMemory(const ModelConfig& model, const spec::AcceleratorConfig& config,
                    const ActivationBiases& biases, int buffers) {
  const int lanes = config.vmac.n;
  const int tokens = MaxTokens(model, config);
  const int hidden = spec::CeilDiv(model.hidden_size, lanes);
  const int head = spec::CeilDiv(model.HeadSize(), lanes);
  const int embedding = spec::CeilDiv(model.embedding_size, lanes);
  MemoryMap map;
  int next = 0;
  const auto allocate = [&](int rows, int stride, int bias) {
    const Region region{next, rows * stride};
    next += region.size;
    map.size = std::max(map.size, next);
    return Operand{region, region.base, stride, bias};
  };
  map.hidden = allocate(tokens, hidden, biases.hidden);
  map.sum = allocate(tokens, hidden, biases.attention_sum);
  map.norm = allocate(tokens, hidden, biases.attention_norm);

  const int scratch = next;
  map.query = allocate(tokens, head, biases.query);
  map.key = allocate(tokens, head, biases.key);
  for (int i = 0; i < buffers; ++i) {
    map.value.push_back(allocate(tokens, head, biases.value));
    map.probability.push_back(allocate(tokens, spec::CeilDiv(tokens, lanes), biases.probability));
  }
  map.context = allocate(tokens, model.num_attention_heads * head, biases.context);

  next = scratch;
  map.ffn = allocate(tokens, spec::CeilDiv(model.intermediate_size, lanes), biases.ffn);

  next = scratch;
  map.embedding_sum = allocate(tokens, embedding, biases.embedding_sum);
  map.embedding_norm = allocate(tokens, embedding, biases.embedding_norm);

  next = scratch;
  map.pooled = allocate(1, hidden, biases.pooler);
  return map;
}

MemoryMap MapMemory(const ModelConfig& model, const spec::AcceleratorConfig& config,
                    const ActivationBiases& biases) {
  const MemoryMap map = MapMemory(model, config, biases, 2);
  return map.size <= spec::ActivationVectors(config) ? map : MapMemory(model, config, biases, 1);
}

/// A linear layer, quantised.
struct QuantizedLinear {
  QuantizedTensor weight;
  int columns = 0;
  std::vector<int32_t> bias;  ///< Fixed words, one a row
};

/// One of the matrices that share a dimension.
struct Side {
  const QuantizedLinear& linear;
  bool is_output = false;  ///< the dimension is its outputs; else its inputs

  /// The tiles of `n` lanes of its other dimension in which it has weights of the lane.
  [[nodiscard]] std::vector<bool> Touched(int lane, int n) const {
    const auto columns = static_cast<size_t>(linear.columns);
    const size_t others = is_output ? columns : linear.bias.size();
    std::vector<bool> tiles((others + size_t(n) - 1) / size_t(n));
    for (size_t i = 0; i < others; ++i) {
      const size_t index = is_output ? size_t(lane) * columns + i : i * columns + size_t(lane);
      if (linear.weight.codes[index] != 0) tiles[i / size_t(n)] = true;
    }
    return tiles;
  }
  [[nodiscard]] bool HasBias(int lane) const { return is_output && linear.bias[size_t(lane)] != 0; }
};

/// A linear layer, or a part of one, as the weight stream holds it.
struct Projection {
  TiledMatrix matrix;
  std::vector<int32_t> bias_words;  ///< one a lane of the padded output
  int bias = 0;                     ///< of the codes
};

/// The span mask of a head (docs/numerics.md, section 5).
struct HeadMask {
  int head = 0;
  model::SpanCoefficients span;
  int reach = 0;
};

struct MatmulOp {
  const char* name = "";
  int head = -1;
  spec::Held held = spec::Held::kStream;
  spec::Destination destination = spec::Destination::kActivations;
  spec::Activation activation = spec::Activation::kNone;
  Operand source;
  int weight_bias = 0;                    ///< of the codes of the weight stream
  std::optional<Operand> held_operand{};  ///< instead of the weight stream
  std::optional<Operand> output{};
  std::optional<Operand> residual{};
  int strips = 0;   ///< 0: from LENGTH
  int k_tiles = 0;  ///< 0: from LENGTH
  int rows = 0;     ///< 0: LENGTH
  int reach = 0;    ///< of the window
  bool window = false;
};

std::string LimitMessage(const char* what, int value, const char* option, int limit) {
  return fmt::format("the model needs {} = {}; '{}' is {}", what, value, option, limit);
}

class Builder {
 public:
  Builder(const ModelConfig& model, const ModelWeights& weights, const ActivationBiases& biases,
          const spec::AcceleratorConfig& config, const BuildOptions& options)
      : model_(model),
        weights_(weights),
        biases_(biases),
        config_(config),
        options_(options),
        format_(FormatOf(config)),
        memory_(MapMemory(model, config, biases)),
        scheduler_(options.overlap) {}

  Result<Image> Build();

 private:
  [[nodiscard]] int Vectors(int lanes) const { return spec::CeilDiv(lanes, config_.vmac.n); }
  [[nodiscard]] int HeadVectors() const { return Vectors(model_.HeadSize()); }
  [[nodiscard]] int MaxTokens() const { return checkpoint::MaxTokens(model_, config_); }
  [[nodiscard]] int BeatBytes() const { return config_.axi.data_width / 8; }

  // Numbers to words.
  int32_t Word(const char* tensor, double value, int fraction, int bits);
  QuantizedLinear Quantize(const char* name, const LinearWeights& linear, double scale = 1,
                           std::optional<int> bias = std::nullopt);
  Projection Cut(const QuantizedLinear& linear, std::span<const int> row_of,
                 std::span<const int> column_of) const;
  [[nodiscard]] std::vector<int> Padded(int size) const;
  [[nodiscard]] std::vector<int> SharedLanes(const Side& first, const Side& second, int begin,
                                             int size) const;
  [[nodiscard]] std::vector<int> HeadLanes(const Side& first, const Side& second, int head) const;

  // Memories.
  void FindLiveHeads();
  void LayOutEmbeddings();

  // Program.
  void Emit(Instruction instruction, const std::string& name, int head = -1);
  void EmitTo(spec::Unit unit, Instruction instruction, const std::string& name, int head,
              std::span<const Access> accesses);
  size_t EmitStream(const std::string& name);
  void SetSegment(size_t pc, size_t begin, size_t end, size_t stride);
  void EmitMatmul(const MatmulOp& op);
  void EmitProjection(MatmulOp op, const Projection& projection);
  void EmitLayerNorm(const char* name, const LayerNormWeights& norm, const Operand& source,
                     const Operand& output);
  void EmitEmbedding();
  void EmitEncoderLayer(const LayerWeights& layer);
  void EmitAttention(const LayerWeights& layer);
  void EmitOffRamp(int first_layer, int layers);
  void EmitRun(int first_layer, int layers);
  void Set(Instruction* instruction, const spec::Field& field, int64_t value);

  const ModelConfig& model_;
  const ModelWeights& weights_;
  const ActivationBiases& biases_;
  const spec::AcceleratorConfig& config_;
  const BuildOptions& options_;
  CodeFormat format_;
  Error error_;
  Image image_;
  MemoryMap memory_;
  std::vector<HeadMask> heads_;  // those that are not off
  WeightStreamWriter stream_{image_.format};
  WaitScheduler scheduler_;
  std::string part_;  // before the names of instructions: the inner layer
  bool in_layer_ = false;
  int embedding_bias_[3] = {};  // words, positions, types
};

Access Read(const Region& region) {
  return {Resource::kActivations, static_cast<uint32_t>(region.base),
          static_cast<uint32_t>(region.base + region.size), false};
}

Access Write(const Region& region) {
  Access access = Read(region);
  access.write = true;
  return access;
}

int32_t Builder::Word(const char* tensor, double value, int fraction, int bits) {
  if (std::fabs(value) >= std::ldexp(1.0, bits - 1 - fraction)) {
    error_.Add({},
               fmt::format("{} has the value {}; its word holds magnitudes below {}", tensor, value,
                           1 << (bits - 1 - fraction)),
               "image-range");
  }
  return static_cast<int32_t>(ToFixedPoint(value, fraction, bits));
}

/// With `bias`, in that format even if a smaller one would do.
QuantizedLinear Builder::Quantize(const char* name, const LinearWeights& linear, double scale,
                                  std::optional<int> bias) {
  QuantizedLinear quantized{.weight = QuantizeTensor(linear.weight.values, format_, scale, bias),
                            .columns = linear.weight.columns,
                            .bias = {}};
  const std::string tensor = fmt::format("the bias of '{}'", name);
  for (const float b : linear.bias) {
    quantized.bias.push_back(
        Word(tensor.c_str(), b * scale, spec::kFixedFraction, spec::kFixedBits));
  }
  return quantized;
}

Projection Builder::Cut(const QuantizedLinear& linear, std::span<const int> row_of,
                        std::span<const int> column_of) const {
  Projection projection{
      .matrix = CutTiles(linear.weight.codes, linear.columns, row_of, column_of, config_.vmac.n),
      .bias_words = {},
      .bias = linear.weight.bias};
  for (const int row : row_of) {
    projection.bias_words.push_back(row < 0 ? 0 : linear.bias[size_t(row)]);
  }
  return projection;
}

/// Lanes 0 .. size-1, then padding to whole vectors.
std::vector<int> Builder::Padded(int size) const {
  std::vector<int> lanes(size_t(Vectors(size) * config_.vmac.n), -1);
  std::iota(lanes.begin(), lanes.begin() + size, 0);
  return lanes;
}

/// Lanes `begin` .. `begin + size - 1` of a dimension that two matrices share, packed if so wished.
std::vector<int> Builder::SharedLanes(const Side& first, const Side& second, int begin,
                                      int size) const {
  std::vector<int> lanes = Padded(size);
  if (options_.pack_weights) {
    std::vector<std::vector<bool>> touched;
    for (int lane = begin; lane < begin + size; ++lane) {
      // One more tile stands for the vector itself, which costs its biases and results.
      std::vector<bool>& tiles = touched.emplace_back(1, true);
      bool matters = true;
      for (const Side& side : {first, second}) {
        const std::vector<bool> own = side.Touched(lane, config_.vmac.n);
        tiles.insert(tiles.end(), own.begin(), own.end());
        matters =
            matters && (side.HasBias(lane) || std::find(own.begin(), own.end(), true) != own.end());
      }
      // Always zero, or never read, whatever the other matrix holds: activations keep zero.
      if (!matters) tiles.assign(tiles.size(), false);
    }
    lanes = PackLanes(touched, config_.vmac.n);
  }
  for (int& lane : lanes) lane += lane < 0 ? 0 : begin;
  return lanes;
}

/// The lanes of one head among those of all heads, then padding to the vectors of a head.
std::vector<int> Builder::HeadLanes(const Side& first, const Side& second, int head) const {
  std::vector<int> lanes = SharedLanes(first, second, head * model_.HeadSize(), model_.HeadSize());
  lanes.resize(size_t(HeadVectors()) * size_t(config_.vmac.n), -1);
  return lanes;
}

void Builder::FindLiveHeads() {
  for (int head = 0; head < model_.num_attention_heads; ++head) {
    HeadMask mask{head, {}, config_.model.seq_len - 1};
    if (!weights_.attention_span.empty()) {
      const double ramp = model_.attention_span_ramp;
      const double span = ramp + double{weights_.attention_span[size_t(head)]};
      mask.span.c = ToFixedPoint(span / ramp, spec::kMaskCoefficientFraction, 32);
      mask.span.r = ToFixedPoint(1 / ramp, spec::kMaskCoefficientFraction, 32);
      const auto visible = [&](int distance) { return model::SpanMask(mask.span, distance) > 0; };
      if (span <= 0 || !visible(0)) continue;
      while (!visible(mask.reach)) --mask.reach;
    }
    heads_.push_back(mask);
  }
}

void Builder::LayOutEmbeddings() {
  const size_t columns = size_t(model_.embedding_size);
  // Positions that no sentence reaches are left out.
  const std::span<const float> positions(weights_.position_embeddings.values.data(),
                                         size_t(MaxTokens()) * columns);
  std::vector<uint8_t> codes;
  int table = 0;
  for (const std::span<const float> values :
       {std::span<const float>(weights_.word_embeddings.values), positions,
        std::span<const float>(weights_.type_embeddings.values)}) {
    const QuantizedTensor quantized = QuantizeTensor(values, format_);
    codes.insert(codes.end(), quantized.codes.begin(), quantized.codes.end());
    embedding_bias_[table++] = quantized.bias;
  }
  image_.reram = LayOutReram(codes, model_.embedding_size, image_.format);
}

/// A field that the architecture bounds tighter than any limit of the configuration.
void Builder::Set(Instruction* instruction, const spec::Field& field, int64_t value) {
  if (!Instruction::Fits(field, value)) {
    error_.Add({},
               fmt::format("the model needs {} = {} in an instruction; the field has {} bits",
                           field.name, value, field.width),
               "image-limit");
    return;
  }
  instruction->Set(field, value);
}

/// For what runs in the sequencer.
void Builder::Emit(Instruction instruction, const std::string& name, int head) {
  image_.program.push_back(instruction);
  image_.names.push_back({part_ + name, head, in_layer_});
}

void Builder::EmitTo(spec::Unit unit, Instruction instruction, const std::string& name, int head,
                     std::span<const Access> accesses) {
  instruction.Set(spec::kWaitMask, scheduler_.Issue(unit, accesses));
  Emit(instruction, name, head);
}

/// The segment is set when its bytes are known.
size_t Builder::EmitStream(const std::string& name) {
  Instruction stream;
  stream.Set(spec::kOpcode, static_cast<int64_t>(Opcode::kStream));
  Emit(stream, name);
  return image_.program.size() - 1;
}

void Builder::SetSegment(size_t pc, size_t begin, size_t end, size_t stride) {
  Instruction& stream = image_.program[pc];
  Set(&stream, spec::kStreamOffset, static_cast<int64_t>(begin));
  Set(&stream, spec::kStreamBeats, static_cast<int64_t>((end - begin) / size_t(BeatBytes())));
  Set(&stream, spec::kStreamIterationStride, static_cast<int64_t>(stride));
}

void Builder::EmitMatmul(const MatmulOp& op) {
  const int held_bias = op.held_operand ? op.held_operand->bias : op.weight_bias;
  const int shift = 2 * format_.MantissaBits() - spec::kFixedFraction - op.source.bias - held_bias;
  if (shift < spec::kShiftMin || shift > spec::kShiftMax) {
    error_.Add({},
               fmt::format("'{}' needs a shift of {}; it must be from {} to {}", op.name, shift,
                           spec::kShiftMin, spec::kShiftMax),
               "image-range");
    return;
  }
  Instruction matmul;
  matmul.Set(spec::kOpcode, static_cast<int64_t>(Opcode::kMatmul));
  matmul.Set(spec::kMatmulHeld, static_cast<int64_t>(op.held));
  matmul.Set(spec::kMatmulDestination, static_cast<int64_t>(op.destination));
  matmul.Set(spec::kMatmulActivation, static_cast<int64_t>(op.activation));
  matmul.Set(spec::kMatmulRowsLen, op.rows == 0);
  matmul.Set(spec::kMatmulStripsLen, op.strips == 0);
  matmul.Set(spec::kMatmulKTilesLen, op.k_tiles == 0);
  matmul.Set(spec::kMatmulWindow, op.window);
  Set(&matmul, spec::kMatmulStrips, op.strips);
  Set(&matmul, spec::kMatmulKTiles, op.k_tiles);
  Set(&matmul, spec::kMatmulRows, op.rows);
  if (op.window) Set(&matmul, spec::kMatmulReach, op.reach);
  matmul.Set(spec::kMatmulShift, shift);
  std::vector<Access> accesses = {Read(op.source.region)};
  Set(&matmul, spec::kMatmulSrcBase, op.source.base);
  Set(&matmul, spec::kMatmulSrcStride, op.source.stride);
  if (op.held_operand) {
    Set(&matmul, spec::kMatmulHeldBase, op.held_operand->base);
    Set(&matmul, spec::kMatmulHeldStride, op.held_operand->stride);
    accesses.push_back(Read(op.held_operand->region));
  } else {
    accesses.push_back({.resource = Resource::kWeightStream, .write = true});
  }
  if (op.residual) {
    matmul.Set(spec::kMatmulResidual, 1);
    Set(&matmul, spec::kMatmulResidualBase, op.residual->base);
    Set(&matmul, spec::kMatmulResidualStride, op.residual->stride);
    Set(&matmul, spec::kMatmulBiasResidual, op.residual->bias);
    accesses.push_back(Read(op.residual->region));
  }
  switch (op.destination) {
    case spec::Destination::kActivations:
      Set(&matmul, spec::kMatmulDstBase, op.output->base);
      Set(&matmul, spec::kMatmulDstStride, op.output->stride);
      Set(&matmul, spec::kMatmulBiasOut, op.output->bias);
      accesses.push_back(Write(op.output->region));
      break;
    case spec::Destination::kScores:
      accesses.push_back({.resource = Resource::kScores, .write = true});
      break;
    case spec::Destination::kLogits:
      accesses.push_back({.resource = Resource::kLogits, .write = true});
      break;
  }
  EmitTo(spec::Unit::kMatmul, matmul, op.name, op.head, accesses);
}

void Builder::EmitProjection(MatmulOp op, const Projection& projection) {
  op.weight_bias = projection.bias;
  op.strips = projection.matrix.strips;
  op.k_tiles = projection.matrix.k_tiles;
  EmitMatmul(op);
}

void Builder::EmitLayerNorm(const char* name, const LayerNormWeights& norm, const Operand& source,
                            const Operand& output) {
  const int hidden = static_cast<int>(norm.gamma.size());
  const std::string gamma_name = fmt::format("the gamma of '{}'", name);
  const std::string beta_name = fmt::format("the beta of '{}'", name);
  const size_t lanes = size_t(config_.vmac.n);
  for (int vector = 0; vector < Vectors(hidden); ++vector) {
    std::vector<int32_t> gamma(lanes);
    std::vector<int32_t> beta(lanes);
    for (size_t lane = 0; lane < lanes; ++lane) {
      const size_t element = size_t(vector) * lanes + lane;
      if (element >= norm.gamma.size()) break;
      gamma[lane] = Word(gamma_name.c_str(), double{norm.gamma[element]}, spec::kNormFraction,
                         spec::kNormBits);
      beta[lane] = Word(beta_name.c_str(), double{norm.beta[element]}, spec::kFixedFraction,
                        spec::kFixedBits);
    }
    stream_.Words(gamma);
    stream_.Words(beta);
  }
  // round(eps H^2 2^(2(M - bias))), in the scale of the integer views.
  const double eps = std::round(std::ldexp(model_.layer_norm_eps * hidden * hidden,
                                           2 * (format_.MantissaBits() - source.bias)));
  if (eps >= std::ldexp(1.0, 63)) {
    error_.Add({},
               fmt::format("epsilon of '{}' is {} in the scale of its input; it must be below "
                           "2^63",
                           name, eps),
               "image-range");
    return;
  }
  const uint64_t eps_word = static_cast<uint64_t>(eps);
  Instruction layer_norm;
  layer_norm.Set(spec::kOpcode, static_cast<int64_t>(Opcode::kLayerNorm));
  layer_norm.Set(spec::kLayerNormRowsLen, 1);
  Set(&layer_norm, spec::kLayerNormSrcBase, source.base);
  Set(&layer_norm, spec::kLayerNormSrcStride, source.stride);
  Set(&layer_norm, spec::kLayerNormDstBase, output.base);
  Set(&layer_norm, spec::kLayerNormDstStride, output.stride);
  Set(&layer_norm, spec::kLayerNormBiasOut, output.bias);
  Set(&layer_norm, spec::kLayerNormHidden, hidden);
  Set(&layer_norm, spec::kLayerNormVectors, Vectors(hidden));
  layer_norm.Set(spec::kLayerNormEpsLow, static_cast<int64_t>(eps_word & 0xFFFFFFFF));
  layer_norm.Set(spec::kLayerNormEpsHigh, static_cast<int64_t>(eps_word >> 32));
  EmitTo(spec::Unit::kLayerNorm, layer_norm, name, -1,
         std::vector<Access>{Read(source.region),
                             Write(output.region),
                             {.resource = Resource::kWeightStream, .write = true}});
}

void Builder::EmitEmbedding() {
  const size_t segment = EmitStream("stream embedding");
  const int words = model_.vocab_size;
  const int rows = words + MaxTokens() + model_.type_vocab_size;
  const Operand& sum = memory_.embedding_sum;
  Instruction embed;
  embed.Set(spec::kOpcode, static_cast<int64_t>(Opcode::kEmbed));
  Set(&embed, spec::kEmbedDstBase, sum.base);
  Set(&embed, spec::kEmbedDstStride, sum.stride);
  Set(&embed, spec::kEmbedBiasOut, sum.bias);
  Set(&embed, spec::kEmbedBiasWord, embedding_bias_[0]);
  Set(&embed, spec::kEmbedBiasPosition, embedding_bias_[1]);
  Set(&embed, spec::kEmbedBiasType, embedding_bias_[2]);
  Set(&embed, spec::kEmbedVectors, sum.stride);
  Set(&embed, spec::kEmbedTypes, model_.type_vocab_size);
  Set(&embed, spec::kEmbedPositionRow, words);
  Set(&embed, spec::kEmbedTypeRow, words + MaxTokens());
  Set(&embed, spec::kEmbedMaskBase, ReramMaskBase(uint64_t(rows), config_.reram.word_bits));
  EmitTo(spec::Unit::kEmbedding, embed, "embedding", -1, std::vector<Access>{Write(sum.region)});

  EmitLayerNorm("embedding norm", weights_.embedding_norm, sum, memory_.embedding_norm);
  const Projection projection = Cut(Quantize("embedding projection", weights_.embedding_projection),
                                    Padded(model_.hidden_size), Padded(model_.embedding_size));
  stream_.Matmul(projection.matrix, projection.bias_words);
  EmitProjection(
      {.name = "embedding projection", .source = memory_.embedding_norm, .output = memory_.hidden},
      projection);
  SetSegment(segment, 0, stream_.bytes().size(), 0);
}

void Builder::EmitAttention(const LayerWeights& layer) {
  // Off heads must not decide the scale of the others.
  const auto without_off_heads = [&](const LinearWeights& linear, bool heads_are_rows) {
    LinearWeights live = linear;
    std::vector<bool> is_live(size_t(model_.num_attention_heads), false);
    for (const HeadMask& mask : heads_) is_live[size_t(mask.head)] = true;
    for (int row = 0; row < live.weight.rows; ++row) {
      for (int column = 0; column < live.weight.columns; ++column) {
        const int head = (heads_are_rows ? row : column) / model_.HeadSize();
        if (!is_live[size_t(head)]) {
          live.weight.values[size_t(row) * size_t(live.weight.columns) + size_t(column)] = 0;
        }
      }
    }
    return live;
  };
  const QuantizedLinear query = Quantize("query", without_off_heads(layer.query, true),
                                         1 / std::sqrt(double(model_.HeadSize())));
  const QuantizedLinear key = Quantize("key", without_off_heads(layer.key, true));
  const QuantizedLinear value = Quantize("value", without_off_heads(layer.value, true));
  const QuantizedLinear output =
      Quantize("attention output", without_off_heads(layer.attention_output, false));

  const std::vector<int> hidden_lanes = Padded(model_.hidden_size);
  const int head_vectors = HeadVectors();
  const auto emit_context = [&](size_t index) {
    const HeadMask& mask = heads_[index];
    Operand context = memory_.context;
    context.base += mask.head * head_vectors;
    EmitMatmul({.name = "context",
                .head = mask.head,
                .held = spec::Held::kTransposed,
                .source = memory_.probability[index % memory_.value.size()],
                .held_operand = memory_.value[index % memory_.value.size()],
                .output = context,
                .strips = head_vectors,
                .reach = mask.reach,
                .window = mask.reach < MaxTokens() - 1});
  };
  const size_t delay = memory_.value.size() - 1;
  std::vector<int> context_lanes(size_t(model_.num_attention_heads * head_vectors * config_.vmac.n),
                                 -1);
  for (size_t index = 0; index < heads_.size(); ++index) {
    const HeadMask& mask = heads_[index];
    const std::vector<int> score_lanes = HeadLanes({query, true}, {key, true}, mask.head);
    const std::vector<int> value_lanes = HeadLanes({value, true}, {output, false}, mask.head);
    std::copy(value_lanes.begin(), value_lanes.end(),
              context_lanes.begin() + std::ptrdiff_t(size_t(mask.head) * value_lanes.size()));
    const auto emit_input = [&](const char* name, const QuantizedLinear& linear,
                                std::span<const int> lanes, const Operand& to) {
      const Projection projection = Cut(linear, lanes, hidden_lanes);
      stream_.Matmul(projection.matrix, projection.bias_words);
      EmitProjection({.name = name, .head = mask.head, .source = memory_.hidden, .output = to},
                     projection);
    };
    emit_input("query", query, score_lanes, memory_.query);
    emit_input("key", key, score_lanes, memory_.key);
    emit_input("value", value, value_lanes, memory_.value[index % memory_.value.size()]);
    EmitMatmul({.name = "scores",
                .head = mask.head,
                .held = spec::Held::kRows,
                .destination = spec::Destination::kScores,
                .source = memory_.query,
                .held_operand = memory_.key,
                .k_tiles = head_vectors,
                .reach = mask.reach,
                .window = mask.reach < MaxTokens() - 1});

    // Hides the drain of the scores, for which the softmax waits.
    if (delay > 0 && index >= delay) emit_context(index - delay);
    const Operand& probability = memory_.probability[index % memory_.value.size()];
    Instruction softmax;
    softmax.Set(spec::kOpcode, static_cast<int64_t>(Opcode::kSoftmax));
    Set(&softmax, spec::kSoftmaxDstBase, probability.base);
    Set(&softmax, spec::kSoftmaxDstStride, probability.stride);
    Set(&softmax, spec::kSoftmaxBiasOut, probability.bias);
    Set(&softmax, spec::kSoftmaxReach, mask.reach);
    softmax.Set(spec::kSoftmaxMaskC, mask.span.c);
    softmax.Set(spec::kSoftmaxMaskR, mask.span.r);
    EmitTo(spec::Unit::kSoftmax, softmax, "softmax", mask.head,
           std::vector<Access>{{.resource = Resource::kScores, .write = false},
                               Write(probability.region)});
    if (delay == 0) emit_context(index);
  }
  for (size_t index = heads_.size() - std::min(delay, heads_.size()); index < heads_.size();
       ++index) {
    emit_context(index);
  }

  const Projection projection = Cut(output, hidden_lanes, context_lanes);
  stream_.Matmul(projection.matrix, projection.bias_words);
  EmitProjection({.name = "attention output",
                  .source = memory_.context,
                  .output = memory_.sum,
                  .residual = memory_.hidden},
                 projection);
  EmitLayerNorm("attention norm", layer.attention_norm, memory_.sum, memory_.norm);
}

void Builder::EmitEncoderLayer(const LayerWeights& layer) {
  EmitAttention(layer);
  const std::vector<int> hidden_lanes = Padded(model_.hidden_size);
  const QuantizedLinear input = Quantize("ffn", layer.ffn);
  const QuantizedLinear result = Quantize("ffn output", layer.ffn_output);
  const std::vector<int> ffn_lanes =
      SharedLanes({input, true}, {result, false}, 0, model_.intermediate_size);
  const Projection ffn = Cut(input, ffn_lanes, hidden_lanes);
  stream_.Matmul(ffn.matrix, ffn.bias_words);
  EmitProjection({.name = "ffn",
                  .activation = ActivationOf(model_.hidden_act),
                  .source = memory_.norm,
                  .output = memory_.ffn},
                 ffn);
  const Projection output = Cut(result, hidden_lanes, ffn_lanes);
  stream_.Matmul(output.matrix, output.bias_words);
  Operand sum = memory_.sum;
  sum.bias = biases_.ffn_sum;
  EmitProjection(
      {.name = "ffn output", .source = memory_.ffn, .output = sum, .residual = memory_.norm},
      output);
  EmitLayerNorm("output norm", layer.output_norm, sum, memory_.hidden);
}

void Builder::EmitOffRamp(int first_layer, int layers) {
  // One loop runs the ramps of all its layers with the same instructions: they share the scale, and
  // each takes the same beats.
  const int ramps = model_.off_ramp_shared ? 1 : layers;
  const std::vector<int> hidden_lanes = Padded(model_.hidden_size);
  const auto project = [&](const char* name, const std::vector<int>& row_of, auto linear_of) {
    double largest = 0;
    for (int ramp = 0; ramp < ramps; ++ramp) {
      for (const float w : linear_of(weights_.OffRamp(first_layer + ramp)).weight.values) {
        largest = std::max(largest, std::fabs(double{w}));
      }
    }
    std::vector<TiledMatrix> matrices;
    std::vector<Projection> projections;
    for (int ramp = 0; ramp < ramps; ++ramp) {
      projections.push_back(Cut(Quantize(name, linear_of(weights_.OffRamp(first_layer + ramp)), 1,
                                         BiasOf(largest, format_)),
                                row_of, hidden_lanes));
      matrices.push_back(projections.back().matrix);
    }
    StoreUnion(matrices);
    for (size_t i = 0; i < projections.size(); ++i) projections[i].matrix = matrices[i];
    return projections;
  };
  std::vector<Projection> poolers;
  if (model_.off_ramp_pooler) {
    poolers =
        project("pooler", hidden_lanes,
                [](const OffRampWeights& ramp) -> const LinearWeights& { return *ramp.pooler; });
  }
  const std::vector<Projection> classifiers =
      project("classifier", Padded(model_.num_labels()),
              [](const OffRampWeights& ramp) -> const LinearWeights& { return ramp.classifier; });

  for (int ramp = 0; ramp < ramps; ++ramp) {
    if (!poolers.empty()) {
      stream_.Matmul(poolers[size_t(ramp)].matrix, poolers[size_t(ramp)].bias_words);
    }
    stream_.Matmul(classifiers[size_t(ramp)].matrix, classifiers[size_t(ramp)].bias_words);
  }
  if (!poolers.empty()) {
    EmitProjection({.name = "pooler",
                    .activation = spec::Activation::kTanh,
                    .source = memory_.hidden,
                    .output = memory_.pooled,
                    .rows = 1},
                   poolers.front());
  }
  EmitProjection({.name = "classifier",
                  .destination = spec::Destination::kLogits,
                  .source = poolers.empty() ? memory_.hidden : memory_.pooled,
                  .rows = 1},
                 classifiers.front());

  Instruction exit;
  exit.Set(spec::kOpcode, static_cast<int64_t>(Opcode::kExit));
  Set(&exit, spec::kExitClasses, model_.num_labels());
  EmitTo(spec::Unit::kExit, exit, "exit", -1,
         std::vector<Access>{{.resource = Resource::kLogits, .write = false}});
}

/// Layers that share their weights: one loop.
void Builder::EmitRun(int first_layer, int layers) {
  in_layer_ = true;
  const size_t target = image_.program.size();
  const size_t body_segment = EmitStream("stream layer");
  const size_t ramp_segment = EmitStream("stream off-ramp");
  scheduler_.Barrier();

  const size_t body = stream_.bytes().size();
  const std::vector<LayerWeights>& inner_layers =
      weights_.groups[size_t(model_.GroupOfLayer(first_layer))];
  for (size_t inner = 0; inner < inner_layers.size(); ++inner) {
    if (inner_layers.size() > 1) part_ = fmt::format("inner {} ", inner);
    EmitEncoderLayer(inner_layers[inner]);
  }
  part_.clear();
  const size_t ramps = stream_.bytes().size();
  EmitOffRamp(first_layer, layers);
  const size_t end = stream_.bytes().size();
  SetSegment(body_segment, body, ramps, 0);
  const size_t stride = model_.off_ramp_shared ? 0 : (end - ramps) / size_t(layers);
  SetSegment(ramp_segment, ramps, model_.off_ramp_shared ? end : ramps + stride, stride);

  if (layers > 1) {
    Instruction loop;
    loop.Set(spec::kOpcode, static_cast<int64_t>(Opcode::kLoop));
    Set(&loop, spec::kLoopTarget, static_cast<int64_t>(target));
    Set(&loop, spec::kLoopCount, layers);
    Emit(loop, "loop");
  }
  in_layer_ = false;
}

Result<Image> Builder::Build() {
  EB_RETURN_IF_ERROR(CheckLimits(model_, config_));
  if (options_.pack_weights && config_.vmac.accumulator_bits != 0) {
    return Error({},
                 "packed weights need an exact accumulator, 'vmac.accumulator_bits' = 0: the sums "
                 "of one that saturates depend on their order",
                 "image-pack");
  }
  image_.format = {.lanes = config_.vmac.n,
                   .code_bits = config_.format.width,
                   .exponent_bits = config_.format.exponent,
                   .axi_data_bits = config_.axi.data_width,
                   .reram_word_bits = config_.reram.word_bits,
                   .reram_check_bits = spec::ReramCheckBits(config_)};
  image_.facts = {.name = options_.name,
                  .layers = model_.num_hidden_layers,
                  .classes = model_.num_labels(),
                  .vocabulary = model_.vocab_size,
                  .types = model_.type_vocab_size,
                  .max_tokens = MaxTokens(),
                  .labels = model_.labels};
  image_.default_threshold =
      static_cast<uint32_t>(ToFixedPoint(model_.entropy_threshold, spec::kEntropyFraction, 33));
  FindLiveHeads();
  LayOutEmbeddings();
  EmitEmbedding();
  const int layers = model_.num_hidden_layers / model_.num_hidden_groups;
  for (int group = 0; group < model_.num_hidden_groups; ++group) EmitRun(group * layers, layers);
  Instruction end;
  end.Set(spec::kOpcode, static_cast<int64_t>(Opcode::kEnd));
  end.Set(spec::kWaitMask, kAllUnits);
  Emit(end, "end");

  const int instructions = static_cast<int>(image_.program.size());
  if (instructions > config_.memory.program_words) {
    error_.Add({},
               LimitMessage("instructions", instructions, "memory.program_words",
                            config_.memory.program_words),
               "image-limit");
  }
  if (!error_.empty()) return error_;
  image_.weights = stream_.Take();
  return std::move(image_);
}

}  // namespace

Result<Image> BuildImage(const ModelConfig& model, const ModelWeights& weights,
                         const ActivationBiases& biases, const spec::AcceleratorConfig& config,
                         const BuildOptions& options) {
  return Builder(model, weights, biases, config, options).Build();
}

std::vector<uint32_t> TokenWords(const Tokens& tokens) {
  std::vector<uint32_t> words;
  for (size_t i = 0; i < tokens.ids.size(); ++i) {
    words.push_back(static_cast<uint32_t>(tokens.ids[i]) | static_cast<uint32_t>(tokens.types[i])
                                                               << spec::kTokenTypeBit);
  }
  return words;
}

Status CheckLimits(const ModelConfig& model, const spec::AcceleratorConfig& config) {
  const spec::ModelLimits& limits = config.model;
  const int context =
      model.num_attention_heads * spec::CeilDiv(model.HeadSize(), config.vmac.n) * config.vmac.n;
  struct Need {
    const char* what;
    int value;
    const char* option;
    int limit;
  };
  Error error;
  for (const Need& need : std::initializer_list<Need>{
           {"hidden width", model.hidden_size, "model.hidden", limits.hidden},
           {"feed-forward width", model.intermediate_size, "model.ffn", limits.ffn},
           {"attention heads", model.num_attention_heads, "model.heads", limits.heads},
           {"layers", model.num_hidden_layers, "model.layers", limits.layers},
           {"classes", model.num_labels(), "model.classes", limits.classes},
           {"words", model.vocab_size, "model.vocab", limits.vocab},
           {"embedding width", model.embedding_size, "model.embedding", limits.embedding},
           {"token types", model.type_vocab_size, "model.token_types", limits.token_types},
           {"a context width of padded heads", context, "largest K", spec::LargestK(config)},
           {"vectors of activation memory", MapMemory(model, config, {}).size,
            "memory.activation_vectors", spec::ActivationVectors(config)}}) {
    if (need.value > need.limit) {
      error.Add({}, LimitMessage(need.what, need.value, need.option, need.limit), "image-limit");
    }
  }
  if (model.off_ramp_pooler && !limits.pooler) {
    error.Add({}, "the model needs a pooler; 'model.pooler' is false", "image-limit");
  }
  if (!error.empty()) return error;
  return Ok();
}

int ProgramBound(const ModelConfig& model) {
  // Of a head: three projections, scores, softmax, context. Of a layer: output, norm, two of the
  // FFN, norm. Of a run: two streams, pooler, classifier, exit, loop. Around it all: stream, three
  // of the embedding, end.
  const int layer = 6 * model.num_attention_heads + 5;
  return 5 + model.num_hidden_groups * (6 + model.inner_group_num * layer);
}

Result<spec::AcceleratorConfig> FitConfig(const ModelConfig& model,
                                          spec::AcceleratorConfig config) {
  constexpr int kLongestSentence = 512;  // more positions only limit the sentence
  config.model = {.hidden = model.hidden_size,
                  .ffn = model.intermediate_size,
                  .heads = model.num_attention_heads,
                  .seq_len = std::min(model.max_position_embeddings, kLongestSentence),
                  .layers = model.num_hidden_layers,
                  .classes = model.num_labels(),
                  .vocab = model.vocab_size,
                  .embedding = model.embedding_size,
                  .token_types = model.type_vocab_size,
                  .pooler = model.off_ramp_pooler};
  config.memory.program_words = std::max(config.memory.program_words, ProgramBound(model));
  EB_RETURN_IF_ERROR(spec::Validate(config));
  return config;
}

}  // namespace edgebert::checkpoint
