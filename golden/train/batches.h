// Encoded sentences, and the batches of an epoch: the same for a seed, on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "golden/checkpoint/tokenizer.h"
#include "golden/train/network.h"

namespace edgebert::train {

struct Example {
  checkpoint::Tokens tokens;
  int label = 0;
  int line = 0;  ///< in its file
};

/// Indices of examples: shuffled, then gathered by length so that little is padding. A batch holds
/// at most `batch_tokens` tokens, padding included.
std::vector<std::vector<int>> ShuffledBatches(std::span<const Example> examples, int batch_tokens,
                                              uint64_t seed, int epoch);
/// The same in order of length, for evaluation.
std::vector<std::vector<int>> OrderedBatches(std::span<const Example> examples, int batch_tokens);

/// What becomes of pieces in training: with probability `rate` a piece (not a special token)
/// becomes `unknown`.
struct WordDropout {
  double rate = 0;
  int unknown = 0;
  int cls = 0;
  int sep = 0;
  uint64_t seed = 0;
};

/// `teacher` is empty or has `labels` logits for each example.
Batch MakeBatch(std::span<const Example> examples, std::span<const int> indices, int pad,
                std::span<const float> teacher = {}, const WordDropout& dropout = {});

/// A number that depends on both, for seeds.
uint64_t MixSeed(uint64_t seed, uint64_t number);

}  // namespace edgebert::train
