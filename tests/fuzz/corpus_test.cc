// The corpora of the fuzzer, through the same readers. The name of a file says what must become of
// it: "taken_*" or "refused_*"; of others, whatever the readers' own rules allow.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/readers.h"

namespace edgebert::fuzz {
namespace {

namespace fs = std::filesystem;

class Corpus : public testing::TestWithParam<Reader> {};

TEST_P(Corpus, IsReadAsItsNamesSay) {
  const Reader& reader = GetParam();
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(EDGEBERT_CORPUS) / reader.name)) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  int taken = 0;
  int refused = 0;
  for (const fs::path& path : files) {
    const std::string name = path.filename();
    std::ifstream in(path, std::ios::binary);
    const std::vector<uint8_t> bytes(std::istreambuf_iterator<char>(in), {});
    const bool outcome = reader.read(bytes);
    ++(outcome ? taken : refused);
    EXPECT_FALSE(outcome && name.starts_with("refused_")) << path;
    EXPECT_FALSE(!outcome && name.starts_with("taken_")) << path;
    // Cut anywhere, it is a file too.
    for (size_t part = 0; part < 16; ++part) {
      reader.read(std::span(bytes).first(bytes.size() * part / 16));
    }
  }
  EXPECT_GT(taken, 0) << "no file that passes: the fuzzer would not get past the first check";
  EXPECT_GT(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Readers, Corpus, testing::ValuesIn(Readers().begin(), Readers().end()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace edgebert::fuzz
