#include "generator/blocks/round_shift.h"

namespace edgebert::gen {

vlog::Module EmitRoundShift() {
  vlog::Module m("eb_round_shift", "generator/blocks/round_shift.cc");
  m.Describe(R"(
eb_round_shift: shifts a signed number right with rounding, or left, and saturates. Latency
1 cycle; y_o stands still while en_i is low.

y = floor((x + 2^(s-1)) / 2^s) for s > 0, so ties go toward +infinity; y = x * 2^-s for s <= 0; then
saturated to OutW bits. One right shifter serves both directions: x starts MaxLeft places up, with
one more bit below that rounds.)");
  m.Param("InW", "32", "bits of x, signed");
  m.Param("OutW", "26", "bits of y, signed");
  m.Param("ShiftW", "8", "bits of s, signed");
  m.Param("MaxLeft", "16", "s >= -MaxLeft, at most 2^(ShiftW-1)");
  m.Guard("MaxLeft <= (1 << (ShiftW - 1))", "max_left_must_fit_the_shift");
  m.Input("clk_i").Input("en_i").InputSigned("x_i", "InW").InputSigned("shift_i", "ShiftW");
  m.OutputSigned("y_o", "OutW");
  m.Local("SUM_W", "((InW + MaxLeft > OutW) ? InW + MaxLeft : OutW) + 2");
  m.Body(R"(
  reg signed [OutW-1:0] y_q;
  always @(posedge clk_i) begin : round
    reg signed [SUM_W-1:0] placed;
    reg        [SUM_W-1:0] shifted;
    reg        [SUM_W-2:0] rounded;
    reg       [ShiftW-1:0] right;
    if (en_i) begin
      placed  = {{(SUM_W-InW-MaxLeft-1){x_i[InW-1]}}, x_i, {(MaxLeft+1){1'b0}}};
      right   = shift_i + MaxLeft[ShiftW-1:0];
      shifted = placed >>> right;
      rounded = shifted[SUM_W-1:1] + {{(SUM_W-2){1'b0}}, shifted[0]};
      // In range when the sign and every bit above the result agree.
      if ((&rounded[SUM_W-2:OutW-1]) || !(|rounded[SUM_W-2:OutW-1])) y_q <= rounded[OutW-1:0];
      else y_q <= {rounded[SUM_W-2], {(OutW-1){!rounded[SUM_W-2]}}};
    end
  end
  assign y_o = y_q;
)");
  return m;
}

}  // namespace edgebert::gen
