// eb_layer_norm against the golden LayerNorm: widths that fill no whole vector, constant rows, tiny
// and huge variances, stalls on every side, commands dropped in any cycle.
#include "generator/units/layer_norm.h"

#include "generator/blocks/fifo.h"
#include "generator/blocks/sram.h"
#include "generator/blocks/tree.h"
#include "generator/units/af_encoder.h"
#include "generator/units/rsqrt.h"
#include "golden/model/layer_norm.h"
#include "tests/cosim/sfu_support.h"

namespace edgebert {
namespace {

struct Case {
  int lanes;
  model::AdaptivFloat format;
  int max_vectors;
};

class Source : public cosim::Agent {
 public:
  Source(cosim::Dut& dut, int code_bits, double stall, uint64_t seed)
      : dut_(dut), code_bits_(code_bits), stall_(stall), random_(seed) {}
  void Drive(uint64_t) override {
    dut_.Get("rd_ready_i").Set(random_.Chance(stall_) ? 0 : 1);
    // Data is there for one cycle only; otherwise anything may be on the bus.
    auto data = dut_.Get("rd_data_i");
    if (!read_.empty()) {
      data.SetLanes(code_bits_, read_);
    } else {
      std::vector<uint8_t> noise(vectors.begin()->second.size());
      for (uint8_t& code : noise) code = static_cast<uint8_t>(random_.Below(1U << code_bits_));
      data.SetLanes(code_bits_, noise);
    }
    dut_.Get("words_valid_i").Set(next_word < words.size() && !random_.Chance(stall_) ? 1 : 0);
    if (next_word < words.size()) dut_.Get("words_i").SetLanes(32, words[next_word]);
  }
  void Sample(uint64_t) override {
    read_.clear();
    if (dut_.Get("rd_valid_o").Get() != 0 && dut_.Get("rd_ready_i").Get() != 0) {
      read_ = vectors.at(static_cast<uint32_t>(dut_.Get("rd_addr_o").Get()));
    }
    if (dut_.Get("words_valid_i").Get() != 0 && dut_.Get("words_ready_o").Get() != 0) ++next_word;
  }
  std::map<uint32_t, std::vector<uint8_t>> vectors;
  std::vector<std::vector<int32_t>> words;
  size_t next_word = 0;

 private:
  cosim::Dut& dut_;
  int code_bits_;
  double stall_;
  cosim::Random random_;
  std::vector<uint8_t> read_;
};

class LayerNormTest : public ::testing::TestWithParam<Case> {
 protected:
  LayerNormTest()
      : dut_(test::BuildUnit(
            {gen::EmitLayerNorm(), gen::EmitNormLane(), gen::EmitSumTree(), gen::EmitRSqrt(),
             gen::EmitFifo(), gen::EmitSram1r1w(), gen::EmitSram1r1wMacro(), gen::EmitAfEncoder()},
            "eb_layer_norm",
            {{"Lanes", std::to_string(lanes_)},
             {"CodeW", std::to_string(format_.width)},
             {"ExpW", std::to_string(format_.exponent)},
             {"MaxVectors", std::to_string(max_vectors_)}})) {
    bench_.Add(source_);
    bench_.Add(memory_);
    dut_.Get("cmd_valid_i").Set(0);
    dut_.Get("clear_i").Set(0);
    source_.vectors[0] = std::vector<uint8_t>(size_t(lanes_));
    dut_.Reset();
  }

