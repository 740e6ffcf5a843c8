#include "golden/checkpoint/dataset.h"

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace edgebert::checkpoint {
namespace {

const std::vector<std::string> kLabels = {"negative", "positive"};

std::string ErrorOf(const std::string& lines) {
  const auto data = ParseDataset("d", "sentence\tlabel\n" + lines, kLabels);
  return data.ok() ? "" : data.error().Format();
}

TEST(Dataset, ReadsNumbersAndNames) {
  const TemporaryFolder folder;
  const std::string path =
      folder.Write("d.tsv", "sentence\tlabel\na film\t0\r\ngood \tpositive\nlast\t1");
  const auto data = ReadDataset(path, kLabels);
  ASSERT_TRUE(data.ok()) << data.error().Format();
  ASSERT_EQ(data->size(), 3);
  EXPECT_EQ((*data)[0].sentence, "a film");
  EXPECT_EQ((*data)[0].label, 0);
  EXPECT_EQ((*data)[0].line, 2);
  EXPECT_EQ((*data)[1].sentence, "good ");
  EXPECT_EQ((*data)[1].label, 1);
  EXPECT_EQ((*data)[2].sentence, "last");
  EXPECT_EQ((*data)[2].line, 4);
}

TEST(Dataset, ReadsPairs) {
  const auto data =
      ParseDataset("d", "sentence\tpair\tlabel\nHow old?\tWhat age?\tpositive\n", kLabels);
  ASSERT_TRUE(data.ok()) << data.error().Format();
  EXPECT_EQ((*data)[0].sentence, "How old?");
  EXPECT_EQ((*data)[0].pair, "What age?");
  EXPECT_EQ((*data)[0].label, 1);
  EXPECT_EQ(ParseDataset("d", "sentence\tpair\tlabel\na\t1\nb\t \t1\n", kLabels).error().Format(),
            "d:2: error: the line has 2 columns, expected 3 [dataset-columns]\n"
            "d:3: error: the sentence is empty [dataset-sentence]");
}

TEST(Dataset, StopsAtTheLimit) {
  const std::string text = "sentence\tlabel\na\t0\nb\t1\nbad line\n";
  const auto data = ParseDataset("d", text, kLabels, 2);
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->size(), 2);
  EXPECT_FALSE(ParseDataset("d", text, kLabels).ok());
}

TEST(Dataset, RefusesAMissingFileAndHeader) {
  EXPECT_EQ(ReadDataset("/nonexistent/d", kLabels).error().Format(),
            "/nonexistent/d: error: cannot open the file: No such file or directory [dataset-io]");
  EXPECT_EQ(
      ParseDataset("d", "a film\t0\n", kLabels).error().Format(),
      "d:1: error: the first line must be 'sentence<TAB>label' or 'sentence<TAB>pair<TAB>label' "
      "[dataset-header]");
  EXPECT_EQ(ParseDataset("d", "", kLabels).error().Format(),
            "d: error: the file has no sentences [dataset-sentence]");
  EXPECT_EQ(ErrorOf(""), "d: error: the file has no sentences [dataset-sentence]");
}

TEST(Dataset, ReportsEveryBadLine) {
  EXPECT_EQ(ErrorOf("no label\n"
                    "a\tb\t0\n"
                    "\n"
                    " \t1\n"
                    "a film\t2\n"
                    "a film\t-1\n"
                    "a film\t1x\n"
                    "a film\t\n"
                    "a \xff film\t1\n"),
            "d:2: error: the line has 1 columns, expected 2 [dataset-columns]\n"
            "d:3: error: the line has 3 columns, expected 2 [dataset-columns]\n"
            "d:4: error: the line has 1 columns, expected 2 [dataset-columns]\n"
            "d:5: error: the sentence is empty [dataset-sentence]\n"
            "d:6:8: error: label '2' is neither a class nor a number below 2 [dataset-label]\n"
            "d:7:8: error: label '-1' is neither a class nor a number below 2 [dataset-label]\n"
            "d:8:8: error: label '1x' is neither a class nor a number below 2 [dataset-label]\n"
            "d:9:8: error: label '' is neither a class nor a number below 2 [dataset-label]\n"
            "d:10:3: error: the line is not UTF-8 [dataset-utf8]");
}

TEST(Dataset, GivesUpOnAFileOfAnotherKind) {
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += "no label\n";
  const auto data = ParseDataset("d", "sentence\tlabel\n" + lines, kLabels);
  ASSERT_FALSE(data.ok());
  EXPECT_EQ(data.error().diagnostics().size(), 20);
}

}  // namespace
}  // namespace edgebert::checkpoint
