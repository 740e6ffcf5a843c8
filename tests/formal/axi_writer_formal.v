// What eb_axi_writer promises on AW and W, under a memory that answers a write, as AXI4 demands,
// after it took both its address and its data.
`default_nettype none

module axi_writer_formal #(
  parameter AxiDataW    = 64,
  parameter Outstanding = 2
) (
  input wire        clk_i,
  input wire        wr_valid_i,
  input wire [31:0] wr_addr_i,
  input wire [31:0] wr_data_i,
  input wire        awready_i,
  input wire        wready_i,
  input wire        bvalid_i,
  input wire [1:0]  bresp_i
);

  localparam LANES = AxiDataW / 32;

  reg rst_n = 1'b0;
  always @(posedge clk_i) rst_n <= 1'b1;

  wire                  wr_ready;
  wire                  error;
  wire                  idle;
  wire                  awvalid;
  wire [0:0]            awid;
  wire [31:0]           awaddr;
  wire [7:0]            awlen;
  wire [2:0]            awsize;
  wire [1:0]            awburst;
  wire                  wvalid;
  wire [AxiDataW-1:0]   wdata;
  wire [AxiDataW/8-1:0] wstrb;
  wire                  wlast;
  wire                  bready;

  eb_axi_writer #(
    .AxiAddrW    (32),
    .AxiDataW    (AxiDataW),
    .AxiIdW      (1),
    .Outstanding (Outstanding)
  ) u_dut (
    .clk_i           (clk_i),
    .rst_ni          (rst_n),
    .wr_valid_i      (wr_valid_i),
    .wr_ready_o      (wr_ready),
    .wr_addr_i       (wr_addr_i),
    .wr_data_i       (wr_data_i),
    .error_o         (error),
    .idle_o          (idle),
    .m_axi_awvalid_o (awvalid),
    .m_axi_awready_i (awready_i),
    .m_axi_awid_o    (awid),
    .m_axi_awaddr_o  (awaddr),
    .m_axi_awlen_o   (awlen),
    .m_axi_awsize_o  (awsize),
    .m_axi_awburst_o (awburst),
    .m_axi_wvalid_o  (wvalid),
    .m_axi_wready_i  (wready_i),
    .m_axi_wdata_o   (wdata),
    .m_axi_wstrb_o   (wstrb),
    .m_axi_wlast_o   (wlast),
    .m_axi_bvalid_i  (bvalid_i),
    .m_axi_bready_o  (bready),
    .m_axi_bresp_i   (bresp_i)
  );

  // Writes that were accepted, and whose address, data and response the memory has not seen.
  wire       accept    = wr_valid_i && wr_ready;
  reg [3:0]  addresses = 4'd0;
  reg [3:0]  data      = 4'd0;
  reg [3:0]  responses = 4'd0;
  reg [31:0] addr;  // of the last one
  reg [31:0] word;
  always @(posedge clk_i) begin
    if (rst_n) begin
      addresses <= addresses + accept - (awvalid && awready_i);
      data      <= data + accept - (wvalid && wready_i);
      responses <= responses + accept - (bvalid_i && bready);
      if (accept) begin
        addr <= wr_addr_i;
        word <= wr_data_i;
      end
    end
  end

  always @* assume (!bvalid_i || (responses > addresses && responses > data));

  // Channels as they were in the cycle before, when they were not taken.
  reg                  aw_held = 1'b0;
  reg [31:0]           held_addr;
  reg                  w_held = 1'b0;
  reg [AxiDataW-1:0]   held_data;
  reg [AxiDataW/8-1:0] held_strb;
  always @(posedge clk_i) begin
    aw_held   <= rst_n && awvalid && !awready_i;
    held_addr <= awaddr;
    w_held    <= rst_n && wvalid && !wready_i;
    held_data <= wdata;
    held_strb <= wstrb;
  end

  reg refused = 1'b0;  // a response with an error in the cycle before
  always @(posedge clk_i) refused <= rst_n && bvalid_i && bresp_i[1];

  reg     lanes_ok;
  integer lane;
  always @* begin
    lanes_ok = 1'b1;
    for (lane = 0; lane < LANES; lane = lane + 1) begin
      if (wstrb[4*lane+:4] != ((addr[31:2] % LANES == lane) ? 4'hF : 4'h0)) lanes_ok = 1'b0;
      if (addr[31:2] % LANES == lane && wdata[32*lane+:32] != word)         lanes_ok = 1'b0;
    end
  end

  always @* begin
    if (rst_n) begin
      aw_stable:   assert (!aw_held || (awvalid && awaddr == held_addr));
      w_stable:    assert (!w_held || (wvalid && wdata == held_data && wstrb == held_strb));
      aw_constant: assert (awid == 1'b0 && awlen == 8'd0 && awsize == 3'd2 && awburst == 2'b01);
      w_last:      assert (!wvalid || wlast);
      b_ready:     assert (bready);
      aw_once:     assert (awvalid == (addresses == 4'd1) && addresses <= 4'd1);
      w_once:      assert (wvalid == (data == 4'd1) && data <= 4'd1);
      aw_address:  assert (!awvalid || awaddr == {addr[31:2], 2'b00});
      w_lanes:     assert (!wvalid || lanes_ok);
      outstanding: assert (responses <= Outstanding);
      idle_means:  assert (idle == (responses == 4'd0));
      errors:      assert (error == refused);
    end
  end

endmodule

`default_nettype wire
