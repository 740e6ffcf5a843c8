#include "generator/vlog/module.h"

#include <fmt/format.h>

#include <algorithm>

#include "generator/vlog/checker.h"
#include "golden/base/check.h"

namespace edgebert::vlog {
namespace {

SourceSpan SpanOf(const Caller& caller) { return {caller.file, caller.line, 0}; }

bool IsNumber(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
}

std::string Range(const std::string& width) {
  if (width.empty()) return "";
  if (IsNumber(width)) return fmt::format("[{}:0]", std::stoi(width) - 1);
  return fmt::format("[{}-1:0]", width);
}

std::string SizedLiteral(int width, bool is_signed, int64_t value) {
  const char* base = is_signed ? "'sd" : "'d";
  return value < 0 ? fmt::format("-{}{}{}", width, base, -value)
                   : fmt::format("{}{}{}", width, base, value);
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

Module& Module::Group(std::string comment) {
  groups_[ports_.size()] = std::move(comment);
  return *this;
}

Module& Module::AddPort(Direction direction, std::string name, std::string width, bool is_signed) {
  ports_.push_back({direction, std::move(name), std::move(width), is_signed});
  return *this;
}

Module& Module::Input(std::string name, std::string width) {
  return AddPort(Direction::kInput, std::move(name), std::move(width), false);
}
Module& Module::InputSigned(std::string name, std::string width) {
  return AddPort(Direction::kInput, std::move(name), std::move(width), true);
}
Module& Module::Output(std::string name, std::string width) {
  return AddPort(Direction::kOutput, std::move(name), std::move(width), false);
}
Module& Module::OutputSigned(std::string name, std::string width) {
  return AddPort(Direction::kOutput, std::move(name), std::move(width), true);
}

Module& Module::Local(std::string name, std::string value, std::string comment) {
  locals_.push_back({std::move(name), std::move(value), std::move(comment)});
  return *this;
}

Module& Module::InstructionFields(const std::vector<spec::Field>& fields,
                                  const std::string& source) {
  size_t range_width = 0;
  size_t name_width = 0;
  for (const spec::Field& field : fields) {
    const std::string sign = field.is_signed ? "signed " : "";
    range_width = std::max(range_width, (sign + Range(std::to_string(field.width))).size());
    name_width = std::max(name_width, std::string(field.name).size());
  }
  std::string text;
  for (const spec::Field& field : fields) {
    std::string type = field.is_signed ? "signed " : "";
    type += field.width == 1 ? "" : Range(std::to_string(field.width));
    const std::string select = field.width == 1
                                   ? fmt::format("{}[{}]", source, field.Bit())
                                   : fmt::format("{}[{}+:{}]", source, field.Bit(), field.width);
    text += fmt::format("  wire {:<{}} {:<{}} = {};\n", type, range_width, field.name, name_width,
                        select);
  }
  items_.push_back({Trimmed(text), {}});
  return *this;
}

Module& Module::Rom(const std::string& comment, const std::string& address, int address_width,
                    const std::vector<RomColumn>& columns, Caller caller) {
  EB_CHECK(!columns.empty(), "ROM of module '{}' has no column", name_);
  const size_t entries = columns.front().values.size();
  EB_CHECK(entries == size_t{1} << address_width, "ROM of module '{}' has {} entries for {} bits",
           name_, entries, address_width);
  std::string text = fmt::format("  // {}\n", comment);
  for (const RomColumn& column : columns) {
    EB_CHECK(column.values.size() == entries, "ROM column '{}' has {} entries, not {}", column.name,
             column.values.size(), entries);
    text += fmt::format("  reg {}{} {};\n", column.is_signed ? "signed " : "",
                        Range(std::to_string(column.width)), column.name);
  }
  text += fmt::format("  always @* begin\n    case ({})\n", address);
  for (size_t entry = 0; entry < entries; ++entry) {
    // The last entry is the default, so that the case is full for every tool.
    std::string label =
        entry + 1 == entries ? "default" : fmt::format("{}'d{}", address_width, entry);
    text += fmt::format("      {}: begin ", label);
    for (const RomColumn& column : columns) {
      text += fmt::format("{} = {}; ", column.name,
                          SizedLiteral(column.width, column.is_signed, column.values[entry]));
    }
    text += "end\n";
  }
  text += "    endcase\n  end";
  items_.push_back({std::move(text), SpanOf(caller)});
  return *this;
}

Module& Module::Body(std::string_view text, Caller caller) {
  items_.push_back({Trimmed(text), SpanOf(caller)});
  return *this;
}

Module& Module::Uses(const Module& child) {
  children_[child.name_] = {child.parameters_, child.ports_};
  return *this;
}

Error Module::Check() const { return Checker(*this).Run(); }

std::string Module::Emit() const {
  const Error error = Check();
  EB_CHECK(error.empty(), "\n{}", error.Format());

  std::string out;
  const std::string description = description_ + "\n\nGenerated by edgebert-gen from " + source_ +
                                  ": change that, not this file.";
  size_t begin = 0;
  while (begin <= description.size()) {
    const size_t end = std::min(description.find('\n', begin), description.size());
    const std::string line = description.substr(begin, end - begin);
    out += line.empty() ? "//\n" : "// " + line + "\n";
    begin = end + 1;
  }
  out += "`default_nettype none\n\nmodule " + name_;

  if (!parameters_.empty()) {
    size_t name_width = 0;
    size_t text_width = 0;
    for (const Parameter& parameter : parameters_) {
      name_width = std::max(name_width, parameter.name.size());
      text_width = std::max(text_width, parameter.value.size());
    }
    out += " #(\n";
    for (size_t i = 0; i < parameters_.size(); ++i) {
      const Parameter& parameter = parameters_[i];
      const std::string comma = i + 1 < parameters_.size() ? "," : "";
      std::string line = fmt::format("  parameter {:<{}} = {}{}", parameter.name, name_width,
                                     parameter.value, comma);
      if (!parameter.comment.empty()) {
        line = fmt::format("{:<{}}  // {}", line, 16 + name_width + text_width, parameter.comment);
      }
      out += line + "\n";
    }
    out += ")";
  }

  size_t type_width = 0;
  for (const Port& port : ports_) {
    const std::string type = (port.is_signed ? "signed " : "") + Range(port.width);
    type_width = std::max(type_width, type.size());
  }
  out += " (\n";
  for (size_t i = 0; i < ports_.size(); ++i) {
    const Port& port = ports_[i];
    const auto group = groups_.find(i);
    if (group != groups_.end()) out += "  // " + group->second + "\n";
    const std::string type = (port.is_signed ? "signed " : "") + Range(port.width);
    out += fmt::format("  {} wire {:<{}} {}{}\n",
                       port.direction == Direction::kInput ? "input " : "output", type, type_width,
                       port.name, i + 1 < ports_.size() ? "," : "");
  }
  out += ");\n";

  if (!locals_.empty()) {
    size_t name_width = 0;
    for (const LocalParameter& local : locals_)
      name_width = std::max(name_width, local.name.size());
    out += "\n";
    for (const LocalParameter& local : locals_) {
      out += fmt::format("  localparam {:<{}} = {};{}\n", local.name, name_width, local.value,
                         local.comment.empty() ? "" : "  // " + local.comment);
    }
  }
  for (const Item& item : items_) out += "\n" + item.text + "\n";
  out += "\nendmodule\n\n`default_nettype wire\n";
  return out;
}

}  // namespace edgebert::vlog
