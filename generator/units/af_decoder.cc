#include "generator/units/af_decoder.h"

#include "golden/spec/formats.h"

namespace edgebert::gen {

vlog::Module EmitAfDecoder() {
  vlog::Module m("eb_af_decoder", "generator/units/af_decoder.cc");
  m.Describe(R"(
eb_af_decoder: AdaptivFloat<CodeW,ExpW> code with the bias of its tensor to Fixed (signed Q10.16).

Bits below the Fixed are rounded, ties toward +infinity; values beyond it saturate. Latency 1 cycle;
the result stands still while en_i is low.)");
  m.Param("CodeW", "8", "bits of a code, W").Param("ExpW", "3", "exponent bits, E");
  m.Input("clk_i").Input("en_i").Input("code_i", "CodeW").InputSigned("bias_i", "8");
  m.OutputSigned("x_o", "26");
  m.Local("FIXED_W", spec::kFixedBits).Local("FIXED_F", spec::kFixedFraction);
  m.Local("MAN_W", "CodeW - 1 - ExpW").Local("PLACE_W", "10");
  m.Local("WIDE_W", "FIXED_W + MAN_W + 1");
  m.Local("OFFSET", "FIXED_F - MAN_W");
  m.Local("LAST_PLACE", "FIXED_W - 2 - MAN_W", "beyond it a value saturates");
  m.Local("MOST_RIGHT", "MAN_W + 1", "beyond it nothing is left");
  m.Body(R"(
  wire             sign     = code_i[CodeW-1];
  wire [ExpW-1:0]  exponent = code_i[CodeW-2-:ExpW];
  wire [MAN_W-1:0] mantissa = code_i[MAN_W-1:0];
  wire             is_zero  = code_i[CodeW-2:0] == {(CodeW - 1) {1'b0}};

  // The integer 2^M + m counts in units of 2^(exponent + bias - M): `place` is where its low bit
  // lies in the Fixed, negative when bits are lost.
  wire signed [PLACE_W-1:0] place =
      $signed({{(PLACE_W - ExpW) {1'b0}}, exponent}) + {{(PLACE_W - 8) {bias_i[7]}}, bias_i} +
      $signed(OFFSET[PLACE_W-1:0]);
  wire               overflow = place > $signed(LAST_PLACE[PLACE_W-1:0]);
  wire [PLACE_W-1:0] right    = -place;

  // A negative magnitude rounds its ties down, so that the value rounds toward +infinity.
  reg [WIDE_W-1:0] magnitude;
  reg [WIDE_W-1:0] half;
  always @* begin
    half      = {WIDE_W{1'b0}};
    magnitude = {{(WIDE_W - MAN_W - 1) {1'b0}}, 1'b1, mantissa};
    if (!place[PLACE_W-1]) begin
      magnitude = magnitude << place[4:0];
    end else if (right > MOST_RIGHT[PLACE_W-1:0]) begin
      magnitude = {WIDE_W{1'b0}};
    end else begin
      half      = {{(WIDE_W - 1) {1'b0}}, 1'b1} << (right - 10'd1);
      magnitude = (magnitude + half - {{(WIDE_W - 1) {1'b0}}, sign}) >> right;
    end
  end

  reg signed [FIXED_W-1:0] x_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      if (is_zero)       x_q <= {FIXED_W{1'b0}};
      else if (overflow) x_q <= {sign, {(FIXED_W - 1) {!sign}}};
      else               x_q <= sign ? -magnitude[FIXED_W-1:0] : magnitude[FIXED_W-1:0];
    end
  end
  assign x_o = x_q;

  wire unused_ok = &{1'b0, magnitude[WIDE_W-1:FIXED_W]};
)");
  return m;
}

}  // namespace edgebert::gen
