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

}  // namespace

void AddPwl(vlog::Module& m, const spec::PwlTable& table, const std::string& u,
            const std::string& prefix) {
  const int r = table.remainder_bits;
  const int top = table.index_bits + r - 1;
  const int slope_bits = SignedBits(table.c1);
  const int rise_bits = std::max(slope_bits + r + 1, kPwlBits + r);
  m.Rom(fmt::format("{}: chord start c0 and rise c1 of each segment, {} fraction bits.", table.name,
                    table.fraction_bits),
        fmt::format("{}[{}:{}]", u, top, r), table.index_bits,
        {{prefix + "c0", kPwlBits, false, table.c0}, {prefix + "c1", slope_bits, true, table.c1}});
  m.Body(fmt::format(
      "  wire signed [{0}:0] {1}rise = {1}c1 * $signed({{1'b0, {2}[{3}:0]}}) + {4}'sd{5};\n"
      "  wire [{6}:0] {1}y = {1}c0 + {1}rise[{7}:{8}];\n"
      "  wire {1}rise_unused = &{{1'b0, {1}rise[{0}:{9}], {1}rise[{3}:0]}};",
      rise_bits, prefix, u, r - 1, rise_bits + 1, int64_t{1} << (r - 1), kPwlBits - 1,
      kPwlBits + r - 1, r, kPwlBits + r));
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
