// A first look at an eb_top whose files came alone: registers answer, and a START without a program
// ends in its error code and an interrupt.
module smoke #(
  parameter Hash = 0
);
  reg         clk = 1'b0;
  reg         rst_n = 1'b0;
  reg         awvalid = 1'b0;
  reg         wvalid = 1'b0;
  reg         arvalid = 1'b0;
  reg  [10:0] awaddr = 11'd0;
  reg  [10:0] araddr = 11'd0;
  reg  [31:0] wdata = 32'd0;
  wire        awready;
  wire        wready;
  wire        arready;
  wire        bvalid;
  wire        rvalid;
  wire [31:0] rdata;
  wire [1:0]  bresp;
  wire [1:0]  rresp;
  wire        irq;
  integer     failures = 0;
  integer     waited;
  reg  [1:0]  taken;

  always #5 clk = !clk;

  // Bus ports that stay unconnected are outputs.
  eb_top u_dut (
    .clk_i          (clk),
    .rst_ni         (rst_n),
    .s_axil_awvalid (awvalid),
    .s_axil_awready (awready),
    .s_axil_awaddr  (awaddr),
    .s_axil_wvalid  (wvalid),
    .s_axil_wready  (wready),
    .s_axil_wdata   (wdata),
    .s_axil_wstrb   (4'hf),
    .s_axil_bvalid  (bvalid),
    .s_axil_bready  (1'b1),
    .s_axil_bresp   (bresp),
    .s_axil_arvalid (arvalid),
    .s_axil_arready (arready),
    .s_axil_araddr  (araddr),
    .s_axil_rvalid  (rvalid),
    .s_axil_rready  (1'b1),
    .s_axil_rdata   (rdata),
    .s_axil_rresp   (rresp),
    .m_axi_arready  (1'b1),
    .m_axi_rvalid   (1'b0),
    .m_axi_rid      (4'd0),
    .m_axi_rdata    (64'd0),
    .m_axi_rresp    (2'd0),
    .m_axi_rlast    (1'b0),
    .m_axi_awready  (1'b1),
    .m_axi_wready   (1'b1),
    .m_axi_bvalid   (1'b0),
    .m_axi_bid      (4'd0),
    .m_axi_bresp    (2'd0),
    .irq_o          (irq)
  );

  // Both halves of a write at once; each is held until it is taken.
  task write(input [10:0] address, input [31:0] data);
    begin
      @(negedge clk);
      awaddr  = address;
      wdata   = data;
      awvalid = 1'b1;
      wvalid  = 1'b1;
      waited  = 0;
      while (waited < 100 && (awvalid || wvalid || !bvalid)) begin
        #1 taken = {awready, wready};
        @(negedge clk);
        waited = waited + 1;
        if (taken[1]) awvalid = 1'b0;
        if (taken[0]) wvalid = 1'b0;
      end
      if (waited == 100 || bresp != 2'd0) begin
        $display("write %h: no OKAY", address);
        failures = failures + 1;
      end
    end
  endtask

  task expect_read(input [10:0] address, input [31:0] data);
    begin
      @(negedge clk);
      araddr  = address;
      arvalid = 1'b1;
      waited  = 0;
      while (waited < 100 && (arvalid || !rvalid)) begin
        #1 taken = {1'b0, arready};
        @(negedge clk);
        waited = waited + 1;
        if (taken[0]) arvalid = 1'b0;
      end
      if (waited == 100 || rresp != 2'd0 || rdata !== data) begin
        $display("read %h: %h, expected %h", address, rdata, data);
        failures = failures + 1;
      end
    end
  endtask

  initial begin
    repeat (4) @(negedge clk);
    rst_n = 1'b1;
    repeat (4) @(negedge clk);
    expect_read(11'h000, 32'h45425254);  // IDENTITY
    expect_read(11'h008, Hash);          // CONFIG_HASH
    write(11'h024, 32'd7);               // LENGTH
    expect_read(11'h024, 32'd7);
    write(11'h01c, 32'd7);               // IRQ_ENABLE
    if (irq !== 1'b0) failures = failures + 1;
    write(11'h010, 32'd1);               // START
    repeat (50) @(negedge clk);
    if (irq !== 1'b1) begin
      $display("no interrupt");
      failures = failures + 1;
    end
    expect_read(11'h014, 32'd4);         // STATUS: error
    expect_read(11'h018, 32'd5);         // ERROR: START before LOAD
    if (failures == 0) $display("smoke passed");
    $finish;
  end
endmodule
