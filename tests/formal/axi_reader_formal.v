// What eb_axi_reader promises on its AR channel and to who asks for beats, under a memory that
// answers as AXI4 demands: the beats of a burst after its address was taken, bursts in order, RLAST
// with the last beat. Addresses, lengths, data and every ready and valid are free; with Fair=1 the
// memory never waits, and what was cleared is gone in a bounded time. One bit of the data is looked
// at: the others go beside it.
`default_nettype none

module axi_reader_formal #(
  parameter MaxBurst    = 3,
  parameter Outstanding = 2,
  parameter FifoDepth   = 4,
  parameter MaxBeats    = 15,  // of a request
  parameter Fair        = 0
) (
  input wire        clk_i,
  input wire        clear_i,
  input wire        req_valid_i,
  input wire [12:0] req_addr_i,
  input wire [31:0] req_beats_i,
  input wire        beat_ready_i,
  input wire        arready_i,
  input wire        rvalid_i,
  input wire [31:0] rdata_i,
  input wire [1:0]  rresp_i,
  input wire        rlast_i,
  input wire        mark_i
);

  localparam ADDR_W = 13;  // two pages of 4 KiB

  reg rst_n = 1'b0;
  always @(posedge clk_i) rst_n <= 1'b1;

  wire              req_ready;
  wire              beat_valid;
  wire [31:0]       beat;
  wire              error;
  wire              idle;
  wire              arvalid;
  wire [0:0]        arid;
  wire [ADDR_W-1:0] araddr;
  wire [7:0]        arlen;
  wire [2:0]        arsize;
  wire [1:0]        arburst;
  wire              rready;

  eb_axi_reader #(
    .AxiAddrW    (ADDR_W),
    .AxiDataW    (32),
    .AxiIdW      (1),
    .MaxBurst    (MaxBurst),
    .Outstanding (Outstanding),
    .FifoDepth   (FifoDepth),
    .Backend     (1)
  ) u_dut (
    .clk_i           (clk_i),
    .rst_ni          (rst_n),
    .clear_i         (clear_i),
    .req_valid_i     (req_valid_i),
    .req_ready_o     (req_ready),
    .req_addr_i      (req_addr_i),
    .req_beats_i     (req_beats_i),
    .beat_valid_o    (beat_valid),
    .beat_ready_i    (beat_ready_i),
    .beat_o          (beat),
    .error_o         (error),
    .idle_o          (idle),
    .m_axi_arvalid_o (arvalid),
    .m_axi_arready_i (arready_i),
    .m_axi_arid_o    (arid),
    .m_axi_araddr_o  (araddr),
    .m_axi_arlen_o   (arlen),
    .m_axi_arsize_o  (arsize),
    .m_axi_arburst_o (arburst),
    .m_axi_rvalid_i  (rvalid_i),
    .m_axi_rready_o  (rready),
    .m_axi_rdata_i   (rdata_i),
    .m_axi_rresp_i   (rresp_i),
    .m_axi_rlast_i   (rlast_i)
  );

  wire request = req_valid_i && req_ready;
  wire address = arvalid && arready_i;
  wire data    = rvalid_i && rready;

  // The memory: lengths of the bursts it has taken, oldest first.
  reg [2:0] bursts = 3'd0;
  reg [2:0] left   = 3'd0;  // beats of the oldest burst, less one
  reg [2:0] next_1 = 3'd0;  // the same of the bursts behind it
  reg [2:0] next_2 = 3'd0;

  wire done = data && rlast_i;
  always @(posedge clk_i) begin
    if (rst_n) begin
      bursts <= bursts + address - done;
      if (data) left <= left - 3'd1;
      if (done) begin
        left   <= next_1;
        next_1 <= next_2;
      end
      if (address) begin
        if (bursts == done)             left   <= arlen[2:0];
        else if (bursts == 3'd1 + done) next_1 <= arlen[2:0];
        else                            next_2 <= arlen[2:0];
      end
    end
  end

  always @* begin
    assume (req_beats_i <= MaxBeats);
    assume (!rvalid_i || bursts != 3'd0);
    assume (!rvalid_i || rlast_i == (left == 3'd0));
    assume (!Fair || (arready_i && (rvalid_i || bursts == 3'd0)));
  end

  // AR as it was in the cycle before, when it was not taken.
  reg              held = 1'b0;
  reg [ADDR_W-1:0] held_addr;
  reg [7:0]        held_len;
  always @(posedge clk_i) begin
    held      <= rst_n && arvalid && !arready_i;
    held_addr <= araddr;
    held_len  <= arlen;
  end

  // What of the request has not been offered yet, from the cycle after its acceptance; a new offer
  // is one that was not held over.
  reg [4:0]        wanted = 5'd0;
  reg [ADDR_W-1:0] wanted_addr;
  wire             offer = arvalid && !held;
  wire [4:0]       offered = offer ? arlen[4:0] + 5'd1 : 5'd0;
  always @(posedge clk_i) begin
    if (rst_n) begin
      if (clear_i)      wanted <= 5'd0;
      else if (request) wanted <= req_beats_i[4:0];
      else              wanted <= wanted - offered;
      if (request)    wanted_addr <= {req_addr_i[ADDR_W-1:2], 2'b00};
      else if (offer) wanted_addr <= wanted_addr + {offered, 2'b00};
    end
  end

  // Bursts whose address was raised before the last clear.
  reg  stale = 1'b0;
  wire open  = (bursts + (arvalid ? 3'd1 : 3'd0) - (done ? 3'd1 : 3'd0)) != 3'd0;
  always @(posedge clk_i) if (rst_n) stale <= (clear_i || stale) && open;

  // Beats taken for the request and not yet delivered; any of them is marked.
  wire             keep    = data && !stale && !clear_i;
  wire             deliver = beat_valid && beat_ready_i;
  reg [4:0]        words   = 5'd0;
  reg [4:0]        ahead   = 5'd0;
  reg              marked  = 1'b0;
  reg              marked_data;
  reg              waiting = 1'b0;
  reg              waiting_data;
  always @(posedge clk_i) begin
    waiting      <= rst_n && beat_valid && !beat_ready_i && !clear_i;
    waiting_data <= beat[0];
    if (rst_n) begin
      words <= clear_i ? 5'd0 : words + keep - deliver;
      if (clear_i) marked <= 1'b0;
      else if (marked) begin
        if (deliver && ahead == 5'd0) marked <= 1'b0;
        if (deliver) ahead <= ahead - 5'd1;
      end else if (keep && mark_i) begin
        marked      <= 1'b1;
        marked_data <= rdata_i[0];
        ahead       <= words - deliver;
      end
    end
  end

  // Cycles since a clear, while no request came.
  localparam BOUND = Outstanding * MaxBurst + 3;
  reg [5:0] quiet = 6'd0;
  reg       ended = 1'b0;
  always @(posedge clk_i) begin
    if (rst_n) begin
      if (clear_i)      ended <= 1'b1;
      else if (request) ended <= 1'b0;
      if (clear_i || request || !ended) quiet <= 6'd0;
      else if (quiet != BOUND)          quiet <= quiet + 6'd1;
    end
  end

  reg refused = 1'b0;  // a beat with an error in the cycle before
  always @(posedge clk_i) refused <= rst_n && keep && rresp_i[1];

  always @* begin
    if (rst_n) begin
      ar_stable:   assert (!held || (arvalid && araddr == held_addr && arlen == held_len));
      ar_constant: assert (arid == 1'b0 && arsize == 3'd2 && arburst == 2'b01);
      ar_aligned:  assert (!arvalid || araddr[1:0] == 2'b00);
      ar_length:   assert (!arvalid || arlen < MaxBurst);
      ar_page:     assert (!arvalid || {1'b0, araddr[11:2]} + arlen < 11'd1024);
      outstanding: assert (bursts + arvalid <= Outstanding);
      ar_request:  assert (!offer || (araddr == wanted_addr && offered <= wanted));
      r_ready:     assert (rready || bursts == 3'd0);
      no_request:  assert (!req_ready || (!stale && wanted == offered));
      beats_held:  assert (words <= FifoDepth && (!beat_valid || words != 5'd0));
      beats_order: assert (!(marked && ahead == 5'd0 && beat_valid) || beat[0] == marked_data);
      beat_stable: assert (!waiting || (beat_valid && beat[0] == waiting_data));
      errors:      assert (error == refused);
      idle_means:  assert (!idle || (bursts == 3'd0 && !arvalid && words == 5'd0 &&
                                     wanted == 5'd0));
      clear_ends:  assert (!Fair || quiet != BOUND || (idle && (req_ready || clear_i)));
    end
  end

endmodule

`default_nettype wire
