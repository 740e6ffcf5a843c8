// eb_softmax against the golden softmax: every length, spans from one key to the whole sentence,
// stalled writes, commands back to back.
#include "generator/units/softmax.h"

#include "generator/blocks/sram.h"
#include "generator/units/af_encoder.h"
#include "generator/units/exp.h"
#include "generator/units/reciprocal.h"
#include "generator/units/span_mask.h"
#include "golden/model/softmax.h"
#include "tests/cosim/sfu_support.h"

namespace edgebert {
namespace {

struct Case {
  int lanes;
  model::AdaptivFloat format;
  int max_rows;
};

class SoftmaxTest : public ::testing::TestWithParam<Case> {};

/// Score memory: the data of a read appears after the edge that takes it.
class ScoreMemory : public cosim::Agent {
 public:
  ScoreMemory(cosim::Dut& dut, int lanes) : dut_(dut), lanes_(lanes) {}
  void Drive(uint64_t) override {
    if (pending_) dut_.Get("score_rd_data_i").SetLanes(16, Vector(address_));
  }
  void Sample(uint64_t) override {
    pending_ = dut_.Get("score_rd_en_o").Get() != 0;
    address_ = dut_.Get("score_rd_addr_o").Get();
  }
  std::vector<int16_t> Vector(uint64_t address) const {
    const auto begin = scores.begin() + static_cast<int64_t>(address) * lanes_;
    return {begin, begin + lanes_};
  }
  std::vector<int16_t> scores;

 private:
  cosim::Dut& dut_;
  int lanes_;
  bool pending_ = false;
  uint64_t address_ = 0;
};

TEST_P(SoftmaxTest, EqualsGolden) {
  const auto [lanes, format, max_rows] = GetParam();
  const int seq_tiles = (max_rows + lanes - 1) / lanes;
  auto dut = test::BuildUnit(
      {gen::EmitSoftmax(), gen::EmitSpanMask(), gen::EmitExp(), gen::EmitReciprocal(),
       gen::EmitSram1r1w(), gen::EmitSram1r1wMacro(), gen::EmitAfEncoder()},
      "eb_softmax",
      {{"Lanes", std::to_string(lanes)},
       {"CodeW", std::to_string(format.width)},
       {"ExpW", std::to_string(format.exponent)},
       {"MaxRows", std::to_string(max_rows)}});
  cosim::Random random(static_cast<uint64_t>(lanes * 100 + format.width));
  ScoreMemory scores(dut, lanes);
  scores.scores.resize(size_t(max_rows * seq_tiles * lanes));
  test::WriteMemory memory(dut, format.width, 0.3, 5);
  cosim::Bench bench(dut);
  bench.Add(scores);
  bench.Add(memory);
  dut.Get("cmd_valid_i").Set(0);
  dut.Get("clear_i").Set(0);
  dut.Reset();
  for (int length = 1; length <= max_rows; ++length) {
    // Spans: whole sentence, only the token itself, and any between.
    model::SpanCoefficients span;
    const int kind = random.Between(0, 3);
    if (kind != 0) {
      const double ramp = 1 + double(random.Below(800)) / 100;
      const double z = kind == 1 ? 0.05 - ramp / 2 : double(random.Below(uint64_t(max_rows)));
      span = {std::llround((ramp + z) / ramp * 0x1p20), std::llround(0x1p20 / ramp)};
    }
    int reach = max_rows - 1;
    while (reach > 0 && model::SpanMask(span, reach) == 0) --reach;
    for (int16_t& score : scores.scores) {
      score = static_cast<int16_t>(random.Chance(0.1) ? random.Between(-32768, 32767)
                                                      : random.Between(-3000, 3000));
    }
    const int bias = random.Chance(0.8) ? -((1 << format.exponent) - 1) : random.Between(-12, 0);
    spec::Instruction instruction;
    instruction.Set(spec::kSoftmaxDstBase, 1000);
    instruction.Set(spec::kSoftmaxDstStride, seq_tiles + 3);
    instruction.Set(spec::kSoftmaxBiasOut, bias);
    instruction.Set(spec::kSoftmaxReach, reach);
    instruction.Set(spec::kSoftmaxMaskC, span.c);
    instruction.Set(spec::kSoftmaxMaskR, span.r);
    dut.Get("length_i").Set(uint64_t(length));
    memory.writes.clear();
    ASSERT_TRUE(test::RunCommand(bench, instruction, 100000)) << "hangs at length " << length;

    size_t next = 0;
    for (int row = 0; row < length; ++row) {
      const auto begin = scores.scores.begin() + int64_t{row} * seq_tiles * lanes;
      const std::vector<int16_t> row_scores(begin, begin + length);
      std::vector<uint8_t> codes(size_t(seq_tiles * lanes), 0);
      model::SoftmaxRow(row_scores, row, span, format, bias,
                        std::span(codes).first(size_t(length)));
      for (int tile = std::max(0, row - reach) / lanes;
           tile <= std::min(length - 1, row + reach) / lanes; ++tile, ++next) {
        ASSERT_LT(next, memory.writes.size());
        const auto& write = memory.writes[next];
        ASSERT_EQ(write.address, uint32_t(1000 + row * (seq_tiles + 3) + tile));
        const std::vector<uint8_t> expected(codes.begin() + int64_t{tile} * lanes,
                                            codes.begin() + int64_t{tile + 1} * lanes);
        ASSERT_EQ(write.codes, expected)
            << "length " << length << " row " << row << " tile " << tile << " reach " << reach;
      }
    }
    EXPECT_EQ(next, memory.writes.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, SoftmaxTest,
                         ::testing::Values(Case{4, {8, 3}, 22}, Case{8, {8, 4}, 33},
                                           Case{16, {8, 3}, 64}, Case{32, {6, 2}, 40},
                                           Case{16, {4, 2}, 12}));

}  // namespace
}  // namespace edgebert
