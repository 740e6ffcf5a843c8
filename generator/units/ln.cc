#include "generator/units/ln.h"

#include "generator/units/pwl.h"
#include "golden/spec/formats.h"
#include "golden/spec/tables.h"

namespace edgebert::gen {

vlog::Module EmitLn() {
  vlog::Module m("eb_ln", "generator/units/ln.cc");
  m.Describe(R"(
eb_ln: natural logarithm of a positive number with 16 fraction bits; signed result with 16.

(k - 16) * ln 2 for the leading one at bit k, plus ln of the mantissa from a table. Latency 3 cycles;
every stage stands still while en_i is low.)");
  m.Param("SumW", "26", "bits of the number, at most 48");
  m.Input("clk_i").Input("en_i").Input("s_i", "SumW").OutputSigned("ln_o", "22");
  m.Local("signed [21:0] LN2", std::to_string(spec::kLn2), "ln 2, 16 fraction bits");
  AddPwl(m, spec::LnTable());
  AddMantissa(m, "SumW");
  m.Body(R"(
  // Stage 1: position of the leading one, and the 16 bits below it.
  reg        [15:0] u_q;
  reg signed [6:0]  exponent_q;
  always @(posedge clk_i) begin : stage_1
    reg [5:0]  lead;
    reg [15:0] below;
    if (en_i) begin
      {lead, below} = mantissa(s_i);
      u_q        <= below;
      exponent_q <= $signed({1'b0, lead}) - 7'sd16;
    end
  end

  // Stage 2: both terms; stage 3: their sum.
  reg signed [21:0] whole_q;
  reg        [16:0] part_q;
  reg signed [21:0] ln_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      whole_q <= {{15{exponent_q[6]}}, exponent_q} * LN2;
      part_q  <= on_chord(chord_of(u_q[15:REST_W]), u_q[REST_W-1:0]);
      ln_q    <= whole_q + $signed({5'd0, part_q});
    end
  end
  assign ln_o = ln_q;
)");
  return m;
}

}  // namespace edgebert::gen
