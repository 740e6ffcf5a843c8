#include "golden/model/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>
#include <optional>

#include "golden/model/adaptivfloat.h"
#include "golden/model/bitmask.h"
#include "golden/model/embedding.h"
#include "golden/model/entropy.h"
#include "golden/model/exact_matmul.h"
#include "golden/model/layer_norm.h"
#include "golden/model/post_processor.h"
#include "golden/model/reram.h"
#include "golden/model/softmax.h"
#include "golden/model/vmac.h"

namespace edgebert::model {
namespace {

using spec::ErrorCode;
using spec::Field;
using spec::Instruction;

/// A tensor in activation memory: the vector of (row, tile) is at base + row*stride + tile.
struct Operand {
  int base = 0;
  int stride = 0;

  Operand(const Instruction& instruction, const Field& base_field, const Field& stride_field)
      : base(instruction.GetInt(base_field)), stride(instruction.GetInt(stride_field)) {}
  [[nodiscard]] int Address(int row, int tile) const { return base + row * stride + tile; }
};

/// Rows that are computed with a held tile.
struct RowRange {
  int begin = 0;
  int end = 0;

  [[nodiscard]] int size() const { return end - begin; }
  friend bool operator==(const RowRange&, const RowRange&) = default;
};

/// Held tiles as integer views, one after another.
struct Tiles {
  std::vector<int> k_tiles;     ///< of each tile
  std::vector<int16_t> paired;  ///< as AddProducts takes them: [k/2][output lane][k%2]
  std::vector<int32_t> plain;   ///< [output lane][k lane]; instead of `paired`
  std::vector<uint32_t> live;   ///< [k lane]: non-zeros among the output lanes
};

struct Strip {
  std::vector<int32_t> bias;  ///< Fixed, one an output lane
  Tiles tiles;
};

/// The weights of one MATMUL.
struct StreamWeights {
  std::vector<Strip> strips;
  uint64_t beats = 0;
  uint64_t nonzeros = 0;
};

/// Source rows as integer views, in one of two widths.
struct Source {
  int rows = 0;
  int k_tiles = 0;
  std::vector<int16_t> narrow;   ///< [row][K tile][lane]
  std::vector<int32_t> wide;     ///< instead of `narrow`
  std::vector<uint8_t> is_zero;  ///< [K tile][row]
  std::vector<uint32_t> live;  ///< [row][K tile][lane]: non-zeros in the rows before, up to `rows`
};

/// `count` bits of a byte string from bit `first`, low first.
uint32_t BitsAt(std::span<const uint8_t> bytes, int first, int count) {
  uint32_t bits = 0;
  for (int i = 0; i < count; ++i) {
    bits |= (uint32_t{bytes[size_t(first + i) / 8]} >> (first + i) % 8 & 1) << i;
  }
  return bits;
}

}  // namespace

std::string Step::Describe() const {
  std::string text;
  if (name->in_layer) text += fmt::format("layer {} ", layer);
  if (name->head >= 0) text += fmt::format("head {} ", name->head);
  return text + name->text;
}

Counts& Counts::operator+=(const Counts& other) {
  instructions += other.instructions;
  mac_rows += other.mac_rows;
  gated_rows += other.gated_rows;
  source_products += other.source_products;
  held_products += other.held_products;
  live_products += other.live_products;
  tiles += other.tiles;
  skipped_rows += other.skipped_rows;
  weight_beats += other.weight_beats;
  weight_nonzeros += other.weight_nonzeros;
  activation_writes += other.activation_writes;
  score_writes += other.score_writes;
  source_reads += other.source_reads;
  residual_reads += other.residual_reads;
  held_reads += other.held_reads;
  norm_vectors += other.norm_vectors;
  softmax_tiles += other.softmax_tiles;
  reram_words += other.reram_words;
  reram_corrected += other.reram_corrected;
  return *this;
}

class Machine::Impl {
 public:
  Impl(const spec::AcceleratorConfig& config, const Image& image);

  void Start(std::span<const uint32_t> tokens, uint32_t threshold);
  bool StepOnce(MachineObserver* observer);

  MachineState state;

 private:
  // One handler an opcode.
  void Execute(const Instruction& instruction);
  void Stream(const Instruction& instruction);
  void Loop(const Instruction& instruction);
  void End();
  void Embed(const Instruction& instruction);
  void Matmul(const Instruction& instruction);
  void Softmax(const Instruction& instruction);
  void LayerNorm(const Instruction& instruction);
  void Exit(const Instruction& instruction);

  void Fail(ErrorCode code, int detail = 0);
  [[nodiscard]] int Length() const { return static_cast<int>(state.tokens.size()); }

