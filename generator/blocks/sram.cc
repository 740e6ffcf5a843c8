#include "generator/blocks/sram.h"

namespace edgebert::gen {
namespace {

constexpr const char* kSource = "generator/blocks/sram.cc";

void AddParameters(vlog::Module& m) {
  m.Param("Depth", "16", "words, >= 2");
  m.Param("Lanes", "1", "write enables");
  m.Param("LaneW", "8", "bits a write enable covers");
  m.Guard("Depth >= 2", "depth_must_be_at_least_2");
}

}  // namespace

vlog::Module EmitSram1r1wMacro() {
  vlog::Module m("eb_sram_1r1w_macro", kSource);
  m.Describe(R"(
eb_sram_1r1w_macro: stands for a compiled memory. Replace this file by a wrapper of the macro.

As it is, the read data is zero.)");
  AddParameters(m);
  m.Input("clk_i");
  m.Group("Write port.").Input("wr_en_i", "Lanes").Input("wr_addr_i", "$clog2(Depth)");
  m.Input("wr_data_i", "Lanes*LaneW");
  m.Group("Read port, data in the cycle after.")
      .Input("rd_en_i")
      .Input("rd_addr_i", "$clog2(Depth)");
  m.Output("rd_data_o", "Lanes*LaneW");
  m.Body(R"(
  assign rd_data_o = {Lanes * LaneW{1'b0}};
  wire unused_ok = &{1'b0, clk_i, wr_en_i, wr_addr_i, wr_data_i, rd_en_i, rd_addr_i};
)");
  return m;
}

vlog::Module EmitSram1r1w() {
  vlog::Module m("eb_sram_1r1w", kSource);
  m.Describe(R"(
eb_sram_1r1w: memory with one read and one write port.

Read data appears in the cycle after rd_en_i and holds until the next read. Reading the address
that is written in the same cycle gives the old word. Contents are undefined until written.)");
  AddParameters(m);
  m.Param("Backend", "0", "0 behavioural array; 1 flip-flops; 2 macro");
  m.Input("clk_i");
  m.Group("Write port.").Input("wr_en_i", "Lanes").Input("wr_addr_i", "$clog2(Depth)");
  m.Input("wr_data_i", "Lanes*LaneW");
  m.Group("Read port.").Input("rd_en_i").Input("rd_addr_i", "$clog2(Depth)");
  m.Output("rd_data_o", "Lanes*LaneW");
  m.Uses(EmitSram1r1wMacro());
  m.Body(R"(
  generate
    if (Backend == 2) begin : g_macro
      eb_sram_1r1w_macro #(
        .Depth (Depth),
        .Lanes (Lanes),
        .LaneW (LaneW)
      ) u_macro (
        .clk_i     (clk_i),
        .wr_en_i   (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i   (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end else if (Backend == 1) begin : g_flops
      // A register a word with its own enable, so that clock gates can be inserted a word.
      wire [Depth*Lanes*LaneW-1:0] words;
      genvar                       word;
      genvar                       lane;
      for (word = 0; word < Depth; word = word + 1) begin : g_word
        for (lane = 0; lane < Lanes; lane = lane + 1) begin : g_lane
          reg [LaneW-1:0] word_q;
          always @(posedge clk_i) begin
            if (wr_en_i[lane] && wr_addr_i == word) word_q <= wr_data_i[LaneW*lane+:LaneW];
          end
          assign words[LaneW*(Lanes*word+lane)+:LaneW] = word_q;
        end
      end
      reg [Lanes*LaneW-1:0] rd_data_q;
      always @(posedge clk_i) begin
        if (rd_en_i) rd_data_q <= words[Lanes*LaneW*rd_addr_i+:Lanes*LaneW];
      end
      assign rd_data_o = rd_data_q;
    end else begin : g_array
      reg     [Lanes*LaneW-1:0] mem [0:Depth-1];
      reg     [Lanes*LaneW-1:0] rd_data_q;
      integer                   i;
      always @(posedge clk_i) begin
        for (i = 0; i < Lanes; i = i + 1) begin
          if (wr_en_i[i]) mem[wr_addr_i][LaneW*i+:LaneW] <= wr_data_i[LaneW*i+:LaneW];
        end
        if (rd_en_i) rd_data_q <= mem[rd_addr_i];
      end
      assign rd_data_o = rd_data_q;
    end
  endgenerate
)");
  return m;
}

}  // namespace edgebert::gen
