#include "generator/units/token_memory.h"

#include "generator/blocks/sram.h"

namespace edgebert::gen {

vlog::Module EmitTokenMemory() {
  vlog::Module m("eb_token_memory", "generator/units/token_memory.cc");
  m.Describe(R"(
eb_token_memory: the 32-bit token words of the sentence. Filled from AXI beats, one word a cycle;
read by the embedding unit with one cycle of latency.)");
  m.Param("AxiDataW", "64", "bits of a beat: 32, 64, 128 or 256");
  m.Param("MaxRows", "16", "tokens of the longest sentence");
  m.Param("Backend", "0", "memory: 0 behavioural, 1 flop, 2 macro");
  m.Input("clk_i").Input("rst_ni");
  m.Group("Load: length_i words, low word first; load_start_i begins");
  m.Input("load_start_i").Input("length_i", "10");
  m.Input("beat_valid_i").Output("beat_ready_o").Input("beat_i", "AxiDataW");
  m.Output("load_done_o");
  m.Group("Read");
  m.Input("rd_en_i").Input("rd_addr_i", "10").Output("rd_data_o", "32");
  m.Local("TOKEN_W", 32);
  m.Local("ADDR_W", "$clog2(MaxRows)");
  m.Local("LAST_WORD", "AxiDataW / TOKEN_W - 1", "of a beat");
  m.Body(R"(
  reg [3:0] word_q, word_d;    // of the beat
  reg [9:0] count_q, count_d;  // words loaded

  // A beat stays at the input until its last word is written.
  wire write = beat_valid_i && (!load_done_o);
  wire last  = (word_q == LAST_WORD[3:0]) || (count_q + 10'd1 == length_i);

  always @* begin
    word_d  = word_q;
    count_d = count_q;
    if (load_start_i) begin
      word_d  = 4'd0;
      count_d = 10'd0;
    end else if (write) begin
      word_d  = last ? 4'd0 : word_q + 4'd1;
      count_d = count_q + 10'd1;
    end
  end

  assign load_done_o  = (count_q == length_i);
  assign beat_ready_o = write && last;

  eb_sram_1r1w #(
    .Depth   (MaxRows),
    .Lanes   (1),
    .LaneW   (TOKEN_W),
    .Backend (Backend)
  ) u_tokens (
    .clk_i     (clk_i),
    .wr_en_i   (write),
    .wr_addr_i (count_q[ADDR_W-1:0]),
    .wr_data_i (beat_i[TOKEN_W*word_q +: TOKEN_W]),
    .rd_en_i   (rd_en_i),
    .rd_addr_i (rd_addr_i[ADDR_W-1:0]),
    .rd_data_o (rd_data_o)
  );

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      word_q  <= 4'd0;
      count_q <= 10'd0;
    end else begin
      word_q  <= word_d;
      count_q <= count_d;
    end
  end

  wire unused_ok = &{1'b0, rd_addr_i};
)");
  m.Uses(EmitSram1r1w());
  return m;
}

}  // namespace edgebert::gen
