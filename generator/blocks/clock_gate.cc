#include "generator/blocks/clock_gate.h"

namespace edgebert::gen {
namespace {

constexpr const char* kSource = "generator/blocks/clock_gate.cc";

}  // namespace

vlog::Module EmitClockGate() {
  vlog::Module m("eb_clock_gate", kSource);
  m.Describe(R"(
eb_clock_gate: passes the clock edge that ends a cycle with enable_i. The only place where a clock
is gated: replace this file by a wrapper of the integrated clock gate of the cell library, whose
latch gives enable_i the whole cycle instead of its first half.)");
  m.Input("clk_i").Input("enable_i").Output("clk_o");
  m.Body(R"(
  reg open_q;
  always @(negedge clk_i) open_q <= enable_i;
  assign clk_o = clk_i && open_q;
)");
  return m;
}

vlog::Module EmitUnitClock() {
  vlog::Module m("eb_unit_clock", kSource);
  m.Describe(R"(
eb_unit_clock: clock of a unit, for the cycles with wake_i and one more, in which what the unit did
last settles. It runs in reset: a simulator sees no falling edge of a reset that is low from the
start.)");
  m.Input("clk_i").Input("rst_ni").Input("wake_i").Output("clk_o");
  m.Uses(EmitClockGate());
  m.Body(R"(
  reg woken_q;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) woken_q <= 1'b1;
    else         woken_q <= wake_i;
  end

  eb_clock_gate u_gate (
    .clk_i    (clk_i),
    .enable_i (wake_i || woken_q),
    .clk_o    (clk_o)
  );
)");
  return m;
}

}  // namespace edgebert::gen
