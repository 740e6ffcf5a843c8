// eb_reram_macro for synthesis.
`default_nettype none

module eb_reram_macro #(
  parameter WordBits    = 64,
  parameter BitsPerCell = 2,
  parameter ReadLatency = 4,
  parameter SlcWords    = 64,
  parameter MlcWords    = 64,
  parameter Backend     = 0
) (
  input  wire                clk_i,
  input  wire                rst_ni,
  input  wire                rr_req_valid_i,
  output wire                rr_req_ready_o,
  input  wire                rr_req_mlc_i,
  input  wire [31:0]         rr_req_addr_i,
  output wire                rr_rsp_valid_o,
  output wire [WordBits-1:0] rr_rsp_data_o
);

  eb_reram_123_164x64 u_macro (
    .clk_i (clk_i),
    .rst_ni (rst_ni),
    .rr_req_valid_i (rr_req_valid_i),
    .rr_req_ready_o (rr_req_ready_o),
    .rr_req_mlc_i (rr_req_mlc_i),
    .rr_req_addr_i (rr_req_addr_i),
    .rr_rsp_valid_o (rr_rsp_valid_o),
    .rr_rsp_data_o (rr_rsp_data_o)
  );

endmodule

`default_nettype wire
