// Diagnostics: what a user did wrong, where, and which rule it broke.
//
// Errors are data, collected and returned, never printed where they are found. A message is lower
// case, quotes names in '…', and ends without a full stop. The rule is a stable short name that
// scripts and tests may rely on, e.g. "config-range".
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace edgebert {

/// A place in an input: a file (or "command line"), a 1-based line and column; 0 means unknown.
struct SourceSpan {
  std::string file;
  int line = 0;
  int column = 0;
};

/// One mistake. Formats as `file:line:column: error: message [rule]`.
struct Diagnostic {
  SourceSpan where;
  std::string message;
  std::string rule;

  [[nodiscard]] std::string Format() const;
};

/// One or more diagnostics, in the order they were found.
class Error {
 public:
  Error() = default;
  Error(SourceSpan where, std::string message, std::string rule) {
    Add(std::move(where), std::move(message), std::move(rule));
  }

  void Add(SourceSpan where, std::string message, std::string rule) {
    diagnostics_.push_back({std::move(where), std::move(message), std::move(rule)});
  }
  void Append(const Error& other) {
    diagnostics_.insert(diagnostics_.end(), other.diagnostics_.begin(), other.diagnostics_.end());
  }

  /// The same, at `where` what had no place.
  [[nodiscard]] Error Placed(const SourceSpan& where) const;

  [[nodiscard]] bool empty() const { return diagnostics_.empty(); }
  [[nodiscard]] const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }
  /// All diagnostics, one a line.
  [[nodiscard]] std::string Format() const;

 private:
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace edgebert
