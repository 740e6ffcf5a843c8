// eb_top of every preset, and of configurations at the ends of their ranges, is accepted silently
// by the three tools, through the file lists that edgebert-gen writes.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "generator/emit_all.h"
#include "tests/emit/presets.h"
#include "tests/support/tool_runner.h"

namespace edgebert {
namespace {

namespace fs = std::filesystem;

constexpr int kTimeoutSeconds = 600;

/// The file lists of a configuration, on disk.
class Lint {
 public:
  explicit Lint(const spec::AcceleratorConfig& config, const std::string& name)
      : root_(fs::path(testing::TempDir()) / ("edgebert_lint_" + name)), place_(root_ / name) {
    fs::remove_all(root_);
    const Status written = gen::EmitAll(config, name).WriteTo(root_.string());
    EB_CHECK(written.ok(), "{}", written.error().Format());
  }
  ~Lint() { fs::remove_all(root_); }

  void Verilator() const { Run({"verilator", "--lint-only", "-Wall", "-F", "verilator.f"}); }
  void Icarus() const {
    Run({"iverilog", "-g2005", "-Wall", "-s", "eb_top", "-o", "eb_top.vvp", "-c", "icarus.f"});
  }
  void Yosys() const { Run({"yosys", "-q", "yosys.ys"}); }

 private:
  void Run(const std::vector<std::string>& command) const {
    const test::ToolResult result = test::RunTool(command, place_.string(), kTimeoutSeconds);
    EXPECT_TRUE(result.ok()) << command[0];
    EXPECT_EQ(result.output, "") << command[0];
  }

  fs::path root_;
  fs::path place_;
};

class PresetLint : public testing::TestWithParam<test::Preset> {};

TEST_P(PresetLint, VerilatorAndIcarus) {
  const Lint lint(GetParam().config, GetParam().name);
  lint.Verilator();
  lint.Icarus();
}

TEST_P(PresetLint, Yosys) { Lint(GetParam().config, GetParam().name + "_yosys").Yosys(); }

INSTANTIATE_TEST_SUITE_P(All, PresetLint, testing::ValuesIn(test::Presets()),
                         [](const auto& info) { return info.param.name; });

/// A small configuration, changed.
struct Variant {
  std::string name;
  std::function<void(spec::AcceleratorConfig&)> change;
};

class VariantLint : public testing::TestWithParam<Variant> {};

TEST_P(VariantLint, VerilatorAndIcarus) {
  spec::AcceleratorConfig config =
      *spec::LoadConfig((test::SourceRoot() / "generator/configs/tiny.cfg").string());
  GetParam().change(config);
  ASSERT_TRUE(spec::Validate(config).ok()) << spec::Validate(config).error().Format();
  const Lint lint(config, "variant_" + GetParam().name);
  lint.Verilator();
  lint.Icarus();
}

INSTANTIATE_TEST_SUITE_P(
    Tiny, VariantLint,
    testing::Values(Variant{"flop", [](auto& c) { c.memory.backend = spec::MemoryBackend::kFlop; }},
                    Variant{"macro",
                            [](auto& c) { c.memory.backend = spec::MemoryBackend::kMacro; }},
                    Variant{"axi32",
                            [](auto& c) {
                              c.axi = {32, 32, 1, 1, 1};
                            }},
                    Variant{"axi128",
                            [](auto& c) {
                              c.axi = {128, 40, 16, 16, 16};
                            }},
                    Variant{"axi256",
                            [](auto& c) {
                              c.axi = {256, 64, 5, 7, 3};
                            }},
                    Variant{"resident",
                            [](auto& c) {
                              c.axi = {256, 64, 5, 7, 3};
                              c.memory.resident_kib = 1;
                            }},
                    Variant{"code4",
                            [](auto& c) {
                              c.format = {4, 2};
                              c.reram = {32, 1, 1};
                            }},
                    Variant{"secded32",
                            [](auto& c) {
                              c.reram = {32, 3, 1, spec::ReramEcc::kSecded};
                            }},
                    Variant{"secded64", [](auto& c) { c.reram.ecc = spec::ReramEcc::kSecded; }},
                    Variant{"secded128",
                            [](auto& c) {
                              c.reram = {128, 1, 9, spec::ReramEcc::kSecded};
                            }},
                    Variant{"code7",
                            [](auto& c) {
                              c.format = {7, 4};
                              c.reram = {128, 3, 64};
                            }},
                    Variant{"saturating",
                            [](auto& c) {
                              c.vmac.accumulator_bits = 16;
                              c.vmac.pipeline = 4;
                            }},
                    Variant{"shallow",
                            [](auto& c) {
                              c.vmac.pipeline = 1;
                              c.memory.program_words = 17;
                              c.model.classes = 256;
                              c.model.seq_len = 3;
                            }},
                    Variant{"long_sentences",
                            [](auto& c) {
                              c.model.seq_len = 512;
                              c.model.token_types = 255;
                              c.memory.program_words = 65536;
                            }}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace edgebert
