#include "generator/units/axi_writer.h"

namespace edgebert::gen {

vlog::Module EmitAxiWriter() {
  vlog::Module m("eb_axi_writer", "generator/units/axi_writer.cc");
  m.Describe(R"(
eb_axi_writer: AXI4 write master. Every 32-bit word is a burst of one beat, in any data width.

The word stands in every 32-bit lane of the beat and WSTRB picks the lane of its address. Up to
Outstanding writes wait for their response; one ID keeps them in order. A write that was accepted
always completes. error_o pulses a cycle after a response with SLVERR or DECERR. No output follows an
input within a cycle.)");
  m.Param("AxiAddrW", "32", "bits of an address");
  m.Param("AxiDataW", "64", "bits of a beat: 32, 64, 128 or 256");
  m.Param("AxiIdW", "1", "bits of an ID; every write has ID 0");
  m.Param("Outstanding", "4", "writes in flight");
  m.Input("clk_i").Input("rst_ni");
  m.Group("Words; the address is aligned down to 4 bytes");
  m.Input("wr_valid_i").Output("wr_ready_o").Input("wr_addr_i", "AxiAddrW");
  m.Input("wr_data_i", "32");
  m.Group("State: error pulse, nothing in flight");
  m.Output("error_o").Output("idle_o");
  m.Group("AXI4 AW, W and B");
  m.Output("m_axi_awvalid_o").Input("m_axi_awready_i");
  m.Output("m_axi_awid_o", "AxiIdW").Output("m_axi_awaddr_o", "AxiAddrW");
  m.Output("m_axi_awlen_o", "8").Output("m_axi_awsize_o", "3").Output("m_axi_awburst_o", "2");
  m.Output("m_axi_wvalid_o").Input("m_axi_wready_i");
  m.Output("m_axi_wdata_o", "AxiDataW").Output("m_axi_wstrb_o", "AxiDataW/8");
  m.Output("m_axi_wlast_o");
  m.Input("m_axi_bvalid_i").Output("m_axi_bready_o").Input("m_axi_bresp_i", "2");
  m.Local("WORDS", "AxiDataW / 32", "words of a beat");
  m.Local("COUNT_W", "$clog2(Outstanding + 1)");
  m.Local("SIZE_WORD", "3'd2");
  m.Local("BURST_INCR", "2'b01");
  m.Body(R"(
  reg                  aw_valid_q, aw_valid_d;
  reg                  w_valid_q, w_valid_d;
  reg [COUNT_W-1:0]    count_q, count_d;  // writes without a response
  reg                  error_q;
  reg [AxiAddrW-1:0]   addr_q;
  reg [31:0]           data_q;
  reg [AxiDataW/8-1:0] strobe;

  wire accept  = wr_valid_i && wr_ready_o;

  always @* begin
    aw_valid_d = accept || (aw_valid_q && (!m_axi_awready_i));
    w_valid_d  = accept || (w_valid_q && (!m_axi_wready_i));
    count_d    = count_q;
    if (accept && (!m_axi_bvalid_i)) count_d = count_q + 1'b1;
    if (m_axi_bvalid_i && (!accept)) count_d = count_q - 1'b1;
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_valid_q <= 1'b0;
      w_valid_q  <= 1'b0;
      count_q    <= {COUNT_W{1'b0}};
      error_q    <= 1'b0;
    end else begin
      aw_valid_q <= aw_valid_d;
      w_valid_q  <= w_valid_d;
      count_q    <= count_d;
      error_q    <= m_axi_bvalid_i && m_axi_bresp_i[1];
    end
  end

  always @(posedge clk_i) begin
    if (accept) begin
      addr_q <= {wr_addr_i[AxiAddrW-1:2], 2'b00};
      data_q <= wr_data_i;
    end
  end

  wire [31:0] word = (addr_q[31:0] >> 2) & (WORDS - 1);
  integer lane;
  always @* begin
    for (lane = 0; lane < WORDS; lane = lane + 1) begin
      strobe[4*lane +: 4] = {4{word == lane}};
    end
  end

  assign wr_ready_o = (!aw_valid_q) && (!w_valid_q) && (count_q != Outstanding[COUNT_W-1:0]);
  assign error_o    = error_q;
  assign idle_o     = (count_q == {COUNT_W{1'b0}});

  assign m_axi_awvalid_o = aw_valid_q;
  assign m_axi_awid_o    = {AxiIdW{1'b0}};
  assign m_axi_awaddr_o  = addr_q;
  assign m_axi_awlen_o   = 8'd0;
  assign m_axi_awsize_o  = SIZE_WORD;
  assign m_axi_awburst_o = BURST_INCR;
  assign m_axi_wvalid_o  = w_valid_q;
  assign m_axi_wdata_o   = {WORDS{data_q}};
  assign m_axi_wstrb_o   = strobe;
  assign m_axi_wlast_o   = 1'b1;
  assign m_axi_bready_o  = 1'b1;

  wire unused_ok = &{1'b0, m_axi_bresp_i[0], wr_addr_i[1:0]};
)");
  return m;
}

}  // namespace edgebert::gen
