// The cycle model on programs small enough to follow by hand from the rules of
// docs/architecture.md, "Timing". Arrays of 4, beats of 64 bits, memory latency 16. How such a
// sentence begins:
//
//   0 CHECK  1 REQUEST  2 burst of the tokens  3 its address at AR  3 + 16 = 19 first beat at R
//   21 it leaves the beat buffer, and its two tokens are counted in 21 and 22, and so on
//
// so that token t (from 0) is counted in cycle 21 + t, and the first instruction is dispatched
// three cycles after the last token. From a STREAM in cycle t on, the first beat can be taken in t
// + 22: segment t + 1, request t + 2, burst t + 3, AR t + 4, R t + 20, beat buffer t + 22.
#include "golden/model/cycle_model.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>
#include <vector>

#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/image_layout.h"
#include "tests/golden/random_model.h"

namespace edgebert::model {
namespace {

using spec::Field;
using spec::Instruction;
using spec::Opcode;

constexpr int kLanes = 4;
constexpr int kAllUnits = (1 << spec::kUnits) - 1;
constexpr int kOlderMatmuls = 1 << spec::kWaitOlderMatmuls;

Instruction Make(Opcode opcode, std::initializer_list<std::pair<Field, int64_t>> fields) {
  Instruction instruction;
  instruction.Set(spec::kOpcode, static_cast<int64_t>(opcode));
  for (const auto& [field, value] : fields) instruction.Set(field, value);
  return instruction;
}

class CycleModelByHand : public testing::Test {
 protected:
  CycleModelByHand() {
    config_.vmac.n = kLanes;
    config_.axi.data_width = 64;
    config_.axi.outstanding = 4;
    image_.format = {kLanes, 8, 3, 64, 64};
    image_.facts = {.layers = 1, .classes = 2, .max_tokens = 64};
  }

  /// `program`, then EXIT, which waits for `exit_waits`, and END.
  CyclePrediction Predict(std::vector<Instruction> program, int tokens,
                          int exit_waits = kAllUnits) {
    program.push_back(
        Make(Opcode::kExit, {{spec::kWaitMask, exit_waits}, {spec::kExitClasses, 2}}));
    program.push_back(Make(Opcode::kEnd, {{spec::kWaitMask, kAllUnits}}));
    image_.program = std::move(program);
    return CycleModel(config_, image_).Predict(std::vector<uint32_t>(size_t(tokens)), 1);
  }

  /// STREAM of all the weights.
  [[nodiscard]] Instruction Stream() const {
    return Make(Opcode::kStream,
                {{spec::kStreamBeats, static_cast<int64_t>(image_.weights.size() / 8)}});
  }
  /// A dense strip of the weight stream.
  void AddStrip(int k_tiles) {
    const std::vector<int> rows = {0, 1, 2, 3};
    std::vector<int> columns(size_t(k_tiles * kLanes));
    for (size_t i = 0; i < columns.size(); ++i) columns[i] = static_cast<int>(i);
    const std::vector<uint8_t> codes(columns.size() * kLanes, 1);
    checkpoint::WeightStreamWriter writer(image_.format);
    writer.Matmul(checkpoint::CutTiles(codes, k_tiles * kLanes, rows, columns, kLanes),
                  std::vector<int32_t>(kLanes));
    image_.weights.insert(image_.weights.end(), writer.bytes().begin(), writer.bytes().end());
  }

