// eb_sram_1r1w for synthesis: one macro for each shape of memory that eb_top has.
`default_nettype none

module eb_sram_1r1w #(
  parameter Depth   = 32,
  parameter Lanes   = 1,
  parameter LaneW   = 272,
  parameter Backend = 0
) (
  input  wire                     clk_i,
  input  wire [Lanes-1:0]         wr_en_i,
  input  wire [$clog2(Depth)-1:0] wr_addr_i,
  input  wire [Lanes*LaneW-1:0]   wr_data_i,
  input  wire                     rd_en_i,
  input  wire [$clog2(Depth)-1:0] rd_addr_i,
  output wire [Lanes*LaneW-1:0]   rd_data_o
);

  generate
    if (Depth == 16 && Lanes == 1 && LaneW == 256) begin : g_sram_16x256_w1
      eb_sram_16x256_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 16 && Lanes == 1 && LaneW == 32) begin : g_sram_16x32_w1
      eb_sram_16x32_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 16 && Lanes == 1 && LaneW == 496) begin : g_sram_16x496_w1
      eb_sram_16x496_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 16 && Lanes == 1 && LaneW == 64) begin : g_sram_16x64_w1
      eb_sram_16x64_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 208 && Lanes == 16 && LaneW == 8) begin : g_sram_208x128_w16
      eb_sram_208x128_w16 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 208 && Lanes == 1 && LaneW == 16) begin : g_sram_208x16_w1
      eb_sram_208x16_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 256 && Lanes == 1 && LaneW == 256) begin : g_sram_256x256_w1
      eb_sram_256x256_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 2 && Lanes == 1 && LaneW == 128) begin : g_sram_2x128_w1
      eb_sram_2x128_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 2 && Lanes == 1 && LaneW == 320) begin : g_sram_2x320_w1
      eb_sram_2x320_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 2 && Lanes == 1 && LaneW == 416) begin : g_sram_2x416_w1
      eb_sram_2x416_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 32 && Lanes == 1 && LaneW == 128) begin : g_sram_32x128_w1
      eb_sram_32x128_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 32 && Lanes == 1 && LaneW == 256) begin : g_sram_32x256_w1
      eb_sram_32x256_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 32 && Lanes == 1 && LaneW == 272) begin : g_sram_32x272_w1
      eb_sram_32x272_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (!((Depth == 16 && Lanes == 1 && LaneW == 256) ||
          (Depth == 16 && Lanes == 1 && LaneW == 32) ||
          (Depth == 16 && Lanes == 1 && LaneW == 496) ||
          (Depth == 16 && Lanes == 1 && LaneW == 64) ||
          (Depth == 208 && Lanes == 16 && LaneW == 8) ||
          (Depth == 208 && Lanes == 1 && LaneW == 16) ||
          (Depth == 256 && Lanes == 1 && LaneW == 256) ||
          (Depth == 2 && Lanes == 1 && LaneW == 128) ||
          (Depth == 2 && Lanes == 1 && LaneW == 320) ||
          (Depth == 2 && Lanes == 1 && LaneW == 416) ||
          (Depth == 32 && Lanes == 1 && LaneW == 128) ||
          (Depth == 32 && Lanes == 1 && LaneW == 256) ||
          (Depth == 32 && Lanes == 1 && LaneW == 272))) begin : g_no_macro
      ERROR_eb_sram_1r1w_has_no_macro_of_this_shape u_error ();
    end
  endgenerate

endmodule

`default_nettype wire
