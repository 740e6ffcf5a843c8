// The image builder: byte layouts worked out by hand from docs/architecture.md, wait masks against
// the addresses that instructions really touch, and every diagnostic by its text.
#include "golden/checkpoint/image_builder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>

#include "golden/checkpoint/file.h"
#include "golden/checkpoint/image_layout.h"
#include "golden/model/machine.h"
#include "golden/reference/albert.h"
#include "tests/golden/random_model.h"
#include "tests/support/temporary_folder.h"

namespace edgebert {
namespace {

using checkpoint::ActivationBiases;
using checkpoint::ModelConfig;
using checkpoint::TiledMatrix;
using model::Image;
using spec::Instruction;
using spec::Opcode;

// --- Layouts -------------------------------------------------------------------------------------

TEST(WeightStream, HoldsBiasesThenTileRecords) {
  // A 4 x 8 matrix with one weight in each of its two tiles: out 1, in 2 and out 3, in 4.
  std::vector<uint8_t> codes(4 * 8, 0);
  codes[1 * 8 + 2] = 0xA5;
  codes[3 * 8 + 4] = 0x3C;
  const std::vector<int> rows = {0, 1, 2, 3};
  const std::vector<int> columns = {0, 1, 2, 3, 4, 5, 6, 7};
  const TiledMatrix matrix = checkpoint::CutTiles(codes, 8, rows, columns, 4);
  const model::ImageFormat format{4, 8, 3, 32, 32};
  checkpoint::WeightStreamWriter writer(format);
  writer.Matmul(matrix, std::vector<int32_t>{1, -2, 0x01020304, 0});
  const std::vector<uint8_t> expected = {
      0x01, 0,    0,    0,    0xFE, 0xFF, 0xFF, 0xFF, 0x04, 0x03, 0x02, 0x01, 0, 0, 0, 0,  // biases
      0,    0,    0x00, 0xEB,  // K tile 0
      0x40, 0,    0,    0,     // mask: lane 1, k 2 is bit 6; 16 bits, padded to a beat
      0xA5, 0,    0,    0,     // codes
      1,    0,    0x01, 0xEB,  // K tile 1, last
      0x00, 0x10, 0,    0,     // lane 3, k 0 is bit 12
      0x3C, 0,    0,    0};
  EXPECT_EQ(writer.bytes(), expected);
}

TEST(WeightStream, PacksNarrowCodesAndMarksEmptyStrips) {
  // The first strip is empty, the second full: 16 codes of 5 bits, 6 a beat of 32 bits.
  std::vector<uint8_t> codes(8 * 4, 0);
  for (size_t i = 0; i < 16; ++i) codes[16 + i] = static_cast<uint8_t>(i + 1);
  const std::vector<int> rows = {0, 1, 2, 3, 4, 5, 6, 7};
  const std::vector<int> columns = {0, 1, 2, 3};
  const TiledMatrix matrix = checkpoint::CutTiles(codes, 4, rows, columns, 4);
  const model::ImageFormat format{4, 5, 2, 32, 32};
  checkpoint::WeightStreamWriter writer(format);
  writer.Matmul(matrix, std::vector<int32_t>(8, 0));
  std::vector<uint8_t> expected(16, 0);
  const auto append = [&](uint32_t beat) {
    for (int shift = 0; shift < 32; shift += 8) expected.push_back(uint8_t(beat >> shift));
  };
  append(0xEB030000);  // empty and last
  append(0);
  expected.insert(expected.end(), 16, 0);
  append(0xEB010000);
  append(0xFFFF);
  append(1 | 2 << 5 | 3 << 10 | 4 << 15 | 5 << 20 | 6 << 25);
  append(7 | 8 << 5 | 9 << 10 | 10 << 15 | 11 << 20 | 12 << 25);
  append(13 | 14 << 5 | 15 << 10 | 16 << 15);
  EXPECT_EQ(writer.bytes(), expected);
}

TEST(WeightStream, MatricesOfOneLoopTakeTheSameBeats) {
  std::vector<TiledMatrix> matrices;
  const std::vector<int> lanes = {0, 1, 2, -1};
  for (size_t hole = 0; hole < 2; ++hole) {
    std::vector<uint8_t> codes(3 * 3, 7);
    codes[hole] = 0;
    codes[8] = 0;
    matrices.push_back(checkpoint::CutTiles(codes, 3, lanes, lanes, 4));
  }
  checkpoint::StoreUnion(matrices);
  EXPECT_EQ(matrices[0].stored, matrices[1].stored);
  // Element 8 of 3 x 3 is lane 2, k 2; the holes are stored, the padding is not.
  const std::vector<uint8_t> stored = {1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(matrices[0].stored, stored);
  EXPECT_EQ(matrices[0].codes[0], 0);
  EXPECT_EQ(matrices[1].codes[0], 7);
}

TEST(Reram, HoldsIndexMasksAndCodes) {
  // Three rows of 5 codes, n = 4, so 8 mask bits a row; words of 32 bits, 4 codes each.
  const std::vector<uint8_t> codes = {1, 0, 2, 3, 4,    // 4 codes: word 0
                                      5, 6, 7, 8, 9,    // 5 codes: words 1 and 2
                                      0, 0, 0, 0, 10};  // word 3
  const model::ReramImage image = checkpoint::LayOutReram(codes, 5, {4, 8, 3, 64, 32});
  EXPECT_EQ(image.mlc, (std::vector<uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 10, 0, 0, 0}));
  EXPECT_EQ(image.slc, (std::vector<uint8_t>{0,    0, 0, 0, 1,    0, 0, 0, 3,    0, 0, 0,  // index
                                             0x1D, 0, 0, 0, 0x1F, 0, 0, 0, 0x10, 0, 0, 0}));
  EXPECT_EQ(checkpoint::ReramMaskBase(3, 32), 3U);
  EXPECT_EQ(checkpoint::ReramMaskBase(5, 128), 2U);
}

// --- Programs ------------------------------------------------------------------------------------

Image Build(const RandomCase& random, const spec::AcceleratorConfig& config, bool overlap = true) {
  auto image = checkpoint::BuildImage(random.model.config, random.model.weights, random.biases,
                                      config, {.name = "random", .overlap = overlap});
  EXPECT_TRUE(image.ok()) << image.error().Format();
  return std::move(image).value();
}

/// A small model: 2 heads of 4, hidden 8, embedding 6, FFN 12, 10 words, 8 positions.
RandomCase SmallCase(const spec::AcceleratorConfig& config) {
  RandomCase random;
  ModelConfig& shape = random.model.config;
  shape.vocab_size = 10;
  shape.embedding_size = 6;
  shape.hidden_size = 8;
  shape.num_attention_heads = 2;
  shape.intermediate_size = 12;
  shape.num_hidden_layers = 2;
  shape.max_position_embeddings = 8;
  shape.labels = {"no", "yes"};
  shape.attention_span_ramp = 2;
  shape.off_ramp_pooler = false;
  random.model.weights = checkpoint::RandomModelWeights(shape, config.vmac.n, 1);
  random.model.weights.attention_span = {1, 3};
  return random;
}

std::vector<std::string> Names(const Image& image) {
  std::vector<std::string> names;
  for (const model::InstructionName& name : image.names) {
    names.push_back(name.head < 0 ? name.text : fmt::format("{} {}", name.text, name.head));
  }
  return names;
}

TEST(Program, PipelinesTheHeads) {
  const spec::AcceleratorConfig config = SmallConfig(4);
  const Image image = Build(SmallCase(config), config);
  EXPECT_EQ(Names(image), (std::vector<std::string>{"stream embedding",
                                                    "embedding",
                                                    "embedding norm",
                                                    "embedding projection",
                                                    "stream layer",
                                                    "stream off-ramp",
                                                    "query 0",
                                                    "key 0",
                                                    "value 0",
                                                    "scores 0",
                                                    "softmax 0",
                                                    "query 1",
                                                    "key 1",
                                                    "value 1",
                                                    "scores 1",
                                                    "context 0",
                                                    "softmax 1",
                                                    "context 1",
                                                    "attention output",
                                                    "attention norm",
                                                    "ffn",
                                                    "ffn output",
                                                    "output norm",
                                                    "classifier",
                                                    "exit",
                                                    "loop",
                                                    "end"}));
  EXPECT_EQ(image.program[25].Get(spec::kLoopTarget), 4);
  EXPECT_EQ(image.program[25].Get(spec::kLoopCount), 2);
  EXPECT_FALSE(image.names[3].in_layer);
  EXPECT_TRUE(image.names[4].in_layer);
  EXPECT_FALSE(image.names[26].in_layer);
}

TEST(Program, LeavesOffHeadsOut) {
  const spec::AcceleratorConfig config = SmallConfig(4);
  RandomCase random = SmallCase(config);
  random.model.weights.attention_span = {-2, 3};
  const std::vector<std::string> names = Names(Build(random, config));
  EXPECT_EQ(std::count(names.begin(), names.end(), "query 0"), 0);
  EXPECT_EQ(std::count(names.begin(), names.end(), "query 1"), 1);
  // Nor are its weights: those of the other head and the rest are as many beats as before.
  random.model.weights.attention_span = {-2, -2};
  const Image none = Build(random, config);
  for (const std::string& name : Names(none)) EXPECT_EQ(name.find("softmax"), name.npos);
  model::Machine machine(config, none);
  EXPECT_EQ(machine.Run(std::vector<uint32_t>{2, 5, 3}, 0).error, spec::ErrorCode::kNone);
}

TEST(Program, UnrollsGroupsAndInnerLayers) {
  const spec::AcceleratorConfig config = SmallConfig(4);
  RandomCase random = SmallCase(config);
  ModelConfig& shape = random.model.config;
  shape.num_hidden_layers = 3;
  shape.num_hidden_groups = 3;
  shape.inner_group_num = 2;
  random.model.weights = checkpoint::RandomModelWeights(shape, 4, 1);
  random.model.weights.attention_span = {-2, 3};
  const std::vector<std::string> names = Names(Build(random, config));
  EXPECT_EQ(std::count(names.begin(), names.end(), "loop"), 0);
  EXPECT_EQ(std::count(names.begin(), names.end(), "exit"), 3);
  EXPECT_EQ(std::count(names.begin(), names.end(), "inner 0 query 1"), 3);
  EXPECT_EQ(std::count(names.begin(), names.end(), "inner 1 query 1"), 3);
}

TEST(Program, FoldsTheScaleOfTheScoresIntoTheQuery) {
  // Heads of 4: the query weights are halved, so their code bias is one lower than that of the same
  // weights as key.
  const spec::AcceleratorConfig config = SmallConfig(4);
  RandomCase random = SmallCase(config);
  checkpoint::LayerWeights& layer = random.model.weights.groups[0][0];
  layer.query = layer.key;
  const Image image = Build(random, config);
  EXPECT_EQ(image.program[6].Get(spec::kMatmulShift), image.program[7].Get(spec::kMatmulShift) + 1);
}

TEST(Program, SpanMasksHaveTheirReach) {
  const spec::AcceleratorConfig config = SmallConfig(4);
  const Image image = Build(SmallCase(config), config);
  // R = 2: m(x) = (2 + z - x) / 2 is positive below z + 2.
  const Instruction& first = image.program[10];
  EXPECT_EQ(first.Get(spec::kSoftmaxReach), 2);
  EXPECT_EQ(first.Get(spec::kSoftmaxMaskC), 3 << 19);
  EXPECT_EQ(first.Get(spec::kSoftmaxMaskR), 1 << 19);
  EXPECT_EQ(image.program[16].Get(spec::kSoftmaxReach), 4);
  EXPECT_EQ(image.program[9].Get(spec::kMatmulWindow), 1);
  EXPECT_EQ(image.program[9].Get(spec::kMatmulReach), 2);
}

// --- Wait masks ----------------------------------------------------------------------------------

/// What an instruction reads and writes: {memory, address}, from its fields and the length alone.
struct Touched {
  std::set<std::pair<char, int64_t>> reads;
  std::set<std::pair<char, int64_t>> writes;
};

Touched TouchedBy(const Instruction& instruction, int length, int lanes, int seq_tiles) {
  Touched touched;
  const int tiles = (length + lanes - 1) / lanes;
  const auto tensor = [&](std::set<std::pair<char, int64_t>>& set, const spec::Field& base,
                          const spec::Field& stride, int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t column = 0; column < columns; ++column) {
        set.insert({'a', instruction.Get(base) + row * instruction.Get(stride) + column});
      }
    }
  };
  switch (static_cast<Opcode>(instruction.Get(spec::kOpcode))) {
    case Opcode::kEmbed:
      tensor(touched.writes, spec::kEmbedDstBase, spec::kEmbedDstStride, length,
             instruction.Get(spec::kEmbedVectors));
      break;
    case Opcode::kLayerNorm:
      tensor(touched.reads, spec::kLayerNormSrcBase, spec::kLayerNormSrcStride, length,
             instruction.Get(spec::kLayerNormVectors));
      tensor(touched.writes, spec::kLayerNormDstBase, spec::kLayerNormDstStride, length,
             instruction.Get(spec::kLayerNormVectors));
      touched.writes.insert({'w', 0});
      break;
    case Opcode::kSoftmax:
      for (int i = 0; i < length * seq_tiles; ++i) touched.reads.insert({'s', i});
      tensor(touched.writes, spec::kSoftmaxDstBase, spec::kSoftmaxDstStride, length, tiles);
      break;
    case Opcode::kExit:
      touched.reads.insert({'l', 0});
      break;
    case Opcode::kMatmul: {
      const int64_t rows =
          instruction.Get(spec::kMatmulRowsLen) != 0 ? length : instruction.Get(spec::kMatmulRows);
      const int64_t strips = instruction.Get(spec::kMatmulStripsLen) != 0
                                 ? tiles
                                 : instruction.Get(spec::kMatmulStrips);
      const int64_t k_tiles = instruction.Get(spec::kMatmulKTilesLen) != 0
                                  ? tiles
                                  : instruction.Get(spec::kMatmulKTiles);
      tensor(touched.reads, spec::kMatmulSrcBase, spec::kMatmulSrcStride, rows, k_tiles);
      switch (static_cast<spec::Held>(instruction.Get(spec::kMatmulHeld))) {
        case spec::Held::kStream:
          touched.writes.insert({'w', 0});
          break;
        case spec::Held::kRows:
          tensor(touched.reads, spec::kMatmulHeldBase, spec::kMatmulHeldStride, length, k_tiles);
          break;
        case spec::Held::kTransposed:
          tensor(touched.reads, spec::kMatmulHeldBase, spec::kMatmulHeldStride, length, strips);
          break;
      }
      if (instruction.Get(spec::kMatmulResidual) != 0) {
        tensor(touched.reads, spec::kMatmulResidualBase, spec::kMatmulResidualStride, rows, strips);
      }
      switch (static_cast<spec::Destination>(instruction.Get(spec::kMatmulDestination))) {
        case spec::Destination::kActivations:
          tensor(touched.writes, spec::kMatmulDstBase, spec::kMatmulDstStride, rows, strips);
          break;
        case spec::Destination::kScores:
          for (int i = 0; i < length * seq_tiles; ++i) touched.writes.insert({'s', i});
          break;
        case spec::Destination::kLogits:
          touched.writes.insert({'l', 0});
          break;
      }
      break;
    }
    default:
      break;
  }
  return touched;
}

