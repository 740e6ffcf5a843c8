#include "generator/units/accumulator.h"

#include "generator/blocks/sram.h"

namespace edgebert::gen {

vlog::Module EmitAccumulator() {
  vlog::Module m("eb_accumulator", "generator/units/accumulator.cc");
  m.Describe(R"(
eb_accumulator: two banks of MaxRows x Lanes partial sums. One is added to while the other drains.

Addition: announce a row with add_*; its dot products follow on dot_i in the next cycle; two cycles
after that the sum is stored. The same row of the same bank must not be announced again before that,
so at least three cycles apart. Each addition saturates to AccW bits; saturated_o pulses.
Drain: acc_o is the row read in the cycle before; a row not added to since the release of its bank
is zero. Reads and additions use different banks.)");
  m.Param("Lanes", "16", "sums a row");
  m.Param("DotW", "29", "bits of a dot product, signed");
  m.Param("AccW", "37", "bits of a sum, signed");
  m.Param("MaxRows", "128", "rows of a bank");
  m.Param("Backend", "0", "memory: 0 behavioural, 1 flop, 2 macro");
  m.Input("clk_i").Input("rst_ni").Input("clear_i");
  m.Group("Addition; dot_i belongs to the row of the cycle before.");
  m.Input("add_valid_i").Input("add_bank_i").Input("add_row_i", "$clog2(MaxRows)");
  m.Input("dot_i", "Lanes*DotW");
  m.Group("Drain.");
  m.Input("read_valid_i").Input("read_bank_i").Input("read_row_i", "$clog2(MaxRows)");
  m.Output("acc_o", "Lanes*AccW");
  m.Group("All rows of read_bank_i become zero, from the next cycle on.").Input("release_i");
  m.Group("An addition saturated.").Output("saturated_o");
  m.Local("ROW_W", "$clog2(MaxRows)");
  m.Local("WORD_W", "Lanes * AccW");
  m.Local("SUM_W", "((AccW > DotW) ? AccW : DotW) + 1");
  m.Uses(EmitSram1r1w());
  m.Body(R"(
  // Stage 1: the old sums and the dot products meet. Stage 2: the new sums are written.
  reg add_valid_q, write_valid_q;
  reg add_bank_q, write_bank_q;
  reg [ROW_W-1:0] add_row_q, write_row_q;
  reg [WORD_W-1:0] write_word_q;
  reg read_bank_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      add_valid_q <= 1'b0;
      write_valid_q <= 1'b0;
    end else begin
      add_valid_q <= add_valid_i & ~clear_i;
      write_valid_q <= add_valid_q & ~clear_i;
    end
  end

  wire [WORD_W-1:0] sum_word;

  always @(posedge clk_i) begin
    add_bank_q <= add_bank_i;
    add_row_q <= add_row_i;
    read_bank_q <= read_bank_i;
    if (add_valid_q) begin
      write_bank_q <= add_bank_q;
      write_row_q <= add_row_q;
      write_word_q <= sum_word;
    end
  end

)");
  m.Body(R"(
  wire [1:0] add_select = {add_valid_i & add_bank_i, add_valid_i & ~add_bank_i};
  wire [1:0] read_select = {read_valid_i & read_bank_i, read_valid_i & ~read_bank_i};
  wire [1:0] write_select = {write_valid_q & write_bank_q, write_valid_q & ~write_bank_q};
  wire [1:0] release_select = {release_i & read_bank_i, release_i & ~read_bank_i};
  wire [2*WORD_W-1:0] word;

  genvar b, j;
  generate
    for (b = 0; b < 2; b = b + 1) begin : g_bank
      wire [ROW_W-1:0] row = add_select[b] ? add_row_i : read_row_i;
      wire [WORD_W-1:0] stored;
      reg [MaxRows-1:0] filled_q;
      reg row_filled_q;

      eb_sram_1r1w #(
        .Depth(MaxRows),
        .Lanes(1),
        .LaneW(WORD_W),
        .Backend(Backend)
      ) u_sram (
        .clk_i(clk_i),
        .wr_en_i(write_select[b]),
        .wr_addr_i(write_row_q),
        .wr_data_i(write_word_q),
        .rd_en_i(add_select[b] | read_select[b]),
        .rd_addr_i(row),
        .rd_data_o(stored)
      );

      always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) filled_q <= {MaxRows{1'b0}};
        else if (clear_i || release_select[b]) filled_q <= {MaxRows{1'b0}};
        else if (add_select[b]) filled_q[add_row_i] <= 1'b1;
      end

      always @(posedge clk_i) row_filled_q <= filled_q[row];

      assign word[b*WORD_W +: WORD_W] = row_filled_q ? stored : {WORD_W{1'b0}};
    end
  endgenerate

  wire [WORD_W-1:0] old_word = add_bank_q ? word[WORD_W +: WORD_W] : word[0 +: WORD_W];
  assign acc_o = read_bank_q ? word[WORD_W +: WORD_W] : word[0 +: WORD_W];

  wire [Lanes-1:0] overflow;

  generate
    for (j = 0; j < Lanes; j = j + 1) begin : g_lane
      wire [AccW-1:0] old_acc = old_word[j*AccW +: AccW];
      wire [DotW-1:0] dot = dot_i[j*DotW +: DotW];
      wire [SUM_W-1:0] sum = {{(SUM_W-AccW){old_acc[AccW-1]}}, old_acc}
          + {{(SUM_W-DotW){dot[DotW-1]}}, dot};

      // The bits that are cut off all repeat the sign.
      assign overflow[j] = |(sum[SUM_W-1:AccW] ^ sum[SUM_W-2:AccW-1]);
      assign sum_word[j*AccW +: AccW] =
          overflow[j] ? {sum[SUM_W-1], {(AccW-1){~sum[SUM_W-1]}}} : sum[AccW-1:0];
    end
  endgenerate

  assign saturated_o = add_valid_q & (|overflow);
)");
  return m;
}

}  // namespace edgebert::gen
