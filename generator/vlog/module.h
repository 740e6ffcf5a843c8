// The Verilog-2005 emission layer: structure is typed, leaf logic is checked text.
//
// A Module has a typed interface (parameters and their guards, ports, localparams), typed ROMs made
// from the table objects of golden/spec, and bodies of Verilog text that read as they will appear.
// Before anything is written, Check() lexes every body and holds it against the interfaces of the
// module and of the modules it instantiates (generator/vlog/checker.h lists the rules). The
// exporter never renames, folds or optimises.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "golden/base/result.h"
#include "golden/spec/isa.h"

namespace edgebert::vlog {

/// The place in the emitter that a message points to; a default argument captures the caller's.
struct Caller {
  const char* file;
  int line;
  Caller(const char* file_name = __builtin_FILE(), int line_number = __builtin_LINE())  // NOLINT
      : file(file_name), line(line_number) {}
};

/// Emitted lines are at most this long.
inline constexpr size_t kColumns = 100;

enum class Direction : uint8_t { kInput, kOutput };

struct Parameter {
  std::string name;
  std::string value;  ///< Default; leaf modules have one that suits no configuration in particular.
  std::string comment;
};

/// A port; `width` is a Verilog expression ("" for one bit, "Lanes*CodeW", "26").
struct Port {
  Direction direction;
  std::string name;
  std::string width;
  bool is_signed = false;
  std::string comment;
};

/// One Verilog module: interface, text, and the modules it instantiates.
class Module {
 public:
  /// `source` is the path of the emitter, named in the header comment.
  Module(std::string name, std::string source);

  /// Header comment. Paragraphs stand between blank lines; one with a line that does not fit into
  /// 100 columns behind its "// " is filled again.
  Module& Describe(std::string_view text);
  Module& Param(std::string name, std::string value, std::string comment = "");
  /// A rule that the parameters must keep, `Guard("Depth >= 2", "depth_must_be_at_least_2")`. Where
  /// `condition` does not hold, elaboration meets a module that does not exist and whose name is
  /// the message; no other way of stopping is portable.
  Module& Guard(std::string condition, std::string message);
  /// Starts a group of ports with a comment line.
  Module& Group(std::string comment);
  Module& Input(std::string name, std::string width = "", std::string comment = "");
  Module& InputSigned(std::string name, std::string width, std::string comment = "");
  Module& Output(std::string name, std::string width = "", std::string comment = "");
  Module& OutputSigned(std::string name, std::string width, std::string comment = "");
  /// `localparam NAME = value;`, before every body. `name` may begin with a type: "[7:0] LAST".
  Module& Local(const std::string& name, std::string value, std::string comment = "");
  Module& Local(const std::string& name, int64_t value, std::string comment = "") {
    return Local(name, std::to_string(value), std::move(comment));
  }
  /// `wire [w-1:0] name = source[bit +: w];` for each field of an instruction.
  Module& InstructionFields(const std::vector<spec::Field>& fields, const std::string& source,
                            Caller caller = {});
  /// A ROM as a function `name` of an index of `address_width` bits; it gives the columns
  /// concatenated, the first in the high bits, each with one value an entry, 2^address_width of
  /// them.
  struct RomColumn {
    std::string name;
    int width;
    bool is_signed;
    std::vector<int64_t> values;
  };
  Module& Rom(const std::string& comment, const std::string& name, int address_width,
              const std::vector<RomColumn>& columns, Caller caller = {});
  /// Verilog text: declarations, assignments, always blocks, functions, generate loops, instances.
  Module& Body(std::string_view text, Caller caller = {});
  /// Declares that bodies instantiate `child`; its instances are checked against its interface.
  Module& Uses(const Module& child);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<Parameter>& parameters() const { return parameters_; }
  [[nodiscard]] const std::vector<Port>& ports() const { return ports_; }

  /// Every broken rule, as `file:line: error: module 'x': ...` of the emitter. Empty when sound.
  [[nodiscard]] Error Check() const;
  /// The Verilog text. Stops when Check() finds anything: a broken emitter is our own bug.
  [[nodiscard]] std::string Emit() const;

 private:
  struct Interface {
    std::vector<Parameter> parameters;
    std::vector<Port> ports;
  };
  struct Item {
    std::string text;
    SourceSpan where;
    bool is_made = false;  // by this class: all of the text points to `where`
  };
  struct ParameterGuard {
    std::string condition;
    std::string message;
  };
  struct LocalParameter {
    std::string type;
    std::string name;
    std::string value;
    std::string comment;
  };
  friend class Checker;

  Module& AddPort(Port port);
  [[nodiscard]] std::string HeaderText() const;
  [[nodiscard]] std::string ParametersText() const;
  [[nodiscard]] std::string PortsText() const;
  [[nodiscard]] std::string LocalsText() const;
  [[nodiscard]] std::string GuardsText() const;
  [[nodiscard]] std::string Text() const;

  std::string name_;
  std::string source_;
  std::string description_;
  std::vector<Parameter> parameters_;
  std::vector<ParameterGuard> guards_;
  std::vector<Port> ports_;
  std::map<size_t, std::string> groups_;  // index of the first port of a group -> comment
  std::vector<LocalParameter> locals_;
  std::vector<Item> items_;
  std::map<std::string, Interface> children_;
};

}  // namespace edgebert::vlog
