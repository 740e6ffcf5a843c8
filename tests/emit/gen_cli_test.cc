// edgebert-gen as a user meets it: what it writes, what it says, how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "golden/spec/config.h"
#include "tests/emit/presets.h"
#include "tests/support/tool_runner.h"

namespace edgebert {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class GenCli : public testing::Test {
 protected:
  GenCli() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~GenCli() override { fs::remove_all(folder_); }

  test::ToolResult Gen(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), EDGEBERT_GEN);
    return test::RunTool(arguments, folder_.string());
  }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return name;
  }

  const std::string tiny_ = (test::SourceRoot() / "generator/configs/tiny.cfg").string();
  const fs::path folder_ = fs::path(testing::TempDir()) / "edgebert_gen_cli";
};

TEST_F(GenCli, HelpNamesEveryKey) {
  const auto help = Gen({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* text : {"--config FILE", "--out DIR", "--vmac.n", "--axi.data_width",
                           "--reram.read_latency", "default 16", "one of 4, 8, 16, 32"}) {
    EXPECT_THAT(help.output, HasSubstr(text));
  }
}

TEST_F(GenCli, WritesTheConfigurationItIsGiven) {
  const auto run = Gen({"--config", tiny_, "--out", "out"});
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("out/tiny: "));
  auto config = spec::LoadConfig((folder_ / "out/tiny/config.cfg").string());
  ASSERT_TRUE(config.ok()) << config.error().Format();
  EXPECT_EQ(spec::ConfigHash(*config), spec::ConfigHash(*spec::LoadConfig(tiny_)));
  EXPECT_TRUE(fs::exists(folder_ / "out/common/eb_fifo.v"));
  EXPECT_THAT(test::ReadFile(folder_ / "out/tiny/eb_top.v"), HasSubstr("LANES              = 4;"));
}

TEST_F(GenCli, OptionsOverrideTheFile) {
  const auto run =
      Gen({"--config", tiny_, "--vmac.n", "8", "--axi.data_width=128", "--out", "out"});
  EXPECT_EQ(run.exit_code, 0) << run.output;
  auto config = spec::LoadConfig((folder_ / "out/config/config.cfg").string());
  ASSERT_TRUE(config.ok()) << config.error().Format();
  EXPECT_EQ(config->vmac.n, 8);
  EXPECT_EQ(config->axi.data_width, 128);
  EXPECT_EQ(config->model.hidden, 24) << "the rest is the file's";
  EXPECT_NE(spec::ConfigHash(*config), spec::ConfigHash(*spec::LoadConfig(tiny_)));
  // The same value as in the file is no change.
  EXPECT_EQ(Gen({"--config", tiny_, "--vmac.n", "4", "--out", "same"}).exit_code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "same/tiny/eb_top.v"));
  EXPECT_EQ(Gen({"--config", tiny_, "--name", "mine", "--out", "named"}).exit_code, 0);
  EXPECT_TRUE(fs::exists(folder_ / "named/mine/eb_top.v"));
}

TEST_F(GenCli, SaysWhatIsWrongWithTheCommandLine) {
  const auto nothing = Gen({});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_THAT(nothing.output, HasSubstr("command line: error: '--config' is missing [option]"));
  EXPECT_THAT(nothing.output, HasSubstr("command line: error: '--out' is missing [option]"));
  const auto unknown = Gen({"--config", tiny_, "--out", "out", "--vmac.m", "4"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.output, HasSubstr("unrecognised option '--vmac.m'"));
  const auto guessed = Gen({"--conf", tiny_, "--out", "out"});
  EXPECT_EQ(guessed.exit_code, 2);
  const auto range = Gen({"--config", tiny_, "--out", "out", "--vmac.n", "5"});
  EXPECT_EQ(range.exit_code, 2);
  EXPECT_THAT(range.output, HasSubstr("command line: error: "));
  EXPECT_THAT(range.output, HasSubstr("vmac.n"));
  EXPECT_FALSE(fs::exists(folder_ / "out")) << "nothing is written";
}

TEST_F(GenCli, SaysWhatIsWrongWithTheFile) {
  const auto missing = Gen({"--config", "nowhere.cfg", "--out", "out"});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.output, HasSubstr("nowhere.cfg"));
  const auto wrong =
      Gen({"--config", Write("a.cfg", "[vmac]\nn = 16\nlanes = 3\n"), "--out", "out"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.output, HasSubstr("a.cfg:3:"));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(GenCli, SaysWhyItCannotWrite) {
  Write("file", "in the way");
  const auto run = Gen({"--config", tiny_, "--out", "file/out"});
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_THAT(run.output, HasSubstr("[output-write]"));
  EXPECT_THAT(run.output, Not(HasSubstr("internal error")));
}

}  // namespace
}  // namespace edgebert
