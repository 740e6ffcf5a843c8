// The same configuration gives the same bytes: another run, directory, locale, time zone.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <string>

#include "tests/emit/presets.h"
#include "tests/support/tool_runner.h"

namespace edgebert {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> Tree(const fs::path& root) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    files[fs::relative(entry.path(), root).string()] = test::ReadFile(entry.path());
  }
  return files;
}

TEST(Determinism, RunsGiveTheSameBytes) {
  const fs::path folder = fs::path(testing::TempDir()) / "edgebert_determinism";
  fs::remove_all(folder);
  fs::create_directories(folder / "elsewhere");
  const std::string config = (test::SourceRoot() / "generator/configs/default.cfg").string();
  fs::copy_file(config, folder / "elsewhere/default.cfg");

  const auto first = test::RunTool(
      {EDGEBERT_GEN, "--config", config, "--out", (folder / "a").string()}, folder.string());
  ASSERT_TRUE(first.ok()) << first.output;
  const auto second = test::RunTool({"env", "LC_ALL=de_DE.UTF-8", "TZ=Asia/Tokyo", "HOME=/",
                                     EDGEBERT_GEN, "--config", "default.cfg", "--out", "../b"},
                                    (folder / "elsewhere").string());
  ASSERT_TRUE(second.ok()) << second.output;

  const auto a = Tree(folder / "a");
  EXPECT_GT(a.size(), 50U);
  EXPECT_TRUE(a == Tree(folder / "b"));

  // Written over the first output, nothing changes and nothing is added.
  ASSERT_TRUE(test::RunTool({EDGEBERT_GEN, "--config", config, "--out", (folder / "a").string()},
                            folder.string())
                  .ok());
  EXPECT_TRUE(a == Tree(folder / "a"));

  const std::regex place_or_time(R"((/home/|/tmp/|/work/|\b20[2-9][0-9]-[01][0-9]-))");
  for (const auto& [path, text] : a) {
    EXPECT_FALSE(std::regex_search(text, place_or_time)) << path;
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace edgebert
