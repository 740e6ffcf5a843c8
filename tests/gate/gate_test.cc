// Tests of the RTL on what Yosys makes of it: gates.sh stands in front of the simulator and passes
// the netlist on, so the units' own tests run on gates as they are, and so does a sentence on the
// whole of `tiny`: that one in Icarus, because the C++ that Verilator makes of 204,000 cells is too
// large to compile, and with random values in all registers and memories before reset.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"
#include "tests/support/tool_runner.h"

namespace edgebert {
namespace {

namespace fs = std::filesystem;

struct Case {
  const char* name;
  const char* program;
  const char* test;
  int least_cells;  ///< a netlist of fewer is not that of the design

  friend std::ostream& operator<<(std::ostream& out, const Case& one) { return out << one.name; }
};

/// Runs programs whose designs are gates.
class Gates : public testing::TestWithParam<Case> {
 protected:
  Gates() {
    fs::create_directory(folder_.File("bin"));
    for (const char* simulator : {"bin/verilator", "bin/iverilog"}) {
      fs::copy_file(EDGEBERT_GATES, folder_.File(simulator));
    }
  }

  test::ToolResult Run(const std::string& bug) {
    const char* path = std::getenv("PATH");
    test::ToolResult result = test::RunTool(
        {"env", "PATH=" + folder_.File("bin") + ":" + (path != nullptr ? path : ""),
         "EDGEBERT_CACHE=" + folder_.File("cache"), "GATES_MARKER=" + folder_.File("cells"),
         "GATES_SYNTH=" EDGEBERT_SYNTH, "GATES_BUG=" + bug,
         std::string(EDGEBERT_COSIM_TESTS "/") + GetParam().program, "--gtest_color=no",
         std::string("--gtest_filter=") + GetParam().test},
        folder_.path(), kSeconds);
    EXPECT_FALSE(result.timed_out) << result.output;
    int cells = 0;
    std::ifstream(folder_.File("cells")) >> cells;
    EXPECT_GE(cells, GetParam().least_cells) << result.output;
    return result;
  }

 private:
  static constexpr int kSeconds = 3400;
  TemporaryFolder folder_;
};

TEST_P(Gates, DoTheSame) {
  const test::ToolResult result = Run("");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, testing::HasSubstr(std::string("[       OK ] ") + GetParam().test));
}

TEST_P(Gates, ThatAreOthersAreSeen) {
  const test::ToolResult result = Run("XOR2X1=XNOR2X1");
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_THAT(result.output, testing::HasSubstr(std::string("[  FAILED  ] ") + GetParam().test));
}

std::string Name(const testing::TestParamInfo<Case>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Quick, Gates,
                         testing::Values(Case{"af_multiplier", "af_multiplier_cosim_test",
                                              "Formats/AfMultiplier.EveryPairIsExact/W8E3", 200},
                                         Case{"axi_writer", "axi_writer_cosim_test",
                                              "Widths/AxiWriter.WritesWordsAndNothingElse/1", 200}),
                         Name);
INSTANTIATE_TEST_SUITE_P(
    Slow, Gates,
    testing::Values(Case{"accumulator", "accumulator_cosim_test",
                         "Shapes/Accumulator.SumsDrainsAndSaturates/N4Acc40", 1000},
                    Case{"exit", "exit_cosim_test", "Shapes/ExitTest.EqualsGolden/0", 10'000}),
    Name);
INSTANTIATE_TEST_SUITE_P(Sentence, Gates,
                         testing::Values(Case{"tiny", "icarus_sentence_test",
                                              "ShortIcarusSentence.AgreesWithTheGoldenMachine",
                                              100'000}),
                         Name);

}  // namespace
}  // namespace edgebert
