#include "golden/checkpoint/lane_packing.h"

#include <algorithm>
#include <bit>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace edgebert::checkpoint {
namespace {

/// A set of tiles.
class Tiles {
 public:
  explicit Tiles(size_t size) : words_((size + 63) / 64) {}
  explicit Tiles(const std::vector<bool>& members) : Tiles(members.size()) {
    for (size_t i = 0; i < members.size(); ++i) words_[i / 64] |= uint64_t{members[i]} << i % 64;
  }
  void Add(const Tiles& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }
  /// Members that `other` lacks.
  [[nodiscard]] int CountBeyond(const Tiles& other) const {
    int count = 0;
    for (size_t i = 0; i < words_.size(); ++i) count += std::popcount(words_[i] & ~other.words_[i]);
    return count;
  }

 private:
  std::vector<uint64_t> words_;
};

}  // namespace

std::vector<int> PackLanes(std::span<const std::vector<bool>> touched, int n) {
  const auto width = size_t(n);
  const Tiles none(touched.front().size());
  std::vector<Tiles> tiles;
  std::vector<int> natural;
  std::vector<int> left;
  for (const std::vector<bool>& members : touched) {
    const auto lane = static_cast<int>(tiles.size());
    tiles.emplace_back(members);
    const bool touches = tiles.back().CountBeyond(none) > 0;
    natural.push_back(touches ? lane : -1);
    if (touches) left.push_back(lane);
  }

  std::vector<int> packed;
  Tiles vector = none;
  while (!left.empty()) {
    if (packed.size() % width == 0) vector = none;
    auto best = left.begin();
    std::pair best_cost = {INT_MAX, INT_MAX};  // tiles that the lane adds, and touches
    for (auto lane = left.begin(); lane != left.end(); ++lane) {
      const Tiles& own = tiles[size_t(*lane)];
      const std::pair cost = {own.CountBeyond(vector), own.CountBeyond(none)};
      if (cost < best_cost) {
        best = lane;
        best_cost = cost;
      }
    }
    vector.Add(tiles[size_t(*best)]);
    packed.push_back(*best);
    left.erase(best);
  }

  const auto pad = [&](std::vector<int>& order) {
    order.resize(std::max(width, (order.size() + width - 1) / width * width), -1);
  };
  pad(natural);
  pad(packed);
  const auto cost = [&](const std::vector<int>& order) {
    int count = 0;
    for (size_t begin = 0; begin < order.size(); begin += width) {
      Tiles any = none;
      for (size_t i = begin; i < begin + width; ++i) {
        if (order[i] >= 0) any.Add(tiles[size_t(order[i])]);
      }
      count += any.CountBeyond(none);
    }
    return count;
  };
  return cost(packed) < cost(natural) ? packed : natural;
}

}  // namespace edgebert::checkpoint