  /// A command of random shape, rows, gamma and beta.
  spec::Instruction Draw(int max_rows) {
    vectors_ = random_.Between(1, max_vectors_);
    hidden_ = random_.Between((vectors_ - 1) * lanes_ + 1, vectors_ * lanes_);
    rows_ = random_.Between(1, max_rows);
    const bool by_length = random_.Chance(0.5);
    source_.vectors.clear();
    source_.words.clear();
    source_.next_word = 0;
    data_.assign(size_t(rows_), std::vector<uint8_t>(size_t(vectors_ * lanes_)));
    gamma_.assign(size_t(vectors_ * lanes_), 0);
    beta_.assign(size_t(vectors_ * lanes_), 0);
    for (int i = 0; i < hidden_; ++i) {
      gamma_[size_t(i)] = random_.Chance(0.1) ? random_.Between(-(1 << 19), (1 << 19) - 1)
                                              : random_.Between(-9000, 9000);
      beta_[size_t(i)] = random_.Between(-300000, 300000);
    }
    for (int row = 0; row < rows_; ++row) {
      const int kind = random_.Between(0, 3);
      const auto constant = static_cast<uint8_t>(random_.Below(1U << format_.width));
      for (int i = 0; i < hidden_; ++i) {
        auto code = static_cast<uint8_t>(random_.Below(1U << format_.width));
        if (kind == 0) code = constant;
        if (kind == 1) code = static_cast<uint8_t>(format_.Encode(random_.Between(-900, 900), -10));
        data_[size_t(row)][size_t(i)] = code;
      }
      for (int v = 0; v < vectors_; ++v) {
        const auto begin = data_[size_t(row)].begin() + int64_t{v} * lanes_;
        source_.vectors[uint32_t(200 + row * (vectors_ + 2) + v)] = {begin, begin + lanes_};
      }
    }
    for (int v = 0; v < vectors_; ++v) {
      for (const auto* group : {&gamma_, &beta_}) {
        const auto begin = group->begin() + int64_t{v} * lanes_;
        source_.words.push_back({begin, begin + lanes_});
      }
    }
    eps_ = random_.Chance(0.3) ? 0 : random_.Below(uint64_t{1} << random_.Between(1, 45));
    bias_ = random_.Between(-9, -2);
    spec::Instruction instruction;
    instruction.Set(spec::kLayerNormRowsLen, by_length ? 1 : 0);
    instruction.Set(spec::kLayerNormRows, by_length ? 0 : rows_);
    instruction.Set(spec::kLayerNormSrcBase, 200);
    instruction.Set(spec::kLayerNormSrcStride, vectors_ + 2);
    instruction.Set(spec::kLayerNormDstBase, 5000);
    instruction.Set(spec::kLayerNormDstStride, vectors_ + 1);
    instruction.Set(spec::kLayerNormBiasOut, bias_);
    instruction.Set(spec::kLayerNormHidden, hidden_);
    instruction.Set(spec::kLayerNormVectors, vectors_);
    instruction.Set(spec::kLayerNormEpsLow, int64_t(eps_ & 0xffffffff));
    instruction.Set(spec::kLayerNormEpsHigh, int64_t(eps_ >> 32));
    dut_.Get("length_i").Set(by_length ? uint64_t(rows_) : 1);
    memory_.writes.clear();
    return instruction;
  }

  /// The command drawn last, in full.
  void RunAndCompare(const spec::Instruction& instruction) {
    ASSERT_TRUE(test::RunCommand(bench_, instruction, 100000)) << "hangs";
    ASSERT_EQ(memory_.writes.size(), size_t(rows_ * vectors_));
    ASSERT_EQ(source_.next_word, source_.words.size());
    for (int row = 0; row < rows_; ++row) {
      std::vector<uint8_t> out(data_[size_t(row)].size());
      model::LayerNormRow(data_[size_t(row)], hidden_, gamma_, beta_, eps_, format_, bias_, out);
      for (int v = 0; v < vectors_; ++v) {
        const auto& write = memory_.writes[size_t(row * vectors_ + v)];
        ASSERT_EQ(write.address, uint32_t(5000 + row * (vectors_ + 1) + v));
        const std::vector<uint8_t> expected(out.begin() + int64_t{v} * lanes_,
                                            out.begin() + int64_t{v + 1} * lanes_);
        ASSERT_EQ(write.codes, expected) << "row " << row << " vector " << v;
      }
    }
  }

  const int lanes_ = GetParam().lanes;
  const model::AdaptivFloat format_ = GetParam().format;
  const int max_vectors_ = GetParam().max_vectors;
  cosim::Dut dut_;
  cosim::Random random_{static_cast<uint64_t>(lanes_ + format_.width)};
  Source source_{dut_, format_.width, 0.3, 6};
  test::WriteMemory memory_{dut_, format_.width, 0.3, 7};
  cosim::Bench bench_{dut_};

 private:
  // Of the command drawn last.
  int vectors_ = 0, hidden_ = 0, rows_ = 0, bias_ = 0;
  uint64_t eps_ = 0;
  std::vector<std::vector<uint8_t>> data_;
  std::vector<int32_t> gamma_, beta_;
};

TEST_P(LayerNormTest, EqualsGolden) {
  for (int trial = 0; trial < 40 && !HasFailure(); ++trial) {
    RunAndCompare(Draw(9));
    EXPECT_FALSE(HasFailure()) << "trial " << trial;
  }
}

// A command after the dropped one begins in the next cycle, and must not see anything of it.
TEST_P(LayerNormTest, ForgetsADroppedCommand) {
  // Commands are of many lengths; some end before they are dropped.
  const auto span = static_cast<uint64_t>(20 + 8 * max_vectors_);
  int dropped = 0;
  for (uint64_t trial = 0; trial < 360 && !HasFailure(); ++trial) {
    const uint64_t cycles = trial % span;
    if (!test::AbortCommand(bench_, Draw(9), cycles)) continue;
    ++dropped;
    EXPECT_FALSE(dut_.Get("wr_valid_o"));
    RunAndCompare(Draw(4));
    EXPECT_FALSE(HasFailure()) << "dropped after " << cycles << " cycles";
  }
  EXPECT_GT(dropped, 100);
}

INSTANTIATE_TEST_SUITE_P(Shapes, LayerNormTest,
                         ::testing::Values(Case{4, {8, 3}, 6}, Case{8, {8, 4}, 5},
                                           Case{16, {8, 3}, 12}, Case{32, {6, 2}, 3},
                                           Case{16, {4, 2}, 1}));

}  // namespace
}  // namespace edgebert
