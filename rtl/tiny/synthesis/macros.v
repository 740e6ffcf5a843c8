// Black boxes of the memory macros: replace by the views of compiled ones.

(* blackbox *)
module eb_reram_123_164x64 (
  input wire clk_i,
  input wire rst_ni,
  input wire rr_req_valid_i,
  output wire rr_req_ready_o,
  input wire rr_req_mlc_i,
  input wire [31:0] rr_req_addr_i,
  output wire rr_rsp_valid_o,
  output wire [63:0] rr_rsp_data_o
);
endmodule

(* blackbox *)
module eb_sram_16x124_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [3:0] wr_addr_i,
  input wire [123:0] wr_data_i,
  input wire rd_en_i,
  input wire [3:0] rd_addr_i,
  output wire [123:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_16x32_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [3:0] wr_addr_i,
  input wire [31:0] wr_data_i,
  input wire rd_en_i,
  input wire [3:0] rd_addr_i,
  output wire [31:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_16x64_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [3:0] wr_addr_i,
  input wire [63:0] wr_data_i,
  input wire rd_en_i,
  input wire [3:0] rd_addr_i,
  output wire [63:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_256x256_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [7:0] wr_addr_i,
  input wire [255:0] wr_data_i,
  input wire rd_en_i,
  input wire [7:0] rd_addr_i,
  output wire [255:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_32x32_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [4:0] wr_addr_i,
  input wire [31:0] wr_data_i,
  input wire rd_en_i,
  input wire [4:0] rd_addr_i,
  output wire [31:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_32x64_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [4:0] wr_addr_i,
  input wire [63:0] wr_data_i,
  input wire rd_en_i,
  input wire [4:0] rd_addr_i,
  output wire [63:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_32x68_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [4:0] wr_addr_i,
  input wire [67:0] wr_data_i,
  input wire rd_en_i,
  input wire [4:0] rd_addr_i,
  output wire [67:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_3x32_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [1:0] wr_addr_i,
  input wire [31:0] wr_data_i,
  input wire rd_en_i,
  input wire [1:0] rd_addr_i,
  output wire [31:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_544x32_w4 (
  input wire clk_i,
  input wire [3:0] wr_en_i,
  input wire [9:0] wr_addr_i,
  input wire [31:0] wr_data_i,
  input wire rd_en_i,
  input wire [9:0] rd_addr_i,
  output wire [31:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_544x4_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [9:0] wr_addr_i,
  input wire [3:0] wr_data_i,
  input wire rd_en_i,
  input wire [9:0] rd_addr_i,
  output wire [3:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_64x64_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [5:0] wr_addr_i,
  input wire [63:0] wr_data_i,
  input wire rd_en_i,
  input wire [5:0] rd_addr_i,
  output wire [63:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_8x104_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [2:0] wr_addr_i,
  input wire [103:0] wr_data_i,
  input wire rd_en_i,
  input wire [2:0] rd_addr_i,
  output wire [103:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_8x80_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [2:0] wr_addr_i,
  input wire [79:0] wr_data_i,
  input wire rd_en_i,
  input wire [2:0] rd_addr_i,
  output wire [79:0] rd_data_o
);
endmodule
