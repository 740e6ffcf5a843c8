// The checks of the emission layer: a lexer that knows enough Verilog-2005 to find what is
// declared, used, driven and connected in the text of a module.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "generator/vlog/module.h"

namespace edgebert::vlog {

/// Reserved words of Verilog-2005 (IEEE 1364-2005, annex B).
[[nodiscard]] bool IsKeyword(std::string_view word);
/// A simple identifier: a letter or underscore, then letters, digits and underscores.
[[nodiscard]] bool IsIdentifier(std::string_view word);

/// Runs every check on one module and collects what it finds.
class Checker {
 public:
  explicit Checker(const Module& module) : module_(module) {}
  [[nodiscard]] Error Run();

 private:
  struct Token {
    std::string text;
    SourceSpan where;
    bool is_identifier = false;
  };

  void CheckInterface();
  void Lex(const std::string& text, const SourceSpan& where);
  void CollectDeclarations();
  size_t Declaration(size_t index, int scope);
  void Declare(const Token& token, int scope);
  void CheckUses();
  size_t CheckInstance(size_t index);
  void CheckOutputsDriven();
  [[nodiscard]] size_t SkipBalanced(size_t index) const;
  [[nodiscard]] const std::string& Text(size_t index) const;
  void Fail(const SourceSpan& where, const std::string& message, const std::string& rule);

  const Module& module_;
  std::vector<Token> tokens_;
  std::set<std::string> declared_;
  std::map<int, std::set<std::string>> scopes_;
  std::set<std::string> driven_;
  Error error_;
};

}  // namespace edgebert::vlog