  // Weight stream; false or null at its end or on a malformed record.
  const uint8_t* NextBeat();
  bool ReadWords(std::vector<int32_t>* words);
  bool ReadTile(int k_tiles, Tiles* tiles, bool* last);
  std::optional<StreamWeights> DecodeStreamWeights(int strips, int k_tiles);
  const StreamWeights* TakeStreamWeights(int strips, int k_tiles);

  // Memories. Writes are reported.
  /// Lane 0 of a vector, in a string of lanes.
  [[nodiscard]] size_t LaneOffset(int vector) const { return size_t(vector) * size_t(lanes_); }
  [[nodiscard]] size_t VectorOffset(int address) const;
  [[nodiscard]] const uint8_t* VectorAt(int address) const {
    return &state.activations[VectorOffset(address)];
  }
  void WriteVector(const Operand& operand, int row, int tile, const uint8_t* codes);
  template <typename T>
  void Report(WriteKind kind, int address, int row, int tile, const T* values, int count);

  // Matrix product.
  void AppendTile(const uint8_t* codes, int k_tile, Tiles* tiles) const;
  [[nodiscard]] Tiles HeldTiles(const Instruction& instruction, int strip, int k_tiles);
  void ReadSource(const Operand& operand, int rows, int k_tiles);
  [[nodiscard]] RowRange Window(int tile, int rows, int reach) const;
  void Accumulate(const Tiles& tiles, std::span<const RowRange> ranges);
  void PostProcess(const Instruction& instruction, int strip, const RowRange& rows,
                   std::span<const int32_t> bias);

  spec::AcceleratorConfig config_;
  const Image& image_;
  int lanes_;
  int seq_tiles_;
  size_t beat_bytes_;
  AdaptivFloat format_;
  bool narrow_ = false;  // integer views fit 16 bits, and the accumulator is exact
  int accumulator_bits_;
  int64_t exact_pairs_ = 0;                    // pairs of products that surely add up in 32 bits
  std::vector<int32_t> views_;                 // of every code
  std::map<uint64_t, StreamWeights> decoded_;  // by the offset in the weights
  StreamWeights split_weights_;

