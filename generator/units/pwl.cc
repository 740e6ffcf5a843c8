#include "generator/units/pwl.h"

#include <fmt/format.h>

#include <algorithm>

namespace edgebert::gen {

int SignedBits(const std::vector<int64_t>& values) {
  int bits = 2;
  for (const int64_t value : values) {
    while (value < -(int64_t{1} << (bits - 1)) || value >= int64_t{1} << (bits - 1)) ++bits;
  }
  return bits;
}

void AddPwlRom(vlog::Module& m, const spec::PwlTable& table, int slope_bits, const std::string& u,
               const std::string& prefix) {
  const int r = table.remainder_bits;
  m.Rom(fmt::format("{}: chord start c0 and rise c1 of each segment, {} fraction bits.", table.name,
                    table.fraction_bits),
        fmt::format("{}[{}:{}]", u, table.index_bits + r - 1, r), table.index_bits,
        {{prefix + "c0", kPwlBits, false, table.c0}, {prefix + "c1", slope_bits, true, table.c1}});
}

void AddPwlLine(vlog::Module& m, int remainder_bits, int slope_bits, const std::string& c0,
                const std::string& c1, const std::string& rest) {
  const int r = remainder_bits;
  const int top = std::max(slope_bits, kPwlBits + 1) + r;  // the sign
  // The start of the chord and the half that rounds are one addend, so that one adder ends it all.
  m.Body(fmt::format(
      "  wire signed [{0}:0] line =\n"
      "      $signed({{{{{1}{{1'b0}}}}, {2}, {3}'d{4}}}) + {5} * $signed({{1'b0, {6}}});\n"
      "  wire [{7}:0] y = line[{8}:{3}];\n"
      "  wire line_unused = &{{1'b0, line[{0}:{9}], line[{10}:0]}};",
      top, top + 1 - kPwlBits - r, c0, r, int64_t{1} << (r - 1), c1, rest, kPwlBits - 1,
      kPwlBits + r - 1, kPwlBits + r, r - 1));
}

void AddPwl(vlog::Module& m, const spec::PwlTable& table, const std::string& u) {
  const int slope_bits = SignedBits(table.c1);
  AddPwlRom(m, table, slope_bits, u, "");
  AddPwlLine(m, table.remainder_bits, slope_bits, "c0", "c1",
             fmt::format("{}[{}:0]", u, table.remainder_bits - 1));
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
