#include "generator/vlog/lexer.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <set>
#include <sstream>

namespace edgebert::vlog {
namespace {

constexpr const char* kKeywords =
    "always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config "
    "deassign default defparam design disable edge else end endcase endconfig endfunction "
    "endgenerate endmodule endprimitive endspecify endtable endtask event for force forever "
    "fork function generate genvar highz0 highz1 if ifnone incdir include initial inout "
    "input instance integer join large liblist library localparam macromodule medium module "
    "nand negedge nmos nor noshowcancelled not notif0 notif1 or output parameter pmos "
    "posedge primitive pull0 pull1 pulldown pullup pulsestyle_onevent pulsestyle_ondetect "
    "rcmos real realtime reg release repeat rnmos rpmos rtran rtranif0 rtranif1 scalared "
    "showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table task "
    "time tran tranif0 tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored "
    "wait wand weak0 weak1 while wire wor xnor xor";

bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool IsWordStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool IsWord(char c) { return IsWordStart(c) || IsDigit(c); }

bool IsPair(std::string_view text) {
  return text == "<=" || text == ">=" || text == "==" || text == "!=";
}

/// `(* keep *)`, but not the `(*)` of `@(*)`.
bool StartsAttribute(std::string_view text) { return text.starts_with("(*") && text != "(*)"; }

}  // namespace

bool IsKeyword(std::string_view word) {
  static const std::set<std::string, std::less<>> kWords = [] {
    std::istringstream words(kKeywords);
    return std::set<std::string, std::less<>>(std::istream_iterator<std::string>(words), {});
  }();
  return kWords.contains(word);
}

bool IsIdentifier(std::string_view word) {
  return !word.empty() && IsWordStart(word.front()) && std::ranges::all_of(word, IsWord);
}

void Lex(std::string_view text, const SourceSpan& where, std::vector<Token>& tokens) {
  SourceSpan here = where;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto word_end = [&](size_t from) {
      while (from < text.size() && (IsWord(text[from]) || (IsDigit(c) && text[from] == '\'')))
        ++from;
      return from;
    };
    size_t end = i + 1;
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      if (c == '\n') ++here.line;
    } else if (text.substr(i, 2) == "//") {
      end = std::min(text.find('\n', i), text.size());
    } else if (text.substr(i, 2) == "/*" || StartsAttribute(text.substr(i, 3))) {
      const std::string_view close = c == '/' ? "*/" : "*)";
      end = std::min(text.find(close, i + 2), text.size() - 2) + 2;
      here.line += static_cast<int>(std::count(text.begin() + i, text.begin() + end, '\n'));
    } else if (c == '"') {
      end = std::min(text.find('"', i + 1), text.size() - 1) + 1;
    } else {
      TokenKind kind = TokenKind::kSymbol;
      if (c == '$' || c == '`' || c == '\'' || IsDigit(c)) {
        end = word_end(i + 1);
        kind = c == '$'   ? TokenKind::kSystem
               : c == '`' ? TokenKind::kDirective
                          : TokenKind::kNumber;
      } else if (IsWordStart(c)) {
        end = word_end(i + 1);
        kind = IsKeyword(text.substr(i, end - i)) ? TokenKind::kKeyword : TokenKind::kIdentifier;
      } else if (IsPair(text.substr(i, 2))) {
        end = i + 2;
      }
      tokens.push_back({std::string(text.substr(i, end - i)), kind, here});
    }
    i = end;
  }
}

}  // namespace edgebert::vlog
