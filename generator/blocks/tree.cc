#include "generator/blocks/tree.h"

namespace edgebert::gen {

vlog::Module EmitMaxTree() {
  vlog::Module m("eb_max_tree", "generator/blocks/tree.cc");
  m.Describe(R"(
eb_max_tree: the largest of Lanes signed numbers, by a binary tree with a register at every node.

Latency log2(Lanes) cycles, a set of numbers a cycle; the nodes stand still while en_i is low.)");
  m.Param("Lanes", "16", "numbers, a power of two from 2");
  m.Param("Width", "16", "bits of a number");
  m.Guard("Lanes >= 2 && (Lanes & (Lanes - 1)) == 0", "lanes_must_be_a_power_of_two");
  m.Input("clk_i").Input("en_i").Input("x_i", "Lanes*Width").OutputSigned("max_o", "Width");
  m.Body(R"(
  // Node 1 is the root, 2k and 2k+1 stand below node k, Lanes is the first leaf.
  reg  [(Lanes-1)*Width-1:0] node_q;
  wire [2*Lanes*Width-1:0]   node = {x_i, node_q, {Width{1'b0}}};

  always @(posedge clk_i) begin : nodes
    integer                k;
    reg signed [Width-1:0] left;
    reg signed [Width-1:0] right;
    if (en_i) begin
      for (k = 1; k < Lanes; k = k + 1) begin
        left  = node[2*k*Width+:Width];
        right = node[(2*k+1)*Width+:Width];
        node_q[(k-1)*Width+:Width] <= (left > right) ? left : right;
      end
    end
  end

  assign max_o = node_q[Width-1:0];

  wire unused_ok = &{1'b0, node[2*Width-1:0]};
)");
  return m;
}

vlog::Module EmitSumTree() {
  vlog::Module m("eb_sum_tree", "generator/blocks/tree.cc");
  m.Describe(R"(
eb_sum_tree: the sum of Lanes numbers, by a binary tree with a register at every node.

Latency log2(Lanes) cycles, a set of numbers a cycle; the nodes stand still while en_i is low.)");
  m.Param("Lanes", "16", "numbers, a power of two from 2");
  m.Param("Width", "17", "bits of a number");
  m.Param("Signed", "0", "1: two's complement numbers");
  m.Param("SumW", "21", "bits of the sum, enough for it");
  m.Guard("Lanes >= 2 && (Lanes & (Lanes - 1)) == 0", "lanes_must_be_a_power_of_two");
  m.Input("clk_i").Input("en_i").Input("x_i", "Lanes*Width").Output("sum_o", "SumW");
  m.Body(R"(
  // Node 1 is the root, 2k and 2k+1 stand below node k, Lanes is the first leaf.
  reg  [(Lanes-1)*SumW-1:0] node_q;
  wire [2*Lanes*SumW-1:0]   node;
  assign node[0+:Lanes*SumW] = {node_q, {SumW{1'b0}}};
  genvar lane;
  generate
    for (lane = 0; lane < Lanes; lane = lane + 1) begin : g_leaf
      wire fill = (Signed != 0) && x_i[lane*Width+Width-1];
      assign node[(Lanes+lane)*SumW+:SumW] = {{(SumW-Width){fill}}, x_i[lane*Width+:Width]};
    end
  endgenerate

  always @(posedge clk_i) begin : nodes
    integer k;
    if (en_i) begin
      for (k = 1; k < Lanes; k = k + 1) begin
        node_q[(k-1)*SumW+:SumW] <= node[2*k*SumW+:SumW] + node[(2*k+1)*SumW+:SumW];
      end
    end
  end

  assign sum_o = node_q[SumW-1:0];

  wire unused_ok = &{1'b0, node[2*SumW-1:0]};
)");
  return m;
}

}  // namespace edgebert::gen
