#include "generator/units/weight_lane.h"

#include "generator/units/exp.h"
#include "golden/spec/formats.h"

namespace edgebert::gen {

vlog::Module EmitWeightLane() {
  vlog::Module m("eb_weight_lane", "generator/units/weight_lane.cc");
  m.Describe(R"(
eb_weight_lane: the unnormalised softmax weight of a key, exp(score - max) * mask, rounded.

Scores are signed Q7.9, the weight has 16 fraction bits. The mask is asked for five cycles
after the score. Latency 7 cycles; every stage stands still while en_i is low.)");
  m.Input("clk_i").Input("en_i");
  m.InputSigned("max_i", "16", "largest visible score of the row").InputSigned("score_i", "16");
  m.Input("mask_i", "16", "five cycles after the score").Output("weight_o", "17");
  m.Local("SCORE_W", spec::kScoreBits);
  m.Local("D_PAD", spec::kExpInputFraction - spec::kScoreFraction,
          "fraction bits of the exponent beyond those of a score");
  m.Local("WEIGHT_W", spec::kExpOutputFraction + 1);
  m.Local("MASK_F", spec::kMaskFraction);
  m.Local("HALF_W", 8, "the mask is multiplied by halves");
  m.Local("PART_W", "WEIGHT_W + HALF_W");
  m.Local("PRODUCT_W", "PART_W + HALF_W");
  m.Uses(EmitExp());
  m.Body(R"(
  // Stage 1: how far the score is below the largest; of a key that the span hides it may be above,
  // and its mask is 0.
  wire signed [SCORE_W:0] below = {max_i[SCORE_W-1], max_i} - {score_i[SCORE_W-1], score_i};
  reg         [SCORE_W-1:0] below_q;
  always @(posedge clk_i) begin
    if (en_i) below_q <= below[SCORE_W-1:0];
  end

  // Stages 2 to 5.
  wire [WEIGHT_W-1:0] e;
  eb_exp u_exp (
    .clk_i(clk_i),
    .en_i(en_i),
    .d_i({below_q, {D_PAD{1'b0}}}),
    .e_o(e)
  );

  // Stages 6 and 7: times the mask.
  reg [PART_W-1:0]   high_q;
  reg [PART_W-1:0]   low_q;
  reg [WEIGHT_W-1:0] weight_q;
  wire [PRODUCT_W-1:0] product = {high_q, {HALF_W{1'b0}}} + {{HALF_W{1'b0}}, low_q}
      + ({{(PRODUCT_W-1){1'b0}}, 1'b1} << (MASK_F - 1));
  always @(posedge clk_i) begin
    if (en_i) begin
      high_q   <= e * mask_i[HALF_W+:HALF_W];
      low_q    <= e * mask_i[0+:HALF_W];
      weight_q <= product[MASK_F+:WEIGHT_W];
    end
  end
  assign weight_o = weight_q;

  wire unused_ok = &{1'b0, below[SCORE_W], product[PRODUCT_W-1], product[MASK_F-1:0]};
)");
  return m;
}

}  // namespace edgebert::gen
