#include "generator/units/reram_ctrl.h"

#include "generator/blocks/fifo.h"
#include "generator/units/bitmask_decoder.h"
#include "generator/units/secded_decoder.h"

namespace edgebert::gen {

vlog::Module EmitReramCtrl() {
  vlog::Module m("eb_reram_ctrl", "generator/units/reram_ctrl.cc");
  m.Describe(R"(
eb_reram_ctrl: reads one row of the embedding tables and gives it as vectors.

For a row it asks for the index entry (where the codes begin), for the masks, and for the code words
that hold the ones of the masks received so far. Masks and codes have a queue each, and a word is
asked for only when its queue has room, so that many requests are under way whatever the latency of
the macro, and none of them ever blocks another. The bitmask decoder joins the two.

With CheckBits words are corrected on arrival, a cycle later. What cannot be corrected raises
word_error_o while the row is not complete; the client then clears it.

clear_i drops the row; what the macro still owes is discarded before the next row is taken.)");
  m.Param("Lanes", "16", "codes of a vector");
  m.Param("CodeW", "8", "bits of a code");
  m.Param("WordBits", "64", "bits of a macro word: 32, 64 or 128, at least Lanes");
  m.Param("CheckBits", "0", "bits of ECC above them, of eb_secded_decoder; 0: none");
  m.Guard("WordBits >= Lanes", "word_bits_must_be_at_least_lanes");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Row, first SLC word of the masks, vectors of a row (at least one)");
  m.Input("row_valid_i").Output("row_ready_o");
  m.Input("row_i", "32").Input("mask_base_i", "32").Input("vectors_i", "16");
  m.Group("Vectors of the row");
  m.Output("vec_valid_o").Input("vec_ready_i").Output("vec_o", "Lanes*CodeW");
  m.Group("Macro: requests, and data in their order");
  m.Output("rr_req_valid_o").Input("rr_req_ready_i");
  m.Output("rr_req_mlc_o").Output("rr_req_addr_o", "32");
  m.Input("rr_rsp_valid_i").Input("rr_rsp_data_i", "WordBits+CheckBits");
  m.Group("It has a row, or the macro owes it data").Output("busy_o");
  m.Group("Event: a word is read");
  m.Output("read_o");
  m.Group("Events: a word of the row is corrected, or cannot be");
  m.Output("corrected_o").Output("word_error_o");
  m.Local("INDEX_W", 32, "bits of an index entry");
  m.Local("WORD_ENTRIES", "WordBits / INDEX_W");
  m.Local("WORD_VECTORS", "WordBits / Lanes", "masks of a word");
  m.Local("WORD_CODES", "WordBits / CodeW");
  m.Local("VECTOR_SHIFT", "$clog2(WORD_VECTORS)");
  m.Local("SLOT_W", "(WORD_VECTORS > 1) ? VECTOR_SHIFT : 1");
  m.Local("MASK_DEPTH", 4, "mask words asked for or held");
  m.Local("CODE_DEPTH", 8, "code words asked for or held");
  m.Local("KIND_DEPTH", "1 + MASK_DEPTH + CODE_DEPTH");
  m.Local("MASK_COUNT_W", "$clog2(MASK_DEPTH + 1)");
  m.Local("CODE_COUNT_W", "$clog2(CODE_DEPTH + 1)");
  m.Local("KIND_COUNT_W", "$clog2(KIND_DEPTH + 1)");
  m.Local("COUNT_W", "$clog2(Lanes) + 1", "of a mask");
  m.Local("ONES_W", "$clog2(WordBits + 1)", "of a word of masks");
  m.Local("DEBT_W", "$clog2(MASK_DEPTH * WordBits + 1) + 1");
  m.Local("[1:0] KIND_INDEX", "2'd0");
  m.Local("[1:0] KIND_MASK", "2'd1");
  m.Local("[1:0] KIND_CODES", "2'd2");
  m.Body(R"(
  // ---- The row ----

  reg        busy_q, busy_d;
  reg [2:0]  setup_q;         // first cycles of a row, one hot
  reg        discard_q;       // what the macro owes belongs to a cleared row
  reg [31:0] row_q;
  reg [31:0] mask_base_q;
  reg [15:0] vectors_left_q;  // that the decoder has not taken
  wire       row_take = row_valid_i && row_ready_o;
  wire       mask_take;       // by the decoder
  wire       mask_last = vectors_left_q == 16'd1;

  assign row_ready_o = !busy_q && !discard_q;

  always @* begin
    busy_d = row_take || (busy_q && !(mask_take && mask_last));
    if (clear_i) busy_d = 1'b0;
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      setup_q <= 3'd0;
    end else begin
      busy_q  <= busy_d;
      setup_q <= clear_i ? 3'd0 : {setup_q[1:0], row_take};
    end
  end

  always @(posedge clk_i) begin
    if (row_take) begin
      row_q          <= row_i;
      mask_base_q    <= mask_base_i;
      vectors_left_q <= vectors_i;
    end else if (mask_take) begin
      vectors_left_q <= vectors_left_q - 16'd1;
    end
  end
)");
  m.Body(R"(
  // ---- Requests: the index entry, then masks before codes ----

  reg                    req_valid_q, req_valid_d;
  reg [1:0]              req_kind_q, req_kind_d;
  reg [31:0]             req_addr_q, req_addr_d;
  reg [31:0]             mask_addr_q;    // of the next mask word
  reg [15:0]             masks_left_q;   // mask words to ask for
  reg [31:0]             product_low_q;
  reg [15:0]             product_high_q;
  reg [31:0]             code_addr_q;    // of the next code word
  reg                    index_known_q;
  reg [MASK_COUNT_W-1:0] masks_held_q, masks_held_d;
  reg [CODE_COUNT_W-1:0] codes_held_q, codes_held_d;
  // Ones of the masks received, less the codes of the words asked for.
  reg signed [DEBT_W-1:0] debt_q;

  wire        req_take   = req_valid_q && rr_req_ready_i;
  wire        req_free   = !req_valid_q || rr_req_ready_i;
  wire        ask_index  = setup_q[0];
  wire        ask_mask   = busy_q && (setup_q == 3'd0) && req_free && (masks_left_q != 16'd0) &&
                           (masks_held_q != MASK_DEPTH[MASK_COUNT_W-1:0]);
  wire        ask_codes  = busy_q && !ask_mask && req_free && index_known_q && (debt_q > 0) &&
                           (codes_held_q != CODE_DEPTH[CODE_COUNT_W-1:0]);
  wire [31:0] mask_words = ({16'd0, vectors_left_q} + WORD_VECTORS - 1) >> VECTOR_SHIFT;
  wire        mask_pop;
  wire        codes_pop;

  always @* begin
    req_valid_d = ask_index || ask_mask || ask_codes || (req_valid_q && !rr_req_ready_i);
    req_kind_d  = req_kind_q;
    req_addr_d  = req_addr_q;
    if (ask_index) begin
      req_kind_d = KIND_INDEX;
      req_addr_d = row_q / WORD_ENTRIES;
    end else if (ask_mask) begin
      req_kind_d = KIND_MASK;
      req_addr_d = mask_addr_q;
    end else if (ask_codes) begin
      req_kind_d = KIND_CODES;
      req_addr_d = code_addr_q;
    end
    masks_held_d = masks_held_q;
    codes_held_d = codes_held_q;
    if (ask_mask && !mask_pop) masks_held_d = masks_held_q + 1'b1;
    if (mask_pop && !ask_mask) masks_held_d = masks_held_q - 1'b1;
    if (ask_codes && !codes_pop) codes_held_d = codes_held_q + 1'b1;
    if (codes_pop && !ask_codes) codes_held_d = codes_held_q - 1'b1;
    if (clear_i) begin
      req_valid_d  = 1'b0;
      masks_held_d = {MASK_COUNT_W{1'b0}};
      codes_held_d = {CODE_COUNT_W{1'b0}};
    end
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      req_valid_q  <= 1'b0;
      masks_held_q <= {MASK_COUNT_W{1'b0}};
      codes_held_q <= {CODE_COUNT_W{1'b0}};
    end else begin
      req_valid_q  <= req_valid_d;
      masks_held_q <= masks_held_d;
      codes_held_q <= codes_held_d;
    end
  end

  always @(posedge clk_i) begin
    req_kind_q <= req_kind_d;
    req_addr_q <= req_addr_d;
    // The masks begin at mask_base + row * mask_words, a product by halves of the row.
    if (setup_q[0]) begin
      masks_left_q <= mask_words[15:0];
    end
    if (setup_q[1]) begin
      product_low_q  <= row_q[15:0] * masks_left_q;
      product_high_q <= row_q[31:16] * masks_left_q;
    end
    if (setup_q[2]) begin
      mask_addr_q  <= mask_base_q + product_low_q + {product_high_q, 16'd0};
    end else if (ask_mask) begin
      mask_addr_q  <= mask_addr_q + 32'd1;
      masks_left_q <= masks_left_q - 16'd1;
    end
  end

  assign rr_req_valid_o = req_valid_q;
  assign rr_req_mlc_o   = req_kind_q == KIND_CODES;
  assign rr_req_addr_o  = req_addr_q;
  assign read_o         = req_take;
  assign busy_o         = busy_q || owed_q != {KIND_COUNT_W{1'b0}};
)");
  m.Body(R"(
  // ---- Error correction ----

  wire                rsp_valid;
  wire [WordBits-1:0] rsp_data;
  wire                rsp_corrected;
  wire                rsp_error;

  generate
    if (CheckBits == 0) begin : g_plain
      assign rsp_valid     = rr_rsp_valid_i;
      assign rsp_data      = rr_rsp_data_i;
      assign rsp_corrected = 1'b0;
      assign rsp_error     = 1'b0;
    end else begin : g_ecc
      wire [WordBits-1:0] data;
      wire                corrected;
      wire                uncorrectable;
      reg                 valid_q;
      reg  [WordBits-1:0] data_q;
      reg                 corrected_q;
      reg                 error_q;

      eb_secded_decoder #(
        .DataBits  (WordBits),
        .CheckBits (CheckBits)
      ) u_secded_decoder (
        .word_i          (rr_rsp_data_i),
        .data_o          (data),
        .corrected_o     (corrected),
        .uncorrectable_o (uncorrectable)
      );

      always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) valid_q <= 1'b0;
        else valid_q <= rr_rsp_valid_i;
      end

      always @(posedge clk_i) begin
        data_q      <= data;
        corrected_q <= corrected;
        error_q     <= uncorrectable;
      end

      assign rsp_valid     = valid_q;
      assign rsp_data      = data_q;
      assign rsp_corrected = corrected_q;
      assign rsp_error     = error_q;
    end
  endgenerate

  // ---- Responses: what each of them is, stands in a queue ----

  wire       kind_room;
  wire       kind_valid;
  wire [1:0] kind;
  wire       response  = rsp_valid && kind_valid && !discard_q;
  wire       index_rsp = response && (kind == KIND_INDEX);
  wire       mask_rsp  = response && (kind == KIND_MASK);
  wire       codes_rsp = response && (kind == KIND_CODES);

  assign corrected_o  = response && rsp_corrected;
  assign word_error_o = response && rsp_error;

  reg  [KIND_COUNT_W-1:0] owed_q, owed_d;  // by the macro
  wire [KIND_COUNT_W-1:0] unused_kinds;

  always @* begin
    owed_d = owed_q;
    if (req_take && !rsp_valid) owed_d = owed_q + 1'b1;
    if (rsp_valid && !req_take) owed_d = owed_q - 1'b1;
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      owed_q    <= {KIND_COUNT_W{1'b0}};
      discard_q <= 1'b0;
    end else begin
      owed_q    <= owed_d;
      discard_q <= (clear_i || discard_q) && (owed_d != {KIND_COUNT_W{1'b0}});
    end
  end

  eb_fifo #(
    .Width (2),
    .Depth (KIND_DEPTH)
  ) u_kinds (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .clear_i     (clear_i),
    .in_valid_i  (req_take),
    .in_ready_o  (kind_room),
    .in_data_i   (req_kind_q),
    .out_valid_o (kind_valid),
    .out_ready_i (rsp_valid),
    .out_data_o  (kind),
    .count_o     (unused_kinds)
  );

  wire [WordBits-1:0] entry = rsp_data >> (INDEX_W * (row_q % WORD_ENTRIES));

  // Ones of each mask of a word, and their sum without the padding of the row's last one.
  reg  [15:0]                     vectors_due_q;  // vectors whose masks have not arrived
  wire [WORD_VECTORS*COUNT_W-1:0] vector_ones;
  genvar                          v;
  generate
    for (v = 0; v < WORD_VECTORS; v = v + 1) begin : g_ones
      reg [COUNT_W-1:0] count;
      integer           i;
      always @* begin
        count = {COUNT_W{1'b0}};
        for (i = 0; i < Lanes; i = i + 1) begin
          count = count + {{(COUNT_W-1){1'b0}}, rsp_data[Lanes*v+i]};
        end
      end
      assign vector_ones[COUNT_W*v +: COUNT_W] = count;
    end
  endgenerate

  reg [ONES_W-1:0] ones;
  integer          j;
  always @* begin
    ones = {ONES_W{1'b0}};
    for (j = 0; j < WORD_VECTORS; j = j + 1) begin
      ones = ones + {{(ONES_W-COUNT_W){1'b0}},
                     vector_ones[COUNT_W*j +: COUNT_W] & {COUNT_W{j < {16'd0, vectors_due_q}}}};
    end
  end

  wire [ONES_W-1:0] incurred = ones & {ONES_W{mask_rsp}};
  wire [DEBT_W-1:0] paid     = WORD_CODES[DEBT_W-1:0] & {DEBT_W{ask_codes}};

  always @(posedge clk_i) begin
    debt_q <= row_take ? {DEBT_W{1'b0}}
                       : debt_q + $signed({{(DEBT_W - ONES_W) {1'b0}}, incurred}) - $signed(paid);
    if (row_take) begin
      index_known_q <= 1'b0;
      vectors_due_q <= vectors_i;
    end else begin
      if (index_rsp) index_known_q <= 1'b1;
      if (mask_rsp) vectors_due_q <= vectors_due_q - WORD_VECTORS[15:0];
    end
    if (index_rsp) code_addr_q <= entry[INDEX_W-1:0];
    else if (ask_codes) code_addr_q <= code_addr_q + 32'd1;
  end
)");
  m.Body(R"(
  // ---- Queues and decoder ----

  wire                        mask_room;
  wire                        mask_valid;
  wire [WordBits-1:0]         mask_word;
  wire [WORD_VECTORS*COUNT_W-1:0] mask_ones;
  wire                        codes_room;
  wire                        codes_valid;
  wire                        codes_ready;
  wire [WORD_CODES*CodeW-1:0] codes;
  wire [MASK_COUNT_W-1:0]     unused_masks;
  wire [CODE_COUNT_W-1:0]     unused_codes;
  wire [COUNT_W-1:0]          unused_taken;

  eb_fifo #(
    .Width (WordBits + WORD_VECTORS * COUNT_W),
    .Depth (MASK_DEPTH)
  ) u_masks (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .clear_i     (clear_i),
    .in_valid_i  (mask_rsp),
    .in_ready_o  (mask_room),
    .in_data_i   ({rsp_data, vector_ones}),
    .out_valid_o (mask_valid),
    .out_ready_i (mask_pop),
    .out_data_o  ({mask_word, mask_ones}),
    .count_o     (unused_masks)
  );

  eb_fifo #(
    .Width (WORD_CODES * CodeW),
    .Depth (CODE_DEPTH)
  ) u_codes (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .clear_i     (clear_i),
    .in_valid_i  (codes_rsp),
    .in_ready_o  (codes_room),
    .in_data_i   (rsp_data[WORD_CODES*CodeW-1:0]),
    .out_valid_o (codes_valid),
    .out_ready_i (codes_ready),
    .out_data_o  (codes),
    .count_o     (unused_codes)
  );

  assign codes_pop = codes_valid && codes_ready;

  // The masks of a word, one after the other.
  reg  [SLOT_W-1:0] slot_q;
  wire              slot_last = {{(32 - SLOT_W) {1'b0}}, slot_q} == WORD_VECTORS - 1;
  wire              mask_ready;
  assign mask_take = mask_valid && mask_ready;
  assign mask_pop  = mask_take && (slot_last || mask_last);

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) slot_q <= {SLOT_W{1'b0}};
    else if (clear_i || mask_pop) slot_q <= {SLOT_W{1'b0}};
    else if (mask_take) slot_q <= slot_q + 1'b1;
  end

  eb_bitmask_decoder #(
    .Lanes   (Lanes),
    .CodeW   (CodeW),
    .InCodes (WORD_CODES)
  ) u_decoder (
    .clk_i         (clk_i),
    .rst_ni        (rst_ni),
    .clear_i       (clear_i),
    .codes_valid_i (codes_valid),
    .codes_ready_o (codes_ready),
    .codes_i       (codes),
    .mask_valid_i  (mask_valid),
    .mask_ready_o  (mask_ready),
    .mask_i        (mask_word[Lanes*slot_q +: Lanes]),
    .mask_ones_i   (mask_ones[COUNT_W*slot_q +: COUNT_W]),
    .mask_last_i   (mask_last),
    .codes_taken_o (unused_taken),
    .vec_valid_o   (vec_valid_o),
    .vec_ready_i   (vec_ready_i),
    .vec_o         (vec_o)
  );

  wire unused_ok = &{1'b0, kind_room, mask_room, codes_room, unused_kinds, unused_masks,
                     unused_codes, unused_taken, entry, mask_words};
)");
  m.Uses(EmitFifo()).Uses(EmitBitmaskDecoder()).Uses(EmitSecdedDecoder());
  return m;
}

}  // namespace edgebert::gen
