// Labelled sentences: a UTF-8 text file, `sentence<TAB>label` on each line, after the header line
// "sentence<TAB>label" (GLUE's SST-2 layout). Of sentence pairs, `sentence<TAB>pair<TAB>label` after
// such a header.
//
// Rules: "dataset-io", "dataset-header", "dataset-columns", "dataset-utf8", "dataset-sentence",
// "dataset-label".
#pragma once

#include <span>
#include <string>
#include <vector>

#include "golden/base/result.h"

namespace edgebert::checkpoint {

struct Example {
  std::string sentence;
  std::string pair;  ///< second sentence; empty: none
  int label = 0;
  int line = 0;  ///< in the file, 1-based
};

/// `labels` are the names of the classes: a label is one of them, or its number. At most `limit`
/// examples are read when it is positive. All mistakes of the part read are reported.
Result<std::vector<Example>> ReadDataset(const std::string& path,
                                         std::span<const std::string> labels, int limit = 0);
/// The same from memory; `name` stands for the file in diagnostics.
Result<std::vector<Example>> ParseDataset(const std::string& name, const std::string& text,
                                          std::span<const std::string> labels, int limit = 0);

}  // namespace edgebert::checkpoint
