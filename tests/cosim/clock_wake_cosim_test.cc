// No unit behind a clock gate needs an edge that its wake expression does not give it: beside each
// runs a twin with the same inputs and a clock that never stops, and in every cycle all their
// outputs are equal, in sentences under stalls, aborts and bus errors. A term taken out of a wake
// expression makes them differ.
//
// The twins, the comparison and the switches of the terms are edited into eb_top.v and, for the
// post-processor, eb_matmul.v. The ReRAM macro
// has no twin, for its content is programmed from outside: its clock is that of its controller,
// whose twin takes what the macro answers.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
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

/// Edits a module: twins, what compares them, and the ports `differs_o` and `asleep_i`, whose low
/// bits belong to what has been edited before, an instance inside of this one.
void AddTwins(const std::string& ports_follow, const std::string& reset, std::string* text,
              Twins* twins) {
  static const std::regex kInstance(
      R"(\n  (eb_\w+) (?:#\([^;]*?\n  \) )?(u_\w+) \([^;]*?\n  \);\n)");
  static const std::regex kOutput(R"(\.(\w+_o) *\((\w[^\n]*)\)(,?)\n)");
  static const std::regex kUnitClock(R"(\(clk_(?!i\))\w+\))");
  static const std::regex kWake(R"((\.(?:wake|enable)_i *)\(([^)]*(?:\[\d\][^)]*)?)\))");
  const size_t inner = twins->units.size();
  const std::string emitted = *text;  // what the matches below point into
  std::string added, differ;
  for (const std::smatch& instance : Matches(emitted, kInstance)) {
    std::string twin = instance[0];
    const std::string unit = instance[2].str().substr(2);
    if (instance[1] == "eb_unit_clock" || instance[1] == "eb_clock_gate") {
      std::smatch wake;
      EB_CHECK(std::regex_search(twin, wake, kWake), "no wake expression in {}", twin);
      std::string expression;
      const std::regex separator(R"( \|\| )");
      const std::string terms = wake[2];
      for (std::sregex_token_iterator term(terms.begin(), terms.end(), separator, -1), end;
           term != end; ++term) {
        expression += fmt::format("{}({} && !asleep_i[{}])", expression.empty() ? "" : " || ",
                                  term->str(), twins->terms.size());
        twins->terms.push_back(unit + ": " + term->str());
      }
      Replace(&twin, wake[0], wake[1].str() + "(" + expression + ")");
      Replace(text, instance[0], twin);
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
    differ += fmt::format("      if (!({})) differs_q[{}] <= 1'b1;\n", equal,
                          twins->units.size() - inner);
    twins->units.push_back(unit);
  }
  const size_t units = twins->units.size() - inner;
  added += fmt::format(
      "  reg [{0}:0] differs_q;\n"
      "  always @(posedge clk_i or negedge {1}) begin\n"
      "    if (!{1}) differs_q <= {2}'d0;\n"
      "    else begin\n{3}    end\n  end\n  assign differs_o = {4};\n",
      units - 1, reset, units, differ, inner == 0 ? "differs_q" : "{differs_q, inner_differs}");
  if (inner != 0) added = fmt::format("  wire [{}:0] inner_differs;\n", inner - 1) + added;
  text->insert(text->rfind("\nendmodule"), added);
  Replace(text, ports_follow,
          fmt::format("{}  output wire [{}:0] differs_o,\n  input  wire [{}:0] asleep_i,\n",
                      ports_follow, twins->units.size() - 1, twins->terms.size() - 1));
}

Twins AddTwins(const spec::AcceleratorConfig& config) {
  Twins twins{.files = cosim::EmitVerilog(config)};
  const auto file = [&](const std::string& name) {
    const auto found = std::ranges::find_if(
        twins.files, [&](const auto& entry) { return entry.first.ends_with("/" + name); });
    EB_CHECK(found != twins.files.end(), "no {}", name);
    return &found->second;
  };
  AddTwins("\n) (\n", "rst_ni", file("eb_matmul.v"), &twins);
  std::string* top = file("eb_top.v");
  Replace(top, ") u_matmul (\n",
          fmt::format(") u_matmul (\n    .differs_o (inner_differs),\n"
                      "    .asleep_i  (asleep_i[{}:0]),\n",
                      twins.terms.size() - 1));
  AddTwins("module eb_top (\n", "rst_n", top, &twins);
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

  /// Units that differed from their twins while sentences ended, were aborted or met a bus error,
  /// with these terms of the wake expressions off.
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
      if (i % 6 == 3) {  // a read or the write of the record fails
        const bool write = i % 12 == 9;
        memory_.AddFault({.write = write,
                          .burst = write ? memory_.traffic().write_bursts
                                         : memory_.traffic().read_bursts + random.Below(30)});
      }
      if (i % 3 == 0) {
        if (!WaitForInterrupt(kLimit)) break;
        memory_.ClearFaults();
        if ((TryRead("STATUS").value_or(0) & kError) != 0) ++failed_;
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
  int failed_ = 0;
};

TEST_F(ClockWake, NoUnitDiffersFromItsTwinThatIsAlwaysAwake) {
  EXPECT_EQ(twins_.units, (std::vector<std::string>{"post_processor", "softmax", "layer_norm",
                                                    "exit", "embedding", "reram_ctrl"}));
  EXPECT_EQ(Differs(0, 60), 0U);
  EXPECT_EQ(ended_, 60);
  EXPECT_GE(failed_, 8);
}

TEST_F(ClockWake, EveryTermIsNeeded) {
  ASSERT_GT(twins_.terms.size(), 10U);
  for (size_t term = 0; term < twins_.terms.size(); ++term) {
    EXPECT_NE(Differs(uint64_t{1} << term, 200), 0U) << twins_.terms[term];
  }
}

}  // namespace
}  // namespace edgebert
