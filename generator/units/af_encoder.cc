#include "generator/units/af_encoder.h"

#include "golden/spec/formats.h"

namespace edgebert::gen {

vlog::Module EmitAfEncoder() {
  vlog::Module m("eb_af_encoder", "generator/units/af_encoder.cc");
  m.Describe(R"(
eb_af_encoder: Fixed (signed Q10.16) to an AdaptivFloat<CodeW,ExpW> code with the bias of its tensor.

Rounds to nearest even, saturates with the sign, and gives the smallest non-zero code from half of
its value up. Latency 2 cycles; every stage stands still while en_i is low.)");
  m.Param("CodeW", "8", "bits of a code, W").Param("ExpW", "3", "exponent bits, E");
  m.Input("clk_i").Input("en_i").InputSigned("x_i", "26").InputSigned("bias_i", "8");
  m.Output("code_o", "CodeW");
  m.Local("FIXED_W", spec::kFixedBits);
  m.Local("INTEGER_W", spec::kFixedBits - 1 - spec::kFixedFraction, "exponent of the top bit");
  m.Local("MAN_W", "CodeW - 1 - ExpW");
  m.Local("[9:0] EXP_MAX", "(1 << ExpW) - 1");
  m.Body(R"(
  // Stage 1: magnitude, its leading one, and the exponent relative to the bias.
  reg                sign_q;
  reg                zero_q;
  reg  [FIXED_W-1:0] norm_q;  // leading one in the top bit
  reg  signed [9:0]  exponent_q;
  always @(posedge clk_i) begin : stage_1
    reg [FIXED_W-1:0] norm;
    reg [4:0]         drop;  // places that the leading one moves up
    if (en_i) begin
      norm = x_i[FIXED_W-1] ? -x_i : x_i;
      drop = 5'd0;
      if (!(|norm[FIXED_W-1-:16])) begin norm = norm << 16; drop[4] = 1'b1; end
      if (!(|norm[FIXED_W-1-:8]))  begin norm = norm << 8;  drop[3] = 1'b1; end
      if (!(|norm[FIXED_W-1-:4]))  begin norm = norm << 4;  drop[2] = 1'b1; end
      if (!(|norm[FIXED_W-1-:2]))  begin norm = norm << 2;  drop[1] = 1'b1; end
      if (!norm[FIXED_W-1])        begin norm = norm << 1;  drop[0] = 1'b1; end
      sign_q     <= x_i[FIXED_W-1];
      zero_q     <= !norm[FIXED_W-1];
      norm_q     <= norm;
      exponent_q <= INTEGER_W[9:0] - {5'd0, drop} - {{2{bias_i[7]}}, bias_i};
    end
  end
)");
  m.Body(R"(
  // Stage 2: round to nearest even, saturate, and keep clear of the code that means zero.
  reg [CodeW-1:0] code_q;
  always @(posedge clk_i) begin : stage_2
    reg [MAN_W-1:0]  man_floor;
    reg              guard;
    reg              sticky;
    reg              round_up;
    reg [MAN_W:0]    man_round;
    reg signed [9:0] exp_round;
    reg [CodeW-2:0]  body;
    if (en_i) begin
      man_floor = norm_q[FIXED_W-2-:MAN_W];
      guard     = norm_q[FIXED_W-2-MAN_W];
      sticky    = |norm_q[FIXED_W-3-MAN_W:0];
      round_up  = guard & (sticky | man_floor[0]);
      man_round = {1'b0, man_floor} + {{MAN_W{1'b0}}, round_up};
      exp_round = exponent_q + {9'd0, man_round[MAN_W]};
      if (zero_q || exponent_q < -10'sd1) begin
        body = {(CodeW - 1) {1'b0}};
      end else if (exponent_q == -10'sd1) begin
        body = {{(CodeW - 2) {1'b0}}, |man_floor};
      end else if (exp_round > $signed(EXP_MAX)) begin
        body = {(CodeW - 1) {1'b1}};
      end else if (exp_round == 10'sd0 && man_round[MAN_W-1:0] == {MAN_W{1'b0}}) begin
        body = {{(CodeW - 2) {1'b0}}, 1'b1};
      end else begin
        body = {exp_round[ExpW-1:0], man_round[MAN_W-1:0]};
      end
      code_q <= {sign_q & (|body), body};
    end
  end
  assign code_o = code_q;

  wire unused_ok = &{1'b0, norm_q[FIXED_W-1]};
)");
  return m;
}

}  // namespace edgebert::gen
