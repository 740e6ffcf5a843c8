#include "generator/units/bitmask_encoder.h"

namespace edgebert::gen {

vlog::Module EmitBitmaskEncoder() {
  vlog::Module m("eb_bitmask_encoder", "generator/units/bitmask_encoder.cc");
  m.Describe(R"(
eb_bitmask_encoder: the mask of the codes of a vector that are not zero. Combinational.

A code is zero when exponent and mantissa are, whatever its sign.)");
  m.Param("Lanes", "16", "codes of a vector");
  m.Param("CodeW", "8", "bits of a code");
  m.Input("codes_i", "Lanes*CodeW").Output("mask_o", "Lanes");
  m.Body(R"(
  genvar j;
  generate
    for (j = 0; j < Lanes; j = j + 1) begin : g_lane
      wire [CodeW-1:0] code = codes_i[j*CodeW +: CodeW];
      assign mask_o[j] = |code[CodeW-2:0];
      wire unused_ok = &{1'b0, code[CodeW-1]};
    end
  endgenerate
)");
  return m;
}

}  // namespace edgebert::gen
