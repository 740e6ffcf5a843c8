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
module eb_sram_160x256_w32 (
  input wire clk_i,
  input wire [31:0] wr_en_i,
  input wire [7:0] wr_addr_i,
  input wire [255:0] wr_data_i,
  input wire rd_en_i,
  input wire [7:0] rd_addr_i,
  output wire [255:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_160x32_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [7:0] wr_addr_i,
  input wire [31:0] wr_data_i,
  input wire rd_en_i,
  input wire [7:0] rd_addr_i,
  output wire [31:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_16x1024_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [3:0] wr_addr_i,
  input wire [1023:0] wr_data_i,
  input wire rd_en_i,
  input wire [3:0] rd_addr_i,
  output wire [1023:0] rd_data_o
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
module eb_sram_16x512_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [3:0] wr_addr_i,
  input wire [511:0] wr_data_i,
  input wire rd_en_i,
  input wire [3:0] rd_addr_i,
  output wire [511:0] rd_data_o
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
module eb_sram_2x256_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire wr_addr_i,
  input wire [255:0] wr_data_i,
  input wire rd_en_i,
  input wire rd_addr_i,
  output wire [255:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_2x640_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire wr_addr_i,
  input wire [639:0] wr_data_i,
  input wire rd_en_i,
  input wire rd_addr_i,
  output wire [639:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_2x832_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire wr_addr_i,
  input wire [831:0] wr_data_i,
  input wire rd_en_i,
  input wire rd_addr_i,
  output wire [831:0] rd_data_o
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
module eb_sram_32x512_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [4:0] wr_addr_i,
  input wire [511:0] wr_data_i,
  input wire rd_en_i,
  input wire [4:0] rd_addr_i,
  output wire [511:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_32x544_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [4:0] wr_addr_i,
  input wire [543:0] wr_data_i,
  input wire rd_en_i,
  input wire [4:0] rd_addr_i,
  output wire [543:0] rd_data_o
);
endmodule
