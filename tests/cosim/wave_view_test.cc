// The GTKWave view that edgebert-cosim writes beside a trace: every signal that it names is in the
// trace, and its filters say what the golden model says.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "cosim/sim/process.h"
#include "generator/handoff/waves.h"
#include "golden/model/adaptivfloat.h"
#include "golden/spec/isa.h"
#include "tests/support/temporary_folder.h"

namespace edgebert {
namespace {

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// `eb_top.u_matmul.mac[3:0]` of every variable in a trace.
std::set<std::string> TracedSignals(const std::string& fst) {
  const auto vcd = cosim::RunProcess({"fst2vcd", fst}, "/");
  EB_CHECK(vcd.ok() && vcd->exit_code == 0, "fst2vcd fails");
  std::set<std::string> signals;
  std::vector<std::string> scopes;
  std::istringstream lines(vcd->output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::string> word{std::istream_iterator<std::string>(words), {}};
    if (word.empty()) continue;
    if (word[0] == "$scope") scopes.push_back(word[2]);
    if (word[0] == "$upscope") scopes.pop_back();
    if (word[0] == "$enddefinitions") break;
    if (word[0] != "$var") continue;
    std::string name;
    for (const std::string& scope : scopes) name += scope + ".";
    signals.insert(name + word[4] + (word[5] == "$end" ? "" : word[5]));
  }
  return signals;
}

std::set<std::string> ViewedSignals(const std::string& view) {
  std::set<std::string> signals;
  const std::regex signal(R"(eb_top\.[\w.]+(\[\d+:0\])?)");
  for (auto match = std::sregex_iterator(view.begin(), view.end(), signal);
       match != std::sregex_iterator(); ++match) {
    signals.insert(match->str());
  }
  signals.erase("eb_top.");
  return signals;
}

cosim::ProcessResult Trace(const TemporaryFolder& folder, std::vector<std::string> more) {
  std::vector<std::string> command = {EDGEBERT_COSIM,
                                      "--config",
                                      EDGEBERT_CONFIGS "/tiny.cfg",
                                      "--limit",
                                      "1",
                                      "--random-model",
                                      "3",
                                      "--trace=w.fst"};
  command.insert(command.end(), more.begin(), more.end());
  auto result = cosim::RunProcess(command, folder.path().string());
  EB_CHECK(result.ok(), "{}", result.error().Format());
  return *result;
}

TEST(WaveView, NamesSignalsOfTheTrace) {
  const TemporaryFolder folder;
  const auto run = Trace(folder, {"--trace-from", "op:1", "--trace-to", "op:2"});
  ASSERT_EQ(run.exit_code, 0) << run.output;
  const std::set<std::string> traced = TracedSignals(folder.File("w.fst"));
  const std::string view = ReadText(folder.File("w.gtkw"));
  const std::set<std::string> viewed = ViewedSignals(view);
  EXPECT_GT(viewed.size(), 50U);
  for (const std::string& signal : viewed) EXPECT_TRUE(traced.contains(signal)) << signal;

  const std::regex filter(R"(\^1 (\S+))");
  std::set<std::string> filters;
  for (auto match = std::sregex_iterator(view.begin(), view.end(), filter);
       match != std::sregex_iterator(); ++match) {
    filters.insert((*match)[1]);
  }
  EXPECT_EQ(filters.size(), 8U);
  for (const std::string& file : filters) EXPECT_FALSE(ReadText(file).empty()) << file;
}

TEST(WaveView, ScopeAndDepthBoundTheTrace) {
  const TemporaryFolder folder;
  const std::vector<std::string> window = {
      "--trace-from", "op:1", "--trace-to", "op:2", "--trace-scope", "u_matmul.u_vmac_array"};
  const auto signals = [&](std::vector<std::string> more) {
    more.insert(more.end(), window.begin(), window.end());
    const auto run = Trace(folder, more);
    EXPECT_EQ(run.exit_code, 0) << run.output;
    return TracedSignals(folder.File("w.fst"));
  };
  const std::set<std::string> all = signals({});
  const std::set<std::string> own = signals({"--trace-depth", "1"});
  EXPECT_GT(own.size(), 5U);
  EXPECT_GT(all.size(), own.size());
  for (const std::string& signal : all) {
    EXPECT_TRUE(signal.starts_with("eb_top.u_matmul.u_vmac_array.")) << signal;
  }
  const auto wrong = Trace(folder, {"--trace-scope", "u_matmull"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_NE(wrong.output.find("no instance 'u_matmull'"), std::string::npos) << wrong.output;
}

/// Hexadecimal key to text.
std::map<uint32_t, std::string> Filter(const gen::FileSet& filters, const std::string& name) {
  std::map<uint32_t, std::string> entries;
  std::istringstream lines(filters.files().at(name));
  std::string key;
  for (std::string text; lines >> key >> text;) {
    entries[static_cast<uint32_t>(std::stoul(key, nullptr, 16))] = text;
  }
  return entries;
}

class WaveFilters : public testing::TestWithParam<model::AdaptivFloat> {};

TEST_P(WaveFilters, ShowTheValuesOfTheGoldenModel) {
  const model::AdaptivFloat format = GetParam();
  spec::AcceleratorConfig config;
  config.format = {format.width, format.exponent};
  const gen::FileSet filters = gen::WaveFilters(config);
  const std::string suffix =
      "_" + std::to_string(format.width) + "_" + std::to_string(format.exponent) + ".txt";
  const auto values = Filter(filters, "adaptivfloat" + suffix);
  const auto integers = Filter(filters, "integer" + suffix);
  for (int code = 0; code < 1 << format.width; ++code) {
    const int64_t integer = format.ToInteger(uint32_t(code));
    EXPECT_EQ(integers.at(uint32_t(code)), std::to_string(integer)) << code;
    for (const int bias : {-20, -7, -1, 0, 3}) {
      const double value = std::ldexp(double(integer), bias - format.mantissa());
      const uint32_t key = uint32_t(bias & 0xff) << format.width | uint32_t(code);
      EXPECT_NEAR(std::stod(values.at(key)), value, 1e-3 * std::abs(value)) << code << " " << bias;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, WaveFilters,
                         testing::Values(model::AdaptivFloat{8, 3}, model::AdaptivFloat{4, 2}));

TEST(WaveFilters, NameOpcodesAndStates) {
  const gen::FileSet filters = gen::WaveFilters({});
  const auto opcodes = Filter(filters, "opcode.txt");
  EXPECT_EQ(opcodes.at(static_cast<uint32_t>(spec::Opcode::kLayerNorm)), "LAYER_NORM");
  EXPECT_EQ(opcodes.size(), 8U);
  EXPECT_EQ(Filter(filters, "sequencer_state.txt").size(), 12U);
  EXPECT_EQ(Filter(filters, "entropy_state.txt").at(0), "Idle");
}

}  // namespace
}  // namespace edgebert
