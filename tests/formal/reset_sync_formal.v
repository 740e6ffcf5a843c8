// What eb_reset_sync promises: reset at once, release two clock edges after the last reset.
`default_nettype none

module reset_sync_formal (
  input wire clk_i,
  input wire rst_ni
);

  wire rst_n;

  eb_reset_sync u_dut (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .rst_no (rst_n)
  );

  // The first cycle is a reset.
  reg       started = 1'b0;
  reg [1:0] edges   = 2'd0;  // since the last reset, at most 2
  always @(posedge clk_i) begin
    started <= 1'b1;
    if (!rst_ni)            edges <= 2'd0;
    else if (edges != 2'd2) edges <= edges + 2'd1;
  end

  always @* begin
    assume (started || !rst_ni);
    at_once: assert (rst_ni || !rst_n);
    released: assert (!rst_ni || rst_n == (edges == 2'd2));
  end

endmodule

`default_nettype wire