/// The unit of an instruction; -1 for the sequencer.
int UnitOf(const Instruction& instruction) {
  switch (static_cast<Opcode>(instruction.Get(spec::kOpcode))) {
    case Opcode::kMatmul:
      return static_cast<int>(spec::Unit::kMatmul);
    case Opcode::kSoftmax:
      return static_cast<int>(spec::Unit::kSoftmax);
    case Opcode::kLayerNorm:
      return static_cast<int>(spec::Unit::kLayerNorm);
    case Opcode::kEmbed:
      return static_cast<int>(spec::Unit::kEmbedding);
    case Opcode::kExit:
      return static_cast<int>(spec::Unit::kExit);
    default:
      return -1;
  }
}

/// The pairs of instructions that touch the same address, one writing, and may run at once. The
/// program is followed through two iterations of every loop.
std::vector<std::string> Hazards(const Image& image, const spec::AcceleratorConfig& config,
                                 int length) {
  class Trace : public model::MachineObserver {
   public:
    void OnInstruction(const model::Step& step) override { pcs.push_back(size_t(step.pc)); }
    std::vector<size_t> pcs;
  } trace;
  model::Machine machine(config, image);
  machine.Run(std::vector<uint32_t>(size_t(length), 0), 0, &trace);

  std::map<size_t, Touched> touched;
  for (const size_t pc : trace.pcs) {
    touched[pc] = TouchedBy(image.program[pc], length, config.vmac.n, spec::SeqTiles(config));
  }
  const int matmul = static_cast<int>(spec::Unit::kMatmul);
  const auto meet = [](const auto& a, const auto& b) {
    return std::any_of(a.begin(), a.end(), [&](const auto& x) { return b.contains(x); });
  };
  std::vector<std::string> hazards;
  for (size_t i = 0; i < trace.pcs.size(); ++i) {
    const int unit = UnitOf(image.program[trace.pcs[i]]);
    if (unit < 0) continue;
    const Touched& first = touched[trace.pcs[i]];
    bool youngest = true;  // no MATMUL after it
    for (size_t j = i + 1; j < trace.pcs.size(); ++j) {
      const Instruction& later = image.program[trace.pcs[j]];
      // Once an instruction waits for the unit, or for itself uses it, the first one is over. But
      // MATMULs overlap: in order, and the later one writes only after the first has read.
      const bool overlap = unit == matmul && UnitOf(later) == matmul;
      if ((later.Get(spec::kWaitMask) >> unit & 1) != 0) break;
      if (unit == matmul && !youngest &&
          (later.Get(spec::kWaitMask) >> spec::kWaitOlderMatmuls & 1) != 0) {
        break;
      }
      youngest = youngest && UnitOf(later) != matmul;
      if (UnitOf(later) == unit && !overlap) break;
      const Touched& second = touched[trace.pcs[j]];
      if (meet(first.writes, second.reads) ||
          (!overlap && (meet(first.writes, second.writes) || meet(first.reads, second.writes)))) {
        hazards.push_back(
            fmt::format("{} and {}", Names(image)[trace.pcs[i]], Names(image)[trace.pcs[j]]));
      }
    }
  }
  return hazards;
}

