// eb_sram_1r1w for synthesis: one macro for each shape of memory that eb_top has.
`default_nettype none

module eb_sram_1r1w #(
  parameter Depth   = 4,
  parameter Lanes   = 1,
  parameter LaneW   = 208,
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
    if (Depth == 16 && Lanes == 1 && LaneW == 248) begin : g_sram_16x248_w1
      eb_sram_16x248_w1 u_macro (
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
    if (Depth == 272 && Lanes == 8 && LaneW == 8) begin : g_sram_272x64_w8
      eb_sram_272x64_w8 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 272 && Lanes == 1 && LaneW == 8) begin : g_sram_272x8_w1
      eb_sram_272x8_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 2 && Lanes == 1 && LaneW == 64) begin : g_sram_2x64_w1
      eb_sram_2x64_w1 u_macro (
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
    if (Depth == 32 && Lanes == 1 && LaneW == 136) begin : g_sram_32x136_w1
      eb_sram_32x136_w1 u_macro (
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
    if (Depth == 4 && Lanes == 1 && LaneW == 160) begin : g_sram_4x160_w1
      eb_sram_4x160_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (Depth == 4 && Lanes == 1 && LaneW == 208) begin : g_sram_4x208_w1
      eb_sram_4x208_w1 u_macro (
        .clk_i (clk_i),
        .wr_en_i (wr_en_i),
        .wr_addr_i (wr_addr_i),
        .wr_data_i (wr_data_i),
        .rd_en_i (rd_en_i),
        .rd_addr_i (rd_addr_i),
        .rd_data_o (rd_data_o)
      );
    end
    if (!((Depth == 16 && Lanes == 1 && LaneW == 248) ||
          (Depth == 16 && Lanes == 1 && LaneW == 32) ||
          (Depth == 16 && Lanes == 1 && LaneW == 64) ||
          (Depth == 256 && Lanes == 1 && LaneW == 256) ||
          (Depth == 272 && Lanes == 8 && LaneW == 8) ||
          (Depth == 272 && Lanes == 1 && LaneW == 8) ||
          (Depth == 2 && Lanes == 1 && LaneW == 64) ||
          (Depth == 32 && Lanes == 1 && LaneW == 128) ||
          (Depth == 32 && Lanes == 1 && LaneW == 136) ||
          (Depth == 32 && Lanes == 1 && LaneW == 64) ||
          (Depth == 4 && Lanes == 1 && LaneW == 160) ||
          (Depth == 4 && Lanes == 1 && LaneW == 208))) begin : g_no_macro
      ERROR_eb_sram_1r1w_has_no_macro_of_this_shape u_error ();
    end
  endgenerate

endmodule

`default_nettype wire
