// The accumulator banks against plain 64-bit sums, exact and saturating.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/blocks/sram.h"
#include "generator/units/accumulator.h"
#include "tests/cosim/datapath_support.h"
#include "tests/support/lint.h"

namespace edgebert {
namespace {

struct Shape {
  int lanes, dot_bits, acc_bits, rows, backend;
  bool saturates;
};

class Accumulator : public testing::TestWithParam<Shape> {
 protected:
  // Reset, nothing requested.
  static cosim::Dut Build(const Shape& shape) {
    auto dut = cosim::Dut::Build(
        {.files = test::Files(
             {gen::EmitAccumulator(), gen::EmitSram1r1w(), gen::EmitSram1r1wMacro()}),
         .top = "eb_accumulator",
         .parameters = {{"Lanes", std::to_string(shape.lanes)},
                        {"DotW", std::to_string(shape.dot_bits)},
                        {"AccW", std::to_string(shape.acc_bits)},
                        {"MaxRows", std::to_string(shape.rows)},
                        {"Backend", std::to_string(shape.backend)}},
         .optimize = cosim::Optimize::kQuick,
         .unknowns = cosim::Unknowns::kRandom});
    EB_CHECK(dut.ok(), "{}", dut.error().Format());
    for (const char* name : {"clear_i", "add_valid_i", "add_bank_i", "add_row_i", "read_valid_i",
                             "read_bank_i", "read_row_i", "release_i"}) {
      dut->Get(name).Set(0);
    }
    dut->Get("dot_i").Clear();
    dut->Reset();
    return std::move(*dut);
  }
};

TEST_P(Accumulator, SumsDrainsAndSaturates) {
  const Shape shape = GetParam();
  cosim::Dut dut = Build(shape);
  cosim::Random random(static_cast<uint64_t>(shape.acc_bits));
  const auto lanes = static_cast<size_t>(shape.lanes);
  const auto rows = static_cast<size_t>(shape.rows);
  const int64_t limit = int64_t{1} << (shape.acc_bits - 1);
  const int64_t dot_limit = int64_t{1} << (shape.dot_bits - 1);
  using Bank = std::vector<std::vector<int64_t>>;
  std::array<Bank, 2> banks;
  banks.fill(Bank(rows, std::vector<int64_t>(lanes, 0)));
  std::vector<int64_t> dot(lanes, 0);
  int saturated = 0;
  int expected_saturated = 0;

  for (size_t phase = 0; phase < 40; ++phase) {
    Bank& summing = banks[phase % 2];
    Bank& draining = banks[(phase + 1) % 2];
    size_t drained = 0;
    std::array<size_t, 2> recent = {rows, rows};  // rows announced in the two cycles before
    for (int cycle = 0; cycle < 100 || drained < rows; ++cycle) {
      dut.Get("dot_i").SetLanes(shape.dot_bits, dot);  // of the row announced before
      const size_t row = random.Below(rows);
      const bool add = random.Chance(0.8) && row != recent[0] && row != recent[1];
      recent = {add ? row : rows, recent[0]};
      dut.Get("add_valid_i").Set(add ? 1 : 0);
      dut.Get("add_bank_i").Set(phase % 2);
      dut.Get("add_row_i").Set(row);
      if (add) {
        bool row_saturated = false;
        for (size_t j = 0; j < lanes; ++j) {
          const auto offset = static_cast<int64_t>(random.Below(uint64_t{2} << (shape.dot_bits - 1)));
          dot[j] = random.Chance(0.5) ? offset - dot_limit : dot_limit - 1 - offset / 4096;
          const int64_t exact = summing[row][j] + dot[j];
          summing[row][j] = std::clamp(exact, -limit, limit - 1);
          row_saturated = row_saturated || summing[row][j] != exact;
        }
        expected_saturated += row_saturated ? 1 : 0;
      }
      // The last sums of the phase before are stored from cycle 2 on.
      const bool read = cycle >= 2 && drained < rows && random.Chance(0.6);
      dut.Get("read_valid_i").Set(read ? 1 : 0);
      dut.Get("read_bank_i").Set((phase + 1) % 2);
      dut.Get("read_row_i").Set(read ? drained : 0);
      dut.Get("release_i").Set(read && drained == rows - 1 ? 1 : 0);
      dut.Eval();
      saturated += dut.Get("saturated_o") ? 1 : 0;
      dut.Tick();
      if (read) {
        ASSERT_EQ(dut.Get("acc_o").GetLanes(shape.acc_bits), draining[drained])
            << "phase " << phase << ", row " << drained;
        std::fill(draining[drained].begin(), draining[drained].end(), 0);
        ++drained;
      }
    }
  }
  dut.Get("add_valid_i").Set(0);
  dut.Get("dot_i").SetLanes(shape.dot_bits, dot);
  dut.Eval();
  saturated += dut.Get("saturated_o") ? 1 : 0;
  EXPECT_EQ(saturated, expected_saturated);
  EXPECT_EQ(saturated > 0, shape.saturates);
}

// clear_i empties both banks and drops what is on its way.
TEST_P(Accumulator, ClearEmpties) {
  const Shape shape = GetParam();
  cosim::Dut dut = Build(shape);
  dut.Get("dot_i").SetLanes(shape.dot_bits, std::vector<int64_t>(static_cast<size_t>(shape.lanes), 1));
  for (uint64_t bank = 0; bank < 2; ++bank) {
    dut.Get("add_valid_i").Set(1);
    dut.Get("add_bank_i").Set(bank);
    for (uint64_t row = 0; row < 4; ++row) {
      dut.Get("add_row_i").Set(row);
      dut.Tick();
    }
  }
  dut.Get("add_valid_i").Set(0);
  dut.Get("clear_i").Set(1);
  dut.Tick();
  dut.Get("clear_i").Set(0);
  dut.Tick(4);
  for (uint64_t bank = 0; bank < 2; ++bank) {
    for (uint64_t row = 0; row < 4; ++row) {
      dut.Get("read_valid_i").Set(1);
      dut.Get("read_bank_i").Set(bank);
      dut.Get("read_row_i").Set(row);
      dut.Tick();
      ASSERT_EQ(dut.Get("acc_o").GetLanes(shape.acc_bits), std::vector<int64_t>(static_cast<size_t>(shape.lanes), 0));
    }
  }
}

TEST(AccumulatorText, LintsClean) {
  for (const test::Parameters& parameters : std::vector<test::Parameters>{
           {{"Lanes", "4"}, {"DotW", "27"}, {"AccW", "24"}},
           {{"Lanes", "8"}, {"Backend", "2"}}}) {
    EXPECT_TRUE(test::LintsClean({gen::EmitAccumulator(), gen::EmitSram1r1w(), gen::EmitSram1r1wMacro()}, "eb_accumulator", parameters));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Accumulator,
                         testing::Values(Shape{4, 27, 40, 20, 0, false},
                                         Shape{4, 27, 30, 5, 0, true},
                                         Shape{8, 28, 24, 16, 1, true},
                                         Shape{16, 29, 37, 64, 0, false}),
                         [](const auto& info) {
                           return "N" + std::to_string(info.param.lanes) + "Acc" +
                                  std::to_string(info.param.acc_bits);
                         });

}  // namespace
}  // namespace edgebert
