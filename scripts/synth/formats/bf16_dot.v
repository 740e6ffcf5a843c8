// bf16_dot: what format_dot is, for bfloat16 with a partial sum in single precision (subnormals are zero).
// Products are exact; they are aligned to the largest exponent, where WINDOW bits are kept; the sum is
// normalised and added to the partial sum, rounded to nearest. More registers than format_dot has, for its clock.
module bf16_dot #(
  parameter Lanes = 16
) (
  input  wire                clk_i,
  input  wire                load_i,
  input  wire                row_i,
  input  wire [Lanes*16-1:0] a_i,
  input  wire [Lanes*16-1:0] b_i,
  input  wire [31:0]         old_i,  // six cycles after its row_i
  output reg  [31:0]         new_o   // nine cycles after row_i
);
  localparam WINDOW = 28;  // of a product of 16 bits, and what is shifted out of it
  localparam SUM_W  = WINDOW + 1 + $clog2(Lanes);

  reg [Lanes*16-1:0] a_q, b_q;
  reg [7:0] valid_q;
  always @(posedge clk_i) begin
    valid_q <= {valid_q[6:0], row_i};
    if (load_i) b_q <= b_i;
    if (row_i) a_q <= a_i;
  end

  // 1: products. Exponents have twice the bias; 0 is that of a zero.
  reg [Lanes*16-1:0] product_q, product_qq;
  reg [Lanes*9-1:0] exponent_q, exponent_qq;
  reg [Lanes-1:0] negative_q, negative_qq;
  reg [8:0] largest_q, largest_qq, largest_qqq;
  // 2: the largest exponent, by a binary tree. Node 1 is the root, lane k the node Lanes + k.
  wire [2*Lanes*9-1:0] node;
  assign node[8:0] = 9'd0;
  // 3: aligned, in one's complement.
  reg [Lanes*(WINDOW+1)-1:0] aligned_q;
  wire [Lanes*(WINDOW+1)-1:0] aligned;
  // 4: the sum.
  reg [SUM_W-1:0] sum_q;

  genvar k;
  generate
    for (k = 0; k < Lanes; k = k + 1) begin : g_lane
      wire [15:0] a = a_q[16*k +: 16];
      wire [15:0] b = b_q[16*k +: 16];
      wire zero = ~((|a[14:7]) & (|b[14:7]));
      wire [15:0] magnitude = {8'b0, 1'b1, a[6:0]} * {8'b0, 1'b1, b[6:0]};
      wire [8:0] exponent = {1'b0, a[14:7]} + {1'b0, b[14:7]};
      always @(posedge clk_i) begin
        if (valid_q[0]) begin
          product_q[16*k +: 16] <= magnitude & {16{~zero}};
          exponent_q[9*k +: 9] <= exponent & {9{~zero}};
          negative_q[k] <= a[15] ^ b[15];
        end
      end
      assign node[9*(Lanes+k) +: 9] = exponent_q[9*k +: 9];
      wire [8:0] distance = largest_q - exponent_qq[9*k +: 9];
      wire [WINDOW-1:0] shifted =
          (|distance[8:5]) ? {WINDOW{1'b0}}
          : {product_qq[16*k +: 16], {(WINDOW-16){1'b0}}} >> distance[4:0];
      assign aligned[(WINDOW+1)*k +: WINDOW+1] = {1'b0, shifted} ^ {(WINDOW+1){negative_qq[k]}};
      wire [WINDOW:0] term = aligned_q[(WINDOW+1)*k +: WINDOW+1];
      wire [SUM_W-1:0] addend = {{(SUM_W-WINDOW-1){term[WINDOW]}}, term};
      wire [SUM_W-1:0] carry = {{(SUM_W-1){1'b0}}, term[WINDOW]};
      wire [SUM_W-1:0] total;
      if (k == 0) begin : g_first
        assign total = addend + carry;
      end else begin : g_next
        assign total = g_lane[k-1].total + addend + carry;
      end
    end
    for (k = 1; k < Lanes; k = k + 1) begin : g_node
      wire [8:0] left = node[9*(2*k) +: 9];
      wire [8:0] right = node[9*(2*k+1) +: 9];
      assign node[9*k +: 9] = (left > right) ? left : right;
    end
  endgenerate
  always @(posedge clk_i) begin
    if (valid_q[1]) begin
      product_qq <= product_q;
      exponent_qq <= exponent_q;
      negative_qq <= negative_q;
      largest_q <= node[9 +: 9];
    end
    if (valid_q[2]) begin
      aligned_q <= aligned;
      largest_qq <= largest_q;
    end
    if (valid_q[3]) begin
      sum_q <= g_lane[Lanes-1].total;
      largest_qqq <= largest_qq;
    end
  end

  // 5: sign, and magnitude with its leading one at the top, cut to 27 bits.
  reg add_negative_q;
  reg [26:0] add_q;
  reg signed [10:0] add_exponent_q;
  reg [SUM_W-1:0] normal;
  reg [5:0] zeros;
  integer s;
  always @* begin
    normal = sum_q[SUM_W-1] ? ~sum_q + 1'b1 : sum_q;
    zeros = 6'd0;
    for (s = 5; s >= 0; s = s - 1) begin
      if ((normal >> (SUM_W - (1 << s))) == {SUM_W{1'b0}}) begin
        normal = normal << (1 << s);
        zeros[s] = 1'b1;
      end
    end
  end
  always @(posedge clk_i) begin
    if (valid_q[4]) begin
      add_negative_q <= sum_q[SUM_W-1];
      add_q <= normal[SUM_W-1 -: 27];
      // The top bit of a product stands for 2, and there are SUM_W - WINDOW bits above it.
      add_exponent_q <= normal[SUM_W-1]
          ? $signed({2'b0, largest_qqq}) - 11'sd127 + 11'sd1 + SUM_W - WINDOW - $signed({5'b0, zeros})
          : 11'sd0;
    end
  end

  // 6: the larger one, and the other aligned to it.
  reg big_negative_q, subtract_q;
  reg [26:0] big_q, small_q;
  reg signed [10:0] big_exponent_q;
  reg [31:0] old_q;
  reg [26:0] add_qq;
  reg signed [10:0] add_exponent_qq;
  reg add_negative_qq;
  wire signed [10:0] old_exponent = {3'b0, old_q[30:23]};
  wire [26:0] old = {|old_q[30:23], old_q[22:0], 3'b0};
  wire old_larger = {old_exponent, old} > {add_exponent_qq, add_qq};
  wire signed [10:0] gap = old_larger ? old_exponent - add_exponent_qq
                                      : add_exponent_qq - old_exponent;
  wire [26:0] other = old_larger ? add_qq : old;
  always @(posedge clk_i) begin
    if (valid_q[5]) begin
      old_q <= old_i;
      add_qq <= add_q;
      // What would be a subnormal is zero.
      add_exponent_qq <= (add_exponent_q > 11'sd0) ? add_exponent_q : 11'sd0;
      add_negative_qq <= add_negative_q;
      if (add_exponent_q <= 11'sd0) add_qq <= 27'd0;
    end
    if (valid_q[6]) begin
      big_negative_q <= old_larger ? old_q[31] : add_negative_qq;
      subtract_q <= old_q[31] ^ add_negative_qq;
      big_q <= old_larger ? old : add_qq;
      big_exponent_q <= old_larger ? old_exponent : add_exponent_qq;
      small_q <= (|gap[10:5]) ? 27'd0 : other >> gap[4:0];
    end
  end

  // 7: sum, normalised and rounded.
  reg [27:0] total;
  reg [4:0] left;
  integer t;
  always @* begin
    total = subtract_q ? {1'b0, big_q} - {1'b0, small_q} : {1'b0, big_q} + {1'b0, small_q};
    left = 5'd0;
    for (t = 4; t >= 0; t = t - 1) begin
      if ((total >> (28 - (1 << t))) == 28'd0) begin
        total = total << (1 << t);
        left[t] = 1'b1;
      end
    end
  end
  reg [27:0] total_q;
  reg [4:0] left_q;
  reg total_negative_q;
  reg signed [10:0] total_exponent_q;
  wire [24:0] rounded = {1'b0, total_q[27:4]} + {24'b0, total_q[3]};
  wire signed [10:0] exponent = total_exponent_q + 11'sd1 - $signed({6'b0, left_q})
                                + $signed({10'b0, rounded[24]});
  always @(posedge clk_i) begin
    total_q <= total;
    left_q <= left;
    total_negative_q <= big_negative_q;
    total_exponent_q <= big_exponent_q;
    new_o <= (!total_q[27] || exponent <= 11'sd0) ? 32'd0
             : {total_negative_q, exponent[7:0], rounded[24] ? 23'd0 : rounded[22:0]};
  end
endmodule
