// Replays rows on a netlist of format_dot or bf16_dot and writes the activity of its nets from row SKIP on.
// The partial sum of a row is the result before it. `PORTS connects the netlist's single bits.
`timescale 1ns/10ps
module replay;
  parameter CodeW = 8;
  parameter AccW  = 37;
  parameter Rows  = 100;
  localparam W = 16 * CodeW;
  reg [2*W+7:0] stimulus [0:Rows-1];
  reg clk_i = 1'b0, load_i = 1'b0, row_i = 1'b0;
  reg [W-1:0] a_i = 0, b_i = 0;
  reg [AccW-1:0] old_i = 0;
  wire [AccW-1:0] new_o;
  `UNIT dut (`PORTS);
  reg [2*W+7:0] line;
  integer i;
  initial begin
    $readmemh("stimulus.hex", stimulus);
    // Every register gets a value.
    load_i = 1'b1;
    row_i = 1'b1;
    for (i = 0; i < 16; i = i + 1) begin
      #10 clk_i = 1'b1;
      #10 clk_i = 1'b0;
    end
    #10;
    $dumpfile("activity.vcd");
    $dumpvars(1, dut);
    for (i = 0; i < Rows; i = i + 1) begin
      line = stimulus[i];
      load_i = line[2*W+4];
      row_i = line[2*W];
      a_i = line[2*W-1 -: W];
      b_i = line[W-1:0];
      old_i = (^new_o === 1'bx) ? 0 : new_o;
      #10 clk_i = 1'b1;
      #10 clk_i = 1'b0;
    end
    if (^new_o === 1'bx) $display("FAIL: a result is unknown");
    $finish;
  end
endmodule
