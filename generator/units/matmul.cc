#include "generator/units/matmul.h"

#include <string>

#include "generator/blocks/clock_gate.h"
#include "generator/blocks/fifo.h"
#include "generator/units/accumulator.h"
#include "generator/units/post_processor.h"
#include "generator/units/vmac_array.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"

namespace edgebert::gen {
namespace {

// The value of a two-bit field.
template <typename E>
std::string Code(E value) {
  return "2'd" + std::to_string(static_cast<int>(value));
}

}  // namespace

vlog::Module EmitRowWindow() {
  vlog::Module m("eb_row_window", "generator/units/matmul.cc");
  m.Describe(R"(
eb_row_window: the rows within reach of a tile of Lanes rows or keys.

With window_i, rows max(0, Lanes*tile - reach) to min(rows-1, Lanes*tile + Lanes-1 + reach);
without, all rows. empty_o: there is none. Combinational.)");
  m.Param("Lanes", "16", "rows of a tile");
  m.Input("window_i").Input("tile_i", "16").Input("reach_i", "10").Input("rows_i", "10");
  m.Output("first_o", "10").Output("last_o", "10").Output("empty_o");
  m.Body(R"(
  localparam [21:0] LANES = Lanes[21:0];

  wire [21:0] tile_first = {6'd0, tile_i} * LANES;
  wire [21:0] tile_last = tile_first + LANES - 22'd1;
  wire [21:0] reach = {12'd0, reach_i};
  wire [21:0] rows = {12'd0, rows_i};
  wire [21:0] first = window_i && tile_first > reach ? tile_first - reach : 22'd0;
  wire [21:0] last = window_i && tile_last + reach < rows ? tile_last + reach : rows - 22'd1;

  assign first_o = first[9:0];
  assign last_o = last[9:0];
  assign empty_o = first >= rows;

  wire unused_ok = &{1'b0, last[21:10]};
)");
  return m;
}

vlog::Module EmitMatmul() {
  const std::string address = std::to_string(spec::kAddressBits);
  vlog::Module m("eb_matmul", "generator/units/matmul.cc");
  m.Describe(R"(
eb_matmul: MATMUL. Strip by strip of output columns, holds one tile after the other and streams the
source rows through the array, one a cycle.

loader  held tiles from the weight stream or from activation memory, into the shadow tile
issue   reads the source rows of the loaded tile; the first row swaps the tiles
array   multiplies; the accumulator sums a strip over its K tiles
drain   reads a finished strip out of its bank, through the post-processor, to its destination

The four overlap: while a tile streams the next one loads, and while a strip drains the next one is
summed in the other bank. So do commands: the next one is taken when the last tile of the one before
begins to stream. What it reads must not be what a command still busy writes; its writes come after
all reads and writes of those before it. A source row of zeros is not multiplied or added.)");
  m.Param("Lanes", "16", "codes of a vector");
  m.Param("CodeW", "8", "bits of a code");
  m.Param("ExpW", "3", "exponent bits of a code");
  m.Param("AccW", "37", "bits of an accumulator");
  m.Param("MaxRows", "128", "largest number of rows");
  m.Param("Pipeline", "2", "register stages of the array, 1..4");
  m.Param("Gated", "1", "1: a product with a zero operand stands still");
  m.Param("Backend", "0", "memory: 0 behavioural, 1 flop, 2 macro");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Commands; busy while one is not done, older_busy while one before the youngest is not.");
  m.Input("cmd_valid_i")
      .Output("cmd_ready_o")
      .Input("cmd_i", std::to_string(spec::kInstructionBits));
  m.Input("length_i", "10").Output("busy_o").Output("older_busy_o");
  m.Group("Weight stream: word groups (biases) and rows of tile records, each when requested.");
  m.Output("words_request_o").Input("words_valid_i").Output("words_ready_o");
  m.Input("words_i", "Lanes*32");
  m.Output("tile_request_o").Input("tile_valid_i").Output("tile_ready_o");
  m.Input("tile_row_i", "Lanes*CodeW").Input("tile_k_i", "16");
  m.Input("tile_last_i").Input("tile_empty_i");
  m.Group("A record of a K tile that the command does not have, a pulse.");
  m.Output("format_error_o");
  m.Group("Activation memory, reading: source rows, residual rows, held rows.");
  m.Output("src_rd_valid_o").Input("src_rd_ready_i").Output("src_rd_addr_o", address);
  m.Output("res_rd_valid_o").Input("res_rd_ready_i").Output("res_rd_addr_o", address);
  m.Output("held_rd_valid_o").Input("held_rd_ready_i").Output("held_rd_addr_o", address);
  m.Input("rd_data_i", "Lanes*CodeW").Input("rd_mask_i", "Lanes");
  m.Group("Results: activation memory, score memory, logits.");
  m.Output("wr_valid_o").Input("wr_ready_i").Output("wr_addr_o", address);
  m.Output("wr_data_o", "Lanes*CodeW");
  m.Output("score_wr_valid_o").Output("score_wr_addr_o", address);
  m.Output("score_wr_data_o", "Lanes*" + std::to_string(spec::kScoreBits));
  m.Output("logit_valid_o").Output("logit_strip_o", "16");
  m.Output("logit_data_o", "Lanes*" + std::to_string(spec::kFixedBits));
  m.Group("Events, for the performance counters.");
  m.Output("mac_o").Output("gated_o").Output("wait_weight_o").Output("wait_held_o");
  m.Output("wait_read_o").Output("wait_drain_o").Output("tile_o").Output("skipped_rows_o", "10");
  m.Output("saturated_o");
  m.Local("HELD_STREAM", Code(spec::Held::kStream));
  m.Local("HELD_TRANSPOSED", Code(spec::Held::kTransposed));
  m.Local("TO_ACTIVATIONS", Code(spec::Destination::kActivations));
  m.Local("TO_SCORES", Code(spec::Destination::kScores));
  m.Local("ADDR_W", spec::kAddressBits);
  m.Local("STRIDE_W", spec::kStrideBits);
  m.Local("LANE_W", "$clog2(Lanes)");
  m.Local("ROW_W", "$clog2(MaxRows)");
  m.Local("TAG_W", "ROW_W + 1", "bank and row");
  m.Local("DOT_W", "2 * (CodeW - ExpW + (1 << ExpW)) - 1 + LANE_W");
  m.Local("SEQ_TILES", "(MaxRows + Lanes - 1) / Lanes", "row stride of score memory");
  m.Local("OUT_DEPTH", "16", "rows in the post-processor");
  m.Local("OUT_COUNT_W", "$clog2(OUT_DEPTH + 1)");
  m.Uses(EmitVmacArray()).Uses(EmitAccumulator()).Uses(EmitPostProcessor()).Uses(EmitFifo());
  m.Uses(EmitRowWindow()).Uses(EmitClockGate());
  m.Body(R"(
  // ---- Command: stays until its last tile leaves the loader ----

  reg [255:0] cmd_q;
  wire start = cmd_valid_i & cmd_ready_o;

  always @(posedge clk_i) begin
    if (start) cmd_q <= cmd_i;
  end

)");
  m.InstructionFields(
      {spec::kMatmulHeld,       spec::kMatmulDestination,  spec::kMatmulActivation,
       spec::kMatmulResidual,   spec::kMatmulRowsLen,      spec::kMatmulStripsLen,
       spec::kMatmulKTilesLen,  spec::kMatmulWindow,       spec::kMatmulStrips,
       spec::kMatmulKTiles,     spec::kMatmulSrcBase,      spec::kMatmulSrcStride,
       spec::kMatmulDstBase,    spec::kMatmulDstStride,    spec::kMatmulHeldBase,
       spec::kMatmulHeldStride, spec::kMatmulResidualBase, spec::kMatmulResidualStride,
       spec::kMatmulShift,      spec::kMatmulBiasOut,      spec::kMatmulBiasResidual,
       spec::kMatmulReach,      spec::kMatmulRows},
      "cmd_q");
  m.Body(R"(
  localparam [ADDR_W-1:0] LANES = Lanes[ADDR_W-1:0];
  localparam [LANE_W-1:0] LAST_LANE = LANES[LANE_W-1:0] - 1'b1;

  wire from_stream = held == HELD_STREAM;
  wire transposed = held == HELD_TRANSPOSED;
  wire by_rows = ~from_stream & ~transposed;
  wire to_activations = destination == TO_ACTIVATIONS;
  wire to_scores = destination == TO_SCORES;
  wire to_logits = ~to_activations & ~to_scores;

  wire [15:0] length = {6'd0, length_i};
  wire [15:0] length_tiles = (length + LANES[15:0] - 16'd1) / LANES[15:0];
  wire [15:0] strip_count = strips_len ? length_tiles : strips;
  wire [15:0] k_count = k_tiles_len ? length_tiles : k_tiles;
  wire [9:0] row_count = rows_len ? length_i : rows;
)");
  m.Body(R"(
  // ---- Loader: fills the shadow tile, one row or column a cycle ----

  localparam LOAD_IDLE = 2'd0;
  localparam LOAD_BEGIN = 2'd1;
  localparam LOAD_BIAS = 2'd2;
  localparam LOAD_TILE = 2'd3;

  reg [1:0] load_state_q;
  reg load_first_q;  // the strip's first tile
  reg load_bank_q;   // strips alternate between the banks, whatever their command
  reg [15:0] load_strip_q;
  reg [15:0] load_k_q;
  reg [LANE_W-1:0] load_index_q;
  reg [ADDR_W-1:0] held_addr_q;
  reg [ADDR_W-1:0] held_strip_addr_q;  // where the strip began

  reg shadow_full_q;
  reg shadow_first_q, shadow_last_q, shadow_bank_q;
  reg shadow_skip_q;  // no row to stream
  reg [15:0] shadow_strip_q, shadow_k_q;
  reg [9:0] shadow_first_row_q, shadow_last_row_q;
  reg [ADDR_W-1:0] shadow_offset_q, shadow_addr_q;

  reg [1:0] bank_taken_q;  // from the start of a strip to the end of its drain
  wire shadow_release;

  assign cmd_ready_o = load_state_q == LOAD_IDLE && !shadow_full_q;

  wire loading = load_state_q == LOAD_TILE;
  wire load_from_memory = loading & ~from_stream & ~shadow_full_q;
  wire [15:0] held_tile = by_rows ? load_strip_q : load_k_q;
  wire [20:0] held_row = {5'd0, held_tile} * {1'b0, LANES} + {{(21-LANE_W){1'b0}}, load_index_q};
  wire held_row_exists = held_row < {5'd0, length};

  assign tile_request_o = loading & from_stream;
  assign tile_ready_o = tile_request_o & ~shadow_full_q;
  assign held_rd_valid_o = load_from_memory & held_row_exists;
  assign held_rd_addr_o = held_addr_q;

  wire load_stream = tile_valid_i & tile_ready_o;
  reg format_error_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) format_error_q <= 1'b0;
    else format_error_q <= load_stream & ~tile_empty_i & (tile_k_i >= k_count) & ~clear_i;
  end

  assign format_error_o = format_error_q;
  wire load_held = held_rd_valid_o & held_rd_ready_i;
  wire load_zero = load_from_memory & ~held_row_exists;
  wire load_step = load_stream | load_held | load_zero;
  wire load_empty = from_stream & tile_empty_i;
  wire tile_loaded = load_step & (load_empty | load_index_q == LAST_LANE);
  wire last_k = from_stream ? tile_last_i : load_k_q + 16'd1 >= k_count;
  wire strip_loaded = tile_loaded & last_k;
  wire last_strip = load_strip_q + 16'd1 == strip_count;

  assign words_request_o = load_state_q == LOAD_BIAS;
  assign words_ready_o = words_request_o & ~bank_taken_q[load_bank_q];
  wire take_bias = words_valid_i & words_ready_o;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) load_bank_q <= 1'b0;
    else if (clear_i) load_bank_q <= 1'b0;
    else if (strip_loaded) load_bank_q <= ~load_bank_q;
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) load_state_q <= LOAD_IDLE;
    else if (clear_i) load_state_q <= LOAD_IDLE;
    else begin
      case (load_state_q)
        LOAD_IDLE: if (start) load_state_q <= LOAD_BEGIN;
        LOAD_BEGIN: begin
          if (strip_count == 16'd0) load_state_q <= LOAD_IDLE;
          else load_state_q <= from_stream ? LOAD_BIAS : LOAD_TILE;
        end
        LOAD_BIAS: if (take_bias) load_state_q <= LOAD_TILE;
        default: begin
          if (strip_loaded && last_strip) load_state_q <= LOAD_IDLE;
          else if (strip_loaded && from_stream) load_state_q <= LOAD_BIAS;
        end
      endcase
    end
  end

  wire [ADDR_W-1:0] held_step = {{(ADDR_W-STRIDE_W){1'b0}}, held_stride};
  wire [ADDR_W-1:0] next_strip_addr =
      by_rows ? held_strip_addr_q + held_step * LANES : held_strip_addr_q + 1'b1;
  wire [ADDR_W-1:0] next_k = {{(ADDR_W-16){1'b0}}, load_k_q + 16'd1};
  wire [ADDR_W-1:0] next_k_addr = by_rows ? held_strip_addr_q + next_k : held_addr_q + held_step;

  always @(posedge clk_i) begin
    if (load_state_q == LOAD_BEGIN) begin
      load_first_q <= 1'b1;
      load_strip_q <= 16'd0;
      load_k_q <= 16'd0;
      load_index_q <= {LANE_W{1'b0}};
      held_addr_q <= held_base;
      held_strip_addr_q <= held_base;
    end else if (load_step) begin
      load_index_q <= tile_loaded ? {LANE_W{1'b0}} : load_index_q + 1'b1;
      held_addr_q <= held_addr_q + held_step;
      if (tile_loaded) begin
        load_first_q <= last_k;
        load_k_q <= last_k ? 16'd0 : load_k_q + 16'd1;
        held_addr_q <= last_k ? next_strip_addr : next_k_addr;
      end
      if (strip_loaded) begin
        load_strip_q <= load_strip_q + 16'd1;
        held_strip_addr_q <= next_strip_addr;
      end
    end
  end

  wire [9:0] load_first_row, load_last_row;
  wire load_no_rows;

  eb_row_window #(
    .Lanes(Lanes)
  ) u_load_window (
    .window_i(window & ~from_stream),
    .tile_i(held_tile),
    .reach_i(reach),
    .rows_i(row_count),
    .first_o(load_first_row),
    .last_o(load_last_row),
    .empty_o(load_no_rows)
  );

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) shadow_full_q <= 1'b0;
    else if (clear_i) shadow_full_q <= 1'b0;
    else if (tile_loaded) shadow_full_q <= 1'b1;
    else if (shadow_release) shadow_full_q <= 1'b0;
  end

  wire [ADDR_W-1:0] src_step = {{(ADDR_W-STRIDE_W){1'b0}}, src_stride};

  // A tile takes at least four cycles to load, so the address of its first row has settled.
  always @(posedge clk_i) begin
    if (load_step) begin
      shadow_first_q <= load_first_q;
      shadow_last_q <= last_k;
      shadow_bank_q <= load_bank_q;
      shadow_skip_q <= load_empty | load_no_rows;
      shadow_strip_q <= load_strip_q;
      shadow_k_q <= from_stream ? tile_k_i : load_k_q;
      shadow_first_row_q <= load_first_row;
      shadow_last_row_q <= load_last_row;
    end
    shadow_offset_q <= {{(ADDR_W-10){1'b0}}, shadow_first_row_q} * src_step;
    shadow_addr_q <= src_base + {{(ADDR_W-16){1'b0}}, shadow_k_q} + shadow_offset_q;
  end

  // Rows from the stream wait a cycle, so that all reach the array in the cycle after their step.
  reg load_valid_q, load_stream_q, load_held_q;
  reg [LANE_W-1:0] load_lane_q;
  reg [Lanes*CodeW-1:0] load_row_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) load_valid_q <= 1'b0;
    else load_valid_q <= load_step & ~load_empty & ~clear_i;
  end

  always @(posedge clk_i) begin
    load_stream_q <= load_stream;
    load_held_q <= load_held;
    load_lane_q <= load_index_q;
    if (load_stream) load_row_q <= tile_row_i;
  end

  wire [Lanes*CodeW-1:0] load_codes =
      load_stream_q ? load_row_q : load_held_q ? rd_data_i : {(Lanes*CodeW){1'b0}};
)");
  m.Body(R"(
  // ---- Stages: the row's data arrive in stage 0, its sums start in stage Pipeline ----

  reg [Pipeline:0] stage_valid_q;
  reg [(Pipeline+1)*TAG_W-1:0] stage_tag_q;
  reg [Pipeline+1:0] stage_end_q;  // last row of a strip; its sums are stored before they are read
  reg swap_q;
  wire row_zero = ~(|rd_mask_i);
)");
  m.Body(R"(
  // ---- Issue: streams the rows of the tile, one a cycle ----

  reg run_q;  // between the first and the last row of a tile
  reg run_last_q, run_bank_q;
  reg [9:0] run_row_q, run_last_row_q;
  reg [ADDR_W-1:0] run_addr_q, run_step_q;

  wire bank_open = ~shadow_first_q | from_stream | ~bank_taken_q[shadow_bank_q];
  wire tile_ready = ~run_q & shadow_full_q & bank_open;
  wire skip = tile_ready & shadow_skip_q;
  wire issue_bank = run_q ? run_bank_q : shadow_bank_q;
  wire [9:0] issue_row = run_q ? run_row_q : shadow_first_row_q;
  wire issue_last = issue_row == (run_q ? run_last_row_q : shadow_last_row_q);
  wire [TAG_W-1:0] issue_tag = {issue_bank, issue_row[ROW_W-1:0]};
  // A row whose last sum is not yet back in the accumulator waits.
  wire hazard = (stage_valid_q[0] && stage_tag_q[0 +: TAG_W] == issue_tag)
      || (stage_valid_q[1] && stage_tag_q[TAG_W +: TAG_W] == issue_tag);
  wire issue_wanted = run_q | (tile_ready & ~shadow_skip_q);

  // The drain's residual goes first: it is what frees a bank.
  wire residual_wanted;
  assign src_rd_valid_o = issue_wanted & ~hazard & ~residual_wanted;
  assign src_rd_addr_o = run_q ? run_addr_q : shadow_addr_q;
  wire issue = src_rd_valid_o & src_rd_ready_i;
  wire issue_first = issue & ~run_q;
  wire strip_issued = (issue & issue_last & (run_q ? run_last_q : shadow_last_q))
      | (skip & shadow_last_q);

  assign shadow_release = issue_first | skip;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) run_q <= 1'b0;
    else if (clear_i) run_q <= 1'b0;
    else if (issue) run_q <= ~issue_last;
  end

  always @(posedge clk_i) begin
    if (issue) begin
      run_row_q <= issue_row + 10'd1;
      run_addr_q <= src_rd_addr_o + (run_q ? run_step_q : src_step);
    end
    if (issue_first) begin
      run_last_q <= shadow_last_q;
      run_bank_q <= shadow_bank_q;
      run_last_row_q <= shadow_last_row_q;
      run_step_q <= src_step;
    end
  end

  integer s;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      stage_valid_q <= {(Pipeline+1){1'b0}};
      stage_end_q <= {(Pipeline+2){1'b0}};
      swap_q <= 1'b0;
    end else if (clear_i) begin
      stage_valid_q <= {(Pipeline+1){1'b0}};
      stage_end_q <= {(Pipeline+2){1'b0}};
      swap_q <= 1'b0;
    end else begin
      stage_valid_q[0] <= issue;
      stage_valid_q[1] <= stage_valid_q[0] & ~row_zero;
      for (s = 2; s <= Pipeline; s = s + 1) stage_valid_q[s] <= stage_valid_q[s-1];
      stage_end_q <= {stage_end_q[Pipeline:0], strip_issued};
      swap_q <= issue_first;
    end
  end

  always @(posedge clk_i) stage_tag_q <= {stage_tag_q[Pipeline*TAG_W-1:0], issue_tag};

  wire [Lanes*DOT_W-1:0] dot;

  eb_vmac_array #(
    .Lanes(Lanes),
    .CodeW(CodeW),
    .ExpW(ExpW),
    .Pipeline(Pipeline),
    .Gated(Gated)
  ) u_vmac_array (
    .clk_i(clk_i),
    .rst_ni(rst_ni),
    .clear_i(clear_i),
    .load_valid_i(load_valid_q),
    .load_transposed_i(transposed),
    .load_index_i(load_lane_q),
    .load_codes_i(load_codes),
    .swap_i(swap_q),
    .row_valid_i(stage_valid_q[0] & ~row_zero),
    .row_codes_i(rd_data_i),
    .dot_o(dot)
  );

  wire drain_step;
  wire strip_drained;
  reg drain_bank_q;
  reg [9:0] drain_row_q;
  wire [Lanes*AccW-1:0] drain_acc;

  eb_accumulator #(
    .Lanes(Lanes),
    .DotW(DOT_W),
    .AccW(AccW),
    .MaxRows(MaxRows),
    .Backend(Backend)
  ) u_accumulator (
    .clk_i(clk_i),
    .rst_ni(rst_ni),
    .clear_i(clear_i),
    .add_valid_i(stage_valid_q[Pipeline]),
    .add_bank_i(stage_tag_q[(Pipeline+1)*TAG_W-1]),
    .add_row_i(stage_tag_q[Pipeline*TAG_W +: ROW_W]),
    .dot_i(dot),
    .read_valid_i(drain_step),
    .read_bank_i(drain_bank_q),
    .read_row_i(drain_row_q[ROW_W-1:0]),
    .acc_o(drain_acc),
    .release_i(strip_drained),
    .saturated_o(saturated_o)
  );
)");
  m.Body(R"(
  // ---- Orders: what the drain must know of the strip in a bank, from the strip's first tile ----

  localparam WHERE_W = 2 * (ADDR_W + STRIDE_W) + 22;
  localparam HOW_W = 31;

  wire [9:0] order_first_row, order_last_row;
  wire order_no_rows;

  eb_row_window #(
    .Lanes(Lanes)
  ) u_drain_window (
    .window_i(window & by_rows),
    .tile_i(shadow_strip_q),
    .reach_i(reach),
    .rows_i(to_logits ? 10'd1 : row_count),
    .first_o(order_first_row),
    .last_o(order_last_row),
    .empty_o(order_no_rows)
  );

  // Logits carry their strip where the others carry their address.
  wire [ADDR_W-1:0] dst_origin = to_activations ? dst_base : {ADDR_W{1'b0}};
  wire [STRIDE_W-1:0] dst_step =
      to_activations ? dst_stride : to_scores ? SEQ_TILES[STRIDE_W-1:0] : {STRIDE_W{1'b0}};
  wire [ADDR_W-1:0] shadow_strip = {{(ADDR_W-16){1'b0}}, shadow_strip_q};
  wire new_command = shadow_strip_q == 16'd0;

  reg [WHERE_W-1:0] where0_q, where1_q;
  reg [HOW_W-1:0] how0_q, how1_q;
  wire [WHERE_W-1:0] order_where = {
      new_command, order_no_rows, order_first_row, order_last_row,
      dst_origin + shadow_strip, dst_step, residual_base + shadow_strip, residual_stride};
  wire [HOW_W-1:0] order_how = {
      from_stream, to_activations, to_scores, residual, activation, shift, bias_residual, bias_out};

  always @(posedge clk_i) begin
    if (shadow_release && shadow_first_q && !shadow_bank_q) begin
      where0_q <= order_where;
      how0_q <= order_how;
    end
    if (shadow_release && shadow_first_q && shadow_bank_q) begin
      where1_q <= order_where;
      how1_q <= order_how;
    end
  end
)");
  m.Body(R"(
  // ---- Drain: accumulator -> post-processor -> memory ----

  reg [1:0] drain_ready_q;  // strips summed and not yet drained
  reg [1:0] drain_settle_q;
  reg drain_run_q;
  reg [9:0] drain_last_row_q;
  reg [ADDR_W-1:0] drain_dst_q, drain_res_q, drain_dst_step_q, drain_res_step_q;
  reg [OUT_COUNT_W-1:0] pending_q;  // rows between accumulator and memory

  wire drain_new_command, drain_no_rows;
  wire [9:0] drain_first_row, drain_last_row;
  wire [ADDR_W-1:0] drain_dst, drain_res;
  wire [STRIDE_W-1:0] drain_dst_stride, drain_res_stride;
  wire [ADDR_W-1:0] drain_dst_step = {{(ADDR_W-STRIDE_W){1'b0}}, drain_dst_stride};
  wire [ADDR_W-1:0] drain_res_step = {{(ADDR_W-STRIDE_W){1'b0}}, drain_res_stride};
  wire [ADDR_W-1:0] first_row = {{(ADDR_W-10){1'b0}}, drain_first_row};

  assign {drain_new_command, drain_no_rows, drain_first_row, drain_last_row,
          drain_dst, drain_dst_stride, drain_res, drain_res_stride} =
      drain_bank_q ? where1_q : where0_q;

  // Addresses of the strip's first row, settled two cycles after its order is chosen.
  reg [ADDR_W-1:0] dst_offset_q, dst_first_q, res_offset_q, res_first_q;

  always @(posedge clk_i) begin
    dst_offset_q <= first_row * drain_dst_step;
    res_offset_q <= first_row * drain_res_step;
    dst_first_q <= drain_dst + dst_offset_q;
    res_first_q <= drain_res + res_offset_q;
  end

  // How the rows in the post-processor are treated. Another command's wait until it is empty.
  reg [HOW_W-1:0] how_q;
  wire how_stream, how_activations, how_scores, how_residual;
  wire [2:0] how_activation;
  wire [7:0] how_shift, how_bias_residual, how_bias_out;

  assign {how_stream, how_activations, how_scores, how_residual, how_activation, how_shift,
          how_bias_residual, how_bias_out} = how_q;

  wire post_empty = pending_q == {OUT_COUNT_W{1'b0}};
  wire drain_last = drain_row_q == drain_last_row_q;
  wire drain_wanted = drain_run_q & (pending_q != OUT_DEPTH[OUT_COUNT_W-1:0]);
  assign residual_wanted = drain_wanted & how_residual;
  assign res_rd_valid_o = residual_wanted;
  assign res_rd_addr_o = drain_res_q;
  assign drain_step = drain_wanted & (~how_residual | res_rd_ready_i);

  wire drain_open = ~drain_run_q & (drain_ready_q != 2'd0) & (drain_settle_q == 2'd0)
      & (post_empty | ~drain_new_command);
  assign strip_drained = (drain_step & drain_last) | (drain_open & drain_no_rows);
  wire strip_summed = stage_end_q[Pipeline+1];

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      drain_ready_q <= 2'd0;
      drain_bank_q <= 1'b0;
      drain_settle_q <= 2'd0;
      drain_run_q <= 1'b0;
    end else if (clear_i) begin
      drain_ready_q <= 2'd0;
      drain_bank_q <= 1'b0;
      drain_settle_q <= 2'd0;
      drain_run_q <= 1'b0;
    end else begin
      drain_ready_q <= drain_ready_q + {1'b0, strip_summed} - {1'b0, strip_drained};
      drain_settle_q <= {2{strip_drained}} | {drain_settle_q[0], 1'b0};
      if (strip_drained) drain_bank_q <= ~drain_bank_q;
      if (drain_open) drain_run_q <= ~drain_no_rows;
      else if (drain_step && drain_last) drain_run_q <= 1'b0;
    end
  end

  always @(posedge clk_i) begin
    if (drain_open) begin
      how_q <= drain_bank_q ? how1_q : how0_q;
      drain_row_q <= drain_first_row;
      drain_last_row_q <= drain_last_row;
      drain_dst_q <= dst_first_q;
      drain_res_q <= res_first_q;
      drain_dst_step_q <= drain_dst_step;
      drain_res_step_q <= drain_res_step;
    end else if (drain_step) begin
      drain_row_q <= drain_row_q + 10'd1;
      drain_dst_q <= drain_dst_q + drain_dst_step_q;
      drain_res_q <= drain_res_q + drain_res_step_q;
    end
  end

  // A bank belongs to a strip from its biases, or else its first row, until the strip is drained.
  wire bank_take = take_bias | (shadow_release & shadow_first_q & ~from_stream);
  wire bank_take_bank = from_stream ? load_bank_q : shadow_bank_q;
  wire [1:0] bank_set = {bank_take & bank_take_bank, bank_take & ~bank_take_bank};
  wire [1:0] bank_clear = {strip_drained & drain_bank_q, strip_drained & ~drain_bank_q};

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) bank_taken_q <= 2'b00;
    else if (clear_i) bank_taken_q <= 2'b00;
    else bank_taken_q <= (bank_taken_q & ~bank_clear) | bank_set;
  end

  // What is in a bank or behind it when a command is taken belongs to those before.
  reg [1:0] older_bank_q;
  reg older_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      older_bank_q <= 2'b00;
      older_q <= 1'b0;
    end else if (clear_i) begin
      older_bank_q <= 2'b00;
      older_q <= 1'b0;
    end else if (start) begin
      older_bank_q <= bank_taken_q & ~bank_clear;
      older_q <= busy_o;
    end else begin
      older_bank_q <= older_bank_q & ~bank_clear;
      older_q <= older_q & (older_bank_q != 2'b00 || !post_empty);
    end
  end

  assign older_busy_o = older_q;

  reg [Lanes*32-1:0] bias0_q, bias1_q;
  reg post_valid_q, post_bank_q;
  reg [ADDR_W-1:0] post_dst_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) post_valid_q <= 1'b0;
    else post_valid_q <= drain_step & ~clear_i;
  end

  always @(posedge clk_i) begin
    if (take_bias && !load_bank_q) bias0_q <= words_i;
    if (take_bias && load_bank_q) bias1_q <= words_i;
    post_bank_q <= drain_bank_q;
    post_dst_q <= drain_dst_q;
  end

  wire [Lanes*32-1:0] post_bias =
      ~how_stream ? {(Lanes*32){1'b0}} : post_bank_q ? bias1_q : bias0_q;
  wire out_valid;
  wire [ADDR_W-1:0] out_addr;
  wire [Lanes*CodeW-1:0] out_code;

  wire post_busy, clk_post;
  eb_clock_gate u_clock_post (
    .clk_i(clk_i),
    .enable_i(post_valid_q || post_busy),
    .clk_o(clk_post)
  );

  eb_post_processor #(
    .Lanes(Lanes),
    .CodeW(CodeW),
    .ExpW(ExpW),
    .AccW(AccW),
    .TagW(ADDR_W)
  ) u_post_processor (
    .clk_i(clk_post),
    .rst_ni(rst_ni),
    .clear_i(clear_i),
    .valid_i(post_valid_q),
    .acc_i(drain_acc),
    .bias_i(post_bias),
    .res_i(how_residual ? rd_data_i : {(Lanes*CodeW){1'b0}}),
    .shift_i(how_shift),
    .activation_i(how_activation),
    .bias_res_i(how_bias_residual),
    .bias_out_i(how_bias_out),
    .tag_i(post_dst_q),
    .valid_o(out_valid),
    .tag_o(out_addr),
    .code_o(out_code),
    .score_o(score_wr_data_o),
    .fixed_o(logit_data_o),
    .busy_o(post_busy)
  );

  assign score_wr_valid_o = out_valid & how_scores;
  assign score_wr_addr_o = out_addr;
  assign logit_valid_o = out_valid & ~how_activations & ~how_scores;
  assign logit_strip_o = out_addr[15:0];

  wire fifo_ready;
  wire [OUT_COUNT_W-1:0] fifo_count;

  eb_fifo #(
    .Width(ADDR_W + Lanes * CodeW),
    .Depth(OUT_DEPTH)
  ) u_out_fifo (
    .clk_i(clk_i),
    .rst_ni(rst_ni),
    .clear_i(clear_i),
    .in_valid_i(out_valid & how_activations),
    .in_ready_o(fifo_ready),
    .in_data_i({out_addr, out_code}),
    .out_valid_o(wr_valid_o),
    .out_ready_i(wr_ready_i),
    .out_data_o({wr_addr_o, wr_data_o}),
    .count_o(fifo_count)
  );

  wire written = how_activations ? wr_valid_o & wr_ready_i : out_valid;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) pending_q <= {OUT_COUNT_W{1'b0}};
    else if (clear_i) pending_q <= {OUT_COUNT_W{1'b0}};
    else pending_q <= pending_q + {{(OUT_COUNT_W-1){1'b0}}, drain_step}
        - {{(OUT_COUNT_W-1){1'b0}}, written};
  end

  assign busy_o =
      load_state_q != LOAD_IDLE || shadow_full_q || bank_taken_q != 2'b00 || !post_empty;
)");
  m.Body(R"(
  // ---- Counters: a busy cycle issues a row, drops a tile without rows, or waits ----

  wire starved = busy_o & ~run_q & ~shadow_full_q;
  wire bias_blocked = words_request_o & ~words_ready_o;
  wire drain_left = load_state_q == LOAD_IDLE;

  assign mac_o = stage_valid_q[0];
  assign gated_o = stage_valid_q[0] & row_zero;
  assign tile_o = issue_first;
  assign skipped_rows_o =
      issue_first ? row_count - 10'd1 - shadow_last_row_q + shadow_first_row_q : 10'd0;
  assign wait_read_o = issue_wanted & ~issue;
  assign wait_drain_o = (shadow_full_q & ~run_q & ~bank_open)
      | (starved & (bias_blocked | drain_left));
  assign wait_weight_o = starved & from_stream & ~bias_blocked & ~drain_left;
  assign wait_held_o = starved & ~from_stream & ~drain_left;

  wire unused_ok = &{1'b0, cmd_q, fifo_ready, fifo_count};
)");
  return m;
}

}  // namespace edgebert::gen
