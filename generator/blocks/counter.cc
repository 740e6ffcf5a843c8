#include "generator/blocks/counter.h"

namespace edgebert::gen {

vlog::Module EmitCounter() {
  vlog::Module m("eb_counter", "generator/blocks/counter.cc");
  m.Describe(R"(
eb_counter: counts events in 64 bits.

The carry into the high word is added a cycle later, so that no sum is longer than a word; count_o is
right in the second cycle after the last event.)");
  m.Param("EventW", "1", "bits of the events of a cycle, at most 32");
  m.Input("clk_i").Input("rst_ni").Input("clear_i").Input("run_i").Input("events_i", "EventW");
  m.Output("count_o", "64");
  m.Body(R"(
  reg [31:0] low_q;
  reg        carry_q;
  reg [31:0] high_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      low_q   <= 32'd0;
      carry_q <= 1'b0;
      high_q  <= 32'd0;
    end else if (clear_i) begin
      low_q   <= 32'd0;
      carry_q <= 1'b0;
      high_q  <= 32'd0;
    end else begin
      carry_q <= 1'b0;
      if (run_i && (|events_i)) {carry_q, low_q} <= {1'b0, low_q} + {{(33-EventW){1'b0}}, events_i};
      if (carry_q) high_q <= high_q + 32'd1;
    end
  end
  assign count_o = {high_q, low_q};
)");
  return m;
}

}  // namespace edgebert::gen
