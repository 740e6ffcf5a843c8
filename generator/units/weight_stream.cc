#include "generator/units/weight_stream.h"

#include <string>

#include "generator/blocks/fifo.h"
#include "generator/units/bitmask_decoder.h"
#include "golden/spec/isa.h"

namespace edgebert::gen {

vlog::Module EmitWeightStream() {
  vlog::Module m("eb_weight_stream", "generator/units/weight_stream.cc");
  m.Describe(R"(
eb_weight_stream: the weight stream, from AXI beats to word groups and rows of tiles.

Segments queue up and go to the AXI reader one after the other. The stream does not say what comes
next: the consumer requests a word group or a tile record, and holds the request until it is served.

head   whole beats of a word group or of a record prefix collect in one register
codes  the beats that follow a prefix go to the bitmask decoder
rows   the masks of the record pass the decoder, one tile row a cycle

While the rows of a record are under way, the prefix of the next one is read, unless the record is
the last of its strip. A record without its marker (or an empty one with a mask) raises
format_error_o, and the stream stands still until clear_i.)");
  m.Param("Lanes", "16", "n: codes of a row, rows of a tile");
  m.Param("CodeW", "8", "bits of a code");
  m.Param("AxiAddrW", "32", "bits of an address");
  m.Param("AxiDataW", "64", "bits of a beat: 32, 64, 128 or 256");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Segments of the stream");
  m.Input("segment_valid_i").Output("segment_ready_o");
  m.Input("segment_addr_i", "AxiAddrW").Input("segment_beats_i", "32");
  m.Group("AXI reader");
  m.Output("req_valid_o").Input("req_ready_i");
  m.Output("req_addr_o", "AxiAddrW").Output("req_beats_o", "32");
  m.Input("beat_valid_i").Output("beat_ready_o").Input("beat_i", "AxiDataW");
  m.Group("Word groups");
  m.Input("words_request_i").Output("words_valid_o").Input("words_ready_i");
  m.Output("words_o", "Lanes*32");
  m.Group("Tile records: Lanes rows each, one if empty; the header is stable with each row");
  m.Input("tile_request_i").Output("tile_valid_o").Input("tile_ready_i");
  m.Output("tile_row_o", "Lanes*CodeW").Output("tile_k_o", "16");
  m.Output("tile_last_o").Output("tile_empty_o");
  m.Group("Events: format error; non-zero codes decoded in this cycle");
  m.Output("format_error_o").Output("nonzeros_o", "$clog2(Lanes)+1");
  m.Local("SEGMENTS", 4, "that wait");
  m.Local("HEADER_W", spec::kTilePrefixBits, "bits before the masks of a record");
  m.Local("LAST_BIT", spec::kTileLastBit);
  m.Local("EMPTY_BIT", spec::kTileEmptyBit);
  m.Local("[7:0] MARKER", "8'd" + std::to_string(spec::kTileMarker));
  m.Local("MASK_W", "Lanes * Lanes");
  m.Local("PREFIX_BEATS", "(HEADER_W + MASK_W + AxiDataW - 1) / AxiDataW");
  m.Local("WORDS_BEATS", "(Lanes * 32 + AxiDataW - 1) / AxiDataW");
  m.Local("HEAD_BEATS", "(PREFIX_BEATS > WORDS_BEATS) ? PREFIX_BEATS : WORDS_BEATS");
  m.Local("HEAD_W", "HEAD_BEATS * AxiDataW");
  m.Local("INDEX_W", "$clog2(HEAD_BEATS + 1)");
  m.Local("LAST_PREFIX_BEAT", "PREFIX_BEATS - 1");
  m.Local("LAST_WORDS_BEAT", "WORDS_BEATS - 1");
  m.Local("PREFIX_END", "HEADER_W + MASK_W - LAST_PREFIX_BEAT * AxiDataW",
          "prefix bits of its last beat");
  m.Local("BEAT_CODES", "AxiDataW / CodeW");
  m.Local("LEFT_W", "$clog2(((MASK_W > BEAT_CODES) ? MASK_W : BEAT_CODES) + 1)");
  m.Local("ONES_W", "$clog2(Lanes) + 1");
  m.Local("ROWS_W", "$clog2(Lanes + 1)");
  m.Body(R"(
  // ---- Segments ----

  wire [2:0] unused_segment_count;

  eb_fifo #(
    .Width (AxiAddrW + 32),
    .Depth (SEGMENTS)
  ) u_segments (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .clear_i     (clear_i),
    .in_valid_i  (segment_valid_i),
    .in_ready_o  (segment_ready_o),
    .in_data_i   ({segment_addr_i, segment_beats_i}),
    .out_valid_o (req_valid_o),
    .out_ready_i (req_ready_i),
    .out_data_o  ({req_addr_o, req_beats_o}),
    .count_o     (unused_segment_count)
  );
)");
  m.Body(R"(
  // ---- Head: a word group or a record prefix ----

  reg [HEAD_W-1:0]  head_q;
  reg [INDEX_W-1:0] index_q, index_d;  // beats collected
  reg               full_q, full_d;
  reg               is_tile_q, is_tile_d;
  reg               halt_q, halt_d;    // after a format error
  // Codes of the record that are still to come, less than none when its last beat is not full:
  // those that the low halves of its mask beats announced, less the codes taken, and those of the
  // high halves. The mask bits of a beat are counted a cycle after it.
  reg signed [LEFT_W:0]  left_low_q;
  reg signed [LEFT_W:0]  left_high_q;
  reg [AxiDataW-1:0]     announced_q;
  reg                    announced_any_q;
  wire signed [LEFT_W:0] left = left_low_q + left_high_q;

  // The record whose rows are under way.
  reg [ROWS_W-1:0]  rows_q, rows_d;    // rows that the decoder has not taken
  reg               last_q;

  wire mask_take;
  wire rows_none = rows_q == {ROWS_W{1'b0}};
  wire rows_one  = rows_q == {{(ROWS_W - 1) {1'b0}}, 1'b1};
  wire rows_done = rows_none || (rows_one && mask_take);

  // After the last row of a strip the request tells what is next, but only once the row is taken.
  wire rows_pending = !rows_none || tile_valid_o;
  wire want_tile    = tile_request_i && !(rows_pending && last_q);
  wire begun        = index_q != {INDEX_W{1'b0}};
  wire is_tile      = begun ? is_tile_q : want_tile;
  wire no_codes     = (left <= 0) && !announced_any_q;
  wire head_ready   = begun || (!full_q && no_codes && (want_tile || words_request_i));
  wire head_take    = head_ready && beat_valid_i;
  wire head_last    = index_q == (is_tile ? LAST_PREFIX_BEAT[INDEX_W-1:0]
                                          : LAST_WORDS_BEAT[INDEX_W-1:0]);

  wire tile_full = full_q && is_tile_q;
  wire is_last   = head_q[LAST_BIT];
  wire is_empty  = head_q[EMPTY_BIT];
  wire good      = (head_q[HEADER_W-1 -: 8] == MARKER) && !(is_empty && !no_codes);
  wire load      = tile_full && good && rows_done;

  assign format_error_o = tile_full && !good && !halt_q;
  assign words_valid_o  = full_q && !is_tile_q;
  assign words_o        = head_q[Lanes*32-1:0];
  wire words_take       = words_valid_o && words_ready_i;
)");
  m.Body(R"(
  // ---- Codes: may enter the decoder when the rows of the record before have left it ----

  wire codes_wanted = !no_codes && !begun && (!full_q || load);
  wire codes_valid  = codes_wanted && beat_valid_i;
  wire codes_ready;
  wire codes_take   = codes_valid && codes_ready;

  assign beat_ready_o = head_ready || (codes_wanted && codes_ready);

  always @* begin
    index_d   = index_q;
    is_tile_d = is_tile_q;
    full_d    = full_q && !load && !words_take;
    halt_d    = halt_q || format_error_o;
    if (head_take) begin
      index_d   = head_last ? {INDEX_W{1'b0}} : index_q + 1'b1;
      is_tile_d = is_tile;
      full_d    = head_last;
    end
    if (clear_i) begin
      index_d = {INDEX_W{1'b0}};
      full_d  = 1'b0;
      halt_d  = 1'b0;
    end
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      index_q   <= {INDEX_W{1'b0}};
      is_tile_q <= 1'b0;
      full_q    <= 1'b0;
      halt_q    <= 1'b0;
    end else begin
      index_q   <= index_d;
      is_tile_q <= is_tile_d;
      full_q    <= full_d;
      halt_q    <= halt_d;
    end
  end

  // The mask bits of a record tell how many codes follow it.
  localparam [AxiDataW-1:0] LAST_BITS  = {AxiDataW{1'b1}} >> (AxiDataW - PREFIX_END);
  localparam [AxiDataW-1:0] FIRST_BITS = ((PREFIX_BEATS > 1) ? {AxiDataW{1'b1}} : LAST_BITS)
                                         & ({AxiDataW{1'b1}} << HEADER_W);

  function signed [LEFT_W:0] ones_in;
    input [AxiDataW/2-1:0] bits;
    integer                i;
    begin
      ones_in = {(LEFT_W+1){1'b0}};
      for (i = 0; i < AxiDataW / 2; i = i + 1) ones_in = ones_in + {{LEFT_W{1'b0}}, bits[i]};
    end
  endfunction

  wire [AxiDataW-1:0] announced =
      beat_i & (!begun ? FIRST_BITS : head_last ? LAST_BITS : {AxiDataW{1'b1}});
  wire                announce  = head_take && is_tile;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_low_q      <= {(LEFT_W+1){1'b0}};
      left_high_q     <= {(LEFT_W+1){1'b0}};
      announced_any_q <= 1'b0;
    end else if (clear_i) begin
      left_low_q      <= {(LEFT_W+1){1'b0}};
      left_high_q     <= {(LEFT_W+1){1'b0}};
      announced_any_q <= 1'b0;
    end else begin
      announced_any_q <= announce && (|announced);
      if (head_take && !begun) begin
        left_low_q  <= {(LEFT_W+1){1'b0}};
        left_high_q <= {(LEFT_W+1){1'b0}};
      end else begin
        if (announced_any_q || codes_take) begin
          left_low_q <= left_low_q + ones_in(announced_q[AxiDataW/2-1:0])
                        - (BEAT_CODES[LEFT_W:0] & {(LEFT_W+1){codes_take}});
        end
        if (announced_any_q) begin
          left_high_q <= left_high_q + ones_in(announced_q[AxiDataW-1:AxiDataW/2]);
        end
      end
    end
  end
  always @(posedge clk_i) begin
    if (announce)             announced_q <= announced;
    else if (announced_any_q) announced_q <= {AxiDataW{1'b0}};
  end

  genvar beat;
  generate
    for (beat = 0; beat < HEAD_BEATS; beat = beat + 1) begin : g_beat
      always @(posedge clk_i) begin
        if (head_take && index_q == beat) head_q[AxiDataW*beat +: AxiDataW] <= beat_i;
      end
    end
  endgenerate
)");
  m.Body(R"(
  // ---- Rows ----

  reg [MASK_W-1:0] masks_q;  // of the rows left, the next one in the low bits
  reg [ONES_W-1:0] ones_q;   // of the next one
  reg [15:0]       k_q;
  reg              empty_q;
  wire             mask_ready;
  assign mask_take = !rows_none && mask_ready;

  always @* begin
    rows_d = mask_take ? rows_q - 1'b1 : rows_q;
    if (load) rows_d = is_empty ? {{(ROWS_W - 1) {1'b0}}, 1'b1} : Lanes[ROWS_W-1:0];
    if (clear_i) rows_d = {ROWS_W{1'b0}};
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) rows_q <= {ROWS_W{1'b0}};
    else rows_q <= rows_d;
  end

  // The header of the row at the output: the next record may load while that row waits.
  reg [15:0] out_k_q;
  reg        out_last_q;
  reg        out_empty_q;

  function [ONES_W-1:0] ones_of;
    input [Lanes-1:0] mask;
    integer           i;
    begin
      ones_of = {ONES_W{1'b0}};
      for (i = 0; i < Lanes; i = i + 1) ones_of = ones_of + {{(ONES_W-1){1'b0}}, mask[i]};
    end
  endfunction

  always @(posedge clk_i) begin
    if (load) begin
      masks_q <= head_q[HEADER_W +: MASK_W];
      ones_q  <= ones_of(head_q[HEADER_W +: Lanes]);
      k_q     <= head_q[15:0];
      last_q  <= is_last;
      empty_q <= is_empty;
    end else if (mask_take) begin
      masks_q <= masks_q >> Lanes;
      ones_q  <= ones_of(masks_q[Lanes +: Lanes]);
    end
    if (mask_take) begin
      out_k_q     <= k_q;
      out_last_q  <= last_q;
      out_empty_q <= empty_q;
    end
  end

  assign tile_k_o     = out_k_q;
  assign tile_last_o  = out_last_q;
  assign tile_empty_o = out_empty_q;

  eb_bitmask_decoder #(
    .Lanes   (Lanes),
    .CodeW   (CodeW),
    .InCodes (BEAT_CODES)
  ) u_decoder (
    .clk_i         (clk_i),
    .rst_ni        (rst_ni),
    .clear_i       (clear_i),
    .codes_valid_i (codes_valid),
    .codes_ready_o (codes_ready),
    .codes_i       (beat_i[BEAT_CODES*CodeW-1:0]),
    .mask_valid_i  (!rows_none),
    .mask_ready_o  (mask_ready),
    .mask_i        (masks_q[Lanes-1:0]),
    .mask_ones_i   (ones_q),
    .mask_last_i   (rows_one),
    .codes_taken_o (nonzeros_o),
    .vec_valid_o   (tile_valid_o),
    .vec_ready_i   (tile_ready_i),
    .vec_o         (tile_row_o)
  );

  // Header bits without a meaning, and the padding of the head.
  wire unused_ok = &{1'b0, unused_segment_count, head_q};
)");
  m.Uses(EmitFifo()).Uses(EmitBitmaskDecoder());
  return m;
}

}  // namespace edgebert::gen
