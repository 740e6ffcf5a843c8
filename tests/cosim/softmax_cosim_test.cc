// eb_softmax against the golden softmax: every length, spans from one key to the whole sentence,
// stalled writes, commands back to back, commands dropped in any cycle.
#include "generator/units/softmax.h"

#include "generator/blocks/fifo.h"
#include "generator/blocks/sram.h"
#include "generator/blocks/tree.h"
#include "generator/units/af_encoder.h"
#include "generator/units/exp.h"
#include "generator/units/reciprocal.h"
#include "generator/units/scale_lane.h"
#include "generator/units/span_mask.h"
#include "generator/units/tile_walk.h"
#include "generator/units/weight_lane.h"
#include "golden/model/softmax.h"
#include "tests/cosim/sfu_support.h"

namespace edgebert {
namespace {

struct Case {
  int lanes;
  model::AdaptivFloat format;
  int max_rows;
};

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

class SoftmaxTest : public ::testing::TestWithParam<Case> {
 protected:
  SoftmaxTest()
      : dut_(test::BuildUnit(
            {gen::EmitSoftmax(), gen::EmitTileWalk(), gen::EmitSpanMask(), gen::EmitMaxTree(),
             gen::EmitWeightLane(), gen::EmitExp(), gen::EmitSumTree(), gen::EmitReciprocal(),
             gen::EmitScaleLane(), gen::EmitAfEncoder(), gen::EmitFifo(), gen::EmitSram1r1w(),
             gen::EmitSram1r1wMacro()},
            "eb_softmax",
            {{"Lanes", std::to_string(lanes_)},
             {"CodeW", std::to_string(format_.width)},
             {"ExpW", std::to_string(format_.exponent)},
             {"MaxRows", std::to_string(max_rows_)}})) {
    scores_.scores.resize(size_t(max_rows_ * seq_tiles_ * lanes_));
    bench_.Add(scores_);
    bench_.Add(memory_);
    dut_.Get("cmd_valid_i").Set(0);
    dut_.Get("clear_i").Set(0);
    dut_.Reset();
  }

  /// A command over a sentence of this length: random scores and span.
  spec::Instruction Draw(int length) {
    // Spans: whole sentence, only the token itself, and any between.
    span_ = {};
    const int kind = random_.Between(0, 3);
    if (kind != 0) {
      const double ramp = 1 + double(random_.Below(800)) / 100;
      const double z = kind == 1 ? 0.05 - ramp / 2 : double(random_.Below(uint64_t(max_rows_)));
      span_ = {std::llround((ramp + z) / ramp * 0x1p20), std::llround(0x1p20 / ramp)};
    }
    reach_ = max_rows_ - 1;
    while (reach_ > 0 && model::SpanMask(span_, reach_) == 0) --reach_;
    for (int16_t& score : scores_.scores) {
      score = static_cast<int16_t>(random_.Chance(0.1) ? random_.Between(-32768, 32767)
                                                       : random_.Between(-3000, 3000));
    }
    bias_ = random_.Chance(0.8) ? -((1 << format_.exponent) - 1) : random_.Between(-12, 0);
    spec::Instruction instruction;
    instruction.Set(spec::kSoftmaxDstBase, 1000);
    instruction.Set(spec::kSoftmaxDstStride, seq_tiles_ + 3);
    instruction.Set(spec::kSoftmaxBiasOut, bias_);
    instruction.Set(spec::kSoftmaxReach, reach_);
    instruction.Set(spec::kSoftmaxMaskC, span_.c);
    instruction.Set(spec::kSoftmaxMaskR, span_.r);
    dut_.Get("length_i").Set(uint64_t(length));
    memory_.writes.clear();
    return instruction;
  }

  /// The command drawn last, in full.
  void RunAndCompare(const spec::Instruction& instruction, int length) {
    ASSERT_TRUE(test::RunCommand(bench_, instruction, 100000)) << "hangs at length " << length;
    size_t next = 0;
    for (int row = 0; row < length; ++row) {
      const auto begin = scores_.scores.begin() + int64_t{row} * seq_tiles_ * lanes_;
      const std::vector<int16_t> row_scores(begin, begin + length);
      std::vector<uint8_t> codes(size_t(seq_tiles_ * lanes_), 0);
      model::SoftmaxRow(row_scores, row, span_, format_, bias_,
                        std::span(codes).first(size_t(length)));
      for (int tile = std::max(0, row - reach_) / lanes_;
           tile <= std::min(length - 1, row + reach_) / lanes_; ++tile, ++next) {
        ASSERT_LT(next, memory_.writes.size());
        const auto& write = memory_.writes[next];
        ASSERT_EQ(write.address, uint32_t(1000 + row * (seq_tiles_ + 3) + tile));
        const std::vector<uint8_t> expected(codes.begin() + int64_t{tile} * lanes_,
                                            codes.begin() + int64_t{tile + 1} * lanes_);
        ASSERT_EQ(write.codes, expected)
            << "length " << length << " row " << row << " tile " << tile << " reach " << reach_;
      }
    }
    ASSERT_EQ(next, memory_.writes.size());
  }

  const int lanes_ = GetParam().lanes;
  const model::AdaptivFloat format_ = GetParam().format;
  const int max_rows_ = GetParam().max_rows;
  const int seq_tiles_ = (max_rows_ + lanes_ - 1) / lanes_;
  cosim::Dut dut_;
  cosim::Random random_{static_cast<uint64_t>(lanes_ * 100 + format_.width)};
  ScoreMemory scores_{dut_, lanes_};
  test::WriteMemory memory_{dut_, format_.width, 0.3, 5};
  cosim::Bench bench_{dut_};

 private:
  // Of the command drawn last.
  model::SpanCoefficients span_;
  int reach_ = 0;
  int bias_ = 0;
};

TEST_P(SoftmaxTest, EqualsGolden) {
  for (int length = 1; length <= max_rows_ && !HasFailure(); ++length) {
    const spec::Instruction instruction = Draw(length);
    RunAndCompare(instruction, length);
  }
}

// A command after the dropped one begins in the next cycle, and must not see anything of it.
TEST_P(SoftmaxTest, ForgetsADroppedCommand) {
  const int longest = std::min({max_rows_, lanes_ + 2, 18});
  uint64_t cycles = 0;
  while (test::AbortCommand(bench_, Draw(longest), cycles) && !HasFailure()) {
    EXPECT_FALSE(dut_.Get("wr_valid_o"));
    const int length = random_.Between(1, longest);
    const spec::Instruction instruction = Draw(length);
    RunAndCompare(instruction, length);
    EXPECT_FALSE(HasFailure()) << "dropped after " << cycles << " cycles";
    ++cycles;
  }
  // A cycle a row, and the stages of the three passes.
  EXPECT_GT(cycles, uint64_t(longest) + 40);
}

INSTANTIATE_TEST_SUITE_P(Shapes, SoftmaxTest,
                         ::testing::Values(Case{4, {8, 3}, 22}, Case{8, {8, 4}, 33},
                                           Case{16, {8, 3}, 64}, Case{32, {6, 2}, 40},
                                           Case{16, {4, 2}, 12}));

}  // namespace
}  // namespace edgebert
