#include "generator/units/segment_address.h"

namespace edgebert::gen {

vlog::Module EmitSegmentAddress() {
  vlog::Module m("eb_segment_address", "generator/units/segment_address.cc");
  m.Describe(R"(
eb_segment_address: the address of a STREAM instruction's segment, base + offset + iteration *
stride.

Shift and add, one bit of the iteration a cycle: STREAM runs far ahead of the data, and a
multiplier would be the longest path of the sequencer. A segment of no beats is dropped.)");
  m.Param("AxiAddrW", "32", "bits of an address, at least 32");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("STREAM instruction");
  m.Input("stream_valid_i").Output("stream_ready_o").Input("base_i", "AxiAddrW");
  m.Input("offset_i", "32").Input("stride_i", "32").Input("iteration_i", "16");
  m.Input("beats_i", "32");
  m.Group("Segment");
  m.Output("segment_valid_o").Input("segment_ready_i").Output("segment_addr_o", "AxiAddrW");
  m.Output("segment_beats_o", "32");
  m.Body(R"(
  reg                busy_q, busy_d;
  reg [15:0]         times_q, times_d;    // bits of the iteration not yet added
  reg [AxiAddrW-1:0] addr_q, addr_d;
  reg [AxiAddrW-1:0] stride_q, stride_d;  // stride * 2^(bits added)
  reg [31:0]         beats_q, beats_d;
  reg [AxiAddrW-1:0] wide_offset;
  reg [AxiAddrW-1:0] wide_stride;

  always @* begin
    wide_offset       = {AxiAddrW{1'b0}};
    wide_offset[31:0] = offset_i;
    wide_stride       = {AxiAddrW{1'b0}};
    wide_stride[31:0] = stride_i;
  end

  always @* begin
    busy_d   = busy_q;
    times_d  = times_q >> 1;
    addr_d   = times_q[0] ? addr_q + stride_q : addr_q;
    stride_d = stride_q << 1;
    beats_d  = beats_q;
    if (stream_valid_i && stream_ready_o) begin
      busy_d   = (beats_i != 32'd0);
      times_d  = iteration_i;
      addr_d   = base_i + wide_offset;
      stride_d = wide_stride;
      beats_d  = beats_i;
    end else if (segment_valid_o && segment_ready_i) begin
      busy_d = 1'b0;
    end
    if (clear_i) begin
      busy_d = 1'b0;
    end
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q  <= 1'b0;
      times_q <= 16'd0;
    end else begin
      busy_q  <= busy_d;
      times_q <= times_d;
    end
  end

  always @(posedge clk_i) begin
    addr_q   <= addr_d;
    stride_q <= stride_d;
    beats_q  <= beats_d;
  end

  assign stream_ready_o  = !busy_q;
  assign segment_valid_o = busy_q && (times_q == 16'd0);
  assign segment_addr_o  = addr_q;
  assign segment_beats_o = beats_q;
)");
  return m;
}

}  // namespace edgebert::gen