  spec::AcceleratorConfig config_;
  Image image_;
};

TEST_F(CycleModelByHand, OneMatmul) {
  // 8 tokens: STREAM in 31, MATMUL in 32, begins in 33, biases from 34. First beat in 31 + 22 = 53.
  // Biases, 4 words: beats 53 and 54, taken in 55. Tile 1 from 56: prefix of 48 bits, beat 56,
  // loads in 57; its 16 codes, beats 57 and 58; masks 58 .. 61, rows 59 .. 62. Shadow full and
  // first row in 63, rows 63 .. 70. Tile 2: prefix beat 59, loads with the last mask of tile 1, 61;
  // rows move from 64, when the shadow is free, to 67. Its rows follow those of tile 1, 71 .. 78.
  // The last one is summed 2 + 3 cycles later, so the drain opens in 83, reads 84 .. 91, writes 96
  // .. 103.
  AddStrip(2);
  const CyclePrediction p = Predict({Stream(), Make(Opcode::kMatmul, {{spec::kMatmulStrips, 1},
                                                                      {spec::kMatmulKTiles, 2},
                                                                      {spec::kMatmulRowsLen, 1}})},
                                    8);
  ASSERT_EQ(p.operations.size(), 2U);
  EXPECT_EQ(p.operations[0].sequence, 1U);
  EXPECT_EQ(p.operations[0].first, 32U);
  EXPECT_EQ(p.operations[0].last, 104U);
  // 33 .. 62 without a tile; 79 .. 103 only drain.
  const ArrayCycles array{.mac = 16, .weight = 30, .drain = 25};
  EXPECT_EQ(p.array, array);
  EXPECT_EQ(p.operations[0].array, array);
  // EXIT: two cycles, two passes of two classes, seventeen, and the result in 127; idle in 128.
  EXPECT_EQ(p.operations[1].first, 104U);
  EXPECT_EQ(p.operations[1].last, 128U);
  EXPECT_EQ(p.exit, 23U);
  // The entropy goes to the result writer in 128, to the bus in 129, is answered in 129 + 1 + 16
  // and no longer counts in 147. END in 129, FLUSH 130, RESULT 131, words of the record at the
  // writer from 133, one in two cycles: 133, 135, 137, then four wait, so 147, 151 (133 + 18), 153.
  // Answered and quiet in 171, done in 172.
  EXPECT_EQ(p.cycles, 172U);
}

TEST_F(CycleModelByHand, MatmulsOverlap) {
  // The first as above with one tile: rows 63 .. 70, drain opens in 75, reads 76 .. 83, writes
  // 88 .. 95, post-processor empty in 96. The second is taken when the shadow is free, in 64, and
  // has its biases from 66: beats 66 and 67, taken in 68. Tile from 69: prefix 69, loads in 70,
  // codes 70 and 71, rows 72 .. 75, first row in 76: the array has waited since 71. Rows to 83. Its
  // drain waits for the post-processor: opens in 96, reads 97 .. 104, writes 109 .. 116.
  AddStrip(1);
  AddStrip(1);
  const Instruction matmul =
      Make(Opcode::kMatmul,
           {{spec::kMatmulStrips, 1}, {spec::kMatmulKTiles, 1}, {spec::kMatmulRowsLen, 1}});
  const CyclePrediction p = Predict({Stream(), matmul, matmul}, 8, kOlderMatmuls);
  ASSERT_EQ(p.operations.size(), 3U);
  EXPECT_EQ(p.operations[0].last, 109U);
  EXPECT_EQ(p.operations[1].first, 64U);
  EXPECT_EQ(p.operations[1].last, 117U);
  EXPECT_EQ(p.operations[0].array, (ArrayCycles{.mac = 8, .weight = 30}));
  EXPECT_EQ(p.operations[1].array, (ArrayCycles{.mac = 8, .weight = 5, .drain = 33}));
  // "All but the youngest" is known a cycle after the first is done.
  EXPECT_EQ(p.operations[2].first, 97U);
}

TEST_F(CycleModelByHand, HeldTilesLoadWhenNothingElseIsRead) {
  // Dispatched in 31, begins in 32, loads 33 .. 36; rows 37 .. 44. The second tile needs the memory
  // that they read: loads 45 .. 48, rows 49 .. 56. Drains 50 .. 57 and, opened in 56 + 5, 62 .. 69;
  // the last score is written in 80.
  const CyclePrediction p =
      Predict({Make(Opcode::kMatmul,
                    {{spec::kMatmulHeld, static_cast<int64_t>(spec::Held::kRows)},
                     {spec::kMatmulDestination, static_cast<int64_t>(spec::Destination::kScores)},
                     {spec::kMatmulStripsLen, 1},
                     {spec::kMatmulKTiles, 1},
                     {spec::kMatmulRowsLen, 1}})},
              8);
  EXPECT_EQ(p.operations[0].first, 31U);
  EXPECT_EQ(p.operations[0].last, 81U);
  EXPECT_EQ(p.array, (ArrayCycles{.mac = 16, .held = 9, .drain = 24}));
}

TEST_F(CycleModelByHand, WindowsLeaveRowsOut) {
  // As above with reach 0: strip 0 has rows 0 .. 3, strip 1 rows 4 .. 7. Loads 33 .. 36, rows
  // 37 .. 40, loads 41 .. 44, rows 45 .. 48; drains: 45 opens, reads 46 .. 49; 53 opens, reads
  // 54 .. 57, last score 68.
  const CyclePrediction p =
      Predict({Make(Opcode::kMatmul,
                    {{spec::kMatmulHeld, static_cast<int64_t>(spec::Held::kRows)},
                     {spec::kMatmulDestination, static_cast<int64_t>(spec::Destination::kScores)},
                     {spec::kMatmulStripsLen, 1},
                     {spec::kMatmulKTiles, 1},
                     {spec::kMatmulRowsLen, 1},
                     {spec::kMatmulWindow, 1}})},
              8);
  EXPECT_EQ(p.operations[0].last, 69U);
  EXPECT_EQ(p.array, (ArrayCycles{.mac = 8, .held = 9, .drain = 20}));
}

TEST_F(CycleModelByHand, Softmax) {
  // 6 tokens, dispatched in 29, spans of one tile: row r is read in 31 + r, begins its second pass
  // 10 + 2 cycles later, its third 14 + 2 after that, in 59 + r, and is written in 66 + r; idle
  // after the last, in 72.
  const CyclePrediction one = Predict({Make(Opcode::kSoftmax, {{spec::kSoftmaxReach, 0}})}, 6);
  EXPECT_EQ(one.operations[0].first, 29U);
  EXPECT_EQ(one.operations[0].last, 72U);
  EXPECT_EQ(one.softmax, 42U);
  // With both tiles in reach of every row, row r is read in 31 + 2r and 32 + 2r. The last tile of
  // the last one, read in 42, begins its second pass as the second of its row: 42 + 12 + 1; so too
  // the third, 55 + 16 + 1, and is written in 79.
  const CyclePrediction two = Predict({Make(Opcode::kSoftmax, {{spec::kSoftmaxReach, 63}})}, 6);
  EXPECT_EQ(two.operations[0].last, 80U);
}

TEST_F(CycleModelByHand, LayerNorm) {
  // 3 tokens: STREAM in 26, LAYER_NORM in 27, first beat in 48. A word group is two beats and a
  // cycle to take it: 50, 53, 56, 59. The rows have been read long before; their six vectors leave
  // from 60 on, the last in 65, and is written twelve later (row buffer and eleven stages of a lane). Idle
  // in 78.
  image_.weights.resize(4 * 16);
  const Instruction norm =
      Make(Opcode::kLayerNorm, {{spec::kLayerNormRowsLen, 1}, {spec::kLayerNormVectors, 2}});
  const CyclePrediction p = Predict({Stream(), norm}, 3);
  EXPECT_EQ(p.operations[0].first, 27U);
  EXPECT_EQ(p.operations[0].last, 78U);
  EXPECT_EQ(p.layer_norm, 50U);
}

TEST_F(CycleModelByHand, Embed) {
  // One vector a row, ReRAM latency 4. A row asked for in cycle q: masks requested in q + 4, known
  // 1 + 4 + 1 later in q + 10; its codes asked for then, in the buffer in q + 16; mask taken in
  // q + 17, vector in q + 18. So a row takes 19 cycles. Dispatched in 24, the first token takes 2
  // of its own and three rows, 25 .. 83; written five later, and idle in 83 + 5 + 2 = 90. The next
  // token has the same type: 2 + 2 * 19 more.
  config_.model.embedding = kLanes;
  const std::vector<uint8_t> codes(5 * kLanes, 1);  // two words, two positions, a type
  image_.reram = checkpoint::LayOutReram(codes, kLanes, image_.format);
  const Instruction embed = Make(Opcode::kEmbed, {{spec::kEmbedVectors, 1},
                                                  {spec::kEmbedTypes, 1},
                                                  {spec::kEmbedPositionRow, 2},
                                                  {spec::kEmbedTypeRow, 4},
                                                  {spec::kEmbedMaskBase, 3}});
  const CyclePrediction one = Predict({embed}, 1);
  EXPECT_EQ(one.operations[0].first, 24U);
  EXPECT_EQ(one.operations[0].last, 90U);
  EXPECT_EQ(one.embed, 65U);
  EXPECT_EQ(Predict({embed}, 2).embed, 65U + 40);
  // With ECC masks and codes come a cycle later: 2 a row.
  config_.reram.ecc = spec::ReramEcc::kSecded;
  image_.format.reram_check_bits = 8;
  image_.reram = checkpoint::LayOutReram(codes, kLanes, image_.format);
  EXPECT_EQ(Predict({embed}, 1).embed, 65U + 3 * 2);
  EXPECT_EQ(Predict({embed}, 2).embed, 65U + 40 + 5 * 2);
}

TEST(CycleModel, WhatItHasPredictedBeforeChangesNothing) {
  const spec::AcceleratorConfig config = SmallConfig(8);
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const checkpoint::ModelConfig shape = checkpoint::RandomModelConfig(config, seed);
    const auto image =
        checkpoint::BuildImage(shape, checkpoint::RandomModelWeights(shape, 8, seed), {}, config);
    ASSERT_TRUE(image.ok()) << image.error().Format();
    const CycleModel used(config, *image);
    for (const int length : {1, 2, 3, 20}) {
      for (uint64_t sentence = 0; sentence < 6; ++sentence) {
        const auto tokens = checkpoint::TokenWords(
            checkpoint::RandomSentences(shape, length, 1, 7 * seed + sentence).front());
        const CyclePrediction p = used.Predict(tokens, 1);
        const CyclePrediction fresh = CycleModel(config, *image).Predict(tokens, 1);
        EXPECT_EQ(p.cycles, fresh.cycles);
        EXPECT_EQ(p.embed, fresh.embed);
        EXPECT_EQ(p.matmul_idle, fresh.matmul_idle);
        EXPECT_EQ(p.array, fresh.array);
        ASSERT_EQ(p.operations.size(), fresh.operations.size());
        for (size_t i = 0; i < p.operations.size(); ++i) {
          EXPECT_EQ(p.operations[i].first, fresh.operations[i].first);
          EXPECT_EQ(p.operations[i].last, fresh.operations[i].last);
        }
      }
    }
  }
}

}  // namespace
}  // namespace edgebert::model
