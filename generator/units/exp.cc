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
Latency 4 cycles; every stage stands still while en_i is low.)");
  m.Input("clk_i").Input("en_i").Input("d_i", "19").Output("e_o", "17");
  m.Local("[15:0] LOG2E", std::to_string(spec::kLog2E), "log2(e), 15 fraction bits");
  m.Local("LOG2E_F", spec::kLog2EFraction);
  m.Local("D_W", spec::kExpInputBits);
  m.Local("D_F", spec::kExpInputFraction);
  m.Local("[7:0] LAST_PLACE", spec::kExpOutputFraction + 1);
  AddPwl(m, spec::Exp2Table());
  m.Body(R"(
  // Stages 1 and 2: t = k + f in units of 2^-12.
  reg [D_W+7:0] high_q;
  reg [D_W+7:0] low_q;
  reg [19:0]    t_q;
  always @(posedge clk_i) begin : split
    reg [D_W+15:0] product;
    reg            unused_ok;
    if (en_i) begin
      high_q   <= d_i * LOG2E[15:8];
      low_q    <= d_i * LOG2E[7:0];
      product   = {high_q, 8'd0} + {8'd0, low_q} + (1 << (LOG2E_F - 1));
      t_q      <= product[D_W+15:LOG2E_F];
      unused_ok = &{1'b0, product[LOG2E_F-1:0]};
    end
  end

  // Stage 3: 2^-f.
  reg [16:0] y_q;
  reg [7:0]  k_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      y_q <= on_chord(chord_of(t_q[D_F-1:REST_W]), t_q[REST_W-1:0]);
      k_q <= t_q[19:D_F];
    end
  end

  // Stage 4: times 2^-k, rounded by the last place of a shift that stops one short; beyond
  // LAST_PLACE nothing is left.
  reg [16:0] e_q;
  always @(posedge clk_i) begin : scale
    reg [17:0] rounded;
    reg        unused_ok;
    if (en_i) begin
      rounded   = ({y_q, 1'b0} >> k_q) + 18'd1;
      e_q      <= (k_q > LAST_PLACE) ? 17'd0 : rounded[17:1];
      unused_ok = &{1'b0, rounded[0]};
    end
  end
  assign e_o = e_q;
)");
  return m;
}

}  // namespace edgebert::gen
