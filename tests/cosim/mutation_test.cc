// Ten bugs, seeded one at a time into the Verilog on its way into Verilator: each must turn the
// unit's own test red, and the co-simulation of whole sentences must find it too.
//
// A script named `verilator`, first in PATH, edits one module in the folder it is called in and
// hands over to the real Verilator. The control replaces the text by itself, everything else alike,
// and must be green.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"
#include "tests/support/tool_runner.h"

namespace edgebert {
namespace {

namespace fs = std::filesystem;

constexpr int kUnitSeconds = 120;
constexpr int kSystemSeconds = 300;

/// A random model on a preset.
struct Workload {
  const char* preset = "tiny";
  const char* seed = "5";
};

struct Mutation {
  const char* name;
  const char* module;
  const char* good;  ///< stands exactly once in the module
  const char* bad;
  const char* program;  ///< the unit's test
  const char* test;     ///< that must fail
  const char* report;   ///< regular expression: what the co-simulation must name
  Workload workload = {};
};

void PrintTo(const Mutation& mutation, std::ostream* out) { *out << mutation.name; }

constexpr const char* kMatmul =
    "(projection|query|key|value|scores|context|output|ffn|pooler|classifier) \\(op";

const std::vector<Mutation> kMutations = {
    {.name = "multiplier_sign_of_two_negatives",
     .module = "eb_af_multiplier",
     .good = "a_i[CodeW] ^ b_i[CodeW]",
     .bad = "a_i[CodeW] | b_i[CodeW]",
     .program = "af_multiplier_cosim_test",
     .test = "Formats/AfMultiplier.EveryPairIsExact/W6E2",
     .report = kMatmul},
    // Not on 4 lanes: there, the code that is lost is the 16th of a tile whose first rows hold 3,
    // which has 15 at most, and a row of the ReRAM has 12.
    {.name = "decoder_takes_a_word_too_many",
     .module = "eb_bitmask_decoder",
     .good = "kept <= Lanes[COUNT_W-1:0]",
     .bad = "kept <= Lanes[COUNT_W-1:0] + 1'b1",
     .program = "weight_stream_cosim_test",
     .test = "Shapes/WeightStream.GivesWhatWasPacked/N8Axi64W8",
     .report = kMatmul,
     .workload = {.preset = "tiny_n8", .seed = "9"}},
    {.name = "accumulator_releases_the_other_bank",
     .module = "eb_accumulator",
     .good = "{release_i & read_bank_i, release_i & ~read_bank_i}",
     .bad = "{release_i & ~read_bank_i, release_i & read_bank_i}",
     .program = "accumulator_cosim_test",
     .test = "Shapes/Accumulator.SumsDrainsAndSaturates/N4Acc40",
     .report = kMatmul},
    {.name = "post_processor_stops_with_its_last_vector",
     .module = "eb_matmul",
     .good = "post_valid_q || post_busy",
     .bad = "post_valid_q || (post_busy && clear_i)",
     .program = "matmul_cosim_test",
     .test = "Shapes/Matmul.RandomOperations/N4W8E3Acc40P2",
     .report = kMatmul},
    {.name = "rounding_of_ties_away_from_zero",
     .module = "eb_af_encoder",
     .good = "guard & (sticky | man_floor[0])",
     .bad = "guard & (sticky | guard)",
     .program = "functions_cosim_test",
     .test = "Formats/FormatTest.EncodesAsGolden/0",
     .report = "embedding \\(op"},
    {.name = "softmax_maximum_over_hidden_keys",
     .module = "eb_softmax",
     .good = "(|mask[MASK_W*lane+:MASK_W])",
     .bad = "1'b1",
     .program = "softmax_cosim_test",
     .test = "Shapes/SoftmaxTest.EqualsGolden/0",
     .report = "softmax \\(op"},
    {.name = "span_mask_shows_the_key_after_the_last",
     .module = "eb_span_mask",
     .good = "(left_q4 <= $signed(",
     .bad = "(left_q4 < $signed(",
     .program = "functions_cosim_test",
     .test = "Functions.SpanMaskOfEveryRowAndTile",
     .report = "softmax \\(op"},
    {.name = "layer_norm_takes_the_root_of_the_row_before",
     .module = "eb_layer_norm",
     .good = ".en_i(|stat_valid_q[5:3])",
     .bad = ".en_i(stat_valid_q[5])",
     .program = "layer_norm_cosim_test",
     .test = "Shapes/LayerNormTest.EqualsGolden/0",
     .report = "norm \\(op"},
    {.name = "exit_at_the_threshold_itself",
     .module = "eb_exit",
     .good = "{12'd0, entropy_o} < threshold_i",
     .bad = "{12'd0, entropy_o} <= threshold_i",
     .program = "exit_cosim_test",
     .test = "Shapes/ExitTest.EqualsGolden/0",
     .report = "exit \\(op"},
    {.name = "reram_fetches_a_word_without_need",
     .module = "eb_reram_ctrl",
     .good = "(debt_q > 0)",
     .bad = "(debt_q >= 0)",
     .program = "reram_ctrl_cosim_test",
     .test = "Shapes/ReramCtrl.ReadsNoWordTwiceNorInVain/N8W5Word64",
     .report = "embedding \\(op"},
    {.name = "axi_burst_crosses_a_page",
     .module = "eb_axi_reader",
     .good = "PAGE_BEATS = 4096 * 8 / AxiDataW",
     .bad = "PAGE_BEATS = 8192 * 8 / AxiDataW",
     .program = "axi_reader_cosim_test",
     .test = "Shapes/AxiReader.DeliversEveryBeatInOrder/axi64",
     .report = "burst-4k"},
};

constexpr const char* kScript = R"(#!/bin/sh
# Seeds MUTATION_BAD for MUTATION_GOOD into the module of the design here, then runs Verilator.
PATH="${PATH#*:}"
if [ "$1" != --version ]; then
  file=$(find rtl -name "$MUTATION_MODULE.v")
  awk '
    { at = index($0, ENVIRON["MUTATION_GOOD"])
      if (at > 0) {
        length_good = length(ENVIRON["MUTATION_GOOD"])
        rest = substr($0, at + length_good)
        seeds += index(rest, ENVIRON["MUTATION_GOOD"]) > 0 ? 2 : 1
        $0 = substr($0, 1, at - 1) ENVIRON["MUTATION_BAD"] rest
      }
      print
    }
    END { exit seeds != 1 }' "$file" > "$MUTATION_MARKER.v" || {
    echo "not seeded: '$MUTATION_GOOD' does not stand exactly once in '$file'" >&2
    exit 97
  }
  cp "$MUTATION_MARKER.v" "$file" && : > "$MUTATION_MARKER" || exit 97
fi
exec verilator "$@"
)";

