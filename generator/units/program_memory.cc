#include "generator/units/program_memory.h"

#include "generator/blocks/sram.h"
#include "golden/spec/isa.h"

namespace edgebert::gen {

vlog::Module EmitProgramMemory() {
  vlog::Module m("eb_program_memory", "generator/units/program_memory.cc");
  m.Describe(R"(
eb_program_memory: the program. Filled from AXI beats, then fetched one instruction ahead.

The output register of the memory is the next instruction: after restart_i it is valid in the
next cycle, and from then on one instruction a cycle can be taken. An instruction behind the end
of the program has fetch_overrun_o.)");
  m.Param("AxiDataW", "64", "bits of a beat: 32, 64, 128 or 256");
  m.Param("ProgramDepth", "64", "instructions");
  m.Param("Backend", "0", "memory: 0 behavioural, 1 flop, 2 macro");
  m.Input("clk_i").Input("rst_ni");
  m.Group("Load: length_i instructions, low beat first; load_start_i begins");
  m.Input("load_start_i").Input("length_i", "17");
  m.Input("beat_valid_i").Output("beat_ready_o").Input("beat_i", "AxiDataW");
  m.Output("load_done_o");
  m.Group("Fetch");
  m.Input("restart_i").Input("restart_pc_i", "17");
  m.Output("fetch_valid_o").Input("fetch_ready_i").Output("fetch_pc_o", "17");
  m.Output("fetch_overrun_o").Output("fetch_instruction_o", "256");
  m.Local("INSTRUCTION_W", spec::kInstructionBits);
  m.Local("ADDR_W", "$clog2(ProgramDepth)");
  m.Local("LAST_BEAT", "INSTRUCTION_W / AxiDataW - 1", "of an instruction");
  m.Body(R"(
  reg [INSTRUCTION_W-1:0] shift_q, shift_d;  // beats of the instruction that is arriving
  reg [3:0]               beat_q, beat_d;
  reg [16:0]              count_q, count_d;  // instructions loaded
  reg                     valid_q, valid_d;
  reg [16:0]              pc_q, pc_d;        // of the memory's output register
  reg [16:0]              next_pc_q, next_pc_d;

  // Load: beats shift in from the top.
  wire take  = beat_valid_i && beat_ready_o;
  wire write = take && (beat_q == LAST_BEAT[3:0]);

  always @* begin
    shift_d = shift_q >> AxiDataW;
    shift_d[INSTRUCTION_W-1 -: AxiDataW] = beat_i;
  end

  always @* begin
    beat_d  = beat_q;
    count_d = count_q;
    if (load_start_i) begin
      beat_d  = 4'd0;
      count_d = 17'd0;
    end else if (take) begin
      beat_d = write ? 4'd0 : beat_q + 4'd1;
      if (write) count_d = count_q + 17'd1;
    end
  end

  assign load_done_o  = (count_q == length_i);
  assign beat_ready_o = !load_done_o;

  // Fetch.
  wire        read    = restart_i || (valid_q && fetch_ready_i);
  wire [16:0] read_pc = restart_i ? restart_pc_i : next_pc_q;

  always @* begin
    valid_d   = valid_q || restart_i;
    pc_d      = read ? read_pc : pc_q;
    next_pc_d = read ? read_pc + 17'd1 : next_pc_q;
  end

  assign fetch_valid_o   = valid_q;
  assign fetch_pc_o      = pc_q;
  assign fetch_overrun_o = (pc_q >= length_i);

  eb_sram_1r1w #(
    .Depth   (ProgramDepth),
    .Lanes   (1),
    .LaneW   (INSTRUCTION_W),
    .Backend (Backend)
  ) u_program (
    .clk_i     (clk_i),
    .wr_en_i   (write),
    .wr_addr_i (count_q[ADDR_W-1:0]),
    .wr_data_i (shift_d),
    .rd_en_i   (read),
    .rd_addr_i (read_pc[ADDR_W-1:0]),
    .rd_data_o (fetch_instruction_o)
  );

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      beat_q    <= 4'd0;
      count_q   <= 17'd0;
      valid_q   <= 1'b0;
      pc_q      <= 17'd0;
      next_pc_q <= 17'd0;
    end else begin
      beat_q    <= beat_d;
      count_q   <= count_d;
      valid_q   <= valid_d;
      pc_q      <= pc_d;
      next_pc_q <= next_pc_d;
    end
  end

  always @(posedge clk_i) begin
    if (take) shift_q <= shift_d;
  end
)");
  m.Uses(EmitSram1r1w());
  return m;
}

}  // namespace edgebert::gen
