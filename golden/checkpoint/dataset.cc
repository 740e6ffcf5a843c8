#include "golden/checkpoint/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "golden/checkpoint/file.h"
#include "golden/checkpoint/tokenizer.h"

namespace edgebert::checkpoint {
namespace {

constexpr std::string_view kHeader = "sentence\tlabel";
constexpr std::string_view kPairHeader = "sentence\tpair\tlabel";
constexpr size_t kMaxMistakes = 20;  // a file of another layout has one on every line

std::optional<int> LabelOf(std::string_view text, std::span<const std::string> labels) {
  const auto name = std::find(labels.begin(), labels.end(), text);
  if (name != labels.end()) return static_cast<int>(name - labels.begin());
  int number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || end != text.data() + text.size() || number < 0 ||
      number >= static_cast<int>(labels.size())) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

Result<std::vector<Example>> ReadDataset(const std::string& path,
                                         std::span<const std::string> labels, int limit) {
  EB_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, "dataset-io"));
  return ParseDataset(path, text, labels, limit);
}

Result<std::vector<Example>> ParseDataset(const std::string& name, const std::string& text,
                                          std::span<const std::string> labels, int limit) {
  Error error;
  std::vector<Example> examples;
  std::string_view rest = text;
  bool pairs = false;
  for (int line = 1; !rest.empty(); ++line) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view row = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (row.ends_with('\r')) row.remove_suffix(1);
    const auto fail = [&](int column, const std::string& message, const char* rule) {
      error.Add({.file = name, .line = line, .column = column}, message, rule);
    };

    if (line == 1) {
      pairs = row == kPairHeader;
      if (row != kHeader && !pairs) {
        fail(0, "the first line must be 'sentence<TAB>label' or 'sentence<TAB>pair<TAB>label'",
             "dataset-header");
        return error;
      }
      continue;
    }
    if (const auto column = FindInvalidUtf8(row)) {
      fail(static_cast<int>(*column), "the line is not UTF-8", "dataset-utf8");
    } else if (const auto tabs = std::count(row.begin(), row.end(), '\t');
               tabs != (pairs ? 2 : 1)) {
      fail(0, fmt::format("the line has {} columns, expected {}", tabs + 1, pairs ? 3 : 2),
           "dataset-columns");
    } else {
      const size_t tab = row.rfind('\t');
      const size_t first = row.find('\t');
      const std::string_view sentence = row.substr(0, first);
      const std::string_view pair = pairs ? row.substr(first + 1, tab - first - 1) : "";
      const auto blank = [](std::string_view t) { return t.find_first_not_of(' ') == t.npos; };
      const std::string_view label_text = row.substr(tab + 1);
      const auto label = LabelOf(label_text, labels);
      if (blank(sentence) || (pairs && blank(pair))) {
        fail(0, "the sentence is empty", "dataset-sentence");
      } else if (!label) {
        fail(static_cast<int>(tab) + 2,
             fmt::format("label '{}' is neither a class nor a number below {}", label_text,
                         labels.size()),
             "dataset-label");
      } else {
        examples.push_back({std::string(sentence), std::string(pair), *label, line});
        if (limit > 0 && examples.size() == static_cast<size_t>(limit)) break;
      }
    }
    if (error.diagnostics().size() == kMaxMistakes) break;
  }
  if (!error.empty()) return error;
  if (examples.empty()) {
    return Error({.file = name}, "the file has no sentences", "dataset-sentence");
  }
  return examples;
}

}  // namespace edgebert::checkpoint
