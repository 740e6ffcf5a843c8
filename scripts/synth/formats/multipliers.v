// Multipliers of two codes for format_dot. AdaptivFloat's is eb_af_multiplier, the accelerator's own.
// product_o is exact: two's complement of INT8, one's complement of those of sign and magnitude, where a
// zero operand makes it 0 whatever the signs, as in eb_af_multiplier.

// Two's complement, 8 bits, by Baugh and Wooley.
module int8_baugh_wooley (
  input  wire [7:0]  a_i,
  input  wire [7:0]  b_i,
  output wire [15:0] product_o
);
  wire [15:0] row [0:7];
  genvar i;
  generate
    for (i = 0; i < 7; i = i + 1) begin : g_row
      wire [6:0] bits = a_i[6:0] & {7{b_i[i]}};
      assign row[i] = {8'b0, ~(a_i[7] & b_i[i]), bits} << i;
    end
  endgenerate
  assign row[7] = {1'b0, a_i[7] & b_i[7], ~(a_i[6:0] & {7{b_i[7]}}), 7'b0};
  assign product_o = row[0] + row[1] + row[2] + row[3] + row[4] + row[5] + row[6] + row[7]
      + 16'h8100;
endmodule

// The same as the synthesis tool makes it.
module int8_tool (
  input  wire signed [7:0]  a_i,
  input  wire signed [7:0]  b_i,
  output wire signed [15:0] product_o
);
  assign product_o = a_i * b_i;
endmodule

// Symmetric integers as sign and magnitude.
module int8_magnitude (
  input  wire [7:0]  a_i,
  input  wire [7:0]  b_i,
  output wire [14:0] product_o
);
  wire [13:0] magnitude = {7'b0, a_i[6:0]} * {7'b0, b_i[6:0]};
  wire negative = (a_i[7] ^ b_i[7]) & |a_i[6:0] & |b_i[6:0];
  assign product_o = {1'b0, magnitude} ^ {15{negative}};
endmodule

// IEEE style with subnormals: sign, exponent, mantissa. Infinities and NaN are not told from numbers, which
// is in favour of this format.
module minifloat #(
  parameter ExpW = 4,
  parameter ManW = 3
) (
  input  wire [ExpW+ManW:0]                 a_i,
  input  wire [ExpW+ManW:0]                 b_i,
  output wire [2*(ManW-1+(1<<ExpW)):0]      product_o
);
  localparam SIG_W  = ManW + 1;
  localparam PROD_W = 2 * (ManW - 1 + (1 << ExpW)) + 1;
  wire a_normal = |a_i[ExpW+ManW-1:ManW];
  wire b_normal = |b_i[ExpW+ManW-1:ManW];
  wire [2*SIG_W-1:0] magnitude =
      {{SIG_W{1'b0}}, a_normal, a_i[ManW-1:0]} * {{SIG_W{1'b0}}, b_normal, b_i[ManW-1:0]};
  // A subnormal has the exponent of the smallest normal, 1, which stands for no shift.
  wire [ExpW-1:0] a_exponent = a_i[ExpW+ManW-1:ManW] - {{(ExpW-1){1'b0}}, a_normal};
  wire [ExpW-1:0] b_exponent = b_i[ExpW+ManW-1:ManW] - {{(ExpW-1){1'b0}}, b_normal};
  wire [ExpW:0] shift = {1'b0, a_exponent} + {1'b0, b_exponent};
  wire [PROD_W-1:0] aligned = {{(PROD_W-2*SIG_W){1'b0}}, magnitude} << shift;
  wire negative = (a_i[ExpW+ManW] ^ b_i[ExpW+ManW]) & |a_i[ExpW+ManW-1:0] & |b_i[ExpW+ManW-1:0];
  assign product_o = aligned ^ {PROD_W{negative}};
endmodule
