// Builds small designs at run time and drives them by name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cosim/sim/dut.h"
#include "cosim/sim/process.h"
#include "tests/support/temporary_folder.h"

namespace edgebert::cosim {
namespace {

namespace fs = std::filesystem;

// Adds n lanes, counts enabled cycles, keeps the last sums in a small memory.
constexpr const char* kAdder = R"(`default_nettype none
module eb_adder #(
  parameter Lanes = 2,
  parameter Width = 5
) (
  input  wire                     clk_i,
  input  wire                     rst_ni,
  input  wire                     enable_i,
  input  wire [Lanes*Width-1:0]   a_i,
  input  wire [Lanes*Width-1:0]   b_i,
  output reg  [Lanes*Width-1:0]   sum_o,
  output wire                     wrap_o
);
  wire [Lanes*Width-1:0] sum_d;
  reg  [Lanes*Width-1:0] history_mem [0:7];
  wire [2:0] count_q;
  genvar g;
  generate
    for (g = 0; g < Lanes; g = g + 1) begin : g_lane
      eb_lane #(.Width(Width)) u_lane (
        .a_i(a_i[g*Width +: Width]), .b_i(b_i[g*Width +: Width]), .s_o(sum_d[g*Width +: Width]));
    end
  endgenerate
  eb_count u_count (.clk_i(clk_i), .rst_ni(rst_ni), .enable_i(enable_i), .count_o(count_q));
  assign wrap_o = enable_i & (count_q == 3'd7);
  always @(posedge clk_i) begin
    if (enable_i) begin
      sum_o <= sum_d;
      history_mem[count_q] <= sum_d;
    end
  end
endmodule
`default_nettype wire
)";
constexpr const char* kLane = R"(module eb_lane #(
  parameter Width = 5
) (
  input  wire [Width-1:0] a_i,
  input  wire [Width-1:0] b_i,
  output wire [Width-1:0] s_o
);
  wire [Width-1:0] inner = a_i + b_i;
  assign s_o = inner;
endmodule
)";
constexpr const char* kCount = R"(module eb_count (
  input  wire       clk_i,
  input  wire       rst_ni,
  input  wire       enable_i,
  output wire [2:0] count_o
);
  reg [2:0] count_q;
  assign count_o = count_q;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_q <= 3'd0;
    else if (enable_i) count_q <= count_q + 3'd1;
  end
endmodule
)";

BuildOptions Adder(int lanes, int width) {
  return {.files = {{"eb_adder.v", kAdder}, {"eb_lane.v", kLane}, {"eb_count.v", kCount}},
          .top = "eb_adder",
          .parameters = {{"Lanes", std::to_string(lanes)}, {"Width", std::to_string(width)}},
          .public_signals = {{"eb_count", "count_q"},
                             {"eb_lane", "inner"},
                             {"eb_adder", "history_mem", true}},
          .optimize = Optimize::kQuick};
}

TEST(Dut, PortsOfEveryWidth) {
  for (const auto& [lanes, width] : {std::pair{1, 3}, {2, 5}, {3, 9}, {8, 8}, {5, 13}, {9, 26}}) {
    auto dut = Dut::Build(Adder(lanes, width));
    ASSERT_TRUE(dut.ok()) << dut.error().Format();
    dut->Reset();
    EXPECT_EQ(dut->cycles(), 2U);
    Port a = dut->Get("a_i");
    Port b = dut->Get("b_i");
    EXPECT_EQ(a.bits(), lanes * width);
    const int64_t mask = (int64_t{1} << width) - 1;
    std::vector<int64_t> first;
    std::vector<int64_t> second;
    std::vector<int64_t> sum;
    for (int lane = 0; lane < lanes; ++lane) {
      first.push_back((0x2c5a71 * (lane + 3)) & mask);
      second.push_back((0x1357bd * (lane + 1)) & mask);
      sum.push_back((first.back() + second.back()) & mask);
    }
    a.SetLanes(width, first);
    b.SetLanes(width, second);
    dut->Get("enable_i").Set(1);
    dut->Tick();
    EXPECT_EQ(dut->Get("sum_o").GetLanes<uint64_t>(width),
              std::vector<uint64_t>(sum.begin(), sum.end()));
    EXPECT_EQ(dut->Get("u_count.count_q").Get(), 1U);
    EXPECT_EQ(dut->Get(fmt::format("g_lane[{}].u_lane.inner", lanes - 1)).Get(),
              static_cast<uint64_t>(sum.back()));
  }
}

TEST(Dut, WideWordsAndSignedLanes) {
  auto dut = Dut::Build(Adder(9, 26));
  ASSERT_TRUE(dut.ok()) << dut.error().Format();
  dut->Reset();
  Port a = dut->Get("a_i");
  std::vector<uint32_t> words = {1, 0x80000123, 3, 4, 5, 6, 7, 0x3ff};  // 9*26 = 234 = 7*32 + 10
  a.SetWide(words);
  EXPECT_EQ(a.GetWide(), words);
  EXPECT_EQ(a.GetBits(62, 4), 0xeU);
  EXPECT_EQ(a.GetBits(4, 64), uint64_t{0x80000123} << 28 | uint64_t{3} << 60);
  EXPECT_EQ(a.GetLaneSigned(8, 26), -65536);  // bits 233:208 are 0x3ff and the top half of word 6
  a.SetLane(2, 26, -2);
  EXPECT_EQ(a.GetLaneSigned(2, 26), -2);
  EXPECT_EQ(a.GetLane(1, 26), 0x123U << 6);
  a.Clear();
  EXPECT_EQ(a.GetWide(), std::vector<uint32_t>(8, 0));
}

TEST(Dut, OutputsAreSampledBeforeTheEdge) {
  auto dut = Dut::Build(Adder(2, 5));
  ASSERT_TRUE(dut.ok()) << dut.error().Format();
  dut->Reset();
  Port enable = dut->Get("enable_i");
  Port wrap = dut->Get("wrap_o");
  for (int cycle = 0; cycle < 16; ++cycle) {
    enable.Set(1);
    dut->Eval();
    EXPECT_EQ(wrap.Get(), cycle % 8 == 7 ? 1U : 0U) << cycle;
    dut->Tick();
  }
  enable.Set(0);
  dut->Tick(3);
  EXPECT_EQ(dut->Get("u_count.count_q").Get(), 0U);
  EXPECT_EQ(dut->cycles(), 2U + 16U + 3U);
}

TEST(Dut, MemoryBackdoor) {
  auto dut = Dut::Build(Adder(2, 5));
  ASSERT_TRUE(dut.ok()) << dut.error().Format();
  dut->Reset();
  Memory history = dut->GetMemory("history_mem");
  EXPECT_EQ(history.depth(), 8);
  EXPECT_EQ(history.bits(), 10);
  history[5].Set(0x155);
  dut->Get("enable_i").Set(1);
  dut->Get("a_i").SetLanes(5, std::vector<int>{1, 2});
  dut->Tick(5);
  EXPECT_EQ(history[4].Get(), 0x41U);
  EXPECT_EQ(history[5].Get(), 0x155U);
}

TEST(Dut, TwoInOneProcess) {
  auto first = Dut::Build(Adder(2, 5));
  auto second = Dut::Build(Adder(2, 5));
  ASSERT_TRUE(first.ok() && second.ok());
  first->Reset();
  second->Reset();
  first->Get("enable_i").Set(1);
  first->Tick(3);
  second->Tick(3);
  EXPECT_EQ(first->Get("u_count.count_q").Get(), 3U);
  EXPECT_EQ(second->Get("u_count.count_q").Get(), 0U);
  Dut moved = std::move(*first);
  moved.Tick();
  EXPECT_EQ(moved.Get("u_count.count_q").Get(), 4U);
}

TEST(Dut, RandomUnknownsFollowTheSeed) {
  BuildOptions options = Adder(9, 26);
  options.unknowns = Unknowns::kRandom;
  auto first = Dut::Build(options, 7);
  auto same = Dut::Build(options, 7);
  auto other = Dut::Build(options, 8);
  ASSERT_TRUE(first.ok() && same.ok() && other.ok());
  const auto words = first->Get("sum_o").GetWide();
  EXPECT_NE(words, std::vector<uint32_t>(8, 0));
  EXPECT_EQ(same->Get("sum_o").GetWide(), words);
  EXPECT_NE(other->Get("sum_o").GetWide(), words);
}

TEST(Dut, TraceOfAWindow) {
  BuildOptions options = Adder(2, 5);
  auto untraced = Dut::Build(options);
  ASSERT_TRUE(untraced.ok());
  EXPECT_FALSE(untraced->OpenTrace("nowhere.fst").ok());

  options.trace = true;
  auto dut = Dut::Build(options);
  ASSERT_TRUE(dut.ok()) << dut.error().Format();
  dut->Reset();
  dut->Get("enable_i").Set(1);
  dut->Tick(4);
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "window.fst").string();
  ASSERT_TRUE(dut->OpenTrace(path).ok());
  dut->Tick(3);
  dut->CloseTrace();
  dut->Tick(5);
  const std::string second_path = (folder.path() / "second.fst").string();
  ASSERT_TRUE(dut->OpenTrace(second_path).ok());
  dut->Tick();
  dut->CloseTrace();
  EXPECT_GT(fs::file_size(second_path), 0U);

  auto vcd = RunProcess({"fst2vcd", path}, "/");
  ASSERT_TRUE(vcd.ok()) << vcd.error().Format();
  ASSERT_EQ(vcd->exit_code, 0) << vcd->output;
  EXPECT_THAT(vcd->output, testing::HasSubstr("count_q"));
  EXPECT_THAT(vcd->output, testing::HasSubstr("#70\n"));  // edge 7 = 2 of reset, 4, and the first
  EXPECT_THAT(vcd->output, testing::HasSubstr("#90\n"));
  EXPECT_THAT(vcd->output, testing::Not(testing::HasSubstr("#60\n")));
  EXPECT_THAT(vcd->output, testing::Not(testing::HasSubstr("#100\n")));
  EXPECT_FALSE(dut->OpenTrace("/nonexistent/x.fst").ok());
}

TEST(Dut, CycleLimitStopsAHang) {
  auto dut = Dut::Build(Adder(2, 5));
  ASSERT_TRUE(dut.ok());
  dut->SetCycleLimit(10);
  dut->Tick(10);
  EXPECT_TRUE(dut->AtLimit());
  EXPECT_DEATH(dut->Tick(), "eb_adder: the cycle limit of 10 cycles is reached");
}

TEST(Dut, UnknownNamesAreListed) {
  auto dut = Dut::Build(Adder(2, 5));
  ASSERT_TRUE(dut.ok());
  EXPECT_FALSE(dut->Find("carry_o").has_value());
  EXPECT_DEATH(static_cast<void>(dut->Get("carry_o")), "no signal 'carry_o'; it has: clk_i rst_ni");
  EXPECT_DEATH(dut->Get("a_i").Set(1 << 10), "does not fit 10 bits");
  EXPECT_DEATH(dut->Get("sum_o").Set(1), "output");
}

TEST(BuildLibrary, ReportsVerilatorErrors) {
  BuildOptions options = Adder(2, 5);
  options.files[1].second.replace(options.files[1].second.find("b_i;"), 3, "c_x");
  const auto result = BuildLibrary(options);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().diagnostics()[0].rule, "verilate");
  EXPECT_THAT(result.error().Format(), testing::HasSubstr("c_x"));
}

TEST(BuildLibrary, WarningsAreErrors) {
  BuildOptions options = Adder(2, 5);
  options.files[2].second.replace(options.files[2].second.find("3'd1"), 4, "4'd1");
  const auto result = BuildLibrary(options);
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().Format(), testing::HasSubstr("WIDTH"));
}

TEST(BuildLibrary, ReportsInputMistakes) {
  BuildOptions options = Adder(2, 5);
  options.paths = {"/nonexistent/eb_x.v"};
  options.files.emplace_back("other/eb_lane.v", kLane);
  const auto result = BuildLibrary(options);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().diagnostics().size(), 2U);
}

TEST(BuildLibrary, CachesAndRepairs) {
  const TemporaryFolder cache;
  BuildOptions options = Adder(2, 5);
  options.cache_dir = cache.path().string();
  const auto first = BuildLibrary(options);
  ASSERT_TRUE(first.ok()) << first.error().Format();
  const auto start = std::chrono::steady_clock::now();
  const auto written = fs::last_write_time(*first);
  EXPECT_EQ(*BuildLibrary(options), *first);
  EXPECT_EQ(fs::last_write_time(*first), written);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));

  fs::resize_file(*first, fs::file_size(*first) / 2);
  EXPECT_EQ(*BuildLibrary(options), *first);
  EXPECT_NE(fs::last_write_time(*first), written);
  EXPECT_TRUE(Dut::Build(options).ok());

  options.parameters[0].second = "3";
  EXPECT_NE(*BuildLibrary(options), *first);
  // Nothing but the two entries is left.
  EXPECT_EQ(std::distance(fs::directory_iterator(cache.path()), fs::directory_iterator()), 2);
}

/// Page faults of all processes that this one has waited for: more after every process.
int64_t ChildFaults() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_minflt;
}

TEST(BuildLibrary, ACachedBuildStartsNoProcess) {
  const auto first = BuildLibrary(Adder(2, 5));
  ASSERT_TRUE(first.ok()) << first.error().Format();
  const int64_t before = ChildFaults();
  EXPECT_EQ(*BuildLibrary(Adder(2, 5)), *first);
  EXPECT_EQ(ChildFaults(), before);
  ASSERT_TRUE(RunProcess({"true"}, "/").ok());
  EXPECT_GT(ChildFaults(), before);
}

TEST(BuildLibrary, AnotherToolBuildsAgain) {
  const BuildOptions options = Adder(2, 5);
  const auto first = BuildLibrary(options);
  ASSERT_TRUE(first.ok()) << first.error().Format();
  const std::string path = std::getenv("PATH");
  const std::string compiler = FindProgram("clang++") ? "clang++" : "g++";
  for (const auto& [tool, rule] :
       {std::pair{std::string("verilator"), "verilate"}, {compiler, "compile"}}) {
    const TemporaryFolder programs;
    const fs::path script = programs.path() / tool;
    std::ofstream(script) << "#!/bin/sh\nexit 1\n";
    fs::permissions(script, fs::perms::owner_all);
    setenv("PATH", (programs.path().string() + ":" + path).c_str(), 1);
    const auto broken = BuildLibrary(options);
    setenv("PATH", path.c_str(), 1);
    ASSERT_FALSE(broken.ok()) << tool;
    EXPECT_EQ(broken.error().diagnostics()[0].rule, rule);
  }
  EXPECT_EQ(*BuildLibrary(options), *first);
}

TEST(Process, ReportsOutputCodeAndMissingProgram) {
  const auto result = RunProcess({"sh", "-c", "pwd; echo two >&2; exit 3"}, "/tmp");
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->exit_code, 3);
  EXPECT_EQ(result->output, "/tmp\ntwo\n");
  EXPECT_FALSE(RunProcess({"eb-no-such-program"}, "/").ok());
  int calls = 0;
  ASSERT_TRUE(RunProcess({"sleep", "0.5"}, "/", [&] { ++calls; }).ok());
  EXPECT_GE(calls, 2);
  EXPECT_TRUE(FindProgram("sh"));
  EXPECT_FALSE(FindProgram("eb-no-such-program"));
}

}  // namespace
}  // namespace edgebert::cosim
