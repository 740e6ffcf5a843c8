#include "generator/vlog/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace edgebert::vlog {
namespace {

constexpr std::array kKeywords = {"always",
                                  "and",
                                  "assign",
                                  "automatic",
                                  "begin",
                                  "buf",
                                  "bufif0",
                                  "bufif1",
                                  "case",
                                  "casex",
                                  "casez",
                                  "cell",
                                  "cmos",
                                  "config",
                                  "deassign",
                                  "default",
                                  "defparam",
                                  "design",
                                  "disable",
                                  "edge",
                                  "else",
                                  "end",
                                  "endcase",
                                  "endconfig",
                                  "endfunction",
                                  "endgenerate",
                                  "endmodule",
                                  "endprimitive",
                                  "endspecify",
                                  "endtable",
                                  "endtask",
                                  "event",
                                  "for",
                                  "force",
                                  "forever",
                                  "fork",
                                  "function",
                                  "generate",
                                  "genvar",
                                  "highz0",
                                  "highz1",
                                  "if",
                                  "ifnone",
                                  "incdir",
                                  "include",
                                  "initial",
                                  "inout",
                                  "input",
                                  "instance",
                                  "integer",
                                  "join",
                                  "large",
                                  "liblist",
                                  "library",
                                  "localparam",
                                  "macromodule",
                                  "medium",
                                  "module",
                                  "nand",
                                  "negedge",
                                  "nmos",
                                  "nor",
                                  "noshowcancelled",
                                  "not",
                                  "notif0",
                                  "notif1",
                                  "or",
                                  "output",
                                  "parameter",
                                  "pmos",
                                  "posedge",
                                  "primitive",
                                  "pull0",
                                  "pull1",
                                  "pulldown",
                                  "pullup",
                                  "pulsestyle_onevent",
                                  "pulsestyle_ondetect",
                                  "rcmos",
                                  "real",
                                  "realtime",
                                  "reg",
                                  "release",
                                  "repeat",
                                  "rnmos",
                                  "rpmos",
                                  "rtran",
                                  "rtranif0",
                                  "rtranif1",
                                  "scalared",
                                  "showcancelled",
                                  "signed",
                                  "small",
                                  "specify",
                                  "specparam",
                                  "strong0",
                                  "strong1",
                                  "supply0",
                                  "supply1",
                                  "table",
                                  "task",
                                  "time",
                                  "tran",
                                  "tranif0",
                                  "tranif1",
                                  "tri",
                                  "tri0",
                                  "tri1",
                                  "triand",
                                  "trior",
                                  "trireg",
                                  "unsigned",
                                  "use",
                                  "uwire",
                                  "vectored",
                                  "wait",
                                  "wand",
                                  "weak0",
                                  "weak1",
                                  "while",
                                  "wire",
                                  "wor",
                                  "xnor",
                                  "xor"};

bool IsWordStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool StartsDeclaration(const std::string& word) {
  return word == "wire" || word == "reg" || word == "integer" || word == "genvar" ||
         word == "localparam" || word == "parameter" || word == "input" || word == "output";
}

}  // namespace

bool IsKeyword(std::string_view word) {
  return std::find(kKeywords.begin(), kKeywords.end(), word) != kKeywords.end();
}

bool IsIdentifier(std::string_view word) {
  return !word.empty() && IsWordStart(word.front()) &&
         std::all_of(word.begin(), word.end(), IsWord);
}

void Checker::Fail(const SourceSpan& where, const std::string& message, const std::string& rule) {
  error_.Add(where, fmt::format("module '{}': {}", module_.name_, message), rule);
}

const std::string& Checker::Text(size_t index) const {
  static const std::string kEnd;
  return index < tokens_.size() ? tokens_[index].text : kEnd;
}

