#include "generator/units/softmax.h"

#include "generator/blocks/sram.h"
#include "generator/units/af_encoder.h"
#include "generator/units/exp.h"
#include "generator/units/reciprocal.h"
#include "generator/units/span_mask.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"

namespace edgebert::gen {

vlog::Module EmitSoftmax() {
  vlog::Module m("eb_softmax", "generator/units/softmax.cc");
  m.Describe(R"(
eb_softmax: span-masked softmax of every row of the score memory, into activation memory.

A row reads only the key tiles that its span touches: once for the largest visible score, once for
the weights exp(score - max) * mask and their sum; a third pass over the row buffer scales by the
reciprocal of the sum and encodes, while the first two work on the next row. A tile a cycle in each
pass. Scores are signed Q7.9, weights have 16 fraction bits.)");
  m.Param("Lanes", "16", "keys of a tile, n");
  m.Param("CodeW", "8", "bits of a code, W");
  m.Param("ExpW", "3", "exponent bits, E");
  m.Param("MaxRows", "64", "longest sentence");
  m.Param("AddrW", "20", "bits of a vector address");
  m.Param("Backend", "0", "memory back-end of the row buffer");
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
  m.Local("HALF_W", "(SEQ_TILES > 1) ? $clog2(SEQ_TILES) : 1", "a half of the row buffer");
  m.Local("SCORE_W", spec::kScoreBits);
  m.Local("MASK_F", spec::kMaskFraction);
  m.Local("MASK_W", "MASK_F + 1");
  m.Local("D_PAD", spec::kExpInputFraction - spec::kScoreFraction,
          "fraction bits of the exponent beyond those of a score");
  m.Local("WEIGHT_W", spec::kExpOutputFraction + 1);
  m.Local("SUM_W", "WEIGHT_W + 10");
  m.Local("FIXED_W", spec::kFixedBits);
  m.Uses(EmitSpanMask()).Uses(EmitExp()).Uses(EmitReciprocal()).Uses(EmitSram1r1w());
  m.Uses(EmitAfEncoder());
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
  // Front: for each row, pass 1 finds the largest visible score, pass 2 forms the weights
  // w = exp(score - max) * mask in the row buffer and adds them up.
  localparam [2:0] StIdle     = 3'd0;
  localparam [2:0] StRow      = 3'd1;
  localparam [2:0] StMax      = 3'd2;
  localparam [2:0] StMaxDrain = 3'd3;
  localparam [2:0] StExp      = 3'd4;
  localparam [2:0] StExpDrain = 3'd5;
  localparam [2:0] StHandOver = 3'd6;

  // Cycles from the last read of a pass until its result is final.
  localparam [3:0] MAX_DRAIN = 4'd0;
  localparam [3:0] EXP_DRAIN = 4'd6;

  reg  [2:0]        state_q;
  reg  [3:0]        drain_q;
  reg  [9:0]        row_q;
  reg  [AddrW-1:0]  row_base_q;
  reg  [TILE_W-1:0] tile_q;
  reg               bank_q;
  reg               back_busy_q;

  wire [9:0]        first_key = (row_q > reach) ? row_q - reach : 10'd0;
  wire [10:0]       far_key   = {1'b0, row_q} + {1'b0, reach};
  wire [9:0]        last_key  = (far_key >= {1'b0, length_i}) ? length_i - 10'd1 : far_key[9:0];
  wire [TILE_W-1:0] tile_lo   = first_key[9:LANE_W];
  wire [TILE_W-1:0] tile_hi   = last_key[9:LANE_W];

  wire pass_max  = state_q == StMax;
  wire pass_exp  = state_q == StExp;
  wire reading   = pass_max || pass_exp;
  wire last_tile = tile_q == tile_hi;
  wire last_row  = row_q == length_i - 10'd1;
  wire hand_over = (state_q == StHandOver) && !back_busy_q;

  assign busy_o      = (state_q != StIdle) || back_busy_q;
  assign cmd_ready_o = !busy_o;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
    end else if (clear_i) begin
      state_q <= StIdle;
    end else begin
      case (state_q)
        StIdle:     if (accept) state_q <= StRow;
        StRow:      state_q <= StMax;
        StMax:      if (last_tile) state_q <= StMaxDrain;
        StMaxDrain: if (drain_q == MAX_DRAIN) state_q <= StExp;
        StExp:      if (last_tile) state_q <= StExpDrain;
        StExpDrain: if (drain_q == EXP_DRAIN) state_q <= StHandOver;
        StHandOver: if (hand_over) state_q <= last_row ? StIdle : StRow;
        default:    state_q <= StIdle;
      endcase
    end
  end

  always @(posedge clk_i) begin
    if (accept) begin
      row_q      <= 10'd0;
      row_base_q <= {AddrW{1'b0}};
      bank_q     <= 1'b0;
    end else if (hand_over) begin
      row_q      <= row_q + 10'd1;
      row_base_q <= row_base_q + SEQ_TILES[AddrW-1:0];
      bank_q     <= !bank_q;
    end
    if (reading && !last_tile) tile_q <= tile_q + {{(TILE_W - 1) {1'b0}}, 1'b1};
    else tile_q <= tile_lo;
    drain_q <= reading ? 4'd0 : drain_q + 4'd1;
  end

  assign score_rd_en_o   = reading;
  assign score_rd_addr_o = row_base_q + {{(AddrW - TILE_W) {1'b0}}, tile_q};
)");
  m.Body(R"(
  // Stage 1: scores arrive together with the mask of their keys; a key with mask 0 is invisible.
  reg                  max_valid_q;
  reg                  exp_valid_q;
  reg                  first_q;
  reg  [TILE_W-1:0]    tile_q1;
  wire [Lanes*MASK_W-1:0] mask;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      max_valid_q <= 1'b0;
      exp_valid_q <= 1'b0;
    end else if (clear_i) begin
      max_valid_q <= 1'b0;
      exp_valid_q <= 1'b0;
    end else begin
      max_valid_q <= pass_max;
      exp_valid_q <= pass_exp;
    end
  end
  always @(posedge clk_i) begin
    first_q <= tile_q == tile_lo;
    tile_q1 <= tile_q;
  end

  eb_span_mask #(
    .Lanes(Lanes)
  ) u_span_mask (
    .clk_i(clk_i),
    .en_i(reading),
    .row_i(row_q),
    .key_i({tile_q, {LANE_W{1'b0}}}),
    .length_i(length_i),
    .mask_c_i(mask_c),
    .mask_r_i(mask_r),
    .mask_o(mask)
  );

  reg signed [SCORE_W-1:0] max_q;
  always @(posedge clk_i) begin : largest
    reg signed [SCORE_W-1:0] tile_max;
    reg signed [SCORE_W-1:0] lane_score;
    integer                  lane;
    if (max_valid_q) begin
      tile_max = {1'b1, {(SCORE_W-1){1'b0}}};
      for (lane = 0; lane < Lanes; lane = lane + 1) begin
        lane_score = score_rd_data_i[SCORE_W*lane+:SCORE_W];
        if (|mask[MASK_W*lane+:MASK_W] && lane_score > tile_max) tile_max = lane_score;
      end
      if (first_q || tile_max > max_q) max_q <= tile_max;
    end
  end
)");
  m.Body(R"(
  // Stages 1 to 5 of pass 2: e = exp(max - score), w = e * mask rounded to 16 fraction bits.
  reg  [Lanes*MASK_W-1:0]   mask_q2;
  reg  [Lanes*MASK_W-1:0]   mask_q3;
  reg  [Lanes*MASK_W-1:0]   mask_q4;
  reg  [TILE_W-1:0]         tile_q2;
  reg  [TILE_W-1:0]         tile_q3;
  reg  [TILE_W-1:0]         tile_q4;
  reg  [TILE_W-1:0]         tile_q5;
  reg  [3:0]                weight_valid_q;
  wire [Lanes*WEIGHT_W-1:0] weight;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      weight_valid_q <= 4'd0;
    else if (clear_i) weight_valid_q <= 4'd0;
    else              weight_valid_q <= {weight_valid_q[2:0], exp_valid_q};
  end
  wire weigh = exp_valid_q || (|weight_valid_q[2:0]);  // the lanes switch only for tiles
  always @(posedge clk_i) begin
    if (weigh) begin
      mask_q2 <= mask;
      mask_q3 <= mask_q2;
      mask_q4 <= mask_q3;
      tile_q2 <= tile_q1;
      tile_q3 <= tile_q2;
      tile_q4 <= tile_q3;
      tile_q5 <= tile_q4;
    end
  end

  genvar g;
  generate
    for (g = 0; g < Lanes; g = g + 1) begin : g_weight
      wire signed [SCORE_W-1:0] lane_value = score_rd_data_i[SCORE_W*g+:SCORE_W];
      wire signed [SCORE_W:0]   difference =
          {max_q[SCORE_W-1], max_q} - {lane_value[SCORE_W-1], lane_value};
      wire [WEIGHT_W-1:0]       e;
      eb_exp u_exp (
        .clk_i(clk_i),
        .en_i(weigh),
        .d_i({difference[SCORE_W-1:0], {D_PAD{1'b0}}}),
        .e_o(e)
      );
      localparam PRODUCT_W = WEIGHT_W + MASK_W;
      reg  [WEIGHT_W-1:0]  weight_q;
      always @(posedge clk_i) begin : scale
        reg [PRODUCT_W-1:0] product;
        reg                 unused_ok;
        if (weigh) begin
          product =
              e * mask_q4[MASK_W*g+:MASK_W] + ({{(PRODUCT_W-1){1'b0}}, 1'b1} << (MASK_F - 1));
          weight_q <= product[MASK_F+:WEIGHT_W];
          unused_ok = &{1'b0, product[PRODUCT_W-1], product[MASK_F-1:0]};
        end
      end
      assign weight[WEIGHT_W*g+:WEIGHT_W] = weight_q;
      wire unused_ok = &{1'b0, difference[SCORE_W]};
    end
  endgenerate
)");
  m.Body(R"(
  // Stage 6: row buffer and sum.
  wire weight_valid = weight_valid_q[3];
  reg [SUM_W-1:0] sum_q;
  always @(posedge clk_i) begin : sum_up
    reg [SUM_W-1:0] tile_sum;
    integer         term;
    if (state_q == StMax) begin
      sum_q <= {SUM_W{1'b0}};
    end else if (weight_valid) begin
      tile_sum = {SUM_W{1'b0}};
      for (term = 0; term < Lanes; term = term + 1) begin
        tile_sum = tile_sum + {{(SUM_W - WEIGHT_W) {1'b0}}, weight[WEIGHT_W*term+:WEIGHT_W]};
      end
      sum_q <= sum_q + tile_sum;
    end
  end

  wire [16:0] inverse;
  wire [5:0]  inverse_shift;
  eb_reciprocal #(
    .SumW(SUM_W)
  ) u_reciprocal (
    .clk_i(clk_i),
    .en_i(1'b1),
    .s_i(sum_q),
    .r_o(inverse),
    .k_o(inverse_shift)
  );
)");
  m.Body(R"(
  // ---------------------------------------------------------------------------------------------
  // Back: scales the row buffer by the reciprocal, encodes and writes, while the front works on the
  // next row in the other half of the buffer. Every stage stands still when a write is refused.
  reg               back_read_q;
  reg               back_bank_q;
  reg  [TILE_W-1:0] back_tile_q;
  reg  [TILE_W-1:0] back_hi_q;
  reg  [AddrW-1:0]  back_row_addr_q;
  reg  [16:0]       back_inverse_q;
  reg  [5:0]        back_shift_q;
  reg  [3:0]        valid_q;

  wire advance   = !valid_q[3] || wr_ready_i;
  wire step      = advance && (|valid_q[2:0]);  // the lanes switch only for tiles
  wire back_last = back_tile_q == back_hi_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      back_busy_q <= 1'b0;
      back_read_q <= 1'b0;
      valid_q     <= 4'd0;
    end else if (clear_i) begin
      back_busy_q <= 1'b0;
      back_read_q <= 1'b0;
      valid_q     <= 4'd0;
    end else begin
      if (advance) valid_q <= {valid_q[2:0], back_read_q};
      if (hand_over) begin
        back_busy_q <= 1'b1;
        back_read_q <= 1'b1;
      end else if (advance) begin
        if (back_last) back_read_q <= 1'b0;
        if (!back_read_q && valid_q[2:0] == 3'd0) back_busy_q <= 1'b0;
      end
    end
  end

  always @(posedge clk_i) begin
    if (accept) begin
      back_row_addr_q <= {AddrW{1'b0}};
    end else if (hand_over) begin
      back_tile_q     <= tile_lo;
      back_hi_q       <= tile_hi;
      back_bank_q     <= bank_q;
      back_inverse_q  <= inverse;
      back_shift_q    <= inverse_shift;
    end else if (advance && back_read_q) begin
      back_tile_q <= back_tile_q + {{(TILE_W - 1) {1'b0}}, 1'b1};
      if (back_last) back_row_addr_q <= back_row_addr_q + {{(AddrW - 12) {1'b0}}, dst_stride};
    end
  end

  wire [Lanes*WEIGHT_W-1:0] buffered;
  eb_sram_1r1w #(
    .Depth(2 << HALF_W),
    .Lanes(1),
    .LaneW(Lanes * WEIGHT_W),
    .Backend(Backend)
  ) u_row_buffer (
    .clk_i(clk_i),
    .wr_en_i(weight_valid),
    .wr_addr_i({bank_q, tile_q5[HALF_W-1:0]}),
    .wr_data_i(weight),
    .rd_en_i(back_read_q && advance),
    .rd_addr_i({back_bank_q, back_tile_q[HALF_W-1:0]}),
    .rd_data_o(buffered)
  );
)");
  m.Body(R"(
  // valid_q[0]: row buffer data; [1]: scaled value; [2]: encoder; [3]: codes ready to be written.
  wire [Lanes*CodeW-1:0] codes;
  generate
    for (g = 0; g < Lanes; g = g + 1) begin : g_scale
      reg [FIXED_W-1:0] probability_q;
      always @(posedge clk_i) begin : scale
        reg [33:0] product;
        reg [34:0] half;
        reg [34:0] scaled;
        reg        unused_ok;
        if (step) begin
          product = buffered[WEIGHT_W*g+:WEIGHT_W] * back_inverse_q;
          half    = (back_shift_q == 6'd0) ? 35'd0 : 35'd1 << (back_shift_q - 6'd1);
          scaled  = ({1'b0, product} + half) >> back_shift_q;
          probability_q <= scaled[FIXED_W-1:0];
          unused_ok = &{1'b0, scaled[34:FIXED_W]};
        end
      end
      eb_af_encoder #(
        .CodeW(CodeW),
        .ExpW(ExpW)
      ) u_encoder (
        .clk_i(clk_i),
        .en_i(step),
        .x_i(probability_q),
        .bias_i(bias_out),
        .code_o(codes[CodeW*g+:CodeW])
      );
    end
  endgenerate

  reg [4*AddrW-1:0] addr_q;  // youngest in the low bits
  always @(posedge clk_i) begin
    if (advance) begin
      addr_q <= {addr_q[3*AddrW-1:0],
                 dst_base + back_row_addr_q + {{(AddrW - TILE_W) {1'b0}}, back_tile_q}};
    end
  end

  assign wr_valid_o = valid_q[3];
  assign wr_addr_o  = addr_q[3*AddrW+:AddrW];
  assign wr_data_o  = codes;

  wire unused_ok =
      &{1'b0, cmd_q, far_key[10], first_key[LANE_W-1:0], last_key[LANE_W-1:0], tile_q5};
)");
  return m;
}

}  // namespace edgebert::gen
