// Activation memory against an array: priorities, masks, and lanes that are not written.

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/blocks/sram.h"
#include "generator/units/activation_memory.h"
#include "generator/units/bitmask_encoder.h"
#include "tests/cosim/datapath_support.h"
#include "tests/support/lint.h"

namespace edgebert {
namespace {

constexpr int kClients = 4;
constexpr int kAddressBits = 20;

struct Shape {
  int lanes, code_bits, depth, backend;
};

class ActivationMemory : public testing::TestWithParam<Shape> {};

TEST_P(ActivationMemory, ServesTheFirstClientAndMasksZeros) {
  const Shape shape = GetParam();
  cosim::BuildOptions options{
      .files = test::Files({gen::EmitActivationMemory(), gen::EmitBitmaskEncoder(),
                            gen::EmitSram1r1w(), gen::EmitSram1r1wMacro()}),
      .top = "eb_activation_memory",
      .parameters = {{"Lanes", std::to_string(shape.lanes)},
                     {"CodeW", std::to_string(shape.code_bits)},
                     {"Depth", std::to_string(shape.depth)},
                     {"Backend", std::to_string(shape.backend)}},
      .optimize = cosim::Optimize::kQuick,
      .unknowns = cosim::Unknowns::kRandom};
  if (shape.backend == 0) options.public_signals = {{"eb_sram_1r1w", "mem"}};
  auto dut = cosim::Dut::Build(options);
  ASSERT_TRUE(dut.ok()) << dut.error().Format();
  cosim::Random random(static_cast<uint64_t>(shape.depth));
  const auto lanes = static_cast<size_t>(shape.lanes);

  using Vector = std::vector<unsigned>;
  std::map<uint64_t, Vector> contents;  // as read: zeros are zeros
  std::map<uint64_t, Vector> cells;     // as stored: the last non-zero code of each lane
  for (int cycle = 0; cycle < 5000; ++cycle) {
    uint64_t rd_valid = 0;
    uint64_t wr_valid = 0;
    std::optional<uint64_t> read_address;
    std::optional<uint64_t> write_address;
    Vector written;
    for (int client = 0; client < kClients; ++client) {
      const uint64_t rd_address = random.Below(static_cast<uint64_t>(shape.depth));
      const uint64_t wr_address = random.Below(static_cast<uint64_t>(shape.depth));
      Vector data(lanes);
      for (unsigned& code : data) {
        const auto any = static_cast<unsigned>(random.Below(uint64_t{1} << shape.code_bits));
        const unsigned magnitude = any & ((1U << (shape.code_bits - 1)) - 1);
        code = magnitude == 0 || random.Chance(0.4) ? 0 : any;
      }
      dut->Get("rd_addr_i").SetLane(client, kAddressBits, static_cast<int64_t>(rd_address));
      dut->Get("wr_addr_i").SetLane(client, kAddressBits, static_cast<int64_t>(wr_address));
      for (size_t j = 0; j < lanes; ++j) {
        dut->Get("wr_data_i").SetLane(client * shape.lanes + static_cast<int>(j), shape.code_bits,
                                      data[j]);
      }
      if (contents.count(rd_address) != 0 && random.Chance(0.4)) {
        rd_valid |= 1U << client;
        if (!read_address) read_address = rd_address;
      }
      if (random.Chance(0.3)) {
        wr_valid |= 1U << client;
        if (!write_address) {
          write_address = wr_address;
          written = data;
        }
      }
    }
    dut->Get("rd_valid_i").Set(rd_valid);
    dut->Get("wr_valid_i").Set(wr_valid);
    dut->Eval();
    // Exactly the first client that asks is served.
    ASSERT_EQ(dut->Get("rd_ready_o").Get() & rd_valid, rd_valid & -rd_valid);
    ASSERT_EQ(dut->Get("wr_ready_o").Get() & wr_valid, wr_valid & -wr_valid);
    ASSERT_EQ(dut->Get("read_o").Get(), read_address ? 1U : 0U);
    ASSERT_EQ(dut->Get("write_o").Get(), write_address ? 1U : 0U);
    dut->Tick();
    if (read_address) {
      const Vector& expected = contents[*read_address];
      ASSERT_EQ(dut->Get("rd_data_o").GetLanes<unsigned>(shape.code_bits), expected);
      for (size_t j = 0; j < lanes; ++j) {
        ASSERT_EQ(dut->Get("rd_mask_o").GetLane(static_cast<int>(j), 1), expected[j] != 0 ? 1U : 0U);
      }
    }
    if (write_address) {
      Vector& cell = cells.try_emplace(*write_address, lanes, 0).first->second;
      for (size_t j = 0; j < lanes; ++j) {
        if (written[j] != 0) cell[j] = written[j];
      }
      contents[*write_address] = written;
    }
  }
  if (shape.backend != 0) return;
  const cosim::Memory codes = dut->GetMemory("u_codes.g_array.mem");
  for (const auto& [address, cell] : cells) {
    for (size_t j = 0; j < lanes; ++j) {
      if (cell[j] == 0) continue;
      ASSERT_EQ(codes[address].GetLane(static_cast<int>(j), shape.code_bits), cell[j])
          << "a zero was written to address " << address << ", lane " << j;
    }
  }
}

// Minus zero is zero.
TEST(BitmaskEncoder, EveryCode) {
  auto dut = cosim::Dut::Build({.files = test::Files({gen::EmitBitmaskEncoder()}),
                                .top = "eb_bitmask_encoder",
                                .parameters = {{"Lanes", "4"}, {"CodeW", "8"}},
                                .optimize = cosim::Optimize::kQuick});
  ASSERT_TRUE(dut.ok()) << dut.error().Format();
  for (unsigned code = 0; code < 256; ++code) {
    for (int lane = 0; lane < 4; ++lane) {
      dut->Get("codes_i").SetLane(lane, 8, (code + 64 * static_cast<unsigned>(lane)) % 256);
    }
    dut->Eval();
    for (int lane = 0; lane < 4; ++lane) {
      const unsigned value = (code + 64 * static_cast<unsigned>(lane)) % 256;
      EXPECT_EQ(dut->Get("mask_o").GetLane(lane, 1) != 0, test::RealValue(value, {8, 3}) != 0);
    }
  }
}

TEST(ActivationMemoryText, LintsClean) {
  for (const test::Parameters& parameters : std::vector<test::Parameters>{
           {{"Lanes", "4"}, {"Depth", "77"}},
           {{"Lanes", "16"}, {"CodeW", "5"}, {"Backend", "2"}}}) {
    EXPECT_TRUE(test::LintsClean({gen::EmitActivationMemory(), gen::EmitBitmaskEncoder(), gen::EmitSram1r1w(), gen::EmitSram1r1wMacro()}, "eb_activation_memory", parameters));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ActivationMemory,
                         testing::Values(Shape{4, 8, 40, 0}, Shape{8, 5, 16, 1},
                                         Shape{16, 8, 100, 0}),
                         [](const auto& info) {
                           return "N" + std::to_string(info.param.lanes) + "W" +
                                  std::to_string(info.param.code_bits);
                         });

}  // namespace
}  // namespace edgebert
