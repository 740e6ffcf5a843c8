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

void AddPwlChord(vlog::Module& m, const spec::PwlTable& table, int slope_bits,
                 const std::string& name) {
  m.Rom(fmt::format("{}: chord start c0 and rise c1 of each segment, {} fraction bits.", table.name,
                    table.fraction_bits),
        name, table.index_bits,
        {{"c0", kPwlBits, false, table.c0}, {"c1", slope_bits, true, table.c1}});
}

void AddPwlLine(vlog::Module& m, int remainder_bits, int slope_bits) {
  const int r = remainder_bits;
  const int top = std::max(slope_bits, kPwlBits + 1) + r;  // the sign
  // The start of the chord and the half that rounds are one addend, so that one adder ends it all.
  m.Body(fmt::format(R"(
  // The chord at `rest`, rounded.
  function [{0}:0] on_chord;
    input [CHORD_W-1:0] chord;
    input [REST_W-1:0]  rest;
    reg [{0}:0]        c0;
    reg signed [{1}:0] c1;
    reg signed [{2}:0] line;
    reg               unused_line;
    begin
      {{c0, c1}}    = chord;
      line        = $signed({{{{{3}{{1'b0}}}}, c0, {4}'d{5}}}) + c1 * $signed({{1'b0, rest}});
      on_chord    = line[{6}:{4}];
      unused_line = &{{1'b0, line[{2}:{7}], line[REST_W-1:0]}};
    end
  endfunction
)",
                     kPwlBits - 1, slope_bits - 1, top, top + 1 - kPwlBits - r, r,
                     int64_t{1} << (r - 1), kPwlBits + r - 1, kPwlBits + r));
}

void AddPwl(vlog::Module& m, const spec::PwlTable& table) {
  const int slope_bits = SignedBits(table.c1);
  m.Local("CHORD_W", kPwlBits + slope_bits).Local("REST_W", table.remainder_bits);
  AddPwlChord(m, table, slope_bits, "chord_of");
  AddPwlLine(m, table.remainder_bits, slope_bits);
}

void AddMantissa(vlog::Module& m, const std::string& width) {
  m.Local("NORM_W", 80, "bits of a number and the mantissa that follows its last one");
  m.Local("TOP_PLACE", width + " - 1");
  m.Body(fmt::format(R"(
  // Position of the leading one of a positive x (6 bits), and the 16 bits below it.
  function [21:0] mantissa;
    input [{0}-1:0] x;
    reg [NORM_W-1:0] norm;
    reg [5:0]        drop;  // places that the leading one moves up
    begin
      norm = {{x, {{(NORM_W-{0}){{1'b0}}}}}};
      drop = 6'd0;
      if (!(|norm[NORM_W-1-:32])) begin norm = norm << 32; drop[5] = 1'b1; end
      if (!(|norm[NORM_W-1-:16])) begin norm = norm << 16; drop[4] = 1'b1; end
      if (!(|norm[NORM_W-1-:8]))  begin norm = norm << 8;  drop[3] = 1'b1; end
      if (!(|norm[NORM_W-1-:4]))  begin norm = norm << 4;  drop[2] = 1'b1; end
      if (!(|norm[NORM_W-1-:2]))  begin norm = norm << 2;  drop[1] = 1'b1; end
      if (!norm[NORM_W-1])        begin norm = norm << 1;  drop[0] = 1'b1; end
      mantissa[21:16] = TOP_PLACE[5:0] - drop;
      mantissa[15:0]  = norm[NORM_W-2-:16];
    end
  endfunction
)",
                     width));
}

}  // namespace edgebert::gen
