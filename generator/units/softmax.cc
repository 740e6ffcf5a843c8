#include "generator/units/softmax.h"

#include "generator/blocks/fifo.h"
#include "generator/blocks/sram.h"
#include "generator/blocks/tree.h"
#include "generator/units/reciprocal.h"
#include "generator/units/scale_lane.h"
#include "generator/units/span_mask.h"
#include "generator/units/tile_walk.h"
#include "generator/units/weight_lane.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"

namespace edgebert::gen {

vlog::Module EmitSoftmax() {
  vlog::Module m("eb_softmax", "generator/units/softmax.cc");
  m.Describe(R"(
eb_softmax: span-masked softmax of every row of the score memory, into activation memory.

Three passes over a row, a tile a cycle each, run at the same time on rows that follow one another:
the first reads the key tiles that the row's span touches, masks them and finds the largest visible
score; the second forms the weights exp(score - max) * mask and adds them up; the third scales by
the reciprocal of the sum, encodes and writes. Rings hold the tiles between the passes. Scores are
signed Q7.9, weights have 16 fraction bits.)");
  m.Param("Lanes", "16", "keys of a tile, n");
  m.Param("CodeW", "8", "bits of a code, W");
  m.Param("ExpW", "3", "exponent bits, E");
  m.Param("MaxRows", "64", "longest sentence");
  m.Param("AddrW", "20", "bits of a vector address");
  m.Param("Backend", "0", "memory back-end of the rings");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Command: a SOFTMAX instruction and the length of the sentence.");
  m.Input("cmd_valid_i").Output("cmd_ready_o").Input("cmd_i", "256").Input("length_i", "10");
  m.Output("busy_o");
  m.Group("Score memory; data in the cycle after the request.");
  m.Output("score_rd_en_o").Output("score_rd_addr_o", "AddrW");
  m.Input("score_rd_data_i", "Lanes*" + std::to_string(spec::kScoreBits));
  m.Group("Activation memory, write client.");
  m.Output("wr_valid_o").Input("wr_ready_i").Output("wr_addr_o", "AddrW");
  m.Output("wr_data_o", "Lanes*CodeW");
  m.Local("LANE_W", "$clog2(Lanes)");
  m.Local("SEQ_TILES", "(MaxRows + Lanes - 1) / Lanes");
  m.Local("TILE_W", "10 - LANE_W");
  m.Local("SCORE_W", spec::kScoreBits);
  m.Local("MASK_W", spec::kMaskFraction + 1);
  m.Local("WEIGHT_W", spec::kExpOutputFraction + 1);
  m.Local("SUM_W", "WEIGHT_W + 10");
  m.Local("PASS_CYCLES", std::to_string(kSoftmaxPassCycles) + " + LANE_W",
          "from a row's last tile in a pass to its first in the next, at most");
  m.Local("RING_W", "$clog2(SEQ_TILES + PASS_CYCLES)", "a ring holds 2^RING_W tiles");
  m.Local("ROWS_W", 4);
  m.Local("ROWS", 8, "rows between two passes, at most");
  m.Uses(EmitTileWalk()).Uses(EmitSpanMask()).Uses(EmitMaxTree()).Uses(EmitWeightLane());
  m.Uses(EmitSumTree()).Uses(EmitReciprocal()).Uses(EmitScaleLane());
  m.Uses(EmitSram1r1w()).Uses(EmitFifo());
  m.Body(R"(
  reg [255:0] cmd_q;
  wire        accept = cmd_valid_i && cmd_ready_o;
  always @(posedge clk_i) begin
    if (accept) cmd_q <= cmd_i;
  end
)");
  m.InstructionFields({spec::kSoftmaxDstBase, spec::kSoftmaxDstStride, spec::kSoftmaxBiasOut,
                       spec::kSoftmaxReach, spec::kSoftmaxMaskC, spec::kSoftmaxMaskR},
                      "cmd_q");
  m.Body(R"(
  // ---------------------------------------------------------------------------------------------
  // Rows: the key tiles that each one's span touches.
  reg               rows_left_q;
  reg  [9:0]        row_q;
  reg  [AddrW-1:0]  row_base_q;
  wire              row_ready;
  wire              row_taken = rows_left_q && row_ready;

  wire [9:0]        first_key = (row_q > reach) ? row_q - reach : 10'd0;
  wire [10:0]       far_key   = {1'b0, row_q} + {1'b0, reach};
  wire [9:0]        last_key  = (far_key >= {1'b0, length_i}) ? length_i - 10'd1 : far_key[9:0];

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)        rows_left_q <= 1'b0;
    else if (clear_i)   rows_left_q <= 1'b0;
    else if (accept)    rows_left_q <= 1'b1;
    else if (row_taken) rows_left_q <= row_q != length_i - 10'd1;
  end
  always @(posedge clk_i) begin
    if (accept) begin
      row_q      <= 10'd0;
      row_base_q <= {AddrW{1'b0}};
    end else if (row_taken) begin
      row_q      <= row_q + 10'd1;
      row_base_q <= row_base_q + SEQ_TILES[AddrW-1:0];
    end
  end

  // Pass 1. A tile is read when the first ring has room for it, and its row when there is room for
  // one more between the passes.
  reg  [RING_W:0]   ring_1_q;  // tiles that have begun pass 1 and not pass 2
  reg  [ROWS_W-1:0] rows_1_q;  // rows
  wire              tile_1_valid;
  wire [TILE_W-1:0] tile_1;
  wire              tile_1_first;
  wire              tile_1_last;
  wire [9:0]        tile_1_row;
  wire [AddrW-1:0]  tile_1_base;
  wire              held_1 = tile_1_first && rows_1_q == ROWS[ROWS_W-1:0];
  wire              read_1 = tile_1_valid && !ring_1_q[RING_W] && !held_1;

  eb_tile_walk #(
    .TileW(TILE_W),
    .ItemW(AddrW + 10)
  ) u_walk_1 (
    .clk_i(clk_i),
    .rst_ni(rst_ni),
    .clear_i(clear_i),
    .row_valid_i(rows_left_q),
    .row_ready_o(row_ready),
    .row_first_i(first_key[9:LANE_W]),
    .row_last_i(last_key[9:LANE_W]),
    .row_item_i({row_base_q, row_q}),
    .valid_o(tile_1_valid),
    .step_i(read_1),
    .tile_o(tile_1),
    .first_o(tile_1_first),
    .last_o(tile_1_last),
    .item_o({tile_1_base, tile_1_row})
  );
)");
  m.Body(R"(
  // The mask takes six cycles; the score is read so that it arrives with it.
  localparam READ_STAGE = 5;  // of the read
  localparam LOAD_STAGE = 6;  // mask and score are there
  localparam TREE_STAGE = LOAD_STAGE + 1 + LANE_W;  // the largest of the tile is there
  reg  [TREE_STAGE:1]          valid_1_q;
  reg  [TREE_STAGE:1]          first_1_q;
  reg  [TREE_STAGE:1]          last_1_q;
  reg  [TILE_W*TREE_STAGE-1:0] number_1_q;  // of the tile, youngest in the low bits
  reg  [AddrW*READ_STAGE-1:0]  addr_1_q;
  wire [Lanes*MASK_W-1:0]      mask;
  wire                         busy_1 = tile_1_valid || (|valid_1_q);  // else the lanes rest
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      valid_1_q <= {TREE_STAGE{1'b0}};
    else if (clear_i) valid_1_q <= {TREE_STAGE{1'b0}};
    else              valid_1_q <= {valid_1_q[TREE_STAGE-1:1], read_1};
  end
  always @(posedge clk_i) begin
    if (busy_1) begin
      first_1_q  <= {first_1_q[TREE_STAGE-1:1], tile_1_first};
      last_1_q   <= {last_1_q[TREE_STAGE-1:1], tile_1_last};
      number_1_q <= {number_1_q[TILE_W*(TREE_STAGE-1)-1:0], tile_1};
      addr_1_q   <= {addr_1_q[AddrW*(READ_STAGE-1)-1:0],
                     tile_1_base + {{(AddrW-TILE_W){1'b0}}, tile_1}};
    end
  end
  assign score_rd_en_o   = valid_1_q[READ_STAGE];
  assign score_rd_addr_o = addr_1_q[AddrW*(READ_STAGE-1)+:AddrW];

  eb_span_mask #(
    .Lanes(Lanes)
  ) u_span_mask (
    .clk_i(clk_i),
    .en_i(busy_1),
    .row_i(tile_1_row),
    .key_i({tile_1, {LANE_W{1'b0}}}),
    .length_i(length_i),
    .mask_c_i(mask_c),
    .mask_r_i(mask_r),
    .mask_o(mask)
  );

  // A key with mask 0 is invisible.
  reg [Lanes*SCORE_W-1:0] visible_q;
  always @(posedge clk_i) begin : visible
    integer lane;
    if (valid_1_q[LOAD_STAGE]) begin
      for (lane = 0; lane < Lanes; lane = lane + 1) begin
        visible_q[SCORE_W*lane+:SCORE_W] <= (|mask[MASK_W*lane+:MASK_W])
            ? score_rd_data_i[SCORE_W*lane+:SCORE_W]
            : {1'b1, {(SCORE_W-1){1'b0}}};
      end
    end
  end

  wire signed [SCORE_W-1:0] tile_max;
  eb_max_tree #(
    .Lanes(Lanes),
    .Width(SCORE_W)
  ) u_max_tree (
    .clk_i(clk_i),
    .en_i(busy_1),
    .x_i(visible_q),
    .max_o(tile_max)
  );

  reg signed [SCORE_W-1:0] max_q;
  reg [TILE_W-1:0]         first_tile_1_q;
  reg [TILE_W-1:0]         last_tile_1_q;
  reg                      row_1_q;  // max_q is that of a whole row
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      row_1_q <= 1'b0;
    else if (clear_i) row_1_q <= 1'b0;
    else              row_1_q <= valid_1_q[TREE_STAGE] && last_1_q[TREE_STAGE];
  end
  always @(posedge clk_i) begin
    if (valid_1_q[TREE_STAGE]) begin
      if (first_1_q[TREE_STAGE] || tile_max > max_q) max_q <= tile_max;
      if (first_1_q[TREE_STAGE]) first_tile_1_q <= number_1_q[TILE_W*(TREE_STAGE-1)+:TILE_W];
      last_tile_1_q <= number_1_q[TILE_W*(TREE_STAGE-1)+:TILE_W];
    end
  end
)");
  m.Body(R"(
  // ---------------------------------------------------------------------------------------------
  // Pass 2, begun when the largest score of the row is known.
  reg  [RING_W:0]           ring_2_q;  // tiles that have begun pass 2 and not pass 3
  reg  [ROWS_W-1:0]         rows_2_q;  // rows
  wire                      row_2_valid;
  wire                      row_2_ready;
  wire [TILE_W-1:0]         row_2_first;
  wire [TILE_W-1:0]         row_2_last;
  wire signed [SCORE_W-1:0] row_2_max;
  wire                      tile_2_valid;
  wire [TILE_W-1:0]         tile_2;
  wire                      tile_2_first;
  wire                      tile_2_last;
  wire signed [SCORE_W-1:0] tile_2_max;
  wire                      held_2 = tile_2_first && rows_2_q == ROWS[ROWS_W-1:0];
  wire                      read_2 = tile_2_valid && !ring_2_q[RING_W] && !held_2;

  wire                      rows_1_ready;
  wire [ROWS_W-1:0]         rows_1_count;
  eb_fifo #(
    .Width(2 * TILE_W + SCORE_W),
    .Depth(ROWS)
  ) u_rows_1 (
    .clk_i(clk_i),
    .rst_ni(rst_ni),
    .clear_i(clear_i),
    .in_valid_i(row_1_q),
    .in_ready_o(rows_1_ready),
    .in_data_i({first_tile_1_q, last_tile_1_q, max_q}),
    .out_valid_o(row_2_valid),
    .out_ready_i(row_2_ready),
    .out_data_o({row_2_first, row_2_last, row_2_max}),
    .count_o(rows_1_count)
  );

  eb_tile_walk #(
    .TileW(TILE_W),
    .ItemW(SCORE_W)
  ) u_walk_2 (
    .clk_i(clk_i),
    .rst_ni(rst_ni),
    .clear_i(clear_i),
    .row_valid_i(row_2_valid),
    .row_ready_o(row_2_ready),
    .row_first_i(row_2_first),
    .row_last_i(row_2_last),
    .row_item_i(row_2_max),
    .valid_o(tile_2_valid),
    .step_i(read_2),
    .tile_o(tile_2),
    .first_o(tile_2_first),
    .last_o(tile_2_last),
    .item_o(tile_2_max)
  );

  // Scores and masks between the passes. The masks are read MASK_DELAY cycles after the scores,
  // when the lanes want them; what may overwrite them then is still on its way through pass 1.
  localparam MASK_DELAY   = 5;
  localparam WEIGHT_STAGE = 8;  // from the read: ring 1, lane 7
  localparam SUM_STAGE    = WEIGHT_STAGE + LANE_W;
  reg  [SUM_STAGE:1]          valid_2_q;
  reg  [SUM_STAGE:1]          first_2_q;
  reg  [SUM_STAGE:1]          last_2_q;
  reg  [TILE_W*SUM_STAGE-1:0] number_2_q;  // youngest in the low bits
  reg  signed [SCORE_W-1:0]   max_2_q;
  reg  [RING_W-1:0]           ring_1_wr_q;
  reg  [RING_W-1:0]           score_rd_q;
  reg  [RING_W-1:0]           mask_rd_q;
  wire [Lanes*SCORE_W-1:0]    ring_score;
  wire [Lanes*MASK_W-1:0]     ring_mask;
  wire [Lanes*WEIGHT_W-1:0]   weight;
  wire                        busy_2 = |valid_2_q;  // else the lanes rest
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      valid_2_q <= {SUM_STAGE{1'b0}};
    else if (clear_i) valid_2_q <= {SUM_STAGE{1'b0}};
    else              valid_2_q <= {valid_2_q[SUM_STAGE-1:1], read_2};
  end
  always @(posedge clk_i) begin
    if (read_2 || busy_2) begin
      first_2_q  <= {first_2_q[SUM_STAGE-1:1], tile_2_first};
      last_2_q   <= {last_2_q[SUM_STAGE-1:1], tile_2_last};
      number_2_q <= {number_2_q[TILE_W*(SUM_STAGE-1)-1:0], tile_2};
      max_2_q    <= tile_2_max;
    end
    if (accept) begin
      ring_1_wr_q <= {RING_W{1'b0}};
      score_rd_q  <= {RING_W{1'b0}};
      mask_rd_q   <= {RING_W{1'b0}};
    end else begin
      if (valid_1_q[LOAD_STAGE]) ring_1_wr_q <= ring_1_wr_q + 1'b1;
      if (read_2)                score_rd_q  <= score_rd_q + 1'b1;
      if (valid_2_q[MASK_DELAY]) mask_rd_q   <= mask_rd_q + 1'b1;
    end
  end

  eb_sram_1r1w #(
    .Depth(1 << RING_W),
    .Lanes(1),
    .LaneW(Lanes * SCORE_W),
    .Backend(Backend)
  ) u_score_ring (
    .clk_i(clk_i),
    .wr_en_i(valid_1_q[LOAD_STAGE]),
    .wr_addr_i(ring_1_wr_q),
    .wr_data_i(score_rd_data_i),
    .rd_en_i(read_2),
    .rd_addr_i(score_rd_q),
    .rd_data_o(ring_score)
  );
  eb_sram_1r1w #(
    .Depth(1 << RING_W),
    .Lanes(1),
    .LaneW(Lanes * MASK_W),
    .Backend(Backend)
  ) u_mask_ring (
    .clk_i(clk_i),
    .wr_en_i(valid_1_q[LOAD_STAGE]),
    .wr_addr_i(ring_1_wr_q),
    .wr_data_i(mask),
    .rd_en_i(valid_2_q[MASK_DELAY]),
    .rd_addr_i(mask_rd_q),
    .rd_data_o(ring_mask)
  );

  genvar g;
  generate
    for (g = 0; g < Lanes; g = g + 1) begin : g_weight
      eb_weight_lane u_lane (
        .clk_i(clk_i),
        .en_i(busy_2),
        .max_i(max_2_q),
        .score_i(ring_score[SCORE_W*g+:SCORE_W]),
        .mask_i(ring_mask[MASK_W*g+:MASK_W]),
        .weight_o(weight[WEIGHT_W*g+:WEIGHT_W])
      );
    end
  endgenerate

  wire [WEIGHT_W+LANE_W-1:0] tile_sum;
  eb_sum_tree #(
    .Lanes(Lanes),
    .Width(WEIGHT_W),
    .Signed(0),
    .SumW(WEIGHT_W + LANE_W)
  ) u_sum_tree (
    .clk_i(clk_i),
    .en_i(busy_2),
    .x_i(weight),
    .sum_o(tile_sum)
  );
)");
  m.Body(R"(
  // The sum of the row, and three cycles later its reciprocal.
  reg  [SUM_W-1:0]    sum_q;
  reg  [TILE_W-1:0]   first_tile_2_q;
  reg  [TILE_W-1:0]   last_tile_2_q;
  reg  [3:0]          row_2_q;    // from the sum to the reciprocal
  reg  [6*TILE_W-1:0] tiles_2_q;  // first and last, beside the reciprocal
  wire [SUM_W-1:0]    addend = {{(SUM_W-WEIGHT_W-LANE_W){1'b0}}, tile_sum};
  wire [16:0]         inverse;
  wire [5:0]          inverse_shift;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      row_2_q <= 4'd0;
    else if (clear_i) row_2_q <= 4'd0;
    else              row_2_q <= {row_2_q[2:0], valid_2_q[SUM_STAGE] && last_2_q[SUM_STAGE]};
  end
  always @(posedge clk_i) begin
    if (valid_2_q[SUM_STAGE]) begin
      sum_q <= (first_2_q[SUM_STAGE] ? {SUM_W{1'b0}} : sum_q) + addend;
      if (first_2_q[SUM_STAGE]) first_tile_2_q <= number_2_q[TILE_W*(SUM_STAGE-1)+:TILE_W];
      last_tile_2_q <= number_2_q[TILE_W*(SUM_STAGE-1)+:TILE_W];
    end
    tiles_2_q <= {tiles_2_q[4*TILE_W-1:0], first_tile_2_q, last_tile_2_q};
  end
  eb_reciprocal #(
    .SumW(SUM_W)
  ) u_reciprocal (
    .clk_i(clk_i),
    .en_i(|row_2_q[2:0]),
    .s_i(sum_q),
    .r_o(inverse),
    .k_o(inverse_shift)
  );
)");
  m.Body(R"(
  // ---------------------------------------------------------------------------------------------
  // Pass 3. Every stage stands still when a write is refused.
  localparam WRITE_STAGE = 7;  // from the read: ring 1, lane 6
  localparam SHIFT_STAGE = 3;  // the lanes take the shift
  wire              row_3_valid;
  wire              row_3_ready;
  wire              row_3_taken = row_3_valid && row_3_ready;
  wire [TILE_W-1:0] row_3_first;
  wire [TILE_W-1:0] row_3_last;
  wire [16:0]       row_3_inverse;
  wire [5:0]        row_3_shift;
  wire              tile_3_valid;
  wire [TILE_W-1:0] tile_3;
  wire              tile_3_first;
  wire              tile_3_last;
  wire [16:0]       tile_3_inverse;
  wire [5:0]        tile_3_shift;
  reg  [WRITE_STAGE:1] valid_3_q;
  wire              advance = !valid_3_q[WRITE_STAGE] || wr_ready_i;
  wire              read_3  = tile_3_valid && advance;

  wire              rows_2_ready;
  wire [ROWS_W-1:0] rows_2_count;
  eb_fifo #(
    .Width(2 * TILE_W + 23),
    .Depth(ROWS)
  ) u_rows_2 (
    .clk_i(clk_i),
    .rst_ni(rst_ni),
    .clear_i(clear_i),
    .in_valid_i(row_2_q[3]),
    .in_ready_o(rows_2_ready),
    .in_data_i({tiles_2_q[6*TILE_W-1:4*TILE_W], inverse, inverse_shift}),
    .out_valid_o(row_3_valid),
    .out_ready_i(row_3_ready),
    .out_data_o({row_3_first, row_3_last, row_3_inverse, row_3_shift}),
    .count_o(rows_2_count)
  );

  eb_tile_walk #(
    .TileW(TILE_W),
    .ItemW(23)
  ) u_walk_3 (
    .clk_i(clk_i),
    .rst_ni(rst_ni),
    .clear_i(clear_i),
    .row_valid_i(row_3_valid),
    .row_ready_o(row_3_ready),
    .row_first_i(row_3_first),
    .row_last_i(row_3_last),
    .row_item_i({row_3_inverse, row_3_shift}),
    .valid_o(tile_3_valid),
    .step_i(read_3),
    .tile_o(tile_3),
    .first_o(tile_3_first),
    .last_o(tile_3_last),
    .item_o({tile_3_inverse, tile_3_shift})
  );

  reg  [RING_W-1:0]         ring_2_wr_q;
  reg  [RING_W-1:0]         ring_2_rd_q;
  wire [Lanes*WEIGHT_W-1:0] ring_weight;
  eb_sram_1r1w #(
    .Depth(1 << RING_W),
    .Lanes(1),
    .LaneW(Lanes * WEIGHT_W),
    .Backend(Backend)
  ) u_weight_ring (
    .clk_i(clk_i),
    .wr_en_i(valid_2_q[WEIGHT_STAGE]),
    .wr_addr_i(ring_2_wr_q),
    .wr_data_i(weight),
    .rd_en_i(read_3),
    .rd_addr_i(ring_2_rd_q),
    .rd_data_o(ring_weight)
  );

  reg  [AddrW-1:0]             next_row_addr_q;
  reg  [AddrW-1:0]             row_addr_q;
  reg  [AddrW*WRITE_STAGE-1:0] addr_3_q;  // youngest in the low bits
  reg  [16:0]                  inverse_3_q;
  reg  [6*SHIFT_STAGE-1:0]     shift_3_q;  // youngest in the low bits
  wire                         step = advance && (|valid_3_q[WRITE_STAGE-1:1]);
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      valid_3_q <= {WRITE_STAGE{1'b0}};
    else if (clear_i) valid_3_q <= {WRITE_STAGE{1'b0}};
    else if (advance) valid_3_q <= {valid_3_q[WRITE_STAGE-1:1], tile_3_valid};
  end
  always @(posedge clk_i) begin
    if (accept) begin
      ring_2_wr_q     <= {RING_W{1'b0}};
      ring_2_rd_q     <= {RING_W{1'b0}};
      next_row_addr_q <= {AddrW{1'b0}};
    end else begin
      if (valid_2_q[WEIGHT_STAGE]) ring_2_wr_q <= ring_2_wr_q + 1'b1;
      if (read_3)                  ring_2_rd_q <= ring_2_rd_q + 1'b1;
      if (row_3_taken) begin
        next_row_addr_q <= next_row_addr_q + {{(AddrW-12){1'b0}}, dst_stride};
        row_addr_q      <= dst_base + next_row_addr_q;
      end
    end
    if (advance) begin
      addr_3_q    <= {addr_3_q[AddrW*(WRITE_STAGE-1)-1:0],
                      row_addr_q + {{(AddrW-TILE_W){1'b0}}, tile_3}};
      inverse_3_q <= tile_3_inverse;
      shift_3_q   <= {shift_3_q[6*(SHIFT_STAGE-1)-1:0], tile_3_shift};
    end
  end

  wire [Lanes*CodeW-1:0] codes;
  generate
    for (g = 0; g < Lanes; g = g + 1) begin : g_scale
      eb_scale_lane #(
        .CodeW(CodeW),
        .ExpW(ExpW)
      ) u_lane (
        .clk_i(clk_i),
        .en_i(step),
        .weight_i(ring_weight[WEIGHT_W*g+:WEIGHT_W]),
        .inverse_i(inverse_3_q),
        .shift_i(shift_3_q[6*(SHIFT_STAGE-1)+:6]),
        .bias_i(bias_out),
        .code_o(codes[CodeW*g+:CodeW])
      );
    end
  endgenerate

  assign wr_valid_o = valid_3_q[WRITE_STAGE];
  assign wr_addr_o  = addr_3_q[AddrW*(WRITE_STAGE-1)+:AddrW];
  assign wr_data_o  = codes;
)");
  m.Body(R"(
  // ---------------------------------------------------------------------------------------------
  // What is between the passes, and whether anything is left to do.
  wire begin_1 = read_1 && tile_1_first;
  wire begin_2 = read_2 && tile_2_first;
  wire begin_3 = read_3 && tile_3_first;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ring_1_q <= {(RING_W + 1) {1'b0}};
      ring_2_q <= {(RING_W + 1) {1'b0}};
      rows_1_q <= {ROWS_W{1'b0}};
      rows_2_q <= {ROWS_W{1'b0}};
    end else if (clear_i) begin
      ring_1_q <= {(RING_W + 1) {1'b0}};
      ring_2_q <= {(RING_W + 1) {1'b0}};
      rows_1_q <= {ROWS_W{1'b0}};
      rows_2_q <= {ROWS_W{1'b0}};
    end else begin
      if (read_1 && !read_2)   ring_1_q <= ring_1_q + 1'b1;
      if (read_2 && !read_1)   ring_1_q <= ring_1_q - 1'b1;
      if (read_2 && !read_3)   ring_2_q <= ring_2_q + 1'b1;
      if (read_3 && !read_2)   ring_2_q <= ring_2_q - 1'b1;
      if (begin_1 && !begin_2) rows_1_q <= rows_1_q + 1'b1;
      if (begin_2 && !begin_1) rows_1_q <= rows_1_q - 1'b1;
      if (begin_2 && !begin_3) rows_2_q <= rows_2_q + 1'b1;
      if (begin_3 && !begin_2) rows_2_q <= rows_2_q - 1'b1;
    end
  end

  assign busy_o = rows_left_q || tile_1_valid || (|ring_1_q) || (|ring_2_q) || (|valid_3_q);
  assign cmd_ready_o = !busy_o;

  wire unused_ok = &{1'b0, cmd_q, far_key[10], first_key[LANE_W-1:0], last_key[LANE_W-1:0],
                     tile_2_last, tile_3_last, rows_1_ready, rows_1_count, rows_2_ready,
                     rows_2_count, tiles_2_q, number_1_q};
)");
  return m;
}

}  // namespace edgebert::gen