TEST(WaitMasks, ProtectEveryAddress) {
  for (const int lanes : {4, 8}) {
    const spec::AcceleratorConfig config = SmallConfig(lanes);
    for (uint64_t seed = 1; seed <= 8; ++seed) {
      const RandomCase random = MakeRandomCase(config, seed, 1);
      const Image image = Build(random, config);
      EXPECT_EQ(Hazards(image, config, image.facts.max_tokens), std::vector<std::string>())
          << "seed " << seed;
    }
  }
}

TEST(WaitMasks, AreAllNeeded) {
  // Without any one of the dependent waits two instructions collide.
  const spec::AcceleratorConfig config = SmallConfig(4);
  const Image image = Build(SmallCase(config), config);
  ASSERT_TRUE(Hazards(image, config, 8).empty());
  constexpr int matmul = static_cast<int>(spec::Unit::kMatmul);
  constexpr int softmax = static_cast<int>(spec::Unit::kSoftmax);
  constexpr int older = spec::kWaitOlderMatmuls;
  for (const auto& [name, bit] :
       {std::pair{"softmax 0", matmul}, std::pair{"scores 1", softmax},
        std::pair{"scores 0", older}, std::pair{"scores 1", older}, std::pair{"softmax 1", older},
        std::pair{"attention output", matmul}, std::pair{"ffn output", matmul},
        std::pair{"context 1", softmax}, std::pair{"attention norm", matmul},
        std::pair{"ffn", static_cast<int>(spec::Unit::kLayerNorm)}, std::pair{"exit", matmul}}) {
    const std::vector<std::string> names = Names(image);
    Image broken = image;
    Instruction& instruction =
        broken.program[size_t(std::find(names.begin(), names.end(), name) - names.begin())];
    const int64_t mask = instruction.Get(spec::kWaitMask);
    EXPECT_NE(mask >> bit & 1, 0) << name;
    instruction.Set(spec::kWaitMask, mask & ~(int64_t{1} << bit));
    EXPECT_FALSE(Hazards(broken, config, 8).empty()) << name;
  }
}

