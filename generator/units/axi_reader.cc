#include "generator/units/axi_reader.h"

#include "generator/blocks/sram.h"

namespace edgebert::gen {

vlog::Module EmitAxiReader() {
  vlog::Module m("eb_axi_reader", "generator/units/axi_reader.cc");
  m.Describe(R"(
eb_axi_reader: AXI4 read master. Splits a request of any length into INCR bursts and delivers its
beats in order.

A burst is at most MaxBurst beats, never crosses a 4 KiB boundary, and is issued only when the
beat buffer has room for all of it: RREADY is always high. Up to Outstanding bursts are in
flight. Addresses are aligned down to a beat. A beat reaches beat_o two cycles after R took it.

clear_i drops the request and the buffer; the data of bursts already in flight is discarded as it
arrives, and no request is accepted until then. error_o pulses a cycle after a beat with SLVERR or
DECERR, before the beat reaches beat_o.)");
  m.Param("AxiAddrW", "32", "bits of an address");
  m.Param("AxiDataW", "64", "bits of a beat: 32, 64, 128 or 256");
  m.Param("AxiIdW", "1", "bits of an ID; every burst has ID 0");
  m.Param("MaxBurst", "16", "largest burst, beats");
  m.Param("Outstanding", "4", "bursts in flight");
  m.Param("FifoDepth", "64", "beats buffered, at least MaxBurst");
  m.Param("Backend", "0", "memory: 0 behavioural, 1 flop, 2 macro");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Request: beats from an address");
  m.Input("req_valid_i").Output("req_ready_o");
  m.Input("req_addr_i", "AxiAddrW").Input("req_beats_i", "32");
  m.Group("Beats");
  m.Output("beat_valid_o").Input("beat_ready_i").Output("beat_o", "AxiDataW");
  m.Group("State: error pulse, nothing requested, buffered or in flight");
  m.Output("error_o").Output("idle_o");
  m.Group("AXI4 AR and R");
  m.Output("m_axi_arvalid_o").Input("m_axi_arready_i");
  m.Output("m_axi_arid_o", "AxiIdW").Output("m_axi_araddr_o", "AxiAddrW");
  m.Output("m_axi_arlen_o", "8").Output("m_axi_arsize_o", "3").Output("m_axi_arburst_o", "2");
  m.Input("m_axi_rvalid_i").Output("m_axi_rready_o");
  m.Input("m_axi_rdata_i", "AxiDataW").Input("m_axi_rresp_i", "2").Input("m_axi_rlast_i");
  m.Local("SIZE", "$clog2(AxiDataW / 8)", "log2 of the bytes of a beat");
  m.Local("PAGE_BEATS", "4096 * 8 / AxiDataW");
  m.Local("LEVEL_W", "$clog2(FifoDepth + 1)");
  m.Local("POINTER_W", "$clog2(FifoDepth)");
  m.Local("LAST_ENTRY", "FifoDepth - 1");
  m.Local("BURSTS_W", "$clog2(Outstanding + 1)");
  m.Local("BURST_INCR", "2'b01");
  m.Body(R"(
  reg [AxiAddrW-1:0]  addr_q, addr_d;          // of the next burst
  reg [31:0]          beats_q, beats_d;        // of the request, not yet issued
  reg                 ar_valid_q, ar_valid_d;
  reg [AxiAddrW-1:0]  ar_addr_q, ar_addr_d;
  reg [7:0]           ar_len_q, ar_len_d;
  reg [BURSTS_W-1:0]  bursts_q, bursts_d;      // in flight
  reg                 discard_q, discard_d;    // what is in flight was cleared
  reg [LEVEL_W-1:0]   reserved_q, reserved_d;  // beats issued and not yet delivered
  reg [LEVEL_W-1:0]   level_q, level_d;        // beats in the memory
  reg [POINTER_W-1:0] wr_ptr_q, wr_ptr_d;
  reg [POINTER_W-1:0] rd_ptr_q, rd_ptr_d;
  reg                 out_valid_q, out_valid_d;
  reg                 error_q;

  // The next burst: what is left of the request, at most MaxBurst, up to the 4 KiB boundary.
  wire [31:0] page_beats     = PAGE_BEATS - {{(20 + SIZE){1'b0}}, addr_q[11:SIZE]};
  wire [31:0] limit_beats    = (page_beats < MaxBurst) ? page_beats : MaxBurst;
  wire [31:0] burst_beats    = (beats_q < limit_beats) ? beats_q : limit_beats;
  wire [31:0] reserved_after = {{(32 - LEVEL_W){1'b0}}, reserved_q} + burst_beats;

  wire active  = (beats_q != 32'd0);
  wire ar_free = (!ar_valid_q) || m_axi_arready_i;
  wire room    = (reserved_after <= FifoDepth) && (bursts_q != Outstanding[BURSTS_W-1:0]);
  wire issue   = active && ar_free && room && (!clear_i);
  wire accept  = req_valid_i && req_ready_o;
  wire last    = m_axi_rvalid_i && m_axi_rlast_i;

  // A request.
  always @* begin
    addr_d  = addr_q;
    beats_d = beats_q;
    if (clear_i) begin
      beats_d = 32'd0;
    end else if (accept) begin
      addr_d  = {req_addr_i[AxiAddrW-1:SIZE], {SIZE{1'b0}}};
      beats_d = req_beats_i;
    end else if (issue) begin
      addr_d  = addr_q + ({{(AxiAddrW - 9){1'b0}}, burst_beats[8:0]} << SIZE);
      beats_d = beats_q - burst_beats;
    end
  end

  // AR: once raised, ARVALID stays until it is taken, even when the request was cleared.
  always @* begin
    ar_valid_d = ar_valid_q && (!m_axi_arready_i);
    ar_addr_d  = ar_addr_q;
    ar_len_d   = ar_len_q;
    if (issue) begin
      ar_valid_d = 1'b1;
      ar_addr_d  = addr_q;
      ar_len_d   = burst_beats[7:0] - 8'd1;
    end
  end

  // Bursts in flight, from the AR register to RLAST.
  always @* begin
    bursts_d = bursts_q;
    if (issue && (!last)) bursts_d = bursts_q + 1'b1;
    if (last && (!issue)) bursts_d = bursts_q - 1'b1;
    discard_d = (clear_i || discard_q) && (bursts_d != {BURSTS_W{1'b0}});
  end

  // Beat buffer: a ring in a memory whose output register is the head of the queue.
  wire push = m_axi_rvalid_i && (!discard_q) && (!clear_i);
  wire take = out_valid_q && beat_ready_i;
  wire load = (level_q != {LEVEL_W{1'b0}}) && ((!out_valid_q) || beat_ready_i);

  always @* begin
    wr_ptr_d    = wr_ptr_q;
    rd_ptr_d    = rd_ptr_q;
    level_d     = level_q;
    out_valid_d = load || (out_valid_q && (!beat_ready_i));
    reserved_d  = issue ? reserved_after[LEVEL_W-1:0] : reserved_q;
    if (take) reserved_d = reserved_d - 1'b1;
    if (push) wr_ptr_d = (wr_ptr_q == LAST_ENTRY[POINTER_W-1:0]) ? {POINTER_W{1'b0}}
                                                                 : wr_ptr_q + 1'b1;
    if (load) rd_ptr_d = (rd_ptr_q == LAST_ENTRY[POINTER_W-1:0]) ? {POINTER_W{1'b0}}
                                                                 : rd_ptr_q + 1'b1;
    if (push && (!load)) level_d = level_q + 1'b1;
    if (load && (!push)) level_d = level_q - 1'b1;
    if (clear_i) begin
      wr_ptr_d    = {POINTER_W{1'b0}};
      rd_ptr_d    = {POINTER_W{1'b0}};
      level_d     = {LEVEL_W{1'b0}};
      reserved_d  = {LEVEL_W{1'b0}};
      out_valid_d = 1'b0;
    end
  end

  eb_sram_1r1w #(
    .Depth   (FifoDepth),
    .Lanes   (1),
    .LaneW   (AxiDataW),
    .Backend (Backend)
  ) u_beats (
    .clk_i     (clk_i),
    .wr_en_i   (push),
    .wr_addr_i (wr_ptr_q),
    .wr_data_i (m_axi_rdata_i),
    .rd_en_i   (load),
    .rd_addr_i (rd_ptr_q),
    .rd_data_o (beat_o)
  );

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      beats_q     <= 32'd0;
      ar_valid_q  <= 1'b0;
      bursts_q    <= {BURSTS_W{1'b0}};
      discard_q   <= 1'b0;
      reserved_q  <= {LEVEL_W{1'b0}};
      level_q     <= {LEVEL_W{1'b0}};
      wr_ptr_q    <= {POINTER_W{1'b0}};
      rd_ptr_q    <= {POINTER_W{1'b0}};
      out_valid_q <= 1'b0;
      error_q     <= 1'b0;
    end else begin
      beats_q     <= beats_d;
      ar_valid_q  <= ar_valid_d;
      bursts_q    <= bursts_d;
      discard_q   <= discard_d;
      reserved_q  <= reserved_d;
      level_q     <= level_d;
      wr_ptr_q    <= wr_ptr_d;
      rd_ptr_q    <= rd_ptr_d;
      out_valid_q <= out_valid_d;
      error_q     <= push && m_axi_rresp_i[1];
    end
  end

  always @(posedge clk_i) begin
    addr_q    <= addr_d;
    ar_addr_q <= ar_addr_d;
    ar_len_q  <= ar_len_d;
  end

  assign req_ready_o  = (!active) && (!discard_q) && (!clear_i);
  assign beat_valid_o = out_valid_q;
  assign error_o      = error_q;
  assign idle_o       = (!active) && (bursts_q == {BURSTS_W{1'b0}}) &&
                        (reserved_q == {LEVEL_W{1'b0}});

  assign m_axi_arvalid_o = ar_valid_q;
  assign m_axi_arid_o    = {AxiIdW{1'b0}};
  assign m_axi_araddr_o  = ar_addr_q;
  assign m_axi_arlen_o   = ar_len_q;
  assign m_axi_arsize_o  = SIZE[2:0];
  assign m_axi_arburst_o = BURST_INCR;
  assign m_axi_rready_o  = 1'b1;

  wire unused_ok = &{1'b0, m_axi_rresp_i[0], req_addr_i[SIZE-1:0]};
)");
  m.Uses(EmitSram1r1w());
  return m;
}

}  // namespace edgebert::gen
