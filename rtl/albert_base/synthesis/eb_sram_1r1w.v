// eb_sram_1r1w for synthesis: one macro for each shape of memory that eb_top has.
`default_nettype none

module eb_sram_1r1w #(
  parameter Depth   = 8,
  parameter Lanes   = 1,
  parameter LaneW   = 128,
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
    if (Depth == 1024 && Lanes == 1 && LaneW == 256) begin : g_sram_1024x256_w1
      eb_sram_1024x256_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 128 && Lanes == 1 && LaneW == 32) begin : g_sram_128x32_w1
      eb_sram_128x32_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 128 && Lanes == 1 && LaneW == 592) begin : g_sram_128x592_w1
      eb_sram_128x592_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 256 && Lanes == 1 && LaneW == 128) begin : g_sram_256x128_w1
      eb_sram_256x128_w1 u_macro (
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
    if (Depth == 43008 && Lanes == 16 && LaneW == 8) begin : g_sram_43008x128_w16
      eb_sram_43008x128_w16 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 43008 && Lanes == 1 && LaneW == 16) begin : g_sram_43008x16_w1
      eb_sram_43008x16_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 64 && Lanes == 1 && LaneW == 128) begin : g_sram_64x128_w1
      eb_sram_64x128_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 64 && Lanes == 1 && LaneW == 320) begin : g_sram_64x320_w1
      eb_sram_64x320_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 64 && Lanes == 1 && LaneW == 416) begin : g_sram_64x416_w1
      eb_sram_64x416_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 8 && Lanes == 1 && LaneW == 128) begin : g_sram_8x128_w1
      eb_sram_8x128_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (!((Depth == 1024 && Lanes == 1 && LaneW == 256) ||
          (Depth == 128 && Lanes == 1 && LaneW == 32) ||
          (Depth == 128 && Lanes == 1 && LaneW == 592) ||
          (Depth == 256 && Lanes == 1 && LaneW == 128) ||
          (Depth == 32 && Lanes == 1 && LaneW == 256) ||
          (Depth == 32 && Lanes == 1 && LaneW == 272) ||
          (Depth == 43008 && Lanes == 16 && LaneW == 8) ||
          (Depth == 43008 && Lanes == 1 && LaneW == 16) ||
          (Depth == 64 && Lanes == 1 && LaneW == 128) ||
          (Depth == 64 && Lanes == 1 && LaneW == 320) ||
          (Depth == 64 && Lanes == 1 && LaneW == 416) ||
          (Depth == 8 && Lanes == 1 && LaneW == 128))) begin : g_no_macro
      ERROR_eb_sram_1r1w_has_no_macro_of_this_shape u_error ();
    end
  endgenerate

endmodule

`default_nettype wire