TEST(WaitMasks, LetMatmulsFollowWithoutAGap) {
  const spec::AcceleratorConfig config = SmallConfig(4);
  const Image image = Build(SmallCase(config), config);
  const auto mask = [&](const char* name) {
    const std::vector<std::string> names = Names(image);
    const auto pc = size_t(std::find(names.begin(), names.end(), name) - names.begin());
    return image.program[pc].Get(spec::kWaitMask);
  };
  const int64_t matmul = 1 << static_cast<int>(spec::Unit::kMatmul);
  const int64_t older = 1 << spec::kWaitOlderMatmuls;
  for (const char* name : {"key 0", "value 0", "query 1", "key 1", "value 1"}) {
    EXPECT_EQ(mask(name) & (matmul | older), 0) << name;
  }
  // The value projection hides the drain of the key, a context that of the scores.
  for (const char* name : {"scores 0", "scores 1", "softmax 1"}) {
    EXPECT_EQ(mask(name) & (matmul | older), older) << name;
  }
}

TEST(WaitMasks, LetTheSoftmaxHideBehindTheNextHead) {
  const spec::AcceleratorConfig config = SmallConfig(4);
  const Image image = Build(SmallCase(config), config);
  const int64_t softmax = 1 << static_cast<int>(spec::Unit::kSoftmax);
  const std::vector<std::string> names = Names(image);
  for (const char* name : {"query 1", "key 1", "value 1"}) {
    const auto pc = size_t(std::find(names.begin(), names.end(), name) - names.begin());
    EXPECT_EQ(image.program[pc].Get(spec::kWaitMask) & softmax, 0) << name;
  }
  // Without overlap everything waits for everything.
  for (const Instruction& instruction : Build(SmallCase(config), config, false).program) {
    if (UnitOf(instruction) >= 0) {
      EXPECT_EQ(instruction.Get(spec::kWaitMask), 31);
    }
  }
}