void Checker::Lex(const std::string& text, const SourceSpan& where) {
  SourceSpan here = where;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '\n') {
      ++here.line;
      ++i;
    } else if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
    } else if (text.compare(i, 2, "//") == 0) {
      while (i < text.size() && text[i] != '\n') ++i;
    } else if (c == '"') {
      i = text.find('"', i + 1);
      i = i == std::string::npos ? text.size() : i + 1;
    } else if (c == '`' || c == '$') {  // Directives and system functions.
      size_t end = i + 1;
      while (end < text.size() && IsWord(text[end])) ++end;
      tokens_.push_back({text.substr(i, end - i), here, false});
      i = end;
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '\'') {
      // Numbers: 12, 4'b0101, 8'sd3; the base and digits belong to the literal.
      size_t end = i;
      while (end < text.size() && (IsWord(text[end]) || text[end] == '\'')) ++end;
      tokens_.push_back({text.substr(i, end - i), here, false});
      i = end;
    } else if (IsWordStart(c)) {
      size_t end = i;
      while (end < text.size() && IsWord(text[end])) ++end;
      tokens_.push_back({text.substr(i, end - i), here, true});
      i = end;
    } else {
      const size_t length = text.compare(i, 2, "<=") == 0 || text.compare(i, 2, "==") == 0 ||
                                    text.compare(i, 2, "!=") == 0 || text.compare(i, 2, ">=") == 0
                                ? 2
                                : 1;
      tokens_.push_back({text.substr(i, length), here, false});
      i += length;
    }
  }
}

size_t Checker::SkipBalanced(size_t index) const {
  int depth = 0;
  for (; index < tokens_.size(); ++index) {
    const std::string& text = tokens_[index].text;
    if (text == "(" || text == "[" || text == "{") ++depth;
    if (text == ")" || text == "]" || text == "}") --depth;
    if (depth == 0) return index + 1;
  }
  return index;
}

void Checker::Declare(const Token& token, int scope) {
  if (!scopes_[scope].insert(token.text).second) {
    Fail(token.where, fmt::format("'{}' declared twice", token.text), "vlog-duplicate");
  }
  declared_.insert(token.text);
}

// From a declaration keyword: declares every name up to the ';', or for a function port up to the
// next one.
size_t Checker::Declaration(size_t index, int scope) {
  if (Text(index) == "integer" || Text(index) == "genvar") {
    ++index;
  } else {
    ++index;
    while (Text(index) == "signed" || Text(index) == "wire" || Text(index) == "reg" ||
           Text(index) == "integer") {
      ++index;
    }
  }
  while (Text(index) == "[") index = SkipBalanced(index);
  while (index < tokens_.size() && Text(index) != ";") {
    if (tokens_[index].is_identifier) Declare(tokens_[index], scope);
    ++index;
    while (Text(index) == "[") index = SkipBalanced(index);
    // An initial value runs to the next comma at depth 0, or to the end.
    while (index < tokens_.size() && Text(index) != ";" && Text(index) != ",") {
      const std::string& text = Text(index);
      index = text == "(" || text == "[" || text == "{" ? SkipBalanced(index) : index + 1;
    }
    if (Text(index) == ",") ++index;
  }
  return index;
}

void Checker::CollectDeclarations() {
  // A scope is the module, a named block or a function; `open` remembers how each `begin` ends.
  std::vector<int> scope_stack = {0};
  std::vector<bool> opened_scope;
  int scopes = 0;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const std::string& text = tokens_[i].text;
    if (text == "begin") {
      const bool named = Text(i + 1) == ":";
      opened_scope.push_back(named);
      if (named) {
        Declare(tokens_[i + 2], scope_stack.back());
        scope_stack.push_back(++scopes);
        i += 2;
      }
    } else if (text == "end" && !opened_scope.empty()) {
      if (opened_scope.back()) scope_stack.pop_back();
      opened_scope.pop_back();
    } else if (text == "function" || text == "task") {
      size_t name = i + 1;
      while (Text(name) == "automatic" || Text(name) == "signed" || Text(name) == "integer") ++name;
      while (Text(name) == "[") name = SkipBalanced(name);
      Declare(tokens_[name], scope_stack.back());
      scope_stack.push_back(++scopes);
      i = name;
    } else if (text == "endfunction" || text == "endtask") {
      scope_stack.pop_back();
    } else if (tokens_[i].is_identifier && StartsDeclaration(text)) {
      i = Declaration(i, scope_stack.back());
    }
  }
}

