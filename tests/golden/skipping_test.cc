// Work left out is time saved: the cycles of the model against the array's work, counted here from
// the shape, with what the rules of docs/architecture.md, "Timing", add to it.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>

#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/model/cycle_model.h"
#include "tests/support/skipping.h"

namespace edgebert {
namespace {

using skipping::Kind;
using skipping::Point;

class Skipping : public testing::Test {
 protected:
  Skipping() {
    const auto config = spec::LoadConfig(EDGEBERT_CONFIGS "/default.cfg");
    EB_CHECK(config.ok(), "{}", config.error().Format());
    config_ = *config;
  }

  [[nodiscard]] model::CyclePrediction Predict(const Point& point, int of_layers) const {
    checkpoint::ModelConfig shape = checkpoint::LargestModelConfig(config_);
    shape.num_hidden_layers = of_layers;
    checkpoint::ModelWeights weights =
        checkpoint::RandomModelWeights(shape, config_.vmac.n, 1, {0, 0, 0});
    if (point.edit) point.edit(shape, weights);
    const auto image = checkpoint::BuildImage(shape, weights, {}, config_, {.name = "dense"});
    EB_CHECK(image.ok(), "{}", image.error().Format());
    const auto tokens =
        checkpoint::TokenWords(checkpoint::RandomSentences(shape, point.tokens, 1, 1).front());
    return model::CycleModel(config_, *image).Predict(tokens, point.layers);
  }

  /// Tiles of n of a dimension.
  [[nodiscard]] int64_t Vectors(int size) const { return (size + n() - 1) / n(); }
  [[nodiscard]] int n() const { return config_.vmac.n; }
  [[nodiscard]] int heads() const { return config_.model.heads; }
  [[nodiscard]] int64_t hidden() const { return Vectors(config_.model.hidden); }
  [[nodiscard]] int64_t ffn() const { return Vectors(config_.model.ffn); }

  /// Rows that the array takes: a row for every token of every tile of weights, and for every tile
  /// of keys the rows that see it, once for the scores and once for the context.
  [[nodiscard]] int64_t Work(const Point& p) const {
    const int64_t twelfths = p.kind == Kind::kTiles ? p.left : 12;
    const int64_t live = p.kind == Kind::kHeads ? p.left : heads();
    const int reach = p.kind == Kind::kSpans ? p.left : p.tokens;
    int64_t seen = 0;
    for (int tile = 0; tile < Vectors(p.tokens); ++tile) {
      for (int row = 0; row < p.tokens; ++row) {
        if (row >= n() * tile - reach && row < n() * (tile + 1) + reach) ++seen;
      }
    }
    const int64_t projections = 4 * live * hidden() + 2 * ffn() * hidden();
    const int64_t layer = p.tokens * projections * twelfths / 12 + 2 * live * seen;
    const int64_t classifier = hidden();
    return p.tokens * Vectors(config_.model.embedding) * hidden() + p.layers * (layer + classifier);
  }

  /// Checks the work of every point of a kind, and calls `check` with the point, its cycles beyond
  /// the work, and those of the first point.
  template <typename Check>
  void ForEach(Kind kind, const Check& check) const {
    int64_t dense = -1;
    for (const Point& point : skipping::Points(config_)) {
      if (point.kind != kind) continue;
      SCOPED_TRACE(point.left);
      const model::CyclePrediction prediction =
          Predict(point, kind == Kind::kLayers ? config_.model.layers : point.layers);
      ASSERT_EQ(static_cast<int64_t>(prediction.array.mac), Work(point));
      const int64_t beyond = static_cast<int64_t>(prediction.cycles) - Work(point);
      if (dense < 0) dense = beyond;
      check(point, beyond, dense);
    }
  }

  /// Beats, or cycles, in which a dense tile comes from the weight stream.
  [[nodiscard]] int64_t Load() const {
    const int64_t beat = config_.axi.data_width;
    const int64_t prefix = (spec::kTilePrefixBits + n() * n() + beat - 1) / beat;
    const int64_t codes = beat / config_.format.width;
    return std::max<int64_t>(prefix + (n() * n() + codes - 1) / codes, n() + 1);
  }
  /// From the last row of a strip to the first of its drain, with the order to open.
  [[nodiscard]] int64_t DrainOpens() const { return config_.vmac.pipeline + 3 + 1; }

