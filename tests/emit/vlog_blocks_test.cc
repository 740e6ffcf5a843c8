// Every block is accepted silently by the three tools, over its parameters.
#include <gtest/gtest.h>

#include "generator/blocks/clock_gate.h"
#include "generator/blocks/fifo.h"
#include "generator/blocks/reset_sync.h"
#include "generator/blocks/round_shift.h"
#include "generator/blocks/sram.h"
#include "tests/support/lint.h"

namespace edgebert::gen {
namespace {

using test::LintsClean;

TEST(Fifo, LintsClean) {
  EXPECT_TRUE(LintsClean({EmitFifo()}, "eb_fifo"));
  for (const char* depth : {"1", "2", "3", "8", "13"}) {
    EXPECT_TRUE(LintsClean({EmitFifo()}, "eb_fifo", {{"Width", "33"}, {"Depth", depth}}));
  }
  EXPECT_TRUE(LintsClean({EmitFifo()}, "eb_fifo", {{"Width", "1"}}));
}

TEST(UnitClock, LintsClean) {
  EXPECT_TRUE(LintsClean({EmitUnitClock(), EmitClockGate()}, "eb_unit_clock"));
}

TEST(ResetSync, LintsClean) { EXPECT_TRUE(LintsClean({EmitResetSync()}, "eb_reset_sync")); }

TEST(RoundShift, LintsClean) {
  EXPECT_TRUE(LintsClean({EmitRoundShift()}, "eb_round_shift"));
  EXPECT_TRUE(LintsClean({EmitRoundShift()}, "eb_round_shift",
                         {{"InW", "40"}, {"OutW", "16"}, {"ShiftW", "7"}, {"MaxLeft", "0"}}));
  EXPECT_TRUE(LintsClean({EmitRoundShift()}, "eb_round_shift",
                         {{"InW", "8"}, {"OutW", "26"}, {"ShiftW", "6"}, {"MaxLeft", "4"}}));
}

TEST(Sram, LintsCleanWithEveryBackend) {
  const std::vector<vlog::Module> memories = {EmitSram1r1w(), EmitSram1r1wMacro()};
  for (const char* backend : {"0", "1", "2"}) {
    for (const char* depth : {"2", "16", "100"}) {
      EXPECT_TRUE(
          LintsClean(memories, "eb_sram_1r1w",
                     {{"Depth", depth}, {"Lanes", "4"}, {"LaneW", "8"}, {"Backend", backend}}));
    }
    EXPECT_TRUE(LintsClean(memories, "eb_sram_1r1w",
                           {{"Lanes", "1"}, {"LaneW", "37"}, {"Backend", backend}}));
  }
}

}  // namespace
}  // namespace edgebert::gen
