// eb_exit against the golden entropy: 2 to 256 classes, ties, the strict threshold, and commands
// dropped in any cycle.
#include "generator/units/exit.h"

#include "generator/units/exp.h"
#include "generator/units/ln.h"
#include "generator/units/reciprocal.h"
#include "golden/model/entropy.h"
#include "golden/spec/formats.h"
#include "tests/cosim/sfu_support.h"

namespace edgebert {
namespace {

class ExitTest : public ::testing::TestWithParam<std::pair<int, int>> {
 protected:
  ExitTest()
      : dut_(test::BuildUnit(
            {gen::EmitExit(), gen::EmitEntropy(), gen::EmitExp(), gen::EmitLn(),
             gen::EmitReciprocal()},
            "eb_exit",
            {{"Lanes", std::to_string(lanes_)}, {"MaxClasses", std::to_string(max_classes_)}})) {
    dut_.Get("cmd_valid_i").Set(0);
    dut_.Get("clear_i").Set(0);
    dut_.Get("logit_valid_i").Set(0);
    dut_.Get("logit_addr_i").Set(0);
    dut_.Reset();
  }

  /// Random logits, already in the unit, and the command about them.
  spec::Instruction Draw(int max_classes) {
    classes_ = random_.Between(2, max_classes);
    const int range = 1 << random_.Between(2, 25);
    logits_.assign(size_t((classes_ + lanes_ - 1) / lanes_ * lanes_), 12345);
    for (int c = 0; c < classes_; ++c) logits_[size_t(c)] = random_.Between(-range, range - 1);
    if (random_.Chance(0.2)) logits_[size_t(classes_ - 1)] = logits_[0];
    for (size_t strip = 0; strip * size_t(lanes_) < logits_.size(); ++strip) {
      dut_.Get("logit_valid_i").Set(1);
      dut_.Get("logit_strip_i").Set(strip);
      dut_.Get("logit_data_i")
          .SetLanes(spec::kFixedBits,
                    std::vector<int32_t>(logits_.begin() + int64_t(strip) * lanes_,
                                         logits_.begin() + int64_t(strip + 1) * lanes_));
      dut_.Tick();
    }
    dut_.Get("logit_valid_i").Set(0);
    spec::Instruction instruction;
    instruction.Set(spec::kExitClasses, classes_);
    return instruction;
  }

  /// The command drawn last, in full.
  void RunAndCompare(const spec::Instruction& instruction) {
    const model::OffRampResult expected =
        model::Entropy(std::span(logits_).first(size_t(classes_)));
    // The threshold around the entropy itself decides about `<`.
    const uint32_t threshold = random_.Chance(0.5)
                                   ? expected.entropy + uint32_t(random_.Between(0, 1))
                                   : uint32_t(random_.Below(1U << 20));
    dut_.Get("threshold_i").Set(threshold);
    test::IssueCommand(bench_, instruction);
    int results = 0;
    for (int cycle = 0; cycle < 600; ++cycle) {
      dut_.Eval();
      if (dut_.Get("result_valid_o").Get() != 0) {
        ++results;
        ASSERT_EQ(dut_.Get("entropy_o").Get(), expected.entropy);
        ASSERT_EQ(int(dut_.Get("prediction_o").Get()), expected.prediction);
        ASSERT_EQ(dut_.Get("exit_o").Get() != 0, expected.entropy < threshold);
      }
      if (dut_.Get("busy_o").Get() == 0) break;
      dut_.Tick();
    }
    ASSERT_EQ(results, 1);
    for (int c = 0; c < classes_; ++c) {
      dut_.Get("logit_addr_i").Set(uint64_t(c));
      dut_.Eval();
      ASSERT_EQ(dut_.Get("logit_o").Get(), uint64_t(logits_[size_t(c)]) & 0x3ffffff);
    }
  }

  const int lanes_ = GetParam().first;
  const int max_classes_ = GetParam().second;
  cosim::Dut dut_;
  cosim::Random random_{static_cast<uint64_t>(max_classes_)};
  cosim::Bench bench_{dut_};

 private:
  // Of the command drawn last.
  int classes_ = 0;
  std::vector<int32_t> logits_;
};

TEST_P(ExitTest, EqualsGolden) {
  for (int trial = 0; trial < 300 && !HasFailure(); ++trial) {
    RunAndCompare(Draw(max_classes_));
    EXPECT_FALSE(HasFailure()) << "trial " << trial;
  }
}

// A command after the dropped one begins as soon as its logits are there, or at once on the old
// ones, and must not see anything of it.
TEST_P(ExitTest, ForgetsADroppedCommand) {
  for (const bool same_logits : {false, true}) {
    for (int round = 0; round < 4; ++round) {
      uint64_t cycles = 0;
      while (!HasFailure()) {
        spec::Instruction instruction = Draw(std::min(max_classes_, 20));
        if (!test::AbortCommand(bench_, instruction, cycles)) break;
        EXPECT_FALSE(dut_.Get("result_valid_o"));
        if (!same_logits) instruction = Draw(max_classes_);
        RunAndCompare(instruction);
        EXPECT_FALSE(HasFailure()) << "dropped after " << cycles << " cycles";
        ++cycles;
      }
      EXPECT_GT(cycles, 10U);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ExitTest,
                         ::testing::Values(std::pair{4, 3}, std::pair{16, 2}, std::pair{8, 256},
                                           std::pair{32, 40}));

}  // namespace
}  // namespace edgebert
