// Labelled sentences, or pairs of sentences, in the layouts that data sets come in:
//   table   a header line and columns by name; a .csv has commas and RFC 4180 quotes, else tabs
//   sst2, qnli, qqp, mnli   GLUE's files: tables with GLUE's column names, tabs, no quotes
//   clinc   JSON: {"train": [["text", "intent"], ..], "val": .., "test": .., "oos_train": ..}
//
// Rules: "train-data-io", "train-data-header", "train-data-columns", "train-data-quote",
// "train-data-utf8", "train-data-empty", "train-data-label", "train-data-json",
// "train-data-answers".
#pragma once

#include <span>
#include <string>
#include <vector>

#include "golden/base/result.h"
#include "golden/train/options.h"

namespace edgebert::train {

struct Row {
  std::string text;
  std::string pair;   ///< second sentence; empty: none
  std::string label;  ///< as in the file
  int line = 0;       ///< in the file, 1-based
};

enum class Part { kTrain, kValid };

/// All mistakes are reported, up to 20.
Result<std::vector<Row>> ReadRows(const Options& options, Part part);
/// The same from memory; the options' path stands for the file in diagnostics.
Result<std::vector<Row>> ParseRows(const Options& options, Part part, const std::string& text);

/// The classes: those named, else those of `rows`, sorted (whole numbers by value).
Result<std::vector<std::string>> FindLabels(const Options& options, std::span<const Row> rows);

/// The class of each row: a label is one of `labels`, or its number. `path` is the file of the
/// rows, for diagnostics.
Result<std::vector<int>> LabelRows(const std::string& path, std::span<const Row> rows,
                                   std::span<const std::string> labels);

/// The logits of a teacher, row by row: a header of `labels`, then `sentences` lines of a number
/// for each of them, separated by tabs.
Result<std::vector<float>> ReadAnswers(const std::string& path, std::span<const std::string> labels,
                                       size_t sentences);

}  // namespace edgebert::train
