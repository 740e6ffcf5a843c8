#include "generator/units/af_multiplier.h"

namespace edgebert::gen {

vlog::Module EmitAfMultiplier() {
  vlog::Module m("eb_af_multiplier", "generator/units/af_multiplier.cc");
  m.Describe(R"(
eb_af_multiplier: exact product of the integer views of two AdaptivFloat operands.

An operand is a code with its leading one spelled out, {sign, exponent, leading one, mantissa}: the
one is missing only in zero, whose exponent and mantissa are zero, too. The significands are
multiplied and shifted by the sum of the exponents. A negative product is left as a one's
complement: its value is product_o plus its own sign bit, which the adder tree takes as a carry.
That saves a carry chain a lane.)");
  m.Param("CodeW", "8", "bits of a code: sign, exponent, mantissa");
  m.Param("ExpW", "3", "bits of the exponent");
  m.Param("Registered", "0", "1: a register between multiplication and shift, enabled by en_i");
  m.Param("Gated", "1", "1: the product does not switch while an operand is zero");
  m.Input("clk_i").Input("en_i");
  m.Group("Operands and their product, a signed one's complement.");
  m.Input("a_i", "CodeW+1").Input("b_i", "CodeW+1");
  m.Output("product_o", "2*(CodeW-ExpW+(1<<ExpW))-1");
  m.Local("SIG_W", "CodeW - ExpW", "significand: leading one and mantissa");
  m.Local("PROD_W", "2 * (SIG_W + (1 << ExpW)) - 1");
  m.Body(R"(
  wire [SIG_W-1:0] a_significand = a_i[SIG_W-1:0];
  wire [SIG_W-1:0] b_significand = b_i[SIG_W-1:0];
  wire [2*SIG_W-1:0] magnitude_d = {{SIG_W{1'b0}}, a_significand} * {{SIG_W{1'b0}}, b_significand};
  wire [ExpW:0] shift_d = {1'b0, a_i[SIG_W +: ExpW]} + {1'b0, b_i[SIG_W +: ExpW]};
  // A one's complement has two zeros. Gated, a zero product is always the one without ones.
  wire live = (Gated != 0) ? a_significand[SIG_W-1] & b_significand[SIG_W-1] : 1'b1;
  wire negative_d = (a_i[CodeW] ^ b_i[CodeW]) & live;

  wire [2*SIG_W-1:0] magnitude;
  wire [ExpW:0] shift;
  wire negative;

  generate
    if (Registered != 0) begin : g_registered
      reg [2*SIG_W-1:0] magnitude_q;
      reg [ExpW:0] shift_q;
      reg negative_q;

      always @(posedge clk_i) begin
        if (en_i) begin
          magnitude_q <= magnitude_d;
          shift_q <= shift_d;
          negative_q <= negative_d;
        end
      end

      assign magnitude = magnitude_q;
      assign shift = shift_q;
      assign negative = negative_q;
    end else begin : g_direct
      assign magnitude = magnitude_d;
      assign shift = shift_d;
      assign negative = negative_d;
      wire unused_ok = &{1'b0, clk_i, en_i};
    end
  endgenerate

  wire [PROD_W-1:0] aligned = {{(PROD_W-2*SIG_W){1'b0}}, magnitude} << shift;
  assign product_o = aligned ^ {PROD_W{negative}};
)");
  return m;
}

}  // namespace edgebert::gen
