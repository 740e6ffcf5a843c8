// Output directories are written all or not at all.
#include "generator/handoff/file_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace edgebert::gen {
namespace {

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Every file and folder below, in alphabetical order.
std::vector<std::string> Listing(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    names.push_back(fs::relative(entry.path(), folder));
  }
  std::ranges::sort(names);
  return names;
}

FileSet TwoFiles() {
  FileSet files;
  files.Add("rtl/eb_top.v", "module\n");
  files.Add("manifest.json", "{}\n");
  return files;
}

TEST(FileSet, MakesANewDirectoryWithItsParents) {
  const TemporaryFolder folder;
  for (const char* name : {"a/b/out", "c/out/", "./e"}) {
    const Status status = TwoFiles().WriteTo(folder.File(name));
    ASSERT_TRUE(status.ok()) << status.error().Format();
    EXPECT_EQ(Listing(folder.File(name)),
              (std::vector<std::string>{"manifest.json", "rtl", "rtl/eb_top.v"}));
    EXPECT_EQ(Read(folder.path() / name / "rtl/eb_top.v"), "module\n");
  }
  EXPECT_EQ(Listing(folder.path() / "c").front(), "out") << "nothing else may be left beside it";
}

TEST(FileSet, ReplacesItsFilesAndKeepsOthers) {
  const TemporaryFolder folder;
  folder.Write("manifest.json", "old");
  folder.Write("notes.txt", "mine");
  ASSERT_TRUE(TwoFiles().WriteTo(folder.path()).ok());
  EXPECT_EQ(Read(folder.path() / "manifest.json"), "{}\n");
  EXPECT_EQ(Read(folder.path() / "notes.txt"), "mine");
  EXPECT_EQ(Listing(folder.path()),
            (std::vector<std::string>{"manifest.json", "notes.txt", "rtl", "rtl/eb_top.v"}));
}

TEST(FileSet, RefusesAFileAsDirectory) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("out", "a file");
  const Status status = TwoFiles().WriteTo(path);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().Format(),
            path + ": error: cannot write: Not a directory [output-write]");
  EXPECT_EQ(Read(path), "a file");
}

TEST(FileSet, SaysWhyADirectoryCannotBeMade) {
  const Status status = TwoFiles().WriteTo("/proc/edgebert/out");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().diagnostics().front().rule, "output-write");
  EXPECT_TRUE(status.error().Format().starts_with("/proc/edgebert/out")) << status.error().Format();
}

TEST(FileSet, ChangesNothingWhenOneFileHasNoPlace) {
  const TemporaryFolder folder;
  folder.Write("manifest.json", "old");
  fs::create_directories(folder.path() / "rtl/eb_top.v");
  const Status status = TwoFiles().WriteTo(folder.path());
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().Format(),
            folder.File("rtl/eb_top.v") + ": error: cannot write: Is a directory [output-write]");
  EXPECT_EQ(Read(folder.path() / "manifest.json"), "old");
  EXPECT_EQ(Listing(folder.path()),
            (std::vector<std::string>{"manifest.json", "rtl", "rtl/eb_top.v"}));
}

TEST(FileSetDeathTest, TakesPlainRelativePathsOnce) {
  FileSet files = TwoFiles();
  EXPECT_DEATH(files.Add("manifest.json", ""), "file 'manifest.json' added twice");
  EXPECT_DEATH(files.Add("/etc/passwd", ""), "not a plain relative path");
  EXPECT_DEATH(files.Add("../x", ""), "not a plain relative path");
  EXPECT_DEATH(files.Add("a/../b", ""), "not a plain relative path");
}

}  // namespace
}  // namespace edgebert::gen
