#include "generator/units/pwl.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgebert::gen {
namespace {

/// Bits of a signed number that holds every value.
int SignedBits(const std::vector<int64_t>& values) {
  int bits = 2;
  for (const int64_t value : values) {
    while (value < -(int64_t{1} << (bits - 1)) || value >= int64_t{1} << (bits - 1)) ++bits;
  }
  return bits;
}

void AddRom(vlog::Module& m, const spec::PwlTable& table, const std::string& u,
            const std::string& prefix, int slope_bits) {
  const int r = table.remainder_bits;
  m.Rom(fmt::format("{}: chord start c0 and rise c1 of each segment, {} fraction bits.", table.name,
                    table.fraction_bits),
        fmt::format("{}[{}:{}]", u, table.index_bits + r - 1, r), table.index_bits,
        {{prefix + "c0", kPwlBits, false, table.c0}, {prefix + "c1", slope_bits, true, table.c1}});
}

/// The wire `<prefix>y` from `<prefix>c0` and `<prefix>c1`.
void AddChord(vlog::Module& m, const std::string& u, const std::string& prefix, int r,
              int slope_bits) {
  const int rise_bits = std::max(slope_bits + r + 1, kPwlBits + r);
  m.Body(fmt::format(
      "  wire signed [{0}:0] {1}rise = {1}c1 * $signed({{1'b0, {2}[{3}:0]}}) + {4}'sd{5};\n"
      "  wire [{6}:0] {1}y = {1}c0 + {1}rise[{7}:{8}];\n"
      "  wire {1}rise_unused = &{{1'b0, {1}rise[{0}:{9}], {1}rise[{3}:0]}};",
      rise_bits, prefix, u, r - 1, rise_bits + 1, int64_t{1} << (r - 1), kPwlBits - 1,
      kPwlBits + r - 1, r, kPwlBits + r));
}

}  // namespace

void AddPwl(vlog::Module& m, const spec::PwlTable& table, const std::string& u,
            const std::string& prefix) {
  const int slope_bits = SignedBits(table.c1);
  AddRom(m, table, u, prefix, slope_bits);
  AddChord(m, u, prefix, table.remainder_bits, slope_bits);
}

void AddPwlChoice(vlog::Module& m, const std::vector<PwlChoice>& choices, const std::string& u,
                  const std::string& select) {
  int slope_bits = 0;
  for (const PwlChoice& choice : choices) {
    slope_bits = std::max(slope_bits, SignedBits(choice.table.c1));
  }
  std::string items;
  for (const PwlChoice& choice : choices) {
    AddRom(m, choice.table, u, choice.prefix, slope_bits);
    items += fmt::format("      {}: begin c0 = {}c0; c1 = {}c1; end\n",
                         &choice == &choices.back() ? "default" : choice.label, choice.prefix,
                         choice.prefix);
  }
  m.Body(
      fmt::format("  reg [{}:0] c0;\n"
                  "  reg signed [{}:0] c1;\n"
                  "  always @* begin\n    case ({})\n{}    endcase\n  end\n",
                  kPwlBits - 1, slope_bits - 1, select, items));
  AddChord(m, u, "", choices[0].table.remainder_bits, slope_bits);
}

void AddMantissa(vlog::Module& m, const std::string& x, const std::string& width) {
  m.Body(
      fmt::format("  // Stage 1: position of the leading one, and the 16 bits below it.\n"
                  "  reg  [5:0]  lead;\n"
                  "  wire [{0}+15:0] norm  = {{{1}, 16'd0}} >> lead;\n"
                  "  wire [15:0] below = norm[15:0];\n"
                  "  integer     i;\n"
                  "  always @* begin\n"
                  "    lead = 6'd0;\n"
                  "    for (i = 0; i < {0}; i = i + 1) begin\n"
                  "      if ({1}[i]) lead = i[5:0];\n"
                  "    end\n"
                  "  end\n"
                  "  wire norm_unused = &{{1'b0, norm[{0}+15:16]}};",
                  width, x));
}

}  // namespace edgebert::gen
