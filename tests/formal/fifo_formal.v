// What eb_fifo promises: words come out in the order in which they went in, none lost, none twice.
//
// One word of the stream, any, is marked as it enters: when every word before it has left, it must
// stand at the output.
`default_nettype none

module fifo_formal #(
  parameter Width = 2,
  parameter Depth = 3
) (
  input wire             clk_i,
  input wire             clear_i,
  input wire             in_valid_i,
  input wire [Width-1:0] in_data_i,
  input wire             out_ready_i,
  input wire             mark_i
);

  reg rst_n = 1'b0;
  always @(posedge clk_i) rst_n <= 1'b1;

  wire                       in_ready;
  wire                       out_valid;
  wire [Width-1:0]           out_data;
  wire [$clog2(Depth+1)-1:0] count;

  eb_fifo #(.Width(Width), .Depth(Depth)) u_dut (
    .clk_i       (clk_i),
    .rst_ni      (rst_n),
    .clear_i     (clear_i),
    .in_valid_i  (in_valid_i),
    .in_ready_o  (in_ready),
    .in_data_i   (in_data_i),
    .out_valid_o (out_valid),
    .out_ready_i (out_ready_i),
    .out_data_o  (out_data),
    .count_o     (count)
  );

  wire push = in_valid_i && in_ready;
  wire pop  = out_valid && out_ready_i;

  reg [3:0]       words  = 4'd0;  // in the FIFO
  reg [3:0]       ahead  = 4'd0;  // words before the marked one
  reg             marked = 1'b0;  // the marked word is in the FIFO
  reg [Width-1:0] data   = 0;     // the marked word
  reg             held   = 1'b0;  // a word was offered and not taken
  reg [Width-1:0] offered;

  always @(posedge clk_i) begin
    held    <= rst_n && out_valid && !out_ready_i && !clear_i;
    offered <= out_data;
    if (rst_n) begin
      words <= clear_i ? 0 : words + push - pop;
      if (clear_i) marked <= 1'b0;
      else if (marked) begin
        if (pop && ahead == 0) marked <= 1'b0;
        if (pop) ahead <= ahead - 1;
      end else if (push && mark_i) begin
        marked <= 1'b1;
        data   <= in_data_i;
        ahead  <= words - pop;
      end
    end
  end

  always @* begin
    if (rst_n) begin
      level:  assert (count == words && words <= Depth);
      full:   assert (in_ready == (words < Depth));
      empty:  assert (out_valid == (words > 0));
      order:  assert (!(marked && ahead == 0) || (out_valid && out_data == data));
      stable: assert (!held || (out_valid && out_data == offered));
    end
  end

endmodule

`default_nettype wire
