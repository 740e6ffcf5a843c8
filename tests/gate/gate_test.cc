// Tests of the RTL on what Yosys makes of it: gates.sh stands in front of Verilator and passes the
// netlist on, so the units' own tests run on gates as they are. (The whole of eb_top, 204,000 cells
// of `tiny`, goes through as well, but the C++ that Verilator makes of it is too large to compile.)
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
    fs::copy_file(EDGEBERT_GATES, folder_.File("bin/verilator"));
  }

  test::ToolResult Run(const std::string& bug) {
    const char* path = std::getenv("PATH");
    test::ToolResult result = test::RunTool(
        {"env", "PATH=" + folder_.File("bin") + ":" + (path != nullptr ? path : ""),
         "EDGEBERT_CACHE=" + folder_.File("cache"), "GATES_MARKER=" + folder_.File("cells"),
         "GATES_BUG=" + bug, std::string(EDGEBERT_COSIM_TESTS "/") + GetParam().program,
         "--gtest_color=no", std::string("--gtest_filter=") + GetParam().test},
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

}  // namespace
}  // namespace edgebert
