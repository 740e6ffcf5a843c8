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
  m.Body(R"(
  // Stage 1: position of the leading one, and the 16 bits below it.
  reg  [5:0]         lead;
  wire [VarW+15:0] norm = {d_i, 16'd0} >> lead;
  integer            i;
  always @* begin
    lead = 6'd0;
    for (i = 0; i < VarW; i = i + 1) begin
      if (d_i[i]) lead = i[5:0];
    end
  end

  reg [16:0] u_q;
  reg [4:0]  half_lead_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      u_q         <= {lead[0], norm[15:0]};
      half_lead_q <= lead[5:1];
    end
  end

  // Stage 2: the mantissa of the root.
)");
  AddPwl(m, spec::RSqrtTable(), "u_q", "");
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

  wire unused_ok = &{1'b0, norm[VarW+15:16]};
)");
  return m;
}

}  // namespace edgebert::gen
