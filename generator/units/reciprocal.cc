#include "generator/units/reciprocal.h"

#include "generator/units/pwl.h"
#include "golden/spec/tables.h"

namespace edgebert::gen {

vlog::Module EmitReciprocal() {
  vlog::Module m("eb_reciprocal", "generator/units/reciprocal.cc");
  m.Describe(R"(
eb_reciprocal: 1/S = r * 2^-(16+k) of a positive integer S.

k is the position of the leading one of S, r comes from a table over the 16 bits below it. Latency 3
cycles; every stage stands still while en_i is low.)");
  m.Param("SumW", "27", "bits of S, at most 64");
  m.Input("clk_i").Input("en_i").Input("s_i", "SumW").Output("r_o", "17").Output("k_o", "6");
  AddPwl(m, spec::ReciprocalTable());
  AddMantissa(m, "SumW");
  m.Body(R"(
  // Stage 1: position of the leading one, and the 16 bits below it.
  reg [15:0] u_q;
  reg [5:0]  lead_q;
  always @(posedge clk_i) begin
    if (en_i) {lead_q, u_q} <= mantissa(s_i);
  end

  // Stage 2: the chord.
  reg [CHORD_W-1:0] chord_q;
  reg [REST_W-1:0]  rest_q;
  reg [5:0]         lead_q2;
  always @(posedge clk_i) begin
    if (en_i) begin
      chord_q <= chord_of(u_q[15:REST_W]);
      rest_q  <= u_q[REST_W-1:0];
      lead_q2 <= lead_q;
    end
  end

  // Stage 3: the mantissa of the reciprocal.
  reg [16:0] r_q;
  reg [5:0]  k_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      r_q <= on_chord(chord_q, rest_q);
      k_q <= lead_q2;
    end
  end
  assign r_o = r_q;
  assign k_o = k_q;
)");
  return m;
}

}  // namespace edgebert::gen
