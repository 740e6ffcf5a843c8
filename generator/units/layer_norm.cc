#include "generator/units/layer_norm.h"

#include <fmt/format.h>

#include "generator/blocks/fifo.h"
#include "generator/blocks/sram.h"
#include "generator/blocks/tree.h"
#include "generator/units/af_encoder.h"
#include "generator/units/rsqrt.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"

namespace edgebert::gen {
namespace {

constexpr const char* kSource = "generator/units/layer_norm.cc";

}  // namespace

vlog::Module EmitNormLane() {
  vlog::Module m("eb_norm_lane", kSource);
  m.Describe(R"(
eb_norm_lane: one lane of LayerNorm: (H*v - S1) / sqrt(D) * gamma + beta, encoded.

v is the integer view of the code, 0 or +-(2^M + m) << e. Eleven cycles from element_i to code_o;
sum_i is taken in the second, root_i in the third, shift_i in the fifth, gamma_i in the seventh,
beta_i in the ninth. Every stage stands still while en_i is low. A long product is the sum of two, made in the
cycle before.)");
  m.Param("CodeW", "8", "bits of a code, W");
  m.Param("ExpW", "3", "exponent bits, E");
  m.Param("SumW", "22", "bits of H*v and of S1");
  m.Input("clk_i").Input("en_i");
  m.Group("Element; H and S1 of its row.");
  m.Input("element_i", "CodeW")
      .Input("hidden_i", "SumW-(CodeW-ExpW+(1<<ExpW))")
      .InputSigned("sum_i", "SumW");
  m.Group("1/sqrt(D) = root * 2^-(16+shift).").Input("root_i", "17").Input("shift_i", "6");
  m.Group("Q8.12; Fixed; bias of the output.");
  m.InputSigned("gamma_i", "20").InputSigned("beta_i", "26").InputSigned("bias_i", "8");
  m.Output("code_o", "CodeW");
  m.Local("FIXED_W", spec::kFixedBits).Local("NORM_W", spec::kNormBits);
  m.Local("[6:0] NORM_DROP", 16 - spec::kNormFraction, "fraction bits of the root beyond Q8.12");
  m.Local("GAMMA_DROP", 2 * spec::kNormFraction - spec::kFixedFraction);
  m.Local("MAN_W", "CodeW - 1 - ExpW");
  m.Local("SIG_W", "MAN_W + 1", "significand: leading one and mantissa");
  m.Local("HIDDEN_W", "SumW - (CodeW - ExpW + (1 << ExpW))", "of SumW less those of v");
  m.Local("CENT_W", "(SumW > 17) ? SumW + 1 : 18").Local("PROD_W", "CENT_W + 18");
  m.Local("HALF_W", "NORM_W / 2", "of gamma");
  m.Uses(EmitAfEncoder());
  m.Body(R"(
  // Stage 1: H times the significand.
  reg [SIG_W+HIDDEN_W-1:0] multiple_q;
  reg [ExpW-1:0]           exponent_q;
  reg                      negative_q;
  always @(posedge clk_i) begin : multiply
    reg [SIG_W-1:0] significand;
    if (en_i) begin
      // Zero has exponent and mantissa zero, so clearing the leading one clears the significand.
      significand = {|element_i[CodeW-2:0], element_i[MAN_W-1:0]};
      multiple_q <= {{HIDDEN_W{1'b0}}, significand} * {{SIG_W{1'b0}}, hidden_i};
      exponent_q <= element_i[CodeW-2-:ExpW];
      negative_q <= element_i[CodeW-1];
    end
  end

  // Stage 2: centred, H*v - S1.
  reg signed [CENT_W-1:0] centred_q;
  always @(posedge clk_i) begin : centre
    reg [CENT_W-1:0] magnitude;
    if (en_i) begin
      magnitude  = {{(CENT_W - SIG_W - HIDDEN_W) {1'b0}}, multiple_q} << exponent_q;
      centred_q <= (negative_q ? -magnitude : magnitude) -
                   {{(CENT_W - SumW) {sum_i[SumW-1]}}, sum_i};
    end
  end

  // Stages 3 and 4: times the mantissa of 1/sqrt(D).
  reg signed [CENT_W+8:0] product_high_q;
  reg signed [CENT_W+9:0] product_low_q;
  reg signed [PROD_W-1:0] product_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      product_high_q <= {{9{centred_q[CENT_W-1]}}, centred_q} *
                        $signed({{(CENT_W + 1) {1'b0}}, root_i[16:9]});
      product_low_q  <= {{10{centred_q[CENT_W-1]}}, centred_q} *
                        $signed({{(CENT_W + 1) {1'b0}}, root_i[8:0]});
      product_q      <= {product_high_q, 9'd0} +
                        {{(PROD_W - CENT_W - 10) {product_low_q[CENT_W+9]}}, product_low_q};
    end
  end

  // Stages 5 and 6: rounded to 12 fraction bits. The shift stops one place short, and that place
  // rounds.
  reg signed [PROD_W-1:0] shifted_q;
  reg signed [NORM_W-1:0] normal_q;
  always @(posedge clk_i) begin : normalise
    reg signed [PROD_W-1:0] normal;
    if (en_i) begin
      shifted_q <= product_q >>> ({1'b0, shift_i} + NORM_DROP - 7'd1);
      normal     = {shifted_q[PROD_W-1], shifted_q[PROD_W-1:1]} +
                   {{(PROD_W - 1) {1'b0}}, shifted_q[0]};
      if (normal[PROD_W-1:NORM_W-1] == {(PROD_W - NORM_W + 1) {normal[PROD_W-1]}}) begin
        normal_q <= normal[NORM_W-1:0];
      end else begin
        normal_q <= {normal[PROD_W-1], {(NORM_W - 1) {!normal[PROD_W-1]}}};
      end
    end
  end

  // Stages 7 to 9: times gamma, plus beta, each saturated to a Fixed.
  reg signed [NORM_W+HALF_W-1:0] gamma_high_q;
  reg signed [NORM_W+HALF_W:0]   gamma_low_q;
  reg signed [FIXED_W-1:0]       scaled_q;
  reg signed [FIXED_W-1:0]       affine_q;
  always @(posedge clk_i) begin : affine
    reg signed [2*NORM_W-1:0] scaled;
    reg signed [FIXED_W:0]    sum;
    if (en_i) begin
      gamma_high_q <= normal_q * $signed(gamma_i[NORM_W-1:HALF_W]);
      gamma_low_q  <= normal_q * $signed({1'b0, gamma_i[HALF_W-1:0]});
      scaled = {gamma_high_q, {HALF_W{1'b0}}} +
               {{(NORM_W - HALF_W - 1) {gamma_low_q[NORM_W+HALF_W]}}, gamma_low_q} +
               (1 << (GAMMA_DROP - 1));
      scaled = scaled >>> GAMMA_DROP;
      if (scaled[2*NORM_W-1:FIXED_W-1] == {(2 * NORM_W - FIXED_W + 1) {scaled[2*NORM_W-1]}}) begin
        scaled_q <= scaled[FIXED_W-1:0];
      end else begin
        scaled_q <= {scaled[2*NORM_W-1], {(FIXED_W - 1) {!scaled[2*NORM_W-1]}}};
      end
      sum = {scaled_q[FIXED_W-1], scaled_q} + {beta_i[FIXED_W-1], beta_i};
      if (sum[FIXED_W] == sum[FIXED_W-1]) affine_q <= sum[FIXED_W-1:0];
      else affine_q <= {sum[FIXED_W], {(FIXED_W - 1) {!sum[FIXED_W]}}};
    end
  end

  // Stages 10 and 11.
  eb_af_encoder #(
    .CodeW(CodeW),
    .ExpW(ExpW)
  ) u_encoder (
    .clk_i(clk_i),
    .en_i(en_i),
    .x_i(affine_q),
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
  m.Local("LANE_W", "$clog2(Lanes)").Local("SQUARE_W", "2 * INT_W - 1");
  m.Local("HALF_W", "SUM_W / 2", "low half of |S1|").Local("HIGH_W", "SUM_W - 1 - HALF_W");
  m.Local("STAT_CYCLES", fmt::format("{} + LANE_W", kNormStatisticsCycles),
          "from the last read of a row to its statistics");
  m.Local("RING_W", "$clog2(MaxVectors + STAT_CYCLES)");
  m.Uses(EmitSram1r1w()).Uses(EmitFifo()).Uses(EmitRSqrt()).Uses(EmitSumTree());
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
  // The vector arrives; stage 1: integer views of its elements; stage 2: their squares; then the
  // exact sums of both, and the sums of the row.
  localparam SQUARE_STAGE = 2;
  localparam TREE_STAGE   = SQUARE_STAGE + LANE_W;  // both sums of the vector are there
  reg  [TREE_STAGE:0] front_valid_q;  // [0]: the vector
  reg  [TREE_STAGE:0] front_first_q;
  reg  [TREE_STAGE:0] front_last_q;
  wire                front_busy = |front_valid_q;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      front_valid_q <= {(TREE_STAGE + 1) {1'b0}};
    else if (clear_i) front_valid_q <= {(TREE_STAGE + 1) {1'b0}};
    else              front_valid_q <= {front_valid_q[TREE_STAGE-1:0], take_read};
  end
  always @(posedge clk_i) begin
    if (take_read || front_busy) begin
      front_first_q <= {front_first_q[TREE_STAGE-1:0], first_vector};
      front_last_q  <= {front_last_q[TREE_STAGE-1:0], last_vector};
    end
  end

  reg  [Lanes*INT_W-1:0]    views_q;
  reg  [Lanes*SQUARE_W-1:0] squares_q;
  always @(posedge clk_i) begin : squares
    reg [CodeW-1:0]          code;
    reg [INT_W-1:0]          magnitude;
    reg signed [INT_W-1:0]   view;
    reg signed [2*INT_W-1:0] square;
    reg                      unused_ok;
    integer                  lane;
    if (front_valid_q[0]) begin
      for (lane = 0; lane < Lanes; lane = lane + 1) begin
        // Zero has exponent and mantissa zero, so clearing the leading one clears the significand.
        code      = rd_data_i[CodeW*lane+:CodeW];
        magnitude = {{(INT_W - MAN_W - 1) {1'b0}}, |code[CodeW-2:0], code[MAN_W-1:0]}
            << code[CodeW-2-:ExpW];
        views_q[INT_W*lane+:INT_W] <= code[CodeW-1] ? -magnitude : magnitude;
      end
    end
    if (front_valid_q[1]) begin
      for (lane = 0; lane < Lanes; lane = lane + 1) begin
        view      = views_q[INT_W*lane+:INT_W];
        square    = view * view;
        squares_q[SQUARE_W*lane+:SQUARE_W] <= square[SQUARE_W-1:0];
        unused_ok = &{1'b0, square[2*INT_W-1]};  // a square is not negative
      end
    end
  end

  wire [SUM_W-1:0] view_sum;
  eb_sum_tree #(
    .Lanes(Lanes),
    .Width(INT_W),
    .Signed(1),
    .SumW(SUM_W)
  ) u_view_sum (
    .clk_i(clk_i),
    .en_i(front_busy),
    .x_i(views_q),
    .sum_o(view_sum)
  );
  wire [SQ_W-1:0] square_sum;
  eb_sum_tree #(
    .Lanes(Lanes),
    .Width(SQUARE_W),
    .Signed(0),
    .SumW(SQ_W)
  ) u_square_sum (
    .clk_i(clk_i),
    .en_i(front_busy),
    .x_i(squares_q),
    .sum_o(square_sum)
  );

  reg        [SUM_W-1:0] view_sum_q;  // beside the sum of the squares
  reg signed [SUM_W-1:0] sum_q;
  reg        [SQ_W-1:0]  square_q;
  always @(posedge clk_i) begin
    if (front_busy) view_sum_q <= view_sum;
    if (front_valid_q[TREE_STAGE]) begin
      sum_q    <= (front_first_q[TREE_STAGE] ? {SUM_W{1'b0}} : sum_q) + view_sum_q;
      square_q <= (front_first_q[TREE_STAGE] ? {SQ_W{1'b0}} : square_q) + square_sum;
    end
  end

  // Statistics of a row: D = H*S2 - S1^2 + eps and its reciprocal root, six cycles after its sums.
  // stat_valid_q[0]: sums; [1]: products of their halves; [2]: products; [3]: D; [4], [5]: inside
  // the root; [6]: root.
  reg  [6:0]          stat_valid_q;
  reg  [6*SUM_W-1:0]  stat_sum_q;  // S1 of stages 1 to 6, youngest in the low bits
  reg  [15:0]         hidden_q;    // a copy: that of the command has all lanes to drive
  reg  [SQ_W+7:0]     scaled_high_q;
  reg  [SQ_W+7:0]     scaled_low_q;
  reg  [2*HIGH_W-1:0] high_square_q;
  reg  [SUM_W-2:0]    cross_q;
  reg  [2*HALF_W-1:0] low_square_q;
  reg  [VAR_W-1:0]    scaled_square_q;
  reg  [2*SUM_W-3:0]  squared_sum_q;
  reg  [VAR_W-1:0]    variance_q;
  reg  [2:0]          flat_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      stat_valid_q <= 7'd0;
    else if (clear_i) stat_valid_q <= 7'd0;
    else stat_valid_q <= {stat_valid_q[5:0], front_valid_q[TREE_STAGE] && front_last_q[TREE_STAGE]};
  end

  always @(posedge clk_i) hidden_q <= hidden;
  always @(posedge clk_i) begin : statistics
    reg [SUM_W-1:0]  magnitude;
    reg [HIGH_W-1:0] high;
    reg [HALF_W-1:0] low;
    reg              unused_ok;
    if (|stat_valid_q[5:0]) begin
      stat_sum_q      <= {stat_sum_q[5*SUM_W-1:0], sum_q};
      magnitude        = sum_q[SUM_W-1] ? -sum_q : sum_q;
      {high, low}      = magnitude[SUM_W-2:0];
      unused_ok        = &{1'b0, magnitude[SUM_W-1]};
      scaled_high_q   <= {8'd0, square_q} * {{SQ_W{1'b0}}, hidden_q[15:8]};
      scaled_low_q    <= {8'd0, square_q} * {{SQ_W{1'b0}}, hidden_q[7:0]};
      high_square_q   <= {{HIGH_W{1'b0}}, high} * {{HIGH_W{1'b0}}, high};
      cross_q         <= {{HALF_W{1'b0}}, high} * {{HIGH_W{1'b0}}, low};
      low_square_q    <= {{HALF_W{1'b0}}, low} * {{HALF_W{1'b0}}, low};
      scaled_square_q <= {{(VAR_W - SQ_W - 16) {1'b0}}, scaled_high_q, 8'd0}
                         + {{(VAR_W - SQ_W - 8) {1'b0}}, scaled_low_q};
      squared_sum_q   <= {high_square_q, low_square_q}
                         + {{(HIGH_W - 1) {1'b0}}, cross_q, {(HALF_W + 1) {1'b0}}};
      variance_q      <= scaled_square_q - {{(VAR_W - 2 * SUM_W + 2) {1'b0}}, squared_sum_q} + eps;
      // A constant row with no epsilon has D = 0: every normalised value is 0.
      flat_q          <= {flat_q[1:0], variance_q == {VAR_W{1'b0}}};
    end
  end

  wire [16:0] root;
  wire [5:0]  root_shift;
  eb_rsqrt #(
    .VarW(VAR_W)
  ) u_rsqrt (
    .clk_i(clk_i),
    .en_i(|stat_valid_q[5:3]),
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
    .in_valid_i(stat_valid_q[6]),
    .in_ready_o(unused_stat_ready),
    .in_data_i({stat_sum_q[5*SUM_W+:SUM_W], flat_q[2] ? 17'd0 : root, root_shift}),
    .out_valid_o(row_ready),
    .out_ready_i(back_take_row),
    .out_data_o({row_sum, row_root, row_shift}),
    .count_o(unused_stat_count)
  );
)");
  m.Body(R"(
  // ---------------------------------------------------------------------------------------------
  // Back: normalises the rows whose statistics are ready, a vector a cycle. Every stage stands
  // still when a write is refused. valid_q[0]: buffer data; [k]: stage k of the lanes.
  localparam SUM_STAGE   = 1;  // before the one that takes it
  localparam ROOT_STAGE  = 2;
  localparam SHIFT_STAGE = 4;
  localparam GAMMA_STAGE = 6;
  localparam BETA_STAGE  = 8;
  localparam WRITE_STAGE = 11;
  reg  [VEC_W-1:0]              back_vector_q;
  reg  [WRITE_STAGE:0]          valid_q;
  reg  [SUM_W*SUM_STAGE+SUM_W-1:0]  sums_q;  // with the vectors, youngest in the low bits
  reg  [17*ROOT_STAGE+16:0]     roots_q;
  reg  [6*SHIFT_STAGE+5:0]      shifts_q;
  reg  [VEC_W*BETA_STAGE-1:0]   vectors_q;

  wire advance   = !valid_q[WRITE_STAGE] || wr_ready_i;
  wire step      = advance && (|valid_q[WRITE_STAGE-1:0]);  // the lanes switch only for vectors
  wire back_wish = row_ready && (state_q == StRows);
  wire back_last = {{(16 - VEC_W) {1'b0}}, back_vector_q} == vectors - 16'd1;

  assign back_take     = back_wish && advance;
  assign back_take_row = back_take && back_last;
  assign finished      = !reading_q && (rows_q == {ROWS_W{1'b0}})
      && !(|valid_q[WRITE_STAGE-1:0]) && advance;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) valid_q <= {(WRITE_STAGE + 1) {1'b0}};
    else if (clear_i) valid_q <= {(WRITE_STAGE + 1) {1'b0}};
    else if (advance) valid_q <= {valid_q[WRITE_STAGE-1:0], back_wish};
  end

  always @(posedge clk_i) begin
    if (accept) back_vector_q <= {VEC_W{1'b0}};
    else if (back_take_row) back_vector_q <= {VEC_W{1'b0}};
    else if (back_take) back_vector_q <= back_vector_q + {{(VEC_W - 1) {1'b0}}, 1'b1};
    if (back_take || step) begin
      sums_q    <= {sums_q[SUM_W*SUM_STAGE-1:0], row_sum};
      roots_q   <= {roots_q[17*ROOT_STAGE-1:0], row_root};
      shifts_q  <= {shifts_q[6*SHIFT_STAGE-1:0], row_shift};
      vectors_q <= {vectors_q[VEC_W*(BETA_STAGE-1)-1:0], back_vector_q};
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
      if (front_valid_q[0]) ring_wr_q <= ring_wr_q + {{(RING_W - 1) {1'b0}}, 1'b1};
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
    .wr_en_i(front_valid_q[0]),
    .wr_addr_i(ring_wr_q),
    .wr_data_i(rd_data_i),
    .rd_en_i(back_take),
    .rd_addr_i(ring_rd_q),
    .rd_data_o(buffered)
  );

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
    .rd_en_i(advance && valid_q[GAMMA_STAGE-1]),
    .rd_addr_i(vectors_q[VEC_W*(GAMMA_STAGE-1)+:VEC_W]),
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
    .rd_en_i(advance && valid_q[BETA_STAGE-1]),
    .rd_addr_i(vectors_q[VEC_W*(BETA_STAGE-1)+:VEC_W]),
    .rd_data_o(beta)
  );
)");
  m.Body(R"(
  wire [Lanes*CodeW-1:0] codes;
  genvar                 g;
  generate
    for (g = 0; g < Lanes; g = g + 1) begin : g_lane
      assign gamma_in[NORM_W*g+:NORM_W] = words_i[32*g+:NORM_W];
      assign beta_in[FIXED_W*g+:FIXED_W] = words_i[32*g+:FIXED_W];
      wire unused_words = &{1'b0, words_i[32*g+FIXED_W+:6]};
      eb_norm_lane #(
        .CodeW(CodeW),
        .ExpW(ExpW),
        .SumW(SUM_W)
      ) u_lane (
        .clk_i(clk_i),
        .en_i(step),
        .element_i(buffered[CodeW*g+:CodeW]),
        .hidden_i(hidden[COUNT_W-1:0]),
        .sum_i(sums_q[SUM_W*SUM_STAGE+:SUM_W]),
        .root_i(roots_q[17*ROOT_STAGE+:17]),
        .shift_i(shifts_q[6*SHIFT_STAGE+:6]),
        .gamma_i(gamma[NORM_W*g+:NORM_W]),
        .beta_i(beta[FIXED_W*g+:FIXED_W]),
        .bias_i(bias_out),
        .code_o(codes[CodeW*g+:CodeW])
      );
    end
  endgenerate

  // Destination.
  reg  [AddrW-1:0] wr_row_q;
  reg  [AddrW-1:0] wr_addr_q;
  reg  [VEC_W-1:0] wr_vector_q;
  wire             wr_take = wr_valid_o && wr_ready_i;
  wire             wr_last = {{(16 - VEC_W) {1'b0}}, wr_vector_q} == vectors - 16'd1;
  wire [AddrW-1:0] next_row = wr_row_q + {{(AddrW - 12) {1'b0}}, dst_stride};
  always @(posedge clk_i) begin
    if (state_q == StGamma) begin
      wr_row_q    <= dst_base;
      wr_addr_q   <= dst_base;
      wr_vector_q <= {VEC_W{1'b0}};
    end else if (wr_take) begin
      wr_row_q    <= wr_last ? next_row : wr_row_q;
      wr_addr_q   <= wr_last ? next_row : wr_addr_q + 1'b1;
      wr_vector_q <= wr_last ? {VEC_W{1'b0}} : wr_vector_q + 1'b1;
    end
  end

  assign wr_valid_o = valid_q[WRITE_STAGE];
  assign wr_addr_o  = wr_addr_q;
  assign wr_data_o  = codes;
  wire unused_ok = &{1'b0, cmd_q, unused_stat_ready, unused_stat_count};
)");
  return m;
}

}  // namespace edgebert::gen
