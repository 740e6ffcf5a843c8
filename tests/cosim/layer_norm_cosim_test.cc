// eb_layer_norm against the golden LayerNorm: widths that fill no whole vector, constant rows, tiny
// and huge variances, stalls on every side.
#include "generator/units/layer_norm.h"

#include "generator/blocks/sram.h"
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

class LayerNormTest : public ::testing::TestWithParam<Case> {};

class Source : public cosim::Agent {
 public:
  Source(cosim::Dut& dut, int code_bits, double stall, uint64_t seed)
      : dut_(dut), code_bits_(code_bits), stall_(stall), random_(seed) {}
  void Drive(uint64_t) override {
    dut_.Get("rd_ready_i").Set(random_.Chance(stall_) ? 0 : 1);
    // Data is there for one cycle only; otherwise anything may be on the bus.
    auto data = dut_.Get("rd_data_i");
    if (taken_) {
      data.SetLanes(code_bits_, vectors.at(address_));
    } else {
      std::vector<uint8_t> noise(vectors.begin()->second.size());
      for (uint8_t& code : noise) code = static_cast<uint8_t>(random_.Below(1U << code_bits_));
      data.SetLanes(code_bits_, noise);
    }
    dut_.Get("words_valid_i").Set(next_word < words.size() && !random_.Chance(stall_) ? 1 : 0);
    if (next_word < words.size()) dut_.Get("words_i").SetLanes(32, words[next_word]);
  }
  void Sample(uint64_t) override {
    taken_ = dut_.Get("rd_valid_o").Get() != 0 && dut_.Get("rd_ready_i").Get() != 0;
    address_ = static_cast<uint32_t>(dut_.Get("rd_addr_o").Get());
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
  bool taken_ = false;
  uint32_t address_ = 0;
};

TEST_P(LayerNormTest, EqualsGolden) {
  const auto [lanes, format, max_vectors] = GetParam();
  auto dut = test::BuildUnit({gen::EmitLayerNorm(), gen::EmitNormLane(), gen::EmitAfInteger(), gen::EmitRSqrt(),
                              gen::EmitSram1r1w(), gen::EmitSram1r1wMacro(), gen::EmitAfEncoder()},
                             "eb_layer_norm",
                             {{"Lanes", std::to_string(lanes)},
                              {"CodeW", std::to_string(format.width)},
                              {"ExpW", std::to_string(format.exponent)},
                              {"MaxVectors", std::to_string(max_vectors)}});
  cosim::Random random(static_cast<uint64_t>(lanes + format.width));
  Source source(dut, format.width, 0.3, 6);
  test::WriteMemory memory(dut, format.width, 0.3, 7);
  cosim::Bench bench(dut);
  bench.Add(source);
  bench.Add(memory);
  dut.Get("cmd_valid_i").Set(0);
  dut.Get("clear_i").Set(0);
  source.vectors[0] = std::vector<uint8_t>(size_t(lanes));
  dut.Reset();
  for (int trial = 0; trial < 40; ++trial) {
    const int vectors = random.Between(1, max_vectors);
    const int hidden = random.Between((vectors - 1) * lanes + 1, vectors * lanes);
    const int rows = random.Between(1, 9);
    const bool by_length = random.Chance(0.5);
    source.vectors.clear();
    source.words.clear();
    source.next_word = 0;
    std::vector<std::vector<uint8_t>> data(size_t(rows),
                                           std::vector<uint8_t>(size_t(vectors * lanes)));
    std::vector<int32_t> gamma(size_t(vectors * lanes));
    std::vector<int32_t> beta(size_t(vectors * lanes));
    for (int i = 0; i < hidden; ++i) {
      gamma[size_t(i)] = random.Chance(0.1) ? random.Between(-(1 << 19), (1 << 19) - 1)
                                            : random.Between(-9000, 9000);
      beta[size_t(i)] = random.Between(-300000, 300000);
    }
    for (int row = 0; row < rows; ++row) {
      const int kind = random.Between(0, 3);
      const auto constant = static_cast<uint8_t>(random.Below(1U << format.width));
      for (int i = 0; i < hidden; ++i) {
        auto code = static_cast<uint8_t>(random.Below(1U << format.width));
        if (kind == 0) code = constant;
        if (kind == 1) code = static_cast<uint8_t>(format.Encode(random.Between(-900, 900), -10));
        data[size_t(row)][size_t(i)] = code;
      }
      for (int v = 0; v < vectors; ++v) {
        const auto begin = data[size_t(row)].begin() + int64_t{v} * lanes;
        source.vectors[uint32_t(200 + row * (vectors + 2) + v)] = {begin, begin + lanes};
      }
    }
    for (int v = 0; v < vectors; ++v) {
      for (const auto* group : {&gamma, &beta}) {
        const auto begin = group->begin() + int64_t{v} * lanes;
        source.words.push_back({begin, begin + lanes});
      }
    }
    const uint64_t eps =
        random.Chance(0.3) ? 0 : random.Below(uint64_t{1} << random.Between(1, 45));
    const int bias = random.Between(-9, -2);
    spec::Instruction instruction;
    instruction.Set(spec::kLayerNormRowsLen, by_length ? 1 : 0);
    instruction.Set(spec::kLayerNormRows, by_length ? 0 : rows);
    instruction.Set(spec::kLayerNormSrcBase, 200);
    instruction.Set(spec::kLayerNormSrcStride, vectors + 2);
    instruction.Set(spec::kLayerNormDstBase, 5000);
    instruction.Set(spec::kLayerNormDstStride, vectors + 1);
    instruction.Set(spec::kLayerNormBiasOut, bias);
    instruction.Set(spec::kLayerNormHidden, hidden);
    instruction.Set(spec::kLayerNormVectors, vectors);
    instruction.Set(spec::kLayerNormEpsLow, int64_t(eps & 0xffffffff));
    instruction.Set(spec::kLayerNormEpsHigh, int64_t(eps >> 32));
    dut.Get("length_i").Set(by_length ? uint64_t(rows) : 1);
    memory.writes.clear();
    ASSERT_TRUE(test::RunCommand(bench, instruction, 100000)) << "hangs in trial " << trial;
    ASSERT_EQ(memory.writes.size(), size_t(rows * vectors));
    ASSERT_EQ(source.next_word, source.words.size());
    for (int row = 0; row < rows; ++row) {
      std::vector<uint8_t> out(data[size_t(row)].size());
      model::LayerNormRow(data[size_t(row)], hidden, gamma, beta, eps, format, bias, out);
      for (int v = 0; v < vectors; ++v) {
        const auto& write = memory.writes[size_t(row * vectors + v)];
        ASSERT_EQ(write.address, uint32_t(5000 + row * (vectors + 1) + v));
        const std::vector<uint8_t> expected(out.begin() + int64_t{v} * lanes,
                                            out.begin() + int64_t{v + 1} * lanes);
        ASSERT_EQ(write.codes, expected) << "trial " << trial << " row " << row << " vector " << v;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, LayerNormTest,
                         ::testing::Values(Case{4, {8, 3}, 6}, Case{8, {8, 4}, 5},
                                           Case{16, {8, 3}, 12}, Case{32, {6, 2}, 3},
                                           Case{16, {4, 2}, 1}));

}  // namespace
}  // namespace edgebert
