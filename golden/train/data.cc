#include "golden/train/data.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "golden/checkpoint/file.h"
#include "golden/checkpoint/json_text.h"
#include "golden/checkpoint/tokenizer.h"

namespace edgebert::train {
namespace {

constexpr size_t kMaxMistakes = 20;  // a file of another layout has one on every line

struct Columns {
  char separator = '\t';
  bool quotes = false;
  std::string text;
  std::string pair;
  std::string label;
};

Columns ColumnsOf(const Options& options, const std::string& path) {
  const std::string& format = options.data.format;
  if (format == "sst2") return {.text = "sentence", .label = "label"};
  if (format == "qnli") return {.text = "question", .pair = "sentence", .label = "label"};
  if (format == "qqp") {
    return {.text = "question1", .pair = "question2", .label = "is_duplicate"};
  }
  if (format == "mnli") return {.text = "sentence1", .pair = "sentence2", .label = "gold_label"};
  Columns columns = {.text = options.data.text_column,
                     .pair = options.data.pair_column,
                     .label = options.data.label_column};
  if (path.ends_with(".csv")) {
    columns.separator = ',';
    columns.quotes = true;
  }
  return columns;
}

/// Cuts a text into records of fields. A quoted field may hold separators, line ends and, doubled,
/// quotes.
class RecordReader {
 public:
  RecordReader(std::string_view text, const Columns& columns) : text_(text), columns_(columns) {}

  /// False at the end of the text.
  bool Next(std::vector<std::string>* fields) {
    if (at_ >= text_.size()) return false;
    line_ = next_line_;
    broken_quote_ = false;
    fields->clear();
    fields->emplace_back();
    for (;;) {
      if (columns_.quotes && at_ < text_.size() && text_[at_] == '"' && fields->back().empty()) {
        ReadQuoted(&fields->back());
      }
      const char c = at_ < text_.size() ? text_[at_++] : '\n';
      if (c == '\n') break;
      if (c == columns_.separator) {
        fields->emplace_back();
      } else {
        fields->back() += c;
      }
    }
    ++next_line_;
    if (fields->back().ends_with('\r')) fields->back().pop_back();
    return true;
  }

  [[nodiscard]] int line() const { return line_; }
  [[nodiscard]] bool broken_quote() const { return broken_quote_; }

 private:
  void ReadQuoted(std::string* field) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        const bool doubled = at_ < text_.size() && text_[at_] == '"';
        if (!doubled) {
          const bool ends = at_ >= text_.size() || text_[at_] == columns_.separator ||
                            text_[at_] == '\r' || text_[at_] == '\n';
          broken_quote_ = broken_quote_ || !ends;
          return;
        }
      }
      if (text_[at_] == '\n') ++next_line_;
      *field += text_[at_];
    }
    broken_quote_ = true;  // no closing quote
  }

  std::string_view text_;
  const Columns& columns_;
  size_t at_ = 0;
  int line_ = 0;
  int next_line_ = 1;
  bool broken_quote_ = false;
};

/// Collects rows and what is wrong with them.
class RowCollector {
 public:
  RowCollector(const std::string& file, int limit) : file_(file), limit_(limit) {}

  void Fail(int line, const std::string& message, const char* rule) {
    error_.Add({.file = file_, .line = line}, message, rule);
  }
  void Add(Row row, bool has_pair) {
    const auto blank = [](const std::string& text) {
      return text.find_first_not_of(" \t\r\n") == text.npos;
    };
    const auto bad_utf8 = [](const std::string& text) {
      return checkpoint::FindInvalidUtf8(text).has_value();
    };
    if (bad_utf8(row.text) || bad_utf8(row.pair) || bad_utf8(row.label)) {
      Fail(row.line, "the line is not UTF-8", "train-data-utf8");
    } else if (blank(row.text) || (has_pair && blank(row.pair))) {
      Fail(row.line, "the sentence is empty", "train-data-empty");
    } else if (blank(row.label)) {
      Fail(row.line, "the label is empty", "train-data-label");
    } else {
      rows_.push_back(std::move(row));
    }
  }
  [[nodiscard]] bool Done() const {
    return error_.diagnostics().size() >= kMaxMistakes ||
           (limit_ > 0 && rows_.size() >= static_cast<size_t>(limit_));
  }
  Result<std::vector<Row>> Take() {
    if (error_.empty() && rows_.empty()) Fail(0, "the file has no sentences", "train-data-empty");
    if (!error_.empty()) return error_;
    return std::move(rows_);
  }

