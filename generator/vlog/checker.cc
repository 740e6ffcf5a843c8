#include "generator/vlog/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace edgebert::vlog {
namespace {

bool IsDeclarationKeyword(const std::string& word) {
  return word == "wire" || word == "reg" || word == "integer" || word == "genvar" ||
         word == "localparam" || word == "parameter" || word == "input" || word == "output";
}

bool IsOpening(const std::string& text) { return text == "(" || text == "[" || text == "{"; }
bool IsClosing(const std::string& text) { return text == ")" || text == "]" || text == "}"; }

}  // namespace

void Checker::Fail(const SourceSpan& where, const std::string& message, const std::string& rule) {
  error_.Add(where, fmt::format("module '{}': {}", module_.name_, message), rule);
}

const std::string& Checker::Text(size_t index) const {
  static const std::string kNone;
  return index < tokens_.size() ? tokens_[index].text : kNone;
}

bool Checker::Is(size_t index, TokenKind kind) const {
  return index < tokens_.size() && tokens_[index].kind == kind;
}

// From an opening bracket to behind the one that closes it.
size_t Checker::SkipBalanced(size_t index) const {
  int depth = 0;
  for (; index < tokens_.size(); ++index) {
    if (IsOpening(Text(index))) ++depth;
    if (IsClosing(Text(index))) --depth;
    if (depth == 0) return index + 1;
  }
  return index;
}

size_t Checker::SkipSelects(size_t index) const {
  while (Text(index) == "[") index = SkipBalanced(index);
  return index;
}

int Checker::OpenScope(int parent) {
  scopes_.push_back({parent, {}});
  return static_cast<int>(scopes_.size()) - 1;
}

void Checker::Declare(const Token& token, int scope) {
  if (!scopes_[static_cast<size_t>(scope)].names.insert(token.text).second) {
    Fail(token.where, fmt::format("'{}' declared twice", token.text), "vlog-duplicate");
  }
}

bool Checker::IsVisible(const std::string& name, int scope) const {
  for (; scope >= 0; scope = scopes_[static_cast<size_t>(scope)].parent) {
    if (scopes_[static_cast<size_t>(scope)].names.contains(name)) return true;
  }
  return false;
}

// From a declaration keyword, `reg signed [W-1:0] a, b = x + y;`, to the ';' or, in the port list
// of a function, to the next declaration or the ')'.
size_t Checker::CollectDeclaration(size_t index, int scope) {
  while (Is(index, TokenKind::kKeyword)) ++index;
  index = SkipSelects(index);
  while (Is(index, TokenKind::kIdentifier)) {
    Declare(tokens_[index], scope);
    index = SkipSelects(index + 1);
    while (index < tokens_.size() && Text(index) != ";" && Text(index) != "," &&
           !IsClosing(Text(index))) {
      index = IsOpening(Text(index)) ? SkipBalanced(index) : index + 1;
    }
    if (Text(index) != ",") break;
    ++index;
  }
  return index;
}

// `child #(.P (x)) u_name (...);` declares u_name.
void Checker::CollectInstance(size_t index, int scope) {
  ++index;
  if (Text(index) == "#") index = SkipBalanced(index + 1);
  if (Is(index, TokenKind::kIdentifier)) Declare(tokens_[index], scope);
}

