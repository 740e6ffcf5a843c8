#include "generator/units/post_processor.h"

#include "generator/blocks/round_shift.h"
#include "generator/units/activation.h"
#include "generator/units/af_decoder.h"
#include "generator/units/af_encoder.h"
#include "golden/spec/formats.h"

namespace edgebert::gen {
namespace {

constexpr const char* kSource = "generator/units/post_processor.cc";

void AddFormatParameters(vlog::Module& m) {
  m.Param("CodeW", "8", "bits of a code, W");
  m.Param("ExpW", "3", "exponent bits, E");
  m.Param("AccW", "40", "bits of an accumulator");
}

}  // namespace

vlog::Module EmitPostLane() {
  vlog::Module m("eb_post_lane", kSource);
  m.Describe(R"(
eb_post_lane: one lane of the post-processor.

acc -> register -> shift -> + bias -> activation (4 stages) -> + residual -> encoder (2 stages): 10
cycles from acc_i, bias_i and res_i to code_o, score_o and fixed_o. Every sum saturates to a Fixed
(signed Q10.16). en_i[s] lets stage s + 1 take its operands; a stage without a vector does not
switch. The parameters of the operation stay still while its vectors are in the pipeline.)");
  AddFormatParameters(m);
  m.Input("clk_i").Input("en_i", "10");
  m.InputSigned("acc_i", "AccW").Input("bias_i", "32").Input("res_i", "CodeW");
  m.Group("The operation.").InputSigned("shift_i", "8").Input("activation_i", "3");
  m.InputSigned("offset_res_i", "10").InputSigned("bias_out_i", "8");
  m.Group("Code; score (signed Q7.9); Fixed before the encoder.");
  m.Output("code_o", "CodeW").OutputSigned("score_o", "16").OutputSigned("fixed_o", "26");
  m.Local("FIXED_W", spec::kFixedBits);
  m.Local("SCORE_W", spec::kScoreBits);
  m.Local("[7:0] SCORE_DROP", spec::kFixedFraction - spec::kScoreFraction,
          "fraction bits of a Fixed beyond those of a score");
  m.Local("MAX_LEFT", -spec::kShiftMin);
  m.Uses(EmitRoundShift()).Uses(EmitActivation()).Uses(EmitAfDecoder()).Uses(EmitAfEncoder());
  m.Body(R"(
  function signed [FIXED_W-1:0] saturate;
    input signed [FIXED_W:0] sum;
    if (sum[FIXED_W] == sum[FIXED_W-1]) saturate = sum[FIXED_W-1:0];
    else                                saturate = {sum[FIXED_W], {(FIXED_W-1){!sum[FIXED_W]}}};
  endfunction

  // Stage 1: the operands arrive from memories.
  reg signed [AccW-1:0]    acc_q;
  reg signed [FIXED_W-1:0] bias_q;
  always @(posedge clk_i) begin
    if (en_i[0]) begin
      acc_q  <= acc_i;
      bias_q <= bias_i[FIXED_W-1:0];
    end
  end

  // Stage 2: to the scale of a Fixed.
  wire signed [FIXED_W-1:0] scaled;
  eb_round_shift #(
    .InW(AccW),
    .OutW(FIXED_W),
    .ShiftW(8),
    .MaxLeft(MAX_LEFT)
  ) u_shift (
    .clk_i(clk_i),
    .en_i(en_i[1]),
    .x_i(acc_q),
    .shift_i(shift_i),
    .y_o(scaled)
  );

  reg signed [FIXED_W-1:0] bias_q2;
  always @(posedge clk_i) begin
    if (en_i[1]) bias_q2 <= bias_q;
  end

  // Stage 3: bias.
  reg signed [FIXED_W-1:0] biased_q;
  always @(posedge clk_i) begin
    if (en_i[2]) begin
      biased_q <= saturate({scaled[FIXED_W-1], scaled} + {bias_q2[FIXED_W-1], bias_q2});
    end
  end

  // Stages 4 to 7: activation.
  wire signed [FIXED_W-1:0] activated;
  eb_activation u_activation (
    .clk_i(clk_i),
    .en_i(|en_i[6:3]),
    .x_i(biased_q),
    .fn_i(activation_i),
    .y_o(activated)
  );
)");
  m.Body(R"(
  // Stage 8: residual, decoded in stage 7.
  reg [6*CodeW-1:0] res_q;  // youngest in the low bits
  always @(posedge clk_i) begin
    if (|en_i[5:0]) res_q <= {res_q[5*CodeW-1:0], res_i};
  end

  wire signed [FIXED_W-1:0] residual;
  eb_af_decoder #(
    .CodeW(CodeW),
    .ExpW(ExpW)
  ) u_residual (
    .clk_i(clk_i),
    .en_i(en_i[6]),
    .code_i(res_q[5*CodeW+:CodeW]),
    .offset_i(offset_res_i),
    .x_o(residual)
  );

