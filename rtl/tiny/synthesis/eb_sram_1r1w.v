// eb_sram_1r1w for synthesis: one macro for each shape of memory that eb_top has.
`default_nettype none

module eb_sram_1r1w #(
  parameter Depth   = 8,
  parameter Lanes   = 1,
  parameter LaneW   = 80,
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
    if (Depth == 16 && Lanes == 1 && LaneW == 124) begin : g_sram_16x124_w1
      eb_sram_16x124_w1 u_macro (
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
    if (Depth == 32 && Lanes == 1 && LaneW == 32) begin : g_sram_32x32_w1
      eb_sram_32x32_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 32 && Lanes == 1 && LaneW == 64) begin : g_sram_32x64_w1
      eb_sram_32x64_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 32 && Lanes == 1 && LaneW == 68) begin : g_sram_32x68_w1
      eb_sram_32x68_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 3 && Lanes == 1 && LaneW == 32) begin : g_sram_3x32_w1
      eb_sram_3x32_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 544 && Lanes == 4 && LaneW == 8) begin : g_sram_544x32_w4
      eb_sram_544x32_w4 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 544 && Lanes == 1 && LaneW == 4) begin : g_sram_544x4_w1
      eb_sram_544x4_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 64 && Lanes == 1 && LaneW == 64) begin : g_sram_64x64_w1
      eb_sram_64x64_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 8 && Lanes == 1 && LaneW == 104) begin : g_sram_8x104_w1
      eb_sram_8x104_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 8 && Lanes == 1 && LaneW == 80) begin : g_sram_8x80_w1
      eb_sram_8x80_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (!((Depth == 16 && Lanes == 1 && LaneW == 124) ||
          (Depth == 16 && Lanes == 1 && LaneW == 32) ||
          (Depth == 16 && Lanes == 1 && LaneW == 64) ||
          (Depth == 256 && Lanes == 1 && LaneW == 256) ||
          (Depth == 32 && Lanes == 1 && LaneW == 32) ||
          (Depth == 32 && Lanes == 1 && LaneW == 64) ||
          (Depth == 32 && Lanes == 1 && LaneW == 68) ||
          (Depth == 3 && Lanes == 1 && LaneW == 32) ||
          (Depth == 544 && Lanes == 4 && LaneW == 8) ||
          (Depth == 544 && Lanes == 1 && LaneW == 4) ||
          (Depth == 64 && Lanes == 1 && LaneW == 64) ||
          (Depth == 8 && Lanes == 1 && LaneW == 104) ||
          (Depth == 8 && Lanes == 1 && LaneW == 80))) begin : g_no_macro
      ERROR_eb_sram_1r1w_has_no_macro_of_this_shape u_error ();
    end
  endgenerate

endmodule

`default_nettype wire
