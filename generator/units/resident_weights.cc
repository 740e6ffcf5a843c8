#include "generator/units/resident_weights.h"

#include "generator/blocks/sram.h"

namespace edgebert::gen {

vlog::Module EmitResidentWeights() {
  vlog::Module m("eb_resident_weights", "generator/units/resident_weights.cc");
  m.Describe(R"(
eb_resident_weights: the weight stream in on-chip memory, so that a sentence reads no weight over AXI.

Once loaded it serves the requests of the weight stream as the AXI reader would, a beat a cycle, from
the third cycle after a request. A request that reaches beyond what was loaded gets nothing and
raises error_o. clear_i drops a load or a request; it leaves the weights.)");
  m.Param("AxiAddrW", "32", "bits of an address");
  m.Param("AxiDataW", "64", "bits of a beat: 32, 64, 128 or 256");
  m.Param("Depth", "1024", "beats");
  m.Param("Backend", "0", "memory: 0 behavioural, 1 flop, 2 macro");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group(
      "Load: load_beats_i beats, at most Depth; load_start_i begins; load_done_o with the last");
  m.Input("load_start_i").Input("load_beats_i", "32");
  m.Input("load_valid_i").Output("load_ready_o").Input("load_beat_i", "AxiDataW");
  m.Output("load_done_o");
  m.Group("Request: beats from an address; the stream begins at base_i");
  m.Input("base_i", "AxiAddrW");
  m.Input("req_valid_i").Output("req_ready_o");
  m.Input("req_addr_i", "AxiAddrW").Input("req_beats_i", "32").Output("error_o");
  m.Group("Beats");
  m.Output("beat_valid_o").Input("beat_ready_i").Output("beat_o", "AxiDataW");
  m.Local("SIZE", "$clog2(AxiDataW / 8)", "log2 of the bytes of a beat");
  m.Local("ADDR_W", "(Depth > 1) ? $clog2(Depth) : 1");
  m.Local("LEVEL_W", "$clog2(Depth + 1)");
  m.Body(R"(
  // Load.
  reg [LEVEL_W-1:0] stored_q;   // beats loaded
  reg [LEVEL_W-1:0] missing_q;  // beats of the load that are still to come
  wire              store = load_valid_i && load_ready_o;

  assign load_ready_o = missing_q != {LEVEL_W{1'b0}};
  assign load_done_o  = store && (missing_q == {{(LEVEL_W - 1) {1'b0}}, 1'b1});

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      stored_q  <= {LEVEL_W{1'b0}};
      missing_q <= {LEVEL_W{1'b0}};
    end else if (clear_i) begin
      missing_q <= {LEVEL_W{1'b0}};
    end else if (load_start_i) begin
      stored_q  <= {LEVEL_W{1'b0}};
      missing_q <= load_beats_i[LEVEL_W-1:0];
    end else if (store) begin
      stored_q  <= stored_q + 1'b1;
      missing_q <= missing_q - 1'b1;
    end
  end

  // Requests.
  reg [LEVEL_W-1:0] left_q;  // beats of the request that are not read yet
  reg [ADDR_W-1:0]  addr_q;
  reg               out_valid_q;

  wire [AxiAddrW-1:0] offset  = (req_addr_i - base_i) >> SIZE;
  wire [AxiAddrW:0]   end_at  = {1'b0, offset} + {{(AxiAddrW - 31) {1'b0}}, req_beats_i};
  wire                fits    = end_at <= {{(AxiAddrW + 1 - LEVEL_W) {1'b0}}, stored_q};
  wire                accept  = req_valid_i && req_ready_o;
  wire                reading = left_q != {LEVEL_W{1'b0}};
  wire                read    = reading && ((!out_valid_q) || beat_ready_i);

  assign req_ready_o  = !reading;
  assign error_o      = accept && !fits;
  assign beat_valid_o = out_valid_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_q      <= {LEVEL_W{1'b0}};
      out_valid_q <= 1'b0;
    end else if (clear_i) begin
      left_q      <= {LEVEL_W{1'b0}};
      out_valid_q <= 1'b0;
    end else begin
      if (accept && fits) left_q <= req_beats_i[LEVEL_W-1:0];
      else if (read) left_q <= left_q - 1'b1;
      out_valid_q <= read || (out_valid_q && (!beat_ready_i));
    end
  end

  always @(posedge clk_i) begin
    if (accept) addr_q <= offset[ADDR_W-1:0];
    else if (read) addr_q <= addr_q + 1'b1;
  end

  eb_sram_1r1w #(
    .Depth   (Depth),
    .Lanes   (1),
    .LaneW   (AxiDataW),
    .Backend (Backend)
  ) u_weights (
    .clk_i     (clk_i),
    .wr_en_i   (store),
    .wr_addr_i (stored_q[ADDR_W-1:0]),
    .wr_data_i (load_beat_i),
    .rd_en_i   (read),
    .rd_addr_i (addr_q),
    .rd_data_o (beat_o)
  );

  wire unused_ok = &{1'b0, load_beats_i};
)");
  m.Uses(EmitSram1r1w());
  return m;
}

}  // namespace edgebert::gen
