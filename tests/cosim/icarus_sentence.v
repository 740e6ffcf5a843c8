// icarus_sentence: eb_top with a memory and a host, for a simulator that knows only Verilog-2005.
//
// The host executes script.hex, one command a line: operation, address and data, 32 bits each.
// What happens goes to log.txt, one event a line, hexadecimal; units are those of the wait mask:
//   read <address> <data>                a register read of the script
//   <unit> activation <address> <codes>  a write-back, highest lane first
//   <unit> score <address> <scores>
//   <unit> logit <strip> <logits>
//   <unit> exit <entropy> <prediction>
// An output of eb_top that is unknown when it counts, from KNOWN_AFTER cycles behind the release of
// reset on, is an error: a payload counts while its valid is high, everything else always.
// At the end memory is written to memory_after.hex, and the last line printed is "done", or "error"
// and what is wrong. +dump writes waves to sentence.vcd.
//
// Nothing here has a value before it gets one: memory that memory.hex leaves out, cells beyond
// slc.hex and mlc.hex of the ReRAM, and every register before its reset are unknown.
`default_nettype none

module icarus_sentence #(
  parameter Lanes       = 4,
  parameter CodeW       = 8,
  parameter AddrW       = 20,       // of activation memory
  parameter AxiAddrW    = 32,
  parameter AxiDataW    = 64,
  parameter AxiIdW      = 4,
  parameter MemoryBeats = 1024,     // of memory, from address 0
  parameter SlcWords    = 1,        // of slc.hex
  parameter MlcWords    = 1,        // of mlc.hex
  parameter Commands    = 1,        // of script.hex
  parameter CycleLimit  = 1000000
);

  localparam STRB_W = AxiDataW / 8;
  localparam OKAY   = 2'd0;
  localparam DECERR = 2'd3;

  // Cycles that the reset takes to be released inside, and one more.
  localparam KNOWN_AFTER = 3;

  // Operations of the script.
  localparam OP_WRITE = 32'd1;
  localparam OP_READ  = 32'd2;
  localparam OP_WAIT  = 32'd3;  // for the interrupt

  reg clk;
  reg rst_n;

  reg                 awvalid;
  wire                awready;
  reg  [10:0]         awaddr;
  reg                 wvalid;
  wire                wready;
  reg  [31:0]         wdata;
  wire                bvalid;
  reg                 bready;
  wire [1:0]          bresp;
  reg                 arvalid;
  wire                arready;
  reg  [10:0]         araddr;
  wire                rvalid;
  reg                 rready;
  wire [31:0]         rdata;
  wire [1:0]          rresp;

  wire                m_arvalid;
  wire                m_arready;
  wire [AxiIdW-1:0]   m_arid;
  wire [AxiAddrW-1:0] m_araddr;
  wire [7:0]          m_arlen;
  wire [2:0]          m_arsize;
  wire [1:0]          m_arburst;
  wire                m_rready;
  wire                m_awvalid;
  wire                m_awready;
  wire [AxiIdW-1:0]   m_awid;
  wire [AxiAddrW-1:0] m_awaddr;
  wire [7:0]          m_awlen;
  wire [2:0]          m_awsize;
  wire [1:0]          m_awburst;
  wire                m_wvalid;
  wire                m_wready;
  wire [AxiDataW-1:0] m_wdata;
  wire [STRB_W-1:0]   m_wstrb;
  wire                m_wlast;
  wire                m_bready;
  wire                irq;

  // State of the memory: one burst of each direction at a time.
  reg  [AxiDataW-1:0] memory [0:MemoryBeats-1];
  reg                 reading;
  reg  [AxiIdW-1:0]   read_id;
  reg  [AxiAddrW-1:0] read_addr;
  reg  [7:0]          read_left;  // beats after this one
  reg                 writing;
  reg                 responding;
  reg  [AxiIdW-1:0]   write_id;
  reg  [AxiAddrW-1:0] write_addr;
  reg  [1:0]          write_resp;

  wire [AxiAddrW-1:0] read_beat   = read_addr / STRB_W;
  wire [AxiAddrW-1:0] write_beat  = write_addr / STRB_W;
  wire                read_mapped  = read_beat < MemoryBeats;
  wire                write_mapped = write_beat < MemoryBeats;

  eb_top dut (
    .clk_i          (clk),
    .rst_ni         (rst_n),
    .s_axil_awvalid (awvalid),
    .s_axil_awready (awready),
    .s_axil_awaddr  (awaddr),
    .s_axil_wvalid  (wvalid),
    .s_axil_wready  (wready),
    .s_axil_wdata   (wdata),
    .s_axil_wstrb   (4'b1111),
    .s_axil_bvalid  (bvalid),
    .s_axil_bready  (bready),
    .s_axil_bresp   (bresp),
    .s_axil_arvalid (arvalid),
    .s_axil_arready (arready),
    .s_axil_araddr  (araddr),
    .s_axil_rvalid  (rvalid),
    .s_axil_rready  (rready),
    .s_axil_rdata   (rdata),
    .s_axil_rresp   (rresp),
    .m_axi_arvalid  (m_arvalid),
    .m_axi_arready  (m_arready),
    .m_axi_arid     (m_arid),
    .m_axi_araddr   (m_araddr),
    .m_axi_arlen    (m_arlen),
    .m_axi_arsize   (m_arsize),
    .m_axi_arburst  (m_arburst),
    .m_axi_arcache  (),
    .m_axi_arprot   (),
    .m_axi_rvalid   (reading),
    .m_axi_rready   (m_rready),
    .m_axi_rid      (read_id),
    .m_axi_rdata    (memory[read_beat]),
    .m_axi_rresp    (read_mapped ? OKAY : DECERR),
    .m_axi_rlast    (read_left == 8'd0),
    .m_axi_awvalid  (m_awvalid),
    .m_axi_awready  (m_awready),
    .m_axi_awid     (m_awid),
    .m_axi_awaddr   (m_awaddr),
    .m_axi_awlen    (m_awlen),
    .m_axi_awsize   (m_awsize),
    .m_axi_awburst  (m_awburst),
    .m_axi_awcache  (),
    .m_axi_awprot   (),
    .m_axi_wvalid   (m_wvalid),
    .m_axi_wready   (m_wready),
    .m_axi_wdata    (m_wdata),
    .m_axi_wstrb    (m_wstrb),
    .m_axi_wlast    (m_wlast),
    .m_axi_bvalid   (responding),
    .m_axi_bready   (m_bready),
    .m_axi_bid      (write_id),
    .m_axi_bresp    (write_resp),
    .irq_o          (irq)
  );

  integer log;

  // ---- Clock and the end ------------------------------------------------------------------------

  initial begin
    clk = 1'b0;
    forever #5 clk = !clk;
  end

  task finish;
    begin
      $writememh("memory_after.hex", memory);
      $fclose(log);
      $finish(0);
    end
  endtask

  task fail;
    input [8*64-1:0] message;
    begin
      $display("error: %0s, at time %0d", message, $time);
      finish;
    end
  endtask

  initial begin
    repeat (CycleLimit) @(posedge clk);
    fail("cycle limit");
  end

  initial begin
    if ($test$plusargs("dump")) begin
      $dumpfile("sentence.vcd");
      $dumpvars(0, icarus_sentence);
    end
  end

  // ---- Memory behind the AXI port ---------------------------------------------------------------

  assign m_arready = !reading;
  assign m_awready = !writing && !responding;
  assign m_wready  = writing;

  always @(posedge clk or negedge rst_n) begin
    if (!rst_n) begin
      reading <= 1'b0;
    end else if (!reading) begin
      if (m_arvalid) begin
        if (m_arburst != 2'd1) fail("a read burst is not INCR");
        if ((1 << m_arsize) != STRB_W) fail("a read is not as wide as the bus");
        reading   <= 1'b1;
        read_id   <= m_arid;
        read_addr <= m_araddr;
        read_left <= m_arlen;
      end
    end else if (m_rready) begin
      reading   <= read_left != 8'd0;
      read_addr <= (read_beat + 1) * STRB_W;
      read_left <= read_left - 8'd1;
    end
  end

  integer lane;

  always @(posedge clk or negedge rst_n) begin
    if (!rst_n) begin
      writing    <= 1'b0;
      responding <= 1'b0;
    end else if (responding) begin
      responding <= !m_bready;
    end else if (!writing) begin
      if (m_awvalid) begin
        if (m_awburst != 2'd1 && m_awlen != 8'd0) fail("a write burst is not INCR");
        if ((1 << m_awsize) > STRB_W) fail("a write is wider than the bus");
        writing    <= 1'b1;
        write_id   <= m_awid;
        write_addr <= m_awaddr;
        write_resp <= OKAY;
      end
    end else if (m_wvalid) begin
      for (lane = 0; lane < STRB_W; lane = lane + 1) begin
        if (m_wstrb[lane] && write_mapped) memory[write_beat][8*lane +: 8] = m_wdata[8*lane +: 8];
      end
      if (!write_mapped) write_resp <= DECERR;
      write_addr <= (write_beat + 1) * STRB_W;
      writing    <= !m_wlast;
      responding <= m_wlast;
    end
  end

  // ---- Host at the registers --------------------------------------------------------------------

  reg aw_taken;
  reg w_taken;

  task write_register;
    input [31:0] address;
    input [31:0] data;
    begin
      awvalid <= 1'b1;
      awaddr  <= address[10:0];
      wvalid  <= 1'b1;
      wdata   <= data;
      bready  <= 1'b1;
      aw_taken = 1'b0;
      w_taken  = 1'b0;
      @(posedge clk);
      while (!(aw_taken && w_taken && bvalid)) begin
        if (awvalid && awready) begin
          aw_taken = 1'b1;
          awvalid <= 1'b0;
        end
        if (wvalid && wready) begin
          w_taken = 1'b1;
          wvalid <= 1'b0;
        end
        @(posedge clk);
      end
      bready <= 1'b0;
      if (bresp !== OKAY) fail("a register write is refused");
    end
  endtask

  task read_register;
    input [31:0] address;
    begin
      arvalid <= 1'b1;
      araddr  <= address[10:0];
      rready  <= 1'b1;
      @(posedge clk);
      while (!(rvalid && !arvalid)) begin
        if (arvalid && arready) arvalid <= 1'b0;
        @(posedge clk);
      end
      rready <= 1'b0;
      if (rresp !== OKAY) fail("a register read is refused");
      $fdisplay(log, "read %h %h", address, rdata);
    end
  endtask

  reg     [95:0] script [0:Commands-1];
  reg     [31:0] operation;
  reg     [31:0] address;
  reg     [31:0] data;
  integer        command;

  initial begin
    log = $fopen("log.txt");
    $readmemh("memory.hex", memory);
    $readmemh("script.hex", script);
    $readmemh("slc.hex", dut.u_reram_macro.g_array.slc_mem, 0, SlcWords - 1);
    $readmemh("mlc.hex", dut.u_reram_macro.g_array.mlc_mem, 0, MlcWords - 1);
    awvalid = 1'b0;
    wvalid  = 1'b0;
    bready  = 1'b0;
    arvalid = 1'b0;
    rready  = 1'b0;
    rst_n   = 1'b0;
    repeat (4) @(posedge clk);
    rst_n <= 1'b1;
    repeat (4) @(posedge clk);
    for (command = 0; command < Commands; command = command + 1) begin
      {operation, address, data} = script[command];
      case (operation)
        OP_WRITE: write_register(address, data);
        OP_READ:  read_register(address);
        OP_WAIT:  while (irq !== 1'b1) @(posedge clk);
        default:  fail("an operation of the script is unknown");
      endcase
    end
    $display("done");
    finish;
  end

  // ---- Unknown outputs --------------------------------------------------------------------------

  wire [10:0] control = {awready, wready, bvalid, arready, rvalid, m_arvalid, m_rready, m_awvalid,
                         m_wvalid, m_bready, irq};
  integer     released;

  initial released = 0;

  always @(posedge clk) begin
    if (rst_n) released <= released + 1;
    if (released > KNOWN_AFTER) begin
      if (^control === 1'bx) begin
        $display("unknown: %b", control);
        fail("a valid, a ready or the interrupt is unknown");
      end
      if (bvalid && ^bresp === 1'bx) fail("an answer at the registers is unknown");
      if (rvalid && ^{rresp, rdata} === 1'bx) fail("a register reads as unknown");
      if (m_arvalid && ^{m_arid, m_araddr, m_arlen, m_arsize, m_arburst} === 1'bx) begin
        fail("an address to read from is unknown");
      end
      if (m_awvalid && ^{m_awid, m_awaddr, m_awlen, m_awsize, m_awburst} === 1'bx) begin
        fail("an address to write to is unknown");
      end
      if (m_wvalid && ^{m_wdata, m_wstrb, m_wlast} === 1'bx) fail("data to write is unknown");
    end
  end

  // ---- Write-backs of the units -----------------------------------------------------------------

  integer unit;

  always @(posedge clk) begin
    if (rst_n) begin
      for (unit = 0; unit < 4; unit = unit + 1) begin
        if ((dut.u_activation_memory.wr_valid_i[unit] & dut.u_activation_memory.wr_ready_o[unit])
            !== 1'b0) begin
          $fdisplay(log, "%0d activation %h %h", unit,
                    dut.u_activation_memory.wr_addr_i[unit*AddrW +: AddrW],
                    dut.u_activation_memory.wr_data_i[unit*Lanes*CodeW +: Lanes*CodeW]);
        end
      end
      if (dut.u_matmul.score_wr_valid_o !== 1'b0) begin
        $fdisplay(log, "0 score %h %h", dut.u_matmul.score_wr_addr_o,
                  dut.u_matmul.score_wr_data_o);
      end
      if (dut.u_matmul.logit_valid_o !== 1'b0) begin
        $fdisplay(log, "0 logit %h %h", dut.u_matmul.logit_strip_o, dut.u_matmul.logit_data_o);
      end
      if (dut.u_exit.result_valid_o !== 1'b0) begin
        $fdisplay(log, "4 exit %h %h", dut.u_exit.entropy_o, dut.u_exit.prediction_o);
      end
    end
  end

endmodule

`default_nettype wire