 private:
  const std::string& file_;
  int limit_;
  std::vector<Row> rows_;
  Error error_;
};

Result<std::vector<Row>> ParseTable(const Options& options, const std::string& path,
                                    const std::string& text) {
  const Columns columns = ColumnsOf(options, path);
  RowCollector collector(path, options.data.limit);
  RecordReader reader(text, columns);
  std::vector<std::string> header;
  if (!reader.Next(&header)) return collector.Take();
  const auto column = [&](const std::string& name) -> size_t {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found == header.end()) {
      std::string names = fmt::format("{}", fmt::join(header, "', '"));
      if (names.size() > 200 || checkpoint::FindInvalidUtf8(names)) names = "…";
      collector.Fail(1, fmt::format("no column '{}' in the header: '{}'", name, names),
                     "train-data-header");
      return 0;
    }
    return static_cast<size_t>(found - header.begin());
  };
  const size_t text_column = column(columns.text);
  const size_t pair_column = columns.pair.empty() ? 0 : column(columns.pair);
  const size_t label_column = column(columns.label);
  std::vector<std::string> fields;
  while (!collector.Done() && reader.Next(&fields)) {
    if (reader.broken_quote()) {
      collector.Fail(reader.line(), "a quoted column does not end in a quote before its separator",
                     "train-data-quote");
    } else if (fields.size() == 1 && fields[0].empty()) {
      collector.Fail(reader.line(), "the line is empty", "train-data-empty");
    } else if (fields.size() != header.size()) {
      collector.Fail(
          reader.line(),
          fmt::format("the line has {} columns, the header {}", fields.size(), header.size()),
          "train-data-columns");
    } else {
      collector.Add({.text = fields[text_column],
                     .pair = columns.pair.empty() ? "" : fields[pair_column],
                     .label = fields[label_column],
                     .line = reader.line()},
                    !columns.pair.empty());
    }
  }
  return collector.Take();
}

Result<std::vector<Row>> ParseClinc(const Options& options, Part part, const std::string& path,
                                    const std::string& text) {
  const auto fail = [&](int line, const std::string& message) {
    return Error({.file = path, .line = line}, message, "train-data-json");
  };
  nlohmann::json json;
  if (const auto mistake = checkpoint::ParseJson(text, &json)) {
    return fail(checkpoint::LineOf(text, mistake->byte), mistake->message);
  }
  if (!json.is_object()) return fail(1, "the file is not a JSON object");
  const std::string name = part == Part::kTrain ? "train" : "val";
  if (!json.contains(name)) return fail(0, fmt::format("there is no '{}'", name));
  RowCollector collector(path, options.data.limit);
  for (const std::string& key : {name, "oos_" + name}) {
    if (!json.contains(key)) continue;
    const int line = checkpoint::LineOf(text, checkpoint::FindKey(text, key));
    if (!json[key].is_array()) return fail(line, fmt::format("'{}' is not a list", key));
    for (size_t i = 0; i < json[key].size() && !collector.Done(); ++i) {
      const nlohmann::json& pair = json[key][i];
      if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
        collector.Fail(line, fmt::format("entry {} of '{}' is not [text, intent]", i, key),
                       "train-data-json");
      } else {
        collector.Add({.text = pair[0], .pair = "", .label = pair[1], .line = line}, false);
      }
    }
  }
  return collector.Take();
}

const std::string& PathOf(const Options& options, Part part) {
  return part == Part::kTrain ? options.data.train : options.data.valid;
}

