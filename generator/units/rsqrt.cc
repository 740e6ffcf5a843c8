#include "generator/units/rsqrt.h"

#include "generator/units/pwl.h"
#include "golden/spec/tables.h"

namespace edgebert::gen {

vlog::Module EmitRSqrt() {
  vlog::Module m("eb_rsqrt", "generator/units/rsqrt.cc");
  m.Describe(R"(
eb_rsqrt: 1/sqrt(D) = y * 2^-(16+h) of a positive integer D.

h is half the position of the leading one of D, rounded down; y comes from a table over the parity of
that position and the 16 bits below the leading one. The exponent floats, so that a small variance
loses nothing. Latency 3 cycles; every stage stands still while en_i is low.)");
  m.Param("VarW", "64", "bits of D, at most 64");
  m.Input("clk_i").Input("en_i").Input("d_i", "VarW").Output("y_o", "17").Output("h_o", "6");
  AddPwl(m, spec::RSqrtTable());
  AddMantissa(m, "VarW");
  m.Body(R"(
  // Stage 1: position of the leading one, and the 16 bits below it.
  reg [16:0] u_q;
  reg [4:0]  half_lead_q;
  always @(posedge clk_i) begin
    if (en_i) {half_lead_q, u_q} <= mantissa(d_i);
  end

  // Stage 2: the chord.
  reg [CHORD_W-1:0] chord_q;
  reg [REST_W-1:0]  rest_q;
  reg [4:0]         half_lead_q2;
  always @(posedge clk_i) begin
    if (en_i) begin
      chord_q      <= chord_of(u_q[16:REST_W]);
      rest_q       <= u_q[REST_W-1:0];
      half_lead_q2 <= half_lead_q;
    end
  end

  // Stage 3: the mantissa of the root.
  reg [16:0] y_q;
  reg [4:0]  h_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      y_q <= on_chord(chord_q, rest_q);
      h_q <= half_lead_q2;
    end
  end
  assign y_o = y_q;
  assign h_o = {1'b0, h_q};
)");
  return m;
}

}  // namespace edgebert::gen
