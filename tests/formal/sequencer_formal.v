// eb_sequencer with any program, among units that take a command and end within a bounded time:
// what is dispatched when, that no instruction is lost or done twice, that every state is left, and
// that an abort ends.
//
// Program and tokens are stand-ins below: an instruction is any word, with its place in the program
// in the topmost bits, which no instruction uses. Who is asked for something answers when it likes,
// with Fair=1 after at most one cycle more (loading always so); so does the end of what is under
// way. A record has at most one logit, for all of it is written before the sequencer is idle.
`default_nettype none

module sequencer_formal #(
  parameter Fair  = 1,  // 0: who is asked may also never answer
  parameter Bound = 20  // cycles in which something must happen when all are fair
) (
  input wire        clk_i,
  input wire        start_i,
  input wire        load_i,
  input wire        abort_i,
  input wire [31:0] length_i,
  input wire [31:0] program_length_i,
  input wire [31:0] resident_bytes_i,
  input wire        req_ready_i,
  input wire        beat_valid_i,
  input wire        reader_error_i,
  input wire        wr_ready_i,
  input wire        writer_error_i,
  input wire        reader_end_i,
  input wire        writer_end_i,
  input wire [4:0]  ready_i,
  input wire [3:0]  end_i,
  input wire        segment_ready_i,
  input wire        format_error_i,
  input wire        resident_done_i,
  input wire        resident_error_i,
  input wire        embedding_error_i,
  input wire        result_valid_i,
  input wire        exit_i,
  input wire        logit_grant_i
);

  localparam MATMUL = 0;
  localparam EXIT   = 4;

  reg rst_n = 1'b0;
  always @(posedge clk_i) rst_n <= 1'b1;

  wire         busy;
  wire         done;
  wire         error;
  wire         aborted;
  wire         done_event;
  wire         error_event;
  wire         aborted_event;
  wire         instruction;
  wire         req_valid;
  wire         wr_valid;
  wire [4:0]   cmd_valid;
  wire [255:0] cmd;
  wire         clear;
  wire         flush;
  wire         segment_valid;
  wire         resident_fetch;
  wire [4:0]   cmd_ready;
  wire [4:0]   unit_busy;
  wire         older_busy;
  reg          reading   = 1'b0;
  reg          writing   = 1'b0;

  eb_sequencer #(
    .AxiDataW         (256),
    .MaxRows          (2),
    .MaxVectors       (2),
    .EmbeddingVectors (2),
    .ProgramDepth     (4),
    .ResidentBeats    (2)
  ) u_dut (
    .clk_i                 (clk_i),
    .rst_ni                (rst_n),
    .start_i               (start_i),
    .load_i                (load_i),
    .abort_i               (abort_i),
    .length_i              (length_i),
    .program_length_i      (program_length_i),
    .resident_bytes_i      (resident_bytes_i),
    .busy_o                (busy),
    .done_o                (done),
    .error_o               (error),
    .aborted_o             (aborted),
    .done_event_o          (done_event),
    .error_event_o         (error_event),
    .aborted_event_o       (aborted_event),
    .instruction_o         (instruction),
    .req_valid_o           (req_valid),
    .req_ready_i           (req_ready_i),
    .beat_valid_i          (beat_valid_i),
    .reader_error_i        (reader_error_i),
    .reader_idle_i         (!reading),
    .wr_valid_o            (wr_valid),
    .wr_ready_i            (wr_ready_i),
    .writer_error_i        (writer_error_i),
    .writer_idle_i         (!writing),
    .cmd_valid_o           (cmd_valid),
    .cmd_ready_i           (cmd_ready),
    .cmd_o                 (cmd),
    .unit_busy_i           (unit_busy),
    .matmul_older_busy_i   (older_busy),
    .clear_o               (clear),
    .flush_o               (flush),
    .segment_valid_o       (segment_valid),
    .segment_ready_i       (segment_ready_i),
    .format_error_i        (format_error_i),
    .resident_fetch_o      (resident_fetch),
    .resident_done_i       (resident_done_i),
    .resident_error_i      (resident_error_i),
    .embedding_error_i     (embedding_error_i),
    .result_valid_i        (result_valid_i),
    .exit_i                (exit_i),
    .logit_grant_i         (logit_grant_i)
  );

  // Units: a command is taken when there is room, for two in MATMUL and one elsewhere, and ends at
  // will. What is cleared is gone in the next cycle. EXIT ends with its result.
  reg  [1:0] matmuls = 2'd0;
  reg  [4:1] others  = 4'd0;
  wire [4:0] room    = {~others, matmuls != 2'd2};
  wire [4:0] taken   = cmd_valid & cmd_ready;
  wire [4:0] ended   = {result_valid_i, end_i[3:0]} & unit_busy;
  assign unit_busy  = {others, matmuls != 2'd0};
  assign older_busy = matmuls == 2'd2;
  assign cmd_ready  = ready_i & room;
  always @(posedge clk_i) begin
    if (rst_n) begin
      matmuls <= clear ? 2'd0 : matmuls + taken[MATMUL] - ended[MATMUL];
      others  <= clear ? 4'd0 : (others | taken[4:1]) & ~ended[4:1];
    end
  end

  // The reader has a request of the sequencer, or of the weight stream until that is flushed; the
  // writer has writes.
  reg  streaming = 1'b0;
  wire segment   = segment_valid && segment_ready_i;
  always @(posedge clk_i) begin
    if (rst_n) begin
      streaming <= !flush && (streaming || segment);
      reading   <= (req_valid && req_ready_i) || segment || (reading && !reader_end_i);
      writing   <= (wr_valid && wr_ready_i) || (writing && !writer_end_i);
    end
  end

  responder #(Fair) u_request (clk_i, req_valid, req_ready_i);
  responder #(Fair) u_reader (clk_i, reading && !streaming, reader_end_i);
  responder #(Fair) u_writer (clk_i, writing, writer_end_i);
  responder #(Fair) u_write (clk_i, wr_valid, wr_ready_i);
  responder #(Fair) u_segment (clk_i, segment_valid, segment_ready_i);
  responder #(Fair) u_resident (clk_i, resident_fetch, resident_done_i);
  responder #(Fair) u_logit (clk_i, busy, logit_grant_i);
  responder #(Fair) u_command (clk_i, (cmd_valid & room) != 5'd0, (cmd_valid & ready_i) != 5'd0);
  genvar u;
  generate
    for (u = 0; u < 5; u = u + 1) begin : g_unit
      responder #(Fair) u_end (clk_i, unit_busy[u], ended[u]);
    end
  endgenerate
  always @* begin
    assume (!result_valid_i || others[EXIT]);
    assume (cmd[7:0] != 8'h50 || cmd[47:32] <= 16'd1);
  end

  // The instruction that must be executed next, whether it was dispatched, the loop's iteration.
  reg  [3:0]  pc         = 4'd0;
  reg         dispatched = 1'b0;
  reg  [15:0] iteration  = 16'd0;
  wire        given      = taken != 5'd0;
  wire        for_unit   = opcode_unit(cmd[7:0]) != 5'd0;
  wire        again      = cmd[7:0] == 8'h02 && iteration + 16'd1 < cmd[79:64];
  always @(posedge clk_i) begin
    if (!busy) begin
      pc         <= 4'd0;
      dispatched <= 1'b0;
      if (start_i) iteration <= 16'd0;
    end else begin
      dispatched <= !instruction && (dispatched || given);
      if (instruction) begin
        pc <= again ? cmd[35:32] : pc + 4'd1;
        if (cmd[7:0] == 8'h02) iteration <= again ? iteration + 16'd1 : 16'd0;
      end
    end
  end

  function [4:0] opcode_unit;
    input [7:0] opcode;
    begin
      case (opcode)
        8'h20:   opcode_unit = 5'b00001;
        8'h30:   opcode_unit = 5'b00010;
        8'h40:   opcode_unit = 5'b00100;
        8'h10:   opcode_unit = 5'b01000;
        8'h50:   opcode_unit = 5'b10000;
        default: opcode_unit = 5'b00000;
      endcase
    end
  endfunction

  // Cycles since the command, the last instruction or the begin of its end.
  reg       cleared = 1'b0;  // in this command
  reg       flushed = 1'b0;
  reg [6:0] quiet   = 7'd0;
  reg       abort_before = 1'b0;
  reg       busy_before  = 1'b0;
  reg [2:0] events       = 3'd0;
  always @(posedge clk_i) begin
    cleared      <= busy && (cleared || clear);
    flushed      <= busy && (flushed || flush);
    quiet        <= (!busy || instruction || clear || flush) ? 7'd0 : quiet + 7'd1;
    abort_before <= rst_n && busy && abort_i && !cleared && !clear && !error && !aborted;
    busy_before  <= busy;
    events       <= {aborted_event, error_event, done_event};
  end

  always @* begin
    if (rst_n) begin
      waits:       assert ((cmd_valid == 5'd0) ||
                           (cmd[13:8] & {older_busy, unit_busy}) == 6'd0);
      one_unit:    assert (cmd_valid == 5'd0 || cmd_valid == opcode_unit(cmd[7:0]));
      in_order:    assert (!(instruction || given) || cmd[255:252] == pc);
      once:        assert (!given || !dispatched);
      none_lost:   assert (!instruction || (for_unit == (dispatched || given)));
      no_deadlock: assert (!Fair || quiet != Bound);
      one_end:     assert (!(clear && cleared) && !(flush && !clear && flushed));
      end_is_last: assert (!(flushed && !flush) || !(instruction || given));
      abort_now:   assert (!abort_before || (clear && aborted));
      idle_means:  assert (busy || (unit_busy == 5'd0 && !reading && !writing && !wr_valid &&
                                    cmd_valid == 5'd0 && !segment_valid));
      events_are:  assert (events == ((busy_before && !busy) ? {aborted, error, done} : 3'd0));
      one_outcome: assert (!(busy_before && !busy) || aborted + error + done == 2'd1);
    end
  end

endmodule

// Assumes that who is asked waits for at most one cycle before the answer.
module responder #(
  parameter Fair = 1
) (
  input wire clk_i,
  input wire asked_i,
  input wire given_i
);

  reg  waited = 1'b0;
  wire waits  = asked_i && !given_i;
  always @(posedge clk_i) waited <= waits;
  always @* assume (!Fair || !waits || !waited);

endmodule

// Loaded at will; has any instruction, its running number in the topmost bits.
module eb_program_memory #(
  parameter AxiDataW     = 64,
  parameter ProgramDepth = 64,
  parameter Backend      = 0
) (
  input  wire                clk_i,
  input  wire                rst_ni,
  input  wire                load_start_i,
  input  wire [16:0]         length_i,
  input  wire                beat_valid_i,
  output wire                beat_ready_o,
  input  wire [AxiDataW-1:0] beat_i,
  output wire                load_done_o,
  input  wire                restart_i,
  input  wire [16:0]         restart_pc_i,
  output wire                fetch_valid_o,
  input  wire                fetch_ready_i,
  output wire [16:0]         fetch_pc_o,
  output wire                fetch_overrun_o,
  output wire [255:0]        fetch_instruction_o
);

  (* anyseq *) wire [251:0] word;
  (* anyseq *) wire         loaded;
  (* anyseq *) wire         overrun;

  reg        done  = 1'b1;
  reg        valid = 1'b0;
  reg [16:0] pc    = 17'd0;
  always @(posedge clk_i) begin
    done <= !load_start_i && (done || loaded);
    if (restart_i) begin
      valid <= 1'b1;
      pc    <= restart_pc_i;
    end else if (fetch_ready_i) begin
      pc <= pc + 17'd1;
    end
  end
  responder u_load (clk_i, !load_start_i && !done, loaded);

  assign beat_ready_o        = !done;
  assign load_done_o         = done;
  assign fetch_valid_o       = valid;
  assign fetch_pc_o          = pc;
  assign fetch_overrun_o     = overrun;
  assign fetch_instruction_o = {pc[3:0], word};

endmodule

// Loaded at will.
module eb_token_memory #(
  parameter AxiDataW = 64,
  parameter MaxRows  = 16,
  parameter Backend  = 0
) (
  input  wire                clk_i,
  input  wire                rst_ni,
  input  wire                load_start_i,
  input  wire [9:0]          length_i,
  input  wire                beat_valid_i,
  output wire                beat_ready_o,
  input  wire [AxiDataW-1:0] beat_i,
  output wire                load_done_o,
  input  wire                rd_en_i,
  input  wire [9:0]          rd_addr_i,
  output wire [31:0]         rd_data_o
);

  (* anyseq *) wire loaded;
  reg               done = 1'b1;
  always @(posedge clk_i) done <= !load_start_i && (done || loaded);
  responder u_load (clk_i, !load_start_i && !done, loaded);

  assign beat_ready_o = !done;
  assign load_done_o  = done;
  assign rd_data_o    = 32'd0;

endmodule

`default_nettype wire
