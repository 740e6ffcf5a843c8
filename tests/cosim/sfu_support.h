// What the tests of the special function units share: the ports of RTL command, memory and stream
// clients, with random stalls.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "cosim/sim/bench.h"
#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "golden/spec/isa.h"
#include "tests/cosim/datapath_support.h"

namespace edgebert::test {

using Parameters = std::vector<std::pair<std::string, std::string>>;

inline cosim::Dut BuildUnit(std::initializer_list<vlog::Module> modules, const std::string& top,
                            const Parameters& parameters) {
  auto dut = cosim::Dut::Build({.files = Files(modules),
                                .top = top,
                                .parameters = parameters,
                                .optimize = cosim::Optimize::kQuick,
                                .unknowns = cosim::Unknowns::kRandom});
  EB_CHECK(dut.ok(), "{}", dut.error().Format());
  return std::move(dut).value();
}

/// The write client of activation memory: takes writes with random refusals.
class WriteMemory : public cosim::Agent {
 public:
  struct Write {
    uint32_t address;
    std::vector<uint8_t> codes;
  };
  WriteMemory(cosim::Dut& dut, int code_bits, double stall, uint64_t seed)
      : dut_(dut), code_bits_(code_bits), stall_(stall), random_(seed) {}
  void Drive(uint64_t) override { dut_.Get("wr_ready_i").Set(random_.Chance(stall_) ? 0 : 1); }
  void Sample(uint64_t) override {
    if (dut_.Get("wr_valid_o").Get() != 0 && dut_.Get("wr_ready_i").Get() != 0) {
      writes.push_back({static_cast<uint32_t>(dut_.Get("wr_addr_o").Get()),
                        dut_.Get("wr_data_o").GetLanes<uint8_t>(code_bits_)});
    }
  }
  std::vector<Write> writes;

 private:
  cosim::Dut& dut_;
  int code_bits_;
  double stall_;
  cosim::Random random_;
};

/// Issues one command to an idle unit; with `clear`, it is dropped in the same cycle.
inline void IssueCommand(cosim::Bench& bench, const spec::Instruction& instruction,
                         bool clear = false) {
  cosim::Dut& dut = bench.dut();
  dut.Get("cmd_i").SetWide(instruction.words);
  dut.Get("cmd_valid_i").Set(1);
  if (clear) dut.Get("clear_i").Set(1);
  dut.Eval();
  EXPECT_EQ(dut.Get("cmd_ready_o").Get(), 1U) << "an idle unit must take a command";
  bench.Cycle();
  dut.Get("cmd_valid_i").Set(0);
  dut.Get("cmd_i").Clear();
  if (clear) dut.Get("clear_i").Set(0);
  dut.Eval();
  EXPECT_EQ(dut.Get("busy_o").Get(), clear ? 0U : 1U);
}

/// Issues one command and runs until the unit is idle again.
inline bool RunCommand(cosim::Bench& bench, const spec::Instruction& instruction, uint64_t limit) {
  IssueCommand(bench, instruction);
  cosim::Dut& dut = bench.dut();
  return bench.RunUntil(
      [&] {
        dut.Eval();
        return dut.Get("busy_o").Get() == 0;
      },
      limit);
}

/// Issues one command and drops it `cycles` later with a cycle of clear_i; the unit must be idle at
/// once. False when the command ended before.
inline bool AbortCommand(cosim::Bench& bench, const spec::Instruction& instruction,
                         uint64_t cycles) {
  IssueCommand(bench, instruction, /*clear=*/cycles == 0);
  if (cycles == 0) return true;
  cosim::Dut& dut = bench.dut();
  for (uint64_t cycle = 1; cycle < cycles && dut.Get("busy_o").Get() != 0; ++cycle) {
    bench.Cycle();
    dut.Eval();
  }
  if (dut.Get("busy_o").Get() == 0) return false;
  dut.Get("clear_i").Set(1);
  bench.Cycle();
  dut.Get("clear_i").Set(0);
  dut.Eval();
  EXPECT_EQ(dut.Get("busy_o").Get(), 0U) << "clear_i must end the command";
  return true;
}

}  // namespace edgebert::test
