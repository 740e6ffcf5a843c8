// Stand-ins for timing of what a library or a memory compiler gives.
//
// An integrated clock gate has a latch that takes the enable until the edge that it passes: so, a
// whole cycle. Its real set-up time is in the library.
module eb_clock_gate (
  input  wire clk_i,
  input  wire enable_i,
  output wire clk_o
);
  reg open_q;
  always @(posedge clk_i) open_q <= enable_i;
  assign clk_o = clk_i && open_q;
endmodule

// Memories for timing: a macro takes its inputs into registers and gives its data from one. Its real
// set-up and access times belong into the liberty file of a compiled memory.
module eb_sram_1r1w_macro #(
  parameter Depth = 16,
  parameter Lanes = 1,
  parameter LaneW = 8
) (
  input  wire                     clk_i,
  input  wire [Lanes-1:0]         wr_en_i,
  input  wire [$clog2(Depth)-1:0] wr_addr_i,
  input  wire [Lanes*LaneW-1:0]   wr_data_i,
  input  wire                     rd_en_i,
  input  wire [$clog2(Depth)-1:0] rd_addr_i,
  output reg  [Lanes*LaneW-1:0]   rd_data_o
);
  reg [Lanes-1:0]         wr_en_q;
  reg [$clog2(Depth)-1:0] wr_addr_q;
  reg [Lanes*LaneW-1:0]   wr_data_q;
  reg                     rd_en_q;
  reg [$clog2(Depth)-1:0] rd_addr_q;
  always @(posedge clk_i) begin
    wr_en_q   <= wr_en_i;
    wr_addr_q <= wr_addr_i;
    wr_data_q <= wr_data_i;
    rd_en_q   <= rd_en_i;
    rd_addr_q <= rd_addr_i;
    // Something of every register, so that none is removed.
    rd_data_o <= wr_data_q ^ {Lanes*LaneW{^{wr_en_q, wr_addr_q, rd_en_q, rd_addr_q}}};
  end
endmodule

module eb_reram_array_macro #(
  parameter WordBits    = 64,
  parameter BitsPerCell = 2,
  parameter ReadLatency = 4,
  parameter SlcWords    = 64,
  parameter MlcWords    = 64
) (
  input  wire                clk_i,
  input  wire                rst_ni,
  input  wire                rr_req_valid_i,
  output reg                 rr_req_ready_o,
  input  wire                rr_req_mlc_i,
  input  wire [31:0]         rr_req_addr_i,
  output reg                 rr_rsp_valid_o,
  output reg  [WordBits-1:0] rr_rsp_data_o
);
  reg        valid_q;
  reg        mlc_q;
  reg [31:0] addr_q;
  always @(posedge clk_i) begin
    valid_q        <= rr_req_valid_i;
    mlc_q          <= rr_req_mlc_i;
    addr_q         <= rr_req_addr_i;
    rr_req_ready_o <= !mlc_q;
    rr_rsp_valid_o <= valid_q;
    rr_rsp_data_o  <= {WordBits/32{addr_q}};
  end
endmodule
