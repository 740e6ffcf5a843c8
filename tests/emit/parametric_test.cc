// The common modules know no configuration; eb_top is the only Verilog that does.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <string>

#include "generator/emit_all.h"
#include "tests/emit/presets.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tool_runner.h"

namespace edgebert {
namespace {

TEST(Parametric, CommonFilesAreTheSameForEveryPreset) {
  std::map<std::string, std::string> common;
  for (const test::Preset& preset : test::Presets()) {
    const gen::FileSet files = gen::EmitAll(preset.config, preset.name);
    std::map<std::string, std::string> mine;
    for (const auto& [path, text] : files.files()) {
      if (path.starts_with("common/")) mine[path] = text;
      const bool is_verilog = path.ends_with(".v");
      // What is beside eb_top.v in a folder of its own serves synthesis or integration.
      EXPECT_TRUE(!is_verilog || path.starts_with("common/") || path == preset.name + "/eb_top.v" ||
                  path.starts_with(preset.name + "/synthesis/") ||
                  path.starts_with(preset.name + "/integration/"))
          << path;
    }
    if (common.empty()) common = mine;
    EXPECT_TRUE(mine == common) << preset.name;
  }
  EXPECT_GT(common.size(), 40U);
}

TEST(Parametric, EveryFileIsNamedAfterItsModule) {
  const std::regex module(R"(\nmodule (\w+))");
  for (const test::Preset& preset : test::Presets()) {
    const gen::FileSet files = gen::EmitAll(preset.config, preset.name);
    for (const auto& [path, text] : files.files()) {
      if (!path.ends_with(".v") || path.ends_with("/macros.v")) continue;
      const std::string stem = path.substr(path.rfind('/') + 1);
      std::sregex_iterator match(text.begin(), text.end(), module);
      ASSERT_NE(match, std::sregex_iterator()) << path;
      EXPECT_EQ((*match)[1].str() + ".v", stem);
      EXPECT_EQ(++match, std::sregex_iterator()) << path << " has two modules";
    }
    break;  // the names do not depend on the preset
  }
}

TEST(Parametric, TextIsPlainAscii) {
  for (const test::Preset& preset : test::Presets()) {
    const gen::FileSet files = gen::EmitAll(preset.config, preset.name);
    for (const auto& [path, text] : files.files()) {
      for (const char c : text) {
        ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << path;
      }
      EXPECT_TRUE(text.ends_with('\n')) << path;
      EXPECT_FALSE(std::regex_search(text, std::regex("[ \t]\n"))) << path;
    }
  }
}

TEST(Parametric, OperandGatingReachesTheMultipliers) {
  auto tiny = spec::LoadConfig(test::SourceRoot() / "generator/configs/tiny.cfg");
  ASSERT_TRUE(tiny.ok()) << tiny.error().Format();
  for (const bool gating : {false, true}) {
    spec::AcceleratorConfig config = *tiny;
    config.vmac.operand_gating = gating;
    const TemporaryFolder folder;
    const Status written = gen::EmitAll(config, "gating").WriteTo(folder.path());
    ASSERT_TRUE(written.ok()) << written.error().Format();
    folder.Write("gating/ask.v",
                 "module ask;\n"
                 "  eb_top dut ();\n"
                 "  initial $display(\"%0d\",\n"
                 "    dut.u_matmul.u_vmac_array.g_k[1].g_j[1].u_multiplier.Gated);\n"
                 "endmodule\n");
    const test::ToolResult compiled = test::RunTool(
        {"iverilog", "-g2005", "-s", "ask", "-o", "ask.vvp", "-c", "icarus.f", "ask.v"},
        folder.File("gating"), 120);
    ASSERT_EQ(compiled.exit_code, 0) << compiled.output;
    const test::ToolResult run =
        test::RunTool({"timeout", "60", "vvp", "-n", "ask.vvp"}, folder.File("gating"), 120);
    EXPECT_EQ(run.output.substr(0, 2), gating ? "1\n" : "0\n") << run.output;
  }
}

}  // namespace
}  // namespace edgebert
