#include "generator/vlog/module.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "generator/vlog/checker.h"
#include "golden/base/check.h"

namespace edgebert::vlog {
namespace {

SourceSpan SpanOf(const Caller& caller) { return {caller.file, caller.line, 0}; }

bool IsNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// The highest index of a vector of `width` bits: "8" -> "7", "2*N-1" -> "2*N-2", "N" -> "N-1".
std::string HighestIndex(const std::string& width) {
  if (IsNumber(width)) return std::to_string(std::stoi(width) - 1);
  const size_t minus = width.rfind('-');
  if (minus != std::string::npos && IsNumber(width.substr(minus + 1))) {
    return fmt::format("{}-{}", width.substr(0, minus), std::stoi(width.substr(minus + 1)) + 1);
  }
  return width + "-1";
}

/// "signed [7:0]", "[Lanes*CodeW-1:0]" or nothing.
std::string Type(const std::string& width, bool is_signed) {
  const std::string range = width.empty() ? "" : "[" + HighestIndex(width) + ":0]";
  return is_signed ? "signed " + range : range;
}

bool Fits(int64_t value, int width, bool is_signed) {
  const int64_t limit = int64_t{1} << (is_signed ? width - 1 : width);
  return value < limit && value >= (is_signed ? -limit : 0);
}

std::string SizedLiteral(int width, bool is_signed, int64_t value) {
  const char* base = is_signed ? "'sd" : "'d";
  return value < 0 ? fmt::format("-{}{}{}", width, base, -value)
                   : fmt::format("{}{}{}", width, base, value);
}

struct Line {
  std::string text;
  std::string comment;
};

/// One line each; the comments stand in one column, or above a line that leaves no room for its
/// own.
std::string Aligned(const std::vector<Line>& lines) {
  constexpr size_t kLongText = 60;  // does not move the comments of the others
  size_t column = 0;
  for (const Line& line : lines) {
    if (!line.comment.empty() && line.text.size() <= kLongText) {
      column = std::max(column, line.text.size());
    }
  }
  std::string text;
  for (const Line& line : lines) {
    const std::string beside = fmt::format("{:<{}}  // {}", line.text, column, line.comment);
    if (line.comment.empty()) {
      text += line.text + "\n";
    } else if (beside.size() <= kColumns) {
      text += beside + "\n";
    } else {
      text += "  // " + line.comment + "\n" + line.text + "\n";
    }
  }
  return text;
}

/// As written, or filled again when a line would not fit.
std::string CommentParagraph(const std::vector<std::string>& lines) {
  const std::string start = "// ";
  std::string as_written;
  std::string filled;
  bool fits = true;
  size_t column = 0;
  for (const std::string& line : lines) {
    as_written.append(start).append(line).append("\n");
    fits = fits && start.size() + line.size() <= kColumns;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (column > 0 && column + 1 + word.size() <= kColumns) {
        filled.append(" ").append(word);
        column += 1 + word.size();
      } else {
        filled.append(column > 0 ? "\n" : "").append(start).append(word);
        column = start.size() + word.size();
      }
    }
  }
  return fits ? as_written : filled + "\n";
}

/// Bodies are raw strings: the newline after the opening quote and trailing blank space go.
std::string Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == '\n') text.remove_prefix(1);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text);
}

}  // namespace

Module::Module(std::string name, std::string source)
    : name_(std::move(name)), source_(std::move(source)) {}

Module& Module::Describe(std::string_view text) {
  description_ = Trimmed(text);
  return *this;
}

Module& Module::Param(std::string name, std::string value, std::string comment) {
  parameters_.push_back({std::move(name), std::move(value), std::move(comment)});
  return *this;
}

Module& Module::Guard(std::string condition, std::string message) {
  guards_.push_back({std::move(condition), std::move(message)});
  return *this;
}

Module& Module::Group(std::string comment) {
  groups_[ports_.size()] = std::move(comment);
  return *this;
}

Module& Module::AddPort(Port port) {
  ports_.push_back(std::move(port));
  return *this;
}