// From the module name of an instance: `child #(.P (x)) u_name (.port (expression), ...);`.
size_t Checker::CheckInstance(size_t index) {
  const auto& child = module_.children_.at(Text(index));
  const std::string child_name = Text(index);
  const SourceSpan where = tokens_[index].where;
  ++index;
  if (Text(index) == "#") {
    const size_t end = SkipBalanced(index + 1);
    for (size_t i = index + 1; i < end; ++i) {
      if (Text(i) != ".") continue;
      const std::string& parameter = Text(i + 1);
      const bool known = std::any_of(child.parameters.begin(), child.parameters.end(),
                                     [&](const Parameter& p) { return p.name == parameter; });
      if (!known) {
        Fail(where, fmt::format("'{}' has no parameter '{}'", child_name, parameter),
             "vlog-parameter");
      }
      declared_.insert(parameter);
    }
    index = end;
  }
  const std::string instance = Text(index);
  declared_.insert(instance);
  ++index;
  const size_t end = SkipBalanced(index);
  std::set<std::string> connected;
  for (size_t i = index + 1; i < end; ++i) {
    if (Text(i) != ".") continue;
    const std::string& port = Text(i + 1);
    const bool known = std::any_of(child.ports.begin(), child.ports.end(),
                                   [&](const Port& p) { return p.name == port; });
    if (!known) {
      Fail(tokens_[i].where, fmt::format("'{}' has no port '{}'", child_name, port), "vlog-port");
    }
    if (!connected.insert(port).second) {
      Fail(tokens_[i].where, fmt::format("port '{}' of '{}' connected twice", port, instance),
           "vlog-port");
    }
    const size_t close = SkipBalanced(i + 2);
    for (size_t j = i + 3; j + 1 < close; ++j) {
      if (tokens_[j].is_identifier) driven_.insert(Text(j));
    }
  }
  for (const Port& port : child.ports) {
    if (!connected.contains(port.name)) {
      Fail(where,
           fmt::format("port '{}' of '{}' ({}) is not connected", port.name, instance, child_name),
           "vlog-port");
    }
  }
  return end;
}

void Checker::CheckUses() {
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].is_identifier && module_.children_.contains(tokens_[i].text)) CheckInstance(i);
  }
  std::set<std::string> reported;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    if (!token.is_identifier || IsKeyword(token.text) || declared_.contains(token.text) ||
        module_.children_.contains(token.text)) {
      continue;
    }
    if (i > 0 && Text(i - 1) == ".") continue;  // A port name, checked with its instance.
    if (reported.insert(token.text).second) {
      Fail(token.where, fmt::format("'{}' used but never declared", token.text), "vlog-undeclared");
    }
  }
}

void Checker::CheckOutputsDriven() {
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (!tokens_[i].is_identifier) continue;
    size_t next = i + 1;
    while (Text(next) == "[") next = SkipBalanced(next);
    const bool assigned = Text(next) == "<=" || Text(next) == "=";
    const bool concatenated = i > 0 && (Text(i - 1) == "{" || Text(i - 1) == ",");
    if (assigned || concatenated) driven_.insert(tokens_[i].text);
  }
  for (const Port& port : module_.ports_) {
    if (port.direction == Direction::kOutput && !driven_.contains(port.name)) {
      Fail({}, fmt::format("output '{}' is never driven", port.name), "vlog-undriven");
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
      Fail({}, fmt::format("'{}' is not a legal identifier", name), "vlog-identifier");
    }
    Declare({name, {}, true}, 0);
  }
}

Error Checker::Run() {
  CheckInterface();
  for (const Parameter& parameter : module_.parameters_) Lex(parameter.value, {});
  for (const Port& port : module_.ports_) Lex(port.width, {});
  for (const auto& local : module_.locals_) Lex(local.value, {});
  for (const auto& item : module_.items_) Lex(item.text, item.where);
  CollectDeclarations();
  CheckUses();
  CheckOutputsDriven();
  return error_;
}

}  // namespace edgebert::vlog
