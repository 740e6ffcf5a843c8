#include "generator/units/activation.h"

#include "generator/units/pwl.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"
#include "golden/spec/tables.h"

namespace edgebert::gen {

namespace {

std::string Code(spec::Activation activation) {
  return "3'd" + std::to_string(static_cast<uint32_t>(activation));
}

}  // namespace

vlog::Module EmitActivation() {
  vlog::Module m("eb_activation", "generator/units/activation.cc");
  m.Describe(R"(
eb_activation: none, ReLU, GELU (erf form), GELU (tanh form) or tanh of a Fixed (signed Q10.16).

GELU is max(x, 0) minus an even function of |x| from a table, tanh is odd; beyond |x| = 8 all are at
their limits. Latency 2 cycles; every stage stands still while en_i is low.)");
  m.Input("clk_i").Input("en_i").InputSigned("x_i", "26").Input("fn_i", "3");
  m.OutputSigned("y_o", "26");
  m.Local("FIXED_W", spec::kFixedBits);
  m.Local("U_W", spec::kActivationDomainBits, "|x| below 8");
  m.Local("[2:0] FN_RELU", Code(spec::Activation::kRelu));
  m.Local("[2:0] FN_GELU", Code(spec::Activation::kGelu));
  m.Local("[2:0] FN_GELU_NEW", Code(spec::Activation::kGeluNew));
  m.Local("[2:0] FN_TANH", Code(spec::Activation::kTanh));
  m.Body(R"(
  // Stage 1: magnitude.
  wire [FIXED_W-1:0]       magnitude = x_i[FIXED_W-1] ? -x_i : x_i;
  reg  [U_W-1:0]           u_q;
  reg                      far_q;
  reg  signed [FIXED_W-1:0] x_q;
  reg  [2:0]               fn_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      u_q   <= magnitude[U_W-1:0];
      far_q <= |magnitude[FIXED_W-1:U_W];
      x_q   <= x_i;
      fn_q  <= fn_i;
    end
  end

  // Stage 2: tables and combination.
)");
  AddPwlChoice(m,
               {{spec::GeluTable(), "FN_GELU", "gelu_"},
                {spec::GeluNewTable(), "FN_GELU_NEW", "gelu_new_"},
                {spec::TanhTable(), "FN_TANH", "tanh_"}},
               "u_q", "fn_q");
  m.Body(R"(
  wire signed [FIXED_W-1:0] positive = x_q[FIXED_W-1] ? {FIXED_W{1'b0}} : x_q;
  wire signed [FIXED_W-1:0] gelu_below = {{(FIXED_W - 17) {1'b0}}, far_q ? 17'd0 : y};
  wire signed [FIXED_W-1:0] tanh_abs   = {{(FIXED_W - 17) {1'b0}}, far_q ? 17'd65536 : y};

  reg signed [FIXED_W-1:0] y_q;
  always @(posedge clk_i) begin
    if (en_i) begin
      case (fn_q)
        FN_RELU:              y_q <= positive;
        FN_GELU, FN_GELU_NEW: y_q <= positive - gelu_below;
        FN_TANH:              y_q <= x_q[FIXED_W-1] ? -tanh_abs : tanh_abs;
        default:              y_q <= x_q;
      endcase
    end
  end
  assign y_o = y_q;
)");
  return m;
}

}  // namespace edgebert::gen