Module& Module::Input(std::string name, std::string width, std::string comment) {
  return AddPort({Direction::kInput, std::move(name), std::move(width), false, std::move(comment)});
}
Module& Module::InputSigned(std::string name, std::string width, std::string comment) {
  return AddPort({Direction::kInput, std::move(name), std::move(width), true, std::move(comment)});
}
Module& Module::Output(std::string name, std::string width, std::string comment) {
  return AddPort(
      {Direction::kOutput, std::move(name), std::move(width), false, std::move(comment)});
}
Module& Module::OutputSigned(std::string name, std::string width, std::string comment) {
  return AddPort({Direction::kOutput, std::move(name), std::move(width), true, std::move(comment)});
}

Module& Module::Local(const std::string& name, std::string value, std::string comment) {
  const size_t space = name.rfind(' ');
  const size_t begin = space == std::string::npos ? 0 : space + 1;
  locals_.push_back(
      {name.substr(0, begin), name.substr(begin), std::move(value), std::move(comment)});
  return *this;
}

Module& Module::InstructionFields(const std::vector<spec::Field>& fields, const std::string& source,
                                  Caller caller) {
  const auto type = [](const spec::Field& field) {
    return Type(field.width == 1 ? "" : std::to_string(field.width), field.is_signed);
  };
  size_t type_width = 0;
  size_t name_width = 0;
  for (const spec::Field& field : fields) {
    type_width = std::max(type_width, type(field).size());
    name_width = std::max(name_width, std::string_view(field.name).size());
  }
  std::string text;
  for (const spec::Field& field : fields) {
    const std::string select = field.width == 1
                                   ? fmt::format("{}[{}]", source, field.Bit())
                                   : fmt::format("{}[{}+:{}]", source, field.Bit(), field.width);
    text += fmt::format("  wire {:<{}} {:<{}} = {};\n", type(field), type_width, field.name,
                        name_width, select);
  }
  items_.push_back({Trimmed(text), SpanOf(caller), true});
  return *this;
}

Module& Module::Rom(const std::string& comment, const std::string& name, int address_width,
                    const std::vector<RomColumn>& columns, Caller caller) {
  const size_t entries = size_t{1} << address_width;
  int width = 0;
  std::vector<size_t> literal_widths;
  for (const RomColumn& column : columns) {
    EB_CHECK(column.values.size() == entries, "{}:{}: ROM column '{}' has {} entries, not {}",
             caller.file, caller.line, column.name, column.values.size(), entries);
    size_t widest = 0;
    for (const int64_t value : column.values) {
      EB_CHECK(Fits(value, column.width, column.is_signed),
               "{}:{}: {} in ROM column '{}' needs more than {} {} bits", caller.file, caller.line,
               value, column.name, column.width, column.is_signed ? "signed" : "unsigned");
      widest = std::max(widest, SizedLiteral(column.width, column.is_signed, value).size());
    }
    literal_widths.push_back(widest);
    width += column.width;
  }
  std::string text = fmt::format("  // {}\n  function [{}:0] {};\n", comment, width - 1, name);
  text += fmt::format("    input [{}:0] index;\n    case (index)\n", address_width - 1);
  const std::string last_label = fmt::format("{}'d{}", address_width, entries - 1);
  const size_t label_width = std::max(last_label.size(), std::string("default").size());
  for (size_t entry = 0; entry < entries; ++entry) {
    // The last entry is the default, so that the case is full for every tool.
    const std::string label =
        entry + 1 == entries ? "default" : fmt::format("{}'d{}", address_width, entry);
    text += fmt::format("      {:<{}} {} = {{", label + ":", label_width + 1, name);
    for (size_t c = 0; c < columns.size(); ++c) {
      text += fmt::format(
          "{}{:>{}}", c == 0 ? "" : ", ",
          SizedLiteral(columns[c].width, columns[c].is_signed, columns[c].values[entry]),
          literal_widths[c]);
    }
    text += "};\n";
  }
  text += "    endcase\n  endfunction";
  items_.push_back({std::move(text), SpanOf(caller), true});
  return *this;
}

