#include "golden/train/batches.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace edgebert::train {
namespace {

constexpr size_t kWindow = 2048;  // examples that are sorted by length together

size_t Length(const Example& example) { return example.tokens.ids.size(); }

/// Cuts a list, roughly sorted by length, into batches.
std::vector<std::vector<int>> Cut(std::span<const Example> examples, std::span<const int> order,
                                  int batch_tokens) {
  std::vector<std::vector<int>> batches;
  size_t longest = 0;
  for (const int index : order) {
    const size_t length = Length(examples[size_t(index)]);
    longest = std::max(longest, length);
    if (batches.empty() ||
        longest * (batches.back().size() + 1) > static_cast<size_t>(batch_tokens)) {
      batches.emplace_back();
      longest = length;
    }
    batches.back().push_back(index);
  }
  return batches;
}

template <typename T>
void Shuffle(std::vector<T>* values, std::mt19937_64* random) {
  for (size_t i = values->size(); i > 1; --i)
    std::swap((*values)[i - 1], (*values)[(*random)() % i]);
}

}  // namespace

uint64_t MixSeed(uint64_t seed, uint64_t number) {
  // splitmix64 (Steele et al. 2014)
  uint64_t mixed = seed + 0x9e3779b97f4a7c15U * (number + 1);
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
  return mixed ^ mixed >> 31;
}

std::vector<std::vector<int>> ShuffledBatches(std::span<const Example> examples, int batch_tokens,
                                              uint64_t seed, int epoch) {
  std::mt19937_64 random(MixSeed(seed, static_cast<uint64_t>(epoch)));
  std::vector<int> order(examples.size());
  std::iota(order.begin(), order.end(), 0);
  Shuffle(&order, &random);
  for (size_t begin = 0; begin < order.size(); begin += kWindow) {
    const size_t end = std::min(begin + kWindow, order.size());
    std::stable_sort(
        order.begin() + std::ptrdiff_t(begin), order.begin() + std::ptrdiff_t(end),
        [&](int a, int b) { return Length(examples[size_t(a)]) < Length(examples[size_t(b)]); });
  }
  std::vector<std::vector<int>> batches = Cut(examples, order, batch_tokens);
  Shuffle(&batches, &random);
  return batches;
}

std::vector<std::vector<int>> OrderedBatches(std::span<const Example> examples, int batch_tokens) {
  std::vector<int> order(examples.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](int i) { return Length(examples[size_t(i)]); });
  return Cut(examples, order, batch_tokens);
}

Batch MakeBatch(std::span<const Example> examples, std::span<const int> indices, int pad,
                std::span<const float> teacher, const WordDropout& dropout) {
  Batch batch;
  batch.sentences = static_cast<int>(indices.size());
  for (const int index : indices) {
    batch.length = std::max(batch.length, static_cast<int>(Length(examples[size_t(index)])));
  }
  const size_t labels = teacher.size() / examples.size();
  const auto length = static_cast<size_t>(batch.length);
  std::mt19937_64 random(dropout.seed);
  for (const int index : indices) {
    const Example& example = examples[size_t(index)];
    for (const int id : example.tokens.ids) {
      const bool special = id == dropout.cls || id == dropout.sep;
      const bool drop = dropout.rate > 0 && !special &&
                        static_cast<double>(random() >> 11) * 0x1p-53 < dropout.rate;
      batch.ids.push_back(drop ? dropout.unknown : id);
    }
    batch.types.insert(batch.types.end(), example.tokens.types.begin(), example.tokens.types.end());
    const size_t end = batch.lengths.size() * length + length;
    batch.ids.resize(end, pad);
    batch.types.resize(end, 0);
    batch.lengths.push_back(static_cast<int64_t>(Length(example)));
    batch.labels.push_back(example.label);
    const auto logits = teacher.subspan(size_t(index) * labels, labels);
    batch.teacher.insert(batch.teacher.end(), logits.begin(), logits.end());
  }
  return batch;
}

}  // namespace edgebert::train
