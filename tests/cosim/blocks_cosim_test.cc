// The blocks against queues, arrays and real arithmetic.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <initializer_list>
#include <string>
#include <vector>

#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/blocks/clock_gate.h"
#include "generator/blocks/fifo.h"
#include "generator/blocks/reset_sync.h"
#include "generator/blocks/round_shift.h"
#include "generator/blocks/sram.h"

namespace edgebert::gen {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

cosim::Dut Build(std::initializer_list<vlog::Module> modules, const Parameters& parameters = {}) {
  cosim::BuildOptions options{.top = modules.begin()->name(),
                              .parameters = parameters,
                              .optimize = cosim::Optimize::kQuick,
                              .unknowns = cosim::Unknowns::kRandom};
  for (const vlog::Module& module : modules) {
    options.files.emplace_back(module.name() + ".v", module.Emit());
  }
  auto dut = cosim::Dut::Build(options);
  if (!dut.ok()) ADD_FAILURE() << dut.error().Format();
  return std::move(dut).value();
}

// A stream block that holds up to `capacity` words of 16 bits is a queue, seen from its ports.
void ActsAsQueue(cosim::Dut& dut, size_t capacity, double push_rate, double pop_rate) {
  cosim::Random random(capacity);
  std::deque<uint64_t> queue;
  dut.Get("clear_i").Set(0);
  dut.Get("in_valid_i").Set(0);
  dut.Get("out_ready_i").Set(0);
  dut.Reset();
  for (int cycle = 0; cycle < 4000; ++cycle) {
    const bool push = random.Chance(push_rate);
    const bool pop = random.Chance(pop_rate);
    const bool clear = random.Chance(0.01);
    const uint64_t word = random.Below(1 << 16);
    dut.Get("in_valid_i").Set(push);
    dut.Get("in_data_i").Set(word);
    dut.Get("out_ready_i").Set(pop);
    dut.Get("clear_i").Set(clear);
    dut.Eval();
    ASSERT_EQ(dut.Get("in_ready_o").Get(), queue.size() < capacity) << "cycle " << cycle;
    ASSERT_EQ(dut.Get("out_valid_o").Get(), !queue.empty()) << "cycle " << cycle;
    if (!queue.empty()) {
      ASSERT_EQ(dut.Get("out_data_o").Get(), queue.front()) << "cycle " << cycle;
    }
    const auto count = dut.Find("count_o");
    if (count) {
      ASSERT_EQ(count->Get(), queue.size()) << "cycle " << cycle;
    }
    const bool pushed = push && queue.size() < capacity;
    if (pop && !queue.empty()) queue.pop_front();
    if (pushed) queue.push_back(word);
    if (clear) queue.clear();
    dut.Tick();
  }
}

class Fifo : public testing::TestWithParam<size_t> {};

TEST_P(Fifo, IsAQueueOfItsDepth) {
  cosim::Dut dut = Build({EmitFifo()}, {{"Width", "16"}, {"Depth", std::to_string(GetParam())}});
  ActsAsQueue(dut, GetParam(), 0.5, 0.5);
  ActsAsQueue(dut, GetParam(), 0.9, 0.3);
  ActsAsQueue(dut, GetParam(), 0.3, 0.9);
}

INSTANTIATE_TEST_SUITE_P(Depths, Fifo, testing::Values(1, 2, 3, 4, 13));

TEST(ResetSync, AssertsAtOnceAndReleasesAtTheSecondEdge) {
  cosim::Dut dut = Build({EmitResetSync()});
  dut.Get("rst_ni").Set(1);
  dut.Tick(4);
  EXPECT_EQ(dut.Get("rst_no").Get(), 1U);
  dut.Get("rst_ni").Set(0);
  dut.Eval();
  EXPECT_EQ(dut.Get("rst_no").Get(), 0U) << "must not wait for a clock";
  dut.Get("rst_ni").Set(1);
  dut.Eval();
  EXPECT_EQ(dut.Get("rst_no").Get(), 0U);
  dut.Tick();
  EXPECT_EQ(dut.Get("rst_no").Get(), 0U);
  dut.Tick();
  EXPECT_EQ(dut.Get("rst_no").Get(), 1U);
}

// Tick leaves the outputs as they are while the clock is high, so clk_o tells whether the edge
// passed.
TEST(UnitClock, PassesTheEdgesOfWakefulCyclesAndOneMore) {
  cosim::Dut dut = Build({EmitUnitClock(), EmitClockGate()});
  dut.Get("wake_i").Set(0);
  dut.Reset();
  cosim::Random random(7);
  bool before = true;  // it runs in reset
  int edges = 0;
  for (int cycle = 0; cycle < 2000; ++cycle) {
    const bool wake = random.Chance(0.3);
    dut.Get("wake_i").Set(wake ? 1 : 0);
    dut.Tick();
    ASSERT_EQ(dut.Get("clk_o").Get() != 0, wake || before) << "cycle " << cycle;
    edges += wake || before ? 1 : 0;
    before = wake;
  }
  EXPECT_GT(edges, 500);
  EXPECT_LT(edges, 1500);
}

TEST(ClockGate, DoesNotGlitchWhileTheClockIsHigh) {
  cosim::Dut dut = Build({EmitClockGate()});
  cosim::Port clock = dut.Get("clk_i");
  cosim::Port enable = dut.Get("enable_i");
  clock.Set(1);
  dut.Eval();
  for (const uint64_t enabled : {0U, 1U}) {
    clock.Set(0);
    enable.Set(enabled);
    dut.Eval();
    EXPECT_EQ(dut.Get("clk_o").Get(), 0U) << "low with the clock";
    clock.Set(1);
    dut.Eval();
    EXPECT_EQ(dut.Get("clk_o").Get(), enabled);
    enable.Set(1 - enabled);
    dut.Eval();
    EXPECT_EQ(dut.Get("clk_o").Get(), enabled) << "changes in the middle of the pulse";
  }
}

constexpr int kLanes = 3;
constexpr int kLaneBits = 5;
constexpr int kDepth = 11;

class Sram : public testing::TestWithParam<const char*> {
 protected:
  // Every word is known before anything is read.
  Sram() : memory_(kDepth, 0) {}

