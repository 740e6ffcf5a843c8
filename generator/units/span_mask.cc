#include "generator/units/span_mask.h"

#include "golden/spec/formats.h"

namespace edgebert::gen {

vlog::Module EmitSpanMask() {
  vlog::Module m("eb_span_mask", "generator/units/span_mask.cc");
  m.Describe(R"(
eb_span_mask: the attention span mask m(|i-j|) of query row i over the Lanes keys from key_i on.

m(x) = clamp(c - x*r, 0, 1), with c = (R+z)/R and r = 1/R at 20 fraction bits; result 1.0 = 32768.
Keys beyond the sentence have mask 0. Latency 1 cycle; the result stands still while en_i is low.)");
  m.Param("Lanes", "16", "keys of a tile");
  m.Input("clk_i").Input("en_i").Input("row_i", "10").Input("key_i", "10").Input("length_i", "10");
  m.InputSigned("mask_c_i", "32").Input("mask_r_i", "21").Output("mask_o", "Lanes*16");
  m.Local("DROP", spec::kMaskCoefficientFraction - spec::kMaskFraction,
          "fraction bits of c and r beyond those of the mask");
  m.Local("signed [34:0] HALF", "1 << (DROP - 1)");
  m.Local("signed [34:0] ONE", int64_t{1} << spec::kMaskFraction);
  m.Body(R"(
  reg [Lanes*16-1:0] mask_q;
  always @(posedge clk_i) begin : ramp
    reg        [9:0]  key;
    reg        [9:0]  distance;
    reg signed [34:0] linear;
    integer           lane;
    if (en_i) begin
      for (lane = 0; lane < Lanes; lane = lane + 1) begin
        key      = key_i + lane[9:0];
        distance = (key > row_i) ? key - row_i : row_i - key;
        linear   = {{3{mask_c_i[31]}}, mask_c_i} - $signed({4'd0, distance * {10'd0, mask_r_i}});
        linear   = (linear + HALF) >>> DROP;
        if (key >= length_i || linear < 35'sd0) mask_q[16*lane+:16] <= 16'd0;
        else if (linear > ONE)                  mask_q[16*lane+:16] <= ONE[15:0];
        else                                    mask_q[16*lane+:16] <= linear[15:0];
      end
    end
  end
  assign mask_o = mask_q;
)");
  return m;
}

}  // namespace edgebert::gen
