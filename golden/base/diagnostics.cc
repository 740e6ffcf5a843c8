#include "golden/base/diagnostics.h"

#include <fmt/format.h>

namespace edgebert {

std::string Diagnostic::Format() const {
  std::string place = where.file;
  if (where.line > 0) {
    place += fmt::format(":{}", where.line);
    if (where.column > 0) place += fmt::format(":{}", where.column);
  }
  if (!place.empty()) place += ": ";
  return fmt::format("{}error: {} [{}]", place, message, rule);
}

Error Error::Placed(const SourceSpan& where) const {
  Error placed;
  for (const Diagnostic& diagnostic : diagnostics_) {
    placed.Add(diagnostic.where.file.empty() ? where : diagnostic.where, diagnostic.message,
               diagnostic.rule);
  }
  return placed;
}

std::string Error::Format() const {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics_) {
    if (!text.empty()) text += '\n';
    text += diagnostic.Format();
  }
  return text;
}

}  // namespace edgebert
