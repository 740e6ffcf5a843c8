// scripts/synth.sh and scripts/formats.sh. Synthesis of units that must not be slower than the
// array: a path that grows too long shows here, on the smallest accelerator, before anyone
// synthesises a large one.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"
#include "tests/support/tool_runner.h"

namespace edgebert {
namespace {

/// The multiplier and adder tree of 16 lanes at vmac.pipeline = 2, docs/results/clock.md, rounded
/// up.
constexpr double kArrayNanoseconds = 4.9;

test::ToolResult Synthesise(std::vector<std::string> arguments) {
  const std::string root = EDGEBERT_SOURCE_ROOT;
  std::vector<std::string> command = {"env", "BUILD=" EDGEBERT_BUILD_ROOT,
                                      root + "/scripts/synth.sh"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return test::RunTool(command, root, 280);
}

TEST(Synth, UnitsAreNoSlowerThanTheArray) {
  const std::vector<std::string> units = {"eb_softmax", "eb_exit", "eb_axi_reader"};
  std::vector<std::string> arguments = {"--config",
                                        EDGEBERT_SOURCE_ROOT "/generator/configs/tiny.cfg"};
  arguments.insert(arguments.end(), units.begin(), units.end());
  const test::ToolResult result = Synthesise(arguments);
  ASSERT_TRUE(result.ok()) << result.output;

  // | unit | cells | mm2 | register to register, ns | ...
  std::map<std::string, double> periods;
  std::istringstream lines(result.output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    std::string bar;
    std::string unit;
    double count = 0;
    double area = 0;
    double period = 0;
    if (cells >> bar >> unit >> bar >> count >> bar >> area >> bar >> period) {
      EXPECT_GT(count, 0) << line;
      EXPECT_GT(area, 0) << line;
      periods[unit] = period;
    }
  }
  for (const std::string& unit : units) {
    ASSERT_TRUE(periods.contains(unit)) << result.output;
    EXPECT_GT(periods[unit], 0.5) << unit;
    EXPECT_LE(periods[unit], kArrayNanoseconds) << unit;
  }
}

/// scripts/formats.sh --check on the units of `folder`.
test::ToolResult CheckFormats(const std::string& folder) {
  const std::string root = EDGEBERT_SOURCE_ROOT;
  return test::RunTool({"env", "FORMATS=" + folder, root + "/scripts/formats.sh", "--check"}, root,
                       280);
}

TEST(Formats, ComputeWhatTheyAreDefinedAs) {
  const test::ToolResult result = CheckFormats(EDGEBERT_SOURCE_ROOT "/scripts/synth/formats");
  EXPECT_TRUE(result.ok()) << result.output;
  size_t passed = 0;
  for (size_t at = result.output.find("PASS\n"); at != std::string::npos;
       at = result.output.find("PASS\n", at + 1)) {
    ++passed;
  }
  EXPECT_EQ(passed, 11U) << result.output;
}

TEST(Formats, AWrongUnitIsSeen) {
  const TemporaryFolder folder;
  const std::string copy = folder.File("formats");
  std::filesystem::copy(EDGEBERT_SOURCE_ROOT "/scripts/synth/formats", copy);
  // The first that is affected is AdaptivFloat<8,3>: its column then forgets the carry of a
  // product.
  std::ifstream in(copy + "/format_dot.v");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::string term = "+ {{(PART_W-1){1'b0}}, p3[ProdW-1]}";
  ASSERT_NE(text.find(term), std::string::npos);
  text.replace(text.find(term), term.size(), "");
  std::ofstream(copy + "/format_dot.v") << text;
  const test::ToolResult result = CheckFormats(copy);
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("FAIL af<8,3>"), std::string::npos) << result.output;
}

TEST(Synth, SaysWhatItCannotFind) {
  const test::ToolResult unit = Synthesise({"eb_nothing"});
  EXPECT_EQ(unit.exit_code, 2);
  EXPECT_NE(unit.output.find("no module 'eb_nothing'"), std::string::npos) << unit.output;
  const test::ToolResult file = Synthesise({"--liberty", "/nowhere.lib"});
  EXPECT_EQ(file.exit_code, 2);
  EXPECT_NE(file.output.find("no file '/nowhere.lib'"), std::string::npos) << file.output;
}

}  // namespace
}  // namespace edgebert
