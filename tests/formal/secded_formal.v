// eb_secded_decoder behind a textbook encoder and a channel with up to two wrong bits: no wrong bit
// or one, anywhere, leaves the data; two are noticed; and the two outputs say which it was.
//
// The encoder goes by positions from 1: check bits at the powers of two, data at the others in
// order, check bit i the parity of the positions that have bit i.
`default_nettype none

module secded_formal #(
  parameter DataBits  = 32,
  parameter CheckBits = 7
) (
  input wire                clk_i,
  input wire [DataBits-1:0] data_i,
  input wire [7:0]          first_i,   // bits of the word to turn, none beyond it
  input wire [7:0]          second_i
);

  localparam BITS = DataBits + CheckBits;
  localparam LAST = BITS - 1;  // positions 1 to LAST; the parity of all has none

  // Data by position.
  wire [LAST:0] at;
  genvar        p;
  generate
    for (p = 0; p <= LAST; p = p + 1) begin : g_position
      if ((p & (p - 1)) == 0) begin : g_check
        assign at[p] = 1'b0;
      end else begin : g_data
        assign at[p] = data_i[p-1-$clog2(p)];
      end
    end
  endgenerate

  reg [CheckBits-2:0] check;
  integer             c;
  integer             q;
  always @* begin
    check = {(CheckBits - 1) {1'b0}};
    for (c = 0; c < CheckBits - 1; c = c + 1) begin
      for (q = 1; q <= LAST; q = q + 1) begin
        if (q[c]) check[c] = check[c] ^ at[q];
      end
    end
  end

  wire [BITS-1:0] sent   = {(^data_i) ^ (^check), check, data_i};
  wire [BITS-1:0] first  = {{(BITS - 1) {1'b0}}, 1'b1} << first_i;
  wire [BITS-1:0] second = {{(BITS - 1) {1'b0}}, 1'b1} << second_i;
  wire [BITS-1:0] wrong  = first ^ second;
  wire            none   = wrong == {BITS{1'b0}};
  wire            two    = (|first) && (|second) && !none;

  wire [DataBits-1:0] data;
  wire                corrected;
  wire                uncorrectable;

  eb_secded_decoder #(.DataBits(DataBits), .CheckBits(CheckBits)) u_dut (
    .word_i          (sent ^ wrong),
    .data_o          (data),
    .corrected_o     (corrected),
    .uncorrectable_o (uncorrectable)
  );

  always @* begin
    data_right: assert (two || data == data_i);
    one_said:   assert (corrected == (!none && !two));
    two_said:   assert (uncorrectable == two);
  end

endmodule

`default_nettype wire
