// Byte layouts of the weight stream and the ReRAM (docs/architecture.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "golden/model/image.h"

namespace edgebert::checkpoint {

/// A matrix cut into n x n tiles, padded with zeros.
struct TiledMatrix {
  int strips = 0;               ///< output tiles
  int k_tiles = 0;              ///< input tiles
  int lanes = 0;                ///< n
  std::vector<uint8_t> codes;   ///< [strip][k tile][output lane][k lane]
  std::vector<uint8_t> stored;  ///< same order: 1 when the stream carries the code

  [[nodiscard]] size_t TileOffset(int strip, int k_tile) const {
    return (size_t(strip) * size_t(k_tiles) + size_t(k_tile)) * size_t(lanes) * size_t(lanes);
  }
};

/// Cuts a row-major code matrix of `columns` columns. Entry i of `row_of` (a multiple of n entries)
/// is the matrix row of output lane i, -1 for padding; `column_of` the same for the inputs.
TiledMatrix CutTiles(std::span<const uint8_t> codes, int columns, std::span<const int> row_of,
                     std::span<const int> column_of, int lanes);

/// Makes every matrix store what any of them stores, so that all take the same beats. Same shape.
void StoreUnion(std::span<TiledMatrix> matrices);

/// Appends to a weight stream.
class WeightStreamWriter {
 public:
  /// `format` must outlive the writer.
  explicit WeightStreamWriter(const model::ImageFormat& format) : format_(format) {}

  [[nodiscard]] const std::vector<uint8_t>& bytes() const { return bytes_; }
  std::vector<uint8_t> Take() { return std::move(bytes_); }

  /// One word group; n words.
  void Words(std::span<const int32_t> words);
  /// The strips of a MATMUL; one bias word a lane of the padded output.
  void Matmul(const TiledMatrix& matrix, std::span<const int32_t> bias);

 private:
  /// A tile record; an empty one without codes.
  void Tile(const TiledMatrix& matrix, int strip, int k_tile, bool last);
  void EmptyTile();

  const model::ImageFormat& format_;
  std::vector<uint8_t> bytes_;
};

/// The embedding tables, one after another: codes row-major, `columns` a row.
model::ReramImage LayOutReram(std::span<const uint8_t> codes, int columns,
                              const model::ImageFormat& format);
/// First SLC word of the masks of `rows` rows.
uint32_t ReramMaskBase(uint64_t rows, int word_bits);

}  // namespace edgebert::checkpoint
