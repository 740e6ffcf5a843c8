// Packed weights: the order by hand on small cases, and whole images that give the same answers
// from fewer tiles.
#include "golden/checkpoint/lane_packing.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

#include "golden/model/machine.h"
#include "tests/golden/random_model.h"

namespace edgebert {
namespace {

using checkpoint::PackLanes;
using Lanes = std::vector<std::vector<bool>>;

TEST(PackLanes, GathersLanesThatTouchTheSameTiles) {
  const Lanes lanes = {{true, false}, {false, true}, {true, false}, {false, true}};
  const std::vector<int> order = PackLanes(lanes, 2);  // 2 tiles instead of 4
  ASSERT_EQ(order.size(), 4U);
  EXPECT_EQ(order[0] % 2, order[1] % 2);
  EXPECT_EQ(order[2] % 2, order[3] % 2);
  EXPECT_EQ(std::set<int>(order.begin(), order.end()), (std::set<int>{0, 1, 2, 3}));
}

TEST(PackLanes, LeavesOutLanesThatTouchNothing) {
  EXPECT_EQ(PackLanes(Lanes{{true}, {false}, {false}, {true}}, 2), (std::vector<int>{0, 3}));
  EXPECT_EQ(PackLanes(Lanes{{false}, {false}}, 4), (std::vector<int>{-1, -1, -1, -1}));
}

TEST(PackLanes, KeepsTheOrderWhereNothingIsGained) {
  EXPECT_EQ(PackLanes(Lanes{{true}, {true}, {true}}, 2), (std::vector<int>{0, 1, 2, -1}));
  // Two lanes that differ in one vector: any order touches both tiles once.
  EXPECT_EQ(PackLanes(Lanes{{true, true}, {false, true}}, 2), (std::vector<int>{0, 1}));
}

/// What leaves a layer, and the tiles of each kind of MATMUL.
class Results : public model::MachineObserver {
 public:
  void OnWriteBack(const model::Step& step, const model::WriteBack& write) override {
    if (step.name->text != "output norm" && step.name->text != "exit") return;
    lanes.insert(lanes.end(), write.lanes.begin(), write.lanes.end());
  }
  void OnDone(const model::Step& step, const model::Counts& counts) override {
    tiles[step.name->text] += counts.tiles;
  }