std::optional<long> NumberOf(const std::string& text) {
  long number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Result<std::vector<Row>> ReadRows(const Options& options, Part part) {
  EB_ASSIGN_OR_RETURN(const std::string text,
                      checkpoint::ReadTextFile(PathOf(options, part), "train-data-io"));
  return ParseRows(options, part, text);
}

Result<std::vector<Row>> ParseRows(const Options& options, Part part, const std::string& text) {
  const std::string& path = PathOf(options, part);
  return options.data.format == "clinc" ? ParseClinc(options, part, path, text)
                                        : ParseTable(options, path, text);
}

Result<std::vector<std::string>> FindLabels(const Options& options, std::span<const Row> rows) {
  std::vector<std::string> labels;
  if (!options.data.labels.empty()) {
    std::string_view rest = options.data.labels;
    while (true) {
      const size_t comma = std::min(rest.find(','), rest.size());
      labels.emplace_back(rest.substr(0, comma));
      if (comma == rest.size()) break;
      rest.remove_prefix(comma + 1);
    }
  } else {
    std::set<std::string> names;
    for (const Row& row : rows) names.insert(row.label);
    labels.assign(names.begin(), names.end());
    if (std::ranges::all_of(labels, [](const std::string& l) { return NumberOf(l).has_value(); })) {
      std::ranges::stable_sort(labels, {}, [](const std::string& l) { return *NumberOf(l); });
    }
  }
  if (labels.size() < 2) {
    return Error({.file = options.data.train},
                 fmt::format("a task has at least 2 classes, got {}", labels.size()),
                 "train-data-label");
  }
  return labels;
}

Result<std::vector<int>> LabelRows(const std::string& path, std::span<const Row> rows,
                                   std::span<const std::string> labels) {
  Error error;
  std::vector<int> classes;
  for (const Row& row : rows) {
    const auto found = std::find(labels.begin(), labels.end(), row.label);
    const std::optional<long> number = NumberOf(row.label);
    if (found == labels.end() && number && *number >= 0 && *number < std::ssize(labels)) {
      classes.push_back(static_cast<int>(*number));
      continue;
    }
    if (found == labels.end()) {
      error.Add({.file = path, .line = row.line},
                fmt::format("label '{}' is neither one of the {} classes nor a number below",
                            row.label, labels.size()),
                "train-data-label");
      if (error.diagnostics().size() >= kMaxMistakes) break;
    }
    classes.push_back(static_cast<int>(found - labels.begin()));
  }
  if (!error.empty()) return error;
  return classes;
}

Result<std::vector<float>> ReadAnswers(const std::string& path, std::span<const std::string> labels,
                                       size_t sentences) {
  EB_ASSIGN_OR_RETURN(const std::string text, checkpoint::ReadTextFile(path, "train-data-io"));
  const Columns columns;
  RecordReader reader(text, columns);
  std::vector<std::string> fields;
  const auto fail = [&](const std::string& message) {
    return Error({.file = path, .line = reader.line()}, message, "train-data-answers");
  };
  if (!reader.Next(&fields) || !std::ranges::equal(fields, labels)) {
    return fail(
        fmt::format("the header must be the classes of the task: '{}'", fmt::join(labels, "', '")));
  }
  std::vector<float> logits;
  while (reader.Next(&fields)) {
    for (const std::string& field : fields) {
      const char* const end = field.data() + field.size();
      float& logit = logits.emplace_back();
      const auto [stop, status] = std::from_chars(field.data(), end, logit);
      if (status != std::errc() || stop != end || !std::isfinite(logit)) {
        return fail(fmt::format("'{}' is not a number", field));
      }
    }
    if (fields.size() != labels.size()) {
      return fail(
          fmt::format("the line has {} logits, the task {} classes", fields.size(), labels.size()));
    }
  }
  if (logits.size() != sentences * labels.size()) {
    return fail(fmt::format("the file answers {} sentences, there are {} to train on",
                            logits.size() / labels.size(), sentences));
  }
  return logits;
}

}  // namespace edgebert::train
