#include "generator/units/af_decoder.h"

#include <fmt/format.h>

#include "golden/spec/formats.h"

namespace edgebert::gen {

vlog::Module EmitAfDecoder() {
  vlog::Module m("eb_af_decoder", "generator/units/af_decoder.cc");
  m.Describe(R"(
eb_af_decoder: AdaptivFloat<CodeW,ExpW> code to Fixed (signed Q10.16).

offset_i is the bias of the tensor plus 16 - M, for fraction and mantissa bits. Bits below the Fixed are rounded, ties toward +infinity; values beyond it saturate. Latency 1 cycle;
the result stands still while en_i is low.)");
  m.Param("CodeW", "8", "bits of a code, W").Param("ExpW", "3", "exponent bits, E");
  m.Input("clk_i").Input("en_i").Input("code_i", "CodeW").InputSigned("offset_i", "10");
  m.OutputSigned("x_o", "26");
  m.Local("FIXED_W", spec::kFixedBits);
  m.Local("MAN_W", "CodeW - 1 - ExpW").Local("PLACE_W", "10");
  m.Local("WIDE_W", "FIXED_W + MAN_W + 1");
  m.Local("LAST_PLACE", "FIXED_W - 2 - MAN_W", "beyond it a value saturates");
  m.Local("MOST_RIGHT", "MAN_W + 1", "beyond it nothing is left");
  m.Body(R"(
  // The integer 2^M + m counts in units of 2^(exponent + bias - M): `place` is where its low bit
  // lies in the Fixed, negative when bits are lost.
  reg signed [FIXED_W-1:0] x_q;
  always @(posedge clk_i) begin : decode
    reg                      sign;
    reg signed [PLACE_W-1:0] place;
    reg        [PLACE_W-1:0] right;
    reg        [WIDE_W-1:0]  half;
    reg        [WIDE_W-1:0]  magnitude;
    if (en_i) begin
      sign  = code_i[CodeW-1];
      place = $signed({{(PLACE_W - ExpW) {1'b0}}, code_i[CodeW-2-:ExpW]}) + offset_i;
      right = -place;

      // A negative magnitude rounds its ties down, so that the value rounds toward +infinity.
      half      = {{(WIDE_W - 1) {1'b0}}, 1'b1} << (right - 10'd1);
      magnitude = {{(WIDE_W - MAN_W - 1) {1'b0}}, 1'b1, code_i[MAN_W-1:0]};
      if (!place[PLACE_W-1])                     magnitude = magnitude << place[4:0];
      else if (right > MOST_RIGHT[PLACE_W-1:0])  magnitude = {WIDE_W{1'b0}};
      else magnitude = (magnitude + half - {{(WIDE_W - 1) {1'b0}}, sign}) >> right;

      if (code_i[CodeW-2:0] == {(CodeW - 1) {1'b0}})        x_q <= {FIXED_W{1'b0}};
      else if (place > $signed(LAST_PLACE[PLACE_W-1:0]))    x_q <= {sign, {(FIXED_W - 1) {!sign}}};
      else if (sign)                                        x_q <= -magnitude[FIXED_W-1:0];
      else                                                  x_q <= magnitude[FIXED_W-1:0];
    end
  end
  assign x_o = x_q;
)");
  return m;
}

std::string AfDecoderOffset() {
  return fmt::format("{} - (CodeW - 1 - ExpW)", spec::kFixedFraction);
}

}  // namespace edgebert::gen
