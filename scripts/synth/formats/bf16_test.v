// Self-checking: bf16_dot on random rows against a sum of reals. Its error is at most 2^-21 of the sum of the magnitudes,
// half of what 16 additions in single precision may lose.
module bf16_test;
  reg clk = 1'b0;
  reg [255:0] a, b;
  reg [31:0] old_sum;
  wire [31:0] new_sum;
  bf16_dot dut (.clk_i(clk), .load_i(1'b1), .row_i(1'b1), .a_i(a), .b_i(b), .old_i(old_sum),
                .new_o(new_sum));

  function real value(input [31:0] bits);
    integer e;
    begin
      value = (bits[30:23] == 8'd0) ? 0.0 : (8388608.0 + bits[22:0]) / 8388608.0;
      for (e = 127; e < bits[30:23]; e = e + 1) value = value * 2.0;
      for (e = bits[30:23]; e < 127; e = e + 1) value = value / 2.0;
      if (bits[31]) value = -value;
    end
  endfunction

  real want, got, term, magnitudes, error;
  integer i, k, t, seed, spread, draw;
  initial begin
    seed = 1;
    for (i = 0; i < 6000; i = i + 1) begin
      spread = 1 + i % 24;  // exponents this far apart at most
      want = 0.0;
      magnitudes = 0.0;
      for (k = 0; k < 16; k = k + 1) begin
        draw = $random(seed);
        a[16*k +: 16] = draw;
        b[16*k +: 16] = draw >> 16;
        a[16*k+7 +: 8] = 8'd120 + (draw[7:0] % spread);
        b[16*k+7 +: 8] = 8'd118 + (draw[23:16] % spread);
        if (draw[11:8] == 4'd0) a[16*k +: 16] = 16'd0;
        term = value({a[16*k +: 16], 16'b0}) * value({b[16*k +: 16], 16'b0});
        want = want + term;
        magnitudes = magnitudes + ((term < 0.0) ? -term : term);
      end
      old_sum = $random(seed);
      draw = $random(seed);
      old_sum[30:23] = 8'd110 + (draw[7:0] % (2 * spread));
      if (draw[11:8] == 4'd0) old_sum = 32'd0;
      term = value(old_sum);
      want = want + term;
      magnitudes = magnitudes + ((term < 0.0) ? -term : term);
      for (t = 0; t < 12; t = t + 1) begin
        #1 clk = 1'b1;
        #1 clk = 1'b0;
      end
      got = value(new_sum);
      error = got - want;
      if (error < 0.0) error = -error;
      if (error > magnitudes / 2097152.0) begin
        $display("FAIL bf16: row %0d, %e instead of %e", i, got, want);
        $finish;
      end
    end
    $display("PASS");
    $finish;
  end
endmodule
