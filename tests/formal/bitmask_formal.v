// Round trip of two vectors of a sequence through eb_bitmask_encoder and eb_bitmask_decoder: with
// every mask, every code, and every choice of who waits when, what comes out is what went in, but
// for the sign of zeros.
//
// The checker compacts the codes itself; words and masks are offered and vectors taken at will.
`default_nettype none

module bitmask_formal #(
  parameter Lanes   = 4,
  parameter CodeW   = 3,
  parameter InCodes = 4
) (
  input wire clk_i,
  input wire codes_valid_i,
  input wire mask_valid_i,
  input wire vec_ready_i
);

  localparam VEC_W   = Lanes * CodeW;
  localparam VECTORS = 2;
  localparam WORDS   = (VECTORS * Lanes + InCodes - 1) / InCodes;
  localparam ONES_W  = $clog2(Lanes) + 1;

  (* anyconst *) reg [VECTORS*VEC_W-1:0] codes;

  reg rst_n = 1'b0;
  always @(posedge clk_i) rst_n <= 1'b1;

  // Masks, the same for whoever wants to know what a zero is.
  wire [VECTORS*Lanes-1:0] masks;
  reg  [VECTORS*Lanes-1:0] nonzero;
  genvar                   v;
  generate
    for (v = 0; v < VECTORS; v = v + 1) begin : g_vector
      eb_bitmask_encoder #(.Lanes(Lanes), .CodeW(CodeW)) u_encoder (
        .codes_i (codes[v*VEC_W+:VEC_W]),
        .mask_o  (masks[v*Lanes+:Lanes])
      );
    end
  endgenerate

  // What is stored: codes that are not zero, in order. What must come out: zeros without a sign.
  reg [WORDS*InCodes*CodeW-1:0] stored;
  reg [VECTORS*VEC_W-1:0]       expected;
  reg [7:0]                     total;
  reg [ONES_W-1:0]              ones_0;
  reg [ONES_W-1:0]              ones_1;
  integer                       i;
  always @* begin
    stored   = {WORDS * InCodes * CodeW {1'b0}};
    expected = {VECTORS * VEC_W {1'b0}};
    total    = 8'd0;
    ones_0   = {ONES_W{1'b0}};
    ones_1   = {ONES_W{1'b0}};
    for (i = 0; i < VECTORS * Lanes; i = i + 1) begin
      nonzero[i] = codes[i*CodeW+:CodeW-1] != {(CodeW - 1) {1'b0}};
      if (nonzero[i]) begin
        stored = stored | ({{(WORDS*InCodes-1)*CodeW{1'b0}}, codes[i*CodeW+:CodeW]}
                           << (CodeW * total));
        expected[i*CodeW+:CodeW] = codes[i*CodeW+:CodeW];
        total = total + 8'd1;
        if (i < Lanes) ones_0 = ones_0 + 1'b1;
        else           ones_1 = ones_1 + 1'b1;
      end
    end
  end

  reg [3:0] word   = 4'd0;  // words sent
  reg [1:0] mask   = 2'd0;  // masks sent
  reg [1:0] vector = 2'd0;  // vectors received

  // A word with no code of the sequence is not sent.
  wire codes_valid = codes_valid_i && word * InCodes < total;
  wire mask_valid  = mask_valid_i && mask < VECTORS;

  wire              codes_ready;
  wire              mask_ready;
  wire [ONES_W-1:0] codes_taken;
  wire              vec_valid;
  wire [VEC_W-1:0]  vec;

  eb_bitmask_decoder #(.Lanes(Lanes), .CodeW(CodeW), .InCodes(InCodes)) u_dut (
    .clk_i         (clk_i),
    .rst_ni        (rst_n),
    .clear_i       (1'b0),
    .codes_valid_i (codes_valid),
    .codes_ready_o (codes_ready),
    .codes_i       (stored[word*InCodes*CodeW+:InCodes*CodeW]),
    .mask_valid_i  (mask_valid),
    .mask_ready_o  (mask_ready),
    .mask_i        (masks[mask[0]*Lanes+:Lanes]),
    .mask_ones_i   (mask[0] ? ones_1 : ones_0),
    .mask_last_i   (mask[0]),
    .codes_taken_o (codes_taken),
    .vec_valid_o   (vec_valid),
    .vec_ready_i   (vec_ready_i),
    .vec_o         (vec)
  );

  // Something moves in every cycle in which all are willing.
  wire willing = codes_valid_i && mask_valid_i && vec_ready_i;
  wire moved   = (codes_valid && codes_ready) || (mask_valid && mask_ready) || vec_valid;
  always @(posedge clk_i) begin
    if (rst_n) begin
      if (codes_valid && codes_ready) word <= word + 4'd1;
      if (mask_valid && mask_ready) mask <= mask + 2'd1;
      if (vec_valid && vec_ready_i) vector <= vector + 2'd1;
    end
  end

  always @* begin
    masks_right: assert (masks == nonzero);
    if (rst_n) begin
      round_trip:   assert (!vec_valid || (vector < VECTORS &&
                                           vec == expected[vector[0]*VEC_W+:VEC_W]));
      one_a_mask:   assert (vector + vec_valid == mask);
      never_stuck:  assert (!willing || moved || vector == VECTORS);
      codes_count:  assert (codes_taken == ((mask_valid && mask_ready) ?
                                            (mask[0] ? ones_1 : ones_0) : {ONES_W{1'b0}}));
    end
  end

endmodule

`default_nettype wire
