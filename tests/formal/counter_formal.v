// eb_counter, a step at a time: from nothing, the low word grows by the events of a cycle, and the
// high word by one in the cycle after the low word overflowed. So what it counts is the sum of all
// events, but for a carry that is on its way for one cycle.
`default_nettype none

module counter_formal #(
  parameter EventW = 3
) (
  input wire              clk_i,
  input wire              clear_i,
  input wire              run_i,
  input wire [EventW-1:0] events_i
);

  reg rst_n = 1'b0;
  always @(posedge clk_i) rst_n <= 1'b1;

  wire [63:0] count;
  eb_counter #(.EventW(EventW)) u_dut (
    .clk_i    (clk_i),
    .rst_ni   (rst_n),
    .clear_i  (clear_i),
    .run_i    (run_i),
    .events_i (events_i),
    .count_o  (count)
  );

  // The cycle before.
  reg [63:0] before   = 64'd0;
  reg [31:0] added    = 32'd0;
  reg        cleared  = 1'b1;  // by reset, too
  reg        overflow = 1'b0;  // of the low word, which shows now in the high word
  wire [32:0] sum     = {1'b0, before[31:0]} + added;
  always @(posedge clk_i) begin
    before   <= count;
    added    <= run_i ? events_i : 32'd0;
    cleared  <= !rst_n || clear_i;
    overflow <= !cleared && sum[32];
  end

  always @* begin
    low:  assert (count[31:0] == (cleared ? 32'd0 : sum[31:0]));
    high: assert (count[63:32] == (cleared ? 32'd0 : before[63:32] + overflow));
  end

endmodule

`default_nettype wire