  Parameters parameters() const {
    return {{"Depth", std::to_string(kDepth)},
            {"Lanes", std::to_string(kLanes)},
            {"LaneW", std::to_string(kLaneBits)},
            {"Backend", GetParam()}};
  }
  void Write(uint64_t address, uint64_t enables, uint64_t data) {
    for (int lane = 0; lane < kLanes; ++lane) {
      const uint64_t mask = ((uint64_t{1} << kLaneBits) - 1) << (lane * kLaneBits);
      uint64_t& word = memory_[address];
      if ((enables >> lane) & 1U) word = (word & ~mask) | (data & mask);
    }
  }

  std::vector<uint64_t> memory_;
  cosim::Random random_{3};
};

TEST_P(Sram, TwoPortsReadTheOldWordAndHoldIt) {
  cosim::Dut dut = Build({EmitSram1r1w(), EmitSram1r1wMacro()}, parameters());
  uint64_t expected = 0;
  for (uint64_t cycle = 0; cycle < 3000; ++cycle) {
    const bool fill = cycle < kDepth;
    const bool first_read = cycle == kDepth;
    const uint64_t wr_address = fill ? cycle : random_.Below(kDepth);
    const uint64_t enables = fill ? (1U << kLanes) - 1 : random_.Below(1U << kLanes);
    const uint64_t data = random_.Below(uint64_t{1} << (kLanes * kLaneBits));
    const bool read = first_read || (!fill && random_.Chance(0.6));
    const uint64_t rd_address = random_.Chance(0.3) ? wr_address : random_.Below(kDepth);
    dut.Get("wr_en_i").Set(enables);
    dut.Get("wr_addr_i").Set(wr_address);
    dut.Get("wr_data_i").Set(data);
    dut.Get("rd_en_i").Set(read);
    dut.Get("rd_addr_i").Set(rd_address);
    if (read) expected = memory_[rd_address];
    Write(wr_address, enables, data);
    dut.Tick();
    if (!fill) {
      ASSERT_EQ(dut.Get("rd_data_o").Get(), expected) << "cycle " << cycle;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, Sram, testing::Values("0", "1"));

struct ShiftShape {
  int in_bits, out_bits, shift_bits, max_left;
};

class RoundShift : public testing::TestWithParam<ShiftShape> {};

// For operands of at most 40 bits the sum is exact in double up to a shift of 52; beyond that it is
// so near to 0.5 that its rounding cannot reach an integer.
int64_t Expected(int64_t x, int shift, int out_bits) {
  const double y = shift > 0 ? std::floor(std::ldexp(static_cast<double>(x), -shift) + 0.5)
                             : std::ldexp(static_cast<double>(x), -shift);
  const double limit = std::ldexp(1.0, out_bits - 1);
  return static_cast<int64_t>(std::clamp(y, -limit, limit - 1));
}

TEST_P(RoundShift, RoundsHalfUpAndSaturates) {
  const ShiftShape shape = GetParam();
  cosim::Dut dut = Build({EmitRoundShift()}, {{"InW", std::to_string(shape.in_bits)},
                                              {"OutW", std::to_string(shape.out_bits)},
                                              {"ShiftW", std::to_string(shape.shift_bits)},
                                              {"MaxLeft", std::to_string(shape.max_left)}});
  cosim::Random random(1);
  const int64_t limit = int64_t{1} << (shape.in_bits - 1);
  const int last_shift = (1 << (shape.shift_bits - 1)) - 1;
  for (int shift = -shape.max_left; shift <= last_shift; ++shift) {
    std::vector<int64_t> operands = {-limit, -limit + 1, -1, 0, 1, limit - 1};
    if (shape.in_bits <= 8) {
      for (int64_t x = -limit; x < limit; ++x) operands.push_back(x);
    }
    for (int i = 0; i < 300; ++i) {
      const int bits = random.Between(1, shape.in_bits - 1);
      const auto magnitude = static_cast<int64_t>(random.Below(uint64_t{1} << bits));
      operands.push_back(random.Chance(0.5) ? magnitude : -magnitude);
    }
    // Ties and their neighbours.
    for (int64_t tie = shift > 0 ? int64_t{1} << std::min(shift - 1, 40) : limit; tie + 1 < limit;
         tie = 3 * tie) {
      for (const int64_t x : {tie - 1, tie, tie + 1, -tie - 1, -tie, -tie + 1}) {
        operands.push_back(x);
      }
    }
    dut.Get("shift_i").SetSigned(shift);
    for (const int64_t x : operands) {
      dut.Get("x_i").SetSigned(x);
      dut.Get("en_i").Set(1);
      dut.Tick();
      // Without enable the result stays.
      dut.Get("x_i").SetSigned(x ^ 1);
      dut.Get("en_i").Set(0);
      dut.Tick();
      ASSERT_EQ(dut.Get("y_o").GetSigned(), Expected(x, shift, shape.out_bits))
          << "x " << x << ", shift " << shift;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, RoundShift,
                         testing::Values(ShiftShape{8, 6, 5, 4}, ShiftShape{8, 12, 5, 16},
                                         ShiftShape{13, 26, 6, 12}, ShiftShape{40, 26, 8, 16},
                                         ShiftShape{26, 16, 7, 0}));

}  // namespace
}  // namespace edgebert::gen
