// No unit behind eb_unit_clock needs an edge that its wake expression does not give it: beside each
// runs a twin with the same inputs and a clock that never stops, and in every cycle all their
// outputs are equal, in sentences under stalls and aborts. A term taken out of a wake expression
// makes them differ.
//
// The twins, the comparison and the switches of the terms are edited into eb_top.v. The ReRAM macro
// has no twin, for its content is programmed from outside: its clock is that of its controller,
// whose twin takes what the macro answers.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "cosim/sim/random.h"
#include "generator/emit_all.h"
#include "tests/cosim/host_rig.h"

namespace edgebert {
namespace {

constexpr uint64_t kLimit = 60'000;
constexpr double kStalls = 0.2;

struct Twins {
  cosim::VerilogFiles files;
  std::vector<std::string> units;  ///< bit by bit of differs_o
  std::vector<std::string> terms;  ///< bit by bit of asleep_i, "UNIT: TERM"
};

void Replace(std::string* text, const std::string& from, const std::string& to) {
  const size_t at = text->find(from);
  EB_CHECK(at != std::string::npos, "no '{}'", from);
  text->replace(at, from.size(), to);
}

std::vector<std::smatch> Matches(const std::string& text, const std::regex& pattern) {
  return {std::sregex_iterator(text.begin(), text.end(), pattern), std::sregex_iterator()};
}

Twins AddTwins(const spec::AcceleratorConfig& config) {
  static const std::regex kInstance(
      R"(\n  (eb_\w+) (?:#\([^;]*?\n  \) )?(u_\w+) \([^;]*?\n  \);\n)");
  static const std::regex kOutput(R"(\.(\w+_o) *\((\w[^\n]*)\)(,?)\n)");
  static const std::regex kUnitClock(R"(\(clk_(?!i\))\w+\))");
  static const std::regex kWake(R"(\.wake_i \(([^)]*(?:\[\d\][^)]*)?)\))");
  Twins twins{.files = cosim::EmitVerilog(config)};
  for (auto& [name, top] : twins.files) {
    if (!name.ends_with("/eb_top.v") && name != "eb_top.v") continue;
    const std::string emitted = top;  // what the matches below point into
    std::string added, differ;
    for (const std::smatch& instance : Matches(emitted, kInstance)) {
      std::string twin = instance[0];
      const std::string unit = instance[2].str().substr(2);
      if (instance[1] == "eb_unit_clock") {
        std::smatch wake;
        EB_CHECK(std::regex_search(twin, wake, kWake), "no wake expression in {}", twin);
        std::string expression;
        const std::regex separator(R"( \|\| )");
        const std::string terms = wake[1];
        for (std::sregex_token_iterator term(terms.begin(), terms.end(), separator, -1), end;
             term != end; ++term) {
          expression += fmt::format("{}({} && !asleep_i[{}])", expression.empty() ? "" : " || ",
                                    term->str(), twins.terms.size());
          twins.terms.push_back(unit + ": " + term->str());
        }
        Replace(&twin, wake[0], ".wake_i (" + expression + ")");
        Replace(&top, instance[0], twin);
        continue;
      }
      std::smatch clock;
      if (!std::regex_search(twin, clock, kUnitClock) || instance[1] == "eb_reram_macro") continue;
      Replace(&twin, clock[0], "(clk_i)");
      Replace(&twin, instance[2], "twin_" + unit);
      std::string equal;
      const std::string original = twin;
      for (const std::smatch& output : Matches(original, kOutput)) {
        const std::string wire = fmt::format("twin_{}_{}", unit, output[1].str());
        added += fmt::format("  wire [$bits({})-1:0] {};\n", output[2].str(), wire);
        equal += fmt::format("{}{} == {}", equal.empty() ? "" : " && ", output[2].str(), wire);
        Replace(&twin, output[0],
                fmt::format(".{} ({}){}\n", output[1].str(), wire, output[3].str()));
      }
      added += twin;
      differ += fmt::format("      if (!({})) differs_q[{}] <= 1'b1;\n", equal, twins.units.size());
      twins.units.push_back(unit);
    }
    added += fmt::format(
        "  reg [{0}:0] differs_q;\n"
        "  always @(posedge clk_i or negedge rst_n) begin\n"
        "    if (!rst_n) differs_q <= {1}'d0;\n"
        "    else begin\n{2}    end\n  end\n  assign differs_o = differs_q;\n",
        twins.units.size() - 1, twins.units.size(), differ);
    top.insert(top.rfind("\nendmodule"), added);
    Replace(&top, "module eb_top (\n",
            fmt::format("module eb_top (\n  output wire [{}:0] differs_o,\n"
                        "  input  wire [{}:0] asleep_i,\n",
                        twins.units.size() - 1, twins.terms.size() - 1));
  }
  return twins;
}

class ClockWake : public testing::Test, protected HostRig {
 protected:
  ClockWake() : ClockWake(AddTwins(TinyConfig())) {}
  explicit ClockWake(const Twins& twins)
      : HostRig({}, kStalls, twins.files),
        twins_(twins),
        differs_(dut_.Get("differs_o")),
        asleep_(dut_.Get("asleep_i")) {
    ProgramReram();
  }

  /// Units that differed from their twins while sentences ended or were aborted, with these terms
  /// of the wake expressions off.
  uint64_t Differs(uint64_t asleep, int commands) {
    asleep_.Set(asleep);
    Reset();
    EXPECT_TRUE(Configure());
    EXPECT_TRUE(TryWrite("CONTROL", kLoad));
    EXPECT_TRUE(WaitForInterrupt(kLimit));
    cosim::Random random(7);
    for (int i = 0; i < commands && differs_.Get() == 0; ++i) {
      TryWrite("IRQ_STATUS", 15);
      if (!TryStart(sentences_[static_cast<size_t>(i) % sentences_.size()])) break;
      if (i % 3 == 0) {
        if (!WaitForInterrupt(kLimit)) break;
        ++ended_;
        continue;
      }
      const uint64_t wait = random.Below(i % 3 == 1 ? 600 : 12'000);
      for (uint64_t cycle = 0; cycle < wait; ++cycle) bench_.Cycle();
      TryWrite("CONTROL", kAbort);
      if (!WaitForInterrupt(kLimit)) break;
      ++ended_;
    }
    return differs_.Get();
  }

  Twins twins_;
  cosim::Port differs_, asleep_;
  int ended_ = 0;
};

TEST_F(ClockWake, NoUnitDiffersFromItsTwinThatIsAlwaysAwake) {
  EXPECT_EQ(twins_.units,
            (std::vector<std::string>{"softmax", "layer_norm", "exit", "embedding", "reram_ctrl"}));
  EXPECT_EQ(Differs(0, 60), 0U);
  EXPECT_EQ(ended_, 60);
}

TEST_F(ClockWake, EveryTermIsNeeded) {
  ASSERT_GT(twins_.terms.size(), 10U);
  for (size_t term = 0; term < twins_.terms.size(); ++term) {
    EXPECT_NE(Differs(uint64_t{1} << term, 200), 0U) << twins_.terms[term];
  }
}

}  // namespace
}  // namespace edgebert