// Declares every name in its scope, and notes the scope of every token.
void Checker::CollectDeclarations() {
  std::vector<int> stack = {0};
  std::vector<bool> block_is_named;
  for (size_t i = 0; i < tokens_.size();) {
    const int scope = stack.back();
    const std::string& text = Text(i);
    size_t end = i + 1;
    if (text == "begin") {
      block_is_named.push_back(Text(i + 1) == ":");
      if (block_is_named.back()) {
        Declare(tokens_.at(i + 2), scope);
        stack.push_back(OpenScope(scope));
        end = i + 3;
      }
    } else if (text == "end" && !block_is_named.empty()) {
      if (block_is_named.back()) stack.pop_back();
      block_is_named.pop_back();
    } else if (text == "function" || text == "task") {
      while (Is(end, TokenKind::kKeyword)) ++end;
      end = SkipSelects(end);
      Declare(tokens_.at(end), scope);
      stack.push_back(OpenScope(scope));
    } else if ((text == "endfunction" || text == "endtask") && stack.size() > 1) {
      stack.pop_back();
    } else if (IsDeclarationKeyword(text)) {
      end = CollectDeclaration(i, scope);
    } else if (Is(i, TokenKind::kIdentifier) && module_.children_.contains(text)) {
      CollectInstance(i, scope);
    }
    for (; i < end && i < tokens_.size(); ++i) tokens_[i].scope = scope;
  }
}

void Checker::CheckUses() {
  std::set<std::string> reported;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    if (token.kind != TokenKind::kIdentifier) continue;
    if (i > 0 && Text(i - 1) == ".") continue;  // A name of another module or scope.
    if (module_.children_.contains(token.text)) {
      CheckInstance(i);
    } else if (!IsVisible(token.text, token.scope) && reported.insert(token.text).second) {
      Fail(token.where, fmt::format("'{}' used but never declared", token.text), "vlog-undeclared");
    }
  }
}

// The connections of the list that opens at `index`.
std::vector<Checker::Connection> Checker::Connections(size_t index) const {
  std::vector<Connection> connections;
  const size_t end = SkipBalanced(index);
  for (++index; index < end; ++index) {
    if (Text(index) != ".") continue;
    const size_t close = SkipBalanced(index + 2);
    connections.push_back({index + 1, index + 3, close - 1});
    index = close - 1;
  }
  return connections;
}

void Checker::CheckInstance(size_t index) {
  size_t name = index + 1;
  std::vector<Connection> parameters;
  if (Text(name) == "#") {
    parameters = Connections(name + 1);
    name = SkipBalanced(name + 1);
  }
  CheckParameters(parameters, index);
  CheckPorts(Connections(name + 1), index, name);
}

void Checker::CheckParameters(const std::vector<Connection>& given, size_t instance) {
  const std::string& child = Text(instance);
  std::set<std::string> missing;
  for (const Parameter& parameter : module_.children_.at(child).parameters) {
    missing.insert(parameter.name);
  }
  for (const Connection& connection : given) {
    if (missing.erase(Text(connection.name)) == 1) continue;
    Fail(tokens_[connection.name].where,
         fmt::format("'{}' has no parameter '{}'", child, Text(connection.name)), "vlog-parameter");
  }
  for (const std::string& name : missing) {
    Fail(tokens_[instance].where, fmt::format("parameter '{}' of '{}' is not set", name, child),
         "vlog-parameter");
  }
}

void Checker::CheckPorts(const std::vector<Connection>& given, size_t instance, size_t name) {
  const std::string& child = Text(instance);
  const std::vector<Port>& ports = module_.children_.at(child).ports;
  std::set<std::string> connected;
  for (const Connection& connection : given) {
    const SourceSpan& where = tokens_[connection.name].where;
    const std::string& port_name = Text(connection.name);
    const auto port = std::ranges::find(ports, port_name, &Port::name);
    if (port == ports.end()) {
      Fail(where, fmt::format("'{}' has no port '{}'", child, port_name), "vlog-port");
      continue;
    }
    if (!connected.insert(port_name).second) {
      Fail(where, fmt::format("port '{}' of '{}' connected twice", port_name, Text(name)),
           "vlog-port");
    }
    if (port->direction == Direction::kOutput) {
      DriveAll(connection.first, connection.last);
    } else if (connection.first == connection.last) {
      Fail(where, fmt::format("input '{}' of '{}' is left open", port_name, Text(name)),
           "vlog-port");
    }
  }
  for (const Port& port : ports) {
    if (connected.contains(port.name)) continue;
    Fail(tokens_[instance].where,
         fmt::format("port '{}' of '{}' ({}) is not connected", port.name, Text(name), child),
         "vlog-port");
  }
}

