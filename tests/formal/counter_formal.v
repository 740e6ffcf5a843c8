// eb_counter, a step at a time: from nothing, the count grows by the events of a cycle.
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
    .low_o    (count[31:0]),
    .high_o   (count[63:32])
  );

  // The cycle before.
  reg [63:0] before  = 64'd0;
  reg [31:0] added   = 32'd0;
  reg        cleared = 1'b1;  // by reset, too
  always @(posedge clk_i) begin
    before  <= count;
    added   <= run_i ? events_i : 32'd0;
    cleared <= !rst_n || clear_i;
  end
  wire [63:0] sum = cleared ? 64'd0 : before + added;

  always @* begin
    low:  assert (count[31:0] == sum[31:0]);
    high: assert (count[63:32] == sum[63:32]);
  end

endmodule

`default_nettype wire
