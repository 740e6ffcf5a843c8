#include "golden/model/timing/layer_norm.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <vector>

#include "golden/spec/formats.h"

namespace edgebert::model::timing {

namespace {

constexpr Cycle kNormStart = 1;  // command register
// From a row's last read: views, squares, tree of log2(n) levels, sums, variance, root, queue.
constexpr Cycle kNormStatistics = 11;
constexpr Cycle kNormToWrite = 12;  // row buffer, eleven stages of a lane
constexpr size_t kNormRowsAhead = 4;  // rows read and not yet with the back

}  // namespace

Cycle RunLayerNorm(const spec::AcceleratorConfig& config, const spec::Instruction& command,
                   int length, Cycle start, WeightStream& stream) {
  const auto vectors = static_cast<size_t>(command.Get(spec::kLayerNormVectors));
  const auto rows = static_cast<size_t>(
      command.Get(spec::kLayerNormRowsLen) != 0 ? length : command.Get(spec::kLayerNormRows));
  const Cycle begin = start + kNormStart;
  Cycle words = begin;
  for (size_t group = 0; group < 2 * vectors; ++group) {  // gamma and beta of each vector
    const Cycle taken = stream.Words(words);
    stream.TakeWords(taken);
    words = taken + 1;
  }
  const Cycle statistics =
      kNormStatistics + std::bit_width(static_cast<unsigned>(config.vmac.n)) - 1;
  const auto ring = std::bit_ceil(
      static_cast<size_t>(std::max(spec::HiddenVectors(config), spec::EmbeddingVectors(config)) +
                          static_cast<int>(statistics)));
  std::vector<Cycle> taken;  // by the back: all vectors
  taken.reserve(rows * vectors);
  Cycle read = begin;  // the next one
  for (size_t row = 0; row < rows; ++row) {
    if (row >= kNormRowsAhead) {
      read = std::max(read, taken[(row - kNormRowsAhead + 1) * vectors - 1] + 1);
    }
    for (size_t vector = row * vectors; vector < (row + 1) * vectors; ++vector) {
      if (vector >= ring) read = std::max(read, taken[vector - ring] + 1);
      ++read;
    }
    Cycle take = std::max(read - 1 + statistics, words);
    if (row > 0) take = std::max(take, taken.back() + 1);
    for (size_t vector = 0; vector < vectors; ++vector) taken.push_back(take++);
  }
  return taken.back() + kNormToWrite + 1;
}

}  // namespace edgebert::model::timing
