#include "generator/units/layer_norm.h"

#include "generator/blocks/fifo.h"
#include "generator/blocks/sram.h"
#include "generator/units/af_encoder.h"
#include "generator/units/rsqrt.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"

namespace edgebert::gen {
namespace {

constexpr const char* kSource = "generator/units/layer_norm.cc";

}  // namespace

vlog::Module EmitAfInteger() {
  vlog::Module m("eb_af_integer", kSource);
  m.Describe(R"(
eb_af_integer: the integer view of a code: 0, or +-(2^M + m) << e. Combinational.)");
  m.Param("CodeW", "8", "bits of a code, W");
  m.Param("ExpW", "3", "exponent bits, E");
  m.Param("IntW", "13", "M + 1 + 2^E bits");
  m.Input("code_i", "CodeW").OutputSigned("v_o", "IntW");
  m.Local("MAN_W", "CodeW - 1 - ExpW");
  m.Body(R"(
  wire [MAN_W:0]  significand = {1'b1, code_i[MAN_W-1:0]};
  wire [IntW-1:0] magnitude =
      {{(IntW-MAN_W-1){1'b0}}, significand} << code_i[CodeW-2-:ExpW];
  wire            is_zero = code_i[CodeW-2:0] == {(CodeW-1){1'b0}};
  assign v_o = is_zero ? {IntW{1'b0}} : code_i[CodeW-1] ? -magnitude : magnitude;
)");
  return m;
}

vlog::Module EmitNormLane() {
  vlog::Module m("eb_norm_lane", kSource);
  m.Describe(R"(
eb_norm_lane: one lane of LayerNorm: (H*v - S1) / sqrt(D) * gamma + beta, encoded.

Seven cycles from view_i to code_o; root_i is taken in the second, shift_i in the third, gamma_i in
the fourth, beta_i in the fifth. Every stage stands still while en_i is low.)");
  m.Param("CodeW", "8", "bits of a code, W");
  m.Param("ExpW", "3", "exponent bits, E");
  m.Param("IntW", "13", "bits of an integer view");
  m.Param("SumW", "22", "bits of H*v and of S1");
  m.Input("clk_i").Input("en_i");
  m.Group("Integer view of the element; H and S1 of its row.");
  m.InputSigned("view_i", "IntW").Input("hidden_i", "16").InputSigned("sum_i", "SumW");
  m.Group("1/sqrt(D) = root * 2^-(16+shift).").Input("root_i", "17").Input("shift_i", "6");
  m.Group("Q8.12; Fixed; bias of the output.");
  m.InputSigned("gamma_i", "20").InputSigned("beta_i", "26").InputSigned("bias_i", "8");
  m.Output("code_o", "CodeW");
  m.Local("FIXED_W", spec::kFixedBits).Local("NORM_W", spec::kNormBits);
  m.Local("[6:0] NORM_DROP", 16 - spec::kNormFraction, "fraction bits of the root beyond Q8.12");
  m.Local("GAMMA_DROP", 2 * spec::kNormFraction - spec::kFixedFraction);
  m.Local("CENT_W", "(SumW > 17) ? SumW + 1 : 18").Local("PROD_W", "CENT_W + 18");
  m.Uses(EmitAfEncoder());
  m.Body(R"(
  // Centred: H*v - S1.
  reg signed [CENT_W-1:0] centred_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      centred_q <= {{(CENT_W - IntW) {view_i[IntW-1]}}, view_i} *
                   $signed({{(CENT_W - 16) {1'b0}}, hidden_i}) -
                   {{(CENT_W - SumW) {sum_i[SumW-1]}}, sum_i};
    end
  end

  // Times the mantissa of 1/sqrt(D), then rounded to 12 fraction bits.
  reg signed [PROD_W-1:0] product_q;
  reg signed [NORM_W-1:0] normal_q;
  always @(posedge clk_i) begin : normalise
    reg        [6:0]        places;
    reg signed [PROD_W-1:0] half;
    reg signed [PROD_W-1:0] normal;
    if (en_i) begin
      product_q <= {{(PROD_W - CENT_W) {centred_q[CENT_W-1]}}, centred_q} *
                   $signed({{(PROD_W - 17) {1'b0}}, root_i});
      places = {1'b0, shift_i} + NORM_DROP;
      half   = {{(PROD_W - 1) {1'b0}}, 1'b1} << (places - 7'd1);
      normal = (product_q + half) >>> places;
      if (normal[PROD_W-1:NORM_W-1] == {(PROD_W - NORM_W + 1) {normal[PROD_W-1]}}) begin
        normal_q <= normal[NORM_W-1:0];
      end else begin
        normal_q <= {normal[PROD_W-1], {(NORM_W - 1) {!normal[PROD_W-1]}}};
      end
    end
  end

  // Times gamma, plus beta, each saturated to a Fixed.
  reg signed [FIXED_W-1:0] scaled_q;
  reg signed [FIXED_W-1:0] shifted_q;
  always @(posedge clk_i) begin : affine
    reg signed [2*NORM_W-1:0] scaled;
    reg signed [FIXED_W:0]    shifted;
    if (en_i) begin
      scaled  = (normal_q * gamma_i + 40'sd128) >>> GAMMA_DROP;
      shifted = {scaled_q[FIXED_W-1], scaled_q} + {beta_i[FIXED_W-1], beta_i};
      if (scaled[2*NORM_W-1:FIXED_W-1] == {(2 * NORM_W - FIXED_W + 1) {scaled[2*NORM_W-1]}}) begin
        scaled_q <= scaled[FIXED_W-1:0];
      end else begin
        scaled_q <= {scaled[2*NORM_W-1], {(FIXED_W - 1) {!scaled[2*NORM_W-1]}}};
      end
      if (shifted[FIXED_W] == shifted[FIXED_W-1]) shifted_q <= shifted[FIXED_W-1:0];
      else shifted_q <= {shifted[FIXED_W], {(FIXED_W - 1) {!shifted[FIXED_W]}}};
    end
  end
  eb_af_encoder #(
    .CodeW(CodeW),
    .ExpW(ExpW)
  ) u_encoder (
    .clk_i(clk_i),
    .en_i(en_i),
    .x_i(shifted_q),
    .bias_i(bias_i),
    .code_o(code_o)
  );
)");
  return m;
}

vlog::Module EmitLayerNorm() {
  vlog::Module m("eb_layer_norm", kSource);
  m.Describe(R"(
eb_layer_norm: LayerNorm of rows of activation memory.

Works on the integer views of the codes, whose scale cancels: S1 = sum v and S2 = sum v^2 are exact,
D = H*S2 - S1^2 + eps is H^2 times the variance, and its reciprocal root has a floating exponent.
The front reads and sums row after row, a vector a cycle, into a ring buffer; the back normalises
the rows whose statistics are ready, a vector a cycle. Gamma and beta come from the weight stream
meanwhile; the back waits for all of them.)");
  m.Param("Lanes", "16", "elements of a vector, n");
  m.Param("CodeW", "8", "bits of a code, W");
  m.Param("ExpW", "3", "exponent bits, E");
  m.Param("MaxVectors", "48", "longest row");
  m.Param("AddrW", "20", "bits of a vector address");
  m.Param("Backend", "0", "memory back-end of the buffers");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Command: a LAYER_NORM instruction and the length of the sentence.");
  m.Input("cmd_valid_i").Output("cmd_ready_o").Input("cmd_i", "256").Input("length_i", "10");
  m.Output("busy_o");
  m.Group("Weight stream: for each vector a word group of gammas, then one of betas.");
  m.Output("words_request_o").Input("words_valid_i").Output("words_ready_o");
  m.Input("words_i", "Lanes*32");
  m.Group("Activation memory, read client; data in the cycle after the handshake.");
  m.Output("rd_valid_o").Input("rd_ready_i").Output("rd_addr_o", "AddrW");
  m.Input("rd_data_i", "Lanes*CodeW");
  m.Group("Activation memory, write client.");
  m.Output("wr_valid_o").Input("wr_ready_i").Output("wr_addr_o", "AddrW");
  m.Output("wr_data_o", "Lanes*CodeW");
  m.Local("MAN_W", "CodeW - 1 - ExpW");
  m.Local("INT_W", "MAN_W + 1 + (1 << ExpW) - 1 + 1", "signed integer view");
  m.Local("COUNT_W", "$clog2(MaxVectors * Lanes + 1)");
  m.Local("VEC_W", "(MaxVectors > 1) ? $clog2(MaxVectors) : 1");
  m.Local("SUM_W", "INT_W + COUNT_W").Local("SQ_W", "2 * INT_W - 1 + COUNT_W").Local("VAR_W", "64");
  m.Local("FIXED_W", spec::kFixedBits).Local("NORM_W", spec::kNormBits);
  m.Local("ROWS", "4", "rows that the front reads ahead of the back");
  m.Local("ROWS_W", "$clog2(ROWS + 1)");
  m.Local("STAT_CYCLES", kNormStatisticsCycles, "from the last read of a row to its statistics");
  m.Local("RING_W", "$clog2(MaxVectors + STAT_CYCLES)");
  m.Uses(EmitSram1r1w()).Uses(EmitFifo()).Uses(EmitRSqrt()).Uses(EmitAfInteger());
  m.Uses(EmitNormLane());
  m.Body(R"(
  reg [255:0] cmd_q;
  wire        accept = cmd_valid_i && cmd_ready_o;
  always @(posedge clk_i) begin
    if (accept) cmd_q <= cmd_i;
  end
)");
  m.InstructionFields({spec::kLayerNormRowsLen, spec::kLayerNormSrcBase, spec::kLayerNormSrcStride,
                       spec::kLayerNormDstBase, spec::kLayerNormDstStride, spec::kLayerNormBiasOut,
                       spec::kLayerNormHidden, spec::kLayerNormVectors, spec::kLayerNormRows,
                       spec::kLayerNormEpsLow, spec::kLayerNormEpsHigh},
                      "cmd_q");
  m.Body(R"(
  wire [63:0] eps = {eps_high, eps_low};

  // ---------------------------------------------------------------------------------------------
  // Gamma and beta, each for all rows.
  localparam [1:0] StIdle  = 2'd0;
  localparam [1:0] StGamma = 2'd1;
  localparam [1:0] StBeta  = 2'd2;
  localparam [1:0] StRows  = 2'd3;

  reg  [1:0]       state_q;
  reg  [VEC_W-1:0] word_q;
  wire             take_word = words_valid_i && words_ready_o;
  wire             last_word = {{(16 - VEC_W) {1'b0}}, word_q} == vectors - 16'd1;
  wire             finished;

  assign busy_o          = state_q != StIdle;
  assign cmd_ready_o     = !busy_o;
  assign words_request_o = (state_q == StGamma) || (state_q == StBeta);
  assign words_ready_o   = words_request_o;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
    end else if (clear_i) begin
      state_q <= StIdle;
    end else begin
      case (state_q)
        StIdle:  if (accept) state_q <= StGamma;
        StGamma: if (take_word) state_q <= StBeta;
        StBeta:  if (take_word) state_q <= last_word ? StRows : StGamma;
        default: if (finished) state_q <= StIdle;
      endcase
    end
  end

  always @(posedge clk_i) begin
    if (accept) word_q <= {VEC_W{1'b0}};
    else if (take_word && state_q == StBeta) word_q <= word_q + {{(VEC_W - 1) {1'b0}}, 1'b1};
  end
)");
  m.Body(R"(
  // ---------------------------------------------------------------------------------------------
  // Front: reads row after row, a vector a cycle, into the ring buffer.
  reg               reading_q;
  reg  [9:0]        row_q;
  reg  [15:0]       vector_q;
  reg  [AddrW-1:0]  src_row_q;
  reg  [RING_W:0]   held_q;  // vectors read and not yet with the back
  reg  [ROWS_W-1:0] rows_q;  // rows read and not yet with the back

  wire first_vector = vector_q == 16'd0;
  wire last_vector  = vector_q == vectors - 16'd1;
  wire last_row     = row_q == (rows_len ? length_i : rows) - 10'd1;
  wire take_read    = rd_valid_o && rd_ready_i;
  wire row_read     = take_read && last_vector;
  wire back_take;
  wire back_take_row;

  assign rd_valid_o = reading_q && !held_q[RING_W] && (rows_q != ROWS[ROWS_W-1:0]);
  assign rd_addr_o  = src_base + src_row_q + {{(AddrW - 16) {1'b0}}, vector_q};

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      reading_q <= 1'b0;
      held_q    <= {(RING_W + 1) {1'b0}};
      rows_q    <= {ROWS_W{1'b0}};
    end else if (clear_i) begin
      reading_q <= 1'b0;
      held_q    <= {(RING_W + 1) {1'b0}};
      rows_q    <= {ROWS_W{1'b0}};
    end else begin
      if (accept) reading_q <= 1'b1;
      else if (row_read && last_row) reading_q <= 1'b0;
      held_q <= held_q + {{RING_W{1'b0}}, take_read} - {{RING_W{1'b0}}, back_take};
      rows_q <= rows_q + {{(ROWS_W - 1) {1'b0}}, row_read}
          - {{(ROWS_W - 1) {1'b0}}, back_take_row};
    end
  end

  always @(posedge clk_i) begin
    if (accept) begin
      row_q     <= 10'd0;
      vector_q  <= 16'd0;
      src_row_q <= {AddrW{1'b0}};
    end else begin
      if (take_read) vector_q <= last_vector ? 16'd0 : vector_q + 16'd1;
      if (row_read) begin
        row_q     <= row_q + 10'd1;
        src_row_q <= src_row_q + {{(AddrW - 12) {1'b0}}, src_stride};
      end
    end
  end
)");
  m.Body(R"(
  // Stage 1: the vector arrives. Integer views of its lanes and their exact sums.
  reg read_valid_q;
  reg read_first_q;
  reg read_last_q;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      read_valid_q <= 1'b0;
    else if (clear_i) read_valid_q <= 1'b0;
    else              read_valid_q <= take_read;
  end
  always @(posedge clk_i) begin
    read_first_q <= first_vector;
    read_last_q  <= last_vector;
  end

  genvar                 g;
  wire [Lanes*INT_W-1:0] views;
  generate
    for (g = 0; g < Lanes; g = g + 1) begin : g_view
      eb_af_integer #(
        .CodeW(CodeW),
        .ExpW(ExpW),
        .IntW(INT_W)
      ) u_integer (
        .code_i(rd_data_i[CodeW*g+:CodeW]),
        .v_o(views[INT_W*g+:INT_W])
      );
    end
  endgenerate

  reg signed [SUM_W-1:0] tile_sum_q;
  reg        [SQ_W-1:0]  tile_square_q;
  always @(posedge clk_i) begin : tile_sums
    reg signed [INT_W-1:0]   view;
    reg signed [2*INT_W-1:0] square;
    reg signed [SUM_W-1:0]   tile_sum;
    reg        [SQ_W-1:0]    tile_square;
    reg                      unused_ok;
    integer                  lane;
    if (read_valid_q) begin
      tile_sum    = {SUM_W{1'b0}};
      tile_square = {SQ_W{1'b0}};
      for (lane = 0; lane < Lanes; lane = lane + 1) begin
        view        = views[INT_W*lane+:INT_W];
        square      = view * view;
        tile_sum    = tile_sum + {{(SUM_W - INT_W) {view[INT_W-1]}}, view};
        tile_square = tile_square + {{(SQ_W - 2 * INT_W + 1) {1'b0}}, square[2*INT_W-2:0]};
        unused_ok   = &{1'b0, square[2*INT_W-1]};
      end
      tile_sum_q    <= tile_sum;
      tile_square_q <= tile_square;
    end
  end

  // Stage 2: the sums of the row.
  reg                    tile_valid_q;
  reg                    tile_first_q;
  reg                    tile_last_q;
  reg signed [SUM_W-1:0] sum_q;
  reg        [SQ_W-1:0]  square_q;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      tile_valid_q <= 1'b0;
    else if (clear_i) tile_valid_q <= 1'b0;
    else              tile_valid_q <= read_valid_q;
  end
  always @(posedge clk_i) begin
    tile_first_q <= read_first_q;
    tile_last_q  <= read_last_q;
    if (tile_valid_q) begin
      sum_q    <= (tile_first_q ? {SUM_W{1'b0}} : sum_q) + tile_sum_q;
      square_q <= (tile_first_q ? {SQ_W{1'b0}} : square_q) + tile_square_q;
    end
  end
)");
  m.Body(R"(
  // Statistics of a row: D = H*S2 - S1^2 + eps and its reciprocal root, four cycles after its sums.
  // stat_valid_q[0]: sums; [1]: their products; [2]: D; [3]: inside the root; [4]: root.
  reg  [4:0]         stat_valid_q;
  reg  [4*SUM_W-1:0] stat_sum_q;  // S1 of stages 1 to 4, youngest in the low bits
  reg  [VAR_W-1:0]   scaled_square_q;
  reg  [2*SUM_W-3:0] squared_sum_q;
  reg  [VAR_W-1:0]   variance_q;
  reg  [1:0]         flat_q;
  wire [SUM_W-1:0]   sum_magnitude = sum_q[SUM_W-1] ? -sum_q : sum_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      stat_valid_q <= 5'd0;
    else if (clear_i) stat_valid_q <= 5'd0;
    else              stat_valid_q <= {stat_valid_q[3:0], tile_valid_q && tile_last_q};
  end

  always @(posedge clk_i) begin
    if (|stat_valid_q[3:0]) begin
      stat_sum_q      <= {stat_sum_q[3*SUM_W-1:0], sum_q};
      scaled_square_q <= {{(VAR_W - SQ_W) {1'b0}}, square_q} * {{(VAR_W - 16) {1'b0}}, hidden};
      squared_sum_q   <= {{(SUM_W - 1) {1'b0}}, sum_magnitude[SUM_W-2:0]} *
                         {{(SUM_W - 1) {1'b0}}, sum_magnitude[SUM_W-2:0]};
      variance_q      <= scaled_square_q - {{(VAR_W - 2 * SUM_W + 2) {1'b0}}, squared_sum_q} + eps;
      // A constant row with no epsilon has D = 0: every normalised value is 0.
      flat_q          <= {flat_q[0], variance_q == {VAR_W{1'b0}}};
    end
  end

  wire [16:0] root;
  wire [5:0]  root_shift;
  eb_rsqrt #(
    .VarW(VAR_W)
  ) u_rsqrt (
    .clk_i(clk_i),
    .en_i(|stat_valid_q[3:2]),
    .d_i(variance_q),
    .y_o(root),
    .h_o(root_shift)
  );

  // Never full: the front reads at most ROWS rows ahead of the back.
  wire              row_ready;
  wire [SUM_W-1:0]  row_sum;
  wire [16:0]       row_root;
  wire [5:0]        row_shift;
  wire              unused_stat_ready;
  wire [ROWS_W-1:0] unused_stat_count;
  eb_fifo #(
    .Width(SUM_W + 23),
    .Depth(ROWS)
  ) u_statistics (
    .clk_i(clk_i),
    .rst_ni(rst_ni),
    .clear_i(clear_i),
    .in_valid_i(stat_valid_q[4]),
    .in_ready_o(unused_stat_ready),
    .in_data_i({stat_sum_q[3*SUM_W+:SUM_W], flat_q[1] ? 17'd0 : root, root_shift}),
    .out_valid_o(row_ready),
    .out_ready_i(back_take_row),
    .out_data_o({row_sum, row_root, row_shift}),
    .count_o(unused_stat_count)
  );
)");
  m.Body(R"(
  // ---------------------------------------------------------------------------------------------
  // Back: normalises the rows whose statistics are ready, a vector a cycle. Every stage stands
  // still when a write is refused. valid_q[0]: buffer data; [1]: centred; [2]: product;
  // [3]: normalised; [4]: scaled by gamma; [5]: beta added; [6]: encoder; [7]: codes to be written.
  reg  [VEC_W-1:0]        back_vector_q;
  reg  [AddrW-1:0]        back_row_addr_q;
  reg  signed [SUM_W-1:0] back_sum_q;
  reg  [16:0]             back_root_q, back_root_q2;
  reg  [5:0]              back_shift_q, back_shift_q2, back_shift_q3;
  reg  [7:0]              valid_q;

  wire advance   = !valid_q[7] || wr_ready_i;
  wire step      = advance && (|valid_q[6:0]);  // the lanes switch only for vectors
  wire back_wish = row_ready && (state_q == StRows);
  wire back_last = {{(16 - VEC_W) {1'b0}}, back_vector_q} == vectors - 16'd1;

  assign back_take     = back_wish && advance;
  assign back_take_row = back_take && back_last;
  assign finished      = !reading_q && (rows_q == {ROWS_W{1'b0}}) && (valid_q[6:0] == 7'd0)
      && advance;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= 8'd0;
    else if (clear_i) valid_q <= 8'd0;
    else if (advance) valid_q <= {valid_q[6:0], back_wish};
  end

  always @(posedge clk_i) begin
    if (accept) begin
      back_vector_q   <= {VEC_W{1'b0}};
      back_row_addr_q <= {AddrW{1'b0}};
    end else if (back_take) begin
      back_vector_q <= back_last ? {VEC_W{1'b0}} : back_vector_q + {{(VEC_W - 1) {1'b0}}, 1'b1};
      if (back_last) back_row_addr_q <= back_row_addr_q + {{(AddrW - 12) {1'b0}}, dst_stride};
    end
    // The statistics go with the vector to the stages that use them.
    if (advance) begin
      back_sum_q    <= row_sum;
      back_root_q   <= row_root;
      back_root_q2  <= back_root_q;
      back_shift_q  <= row_shift;
      back_shift_q2 <= back_shift_q;
      back_shift_q3 <= back_shift_q2;
    end
  end
)");
  m.Body(R"(
  // The ring buffer: as many vectors as a row and what is read while its statistics are made.
  reg  [RING_W-1:0]      ring_wr_q;
  reg  [RING_W-1:0]      ring_rd_q;
  wire [Lanes*CodeW-1:0] buffered;

  always @(posedge clk_i) begin
    if (accept) begin
      ring_wr_q <= {RING_W{1'b0}};
      ring_rd_q <= {RING_W{1'b0}};
    end else begin
      if (read_valid_q) ring_wr_q <= ring_wr_q + {{(RING_W - 1) {1'b0}}, 1'b1};
      if (back_take) ring_rd_q <= ring_rd_q + {{(RING_W - 1) {1'b0}}, 1'b1};
    end
  end

  eb_sram_1r1w #(
    .Depth(1 << RING_W),
    .Lanes(1),
    .LaneW(Lanes * CodeW),
    .Backend(Backend)
  ) u_row_buffer (
    .clk_i(clk_i),
    .wr_en_i(read_valid_q),
    .wr_addr_i(ring_wr_q),
    .wr_data_i(rd_data_i),
    .rd_en_i(back_take),
    .rd_addr_i(ring_rd_q),
    .rd_data_o(buffered)
  );

  // Shift registers, youngest in the low bits.
  reg [8*AddrW-1:0] addr_q;
  reg [4*VEC_W-1:0] vector_q4;
  always @(posedge clk_i) begin
    if (advance) begin
      vector_q4 <= {vector_q4[3*VEC_W-1:0], back_vector_q};
      addr_q    <= {addr_q[7*AddrW-1:0],
                    dst_base + back_row_addr_q + {{(AddrW - VEC_W) {1'b0}}, back_vector_q}};
    end
  end

  wire [Lanes*NORM_W-1:0]  gamma;
  wire [Lanes*FIXED_W-1:0] beta;
  wire [Lanes*NORM_W-1:0]  gamma_in;
  wire [Lanes*FIXED_W-1:0] beta_in;
  eb_sram_1r1w #(
    .Depth(1 << VEC_W),
    .Lanes(1),
    .LaneW(Lanes * NORM_W),
    .Backend(Backend)
  ) u_gamma (
    .clk_i(clk_i),
    .wr_en_i(take_word && (state_q == StGamma)),
    .wr_addr_i(word_q),
    .wr_data_i(gamma_in),
    .rd_en_i(advance && valid_q[2]),
    .rd_addr_i(vector_q4[2*VEC_W+:VEC_W]),
    .rd_data_o(gamma)
  );
  eb_sram_1r1w #(
    .Depth(1 << VEC_W),
    .Lanes(1),
    .LaneW(Lanes * FIXED_W),
    .Backend(Backend)
  ) u_beta (
    .clk_i(clk_i),
    .wr_en_i(take_word && (state_q == StBeta)),
    .wr_addr_i(word_q),
    .wr_data_i(beta_in),
    .rd_en_i(advance && valid_q[3]),
    .rd_addr_i(vector_q4[3*VEC_W+:VEC_W]),
    .rd_data_o(beta)
  );
)");
  m.Body(R"(
  wire [Lanes*CodeW-1:0] codes;
  generate
    for (g = 0; g < Lanes; g = g + 1) begin : g_lane
      assign gamma_in[NORM_W*g+:NORM_W] = words_i[32*g+:NORM_W];
      assign beta_in[FIXED_W*g+:FIXED_W] = words_i[32*g+:FIXED_W];
      wire unused_words = &{1'b0, words_i[32*g+FIXED_W+:6]};
      wire signed [INT_W-1:0] view_back;
      eb_af_integer #(
        .CodeW(CodeW),
        .ExpW(ExpW),
        .IntW(INT_W)
      ) u_integer (
        .code_i(buffered[CodeW*g+:CodeW]),
        .v_o(view_back)
      );
      eb_norm_lane #(
        .CodeW(CodeW),
        .ExpW(ExpW),
        .IntW(INT_W),
        .SumW(SUM_W)
      ) u_lane (
        .clk_i(clk_i),
        .en_i(step),
        .view_i(view_back),
        .hidden_i(hidden),
        .sum_i(back_sum_q),
        .root_i(back_root_q2),
        .shift_i(back_shift_q3),
        .gamma_i(gamma[NORM_W*g+:NORM_W]),
        .beta_i(beta[FIXED_W*g+:FIXED_W]),
        .bias_i(bias_out),
        .code_o(codes[CodeW*g+:CodeW])
      );
    end
  endgenerate

  assign wr_valid_o = valid_q[7];
  assign wr_addr_o  = addr_q[7*AddrW+:AddrW];
  assign wr_data_o  = codes;
  wire unused_ok = &{1'b0, cmd_q, sum_magnitude[SUM_W-1], unused_stat_ready, unused_stat_count};
)");
  return m;
}

}  // namespace edgebert::gen
