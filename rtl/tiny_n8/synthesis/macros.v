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
module eb_sram_16x248_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [3:0] wr_addr_i,
  input wire [247:0] wr_data_i,
  input wire rd_en_i,
  input wire [3:0] rd_addr_i,
  output wire [247:0] rd_data_o
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
module eb_sram_272x64_w8 (
  input wire clk_i,
  input wire [7:0] wr_en_i,
  input wire [8:0] wr_addr_i,
  input wire [63:0] wr_data_i,
  input wire rd_en_i,
  input wire [8:0] rd_addr_i,
  output wire [63:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_272x8_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [8:0] wr_addr_i,
  input wire [7:0] wr_data_i,
  input wire rd_en_i,
  input wire [8:0] rd_addr_i,
  output wire [7:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_2x64_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire wr_addr_i,
  input wire [63:0] wr_data_i,
  input wire rd_en_i,
  input wire rd_addr_i,
  output wire [63:0] rd_data_o
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
module eb_sram_32x136_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [4:0] wr_addr_i,
  input wire [135:0] wr_data_i,
  input wire rd_en_i,
  input wire [4:0] rd_addr_i,
  output wire [135:0] rd_data_o
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
module eb_sram_4x160_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [1:0] wr_addr_i,
  input wire [159:0] wr_data_i,
  input wire rd_en_i,
  input wire [1:0] rd_addr_i,
  output wire [159:0] rd_data_o
);
endmodule

(* blackbox *)
module eb_sram_4x208_w1 (
  input wire clk_i,
  input wire wr_en_i,
  input wire [1:0] wr_addr_i,
  input wire [207:0] wr_data_i,
  input wire rd_en_i,
  input wire [1:0] rd_addr_i,
  output wire [207:0] rd_data_o
);
endmodule
