#include "generator/blocks/round_shift.h"

namespace edgebert::gen {

vlog::Module EmitRoundShift() {
  vlog::Module m("eb_round_shift", "generator/blocks/round_shift.cc");
  m.Describe(R"(
eb_round_shift: shifts a signed number right with rounding, or left, and saturates. Combinational.

y = floor((x + 2^(s-1)) / 2^s) for s > 0, so ties go toward +infinity; y = x * 2^-s for s <= 0; then
saturated to OutW bits. One right shifter serves both directions: x starts MaxLeft places up, with
one more bit below that rounds.)");
  m.Param("InW", "32", "bits of x, signed");
  m.Param("OutW", "26", "bits of y, signed");
  m.Param("ShiftW", "8", "bits of s, signed");
  m.Param("MaxLeft", "16", "s >= -MaxLeft, at most 2^(ShiftW-1)");
  m.Guard("MaxLeft <= (1 << (ShiftW - 1))", "max_left_must_fit_the_shift");
  m.InputSigned("x_i", "InW").InputSigned("shift_i", "ShiftW");
  m.OutputSigned("y_o", "OutW");
  m.Local("SUM_W", "((InW + MaxLeft > OutW) ? InW + MaxLeft : OutW) + 2");
  m.Body(R"(
  wire signed [SUM_W-1:0] placed =
      {{(SUM_W-InW-MaxLeft-1){x_i[InW-1]}}, x_i, {(MaxLeft+1){1'b0}}};
  wire        [ShiftW-1:0] right   = shift_i + MaxLeft[ShiftW-1:0];
  wire signed [SUM_W-1:0]  shifted = placed >>> right;

  // Adding half of the last place, then dropping the rounding bit.
  wire [SUM_W-1:0] sum = shifted + {{(SUM_W-1){1'b0}}, 1'b1};

  // In range when the sign and every bit above the result agree.
  wire fits = (&sum[SUM_W-1:OutW]) || !(|sum[SUM_W-1:OutW]);

  assign y_o = fits ? sum[OutW:1] : {sum[SUM_W-1], {(OutW-1){!sum[SUM_W-1]}}};

  wire unused_ok = &{1'b0, sum[0]};
)");
  return m;
}

}  // namespace edgebert::gen