// Every name of a target, `a[i]` or `{a, b[3:0]}`, but not the names of its selects.
void Checker::DriveAll(size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    if (Text(i) == "[") i = SkipBalanced(i) - 1;
    if (Is(i, TokenKind::kIdentifier)) driven_.insert(Text(i));
  }
}

bool Checker::StartsStatement(size_t index) const {
  if (index == 0) return true;
  static const std::set<std::string> kBefore = {";",      "begin", "end", "else",
                                                "assign", ")",     ":",   ","};
  return kBefore.contains(Text(index - 1)) || (Text(index - 1) == "*" && Text(index - 2) == "@");
}

void Checker::CheckOutputsDriven() {
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (!StartsStatement(i)) continue;
    size_t end = i;
    if (Text(i) == "{") end = SkipBalanced(i);
    if (Is(i, TokenKind::kIdentifier)) end = SkipSelects(i + 1);
    if (Text(end) == "=" || Text(end) == "<=") DriveAll(i, end);
  }
  for (const Port& port : module_.ports_) {
    if (port.direction == Direction::kOutput && !driven_.contains(port.name)) {
      Fail({module_.source_}, fmt::format("output '{}' is never driven", port.name),
           "vlog-undriven");
    }
  }
}

void Checker::CheckInterface() {
  std::vector<std::string> names = {module_.name_};
  for (const Parameter& parameter : module_.parameters_) names.push_back(parameter.name);
  for (const Port& port : module_.ports_) names.push_back(port.name);
  for (const auto& local : module_.locals_) names.push_back(local.name);
  for (const std::string& name : names) {
    if (!IsIdentifier(name) || IsKeyword(name)) {
      Fail({module_.source_}, fmt::format("'{}' is not a legal identifier", name),
           "vlog-identifier");
    }
    Declare({name, TokenKind::kIdentifier, {module_.source_}}, 0);
  }
}

void Checker::CheckDialect() {
  for (const Token& token : tokens_) {
    if (token.text == "initial" || token.kind == TokenKind::kDirective) {
      Fail(token.where, fmt::format("'{}' is not in the dialect", token.text), "vlog-dialect");
    }
    if (token.kind == TokenKind::kNumber && token.text.front() == '\'') {
      Fail(token.where, fmt::format("literal '{}' has no width", token.text.substr(1)),
           "vlog-dialect");
    }
  }
}

void Checker::CheckLayout() {
  std::istringstream text(module_.Text());
  for (std::string line; std::getline(text, line);) {
    const bool is_plain = std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; });
    const bool is_trimmed = line.empty() || line.back() != ' ';
    if (line.size() <= kColumns && is_plain && is_trimmed) continue;
    const std::string what = !is_plain     ? "a tab or a character beyond ASCII"
                             : !is_trimmed ? "trailing space"
                                           : fmt::format("over {} columns", kColumns);
    Fail({module_.source_}, fmt::format("{} in line '{}'", what, line), "vlog-layout");
  }
}

Error Checker::Run() {
  const SourceSpan source = {module_.source_};
  CheckInterface();
  for (const Parameter& parameter : module_.parameters_) Lex(parameter.value, source, tokens_);
  for (const Port& port : module_.ports_) Lex(port.width, source, tokens_);
  for (const auto& local : module_.locals_) Lex(local.type + local.value, source, tokens_);
  for (const auto& guard : module_.guards_) Lex(guard.condition, source, tokens_);
  for (const auto& item : module_.items_) {
    const size_t first = tokens_.size();
    Lex(item.text, item.where, tokens_);
    for (size_t i = first; item.is_made && i < tokens_.size(); ++i) tokens_[i].where = item.where;
  }
  CollectDeclarations();
  CheckUses();
  CheckOutputsDriven();
  CheckDialect();
  CheckLayout();
  return error_;
}

}  // namespace edgebert::vlog
