#include "generator/units/vmac_array.h"

#include "generator/units/af_multiplier.h"

namespace edgebert::gen {

vlog::Module EmitVmacArray() {
  vlog::Module m("eb_vmac_array", "generator/units/vmac_array.cc");
  m.Describe(R"(
eb_vmac_array: Lanes dot products of Lanes products a cycle, between a row of activations and the
held tile.

The tile is double-buffered: load_* fills the shadow tile while the active one is in use, swap_i
copies it. A row that comes with swap_i or later is multiplied by the new tile. The dot products of
a row are at dot_o Pipeline + 1 cycles after row_valid_i, exact, Lanes signed numbers. Without
row_valid_i the operand registers keep their value, so that no multiplier switches.

Pipeline puts registers: 1 behind the multipliers, 2 also behind the adder tree, 3 also inside the
tree, 4 also inside the multipliers.)");
  m.Param("Lanes", "16", "products of a dot product, and dot products; a multiple of 4");
  m.Param("CodeW", "8", "bits of a code");
  m.Param("ExpW", "3", "exponent bits of a code");
  m.Param("Pipeline", "2", "register stages behind the operands, 1..4");
  m.Param("Gated", "1", "1: a product with a zero operand stands still");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Shadow tile: the weights of output lane load_index_i, or transposed those of k lane.");
  m.Input("load_valid_i").Input("load_transposed_i").Input("load_index_i", "$clog2(Lanes)");
  m.Input("load_codes_i", "Lanes*CodeW");
  m.Group("Shadow tile to active tile, at the end of the cycle.").Input("swap_i");
  m.Group("Activations of one row.").Input("row_valid_i").Input("row_codes_i", "Lanes*CodeW");
  m.Group("Dot products, lane 0 in the low bits.");
  m.Output("dot_o", "Lanes*(2*(CodeW-ExpW+(1<<ExpW))-1+$clog2(Lanes))");
  m.Local("MAN_W", "CodeW - 1 - ExpW");
  m.Local("OPERAND_W", "CodeW + 1", "a code with its leading one");
  m.Local("PROD_W", "2 * (CodeW - ExpW + (1 << ExpW)) - 1");
  m.Local("DOT_W", "PROD_W + $clog2(Lanes)");
  m.Local("GROUP", "4", "products summed before the tree's own register");
  m.Local("GROUPS", "Lanes / GROUP");
  m.Local("PART_W", "PROD_W + 2");
  m.Local("SHIFT_CUT", "(Pipeline >= 4) ? 1 : 0");
  m.Local("TREE_CUT", "(Pipeline >= 3) ? 1 : 0");
  m.Local("SUM_CUT", "(Pipeline >= 2) ? 1 : 0");
  m.Uses(EmitAfMultiplier());
  m.Body(R"(
  // The tiles are indexed [k lane][output lane]; the active one is plain registers.
  reg [OPERAND_W-1:0] shadow_q [0:Lanes-1][0:Lanes-1];
  (* mem2reg *) reg [OPERAND_W-1:0] active_q [0:Lanes-1][0:Lanes-1];
  (* mem2reg *) reg [OPERAND_W-1:0] row_q [0:Lanes-1];
  wire [PART_W-1:0] part_d [0:GROUPS-1][0:Lanes-1];
  wire [PART_W-1:0] part [0:GROUPS-1][0:Lanes-1];
  // What the multipliers take: no register after this has to be looked at for zeros.
  wire [Lanes*OPERAND_W-1:0] load_operands;
  wire [Lanes*OPERAND_W-1:0] row_operands;
  // valid_q[s]: stage s holds a row; nothing switches in the others.
  reg [Pipeline-1:0] valid_q;

  integer j, k, s;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= {Pipeline{1'b0}};
    end else if (clear_i) begin
      valid_q <= {Pipeline{1'b0}};
    end else begin
      valid_q[0] <= row_valid_i;
      for (s = 1; s < Pipeline; s = s + 1) valid_q[s] <= valid_q[s-1];
    end
  end

  always @(posedge clk_i) begin
    if (load_valid_i && load_transposed_i) begin
      for (j = 0; j < Lanes; j = j + 1) begin
        shadow_q[load_index_i][j] <= load_operands[j*OPERAND_W +: OPERAND_W];
      end
    end
    if (load_valid_i && !load_transposed_i) begin
      for (k = 0; k < Lanes; k = k + 1) begin
        shadow_q[k][load_index_i] <= load_operands[k*OPERAND_W +: OPERAND_W];
      end
    end
    if (swap_i) begin
      for (k = 0; k < Lanes; k = k + 1) begin
        for (j = 0; j < Lanes; j = j + 1) active_q[k][j] <= shadow_q[k][j];
      end
    end
    if (row_valid_i) begin
      for (k = 0; k < Lanes; k = k + 1) row_q[k] <= row_operands[k*OPERAND_W +: OPERAND_W];
    end
  end

)");
  m.Body(R"(
  genvar gk, gj, gg;
  generate
    for (gk = 0; gk < Lanes; gk = gk + 1) begin : g_k
      wire [CodeW-1:0] loaded = load_codes_i[gk*CodeW +: CodeW];
      wire [CodeW-1:0] code = row_codes_i[gk*CodeW +: CodeW];
      assign load_operands[gk*OPERAND_W +: OPERAND_W] =
          {loaded[CodeW-1:MAN_W], |loaded[CodeW-2:0], loaded[MAN_W-1:0]};
      assign row_operands[gk*OPERAND_W +: OPERAND_W] =
          {code[CodeW-1:MAN_W], |code[CodeW-2:0], code[MAN_W-1:0]};

      for (gj = 0; gj < Lanes; gj = gj + 1) begin : g_j
        wire [OPERAND_W-1:0] activation = row_q[gk];
        wire [OPERAND_W-1:0] weight = active_q[gk][gj];
        wire [PROD_W-1:0] product;

        eb_af_multiplier #(
          .CodeW(CodeW),
          .ExpW(ExpW),
          .Registered(SHIFT_CUT),
          .Gated(Gated)
        ) u_multiplier (
          .clk_i(clk_i),
          .en_i(valid_q[0]),
          .a_i(activation),
          .b_i(weight),
          .product_o(product)
        );

        reg [PROD_W-1:0] product_q;
        always @(posedge clk_i) begin
          if (valid_q[SHIFT_CUT]) product_q <= product;
        end
      end
    end
  endgenerate

)");
  m.Body(R"(
  // The adder tree: groups of products, then groups. A one's complement becomes a two's complement
  // by its sign as the carry.
  generate
    for (gg = 0; gg < GROUPS; gg = gg + 1) begin : g_group
      for (gj = 0; gj < Lanes; gj = gj + 1) begin : g_lane
        wire [PROD_W-1:0] p0 = g_k[GROUP*gg+0].g_j[gj].product_q;
        wire [PROD_W-1:0] p1 = g_k[GROUP*gg+1].g_j[gj].product_q;
        wire [PROD_W-1:0] p2 = g_k[GROUP*gg+2].g_j[gj].product_q;
        wire [PROD_W-1:0] p3 = g_k[GROUP*gg+3].g_j[gj].product_q;
        assign part_d[gg][gj] =
            {{(PART_W-PROD_W){p0[PROD_W-1]}}, p0} + {{(PART_W-PROD_W){p1[PROD_W-1]}}, p1}
            + {{(PART_W-PROD_W){p2[PROD_W-1]}}, p2} + {{(PART_W-PROD_W){p3[PROD_W-1]}}, p3}
            + {{(PART_W-1){1'b0}}, p0[PROD_W-1]} + {{(PART_W-1){1'b0}}, p1[PROD_W-1]}
            + {{(PART_W-1){1'b0}}, p2[PROD_W-1]} + {{(PART_W-1){1'b0}}, p3[PROD_W-1]};
        if (TREE_CUT != 0) begin : g_cut
          reg [PART_W-1:0] part_q;
          always @(posedge clk_i) begin
            if (valid_q[SHIFT_CUT+1]) part_q <= part_d[gg][gj];
          end
          assign part[gg][gj] = part_q;
        end else begin : g_direct
          assign part[gg][gj] = part_d[gg][gj];
        end
      end
    end
    for (gg = 0; gg < GROUPS; gg = gg + 1) begin : g_total
      for (gj = 0; gj < Lanes; gj = gj + 1) begin : g_lane
        wire [DOT_W-1:0] addend = {{(DOT_W-PART_W){part[gg][gj][PART_W-1]}}, part[gg][gj]};
        wire [DOT_W-1:0] total;
        if (gg == 0) begin : g_first
          assign total = addend;
        end else begin : g_next
          assign total = g_total[gg-1].g_lane[gj].total + addend;
        end
      end
    end
    for (gj = 0; gj < Lanes; gj = gj + 1) begin : g_sum
      wire [DOT_W-1:0] sum = g_total[GROUPS-1].g_lane[gj].total;
      if (SUM_CUT != 0) begin : g_cut
        reg [DOT_W-1:0] sum_q;
        always @(posedge clk_i) begin
          if (valid_q[SHIFT_CUT+TREE_CUT+1]) sum_q <= sum;
        end
        assign dot_o[gj*DOT_W +: DOT_W] = sum_q;
      end else begin : g_direct
        assign dot_o[gj*DOT_W +: DOT_W] = sum;
      end
    end
  endgenerate
)");
  return m;
}

}  // namespace edgebert::gen
