#include "golden/checkpoint/image_layout.h"

#include <algorithm>
#include <bit>

#include "golden/base/check.h"
#include "golden/spec/isa.h"
#include "golden/spec/secded.h"

namespace edgebert::checkpoint {
namespace {

/// Appends bit fields, low first, to words of `word_bits` bits, each padded to whole bytes.
class WordPacker {
 public:
  WordPacker(int word_bits, std::vector<uint8_t>* bytes)
      : word_bits_(word_bits), word_bytes_((word_bits + 7) / 8), bytes_(bytes) {}
  ~WordPacker() { PadToWord(); }
  WordPacker(const WordPacker&) = delete;
  WordPacker& operator=(const WordPacker&) = delete;

  /// The field goes into the present word, or whole into the next.
  void Append(uint32_t value, int bits) {
    if (used_ + bits > word_bits_) PadToWord();
    if (used_ == 0) bytes_->resize(bytes_->size() + size_t(word_bytes_));
    uint8_t* word = &(*bytes_)[bytes_->size() - size_t(word_bytes_)];
    for (int i = 0; i < bits; ++i, ++used_) {
      const uint32_t bit = value >> i & 1;
      word[used_ / 8] = static_cast<uint8_t>(word[used_ / 8] | bit << used_ % 8);
    }
  }

  void PadToWord() { used_ = 0; }

