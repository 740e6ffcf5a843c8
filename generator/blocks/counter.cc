#include "generator/blocks/counter.h"

namespace edgebert::gen {

vlog::Module EmitCounter() {
  vlog::Module m("eb_counter", "generator/blocks/counter.cc");
  m.Describe(R"(
eb_counter: counts events in 64 bits.

The high word and the high word plus one are there before the low word's carry chooses, so that no
sum is longer than a word.)");
  m.Param("EventW", "1", "bits of the events of a cycle, at most 32");
  m.Input("clk_i").Input("rst_ni").Input("clear_i").Input("run_i").Input("events_i", "EventW");
  m.Output("low_o", "32").Output("high_o", "32");
  m.Body(R"(
  reg  [31:0] low_q;
  reg  [31:0] high_q;
  wire [32:0] sum = {1'b0, low_q} + {{(33-EventW){1'b0}}, events_i};

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      low_q  <= 32'd0;
      high_q <= 32'd0;
    end else if (clear_i) begin
      low_q  <= 32'd0;
      high_q <= 32'd0;
    end else if (run_i && (|events_i)) begin
      low_q <= sum[31:0];
      if (sum[32]) high_q <= high_q + 32'd1;
    end
  end
  assign low_o  = low_q;
  assign high_o = high_q;
)");
  return m;
}

}  // namespace edgebert::gen
