#include "generator/blocks/arbiter.h"

namespace edgebert::gen {

vlog::Module EmitArbiter() {
  vlog::Module m("eb_arbiter", "generator/blocks/arbiter.cc");
  m.Describe(R"(
eb_arbiter: grants one of several requests, combinationally.

Fixed priority grants the lowest index. Round robin grants the lowest index above the last one that
was accepted, or the lowest of all; so no request waits for more than Requests - 1 others. The grant
may change until it is accepted.)");
  m.Param("Requests", "4", "requests, >= 1");
  m.Param("RoundRobin", "0", "0 fixed priority; 1 round robin");
  m.Guard("Requests >= 1", "requests_must_be_at_least_1");
  m.Input("clk_i").Input("rst_ni");
  m.Input("request_i", "Requests").Output("grant_o", "Requests", "one-hot, or zero");
  m.Input("accept_i", "", "the granted request is served in this cycle");
  m.Body(R"(
  // x & -x is the lowest bit that is set.
  function [Requests-1:0] lowest;
    input [Requests-1:0] requests;
    lowest = requests & (~requests + 1'b1);
  endfunction

  generate
    if (RoundRobin != 0) begin : g_round_robin
      // Requests above the last accepted one.
      reg  [Requests-1:0] above_q;
      wire [Requests-1:0] preferred = request_i & above_q;

      assign grant_o = (|preferred) ? lowest(preferred) : lowest(request_i);

      always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) above_q <= {Requests{1'b0}};
        else if (accept_i && |request_i) above_q <= ~(grant_o | (grant_o - 1'b1));
      end
    end else begin : g_fixed
      assign grant_o = lowest(request_i);
      wire unused_ok = &{1'b0, clk_i, rst_ni, accept_i};
    end
  endgenerate
)");
  return m;
}

}  // namespace edgebert::gen
