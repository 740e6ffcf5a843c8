// The bus units and the sequencer over their parameters, by the three tools.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "generator/blocks/counter.h"
#include "generator/blocks/sram.h"
#include "generator/units/axi_reader.h"
#include "generator/units/axi_writer.h"
#include "generator/units/program_memory.h"
#include "generator/units/registers.h"
#include "generator/units/result_writer.h"
#include "generator/units/segment_address.h"
#include "generator/units/sequencer.h"
#include "generator/units/token_memory.h"
#include "tests/support/lint.h"

namespace edgebert::gen {
namespace {

using test::LintsClean;

struct Bus {
  const char* address;
  const char* data;
};
constexpr Bus kBuses[] = {{"32", "32"}, {"33", "64"}, {"40", "128"}, {"64", "256"}};

TEST(AxiReader, LintsClean) {
  const std::vector<vlog::Module> modules = {EmitAxiReader(), EmitSram1r1w(), EmitSram1r1wMacro()};
  EXPECT_TRUE(LintsClean(modules, "eb_axi_reader"));
  for (const Bus& bus : kBuses) {
    for (const auto& [burst, outstanding, depth] :
         {std::array{"1", "1", "4"}, std::array{"5", "3", "11"}, std::array{"256", "16", "4096"}}) {
      EXPECT_TRUE(LintsClean(modules, "eb_axi_reader",
                             {{"AxiAddrW", bus.address},
                              {"AxiDataW", bus.data},
                              {"MaxBurst", burst},
                              {"Outstanding", outstanding},
                              {"FifoDepth", depth}}));
    }
  }
}

TEST(AxiWriter, LintsClean) {
  for (const Bus& bus : kBuses) {
    for (const char* outstanding : {"1", "16"}) {
      EXPECT_TRUE(LintsClean({EmitAxiWriter()}, "eb_axi_writer",
                             {{"AxiAddrW", bus.address},
                              {"AxiDataW", bus.data},
                              {"AxiIdW", "7"},
                              {"Outstanding", outstanding}}));
    }
  }
}

TEST(Registers, LintsClean) {
  EXPECT_TRUE(LintsClean({EmitRegisters(), EmitCounter()}, "eb_registers"));
  EXPECT_TRUE(LintsClean({EmitRegisters(), EmitCounter()}, "eb_registers",
                         {{"ConfigHash", "32'hffffffff"},
                          {"Lanes", "32"},
                          {"MaxRows", "512"},
                          {"MaxClasses", "256"},
                          {"NonzeroW", "6"}}));
}

TEST(Sequencer, LintsClean) {
  const std::vector<vlog::Module> modules = {
      EmitSequencer(),    EmitProgramMemory(), EmitTokenMemory(),  EmitSegmentAddress(),
      EmitResultWriter(), EmitSram1r1w(),      EmitSram1r1wMacro()};
  EXPECT_TRUE(LintsClean(modules, "eb_sequencer"));
  for (const Bus& bus : kBuses) {
    for (const auto& [rows, depth, backend] :
         {std::array{"2", "16", "0"}, std::array{"37", "48", "2"},
          std::array{"512", "65536", "0"}}) {
      EXPECT_TRUE(LintsClean(modules, "eb_sequencer",
                             {{"AxiAddrW", bus.address},
                              {"AxiDataW", bus.data},
                              {"MaxRows", rows},
                              {"ProgramDepth", depth},
                              {"Backend", backend}}));
    }
  }
}

}  // namespace
}  // namespace edgebert::gen
