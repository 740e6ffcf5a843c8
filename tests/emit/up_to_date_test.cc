// rtl/ and waves/ are what the generator makes of the presets, byte for byte.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "generator/emit_all.h"
#include "tests/emit/presets.h"

namespace edgebert {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> ExpectedFiles() {
  std::map<std::string, std::string> files;
  for (const test::Preset& preset : test::Presets()) {
    const gen::FileSet made = gen::EmitAll(preset.config, preset.name);
    for (const auto& [path, text] : made.files()) {
      files[(path.starts_with("waves/") ? "" : "rtl/") + path] = text;
    }
  }
  return files;
}

/// Line number and both lines of the first difference.
std::string FirstDifference(const std::string& is, const std::string& should_be) {
  std::istringstream a(is);
  std::istringstream b(should_be);
  std::string line_a;
  std::string line_b;
  for (int line = 1;; ++line) {
    const bool more_a = static_cast<bool>(std::getline(a, line_a));
    const bool more_b = static_cast<bool>(std::getline(b, line_b));
    if (!more_a && !more_b) return "they differ in the last newline";
    if (more_a != more_b || line_a != line_b) {
      return "line " + std::to_string(line) + "\n  is:        " + (more_a ? line_a : "(end)") +
             "\n  should be: " + (more_b ? line_b : "(end)");
    }
  }
}

TEST(UpToDate, RtlIsWhatTheGeneratorMakes) {
  const fs::path root = test::SourceRoot();
  const std::string remedy = "\nrun: scripts/regenerate-rtl.sh";
  const std::map<std::string, std::string> expected = ExpectedFiles();
  for (const auto& [path, text] : expected) {
    ASSERT_TRUE(fs::exists(root / path)) << path << " is missing" << remedy;
    const std::string is = test::ReadFile(root / path);
    ASSERT_TRUE(is == text) << path << ": " << FirstDifference(is, text) << remedy;
  }
  for (const char* folder : {"rtl", "waves"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string path = fs::relative(entry.path(), root).string();
      if (!entry.is_regular_file() || path == "rtl/README.md") continue;
      EXPECT_TRUE(expected.contains(path)) << path << " is not made any more" << remedy;
    }
  }
}

}  // namespace
}  // namespace edgebert