  std::vector<int32_t> lanes;
  std::map<std::string, uint64_t> tiles;
};

model::Image Build(const RandomCase& random, const spec::AcceleratorConfig& config, bool pack) {
  auto image = checkpoint::BuildImage(random.model.config, random.model.weights, random.biases,
                                      config, {.name = "random", .pack_weights = pack});
  EXPECT_TRUE(image.ok()) << image.error().Format();
  return *std::move(image);
}

Results RunAll(const RandomCase& random, const spec::AcceleratorConfig& config, bool pack) {
  const model::Image image = Build(random, config, pack);
  model::Machine machine(config, image);
  Results results;
  for (const checkpoint::Tokens& tokens : random.sentences) {
    machine.Run(checkpoint::TokenWords(tokens), 0, &results);
    EXPECT_EQ(machine.result().error, spec::ErrorCode::kNone);
  }
  return results;
}

uint64_t AllTiles(const Results& results) {
  uint64_t sum = 0;
  for (const auto& [name, tiles] : results.tiles) sum += tiles;
  return sum;
}

TEST(PackedWeights, GiveTheSameAnswersFromFewerTiles) {
  int gains = 0;
  for (const int lanes : {4, 8, 16}) {
    const spec::AcceleratorConfig config = SmallConfig(lanes);
    for (uint64_t seed = 1; seed <= 8; ++seed) {
      RandomCase random = MakeRandomCase(config, seed, 2);
      // Sparse, and some lanes of every matrix empty, with and without a bias.
      std::mt19937_64 prune(seed);
      for (std::vector<checkpoint::LayerWeights>& group : random.model.weights.groups) {
        for (checkpoint::LayerWeights& layer : group) {
          for (checkpoint::LinearWeights* linear :
               {&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.ffn,
                &layer.ffn_output}) {
            checkpoint::Matrix& matrix = linear->weight;
            std::vector<bool> no_column(static_cast<size_t>(matrix.columns));
            for (size_t c = 0; c < no_column.size(); ++c) no_column[c] = prune() % 6 == 0;
            for (int r = 0; r < matrix.rows; ++r) {
              const bool no_row = prune() % 6 == 0;
              if (no_row && prune() % 2 == 0) linear->bias[size_t(r)] = 0;
              for (size_t c = 0; c < no_column.size(); ++c) {
                if (no_row || no_column[c] || prune() % 2 == 0) {
                  matrix.values[size_t(r) * no_column.size() + c] = 0;
                }
              }
            }
          }
        }
      }
      const Results plain = RunAll(random, config, false);
      const Results packed = RunAll(random, config, true);
      EXPECT_EQ(packed.lanes, plain.lanes) << lanes << " lanes, seed " << seed;
      EXPECT_LE(AllTiles(packed), AllTiles(plain));
      gains += AllTiles(packed) < AllTiles(plain) ? 1 : 0;
    }
  }
  EXPECT_GT(gains, 12);
}

TEST(PackedWeights, LoseTheTilesOfPrunedNeurons) {
  const spec::AcceleratorConfig config = SmallConfig(4);
  RandomCase random = MakeRandomCase(config, 1, 1);
  checkpoint::ModelConfig& shape = random.model.config;
  shape.hidden_size = 12;
  shape.intermediate_size = 16;
  shape.num_attention_heads = 1;
  shape.num_hidden_layers = 1;
  shape.num_hidden_groups = 1;
  shape.inner_group_num = 1;
  random.model.weights =
      checkpoint::RandomModelWeights(shape, 4, 1, {.elements = 0, .tiles = 0, .tile_rows = 0});
  checkpoint::Matrix& output = random.model.weights.groups[0][0].ffn_output.weight;
  for (size_t i = 0; i < output.values.size(); ++i) {
    if (i % 2 == 1) output.values[i] = 0;  // the odd neurons
  }
  const Results plain = RunAll(random, config, false);
  const Results packed = RunAll(random, config, true);
  EXPECT_EQ(plain.tiles.at("ffn"), 4U * 3U);  // 16 x 12
  EXPECT_EQ(packed.tiles.at("ffn"), 2U * 3U);
  EXPECT_EQ(plain.tiles.at("ffn output"), 3U * 4U);
  EXPECT_EQ(packed.tiles.at("ffn output"), 3U * 2U);
  EXPECT_EQ(packed.lanes, plain.lanes);
}

TEST(PackedWeights, OfDenseMatricesAreTheSameImage) {
  const spec::AcceleratorConfig config = SmallConfig(8);
  RandomCase random = MakeRandomCase(config, 2, 1);
  random.model.weights = checkpoint::RandomModelWeights(
      random.model.config, 8, 1, {.elements = 0, .tiles = 0, .tile_rows = 0});
  random.model.weights.attention_span.clear();
  EXPECT_EQ(Build(random, config, true).weights, Build(random, config, false).weights);
}

TEST(PackedWeights, NeedAnExactAccumulator) {
  spec::AcceleratorConfig config = SmallConfig(4);
  const RandomCase random = MakeRandomCase(config, 1, 1);
  config.vmac.accumulator_bits = 24;
  const auto image = checkpoint::BuildImage(random.model.config, random.model.weights,
                                            random.biases, config, {.pack_weights = true});
  ASSERT_FALSE(image.ok());
  EXPECT_NE(image.error().Format().find("[image-pack]"), std::string::npos)
      << image.error().Format();
}

}  // namespace
}  // namespace edgebert