TEST(Memory, OneValueTensorGivesTheSameAnswersAsTwo) {
  const spec::AcceleratorConfig config = SmallConfig(4);
  const RandomCase random = SmallCase(config);
  const Image two = Build(random, config);
  // S = 8: hidden, sum and norm 3 x 16; query, key and context 8 + 8 + 16; with value and
  // probabilities (8 + 16) that makes 104 vectors once and 128 twice.
  spec::AcceleratorConfig small = config;
  small.memory.activation_vectors = 104;
  const Image one = Build(random, small);
  EXPECT_EQ(Hazards(one, small, 8), std::vector<std::string>());
  const std::vector<std::string> names = Names(one);
  EXPECT_LT(std::find(names.begin(), names.end(), "context 0"),
            std::find(names.begin(), names.end(), "query 1"));
  const std::vector<uint32_t> tokens = {2, 7, 8, 9, 4, 3};
  model::Machine machine_one(small, one);
  model::Machine machine_two(config, two);
  EXPECT_EQ(machine_one.Run(tokens, 0).logits, machine_two.Run(tokens, 0).logits);
  small.memory.activation_vectors = 103;
  EXPECT_FALSE(checkpoint::CheckLimits(random.model.config, small).ok());
}

// --- Diagnostics ---------------------------------------------------------------------------------

TEST(BuilderDiagnostics, NameEveryLimit) {
  spec::AcceleratorConfig config;
  config.vmac.n = 4;
  config.model = {.hidden = 4,
                  .ffn = 4,
                  .heads = 1,
                  .seq_len = 4,
                  .layers = 1,
                  .classes = 2,
                  .vocab = 1,
                  .embedding = 4,
                  .token_types = 1,
                  .pooler = false};
  ModelConfig shape;
  shape.hidden_size = 24;
  shape.intermediate_size = 12;
  shape.num_attention_heads = 3;
  shape.num_hidden_layers = 2;
  shape.labels = {"a", "b", "c"};
  shape.vocab_size = 7;
  shape.embedding_size = 5;
  shape.type_vocab_size = 2;
  shape.off_ramp_pooler = true;
  shape.max_position_embeddings = 100;
  const Status status = checkpoint::CheckLimits(shape, config);
  ASSERT_FALSE(status.ok());
  // Memory: 4 tokens; hidden, sum, norm 3 x 6; query, key, value 3 x 2, probabilities 1, context 6.
  EXPECT_EQ(status.error().Format(),
            "error: the model needs hidden width = 24; 'model.hidden' is 4 [image-limit]\n"
            "error: the model needs feed-forward width = 12; 'model.ffn' is 4 [image-limit]\n"
            "error: the model needs attention heads = 3; 'model.heads' is 1 [image-limit]\n"
            "error: the model needs layers = 2; 'model.layers' is 1 [image-limit]\n"
            "error: the model needs classes = 3; 'model.classes' is 2 [image-limit]\n"
            "error: the model needs words = 7; 'model.vocab' is 1 [image-limit]\n"
            "error: the model needs embedding width = 5; 'model.embedding' is 4 [image-limit]\n"
            "error: the model needs token types = 2; 'model.token_types' is 1 [image-limit]\n"
            "error: the model needs a context width of padded heads = 24; 'largest K' is 4 "
            "[image-limit]\n"
            "error: the model needs vectors of activation memory = 124; "
            "'memory.activation_vectors' is 32 [image-limit]\n"
            "error: the model needs a pooler; 'model.pooler' is false [image-limit]");
}

