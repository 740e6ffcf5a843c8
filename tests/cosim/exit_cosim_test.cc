// eb_exit against the golden entropy: 2 to 256 classes, ties, and the strict threshold.
#include "generator/units/exit.h"

#include "generator/units/exp.h"
#include "generator/units/ln.h"
#include "generator/units/reciprocal.h"
#include "golden/model/entropy.h"
#include "golden/spec/formats.h"
#include "tests/cosim/sfu_support.h"

namespace edgebert {
namespace {

class ExitTest : public ::testing::TestWithParam<std::pair<int, int>> {};

TEST_P(ExitTest, EqualsGolden) {
  const auto [lanes, max_classes] = GetParam();
  auto dut = test::BuildUnit(
      {gen::EmitExit(), gen::EmitEntropy(), gen::EmitExp(), gen::EmitLn(), gen::EmitReciprocal()},
      "eb_exit", {{"Lanes", std::to_string(lanes)}, {"MaxClasses", std::to_string(max_classes)}});
  cosim::Random random(static_cast<uint64_t>(max_classes));
  cosim::Bench bench(dut);
  dut.Get("cmd_valid_i").Set(0);
  dut.Get("clear_i").Set(0);
  dut.Get("logit_valid_i").Set(0);
  dut.Get("logit_addr_i").Set(0);
  dut.Reset();
  for (int trial = 0; trial < 300; ++trial) {
    const int classes = random.Between(2, max_classes);
    const int range = 1 << random.Between(2, 25);
    std::vector<int32_t> logits(size_t((classes + lanes - 1) / lanes * lanes), 12345);
    for (int c = 0; c < classes; ++c) logits[size_t(c)] = random.Between(-range, range - 1);
    if (random.Chance(0.2)) logits[size_t(classes - 1)] = logits[0];
    for (size_t strip = 0; strip * size_t(lanes) < logits.size(); ++strip) {
      dut.Get("logit_valid_i").Set(1);
      dut.Get("logit_strip_i").Set(strip);
      dut.Get("logit_data_i")
          .SetLanes(spec::kFixedBits,
                    std::vector<int32_t>(logits.begin() + int64_t(strip) * lanes,
                                         logits.begin() + int64_t(strip + 1) * lanes));
      dut.Tick();
    }
    dut.Get("logit_valid_i").Set(0);
    const model::OffRampResult expected = model::Entropy(std::span(logits).first(size_t(classes)));
    // The threshold around the entropy itself decides about `<`.
    const uint32_t threshold = random.Chance(0.5)
                                   ? expected.entropy + uint32_t(random.Between(0, 1))
                                   : uint32_t(random.Below(1U << 20));
    dut.Get("threshold_i").Set(threshold);
    spec::Instruction instruction;
    instruction.Set(spec::kExitClasses, classes);
    dut.Get("cmd_i").SetWide(instruction.words);
    dut.Get("cmd_valid_i").Set(1);
    dut.Tick();
    dut.Get("cmd_valid_i").Set(0);
    int results = 0;
    for (int cycle = 0; cycle < 600; ++cycle) {
      dut.Eval();
      if (dut.Get("result_valid_o").Get() != 0) {
        ++results;
        ASSERT_EQ(dut.Get("entropy_o").Get(), expected.entropy) << "trial " << trial;
        ASSERT_EQ(int(dut.Get("prediction_o").Get()), expected.prediction) << "trial " << trial;
        ASSERT_EQ(dut.Get("exit_o").Get() != 0, expected.entropy < threshold) << "trial " << trial;
      }
      if (dut.Get("busy_o").Get() == 0) break;
      dut.Tick();
    }
    ASSERT_EQ(results, 1) << "trial " << trial;
    for (int c = 0; c < classes; ++c) {
      dut.Get("logit_addr_i").Set(uint64_t(c));
      dut.Eval();
      ASSERT_EQ(dut.Get("logit_o").Get(), uint64_t(logits[size_t(c)]) & 0x3ffffff);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ExitTest,
                         ::testing::Values(std::pair{4, 3}, std::pair{16, 2}, std::pair{8, 256},
                                           std::pair{32, 40}));

}  // namespace
}  // namespace edgebert
