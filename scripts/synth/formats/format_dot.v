// format_dot: one column of the array around the multiplier of a format, registers where eb_vmac_array
// (vmac.pipeline = 2) and eb_accumulator have them: operands, products, sum, old and new partial sum.
// The partial sum comes from a memory and goes there; new_o = old_i + a . b, exactly.
module format_dot #(
  parameter Kind  = "af",  // "af", "minifloat", "int8_baugh_wooley", "int8_tool", "int8_magnitude"
  parameter CodeW = 8,
  parameter ExpW  = 3,
  parameter ProdW = 25,  // bits of a product
  parameter AccW  = 37,
  parameter Lanes = 16
) (
  input  wire                   clk_i,
  input  wire                   load_i,  // weights b_i
  input  wire                   row_i,   // activations a_i
  input  wire [Lanes*CodeW-1:0] a_i,
  input  wire [Lanes*CodeW-1:0] b_i,
  input  wire [AccW-1:0]        old_i,   // two cycles after its row_i
  output reg  [AccW-1:0]        new_o    // four cycles after row_i
);
  localparam PART_W = ProdW + 2;
  localparam DOT_W  = ProdW + $clog2(Lanes);
  localparam GROUPS = Lanes / 4;
  // One's complements want their sign as a carry.
  localparam CARRY  = (Kind == "af" || Kind == "minifloat" || Kind == "int8_magnitude") ? 1 : 0;

  // AdaptivFloat's operands are codes with their leading one, in registers behind its decoder.
  localparam OP_W   = (Kind == "af") ? CodeW + 1 : CodeW;
  localparam MAN_W  = CodeW - 1 - ExpW;

  reg [Lanes*OP_W-1:0] a_q, b_q;
  wire [Lanes*OP_W-1:0] a_d, b_d;
  reg [Lanes*ProdW-1:0] product_q;
  reg [DOT_W-1:0] sum_q;
  reg [AccW-1:0] old_q;
  reg [2:0] valid_q;
  wire [Lanes*ProdW-1:0] product;

  genvar k;
  generate
    for (k = 0; k < Lanes; k = k + 1) begin : g_k
      wire [CodeW-1:0] a_code = a_i[k*CodeW +: CodeW];
      wire [CodeW-1:0] b_code = b_i[k*CodeW +: CodeW];
      wire [OP_W-1:0] a = a_q[k*OP_W +: OP_W];
      wire [OP_W-1:0] b = b_q[k*OP_W +: OP_W];
      wire [ProdW-1:0] p;
      if (Kind == "af") begin : g_af
        assign a_d[k*OP_W +: OP_W] =
            {a_code[CodeW-1:MAN_W], |a_code[CodeW-2:0], a_code[MAN_W-1:0]};
        assign b_d[k*OP_W +: OP_W] =
            {b_code[CodeW-1:MAN_W], |b_code[CodeW-2:0], b_code[MAN_W-1:0]};
        eb_af_multiplier #(.CodeW(CodeW), .ExpW(ExpW)) u_multiplier (
          .clk_i(clk_i), .en_i(1'b1), .a_i(a), .b_i(b), .product_o(p));
      end else if (Kind == "minifloat") begin : g_minifloat
        minifloat #(.ExpW(ExpW), .ManW(CodeW-1-ExpW)) u_multiplier (
          .a_i(a), .b_i(b), .product_o(p));
      end else if (Kind == "int8_baugh_wooley") begin : g_baugh_wooley
        int8_baugh_wooley u_multiplier (.a_i(a), .b_i(b), .product_o(p));
      end else if (Kind == "int8_tool") begin : g_tool
        int8_tool u_multiplier (.a_i(a), .b_i(b), .product_o(p));
      end else begin : g_magnitude
        int8_magnitude u_multiplier (.a_i(a), .b_i(b), .product_o(p));
      end
      if (Kind != "af") begin : g_code
        assign a_d[k*OP_W +: OP_W] = a_code;
        assign b_d[k*OP_W +: OP_W] = b_code;
      end
      assign product[k*ProdW +: ProdW] = p;
    end
    for (k = 0; k < GROUPS; k = k + 1) begin : g_group
      wire [ProdW-1:0] p0 = product_q[(4*k+0)*ProdW +: ProdW];
      wire [ProdW-1:0] p1 = product_q[(4*k+1)*ProdW +: ProdW];
      wire [ProdW-1:0] p2 = product_q[(4*k+2)*ProdW +: ProdW];
      wire [ProdW-1:0] p3 = product_q[(4*k+3)*ProdW +: ProdW];
      wire [PART_W-1:0] part;
      if (CARRY != 0) begin : g_carry
        assign part = {{2{p0[ProdW-1]}}, p0} + {{2{p1[ProdW-1]}}, p1}
            + {{2{p2[ProdW-1]}}, p2} + {{2{p3[ProdW-1]}}, p3}
            + {{(PART_W-1){1'b0}}, p0[ProdW-1]} + {{(PART_W-1){1'b0}}, p1[ProdW-1]}
            + {{(PART_W-1){1'b0}}, p2[ProdW-1]} + {{(PART_W-1){1'b0}}, p3[ProdW-1]};
      end else begin : g_plain
        assign part = {{2{p0[ProdW-1]}}, p0} + {{2{p1[ProdW-1]}}, p1}
            + {{2{p2[ProdW-1]}}, p2} + {{2{p3[ProdW-1]}}, p3};
      end
      wire [DOT_W-1:0] addend = {{(DOT_W-PART_W){part[PART_W-1]}}, part};
      wire [DOT_W-1:0] total;
      if (k == 0) begin : g_first
        assign total = addend;
      end else begin : g_next
        assign total = g_group[k-1].total + addend;
      end
    end
  endgenerate

  always @(posedge clk_i) begin
    valid_q <= {valid_q[1:0], row_i};
    if (load_i) b_q <= b_d;
    if (row_i) a_q <= a_d;
    if (valid_q[0]) product_q <= product;
    if (valid_q[1]) begin
      sum_q <= g_group[GROUPS-1].total;
      old_q <= old_i;
    end
    if (valid_q[2]) new_o <= old_q + {{(AccW-DOT_W){sum_q[DOT_W-1]}}, sum_q};
  end
endmodule