/// The diagnostics of building `random`.
std::string Refusal(const RandomCase& random, const spec::AcceleratorConfig& config) {
  const auto image = checkpoint::BuildImage(random.model.config, random.model.weights,
                                            random.biases, config, {.name = "random"});
  return image.ok() ? "" : image.error().Format();
}

TEST(BuilderDiagnostics, NameTheProgramMemory) {
  spec::AcceleratorConfig config = SmallConfig(4);
  config.memory.program_words = 26;
  EXPECT_EQ(Refusal(SmallCase(config), config),
            "error: the model needs instructions = 27; 'memory.program_words' is 26 [image-limit]");
}

TEST(BuilderDiagnostics, NameAFieldThatIsTooSmall) {
  spec::AcceleratorConfig config = SmallConfig(4);
  config.model.ffn = 16384;
  config.model.heads = 1;
  RandomCase random = SmallCase(config);
  ModelConfig& shape = random.model.config;
  shape.num_attention_heads = 1;
  shape.intermediate_size = 16384;
  random.model.weights = checkpoint::RandomModelWeights(shape, 4, 1);
  random.model.weights.attention_span = {3};
  // As destination of the first FFN matrix and as source of the second.
  EXPECT_EQ(Refusal(random, config),
            "error: the model needs dst_stride = 4096 in an instruction; the field has 12 bits "
            "[image-limit]\n"
            "error: the model needs src_stride = 4096 in an instruction; the field has 12 bits "
            "[image-limit]");
}

TEST(BuilderDiagnostics, NameWeightsThatDoNotFit) {
  const spec::AcceleratorConfig config = SmallConfig(4);
  const RandomCase random = SmallCase(config);
  EXPECT_EQ(Refusal(random, config), "");
  {
    RandomCase broken = random;
    broken.model.weights.groups[0][0].ffn.bias[1] = -512.5F;
    EXPECT_EQ(Refusal(broken, config),
              "error: the bias of 'ffn' has the value -512.5; its word holds magnitudes below 512 "
              "[image-range]");
  }
  {
    RandomCase broken = random;
    broken.model.weights.embedding_norm.gamma[0] = 128;
    EXPECT_EQ(Refusal(broken, config),
              "error: the gamma of 'embedding norm' has the value 128; its word holds magnitudes "
              "below 128 [image-range]");
  }
  {
    RandomCase broken = random;
    broken.model.weights.groups[0][0].output_norm.beta[7] = 600;
    EXPECT_EQ(Refusal(broken, config),
              "error: the beta of 'output norm' has the value 600; its word holds magnitudes below "
              "512 [image-range]");
  }
  {
    // 1 * 8^2 * 2^(2 * (4 + 30)) = 2^74.
    RandomCase broken = random;
    broken.model.config.layer_norm_eps = 1;
    broken.biases.attention_sum = -30;
    EXPECT_EQ(Refusal(broken, config),
              "error: epsilon of 'attention norm' is 1.888946593147858e+22 in the scale of its "
              "input; it must be below 2^63 [image-range]");
  }
  {
    // 2 * 4 - 16 - 15 - 15 = -38.
    RandomCase broken = random;
    broken.biases.query = 15;
    broken.biases.key = 15;
    EXPECT_EQ(Refusal(broken, config),
              "error: 'scores' needs a shift of -38; it must be from -16 to 63 [image-range]\n"
              "error: 'scores' needs a shift of -38; it must be from -16 to 63 [image-range]");
  }
}

TEST(FitConfig, TakesTheShapeOfTheModel) {
  const spec::AcceleratorConfig config = SmallConfig(4);
  RandomCase random = SmallCase(config);
  random.model.config.type_vocab_size = 1;
  const auto fitted = checkpoint::FitConfig(random.model.config, {});
  ASSERT_TRUE(fitted.ok()) << fitted.error().Format();
  EXPECT_EQ(fitted->vmac.n, 16);
  EXPECT_EQ(fitted->model.hidden, 8);
  EXPECT_EQ(fitted->model.heads, 2);
  EXPECT_EQ(fitted->model.seq_len, 8);
  EXPECT_EQ(fitted->model.token_types, 1);
  EXPECT_TRUE(checkpoint::CheckLimits(random.model.config, *fitted).ok());
  random.model.config.vocab_size = 2000000;
  EXPECT_EQ(checkpoint::FitConfig(random.model.config, {}).error().Format(),
            "error: 'model.vocab' must be between 1 and 1000000, got 2000000 [config-range]");
}

