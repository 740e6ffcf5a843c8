#include "generator/units/bitmask_decoder.h"

namespace edgebert::gen {

vlog::Module EmitBitmaskDecoder() {
  vlog::Module m("eb_bitmask_decoder", "generator/units/bitmask_decoder.cc");
  m.Describe(R"(
eb_bitmask_decoder: puts compacted non-zero codes back into their lanes.

Words of InCodes codes, low first, collect in a buffer. A mask takes as many codes as it has ones,
in ascending lanes, as soon as they are buffered; the other lanes are zero. The mask marked last
drops what is left of the word; the next sequence of codes may begin with it, no earlier. One mask
and one word a cycle; the vector appears one cycle after its mask was taken.)");
  m.Param("Lanes", "16", "codes of a vector");
  m.Param("CodeW", "8", "bits of a code");
  m.Param("InCodes", "8", "codes of an input word");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Words of codes");
  m.Input("codes_valid_i").Output("codes_ready_o").Input("codes_i", "InCodes*CodeW");
  m.Group("Masks with their number of ones, which is counted before they come");
  m.Input("mask_valid_i").Output("mask_ready_o").Input("mask_i", "Lanes");
  m.Input("mask_ones_i", "$clog2(Lanes)+1").Input("mask_last_i");
  m.Group("Codes of the mask taken in this cycle");
  m.Output("codes_taken_o", "$clog2(Lanes)+1");
  m.Group("Vectors");
  m.Output("vec_valid_o").Input("vec_ready_i").Output("vec_o", "Lanes*CodeW");
  m.Local("BUFFER_CODES", "Lanes + InCodes");
  m.Local("BUFFER_W", "BUFFER_CODES * CodeW");
  m.Local("COUNT_W", "$clog2(BUFFER_CODES + 1)");
  m.Local("TAKE_W", "$clog2(Lanes) + 1");
  m.Body(R"(
  reg [BUFFER_W-1:0] buffer_q;
  reg [COUNT_W-1:0]  count_q, count_d;  // codes in the buffer
  reg                vec_valid_q, vec_valid_d;

  wire [COUNT_W-1:0] need   = {{(COUNT_W - TAKE_W) {1'b0}}, mask_ones_i};
  wire               enough = count_q >= need;
  assign mask_ready_o = enough && (!vec_valid_q || vec_ready_i);

  wire               take    = mask_valid_i && mask_ready_o;
  wire [COUNT_W-1:0] rest    = mask_last_i ? {COUNT_W{1'b0}} : count_q - need;
  wire [COUNT_W-1:0] kept    = take ? rest : count_q;
  wire               push    = codes_valid_i && codes_ready_o;
  assign codes_ready_o = kept <= Lanes[COUNT_W-1:0];
  assign codes_taken_o = take ? mask_ones_i : {TAKE_W{1'b0}};

  always @* begin
    count_d     = push ? kept + InCodes[COUNT_W-1:0] : kept;
    vec_valid_d = take || (vec_valid_q && !vec_ready_i);
    if (clear_i) begin
      count_d     = {COUNT_W{1'b0}};
      vec_valid_d = 1'b0;
    end
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q     <= {COUNT_W{1'b0}};
      vec_valid_q <= 1'b0;
    end else begin
      count_q     <= count_d;
      vec_valid_q <= vec_valid_d;
    end
  end

  // What is kept moves down; a new word joins above it.
  always @(posedge clk_i) begin : join_words
    reg [BUFFER_W-1:0] moved;
    reg [BUFFER_W-1:0] inserted;
    integer            slot;
    if (take || push) begin
      moved    = take ? buffer_q >> (CodeW * need) : buffer_q;
      inserted = {{(Lanes * CodeW) {1'b0}}, codes_i} << (CodeW * kept);
      for (slot = 0; slot < BUFFER_CODES; slot = slot + 1) begin
        buffer_q[CodeW*slot +: CodeW] <= (slot < kept) ? moved[CodeW*slot +: CodeW]
                                                       : inserted[CodeW*slot +: CodeW];
      end
    end
  end

  // Lane j takes the code whose place is the number of ones below bit j. Places are registered, not
  // the vector: both in one cycle would be the slowest path of the accelerator.
  reg [Lanes*CodeW-1:0]  codes_q;   // of the mask taken
  reg [Lanes-1:0]        mask_q;
  reg [Lanes*TAKE_W-1:0] places_q;
  always @(posedge clk_i) begin : places
    reg [TAKE_W-1:0] ones;
    integer          j;
    if (take) begin
      codes_q <= buffer_q[Lanes*CodeW-1:0];
      mask_q  <= mask_i;
      ones     = {TAKE_W{1'b0}};
      for (j = 0; j < Lanes; j = j + 1) begin
        places_q[TAKE_W*j +: TAKE_W] <= ones;
        ones = ones + {{(TAKE_W-1){1'b0}}, mask_i[j]};
      end
    end
  end

  reg [Lanes*CodeW-1:0] gathered;  // zero while there is no vector
  always @* begin : gather
    reg [TAKE_W-1:0] place;
    integer          lane;
    gathered = {(Lanes*CodeW){1'b0}};
    place = {TAKE_W{1'b0}};
    if (vec_valid_q) begin
      for (lane = 0; lane < Lanes; lane = lane + 1) begin
        place = places_q[TAKE_W*lane +: TAKE_W];
        gathered[CodeW*lane +: CodeW] = codes_q[CodeW*place +: CodeW] & {CodeW{mask_q[lane]}};
      end
    end
  end
  assign vec_o       = gathered;
  assign vec_valid_o = vec_valid_q;
)");
  return m;
}

}  // namespace edgebert::gen
