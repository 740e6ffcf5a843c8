#include "generator/units/exit.h"

#include "generator/units/exp.h"
#include "generator/units/ln.h"
#include "generator/units/reciprocal.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"

namespace edgebert::gen {
namespace {

constexpr const char* kSource = "generator/units/exit.cc";

}  // namespace

vlog::Module EmitEntropy() {
  vlog::Module m("eb_entropy", kSource);
  m.Describe(R"(
eb_entropy: entropy in nats of the softmax of a set of logits, and the index of the largest.

H = ln S + N / S with S = sum e^-d and N = sum d e^-d over d = max - logit, so that nothing
overflows. One pass finds the maximum, one forms the sums, a class a cycle each. Logits are Fixed
(signed Q10.16), H is unsigned Q4.16. done_o is high for one cycle.)");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Input("start_i").Input("classes_i", "9").Output("busy_o");
  m.Group("Logits, read in the same cycle.").Output("class_o", "8").InputSigned("logit_i", "26");
  m.Group("Results, still until the next start.");
  m.Output("done_o").Output("entropy_o", "20").Output("prediction_o", "8");
  m.Local("FIXED_W", spec::kFixedBits);
  m.Local("D_W", spec::kExpInputBits);
  m.Local("D_DROP", spec::kFixedFraction - spec::kExpInputFraction);
  m.Local("ENTROPY_W", spec::kEntropyBits);
  m.Local("SUM_W", "26").Local("N_W", "D_W + 17 + 8");
  m.Local("[5:0] MEAN_DROP", spec::kExpInputFraction);
  m.Uses(EmitExp()).Uses(EmitReciprocal()).Uses(EmitLn());
  m.Body(R"(
  localparam [2:0] StIdle    = 3'd0;
  localparam [2:0] StMax     = 3'd1;
  localparam [2:0] StSum     = 3'd2;
  localparam [2:0] StCombine = 3'd3;
  localparam [2:0] StDone    = 3'd4;

  // Cycles from the last class until H is final: logit 1, d 2, exp 4, product and sums 3,
  // reciprocal 3, ln 3, product 2, shift 1, mean 1, H 1; one of them in StSum.
  localparam [4:0] COMBINE = 5'd16;

  reg [2:0] state_q;
  reg [4:0] wait_q;
  reg [7:0] class_q;
  wire      last = {1'b0, class_q} == classes_i - 9'd1;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
    end else if (clear_i) begin
      state_q <= StIdle;
    end else begin
      case (state_q)
        StIdle:    if (start_i) state_q <= StMax;
        StMax:     if (last) state_q <= StSum;
        StSum:     if (last) state_q <= StCombine;
        StCombine: if (wait_q == COMBINE) state_q <= StDone;
        StDone:    state_q <= StIdle;
        default:   state_q <= StIdle;
      endcase
    end
  end

  wire counting = (state_q == StMax) || (state_q == StSum);
  always @(posedge clk_i) begin
    class_q <= (counting && !last) ? class_q + 8'd1 : 8'd0;
    wait_q  <= (state_q == StCombine) ? wait_q + 5'd1 : 5'd0;
  end

  assign class_o = class_q;
  assign busy_o  = state_q != StIdle;
  assign done_o  = state_q == StDone;
)");
  m.Body(R"(
  // Stage 1: the logit.
  reg                      max_valid_q;
  reg                      max_first_q;
  reg        [7:0]         max_class_q;
  reg signed [FIXED_W-1:0] logit_q;
  always @(posedge clk_i) begin
    max_valid_q <= state_q == StMax;
    max_first_q <= class_q == 8'd0;
    max_class_q <= class_q;
    logit_q     <= logit_i;
  end

  // Pass 1: the largest logit; the first one wins a tie.
  reg signed [FIXED_W-1:0] max_q;
  reg        [7:0]         prediction_q;
  always @(posedge clk_i) begin
    if (max_valid_q && (max_first_q || logit_q > max_q)) begin
      max_q        <= logit_q;
      prediction_q <= max_class_q;
    end
  end
  assign prediction_o = prediction_q;
)");
  m.Body(R"(
  // Pass 2, stages 2 and 3: d with 12 fraction bits, saturated.
  reg         [FIXED_W:0]  gap_q;
  wire        [FIXED_W:0]  rounded = (gap_q + (1 << (D_DROP - 1))) >> D_DROP;
  reg         [D_W-1:0]    d_q3;
  always @(posedge clk_i) begin
    gap_q <= {max_q[FIXED_W-1], max_q} - {logit_q[FIXED_W-1], logit_q};
    d_q3  <= (|rounded[FIXED_W:D_W]) ? {D_W{1'b1}} : rounded[D_W-1:0];
  end

  // Stages 4 to 7: e^-d.
  wire        [16:0]       e;
  eb_exp u_exp (
    .clk_i(clk_i),
    .en_i(1'b1),
    .d_i(d_q3),
    .e_o(e)
  );

  // Stages 8 and 9: d * e^-d. Then the sums.
  localparam SUM_STAGE = 9;
  localparam LOW_W     = 9;  // factors are multiplied by halves
  reg [4*D_W-1:0]         d_q;   // beside e^-d, youngest in the low bits
  reg [SUM_STAGE:1]       valid_q;
  reg [2*17-1:0]          e_q;
  reg [D_W-LOW_W+16:0]    high_q;
  reg [LOW_W+16:0]        low_q;
  reg [D_W+16:0]          de_q;
  reg [SUM_W-1:0]         sum_q;
  reg [N_W-1:0]           weighted_q;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      valid_q <= {SUM_STAGE{1'b0}};
    else if (clear_i) valid_q <= {SUM_STAGE{1'b0}};
    else              valid_q <= {valid_q[SUM_STAGE-1:1], state_q == StSum};
  end
  always @(posedge clk_i) begin
    d_q    <= {d_q[3*D_W-1:0], d_q3};
    e_q    <= {e_q[16:0], e};
    high_q <= d_q[3*D_W+LOW_W+:D_W-LOW_W] * e;
    low_q  <= d_q[3*D_W+:LOW_W] * e;
    de_q   <= {high_q, {LOW_W{1'b0}}} + {{(D_W-LOW_W){1'b0}}, low_q};
    if (state_q == StMax) begin
      sum_q      <= {SUM_W{1'b0}};
      weighted_q <= {N_W{1'b0}};
    end else if (valid_q[SUM_STAGE]) begin
      sum_q      <= sum_q + {{(SUM_W-17){1'b0}}, e_q[2*17-1:17]};
      weighted_q <= weighted_q + {{(N_W-D_W-17){1'b0}}, de_q};
    end
  end
)");
  m.Body(R"(
  wire        [16:0] inverse;
  wire        [5:0]  inverse_shift;
  wire signed [21:0] ln_sum;
  eb_reciprocal #(
    .SumW(SUM_W)
  ) u_reciprocal (
    .clk_i(clk_i),
    .en_i(1'b1),
    .s_i(sum_q),
    .r_o(inverse),
    .k_o(inverse_shift)
  );
  eb_ln #(
    .SumW(SUM_W)
  ) u_ln (
    .clk_i(clk_i),
    .en_i(1'b1),
    .s_i(sum_q),
    .ln_o(ln_sum)
  );

  // N / S with 16 fraction bits, in four steps: product by halves, its sum, the shift but for one
  // place, and that one rounds.
  localparam MEAN_W = N_W + 17;
  wire [5:0]             places = inverse_shift + MEAN_DROP;
  reg  [MEAN_W-LOW_W-1:0] mean_high_q;
  reg  [N_W+LOW_W-1:0]   mean_low_q;
  reg  [MEAN_W-1:0]      product_q;
  wire [MEAN_W:0]        shifted = {product_q, 1'b0} >> places;
  reg  [23:0]            shifted_q;
  wire [23:0]            half_up = shifted_q + 24'd1;
  reg  signed [22:0]     mean_q;

  // H = max(0, ln S + N / S).
  wire signed [22:0]     sum_of_terms = {ln_sum[21], ln_sum} + mean_q;
  reg  [ENTROPY_W-1:0]   entropy_q;
  always @(posedge clk_i) begin
    mean_high_q <= weighted_q * inverse[16:LOW_W];
    mean_low_q  <= weighted_q * inverse[LOW_W-1:0];
    product_q   <= {mean_high_q, {LOW_W{1'b0}}} + {{(17-LOW_W){1'b0}}, mean_low_q};
    shifted_q   <= shifted[23:0];
    mean_q      <= half_up[23:1];
    if (state_q == StCombine) begin
      entropy_q <= sum_of_terms[22] ? {ENTROPY_W{1'b0}} : sum_of_terms[ENTROPY_W-1:0];
    end
  end
  assign entropy_o = entropy_q;

  wire unused_ok = &{1'b0, shifted[MEAN_W:24], half_up[0], sum_of_terms[21:ENTROPY_W]};
)");
  return m;
}

vlog::Module EmitExit() {
  vlog::Module m("eb_exit", kSource);
  m.Describe(R"(
eb_exit: keeps the logits of the last off-ramp and decides whether the sentence ends.

An EXIT instruction starts the entropy unit on the first `classes` logits; result_valid_o is high
for one cycle with entropy, prediction and exit_o (H < threshold, strictly).)");
  m.Param("Lanes", "16", "logits of a strip, n");
  m.Param("MaxClasses", "2", "most classes, at most 256");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Command: an EXIT instruction.");
  m.Input("cmd_valid_i").Output("cmd_ready_o").Input("cmd_i", "256").Output("busy_o");
  m.Group("Logits from the post-processor, a strip at a time.");
  m.Input("logit_valid_i").Input("logit_strip_i", "16").Input("logit_data_i", "Lanes*26");
  m.Group("Threshold, unsigned Q16.16.").Input("threshold_i", "32");
  m.Group("Result.").Output("result_valid_o").Output("entropy_o", "20");
  m.Output("prediction_o", "8").Output("exit_o");
  m.Group("Logits for the registers and the result record; combinational.");
  m.Input("logit_addr_i", "8").Output("logit_o", "26");
  m.Local("FIXED_W", spec::kFixedBits);
  m.Local("STRIPS", "(MaxClasses + Lanes - 1) / Lanes");
  m.Local("SLOTS", "STRIPS * Lanes");
  m.Uses(EmitEntropy());
  m.Body(R"(
  reg [8:0] classes_q;
  wire      accept = cmd_valid_i && cmd_ready_o;
  assign cmd_ready_o = !busy_o;

  genvar g;
  wire [SLOTS*FIXED_W-1:0] logits;
  generate
    for (g = 0; g < SLOTS; g = g + 1) begin : g_logit
      localparam STRIP = g / Lanes;
      reg [FIXED_W-1:0] logit_q;
      always @(posedge clk_i) begin
        if (logit_valid_i && logit_strip_i == STRIP[15:0]) begin
          logit_q <= logit_data_i[FIXED_W*(g%Lanes)+:FIXED_W];
        end
      end
      assign logits[FIXED_W*g+:FIXED_W] = logit_q;
    end
  endgenerate

  wire [7:0]                class_index;
  wire signed [FIXED_W-1:0] logit = logits[FIXED_W*class_index+:FIXED_W];
  assign logit_o = logits[FIXED_W*logit_addr_i+:FIXED_W];
)");
  m.InstructionFields({spec::kExitClasses}, "cmd_i");
  m.Body(R"(
  reg start_q;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)      start_q <= 1'b0;
    else if (clear_i) start_q <= 1'b0;
    else              start_q <= accept;
  end
  always @(posedge clk_i) begin
    if (accept) classes_q <= classes[8:0];
  end

  wire entropy_busy;
  eb_entropy u_entropy (
    .clk_i(clk_i),
    .rst_ni(rst_ni),
    .clear_i(clear_i),
    .start_i(start_q),
    .classes_i(classes_q),
    .busy_o(entropy_busy),
    .class_o(class_index),
    .logit_i(logit),
    .done_o(result_valid_o),
    .entropy_o(entropy_o),
    .prediction_o(prediction_o)
  );
  assign busy_o = start_q || entropy_busy;
  assign exit_o = {12'd0, entropy_o} < threshold_i;

  wire unused_ok = &{1'b0, cmd_i, classes[15:9]};
)");
  return m;
}

}  // namespace edgebert::gen
