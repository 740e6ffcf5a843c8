#include "generator/units/embedding.h"

#include <fmt/format.h>

#include "generator/blocks/sram.h"
#include "generator/units/af_decoder.h"
#include "generator/units/af_encoder.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"
#include "golden/spec/register_map.h"

namespace edgebert::gen {

vlog::Module EmitEmbedding() {
  const std::string address = std::to_string(spec::kAddressBits);
  vlog::Module m("eb_embedding", "generator/units/embedding.cc");
  m.Describe(R"(
eb_embedding: EMBED. The sum of word, position and token-type embedding of every token.

The type row and the position row of a token go to a row buffer each; while the word row arrives, a
vector of all three is decoded to Fixed, added, saturated and encoded in every cycle. The type row
stays for as long as the tokens have the same type.

A token id or type outside its table, or a word of a row that the ReRAM cannot correct, raises
error_valid_o; the unit then waits for clear_i.)");
  m.Param("Lanes", "16", "codes of a vector");
  m.Param("CodeW", "8", "bits of a code");
  m.Param("ExpW", "3", "exponent bits of a code");
  m.Param("MaxVectors", "8", "largest number of vectors of a row");
  m.Param("Backend", "0", "memory: 0 behavioural, 1 flop, 2 macro");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Command; LENGTH is stable while busy");
  m.Input("cmd_valid_i").Output("cmd_ready_o");
  m.Input("cmd_i", std::to_string(spec::kInstructionBits));
  m.Input("length_i", "10").Output("busy_o");
  m.Group("Token memory, data in the next cycle");
  m.Output("token_rd_addr_o", "10").Input("token_rd_data_i", "32");
  m.Group("Rows of the embedding tables");
  m.Output("row_valid_o").Input("row_ready_i");
  m.Output("row_o", "32").Output("mask_base_o", "32").Output("vectors_o", "16");
  m.Input("vec_valid_i").Output("vec_ready_o").Input("vec_i", "Lanes*CodeW");
  m.Input("word_error_i");
  m.Group("Activation memory");
  m.Output("wr_valid_o").Input("wr_ready_i");
  m.Output("wr_addr_o", address).Output("wr_data_o", "Lanes*CodeW");
  m.Group("Error, a pulse; the detail is the position, or the row of the word");
  m.Output("error_valid_o").Output("error_code_o", "8").Output("error_detail_o", "24");
  m.Local("ADDR_W", spec::kAddressBits);
  m.Local("STRIDE_W", spec::kStrideBits);
  m.Local("INSTRUCTION_W", spec::kInstructionBits);
  m.Local("FIXED_W", spec::kFixedBits);
  m.Local("SUM_W", "FIXED_W + 2");
  m.Local("TYPE_BIT", spec::kTokenTypeBit, "of a token word: type above, id below");
  m.Local("TYPE_W", "32 - TYPE_BIT");
  m.Local("DEPTH", "(MaxVectors > 1) ? MaxVectors : 2");
  m.Local("INDEX_W", "$clog2(DEPTH)");
  m.Local("OFFSET", AfDecoderOffset(), "see eb_af_decoder");
  m.Local("STAGES", 5, "row buffers, decoder, sum, encoder (2)");
  m.Local("[7:0] TOKEN_RANGE",
          fmt::format("8'd{}", static_cast<int>(spec::ErrorCode::kTokenRange)));
  m.Local("[7:0] TYPE_RANGE", fmt::format("8'd{}", static_cast<int>(spec::ErrorCode::kTypeRange)));
  m.Local("[7:0] RERAM_WORD", fmt::format("8'd{}", static_cast<int>(spec::ErrorCode::kReramWord)));
  m.Local("[2:0] ST_IDLE", "3'd0");
  m.Local("[2:0] ST_TOKEN", "3'd1", "reads the token");
  m.Local("[2:0] ST_CHECK", "3'd2");
  m.Local("[2:0] ST_TYPE", "3'd3", "receives the type row");
  m.Local("[2:0] ST_POSITION", "3'd4");
  m.Local("[2:0] ST_WORD", "3'd5");
  m.Local("[2:0] ST_DRAIN", "3'd6", "last vectors on their way");
  m.Local("[2:0] ST_ERROR", "3'd7");
  m.Body(R"(
  // ---- Command ----

  reg [2:0]               state_q, state_d;
  reg [INSTRUCTION_W-1:0] cmd_q;
  wire                    start = cmd_valid_i && cmd_ready_o;

  assign cmd_ready_o = state_q == ST_IDLE;
  assign busy_o      = state_q != ST_IDLE;

  always @(posedge clk_i) begin
    if (start) cmd_q <= cmd_i;
  end
)");
  m.InstructionFields(
      {spec::kEmbedDstBase, spec::kEmbedDstStride, spec::kEmbedBiasOut, spec::kEmbedBiasWord,
       spec::kEmbedBiasPosition, spec::kEmbedBiasType, spec::kEmbedVectors, spec::kEmbedTypes,
       spec::kEmbedPositionRow, spec::kEmbedTypeRow, spec::kEmbedMaskBase},
      "cmd_q");
  m.Body(R"(
  // ---- Rows, token by token ----

  reg [9:0]        position_q, position_d;
  reg              asked_q, asked_d;          // the row of this state was requested
  reg [15:0]       index_q, index_d;          // vectors of the row received
  reg              type_held_q, type_held_d;  // the type buffer holds row held_type_q
  reg [TYPE_W-1:0] held_type_q;
  reg [31:0]       token_q;

  wire [31:0]       token_id     = {{TYPE_W{1'b0}}, token_rd_data_i[TYPE_BIT-1:0]};
  wire [TYPE_W-1:0] token_type   = token_rd_data_i[31:TYPE_BIT];
  wire              check        = state_q == ST_CHECK;
  wire              bad_token    = token_id >= position_row;
  wire              bad_type     = {{(16 - TYPE_W) {1'b0}}, token_type} >= types;
  wire              same_type    = type_held_q && (token_type == held_type_q);
  wire              in_row       = (state_q == ST_TYPE) || (state_q == ST_POSITION) ||
                                   (state_q == ST_WORD);
  wire              bad_word     = word_error_i && in_row;
  wire              advance      = !wr_valid_o || wr_ready_i;
  wire              vec_take     = vec_valid_i && vec_ready_o;
  wire              row_done     = vec_take && (index_q + 16'd1 == vectors);
  wire              last_token   = position_q + 10'd1 == length_i;
  wire              pipeline_empty;

  assign token_rd_addr_o = position_q;
  assign row_valid_o     = in_row && !asked_q;
  assign mask_base_o     = mask_base;
  assign vectors_o       = vectors;
  assign vec_ready_o     = in_row && asked_q && ((state_q != ST_WORD) || advance);
  assign error_valid_o   = (check && (bad_token || bad_type)) || bad_word;
  assign error_code_o    = bad_word ? RERAM_WORD : bad_token ? TOKEN_RANGE : TYPE_RANGE;
  assign error_detail_o  = bad_word ? row_o[23:0] : {14'd0, position_q};

  reg [31:0] row;
  always @* begin
    case (state_q)
      ST_TYPE:     row = type_row + {{TYPE_BIT{1'b0}}, token_q[31:TYPE_BIT]};
      ST_POSITION: row = position_row + {22'd0, position_q};
      default:     row = {{TYPE_W{1'b0}}, token_q[TYPE_BIT-1:0]};
    endcase
  end
  assign row_o = row;

  always @* begin
    state_d     = state_q;
    position_d  = position_q;
    asked_d     = (asked_q || (row_valid_o && row_ready_i)) && !row_done;
    index_d     = index_q;
    type_held_d = type_held_q;
    if (vec_take) index_d = row_done ? 16'd0 : index_q + 16'd1;
    case (state_q)
      ST_IDLE: begin
        position_d  = 10'd0;
        type_held_d = 1'b0;
        if (start) state_d = ST_TOKEN;
      end
      ST_TOKEN:    state_d = ST_CHECK;
      ST_CHECK:    state_d = error_valid_o ? ST_ERROR : same_type ? ST_POSITION : ST_TYPE;
      ST_TYPE:     if (row_done) begin
        state_d     = ST_POSITION;
        type_held_d = 1'b1;
      end
      ST_POSITION: if (row_done) state_d = ST_WORD;
      ST_WORD:     if (row_done) begin
        state_d    = last_token ? ST_DRAIN : ST_TOKEN;
        position_d = position_q + 10'd1;
      end
      ST_DRAIN:    if (pipeline_empty) state_d = ST_IDLE;
      default:     state_d = ST_ERROR;
    endcase
    if (bad_word) state_d = ST_ERROR;
    if (clear_i) begin
      state_d = ST_IDLE;
      asked_d = 1'b0;
      index_d = 16'd0;
    end
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q     <= ST_IDLE;
      position_q  <= 10'd0;
      asked_q     <= 1'b0;
      index_q     <= 16'd0;
      type_held_q <= 1'b0;
    end else begin
      state_q     <= state_d;
      position_q  <= position_d;
      asked_q     <= asked_d;
      index_q     <= index_d;
      type_held_q <= type_held_d;
    end
  end

  always @(posedge clk_i) begin
    if (check) token_q <= token_rd_data_i;
    if (state_q == ST_TYPE) held_type_q <= token_q[31:TYPE_BIT];
  end
)");
  m.Body(R"(
  // ---- Row buffers: read beside each vector of the word row ----

  wire                   word_take = vec_take && (state_q == ST_WORD);
  wire [Lanes*CodeW-1:0] position_vec;
  wire [Lanes*CodeW-1:0] type_vec;
  reg  [Lanes*CodeW-1:0] word_vec_q;

  eb_sram_1r1w #(
    .Depth   (DEPTH),
    .Lanes   (1),
    .LaneW   (Lanes * CodeW),
    .Backend (Backend)
  ) u_position_row (
    .clk_i     (clk_i),
    .wr_en_i   (vec_take && (state_q == ST_POSITION)),
    .wr_addr_i (index_q[INDEX_W-1:0]),
    .wr_data_i (vec_i),
    .rd_en_i   (word_take),
    .rd_addr_i (index_q[INDEX_W-1:0]),
    .rd_data_o (position_vec)
  );

  eb_sram_1r1w #(
    .Depth   (DEPTH),
    .Lanes   (1),
    .LaneW   (Lanes * CodeW),
    .Backend (Backend)
  ) u_type_row (
    .clk_i     (clk_i),
    .wr_en_i   (vec_take && (state_q == ST_TYPE)),
    .wr_addr_i (index_q[INDEX_W-1:0]),
    .wr_data_i (vec_i),
    .rd_en_i   (word_take),
    .rd_addr_i (index_q[INDEX_W-1:0]),
    .rd_data_o (type_vec)
  );

  always @(posedge clk_i) begin
    if (word_take) word_vec_q <= vec_i;
  end
)");
  m.Body(R"(
  // ---- Sum; every stage stands still while a write waits ----

  reg [STAGES-1:0] valid_q;
  assign wr_valid_o     = valid_q[STAGES-1];
  assign pipeline_empty = valid_q == {STAGES{1'b0}};
  wire step = advance && (|valid_q[STAGES-2:0]);  // the lanes switch only for vectors

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= {STAGES{1'b0}};
    else if (clear_i) valid_q <= {STAGES{1'b0}};
    else if (advance) valid_q <= {valid_q[STAGES-2:0], word_take};
  end

  reg signed [9:0] offset_word_q;
  reg signed [9:0] offset_position_q;
  reg signed [9:0] offset_type_q;
  always @(posedge clk_i) begin
    offset_word_q     <= {{2{bias_word[7]}}, bias_word} + OFFSET[9:0];
    offset_position_q <= {{2{bias_position[7]}}, bias_position} + OFFSET[9:0];
    offset_type_q     <= {{2{bias_type[7]}}, bias_type} + OFFSET[9:0];
  end

  genvar lane;
  generate
    for (lane = 0; lane < Lanes; lane = lane + 1) begin : g_lane
      wire signed [FIXED_W-1:0] word_x;
      wire signed [FIXED_W-1:0] position_x;
      wire signed [FIXED_W-1:0] type_x;

      eb_af_decoder #(
        .CodeW (CodeW),
        .ExpW  (ExpW)
      ) u_word (
        .clk_i  (clk_i),
        .en_i   (step),
        .code_i (word_vec_q[CodeW*lane +: CodeW]),
        .offset_i (offset_word_q),
        .x_o    (word_x)
      );

      eb_af_decoder #(
        .CodeW (CodeW),
        .ExpW  (ExpW)
      ) u_position (
        .clk_i  (clk_i),
        .en_i   (step),
        .code_i (position_vec[CodeW*lane +: CodeW]),
        .offset_i (offset_position_q),
        .x_o    (position_x)
      );

      eb_af_decoder #(
        .CodeW (CodeW),
        .ExpW  (ExpW)
      ) u_type (
        .clk_i  (clk_i),
        .en_i   (step),
        .code_i (type_vec[CodeW*lane +: CodeW]),
        .offset_i (offset_type_q),
        .x_o    (type_x)
      );

      reg signed [FIXED_W-1:0] sum_q;

      always @(posedge clk_i) begin : add
        reg signed [SUM_W-1:0] sum;
        reg                    fits;
        if (step) begin
          sum  = {{2{word_x[FIXED_W-1]}}, word_x} + {{2{position_x[FIXED_W-1]}}, position_x} +
                 {{2{type_x[FIXED_W-1]}}, type_x};
          fits = (&sum[SUM_W-1:FIXED_W-1]) || !(|sum[SUM_W-1:FIXED_W-1]);
          sum_q <= fits ? sum[FIXED_W-1:0] : {sum[SUM_W-1], {(FIXED_W - 1) {!sum[SUM_W-1]}}};
        end
      end

      eb_af_encoder #(
        .CodeW (CodeW),
        .ExpW  (ExpW)
      ) u_encoder (
        .clk_i  (clk_i),
        .en_i   (step),
        .x_i    (sum_q),
        .bias_i (bias_out),
        .code_o (wr_data_o[CodeW*lane +: CodeW])
      );
    end
  endgenerate
)");
  m.Body(R"(
  // ---- Destination ----

  reg [ADDR_W-1:0] wr_row_q;    // address of the row
  reg [15:0]       wr_index_q;  // vector in the row
  wire             wr_take = wr_valid_o && wr_ready_i;
  wire             wr_last = wr_index_q + 16'd1 == vectors;

  always @(posedge clk_i) begin
    if (state_q == ST_TOKEN && position_q == 10'd0) begin
      wr_row_q   <= dst_base;
      wr_index_q <= 16'd0;
    end else if (wr_take) begin
      wr_index_q <= wr_last ? 16'd0 : wr_index_q + 16'd1;
      if (wr_last) wr_row_q <= wr_row_q + {{(ADDR_W - STRIDE_W) {1'b0}}, dst_stride};
    end
  end

  assign wr_addr_o = wr_row_q + {{(ADDR_W - 16) {1'b0}}, wr_index_q};

  wire unused_ok = &{1'b0, cmd_q};
)");
  m.Uses(EmitSram1r1w()).Uses(EmitAfDecoder()).Uses(EmitAfEncoder());
  return m;
}

}  // namespace edgebert::gen