/// Runs programs whose designs have, or as a control have not, the bug.
class Seeded {
 public:
  Seeded(const Mutation& mutation, bool control) {
    fs::create_directory(folder_.File("bin"));
    fs::permissions(folder_.Write("bin/verilator", kScript), fs::perms::owner_all);
    const char* path = std::getenv("PATH");
    command_ = {"env",
                "PATH=" + folder_.File("bin") + ":" + (path != nullptr ? path : ""),
                "EDGEBERT_CACHE=" + folder_.File("cache"),
                "MUTATION_MARKER=" + folder_.File("seeded"),
                std::string("MUTATION_MODULE=") + mutation.module,
                std::string("MUTATION_GOOD=") + mutation.good,
                std::string("MUTATION_BAD=") + (control ? mutation.good : mutation.bad)};
  }

  /// Fails the test unless the design was verilated with the replacement, and ended in time.
  test::ToolResult Run(std::vector<std::string> arguments, int seconds) const {
    arguments.insert(arguments.begin(), command_.begin(), command_.end());
    test::ToolResult result = test::RunTool(arguments, folder_.path(), seconds);
    EXPECT_FALSE(result.timed_out) << result.output;
    EXPECT_TRUE(fs::exists(folder_.File("seeded"))) << "not seeded\n" << result.output;
    static const std::regex kRefused("(verilating|compiling|linking) \\w+ failed");
    EXPECT_FALSE(std::regex_search(result.output, kRefused)) << result.output;
    return result;
  }

