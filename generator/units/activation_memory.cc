#include "generator/units/activation_memory.h"

#include "generator/blocks/sram.h"
#include "generator/units/bitmask_encoder.h"

namespace edgebert::gen {

vlog::Module EmitActivationMemory() {
  vlog::Module m("eb_activation_memory", "generator/units/activation_memory.cc");
  m.Describe(R"(
eb_activation_memory: vectors of Lanes codes, one read and one write a cycle, four clients each.

The client of the lowest number goes first; *_ready_o does not depend on the client's own valid.
The data of a read are on rd_data_o in the cycle after it. Beside the codes stands a mask of those
that are not zero: lanes that are zero are not written, and what is read is masked.)");
  m.Param("Lanes", "16", "codes of a vector");
  m.Param("CodeW", "8", "bits of a code");
  m.Param("AddrW", "20", "bits of a vector address");
  m.Param("Depth", "1024", "vectors");
  m.Param("Backend", "0", "memory: 0 behavioural, 1 flop, 2 macro");
  m.Input("clk_i");
  m.Group("Reading: 0 matmul source, 1 matmul residual, 2 matmul held tile, 3 layer_norm.");
  m.Input("rd_valid_i", "4").Output("rd_ready_o", "4").Input("rd_addr_i", "4*AddrW");
  m.Output("rd_data_o", "Lanes*CodeW").Output("rd_mask_o", "Lanes");
  m.Group("Writing: 0 matmul, 1 softmax, 2 layer_norm, 3 embedding.");
  m.Input("wr_valid_i", "4").Output("wr_ready_o", "4").Input("wr_addr_i", "4*AddrW");
  m.Input("wr_data_i", "4*Lanes*CodeW");
  m.Group("A vector is read; a vector is written.").Output("read_o").Output("write_o");
  m.Local("INDEX_W", "$clog2(Depth)");
  m.Local("DATA_W", "Lanes * CodeW");
  m.Uses(EmitBitmaskEncoder()).Uses(EmitSram1r1w());
  m.Body(R"(
  assign rd_ready_o = {~(|rd_valid_i[2:0]), ~(|rd_valid_i[1:0]), ~rd_valid_i[0], 1'b1};
  assign wr_ready_o = {~(|wr_valid_i[2:0]), ~(|wr_valid_i[1:0]), ~wr_valid_i[0], 1'b1};
  assign read_o = |rd_valid_i;
  assign write_o = |wr_valid_i;

  wire [AddrW-1:0] rd_addr = rd_valid_i[0] ? rd_addr_i[0*AddrW +: AddrW]
      : rd_valid_i[1] ? rd_addr_i[1*AddrW +: AddrW]
      : rd_valid_i[2] ? rd_addr_i[2*AddrW +: AddrW]
      : rd_addr_i[3*AddrW +: AddrW];
  wire [AddrW-1:0] wr_addr = wr_valid_i[0] ? wr_addr_i[0*AddrW +: AddrW]
      : wr_valid_i[1] ? wr_addr_i[1*AddrW +: AddrW]
      : wr_valid_i[2] ? wr_addr_i[2*AddrW +: AddrW]
      : wr_addr_i[3*AddrW +: AddrW];
  wire [DATA_W-1:0] wr_data = wr_valid_i[0] ? wr_data_i[0*DATA_W +: DATA_W]
      : wr_valid_i[1] ? wr_data_i[1*DATA_W +: DATA_W]
      : wr_valid_i[2] ? wr_data_i[2*DATA_W +: DATA_W]
      : wr_data_i[3*DATA_W +: DATA_W];

  wire [Lanes-1:0] wr_mask;

  eb_bitmask_encoder #(
    .Lanes(Lanes),
    .CodeW(CodeW)
  ) u_encoder (
    .codes_i(wr_data),
    .mask_o(wr_mask)
  );

  wire [DATA_W-1:0] stored;

  eb_sram_1r1w #(
    .Depth(Depth),
    .Lanes(Lanes),
    .LaneW(CodeW),
    .Backend(Backend)
  ) u_codes (
    .clk_i(clk_i),
    .wr_en_i(wr_mask & {Lanes{write_o}}),
    .wr_addr_i(wr_addr[INDEX_W-1:0]),
    .wr_data_i(wr_data),
    .rd_en_i(read_o),
    .rd_addr_i(rd_addr[INDEX_W-1:0]),
    .rd_data_o(stored)
  );

  eb_sram_1r1w #(
    .Depth(Depth),
    .Lanes(1),
    .LaneW(Lanes),
    .Backend(Backend)
  ) u_mask (
    .clk_i(clk_i),
    .wr_en_i(write_o),
    .wr_addr_i(wr_addr[INDEX_W-1:0]),
    .wr_data_i(wr_mask),
    .rd_en_i(read_o),
    .rd_addr_i(rd_addr[INDEX_W-1:0]),
    .rd_data_o(rd_mask_o)
  );

  genvar j;
  generate
    for (j = 0; j < Lanes; j = j + 1) begin : g_lane
      assign rd_data_o[j*CodeW +: CodeW] = stored[j*CodeW +: CodeW] & {CodeW{rd_mask_o[j]}};
    end
  endgenerate

  wire unused_ok = &{1'b0, rd_addr, wr_addr};
)");
  return m;
}

}  // namespace edgebert::gen