TEST(FitConfig, BoundsTheProgram) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const spec::AcceleratorConfig config = SmallConfig(4);
    const RandomCase random = MakeRandomCase(config, seed, 1);
    EXPECT_LE(Build(random, config).program.size(),
              size_t(checkpoint::ProgramBound(random.model.config)));
  }
}

// --- Image files ---------------------------------------------------------------------------------

class ImageFile : public testing::Test {
 protected:
  ImageFile() {
    const spec::AcceleratorConfig config = SmallConfig(4);
    image_ = Build(SmallCase(config), config);
    path_ = folder_.File("model.image");
    EXPECT_TRUE(model::SaveImage(image_, path_).ok());
    std::ifstream file(path_, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
  }

  /// The diagnostics of loading `bytes`.
  std::string LoadError(const std::string& bytes) {
    folder_.Write("broken.image", bytes);
    const auto image = model::LoadImage(folder_.File("broken.image"));
    std::string text = image.ok() ? "" : image.error().Format();
    const std::string place = folder_.File("broken.image") + ": ";
    if (text.starts_with(place)) text.erase(0, place.size());
    return text;
  }

  TemporaryFolder folder_;
  Image image_;
  std::string path_;
  std::string bytes_;
};

TEST_F(ImageFile, ComesBackAsItWas) {
  const auto loaded = model::LoadImage(path_);
  ASSERT_TRUE(loaded.ok()) << loaded.error().Format();
  EXPECT_EQ(*loaded, image_);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(ImageFile, EveryDamagedByteIsNoticed) {
  for (size_t i = 0; i < bytes_.size(); i += 1 + bytes_.size() / 500) {
    std::string damaged = bytes_;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_NE(LoadError(damaged), "") << "byte " << i;
  }
}

TEST_F(ImageFile, MistakesHaveTheirMessages) {
  EXPECT_EQ(LoadError("EBIMAGE\n"), "error: not an image file [image-format]");
  EXPECT_EQ(LoadError("PK" + bytes_.substr(2)), "error: not an image file [image-format]");
  std::string other = bytes_;
  other[8] = 9;
  EXPECT_EQ(LoadError(other),
            "error: image version 9; this program reads version 2 [image-version]");
  other = bytes_;
  other.back() = static_cast<char>(other.back() + 1);
  EXPECT_EQ(LoadError(other),
            "error: checksum of the image does not match: the file is damaged [image-checksum]");
  EXPECT_EQ(LoadError(bytes_.substr(0, bytes_.size() - 100)),
            "error: checksum of the image does not match: the file is damaged [image-checksum]");
  EXPECT_EQ(model::LoadImage("/nowhere/x").error().Format(),
            "/nowhere/x: error: cannot open the image: No such file or directory [image-open]");
  EXPECT_EQ(model::SaveImage(image_, "/nowhere/x").error().Format(),
            "/nowhere/x: error: cannot write the image: No such file or directory [image-write]");
}

// --- Calibration ---------------------------------------------------------------------------------

TEST(Calibration, CoversTheLargestActivation) {
  const spec::AcceleratorConfig config = SmallConfig(8);
  const RandomCase random = MakeRandomCase(config, 2);
  const reference::Albert albert(random.model);
  double largest = 0;
  double attention_sum = 0;
  for (const checkpoint::Tokens& tokens : random.sentences) {
    const auto forward = albert.Forward(tokens.ids, tokens.types, {.keep_tensors = true});
    for (const reference::NamedTensor& tensor : forward.tensors) {
      const bool hidden =
          tensor.name == "embedding.projection" || tensor.name.ends_with(".output_norm");
      for (const double v : tensor.values) {
        if (hidden) largest = std::max(largest, std::fabs(v));
        if (tensor.name.ends_with(".attention_sum")) {
          attention_sum = std::max(attention_sum, std::fabs(v));
        }
      }
    }
  }
  // The exponent of the largest value is the largest exponent of the format, 7.
  EXPECT_EQ(random.biases.hidden, static_cast<int>(std::floor(std::log2(largest))) - 7);
  EXPECT_EQ(random.biases.attention_sum,
            static_cast<int>(std::floor(std::log2(attention_sum))) - 7);
  EXPECT_EQ(random.biases.probability, -7);
}

TEST(Calibration, MovesBetweenFormats) {
  ActivationBiases biases;
  biases.hidden = -5;
  biases.query = 12;
  const ActivationBiases moved = checkpoint::Rebase(biases, {8, 3}, {8, 4});
  EXPECT_EQ(moved.hidden, -13);
  EXPECT_EQ(moved.query, 4);
  EXPECT_EQ(checkpoint::Rebase(biases, {8, 3}, {6, 2}).query, 15);
}

TEST(Calibration, IsKeptInTheConfigOfTheModel) {
  const spec::AcceleratorConfig config = SmallConfig(8);
  const RandomCase random = MakeRandomCase(config, 2);
  const TemporaryFolder folder;
  const std::string plain = folder.File("plain");
  const std::string calibrated = folder.File("calibrated");
  ASSERT_TRUE(checkpoint::WriteCheckpoint(random.model.config, random.model.weights, plain).ok());
  EXPECT_EQ(checkpoint::ReadActivationBiases(plain).error().Format(),
            plain +
                "/config.json: error: no 'activation_bias' in 'edgebert': calibrate the model "
                "with --calibrate [calibration-missing]");
  ASSERT_TRUE(checkpoint::WriteCalibratedModel(plain, random.biases, calibrated).ok());
  const auto biases = checkpoint::ReadActivationBiases(calibrated);
  ASSERT_TRUE(biases.ok()) << biases.error().Format();
  EXPECT_EQ(*biases, random.biases);
  EXPECT_TRUE(checkpoint::LoadModel(calibrated).ok());
  EXPECT_EQ(checkpoint::ReadFile(calibrated + "/model.safetensors", "x").value(),
            checkpoint::ReadFile(plain + "/model.safetensors", "x").value());

  const std::string broken = folder.File("broken");
  std::filesystem::create_directory(broken);
  folder.Write("broken/config.json",
               "{\"edgebert\": {\n\"activation_bias\": {\"embedding_sum\": 16, "
               "\"embedding_norm\": -5, \"hidden\": \"x\", \"query\": 1, \"key\": 1, \"value\": 1, "
               "\"probability\": 1, \"context\": 1, \"attention_sum\": 1, \"attention_norm\": 1, "
               "\"ffn\": 1, \"ffn_sum\": 1}}}");
  const std::string place = broken + "/config.json:2: ";
  EXPECT_EQ(checkpoint::ReadActivationBiases(broken).error().Format(),
            place +
                "error: 'embedding_sum' of 'activation_bias' is 16; it must be an integer from "
                "-31 to 15 [calibration-value]\n" +
                place +
                "error: 'hidden' of 'activation_bias' is \"x\"; it must be an integer from "
                "-31 to 15 [calibration-value]\n" +
                place + "error: 'activation_bias' has no 'pooler' [calibration-value]");
}

TEST(RandomCheckpoint, IsACompleteModelFolder) {
  const spec::AcceleratorConfig config = SmallConfig(8);
  checkpoint::Model model;
  model.config = checkpoint::RandomModelConfig(config, 5);
  model.weights = checkpoint::RandomModelWeights(model.config, 8, 5);
  const TemporaryFolder folder;
  ASSERT_TRUE(checkpoint::WriteCheckpoint(model.config, model.weights, folder.path()).ok());
  const auto loaded = checkpoint::LoadModel(folder.path());
  ASSERT_TRUE(loaded.ok()) << loaded.error().Format();
  EXPECT_EQ(loaded->config.hidden_size, model.config.hidden_size);
  EXPECT_EQ(loaded->weights.word_embeddings.values, model.weights.word_embeddings.values);
  EXPECT_EQ(loaded->weights.attention_span, model.weights.attention_span);
  EXPECT_EQ(loaded->weights.off_ramps.size(), model.weights.off_ramps.size());
  const auto tokenizer = checkpoint::Tokenizer::Load(folder.File("tokenizer.model"), model.config);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().Format();
  ASSERT_GE(model.config.vocab_size, 6);
  EXPECT_EQ(tokenizer->Encode("t5 t4").value().ids, (std::vector<int>{2, 5, 4, 3}));
}

TEST(RandomCheckpoint, CoversTheFeatures) {
  // Some of the first 40 seeds have each feature.
  const spec::AcceleratorConfig config = SmallConfig(8);
  std::map<std::string, int> seen;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    const ModelConfig shape = checkpoint::RandomModelConfig(config, seed);
    const checkpoint::ModelWeights weights = checkpoint::RandomModelWeights(shape, 8, seed);
    ++seen[fmt::format("activation {}", static_cast<int>(shape.hidden_act))];
    ++seen[shape.off_ramp_pooler ? "pooler" : "no pooler"];
    ++seen[shape.off_ramp_shared ? "shared" : "own ramps"];
    ++seen[fmt::format("groups {}", shape.num_hidden_groups)];
    ++seen[fmt::format("inner {}", shape.inner_group_num)];
    ++seen[shape.HeadSize() % 8 == 0 ? "whole heads" : "padded heads"];
    if (weights.attention_span.empty()) ++seen["no spans"];
    for (const float z : weights.attention_span) {
      ++seen[double{z} + shape.attention_span_ramp <= 0 ? "off head" : "live head"];
    }
  }
  for (const char* feature : {"activation 0", "activation 1", "activation 2", "pooler", "no pooler",
                              "shared", "own ramps", "groups 1", "groups 2", "inner 1", "inner 2",
                              "padded heads", "whole heads", "no spans", "off head", "live head"}) {
    EXPECT_GE(seen[feature], 1) << feature;
  }
}

}  // namespace
}  // namespace edgebert