  [[nodiscard]] std::string File(const std::string& name) const { return folder_.File(name); }

 private:
  TemporaryFolder folder_;
  std::vector<std::string> command_;
};

std::string Name(const testing::TestParamInfo<Mutation>& info) { return info.param.name; }

// ---- The unit's own test ------------------------------------------------------------------------

class UnitMutation : public testing::TestWithParam<Mutation> {
 protected:
  static test::ToolResult Run(bool control) {
    const Mutation& mutation = GetParam();
    return Seeded(mutation, control)
        .Run({std::string(EDGEBERT_UNIT_TESTS "/") + mutation.program,
              std::string("--gtest_color=no"), std::string("--gtest_filter=") + mutation.test},
             kUnitSeconds);
  }
};

TEST_P(UnitMutation, IsCaught) {
  const test::ToolResult result = Run(/*control=*/false);
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_THAT(result.output, testing::HasSubstr(std::string("[  FAILED  ] ") + GetParam().test));
  EXPECT_THAT(result.output, testing::HasSubstr("_cosim_test.cc")) << "no assertion failed";
}

TEST_P(UnitMutation, ControlIsGreen) {
  const test::ToolResult result = Run(/*control=*/true);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, testing::HasSubstr(std::string("[       OK ] ") + GetParam().test));
}

INSTANTIATE_TEST_SUITE_P(Mutations, UnitMutation, testing::ValuesIn(kMutations), Name);

// ---- Whole sentences ----------------------------------------------------------------------------

/// The default model has two layers and heads, spans and two pages of weights. The threshold is the
/// entropy of the first off-ramp of its first sentence, which decides about `<`.
class SystemMutation : public testing::TestWithParam<Mutation> {
 protected:
  static void SetUpTestSuite() {
    const Seeded control(kMutations.front(), /*control=*/true);
    const std::string json = control.File("json");
    const test::ToolResult result =
        control.Run(Command({}, {"--threshold", "0", "--json", json}), kSystemSeconds);
    ASSERT_EQ(result.exit_code, 0) << result.output;
    std::ifstream file(json);
    const auto entropy = nlohmann::json::parse(file)["sentences"][0]["entropy"];
    ASSERT_EQ(entropy.size(), 2U) << "layers";
    threshold_ = entropy[0].dump();
  }

  static std::vector<std::string> Command(const Workload& workload,
                                          const std::vector<std::string>& more) {
    std::vector<std::string> command = {
        EDGEBERT_COSIM,
        "--config",
        std::string(EDGEBERT_CONFIGS "/") + workload.preset + ".cfg",
        "--random-model",
        workload.seed,
        "--limit",
        "4",
        "--no-replay"};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }

  static test::ToolResult Run(bool control) {
    return Seeded(GetParam(), control)
        .Run(Command(GetParam().workload, {"--threshold", threshold_}), kSystemSeconds);
  }

  inline static std::string threshold_;
};

TEST_P(SystemMutation, IsReported) {
  const test::ToolResult result = Run(/*control=*/false);
  EXPECT_EQ(result.exit_code, 1) << result.output;
  const size_t begin = result.output.find("first divergence");
  ASSERT_NE(begin, std::string::npos) << result.output;
  const std::string report = result.output.substr(begin);
  std::cout << report;
  EXPECT_TRUE(std::regex_search(report, std::regex(GetParam().report))) << GetParam().report;
}

TEST_P(SystemMutation, ControlIsExact) {
  const test::ToolResult result = Run(/*control=*/true);
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

INSTANTIATE_TEST_SUITE_P(Mutations, SystemMutation, testing::ValuesIn(kMutations), Name);

}  // namespace
}  // namespace edgebert