 private:
  int word_bits_;
  int word_bytes_;
  int used_ = 0;  // bits of the present word; 0: the next field starts a word
  std::vector<uint8_t>* bytes_;
};

int CeilDivide(int a, int b) { return (a + b - 1) / b; }

/// The words of a region, each with its check bits above the data.
std::vector<uint8_t> AddCheckBits(std::span<const uint8_t> region, int word_bits) {
  std::vector<uint8_t> bytes;
  const auto word_bytes = size_t(word_bits / 8);
  for (size_t word = 0; word < region.size(); word += word_bytes) {
    uint32_t checks = 0;
    uint32_t parity = 0;
    WordPacker packer(word_bits + spec::SecdedCheckBits(word_bits), &bytes);
    for (int bit = 0; bit < word_bits; ++bit) {
      const uint32_t value = region[word + size_t(bit / 8)] >> bit % 8 & 1;
      packer.Append(value, 1);
      parity ^= value;
      if (value != 0) checks ^= spec::kSecdedColumns[size_t(bit)];
    }
    parity ^= static_cast<uint32_t>(std::popcount(checks) & 1);
    packer.Append(checks, spec::SecdedHammingBits(word_bits));
    packer.Append(parity, 1);
  }
  return bytes;
}

}  // namespace

TiledMatrix CutTiles(std::span<const uint8_t> codes, int columns, std::span<const int> row_of,
                     std::span<const int> column_of, int lanes) {
  TiledMatrix matrix{.strips = static_cast<int>(row_of.size()) / lanes,
                     .k_tiles = static_cast<int>(column_of.size()) / lanes,
                     .lanes = lanes,
                     .codes = {},
                     .stored = {}};
  matrix.codes.resize(row_of.size() * column_of.size());
  size_t next = 0;
  for (int strip = 0; strip < matrix.strips; ++strip) {
    for (int k_tile = 0; k_tile < matrix.k_tiles; ++k_tile) {
      for (int j = 0; j < lanes; ++j) {
        const int row = row_of[size_t(strip) * size_t(lanes) + size_t(j)];
        for (int k = 0; k < lanes; ++k, ++next) {
          const int column = column_of[size_t(k_tile) * size_t(lanes) + size_t(k)];
          if (row < 0 || column < 0) continue;
          matrix.codes[next] = codes[size_t(row) * size_t(columns) + size_t(column)];
        }
      }
    }
  }
  matrix.stored.resize(matrix.codes.size());
  std::transform(matrix.codes.begin(), matrix.codes.end(), matrix.stored.begin(),
                 [](uint8_t code) { return code != 0; });
  return matrix;
}

void StoreUnion(std::span<TiledMatrix> matrices) {
  std::vector<uint8_t> stored(matrices.front().stored.size());
  for (const TiledMatrix& matrix : matrices) {
    EB_CHECK(matrix.stored.size() == stored.size(), "{} and {} elements", matrix.stored.size(),
             stored.size());
    for (size_t i = 0; i < stored.size(); ++i) stored[i] |= matrix.stored[i];
  }
  for (TiledMatrix& matrix : matrices) matrix.stored = stored;
}

void WeightStreamWriter::Words(std::span<const int32_t> words) {
  EB_CHECK(words.size() == size_t(format_.lanes), "{} words", words.size());
  WordPacker packer(format_.axi_data_bits, &bytes_);
  for (const int32_t word : words) packer.Append(static_cast<uint32_t>(word), 32);
}

void WeightStreamWriter::Matmul(const TiledMatrix& matrix, std::span<const int32_t> bias) {
  const size_t lanes = size_t(matrix.lanes);
  const size_t tile_size = lanes * lanes;
  for (int strip = 0; strip < matrix.strips; ++strip) {
    Words(bias.subspan(size_t(strip) * lanes, lanes));
    std::vector<int> present;
    for (int k_tile = 0; k_tile < matrix.k_tiles; ++k_tile) {
      const auto begin =
          matrix.stored.begin() + static_cast<std::ptrdiff_t>(matrix.TileOffset(strip, k_tile));
      if (std::any_of(begin, begin + static_cast<std::ptrdiff_t>(tile_size),
                      [](uint8_t stored) { return stored != 0; })) {
        present.push_back(k_tile);
      }
    }
    for (const int k_tile : present) Tile(matrix, strip, k_tile, k_tile == present.back());
    if (present.empty()) EmptyTile();
  }
}

void WeightStreamWriter::Tile(const TiledMatrix& matrix, int strip, int k_tile, bool last) {
  const size_t begin = matrix.TileOffset(strip, k_tile);
  const size_t end = begin + size_t(matrix.lanes) * size_t(matrix.lanes);
  {
    WordPacker prefix(format_.axi_data_bits, &bytes_);
    prefix.Append(static_cast<uint32_t>(k_tile) | uint32_t{last} << spec::kTileLastBit |
                      spec::kTileMarker << 24,
                  spec::kTilePrefixBits);
    for (size_t i = begin; i < end; ++i) prefix.Append(matrix.stored[i], 1);
  }
  WordPacker codes(format_.axi_data_bits, &bytes_);
  for (size_t i = begin; i < end; ++i) {
    if (matrix.stored[i] != 0) codes.Append(matrix.codes[i], format_.code_bits);
  }
}

void WeightStreamWriter::EmptyTile() {
  WordPacker prefix(format_.axi_data_bits, &bytes_);
  prefix.Append(1U << spec::kTileLastBit | 1U << spec::kTileEmptyBit | spec::kTileMarker << 24,
                spec::kTilePrefixBits);
  for (int i = 0; i < format_.lanes * format_.lanes; ++i) prefix.Append(0, 1);
}

uint32_t ReramMaskBase(uint64_t rows, int word_bits) {
  const uint64_t entries = static_cast<uint64_t>(word_bits / 32);
  return static_cast<uint32_t>((rows + entries - 1) / entries);
}

model::ReramImage LayOutReram(std::span<const uint8_t> codes, int columns,
                              const model::ImageFormat& format) {
  const int word_bits = format.reram_word_bits;
  const size_t rows = codes.size() / size_t(columns);
  const int padded = CeilDivide(columns, format.lanes) * format.lanes;
  model::ReramImage image;
  const size_t mlc_word_bytes = size_t(CeilDivide(word_bits, 8));
  {
    WordPacker index(word_bits, &image.slc);
    for (size_t row = 0; row < rows; ++row) {
      index.Append(static_cast<uint32_t>(image.mlc.size() / mlc_word_bytes), 32);
      WordPacker mlc(word_bits, &image.mlc);
      for (const uint8_t code : codes.subspan(row * size_t(columns), size_t(columns))) {
        if (code != 0) mlc.Append(code, format.code_bits);
      }
    }
  }
  for (size_t row = 0; row < rows; ++row) {
    WordPacker mask(word_bits, &image.slc);
    for (int e = 0; e < padded; ++e) {
      mask.Append(e < columns && codes[row * size_t(columns) + size_t(e)] != 0, 1);
    }
  }
  if (format.reram_check_bits != 0) {
    image = {AddCheckBits(image.slc, word_bits), AddCheckBits(image.mlc, word_bits)};
  }
  return image;
}

}  // namespace edgebert::checkpoint