  reg signed [FIXED_W-1:0] sum_q;
  always @(posedge clk_i) begin
    if (en_i[7]) begin
      sum_q <= saturate({activated[FIXED_W-1], activated} + {residual[FIXED_W-1], residual});
    end
  end

  // Stages 9 and 10: the encoder, and beside it the score and the Fixed.
  eb_af_encoder #(
    .CodeW(CodeW),
    .ExpW(ExpW)
  ) u_encoder (
    .clk_i(clk_i),
    .en_i(|en_i[9:8]),
    .x_i(sum_q),
    .bias_i(bias_out_i),
    .code_o(code_o)
  );

  wire signed [SCORE_W-1:0] score;
  eb_round_shift #(
    .InW(FIXED_W),
    .OutW(SCORE_W),
    .ShiftW(8),
    .MaxLeft(0)
  ) u_score (
    .clk_i(clk_i),
    .en_i(en_i[8]),
    .x_i(sum_q),
    .shift_i(SCORE_DROP),
    .y_o(score)
  );

  reg signed [SCORE_W-1:0] score_q2;
  reg signed [FIXED_W-1:0] fixed_q;
  reg signed [FIXED_W-1:0] fixed_q2;
  always @(posedge clk_i) begin
    if (en_i[8]) fixed_q <= sum_q;
    if (en_i[9]) begin
      score_q2 <= score;
      fixed_q2 <= fixed_q;
    end
  end
  assign score_o = score_q2;
  assign fixed_o = fixed_q2;

  wire unused_ok = &{1'b0, bias_i[31:FIXED_W]};
)");
  return m;
}

vlog::Module EmitPostProcessor() {
  vlog::Module m("eb_post_processor", kSource);
  m.Describe(R"(
eb_post_processor: turns a vector of accumulators into codes, scores or logits.

A vector a cycle, never stalls; LATENCY cycles from valid_i to valid_o. The tag travels with its
vector.)");
  m.Param("Lanes", "16", "accumulators of a vector");
  AddFormatParameters(m);
  m.Param("TagW", "20", "bits of the tag");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Accumulators, bias words (a Fixed each), residual codes (0 for none).");
  m.Input("valid_i").Input("acc_i", "Lanes*AccW").Input("bias_i", "Lanes*32");
  m.Input("res_i", "Lanes*CodeW").Input("tag_i", "TagW");
  m.Group("The operation; still while its vectors are in the pipeline.");
  m.InputSigned("shift_i", "8").Input("activation_i", "3");
  m.InputSigned("bias_res_i", "8").InputSigned("bias_out_i", "8");
  m.Group("Results.").Output("valid_o").Output("tag_o", "TagW").Output("code_o", "Lanes*CodeW");
  m.Output("score_o", "Lanes*16").Output("fixed_o", "Lanes*26");
  m.Group("A vector is in the pipeline.").Output("busy_o");
  m.Local("LATENCY", "10");
  m.Local("OFFSET", AfDecoderOffset(), "see eb_af_decoder");
  m.Uses(EmitPostLane());
  m.Body(R"(
  reg [LATENCY-1:0] valid_q;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      valid_q <= {LATENCY{1'b0}};
    else if (clear_i) valid_q <= {LATENCY{1'b0}};
    else              valid_q <= {valid_q[LATENCY-2:0], valid_i};
  end
  assign valid_o = valid_q[LATENCY-1];
  assign busy_o  = |valid_q;
  wire [LATENCY-1:0] active = {valid_q[LATENCY-2:0], valid_i};  // [s]: stage s + 1 has operands

  reg [LATENCY*TagW-1:0] tag_q;  // youngest in the low bits
  always @(posedge clk_i) begin
    if (|active) tag_q <= {tag_q[(LATENCY-1)*TagW-1:0], tag_i};
  end
  assign tag_o = tag_q[(LATENCY-1)*TagW+:TagW];

  reg signed [9:0] offset_res_q;
  always @(posedge clk_i) offset_res_q <= {{2{bias_res_i[7]}}, bias_res_i} + OFFSET[9:0];

  genvar g;
  generate
    for (g = 0; g < Lanes; g = g + 1) begin : g_lane
      eb_post_lane #(
        .CodeW(CodeW),
        .ExpW(ExpW),
        .AccW(AccW)
      ) u_lane (
        .clk_i(clk_i),
        .en_i(active),
        .acc_i(acc_i[AccW*g+:AccW]),
        .bias_i(bias_i[32*g+:32]),
        .res_i(res_i[CodeW*g+:CodeW]),
        .shift_i(shift_i),
        .activation_i(activation_i),
        .offset_res_i(offset_res_q),
        .bias_out_i(bias_out_i),
        .code_o(code_o[CodeW*g+:CodeW]),
        .score_o(score_o[16*g+:16]),
        .fixed_o(fixed_o[26*g+:26])
      );
    end
  endgenerate
)");
  return m;
}

}  // namespace edgebert::gen