Module& Module::Body(std::string_view text, Caller caller) {
  // The line of the call, then of the first line that is kept.
  SourceSpan where = SpanOf(caller);
  where.line += static_cast<int>(std::min(text.find_first_not_of('\n'), text.size()));
  items_.push_back({Trimmed(text), where});
  return *this;
}

Module& Module::Uses(const Module& child) {
  children_[child.name_] = {child.parameters_, child.ports_};
  return *this;
}

Error Module::Check() const { return Checker(*this).Run(); }

std::string Module::HeaderText() const {
  std::istringstream lines(description_ + "\n\nGenerated by edgebert-gen from " + source_ +
                           ": change that, not this file.\n\n");
  std::string text;
  std::vector<std::string> paragraph;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) {
      paragraph.push_back(line);
      continue;
    }
    text += (text.empty() ? "" : "//\n") + CommentParagraph(paragraph);
    paragraph.clear();
  }
  return text;
}

std::string Module::ParametersText() const {
  size_t name_width = 0;
  for (const Parameter& parameter : parameters_) {
    name_width = std::max(name_width, parameter.name.size());
  }
  std::vector<Line> lines;
  for (const Parameter& parameter : parameters_) {
    const char* comma = &parameter == &parameters_.back() ? "" : ",";
    lines.push_back({fmt::format("  parameter {:<{}} = {}{}", parameter.name, name_width,
                                 parameter.value, comma),
                     parameter.comment});
  }
  return parameters_.empty() ? "" : " #(\n" + Aligned(lines) + ")";
}

std::string Module::PortsText() const {
  size_t type_width = 0;
  for (const Port& port : ports_) {
    type_width = std::max(type_width, Type(port.width, port.is_signed).size());
  }
  std::vector<Line> lines;
  std::string text = " (\n";
  for (size_t i = 0; i < ports_.size(); ++i) {
    const auto group = groups_.find(i);
    if (group != groups_.end()) {
      text += Aligned(lines) + "  // " + group->second + "\n";
      lines.clear();
    }
    const Port& port = ports_[i];
    const char* direction = port.direction == Direction::kInput ? "input " : "output";
    lines.push_back(
        {fmt::format("  {} wire {:<{}} {}{}", direction, Type(port.width, port.is_signed),
                     type_width, port.name, i + 1 < ports_.size() ? "," : ""),
         port.comment});
  }
  return text + Aligned(lines) + ");\n";
}

std::string Module::LocalsText() const {
  size_t name_width = 0;
  for (const LocalParameter& local : locals_) {
    name_width = std::max(name_width, local.type.size() + local.name.size());
  }
  std::vector<Line> lines;
  for (const LocalParameter& local : locals_) {
    lines.push_back(
        {fmt::format("  localparam {:<{}} = {};", local.type + local.name, name_width, local.value),
         local.comment});
  }
  return locals_.empty() ? "" : "\n" + Aligned(lines);
}

std::string Module::GuardsText() const {
  std::string text;
  for (const ParameterGuard& guard : guards_) {
    text += fmt::format("    if (!({})) begin : g_{}\n      ERROR_{}_{} u_error ();\n    end\n",
                        guard.condition, guard.message, name_, guard.message);
  }
  return guards_.empty() ? "" : "\n  generate\n" + text + "  endgenerate\n";
}

std::string Module::Text() const {
  std::string text = HeaderText() + "`default_nettype none\n\nmodule " + name_ + ParametersText() +
                     PortsText() + LocalsText() + GuardsText();
  for (const Item& item : items_) text += "\n" + item.text + "\n";
  return text + "\nendmodule\n\n`default_nettype wire\n";
}

std::string Module::Emit() const {
  const Error error = Check();
  EB_CHECK(error.empty(), "\n{}", error.Format());
  return Text();
}

}  // namespace edgebert::vlog
