#include "generator/units/exp.h"

#include "generator/units/pwl.h"
#include "golden/spec/formats.h"
#include "golden/spec/tables.h"

namespace edgebert::gen {

vlog::Module EmitExp() {
  vlog::Module m("eb_exp", "generator/units/exp.cc");
  m.Describe(R"(
eb_exp: e^-d for an unsigned d with 12 fraction bits; result with 16 fraction bits.

d * log2(e) splits into an integer k and a fraction f: 2^-f comes from a table, 2^-k is a shift.
Latency 3 cycles; every stage stands still while en_i is low.)");
  m.Input("clk_i").Input("en_i").Input("d_i", "19").Output("e_o", "17");
  m.Local("[15:0] LOG2E", std::to_string(spec::kLog2E), "log2(e), 15 fraction bits");
  m.Local("LOG2E_F", spec::kLog2EFraction);
  m.Local("D_F", spec::kExpInputFraction);
  m.Local("[7:0] LAST_PLACE", spec::kExpOutputFraction + 1);
  m.Body(R"(
  // Stage 1: t = k + f in units of 2^-12.
  wire [34:0] product = d_i * LOG2E + (35'd1 << (LOG2E_F - 1));
  reg  [19:0] t_q;
  always @(posedge clk_i) begin
    if (en_i) t_q <= product[34:LOG2E_F];
  end

  // Stage 2: 2^-f.
  wire [D_F-1:0] f = t_q[D_F-1:0];
)");
  AddPwl(m, spec::Exp2Table(), "f", "");
  m.Body(R"(
  reg [16:0] y_q;
  reg [7:0]  k_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      y_q <= y;
      k_q <= t_q[19:D_F];
    end
  end

  // Stage 3: times 2^-k, rounded; beyond LAST_PLACE nothing is left.
  wire [17:0] half   = (k_q == 8'd0) ? 18'd0 : 18'd1 << (k_q - 8'd1);
  wire [17:0] scaled = ({1'b0, y_q} + half) >> k_q;
  reg  [16:0] e_q;
  always @(posedge clk_i) begin
    if (en_i) e_q <= (k_q > LAST_PLACE) ? 17'd0 : scaled[16:0];
  end
  assign e_o = e_q;

  wire unused_ok = &{1'b0, product[LOG2E_F-1:0], scaled[17]};
)");
  return m;
}

}  // namespace edgebert::gen
