#include "generator/blocks/fifo.h"

namespace edgebert::gen {

vlog::Module EmitFifo() {
  vlog::Module m("eb_fifo", "generator/blocks/fifo.cc");
  m.Describe(R"(
eb_fifo: synchronous FIFO, first word falls through. Any Depth from 1, held in flip-flops.

A word written in one cycle can be read in the next. in_ready_o does not depend on out_ready_i.
`clear_i` empties it.)");
  m.Param("Width", "8", "bits of a word");
  m.Param("Depth", "4", "words, >= 1");
  m.Guard("Depth >= 1", "depth_must_be_at_least_1");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Writing side.").Input("in_valid_i").Output("in_ready_o").Input("in_data_i", "Width");
  m.Group("Reading side.").Output("out_valid_o").Input("out_ready_i").Output("out_data_o", "Width");
  m.Group("Words held.").Output("count_o", "$clog2(Depth+1)");
  m.Local("COUNT_W", "$clog2(Depth+1)");
  m.Local("INDEX_W", "(Depth > 1) ? $clog2(Depth) : 1");
  m.Body(R"(
  reg [Width-1:0]   mem_q [0:Depth-1];
  reg [INDEX_W-1:0] head_q;
  reg [INDEX_W-1:0] tail_q;
  reg [COUNT_W-1:0] count_q;

  assign in_ready_o  = count_q != Depth[COUNT_W-1:0];
  assign out_valid_o = count_q != {COUNT_W{1'b0}};
  assign out_data_o  = mem_q[head_q];
  assign count_o     = count_q;

  wire push = in_valid_i && in_ready_o;
  wire pop  = out_valid_o && out_ready_i;

  localparam [31:0] LAST = Depth - 1;

  function [INDEX_W-1:0] successor;
    input [INDEX_W-1:0] index;
    successor = (index == LAST[INDEX_W-1:0]) ? {INDEX_W{1'b0}} : index + 1'b1;
  endfunction

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_q  <= {INDEX_W{1'b0}};
      tail_q  <= {INDEX_W{1'b0}};
      count_q <= {COUNT_W{1'b0}};
    end else if (clear_i) begin
      head_q  <= {INDEX_W{1'b0}};
      tail_q  <= {INDEX_W{1'b0}};
      count_q <= {COUNT_W{1'b0}};
    end else begin
      if (push) tail_q <= successor(tail_q);
      if (pop) head_q <= successor(head_q);
      if (push && !pop) count_q <= count_q + 1'b1;
      if (pop && !push) count_q <= count_q - 1'b1;
    end
  end

  always @(posedge clk_i) begin
    if (push) mem_q[tail_q] <= in_data_i;
  end
)");
  return m;
}

}  // namespace edgebert::gen
