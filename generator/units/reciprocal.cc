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
  AddMantissa(m, "s_i", "SumW");
  m.Body(R"(
  reg [15:0] u_q;
  reg [5:0]  lead_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      u_q    <= below;
      lead_q <= lead;
    end
  end

  // Stage 2: the segment of the table.
)");
  const spec::PwlTable& table = spec::ReciprocalTable();
  const int slope_bits = SignedBits(table.c1);
  m.Local("REST_W", table.remainder_bits).Local("SLOPE_W", slope_bits);
  AddPwlRom(m, table, slope_bits, "u_q", "");
  m.Body(R"(
  reg        [16:0]        c0_q;
  reg signed [SLOPE_W-1:0] c1_q;
  reg        [REST_W-1:0]  rest_q;
  reg        [5:0]         lead_q2;
  always @(posedge clk_i) begin
    if (en_i) begin
      c0_q    <= c0;
      c1_q    <= c1;
      rest_q  <= u_q[REST_W-1:0];
      lead_q2 <= lead_q;
    end
  end

  // Stage 3: the mantissa of the reciprocal.
)");
  AddPwlLine(m, table.remainder_bits, slope_bits, "c0_q", "c1_q", "rest_q");
  m.Body(R"(
  reg [16:0] r_q;
  reg [5:0]  k_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      r_q <= y;
      k_q <= lead_q2;
    end
  end
  assign r_o = r_q;
  assign k_o = k_q;
)");
  return m;
}

}  // namespace edgebert::gen
