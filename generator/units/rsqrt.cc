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
loses nothing. Latency 2 cycles; every stage stands still while en_i is low.)");
  m.Param("VarW", "64", "bits of D, at most 64");
  m.Input("clk_i").Input("en_i").Input("d_i", "VarW").Output("y_o", "17").Output("h_o", "6");
  AddMantissa(m, "d_i", "VarW");
  m.Body(R"(
  reg [16:0] u_q;
  reg [4:0]  half_lead_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      u_q         <= {lead[0], below};
      half_lead_q <= lead[5:1];
    end
  end

  // Stage 2: the mantissa of the root.
)");
  AddPwl(m, spec::RSqrtTable(), "u_q");
  m.Body(R"(
  reg [16:0] y_q;
  reg [4:0]  h_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      y_q <= y;
      h_q <= half_lead_q;
    end
  end
  assign y_o = y_q;
  assign h_o = {1'b0, h_q};
)");
  return m;
}

}  // namespace edgebert::gen