  // Of the present instruction.
  MachineObserver* observer_ = nullptr;
  Step step_;
  Counts counts_;
  Source source_;
  std::vector<int64_t> sums_;    // [row][output lane]
  std::vector<int32_t> report_;  // lanes of a write-back
};

Machine::Impl::Impl(const spec::AcceleratorConfig& config, const Image& image)
    : config_(config),
      image_(image),
      lanes_(config.vmac.n),
      seq_tiles_(spec::SeqTiles(config)),
      beat_bytes_(size_t(config.axi.data_width / 8)),
      format_{config.format.width, config.format.exponent},
      accumulator_bits_(spec::AccumulatorBits(config)) {
  const int64_t largest = (int64_t{1} << (spec::CodeIntBits(config) - 1)) - 1;
  exact_pairs_ = INT32_MAX / (2 * largest * largest);
  narrow_ = largest <= INT16_MAX && exact_pairs_ > 0 && config.vmac.accumulator_bits == 0;
  views_.resize(size_t{1} << format_.width);
  for (size_t code = 0; code < views_.size(); ++code) {
    views_[code] = static_cast<int32_t>(format_.ToInteger(static_cast<uint32_t>(code)));
  }
}

void Machine::Impl::Start(std::span<const uint32_t> tokens, uint32_t threshold) {
  const size_t lanes = size_t(lanes_);
  state = {};
  state.activations.resize(size_t(spec::ActivationVectors(config_)) * lanes);
  state.scores.resize(size_t(config_.model.seq_len) * size_t(seq_tiles_) * lanes);
  state.logits.resize(size_t(spec::ClassVectors(config_)) * lanes);
  state.tokens.assign(tokens.begin(), tokens.end());
  state.threshold = threshold;
  state.finished = false;
  if (tokens.empty() || Length() > config_.model.seq_len) return Fail(ErrorCode::kLength);
  EB_CHECK(Length() <= image_.facts.max_tokens, "{} tokens; the image has positions for {}",
           Length(), image_.facts.max_tokens);
}

void Machine::Impl::Fail(ErrorCode code, int detail) {
  state.result.error = code;
  state.result.error_detail = static_cast<uint32_t>(detail);
  state.finished = true;
}

bool Machine::Impl::StepOnce(MachineObserver* observer) {
  if (state.finished) return false;
  if (state.pc >= static_cast<int>(image_.program.size())) {
    Fail(ErrorCode::kProgramOverrun, state.pc);
    return false;
  }
  const Instruction& instruction = image_.program[size_t(state.pc)];
  observer_ = observer;
  step_ = {.sequence = state.sequence,
           .pc = state.pc,
           .iteration = state.iteration,
           .layer = state.result.exit_layer,
           .instruction = &instruction,
           .name = &image_.names[size_t(state.pc)]};
  counts_ = {.instructions = 1};
  if (observer_ != nullptr) observer_->OnInstruction(step_);
  ++state.pc;
  ++state.sequence;
  Execute(instruction);
  state.result.counts += counts_;
  if (observer_ != nullptr) observer_->OnDone(step_, counts_);
  return !state.finished;
}

void Machine::Impl::Execute(const Instruction& instruction) {
  switch (static_cast<spec::Opcode>(instruction.Get(spec::kOpcode))) {
    case spec::Opcode::kEnd:
      return End();
    case spec::Opcode::kStream:
      return Stream(instruction);
    case spec::Opcode::kLoop:
      return Loop(instruction);
    case spec::Opcode::kEmbed:
      return Embed(instruction);
    case spec::Opcode::kMatmul:
      return Matmul(instruction);
    case spec::Opcode::kSoftmax:
      return Softmax(instruction);
    case spec::Opcode::kLayerNorm:
      return LayerNorm(instruction);
    case spec::Opcode::kExit:
      return Exit(instruction);
  }
  Fail(ErrorCode::kBadOpcode, step_.pc);
}

void Machine::Impl::Stream(const Instruction& instruction) {
  const uint64_t offset =
      uint64_t(instruction.Get(spec::kStreamOffset)) +
      uint64_t(state.iteration) * uint64_t(instruction.Get(spec::kStreamIterationStride));
  state.stream.push_back({offset, uint64_t(instruction.Get(spec::kStreamBeats)) * beat_bytes_});
}

void Machine::Impl::Loop(const Instruction& instruction) {
  ++state.iteration;
  if (state.iteration < instruction.Get(spec::kLoopCount)) {
    state.pc = instruction.GetInt(spec::kLoopTarget);
  } else {
    state.iteration = 0;
  }
}

void Machine::Impl::End() {
  if (state.result.exit_layer == 0) return Fail(ErrorCode::kNoExit);
  state.finished = true;
}

template <typename T>
void Machine::Impl::Report(WriteKind kind, int address, int row, int tile, const T* values,
                           int count) {
  if (observer_ == nullptr) return;
  report_.assign(values, values + count);
  observer_->OnWriteBack(step_, {.kind = kind,
                                 .address = static_cast<uint32_t>(address),
                                 .row = row,
                                 .tile = tile,
                                 .lanes = report_});
}

size_t Machine::Impl::VectorOffset(int address) const {
  const size_t offset = LaneOffset(address);
  EB_CHECK(offset < state.activations.size(), "{}: activation vector {}", step_.Describe(),
           address);
  return offset;
}

void Machine::Impl::WriteVector(const Operand& operand, int row, int tile, const uint8_t* codes) {
  const int address = operand.Address(row, tile);
  std::copy_n(codes, lanes_, &state.activations[VectorOffset(address)]);
  ++counts_.activation_writes;
  Report(WriteKind::kActivation, address, row, tile, codes, lanes_);
}

// --- Weight stream -------------------------------------------------------------------------------

const uint8_t* Machine::Impl::NextBeat() {
  std::vector<MachineState::Segment>& stream = state.stream;
  while (!stream.empty() && stream.front().bytes == 0) stream.erase(stream.begin());
  if (stream.empty()) return nullptr;
  MachineState::Segment& segment = stream.front();
  if (segment.offset + beat_bytes_ > image_.weights.size()) return nullptr;
  const uint8_t* beat = &image_.weights[segment.offset];
  segment.offset += beat_bytes_;
  segment.bytes -= beat_bytes_;
  ++counts_.weight_beats;
  return beat;
}

bool Machine::Impl::ReadWords(std::vector<int32_t>* words) {
  words->clear();
  while (static_cast<int>(words->size()) < lanes_) {
    const uint8_t* beat = NextBeat();
    if (beat == nullptr) return false;
    for (size_t byte = 0; byte < beat_bytes_ && static_cast<int>(words->size()) < lanes_;
         byte += 4) {
      words->push_back(static_cast<int32_t>(uint32_t{beat[byte]} | uint32_t{beat[byte + 1]} << 8 |
                                            uint32_t{beat[byte + 2]} << 16 |
                                            uint32_t{beat[byte + 3]} << 24));
    }
  }
  return true;
}

bool Machine::Impl::ReadTile(int k_tiles, Tiles* tiles, bool* last) {
  const int elements = lanes_ * lanes_;
  std::vector<uint8_t> prefix;
  while (static_cast<int>(prefix.size()) * 8 < spec::kTilePrefixBits + elements) {
    const uint8_t* beat = NextBeat();
    if (beat == nullptr) return false;
    prefix.insert(prefix.end(), beat, beat + beat_bytes_);
  }
  const auto k_tile = static_cast<int>(BitsAt(prefix, 0, 16));
  *last = BitsAt(prefix, spec::kTileLastBit, 1) != 0;
  if (prefix[3] != spec::kTileMarker) return false;
  if (BitsAt(prefix, spec::kTileEmptyBit, 1) != 0) {
    for (int lane = 0; lane < lanes_; ++lane) {
      if (BitsAt(prefix, spec::kTilePrefixBits + lane * lanes_, lanes_) != 0) return false;
    }
    return true;
  }
  if (k_tile >= k_tiles) return false;

  std::vector<uint8_t> codes(size_t(elements), 0);
  std::vector<uint8_t> nonzeros;
  const uint8_t* beat = nullptr;
  const int codes_a_beat = spec::CodesPerBeat(config_);
  int in_beat = codes_a_beat;
  for (int lane = 0; lane < lanes_; ++lane) {
    const uint32_t mask = BitsAt(prefix, spec::kTilePrefixBits + lane * lanes_, lanes_);
    nonzeros.clear();
    for (int i = 0; i < std::popcount(mask); ++i, ++in_beat) {
      if (in_beat == codes_a_beat) {
        beat = NextBeat();
        if (beat == nullptr) return false;
        in_beat = 0;
      }
      nonzeros.push_back(static_cast<uint8_t>(
          BitsAt({beat, beat_bytes_}, in_beat * format_.width, format_.width)));
    }
    counts_.weight_nonzeros += nonzeros.size();
    Expand(mask, nonzeros, std::span(codes).subspan(LaneOffset(lane), size_t(lanes_)));
  }
  AppendTile(codes.data(), k_tile, tiles);
  return true;
}

std::optional<StreamWeights> Machine::Impl::DecodeStreamWeights(int strips, int k_tiles) {
  StreamWeights weights;
  weights.strips.resize(size_t(strips));
  for (Strip& strip : weights.strips) {
    if (!ReadWords(&strip.bias)) return std::nullopt;
    for (bool last = false; !last;) {
      if (!ReadTile(k_tiles, &strip.tiles, &last)) return std::nullopt;
    }
  }
  return weights;
}

/// Decoded once: sentences and layers that share weights find them again by their place.
const StreamWeights* Machine::Impl::TakeStreamWeights(int strips, int k_tiles) {
  std::vector<MachineState::Segment>& stream = state.stream;
  while (!stream.empty() && stream.front().bytes == 0) stream.erase(stream.begin());
  if (stream.empty()) return nullptr;
  MachineState::Segment& segment = stream.front();
  const uint64_t offset = segment.offset;
  const auto known = decoded_.find(offset);
  if (known != decoded_.end() && known->second.strips.size() == size_t(strips) &&
      known->second.beats * beat_bytes_ <= segment.bytes) {
    const uint64_t bytes = known->second.beats * beat_bytes_;
    segment.offset += bytes;
    segment.bytes -= bytes;
    counts_.weight_beats += known->second.beats;
    counts_.weight_nonzeros += known->second.nonzeros;
    return &known->second;
  }
  const uint64_t available = segment.bytes;
  const Counts before = counts_;
  std::optional<StreamWeights> weights = DecodeStreamWeights(strips, k_tiles);
  if (!weights) return nullptr;
  weights->beats = counts_.weight_beats - before.weight_beats;
  weights->nonzeros = counts_.weight_nonzeros - before.weight_nonzeros;
  // What ran over into the next segment is not found again by its place.
  StreamWeights& kept =
      weights->beats * beat_bytes_ <= available ? decoded_[offset] : split_weights_;
  return &(kept = std::move(*weights));
}

// --- Matrix product ------------------------------------------------------------------------------

/// Appends the tile of n x n codes in the order [output lane][k lane].
void Machine::Impl::AppendTile(const uint8_t* codes, int k_tile, Tiles* tiles) const {
  tiles->k_tiles.push_back(k_tile);
  const size_t live = tiles->live.size();
  tiles->live.resize(live + size_t(lanes_), 0);
  for (int i = 0; i < lanes_ * lanes_; ++i) {
    if (narrow_) {
      const int j = i / 2 % lanes_;
      const int k = i / (2 * lanes_) * 2 + i % 2;
      tiles->paired.push_back(static_cast<int16_t>(views_[codes[j * lanes_ + k]]));
    } else {
      tiles->plain.push_back(views_[codes[i]]);
    }
    tiles->live[live + size_t(i % lanes_)] += views_[codes[i]] != 0 ? 1 : 0;
  }
}

/// The tiles of a strip that come from activation memory.
Tiles Machine::Impl::HeldTiles(const Instruction& instruction, int strip, int k_tiles) {
  const Operand held(instruction, spec::kMatmulHeldBase, spec::kMatmulHeldStride);
  const bool transposed =
      instruction.Get(spec::kMatmulHeld) == static_cast<int64_t>(spec::Held::kTransposed);
  Tiles tiles;
  std::vector<uint8_t> codes(size_t(lanes_) * size_t(lanes_));
  for (int k_tile = 0; k_tile < k_tiles; ++k_tile) {
    std::fill(codes.begin(), codes.end(), uint8_t{0});
    const int first = (transposed ? k_tile : strip) * lanes_;
    for (int i = 0; i < lanes_ && first + i < Length(); ++i) {
      ++counts_.held_reads;
      const uint8_t* vector = VectorAt(held.Address(first + i, transposed ? strip : k_tile));
      for (int lane = 0; lane < lanes_; ++lane) {
        codes[size_t(transposed ? lane * lanes_ + i : i * lanes_ + lane)] = vector[lane];
      }
    }
    AppendTile(codes.data(), k_tile, &tiles);
  }
  return tiles;
}

void Machine::Impl::ReadSource(const Operand& operand, int rows, int k_tiles) {
  source_.rows = rows;
  source_.k_tiles = k_tiles;
  const size_t size = size_t(rows) * size_t(k_tiles) * size_t(lanes_);
  source_.narrow.resize(narrow_ ? size : 0);
  source_.wide.resize(narrow_ ? 0 : size);
  source_.is_zero.resize(size_t(rows) * size_t(k_tiles));
  const size_t row_size = LaneOffset(k_tiles);
  source_.live.assign(size + row_size, 0);
  size_t next = 0;
  for (int row = 0; row < rows; ++row) {
    for (int k_tile = 0; k_tile < k_tiles; ++k_tile) {
      const uint8_t* vector = VectorAt(operand.Address(row, k_tile));
      int32_t any = 0;
      for (int lane = 0; lane < lanes_; ++lane, ++next) {
        const int32_t view = views_[vector[lane]];
        any |= view;
        source_.live[next + row_size] = source_.live[next] + (view != 0 ? 1 : 0);
        if (narrow_) {
          source_.narrow[next] = static_cast<int16_t>(view);
        } else {
          source_.wide[next] = view;
        }
      }
      source_.is_zero[size_t(k_tile) * size_t(rows) + size_t(row)] = any == 0;
    }
  }
}

RowRange Machine::Impl::Window(int tile, int rows, int reach) const {
  const int begin = std::max(0, lanes_ * tile - reach);
  const int end = std::min(rows, lanes_ * (tile + 1) + reach);
  return {begin, std::max(begin, end)};
}

/// Adds the products of the source and the tiles, each with its rows, to `sums_`.
void Machine::Impl::Accumulate(const Tiles& tiles, std::span<const RowRange> ranges) {
  const size_t lanes = size_t(lanes_);
  const size_t row_size = size_t(source_.k_tiles) * lanes;
  for (size_t tile = 0; tile < tiles.k_tiles.size();) {
    const RowRange range = ranges[tile];
    const int k_tile = tiles.k_tiles[tile];
    // Neighbouring tiles of the same rows are one longer product.
    size_t end = tile + 1;
    while (narrow_ && end < tiles.k_tiles.size() && ranges[end] == range &&
           tiles.k_tiles[end] == tiles.k_tiles[end - 1] + 1) {
      ++end;
    }
    for (size_t t = tile; t < end; ++t) {
      ++counts_.tiles;
      counts_.mac_rows += uint64_t(range.size());
      counts_.skipped_rows += uint64_t(source_.rows - range.size());
      const auto is_zero = source_.is_zero.begin() + ptrdiff_t{tiles.k_tiles[t]} * source_.rows;
      counts_.gated_rows +=
          std::accumulate(is_zero + range.begin, is_zero + range.end, uint64_t{0});
      const uint32_t* before =
          &source_.live[size_t(range.begin) * row_size + LaneOffset(tiles.k_tiles[t])];
      const uint32_t* after = before + size_t(range.size()) * row_size;
      for (size_t k = 0; k < lanes; ++k) {
        const uint64_t sources = after[k] - before[k];
        const uint64_t held = tiles.live[t * lanes + k];
        counts_.source_products += sources * lanes;
        counts_.held_products += uint64_t(range.size()) * held;
        counts_.live_products += sources * held;
      }
    }
    const size_t first = size_t(range.begin) * row_size + size_t(k_tile) * lanes;
    if (narrow_) {
      AddProducts(source_.narrow.data() + first, static_cast<ptrdiff_t>(row_size), range.size(),
                  &tiles.paired[tile * lanes * lanes],
                  static_cast<ptrdiff_t>((end - tile) * lanes / 2), lanes_, exact_pairs_,
                  &sums_[size_t(range.begin) * lanes]);
    } else {
      for (int row = range.begin; row < range.end; ++row) {
        const int32_t* values = &source_.wide[first + size_t(row - range.begin) * row_size];
        for (size_t j = 0; j < lanes; ++j) {
          const int64_t dot =
              Dot({values, lanes}, {&tiles.plain[(tile * lanes + j) * lanes], lanes});
          int64_t& sum = sums_[size_t(row) * lanes + j];
          sum = model::Accumulate(sum, dot, accumulator_bits_, state.result.saturated);
        }
      }
    }
    tile = end;
  }
}

void Machine::Impl::Matmul(const Instruction& instruction) {
  const auto held = static_cast<spec::Held>(instruction.Get(spec::kMatmulHeld));
  const int length_tiles = spec::CeilDiv(Length(), lanes_);
  const int rows =
      instruction.Get(spec::kMatmulRowsLen) != 0 ? Length() : instruction.GetInt(spec::kMatmulRows);
  const int strips = instruction.Get(spec::kMatmulStripsLen) != 0
                         ? length_tiles
                         : instruction.GetInt(spec::kMatmulStrips);
  const int k_tiles = instruction.Get(spec::kMatmulKTilesLen) != 0
                          ? length_tiles
                          : instruction.GetInt(spec::kMatmulKTiles);
  if (strips == 0 || k_tiles == 0) return Fail(ErrorCode::kBadOperand, step_.pc);
  const bool window = instruction.Get(spec::kMatmulWindow) != 0;
  const int reach = instruction.GetInt(spec::kMatmulReach);

  const StreamWeights* weights = nullptr;
  if (held == spec::Held::kStream) {
    weights = TakeStreamWeights(strips, k_tiles);
    if (weights == nullptr) return Fail(ErrorCode::kStreamFormat);
  }
  ReadSource(Operand(instruction, spec::kMatmulSrcBase, spec::kMatmulSrcStride), rows, k_tiles);
  const std::vector<int32_t> no_bias(size_t(lanes_), 0);
  const RowRange all{0, rows};
  for (int strip = 0; strip < strips; ++strip) {
    sums_.assign(size_t(rows) * size_t(lanes_), 0);
    if (weights != nullptr) {
      const Strip& columns = weights->strips[size_t(strip)];
      Accumulate(columns.tiles, std::vector<RowRange>(columns.tiles.k_tiles.size(), all));
      PostProcess(instruction, strip, all, columns.bias);
      continue;
    }
    const Tiles tiles = HeldTiles(instruction, strip, k_tiles);
    std::vector<RowRange> ranges(size_t(k_tiles), all);
    RowRange written = all;
    if (window && held == spec::Held::kRows) {
      written = Window(strip, rows, reach);
      std::fill(ranges.begin(), ranges.end(), written);
    } else if (window) {
      for (int k_tile = 0; k_tile < k_tiles; ++k_tile) {
        ranges[size_t(k_tile)] = Window(k_tile, rows, reach);
      }
    }
    Accumulate(tiles, ranges);
    PostProcess(instruction, strip, written, no_bias);
  }
  counts_.source_reads += counts_.mac_rows;
}

void Machine::Impl::PostProcess(const Instruction& instruction, int strip, const RowRange& rows,
                                std::span<const int32_t> bias) {
  const auto destination =
      static_cast<spec::Destination>(instruction.Get(spec::kMatmulDestination));
  const auto activation = static_cast<spec::Activation>(instruction.Get(spec::kMatmulActivation));
  const bool has_residual = instruction.Get(spec::kMatmulResidual) != 0;
  const Operand output(instruction, spec::kMatmulDstBase, spec::kMatmulDstStride);
  const Operand residual(instruction, spec::kMatmulResidualBase, spec::kMatmulResidualStride);
  const int shift = instruction.GetInt(spec::kMatmulShift);
  const int bias_out = instruction.GetInt(spec::kMatmulBiasOut);
  const int bias_residual = instruction.GetInt(spec::kMatmulBiasResidual);
  std::vector<int64_t> values((size_t(lanes_)));
  std::vector<uint8_t> codes((size_t(lanes_)));
  for (int row = rows.begin; row < rows.end; ++row) {
    const uint8_t* res = has_residual ? VectorAt(residual.Address(row, strip)) : nullptr;
    if (has_residual) ++counts_.residual_reads;
    for (int lane = 0; lane < lanes_; ++lane) {
      const int64_t r = res == nullptr ? 0 : format_.ToFixed(res[lane], bias_residual);
      values[size_t(lane)] = model::PostProcess(sums_[LaneOffset(row) + size_t(lane)], shift,
                                                bias[size_t(lane)], activation, r);
    }
    switch (destination) {
      case spec::Destination::kActivations: {
        for (int lane = 0; lane < lanes_; ++lane) {
          codes[size_t(lane)] =
              static_cast<uint8_t>(format_.Encode(values[size_t(lane)], bias_out));
        }
        WriteVector(output, row, strip, codes.data());
        break;
      }
      case spec::Destination::kScores: {
        const int address = row * seq_tiles_ + strip;
        EB_CHECK(LaneOffset(address) < state.scores.size(), "score vector {}", address);
        int16_t* scores = &state.scores[LaneOffset(address)];
        for (int lane = 0; lane < lanes_; ++lane) {
          scores[lane] = static_cast<int16_t>(ToScore(values[size_t(lane)]));
        }
        ++counts_.score_writes;
        Report(WriteKind::kScore, address, row, strip, scores, lanes_);
        break;
      }
      case spec::Destination::kLogits: {
        EB_CHECK(LaneOffset(strip) < state.logits.size(), "logit strip {}", strip);
        int32_t* logits = &state.logits[LaneOffset(strip)];
        std::copy(values.begin(), values.end(), logits);
        Report(WriteKind::kLogit, strip, row, strip, logits, lanes_);
        break;
      }
    }
  }
}

// --- The other units -----------------------------------------------------------------------------

void Machine::Impl::Embed(const Instruction& instruction) {
  const Operand output(instruction, spec::kEmbedDstBase, spec::kEmbedDstStride);
  const int vectors = instruction.GetInt(spec::kEmbedVectors);
  if (vectors == 0 || vectors > spec::EmbeddingVectors(config_)) {
    return Fail(ErrorCode::kBadOperand, step_.pc);
  }
  const int64_t position_row = instruction.Get(spec::kEmbedPositionRow);
  const int64_t type_row = instruction.Get(spec::kEmbedTypeRow);
  const int bias_out = instruction.GetInt(spec::kEmbedBiasOut);
  const ReramLayout layout{
      .word_bits = config_.reram.word_bits,
      .code_bits = format_.width,
      .elements = vectors * lanes_,
      .mask_base = static_cast<uint32_t>(instruction.Get(spec::kEmbedMaskBase)),
      .check_bits = image_.format.reram_check_bits};
  bool failed = false;
  // Codes of a row, unless one has failed.
  const auto read = [&](int64_t row) {
    if (failed) return std::vector<uint8_t>();
    ReramRow result = ReadReramRow(image_.reram, layout, static_cast<uint32_t>(row));
    counts_.reram_words += uint64_t(result.words_read);
    counts_.reram_corrected += uint64_t(result.words_corrected);
    failed = result.uncorrectable;
    if (failed) Fail(ErrorCode::kReramWord, static_cast<int>(row));
    return result.codes;
  };
  std::vector<uint8_t> codes(LaneOffset(vectors));
  std::vector<uint8_t> type_codes;
  int64_t held_type = -1;  // its row is kept
  for (int i = 0; i < Length(); ++i) {
    const uint32_t token = state.tokens[size_t(i)];
    const int64_t id = token & ((1U << spec::kTokenTypeBit) - 1);
    const int64_t type = token >> spec::kTokenTypeBit;
    if (id >= position_row) return Fail(ErrorCode::kTokenRange, i);
    if (type >= instruction.Get(spec::kEmbedTypes)) return Fail(ErrorCode::kTypeRange, i);
    if (type != held_type) type_codes = read(type_row + type);
    held_type = type;
    const std::vector<uint8_t> position_codes = read(position_row + i);
    const std::vector<uint8_t> word_codes = read(id);
    if (failed) return;
    EmbedRow({word_codes, instruction.GetInt(spec::kEmbedBiasWord)},
             {position_codes, instruction.GetInt(spec::kEmbedBiasPosition)},
             {type_codes, instruction.GetInt(spec::kEmbedBiasType)}, format_, bias_out, codes);
    for (int tile = 0; tile < vectors; ++tile) {
      WriteVector(output, i, tile, &codes[LaneOffset(tile)]);
    }
  }
}

void Machine::Impl::Softmax(const Instruction& instruction) {
  const Operand output(instruction, spec::kSoftmaxDstBase, spec::kSoftmaxDstStride);
  const int reach = instruction.GetInt(spec::kSoftmaxReach);
  const SpanCoefficients span{instruction.Get(spec::kSoftmaxMaskC),
                              instruction.Get(spec::kSoftmaxMaskR)};
  const int bias_out = instruction.GetInt(spec::kSoftmaxBiasOut);
  std::vector<uint8_t> codes(size_t(spec::CeilDiv(Length(), lanes_) * lanes_));
  for (int row = 0; row < Length(); ++row) {
    const std::span<const int16_t> scores(&state.scores[LaneOffset(row * seq_tiles_)],
                                          size_t(Length()));
    SoftmaxRow(scores, row, span, format_, bias_out, std::span(codes).first(size_t(Length())));
    const int last = std::min(Length() - 1, row + reach) / lanes_;
    for (int tile = std::max(0, row - reach) / lanes_; tile <= last; ++tile) {
      ++counts_.softmax_tiles;
      WriteVector(output, row, tile, &codes[LaneOffset(tile)]);
    }
  }
}

void Machine::Impl::LayerNorm(const Instruction& instruction) {
  const Operand input(instruction, spec::kLayerNormSrcBase, spec::kLayerNormSrcStride);
  const Operand output(instruction, spec::kLayerNormDstBase, spec::kLayerNormDstStride);
  const int vectors = instruction.GetInt(spec::kLayerNormVectors);
  const int rows = instruction.Get(spec::kLayerNormRowsLen) != 0
                       ? Length()
                       : instruction.GetInt(spec::kLayerNormRows);
  if (vectors == 0 || vectors > spec::NormVectors(config_)) {
    return Fail(ErrorCode::kBadOperand, step_.pc);
  }
  const int64_t hidden = instruction.Get(spec::kLayerNormHidden);
  const int bias_out = instruction.GetInt(spec::kLayerNormBiasOut);
  const uint64_t eps = uint64_t(instruction.Get(spec::kLayerNormEpsLow)) |
                       uint64_t(instruction.Get(spec::kLayerNormEpsHigh)) << 32;
  std::vector<int32_t> gamma;
  std::vector<int32_t> beta;
  std::vector<int32_t> words;
  for (int vector = 0; vector < vectors; ++vector) {
    for (std::vector<int32_t>* group : {&gamma, &beta}) {
      if (!ReadWords(&words)) return Fail(ErrorCode::kStreamFormat);
      group->insert(group->end(), words.begin(), words.end());
    }
  }
  std::vector<uint8_t> codes(LaneOffset(vectors));
  for (int row = 0; row < rows; ++row) {
    LayerNormRow({VectorAt(input.Address(row, 0)), codes.size()}, hidden, gamma, beta, eps, format_,
                 bias_out, codes);
    for (int tile = 0; tile < vectors; ++tile) {
      ++counts_.norm_vectors;
      WriteVector(output, row, tile, &codes[LaneOffset(tile)]);
    }
  }
}

void Machine::Impl::Exit(const Instruction& instruction) {
  const int classes = instruction.GetInt(spec::kExitClasses);
  EB_CHECK(classes > 0 && size_t(classes) <= state.logits.size(), "{} classes", classes);
  SentenceResult& result = state.result;
  result.logits.assign(state.logits.begin(), state.logits.begin() + classes);
  const OffRampResult answer = Entropy(result.logits);
  result.prediction = answer.prediction;
  result.entropies.push_back(answer.entropy);
  const auto entropy = static_cast<int32_t>(answer.entropy);
  Report(WriteKind::kEntropy, result.exit_layer, 0, 0, &entropy, 1);
  Report(WriteKind::kPrediction, 0, 0, 0, &result.prediction, 1);
  ++result.exit_layer;
  if (answer.entropy < state.threshold) {
    state.stream.clear();
    state.finished = true;
  }
}

// --- Machine -------------------------------------------------------------------------------------

Status Machine::Check(const spec::AcceleratorConfig& config, const Image& image) {
  Error error;
  const auto expect = [&](const char* what, int value, int expected) {
    if (value == expected) return;
    error.Add(
        {},
        fmt::format("the image is for {} = {}; the configuration has {}", what, value, expected),
        "image-mismatch");
  };
  expect("vmac.n", image.format.lanes, config.vmac.n);
  expect("format.width", image.format.code_bits, config.format.width);
  expect("format.exponent", image.format.exponent_bits, config.format.exponent);
  expect("axi.data_width", image.format.axi_data_bits, config.axi.data_width);
  expect("reram.word_bits", image.format.reram_word_bits, config.reram.word_bits);
  expect("reram.ecc: check bits", image.format.reram_check_bits, spec::ReramCheckBits(config));
  if (!error.empty()) return error;
  return Ok();
}

Machine::Machine(const spec::AcceleratorConfig& config, const Image& image)
    : impl_(std::make_unique<Impl>(config, image)) {}
Machine::~Machine() = default;
Machine::Machine(Machine&&) noexcept = default;
Machine& Machine::operator=(Machine&&) noexcept = default;

const SentenceResult& Machine::Run(std::span<const uint32_t> tokens, uint32_t threshold,
                                   MachineObserver* observer) {
  Start(tokens, threshold);
  while (StepOnce(observer)) {
  }
  return result();
}

void Machine::Start(std::span<const uint32_t> tokens, uint32_t threshold) {
  impl_->Start(tokens, threshold);
}

bool Machine::StepOnce(MachineObserver* observer) { return impl_->StepOnce(observer); }

void Machine::RunUntil(uint64_t sequence, MachineObserver* observer) {
  while (state().sequence < sequence && StepOnce(observer)) {
  }
}

const MachineState& Machine::state() const { return impl_->state; }
void Machine::set_state(MachineState state) { impl_->state = std::move(state); }

}  // namespace edgebert::model
