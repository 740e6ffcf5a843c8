#include "generator/units/scale_lane.h"

#include "generator/units/af_encoder.h"
#include "golden/spec/formats.h"

namespace edgebert::gen {

vlog::Module EmitScaleLane() {
  vlog::Module m("eb_scale_lane", "generator/units/scale_lane.cc");
  m.Describe(R"(
eb_scale_lane: a softmax weight times the reciprocal r * 2^-s of the row's sum, as a code.

The shift s is asked for two cycles after the weight. Latency 6 cycles; every stage stands still
while en_i is low.)");
  m.Param("CodeW", "8", "bits of a code, W");
  m.Param("ExpW", "3", "exponent bits, E");
  m.Input("clk_i").Input("en_i");
  m.Input("weight_i", "17").Input("inverse_i", "17", "r");
  m.Input("shift_i", "6", "s, two cycles after the weight").InputSigned("bias_i", "8");
  m.Output("code_o", "CodeW");
  m.Local("WEIGHT_W", spec::kExpOutputFraction + 1);
  m.Local("INVERSE_W", 17);
  m.Local("LOW_W", 9, "the reciprocal is multiplied by halves");
  m.Local("PRODUCT_W", "WEIGHT_W + INVERSE_W");
  m.Local("FIXED_W", spec::kFixedBits);
  m.Uses(EmitAfEncoder());
  m.Body(R"(
  // Stages 1 and 2: the product.
  reg [PRODUCT_W-LOW_W-1:0] high_q;
  reg [WEIGHT_W+LOW_W-1:0]  low_q;
  reg [PRODUCT_W-1:0]       product_q;
  // Stage 3: shifted, but for one place; stage 4: that one rounds.
  wire [PRODUCT_W:0]        shifted = {product_q, 1'b0} >> shift_i;
  reg  [WEIGHT_W:0]         shifted_q;
  wire [WEIGHT_W:0]         rounded = shifted_q + {{WEIGHT_W{1'b0}}, 1'b1};
  reg  [WEIGHT_W-1:0]       probability_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      high_q        <= weight_i * inverse_i[INVERSE_W-1:LOW_W];
      low_q         <= weight_i * inverse_i[LOW_W-1:0];
      product_q     <= {high_q, {LOW_W{1'b0}}} + {{(INVERSE_W-LOW_W){1'b0}}, low_q};
      shifted_q     <= shifted[WEIGHT_W:0];
      probability_q <= rounded[WEIGHT_W:1];
    end
  end

  // Stages 5 and 6.
  eb_af_encoder #(
    .CodeW(CodeW),
    .ExpW(ExpW)
  ) u_encoder (
    .clk_i(clk_i),
    .en_i(en_i),
    .x_i({{(FIXED_W-WEIGHT_W){1'b0}}, probability_q}),
    .bias_i(bias_i),
    .code_o(code_o)
  );

  wire unused_ok = &{1'b0, shifted[PRODUCT_W:WEIGHT_W+1], rounded[0]};
)");
  return m;
}

}  // namespace edgebert::gen
