#include "generator/units/activation.h"

#include <algorithm>
#include <utility>

#include "generator/units/pwl.h"
#include "golden/base/check.h"
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
their limits. Latency 4 cycles; every stage stands still while en_i is low.)");
  m.Input("clk_i").Input("en_i").InputSigned("x_i", "26").Input("fn_i", "3");
  m.OutputSigned("y_o", "26");
  m.Local("FIXED_W", spec::kFixedBits);
  m.Local("U_W", spec::kActivationDomainBits, "|x| below 8");
  m.Local("[16:0] ONE", int64_t{1} << spec::kFixedFraction);
  m.Local("[2:0] FN_RELU", Code(spec::Activation::kRelu));
  m.Local("[2:0] FN_GELU", Code(spec::Activation::kGelu));
  m.Local("[2:0] FN_GELU_NEW", Code(spec::Activation::kGeluNew));
  m.Local("[2:0] FN_TANH", Code(spec::Activation::kTanh));
  const spec::PwlTable& tanh = spec::TanhTable();
  const int slope_bits = std::max(
      {SignedBits(tanh.c1), SignedBits(spec::GeluTable().c1), SignedBits(spec::GeluNewTable().c1)});
  m.Local("CHORD_W", kPwlBits + slope_bits);
  m.Local("REST_W", tanh.remainder_bits, "of an argument in its segment");
  for (const auto& [table, chord] : {std::pair{&spec::GeluTable(), "gelu_chord"},
                                     {&spec::GeluNewTable(), "gelu_new_chord"},
                                     {&tanh, "tanh_chord"}}) {
    EB_CHECK(table->remainder_bits == tanh.remainder_bits, "segments of {}", table->name);
    AddPwlChord(m, *table, slope_bits, chord);
  }
  AddPwlLine(m, tanh.remainder_bits, slope_bits);
  m.Body(R"(
  // Stage 1: magnitude.
  reg         [U_W-1:0]     u_q;
  reg                       far_q;
  reg  signed [FIXED_W-1:0] x_q;
  reg         [2:0]         fn_q;
  always @(posedge clk_i) begin : stage_1
    reg [FIXED_W-1:0] magnitude;
    if (en_i) begin
      magnitude = x_i[FIXED_W-1] ? -x_i : x_i;
      u_q   <= magnitude[U_W-1:0];
      far_q <= |magnitude[FIXED_W-1:U_W];
      x_q   <= x_i;
      fn_q  <= fn_i;
    end
  end

  // Stage 2: the chord of the function's table; all have the same segments.
  reg         [CHORD_W-1:0] chord_q;
  reg         [REST_W-1:0]  rest_q;
  reg                       far_q2;
  reg  signed [FIXED_W-1:0] x_q2;
  reg         [2:0]         fn_q2;
  always @(posedge clk_i) begin
    if (en_i) begin
      case (fn_q)
        FN_GELU:     chord_q <= gelu_chord(u_q[U_W-1:REST_W]);
        FN_GELU_NEW: chord_q <= gelu_new_chord(u_q[U_W-1:REST_W]);
        default:     chord_q <= tanh_chord(u_q[U_W-1:REST_W]);
      endcase
      rest_q <= u_q[REST_W-1:0];
      far_q2 <= far_q;
      x_q2   <= x_q;
      fn_q2  <= fn_q;
    end
  end

  // Stage 3: what the table gives.
  reg signed [FIXED_W-1:0] table_q;
  reg signed [FIXED_W-1:0] x_q3;
  reg        [2:0]         fn_q3;
  always @(posedge clk_i) begin
    if (en_i) begin
      table_q <= {{(FIXED_W-17){1'b0}}, !far_q2 ? on_chord(chord_q, rest_q)
                                           : (fn_q2 == FN_TANH) ? ONE : 17'd0};
      x_q3    <= x_q2;
      fn_q3   <= fn_q2;
    end
  end

  // Stage 4: combination.
  reg  signed [FIXED_W-1:0] y_q;
  always @(posedge clk_i) begin : stage_4
    reg signed [FIXED_W-1:0] positive;
    if (en_i) begin
      positive = x_q3[FIXED_W-1] ? {FIXED_W{1'b0}} : x_q3;
      case (fn_q3)
        FN_RELU:              y_q <= positive;
        FN_GELU, FN_GELU_NEW: y_q <= positive - table_q;
        FN_TANH:              y_q <= x_q3[FIXED_W-1] ? -table_q : table_q;
        default:              y_q <= x_q3;
      endcase
    end
  end
  assign y_o = y_q;
)");
  return m;
}

}  // namespace edgebert::gen
