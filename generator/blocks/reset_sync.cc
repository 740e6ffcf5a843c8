#include "generator/blocks/reset_sync.h"

namespace edgebert::gen {

vlog::Module EmitResetSync() {
  vlog::Module m("eb_reset_sync", "generator/blocks/reset_sync.cc");
  m.Describe(R"(
eb_reset_sync: asserts the reset at once and releases it two clock edges later.)");
  m.Input("clk_i").Input("rst_ni").Output("rst_no");
  m.Body(R"(
  reg [1:0] release_q;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) release_q <= 2'b00;
    else         release_q <= {release_q[0], 1'b1};
  end
  assign rst_no = release_q[1];
)");
  return m;
}

}  // namespace edgebert::gen
