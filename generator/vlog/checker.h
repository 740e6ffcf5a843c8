// The checks of the emission layer: what the text of a module declares, uses, drives and connects.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "generator/vlog/lexer.h"
#include "generator/vlog/module.h"

namespace edgebert::vlog {

/// Runs every check on one module and collects what it finds. The rules:
///   vlog-identifier  a name of the interface is not a legal identifier
///   vlog-undeclared  a name is used where no declaration of it is visible
///   vlog-duplicate   a name is declared twice in a scope
///   vlog-undriven    an output is never assigned, nor connected to an output of an instance
///   vlog-port        an instance leaves out, repeats or invents a port, or leaves an input open
///   vlog-parameter   an instance leaves out or invents a parameter
///   vlog-dialect     `initial`, compiler directives, literals without a width
///   vlog-layout      a line over 100 columns, a tab, trailing space or a character beyond ASCII
class Checker {
 public:
  explicit Checker(const Module& module) : module_(module) {}
  [[nodiscard]] Error Run();

 private:
  // The module, a named block or a function. Scope 0 is the module.
  struct Scope {
    int parent = -1;
    std::set<std::string> names;
  };

  // `.name (first, ..., last - 1)` of an instance, as token indices.
  struct Connection {
    size_t name;
    size_t first;
    size_t last;
  };

  void CheckInterface();
  void CheckLayout();
  void CheckDialect();
  void CollectDeclarations();
  size_t CollectDeclaration(size_t index, int scope);
  void CollectInstance(size_t index, int scope);
  void CheckUses();
  void CheckInstance(size_t index);
  std::vector<Connection> Connections(size_t index) const;
  void CheckParameters(const std::vector<Connection>& given, size_t instance);
  void CheckPorts(const std::vector<Connection>& given, size_t instance, size_t name);
  void CheckOutputsDriven();

  int OpenScope(int parent);
  void Declare(const Token& token, int scope);
  void DriveAll(size_t begin, size_t end);
  [[nodiscard]] bool IsVisible(const std::string& name, int scope) const;
  [[nodiscard]] bool StartsStatement(size_t index) const;
  [[nodiscard]] size_t SkipBalanced(size_t index) const;
  [[nodiscard]] size_t SkipSelects(size_t index) const;
  [[nodiscard]] const std::string& Text(size_t index) const;
  [[nodiscard]] bool Is(size_t index, TokenKind kind) const;
  void Fail(const SourceSpan& where, const std::string& message, const std::string& rule);

  const Module& module_;
  std::vector<Token> tokens_;
  std::vector<Scope> scopes_ = {{}};
  std::set<std::string> driven_;
  Error error_;
};

}  // namespace edgebert::vlog
