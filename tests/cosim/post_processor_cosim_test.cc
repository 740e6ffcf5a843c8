// eb_post_processor against the golden post-processing: every activation and shift, residuals,
// gaps between vectors, all three results.
#include "generator/units/post_processor.h"

#include "generator/blocks/round_shift.h"
#include "generator/units/activation.h"
#include "generator/units/af_decoder.h"
#include "generator/units/af_encoder.h"
#include "golden/model/adaptivfloat.h"
#include "golden/model/post_processor.h"
#include "tests/cosim/sfu_support.h"

namespace edgebert {
namespace {

constexpr int kLanes = 4;

struct Case {
  model::AdaptivFloat format;
  int accumulator_bits;
};

class PostProcessorTest : public ::testing::TestWithParam<Case> {};

TEST_P(PostProcessorTest, EqualsGolden) {
  const auto [format, acc_bits] = GetParam();
  auto dut = test::BuildUnit({gen::EmitPostProcessor(), gen::EmitPostLane(), gen::EmitRoundShift(),
                              gen::EmitActivation(), gen::EmitAfDecoder(), gen::EmitAfEncoder()},
                             "eb_post_processor",
                             {{"Lanes", std::to_string(kLanes)},
                              {"CodeW", std::to_string(format.width)},
                              {"ExpW", std::to_string(format.exponent)},
                              {"AccW", std::to_string(acc_bits)},
                              {"TagW", "9"}});
  cosim::Random random(static_cast<uint64_t>(acc_bits));
  dut.Get("clear_i").Set(0);
  dut.Get("valid_i").Set(0);
  dut.Reset();
  for (int shift = spec::kShiftMin; shift <= spec::kShiftMax; ++shift) {
    for (int fn = 0; fn <= static_cast<int>(spec::Activation::kTanh); ++fn) {
      const int bias_res = random.Between(-12, 3);
      const int bias_out = random.Between(-12, 3);
      dut.Get("shift_i").SetSigned(shift);
      dut.Get("activation_i").Set(uint64_t(fn));
      dut.Get("bias_res_i").SetSigned(bias_res);
      dut.Get("bias_out_i").SetSigned(bias_out);
      struct Expected {
        uint64_t tag;
        std::vector<int64_t> fixed;
      };
      std::vector<Expected> sent;
      size_t received = 0;
      for (int cycle = 0; cycle < 40; ++cycle) {
        const bool valid = cycle < 30 && random.Chance(0.7);
        dut.Get("valid_i").Set(valid ? 1 : 0);
        std::vector<int64_t> acc(kLanes);
        std::vector<int32_t> bias(kLanes);
        std::vector<uint8_t> res(kLanes);
        Expected expected{random.Below(512), {}};
        for (int lane = 0; lane < kLanes; ++lane) {
          const int64_t size = int64_t{1} << random.Between(1, acc_bits - 1);
          acc[size_t(lane)] = int64_t(random.Below(uint64_t(size) * 2)) - size;
          const int32_t most = random.Chance(0.1) ? (1 << 25) - 1 : 100000;
          bias[size_t(lane)] = random.Between(-most, most);
          res[size_t(lane)] = static_cast<uint8_t>(random.Below(1U << format.width));
          expected.fixed.push_back(model::PostProcess(acc[size_t(lane)], shift, bias[size_t(lane)],
                                                      static_cast<spec::Activation>(fn),
                                                      format.ToFixed(res[size_t(lane)], bias_res)));
        }
        dut.Get("acc_i").SetLanes(acc_bits, acc);
        dut.Get("bias_i").SetLanes(32, bias);
        dut.Get("res_i").SetLanes(format.width, res);
        dut.Get("tag_i").Set(expected.tag);
        dut.Eval();
        if (valid) sent.push_back(expected);
        if (dut.Get("valid_o").Get() != 0) {
          ASSERT_LT(received, sent.size());
          const Expected& now = sent[received++];
          ASSERT_EQ(dut.Get("tag_o").Get(), now.tag);
          for (int lane = 0; lane < kLanes; ++lane) {
            const int64_t x = now.fixed[size_t(lane)];
            ASSERT_EQ(dut.Get("fixed_o").GetLaneSigned(lane, 26), x)
                << "shift " << shift << " function " << fn << " lane " << lane;
            ASSERT_EQ(dut.Get("score_o").GetLaneSigned(lane, 16), model::ToScore(x));
            ASSERT_EQ(dut.Get("code_o").GetLane(lane, format.width), format.Encode(x, bias_out));
          }
        }
        dut.Tick();
      }
      ASSERT_EQ(received, sent.size());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, PostProcessorTest,
                         ::testing::Values(Case{{8, 3}, 35}, Case{{8, 4}, 48}, Case{{6, 2}, 24},
                                           Case{{4, 2}, 20}));

}  // namespace
}  // namespace edgebert