  spec::AcceleratorConfig config_;
};

// A head that is off saves its rows and the n cycles in which each of its held tiles loads: both
// scores and context hold a tile for every n keys. Exactly, while other heads' projections hide
// what it waits for; with one head or none nothing does, but the softmax can add no more than its
// three passes over its tiles, and its row of units 64 cycles deep.
TEST_F(Skipping, HeadsThatAreOff) {
  ForEach(Kind::kHeads, [&](const Point& p, int64_t beyond, int64_t dense) {
    const int64_t loads = 2 * Vectors(p.tokens) * n();
    const int64_t off = heads() - p.left;
    const int64_t softmax = p.tokens * Vectors(p.tokens) + 64;
    const int64_t bound = p.left >= 3 ? 0 : p.layers * 3 * softmax;
    EXPECT_NEAR(static_cast<double>(dense - beyond), static_cast<double>(p.layers * off * loads),
                static_cast<double>(bound));
  });
}

// Rows outside the span are saved; held tiles load and strips drain as before. What a drain has in
// constant time is no longer hidden by the rows: it opens, waits for the post-processor (14 deep)
// and takes 4 cycles from strip to strip, for the scores and for the context of a head.
TEST_F(Skipping, RowsOutsideTheSpan) {
  ForEach(Kind::kSpans, [&](const Point& p, int64_t beyond, int64_t dense) {
    const int64_t strips = Vectors(p.tokens) + 1;
    const int64_t bound = p.layers * heads() * (2 * (DrainOpens() + 14) + 4 * strips);
    EXPECT_LE(std::abs(beyond - dense), bound);
  });
}

// Padding costs nothing while a tile's rows take longer than its load; below that the load counts.
TEST_F(Skipping, PaddedTokens) {
  int shorter_than_load = 0;
  ForEach(Kind::kTokens, [&](const Point& p, int64_t beyond, int64_t dense) {
    EXPECT_GE(beyond, 0);
    const int64_t tiles = Vectors(config_.model.embedding) * hidden() +
                          p.layers * (4 * heads() * hidden() + 2 * ffn() * hidden());
    if (p.tokens < Load()) ++shorter_than_load;
    EXPECT_LE(beyond, dense + tiles * std::max<int64_t>(0, Load() - p.tokens));
  });
  EXPECT_GT(shorter_than_load, 0);
}

// An absent tile saves its rows, exactly, while its strip keeps three. A strip of one waits for the
// drain of the strip before the last, and then for its own load. One of none still drains its rows.
TEST_F(Skipping, AbsentTiles) {
  ForEach(Kind::kTiles, [&](const Point& p, int64_t beyond, int64_t dense) {
    if (p.left >= 3) {
      EXPECT_EQ(beyond, dense);
      return;
    }
    const int64_t strips = 3 * heads() + 2 * hidden() + ffn();
    const int64_t wait =
        p.left == 1 ? DrainOpens() + 1 + Load() + n() : DrainOpens() + 14 + p.tokens;
    EXPECT_GE(beyond, dense);
    EXPECT_LE(beyond, dense + p.layers * strips * wait);
  });
}

// A layer that does not run saves what a layer takes, to the cycles in which STREAM multiplies the
// number of the layer (one a significant bit, two STREAMs a layer at most) and the end of a
// sentence that ran to its last layer.
TEST_F(Skipping, LayersAfterTheExit) {
  int64_t one_layer = 0;
  ForEach(Kind::kLayers, [&](const Point& p, int64_t beyond, int64_t) {
    if (p.layers == 1) one_layer = beyond;
  });
  const int64_t of_a_layer = [&] {
    const int64_t two = static_cast<int64_t>(
        Predict({Kind::kLayers, 2, {}, config_.model.seq_len, 2}, config_.model.layers).cycles);
    return two - Work({Kind::kLayers, 2, {}, config_.model.seq_len, 2}) - one_layer;
  }();
  ForEach(Kind::kLayers, [&](const Point& p, int64_t beyond, int64_t) {
    constexpr int64_t kBits = 4;  // of the last layer's number
    EXPECT_NEAR(static_cast<double>(beyond),
                static_cast<double>(one_layer + (p.layers - 1) * of_a_layer),
                static_cast<double>(2 * kBits * p.layers + 1));
  });
}

}  // namespace
}  // namespace edgebert
