// eb_registers against the register map: AXI4-Lite rules, who may be read and written and when,
// what a read answers, what a command does, interrupts and watchdog.
//
// registers_map.v is written from golden/spec/register_map.h: access_of(offset) of every word, the
// offsets by name, those that software writes, and their ports. The checker keeps a copy of each of
// these from the writes that were answered with OKAY. Inputs of the unit are free: the wide ones
// are one word, `state_i`. The counters are a stand-in whose count is its inputs, so that a read
// tells which counter it was of (eb_counter has a proof of its own).
`default_nettype none

module registers_formal #(
  parameter MaxClasses = 4
) (
  input wire         clk_i,
  input wire         awvalid_i,
  input wire [10:0]  awaddr_i,
  input wire         wvalid_i,
  input wire [31:0]  wdata_i,
  input wire [3:0]   wstrb_i,
  input wire         bready_i,
  input wire         arvalid_i,
  input wire [10:0]  araddr_i,
  input wire         rready_i,
  input wire [5:0]   status_i,  // resident aborted loaded error done busy
  input wire [2:0]   event_i,   // aborted error done
  input wire [31:0]  state_i,
  input wire         saturated_i,
  input wire         clear_i,
  input wire         run_i,
  input wire [127:0] count_i
);

`include "registers_map.v"

  reg rst_n = 1'b0;
  always @(posedge clk_i) rst_n <= 1'b1;

  wire        busy = status_i[0];
  wire        awready;
  wire        wready;
  wire        bvalid;
  wire [1:0]  bresp;
  wire        arready;
  wire        rvalid;
  wire [31:0] rdata;
  wire [1:0]  rresp;
  wire        start;
  wire        abort;
  wire        load;
  wire        logit_read;
  wire [7:0]  logit_addr;
  wire        irq;

  eb_registers #(
    .ConfigHash (32'h89ABCDEF),
    .Lanes      (13),
    .CodeW      (8),
    .ExpW       (3),
    .MaxRows    (300),
    .MaxClasses (MaxClasses)
  ) u_dut (
    .clk_i            (clk_i),
    .rst_ni           (rst_n),
    .s_axil_awvalid_i (awvalid_i),
    .s_axil_awready_o (awready),
    .s_axil_awaddr_i  (awaddr_i),
    .s_axil_wvalid_i  (wvalid_i),
    .s_axil_wready_o  (wready),
    .s_axil_wdata_i   (wdata_i),
    .s_axil_wstrb_i   (wstrb_i),
    .s_axil_bvalid_o  (bvalid),
    .s_axil_bready_i  (bready_i),
    .s_axil_bresp_o   (bresp),
    .s_axil_arvalid_i (arvalid_i),
    .s_axil_arready_o (arready),
    .s_axil_araddr_i  (araddr_i),
    .s_axil_rvalid_o  (rvalid),
    .s_axil_rready_i  (rready_i),
    .s_axil_rdata_o   (rdata),
    .s_axil_rresp_o   (rresp),
    .start_o          (start),
    .abort_o          (abort),
    .load_o           (load),
    `WRITTEN_PORTS
    .busy_i           (busy),
    .done_i           (status_i[1]),
    .error_i          (status_i[2]),
    .loaded_i         (status_i[3]),
    .aborted_i        (status_i[4]),
    .resident_i       (status_i[5]),
    .done_event_i     (event_i[0]),
    .error_event_i    (event_i[1]),
    .aborted_event_i  (event_i[2]),
    .error_code_i     (state_i[7:0]),
    .error_detail_i   (state_i[31:8]),
    .exit_layer_i     (state_i[15:0]),
    .prediction_i     (state_i[7:0]),
    .entropy_i        (state_i[19:0]),
    .saturated_i      (saturated_i),
    .logit_read_o     (logit_read),
    .logit_addr_o     (logit_addr),
    .logit_i          (state_i[25:0]),
    .counters_clear_i (clear_i),
    .counters_run_i   (run_i),
    `COUNTER_PORTS
    .irq_o            (irq)
  );

  // Requests that were taken and whose answer was not offered yet: at most one of each kind.
  reg [1:0]  writes_a = 2'd0;
  reg [1:0]  writes_d = 2'd0;
  reg [10:0] waddr;
  reg [31:0] wdata;
  reg [3:0]  wstrb;
  reg [1:0]  reads = 2'd0;
  reg [10:0] raddr;

  // Answers as they were in the cycle before, when they were not taken.
  reg        b_held = 1'b0;
  reg [1:0]  b_before;
  reg        r_held = 1'b0;
  reg [1:0]  r_before;
  reg [31:0] r_data_before;
  wire       answer = bvalid && !b_held;  // a new one, to the write of the cycle before
  wire       result = rvalid && !r_held;

  always @(posedge clk_i) begin
    b_held        <= rst_n && bvalid && !bready_i;
    b_before      <= bresp;
    r_held        <= rst_n && rvalid && !rready_i;
    r_before      <= rresp;
    r_data_before <= rdata;
    if (rst_n) begin
      writes_a <= writes_a + (awvalid_i && awready) - answer;
      writes_d <= writes_d + (wvalid_i && wready) - answer;
      reads    <= reads + (arvalid_i && arready) - result;
      if (awvalid_i && awready) waddr <= {awaddr_i[10:2], 2'b00};
      if (wvalid_i && wready) begin
        wdata <= wdata_i;
        wstrb <= wstrb_i;
      end
      if (arvalid_i && arready) raddr <= {araddr_i[10:2], 2'b00};
    end
  end

  // Inputs and outputs of the cycle before, in which the request was carried out.
  reg [5:0]   status_before;
  reg [31:0]  state_before;
  reg         clear_before;
  reg         run_before;
  reg [127:0] count_before;
  reg [2:0]   commands_before;
  reg         logit_before;
  reg [7:0]   logit_addr_before;
  always @(posedge clk_i) begin
    status_before     <= status_i;
    state_before      <= state_i;
    clear_before      <= clear_i;
    run_before        <= run_i;
    count_before      <= count_i;
    commands_before   <= {load, abort, start};
    logit_before      <= logit_read;
    logit_addr_before <= logit_addr;
  end

  // The answer that the map asks for.
  wire [31:0] mask    = {{8{wstrb[3]}}, {8{wstrb[2]}}, {8{wstrb[1]}}, {8{wstrb[0]}}};
  wire [31:0] bits    = wdata & mask;
  wire [2:0]  kind    = access_of(waddr);
  wire        command = kind == WRITE_ONLY;
  wire        legal   = kind == ALWAYS_WRITABLE || kind == WRITE_ONE_CLEAR ||
                        (kind == READ_WRITE && !status_before[0]) ||
                        (command && (bits[2:0] == 3'b000 || bits[2:0] == 3'b010 ||
                                     ((bits[2:0] == 3'b001 || bits[2:0] == 3'b100) &&
                                      !status_before[0])));
  wire        written = answer && legal;

  // Registers as they are now; the copies lag by the write that is answered now.
  reg  [32*STORED-1:0] copy_q = {32 * STORED{1'b0}};
  wire [32*STORED-1:0] copy;
  genvar               r;
  generate
    for (r = 0; r < STORED; r = r + 1) begin : g_stored
      wire [31:0] old   = copy_q[32*r+:32];
      wire        newer = written && waddr == STORED_OFFSETS[11*r+:11];
      assign copy[32*r+:32] = newer ? (old & ~mask) | bits : old;
    end
  endgenerate
  wire [31:0] enable = copy[32*IRQ_ENABLE_AT+:32];
  wire [31:0] limit  = copy[32*WATCHDOG_AT+:32];

  // The watchdog and the interrupts.
  reg  [31:0] left_q       = 32'd0;
  reg  [3:0]  pending_q    = 4'd0;
  reg         saturation_q = 1'b0;
  wire        ended   = event_i != 3'd0;
  wire        timeout = left_q == 32'd1 && !ended;
  reg  [3:0]  events_q     = 4'd0;
  wire [3:0]  cleared = (written && waddr == IRQ_STATUS) ? bits[3:0] : 4'd0;
  wire [3:0]  pending = (pending_q & ~cleared) | events_q;
  always @(posedge clk_i) begin
    if (rst_n) begin
      copy_q       <= copy;
      pending_q    <= pending;
      events_q     <= {timeout, event_i};
      saturation_q <= (saturation_q && !clear_i) || (saturated_i && run_i);
      if (start || load)        left_q <= limit;
      else if (ended)           left_q <= 32'd0;
      else if (left_q != 32'd0) left_q <= left_q - 32'd1;
    end
  end

  // As it was in the cycle before, for a read.
  reg saturation_before = 1'b0;
  always @(posedge clk_i) saturation_before <= saturation_q;

  // What a read must answer that is offered now.
  wire        is_counter = raddr >= COUNTERS && raddr < COUNTERS_END;
  wire        is_logit   = raddr >= LOGITS && raddr < LOGITS_END;
  wire [4:0]  counter    = raddr[7:3];
  wire [31:0] count      = {28'd0, !count_before[counter], count_before[counter], run_before,
                            clear_before};
  reg  [31:0] driven;    // by the hardware
  reg         is_driven;
  always @* begin
    is_driven = 1'b1;
    case (raddr)
      IDENTITY:    driven = MAP_IDENTITY;
      VERSION:     driven = MAP_VERSION;
      CONFIG_HASH: driven = 32'h89ABCDEF;
      SHAPE:       driven = {16'd300, 4'd3, 4'd8, 8'd13};
      CONTROL:     driven = 32'd0;
      STATUS:      driven = {26'd0, status_before};
      ERROR:       driven = state_before;
      IRQ_STATUS:  driven = {28'd0, pending_q};
      EXIT_LAYER:  driven = {16'd0, state_before[15:0]};
      PREDICTION:  driven = {24'd0, state_before[7:0]};
      ENTROPY:     driven = {12'd0, state_before[19:0]};
      SATURATION:  driven = {31'd0, saturation_before};
      default: begin
        is_driven = is_counter || is_logit;
        driven    = is_counter ? (raddr[2] ? ~count : count)
                               : {{6{state_before[25]}}, state_before[25:0]};
      end
    endcase
  end

  integer    i;
  reg        is_stored;
  reg [31:0] stored;
  reg        outputs_right;
  always @* begin
    is_stored     = 1'b0;
    stored        = 32'd0;
    outputs_right = 1'b1;
    for (i = 0; i < STORED; i = i + 1) begin
      if (raddr == STORED_OFFSETS[11*i+:11]) begin
        is_stored = 1'b1;
        stored    = copy_q[32*i+:32];
      end
      if (access_of(STORED_OFFSETS[11*i+:11]) == READ_WRITE &&
          written_ports[32*i+:32] != copy[32*i+:32]) outputs_right = 1'b0;
    end
  end

  always @* begin
    if (rst_n) begin
      b_stable:    assert (!b_held || (bvalid && bresp == b_before));
      r_stable:    assert (!r_held || (rvalid && rresp == r_before && rdata == r_data_before));
      b_asked:     assert (!answer || (writes_a != 2'd0 && writes_d != 2'd0));
      r_asked:     assert (!result || reads != 2'd0);
      one_request: assert (writes_a <= 2'd1 && writes_d <= 2'd1 && reads <= 2'd1);
      b_answer:    assert (!answer || bresp == (legal ? 2'b00 : 2'b10));
      r_answer:    assert (!result || rresp == (access_of(raddr) == NONE ? 2'b10 : 2'b00));
      map_known:   assert (!result || (access_of(raddr) != NONE) == (is_stored || is_driven));
      r_none:      assert (!result || access_of(raddr) != NONE || rdata == 32'd0);
      r_driven:    assert (!result || !is_driven || rdata == driven);
      r_stored:    assert (!result || !is_stored || rdata == stored);
      written_out: assert (outputs_right);
      commands:    assert (commands_before == ((written && command) ? bits[2:0] : 3'd0));
      logit_asked: assert (logit_before == (result && is_logit) &&
                           (!logit_before || {logit_addr_before, 2'b00} == raddr[9:0]));
      interrupt:   assert (irq == ((pending & enable[3:0]) != 4'd0));
    end
  end

endmodule

// Counts nothing: shows its inputs.
module eb_counter #(
  parameter EventW = 1
) (
  input  wire              clk_i,
  input  wire              rst_ni,
  input  wire              clear_i,
  input  wire              run_i,
  input  wire [EventW-1:0] events_i,
  output wire [31:0]       low_o,
  output wire [31:0]       high_o
);

  assign low_o  = {28'd0, !events_i[0], events_i[0], run_i, clear_i};
  assign high_o = ~low_o;

endmodule

`default_nettype wire
