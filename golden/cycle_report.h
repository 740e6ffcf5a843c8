// What edgebert-golden prints of predicted cycles: where they go by operation, and over array
// sizes.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "golden/base/result.h"
#include "golden/model/cycle_model.h"
#include "golden/model/image.h"
#include "golden/spec/config.h"

namespace edgebert {

/// Sums of predictions over sentences.
struct CycleTotals {
  uint64_t sentences = 0;
  uint64_t cycles = 0;
  uint64_t matmul_idle = 0;
  uint64_t softmax = 0;
  uint64_t layer_norm = 0;
  uint64_t embed = 0;
  uint64_t exit = 0;
  std::vector<model::ArrayCycles> array;  ///< of each instruction of the program

  void Add(const model::CyclePrediction& prediction);
  [[nodiscard]] model::ArrayCycles Array() const;
  /// Mean over the sentences.
  [[nodiscard]] double Mean(uint64_t sum) const {
    return static_cast<double>(sum) / static_cast<double>(sentences);
  }
};

/// What the array does in the cycles of a mean sentence, by the names of the operations; and the
/// cycles of the other units.
void PrintCycles(const CycleTotals& totals, const model::Image& image);

/// A sentence of the sweep: the layers it runs are those of any array size.
struct SweptSentence {
  std::vector<uint32_t> tokens;
  int layers = 0;
};

/// Cycles of the mean sentence with 4, 8, 16 and 32 VMACs of as many lanes; everything else as in
/// `config`. `build` makes the image for a configuration.
Status PrintArraySizes(
    const spec::AcceleratorConfig& config, const model::MemoryTiming& memory,
    std::span<const SweptSentence> sentences, int threads,
    const std::function<Result<model::Image>(const spec::AcceleratorConfig&)>& build);

}  // namespace edgebert
