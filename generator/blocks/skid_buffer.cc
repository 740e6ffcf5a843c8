#include "generator/blocks/skid_buffer.h"

namespace edgebert::gen {

vlog::Module EmitSkidBuffer() {
  vlog::Module m("eb_skid_buffer", "generator/blocks/skid_buffer.cc");
  m.Describe(R"(
eb_skid_buffer: cuts the combinational paths of a stream in both directions.

Latency one cycle, full throughput. in_ready_o, out_valid_o and out_data_o are registers.)");
  m.Param("Width", "8", "bits of a word");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Writing side.").Input("in_valid_i").Output("in_ready_o").Input("in_data_i", "Width");
  m.Group("Reading side.").Output("out_valid_o").Input("out_ready_i").Output("out_data_o", "Width");
  m.Body(R"(
  reg             out_valid_q;
  reg             spare_valid_q;
  reg [Width-1:0] out_data_q;
  reg [Width-1:0] spare_data_q;

  assign in_ready_o  = !spare_valid_q;
  assign out_valid_o = out_valid_q;
  assign out_data_o  = out_data_q;

  wire push = in_valid_i && in_ready_o;
  wire free = !out_valid_q || out_ready_i;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      out_valid_q   <= 1'b0;
      spare_valid_q <= 1'b0;
    end else if (clear_i) begin
      out_valid_q   <= 1'b0;
      spare_valid_q <= 1'b0;
    end else if (free) begin
      out_valid_q   <= push || spare_valid_q;
      spare_valid_q <= 1'b0;
    end else if (push) begin
      spare_valid_q <= 1'b1;
    end
  end

  always @(posedge clk_i) begin
    if (free) out_data_q <= spare_valid_q ? spare_data_q : in_data_i;
    if (push) spare_data_q <= in_data_i;
  end
)");
  return m;
}

}  // namespace edgebert::gen
