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
module eb_sram_16x256_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [3:0] wr_addr_i,
  input wire [255:0] wr_data_i,
  input wire rd_en_i,
  input wire [3:0] rd_addr_i,
  output wire [255:0] rd_data_o
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
module eb_sram_16x496_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [3:0] wr_addr_i,
  input wire [495:0] wr_data_i,
  input wire rd_en_i,
  input wire [3:0] rd_addr_i,
  output wire [495:0] rd_data_o
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
module eb_sram_208x128_w16 (
  input wire clk_i,
  input wire [15:0] wr_en_i,
  input wire [7:0] wr_addr_i,
  input wire [127:0] wr_data_i,
  input wire rd_en_i,
  input wire [7:0] rd_addr_i,
  output wire [127:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_208x16_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [7:0] wr_addr_i,
  input wire [15:0] wr_data_i,
  input wire rd_en_i,
  input wire [7:0] rd_addr_i,
  output wire [15:0] rd_data_o
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
module eb_sram_2x128_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire wr_addr_i,
  input wire [127:0] wr_data_i,
  input wire rd_en_i,
  input wire rd_addr_i,
  output wire [127:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_2x320_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire wr_addr_i,
  input wire [319:0] wr_data_i,
  input wire rd_en_i,
  input wire rd_addr_i,
  output wire [319:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_2x416_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire wr_addr_i,
  input wire [415:0] wr_data_i,
  input wire rd_en_i,
  input wire rd_addr_i,
  output wire [415:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_32x128_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [4:0] wr_addr_i,
  input wire [127:0] wr_data_i,
  input wire rd_en_i,
  input wire [4:0] rd_addr_i,
  output wire [127:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_32x256_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [4:0] wr_addr_i,
  input wire [255:0] wr_data_i,
  input wire rd_en_i,
  input wire [4:0] rd_addr_i,
  output wire [255:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_32x272_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [4:0] wr_addr_i,
  input wire [271:0] wr_data_i,
  input wire rd_en_i,
  input wire [4:0] rd_addr_i,
  output wire [271:0] rd_data_o
);
endmodule
