// Self-checking: the multiplier of a format on every pair of codes, and format_dot on random rows, against integers
// made from the definition of the format by repeated doubling. Prints "PASS" or the first difference.
module formats_test;
  parameter Kind  = "af";
  parameter CodeW = 8;
  parameter ExpW  = 3;
  parameter ProdW = 25;
  parameter AccW  = 37;
  localparam MAN_W = CodeW - 1 - ExpW;
  localparam LANES = 16;

  reg clk = 1'b0;
  reg load = 1'b0, row = 1'b0;
  reg [LANES*CodeW-1:0] a, b;
  reg [AccW-1:0] old_sum = {AccW{1'b0}};
  wire [AccW-1:0] new_sum;
  format_dot #(.Kind(Kind), .CodeW(CodeW), .ExpW(ExpW), .ProdW(ProdW), .AccW(AccW)) dut (
    .clk_i(clk), .load_i(load), .row_i(row), .a_i(a), .b_i(b), .old_i(old_sum), .new_o(new_sum));

  reg signed [95:0] value [0:(1<<CodeW)-1];
  reg signed [95:0] want, got, largest;
  integer c, d, e, i, seed, exponent, mantissa;
  reg reserved;
  reg signed [ProdW-1:0] product;

  task tick;
    begin
      #1 clk = 1'b1;
      #1 clk = 1'b0;
    end
  endtask

  task fail;
    begin
      $display("FAIL %0s<%0d,%0d>: %0d instead of %0d", Kind, CodeW, ExpW, got, want);
      $finish;
    end
  endtask

  initial begin
    largest = 0;
    for (c = 0; c < (1 << CodeW); c = c + 1) begin
      mantissa = c % (1 << MAN_W);
      exponent = (c >> MAN_W) % (1 << ExpW);
      if (Kind == "int8_baugh_wooley" || Kind == "int8_tool") begin
        value[c] = c < 128 ? c : c - 256;
      end else if (Kind == "int8_magnitude") begin
        value[c] = c < 128 ? c : 128 - c;
      end else begin
        value[c] = mantissa + (1 << MAN_W);
        if (Kind == "af" && c % (1 << (CodeW - 1)) == 0) value[c] = 0;
        if (Kind == "minifloat" && exponent == 0) value[c] = mantissa;
        for (e = (Kind == "minifloat") ? 1 : 0; e < exponent; e = e + 1) value[c] = value[c] * 2;
        if (c >= (1 << (CodeW - 1))) value[c] = -value[c];
      end
      // E5M2 keeps its last exponent for infinities and NaN, E4M3 its last code for NaN.
      reserved = Kind == "minifloat" && exponent == (1 << ExpW) - 1 && (ExpW == 5 || mantissa == 7);
      if (value[c] > largest && !reserved) largest = value[c];
      if (-value[c] > largest && !reserved) largest = -value[c];
    end
    // The largest sum of a feed-forward row, K = 3072, fits.
    want = largest * largest * 3072;
    if (want > (96'sd1 << (AccW - 1)) - 1) begin
      $display("FAIL %0s<%0d,%0d>: %0d bits do not hold %0d", Kind, CodeW, ExpW, AccW, want);
      $finish;
    end

    // Every pair, a lane each: a one's complement lacks its sign as a carry.
    load = 1'b1;
    row = 1'b1;
    for (i = 0; i < (1 << (2 * CodeW)); i = i + LANES) begin
      a = {LANES{i[2*CodeW-1:CodeW]}};
      for (e = 0; e < LANES; e = e + 1) b[e*CodeW +: CodeW] = i + e;
      tick;
      for (e = 0; e < LANES; e = e + 1) begin
        product = dut.product[e*ProdW +: ProdW];
        want = value[i >> CodeW] * value[(i + e) % (1 << CodeW)];
        got = product;
        if (dut.CARRY != 0 && product < 0) got = got + 1;
        if (got !== want) fail;
      end
    end

    seed = 1;
    for (i = 0; i < 2000; i = i + 1) begin
      want = 0;
      for (c = 0; c < LANES; c = c + 1) begin
        d = $random(seed);
        e = $random(seed);
        a[c*CodeW +: CodeW] = d;
        b[c*CodeW +: CodeW] = e;
        want = want + value[a[c*CodeW +: CodeW]] * value[b[c*CodeW +: CodeW]];
      end
      old_sum = {$random(seed), $random(seed), $random(seed)};
      // Half of the range, so that the sum does not leave it.
      old_sum = $signed(old_sum) >>> 1;
      want = want + $signed(old_sum);
      tick;
      tick;
      tick;
      tick;
      got = $signed(new_sum);
      if (got !== want) fail;
    end
    $display("PASS");
    $finish;
  end
endmodule
