// Verilog-2005 text to tokens: as much as the checks of the emission layer need.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "golden/base/diagnostics.h"

namespace edgebert::vlog {

enum class TokenKind : uint8_t {
  kIdentifier,
  kKeyword,
  kNumber,  ///< `12`, `4'b0101`, `8'sd3`; a real number is three tokens
  kSystem,  ///< `$signed`
  kDirective,
  kSymbol,  ///< one character, or one of `<= >= == !=`
};

struct Token {
  std::string text;
  TokenKind kind;
  SourceSpan where;
  int scope = 0;  ///< filled in by the checker
};

/// Reserved words of IEEE 1364-2005, annex B.
[[nodiscard]] bool IsKeyword(std::string_view word);
/// A simple identifier: a letter or underscore, then letters, digits and underscores.
[[nodiscard]] bool IsIdentifier(std::string_view word);

/// Appends the tokens of `text`, whose first line is at `where`. Comments, strings and attributes
/// are dropped.
void Lex(std::string_view text, const SourceSpan& where, std::vector<Token>& tokens);

}  // namespace edgebert::vlog
