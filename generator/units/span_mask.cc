#include "generator/units/span_mask.h"

#include "golden/spec/formats.h"

namespace edgebert::gen {

vlog::Module EmitSpanMask() {
  vlog::Module m("eb_span_mask", "generator/units/span_mask.cc");
  m.Describe(R"(
eb_span_mask: the attention span mask m(|i-j|) of query row i over the Lanes keys from key_i on.

m(x) = clamp(c - x*r, 0, 1), with c = (R+z)/R and r = 1/R at 20 fraction bits; result 1.0 = 32768.
Keys beyond the sentence have mask 0. With d = i - (first key), lane l has c - d*r + l*r before the
row and c + d*r - l*r behind it, so that one product serves all lanes. Latency 6 cycles; every stage
stands still while en_i is low. mask_r_i must stand for a cycle before the first row.)");
  m.Param("Lanes", "16", "keys of a tile");
  m.Input("clk_i").Input("en_i").Input("row_i", "10").Input("key_i", "10").Input("length_i", "10");
  m.InputSigned("mask_c_i", "32").Input("mask_r_i", "21").Output("mask_o", "Lanes*16");
  m.Local("DROP", spec::kMaskCoefficientFraction - spec::kMaskFraction,
          "fraction bits of c and r beyond those of the mask");
  m.Local("LINEAR_W", 35);
  m.Local("R_W", 21);
  m.Local("LOW_W", 10, "r is multiplied by halves");
  m.Local("signed [LINEAR_W-1:0] HALF", "1 << (DROP - 1)");
  m.Local("MASK_F", spec::kMaskFraction);
  m.Local("[15:0] ONE", int64_t{1} << spec::kMaskFraction);
  m.Body(R"(
  // Stage 1: distances of the row and of the end of the sentence from the first key.
  reg signed [10:0] d_q1;
  reg signed [10:0] left_q1;
  // Stages 2 and 3: d * r.
  reg signed [10:0]           d_q2;
  reg signed [10:0]           left_q2;
  reg signed [R_W-LOW_W+11:0] high_q2;
  reg signed [LOW_W+11:0]     low_q2;
  reg signed [10:0]           d_q3;
  reg signed [10:0]           left_q3;
  reg signed [LINEAR_W-1:0]   product_q3;
  // Stage 4: what the lanes start from.
  reg signed [10:0]           d_q4;
  reg signed [10:0]           left_q4;
  reg signed [LINEAR_W-1:0]   before_q4;
  reg signed [LINEAR_W-1:0]   behind_q4;

  wire signed [LINEAR_W-1:0] start = {{(LINEAR_W-32){mask_c_i[31]}}, mask_c_i} + HALF;

  always @(posedge clk_i) begin
    if (en_i) begin
      d_q1       <= {1'b0, row_i} - {1'b0, key_i};
      left_q1    <= {1'b0, length_i} - {1'b0, key_i};
      d_q2       <= d_q1;
      left_q2    <= left_q1;
      high_q2    <= d_q1 * $signed({1'b0, mask_r_i[R_W-1:LOW_W]});
      low_q2     <= d_q1 * $signed({1'b0, mask_r_i[LOW_W-1:0]});
      d_q3       <= d_q2;
      left_q3    <= left_q2;
      product_q3 <= {{(LINEAR_W-R_W-12){high_q2[R_W-LOW_W+11]}}, high_q2, {LOW_W{1'b0}}}
                  + {{(LINEAR_W-LOW_W-12){low_q2[LOW_W+11]}}, low_q2};
      d_q4       <= d_q3;
      left_q4    <= left_q3;
      before_q4  <= start - product_q3;
      behind_q4  <= start + product_q3;
    end
  end

  genvar lane;
  generate
    for (lane = 0; lane < Lanes; lane = lane + 1) begin : g_lane
      // l * r stands still during a command.
      reg [R_W+4:0] step_q;
      always @(posedge clk_i) step_q <= lane[4:0] * {5'd0, mask_r_i};

      // Stage 5: the ramp of this lane.
      wire                       behind = d_q4 < $signed({6'd0, lane[4:0]});
      wire signed [LINEAR_W-1:0] step   = {{(LINEAR_W-R_W-5){1'b0}}, step_q};
      reg  signed [LINEAR_W-1:0] linear_q;
      reg                        beyond_q;
      // Stage 6: clamped; a key beyond the sentence has none.
      reg  [15:0]                mask_q;
      always @(posedge clk_i) begin
        if (en_i) begin
          linear_q <= behind ? behind_q4 - step : before_q4 + step;
          beyond_q <= (left_q4 <= $signed({6'd0, lane[4:0]}));
          if (beyond_q || linear_q[LINEAR_W-1])             mask_q <= 16'd0;
          else if (|linear_q[LINEAR_W-2:DROP+MASK_F])       mask_q <= ONE;
          else                                              mask_q <= linear_q[DROP+:16];
        end
      end
      assign mask_o[16*lane+:16] = mask_q;

      wire unused_ok = &{1'b0, linear_q[DROP-1:0]};
    end
  endgenerate
)");
  return m;
}

}  // namespace edgebert::gen
