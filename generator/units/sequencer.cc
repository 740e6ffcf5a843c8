#include "generator/units/sequencer.h"

#include <fmt/format.h>

#include <utility>

#include "generator/units/program_memory.h"
#include "generator/units/result_writer.h"
#include "generator/units/segment_address.h"
#include "generator/units/token_memory.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"
#include "golden/spec/register_map.h"

namespace edgebert::gen {
namespace {

void AddConstants(vlog::Module& m) {
  using spec::ErrorCode;
  using spec::Opcode;
  m.Local("INSTRUCTION_W", spec::kInstructionBits);
  m.Local("UNITS", spec::kUnits);
  m.Local("BEATS_PER_INSTRUCTION", "INSTRUCTION_W / AxiDataW");
  m.Local("TOKENS_PER_BEAT", "AxiDataW / 32");
  m.Local("SIZE", "$clog2(AxiDataW / 8)", "log2 of the bytes of a beat");
  for (const auto& [name, opcode] :
       {std::pair{"OP_END", Opcode::kEnd}, std::pair{"OP_STREAM", Opcode::kStream},
        std::pair{"OP_LOOP", Opcode::kLoop}, std::pair{"OP_EMBED", Opcode::kEmbed},
        std::pair{"OP_MATMUL", Opcode::kMatmul}, std::pair{"OP_SOFTMAX", Opcode::kSoftmax},
        std::pair{"OP_LAYER_NORM", Opcode::kLayerNorm}, std::pair{"OP_EXIT", Opcode::kExit}}) {
    m.Local(name, fmt::format("8'h{:02X}", static_cast<uint32_t>(opcode)));
  }
  m.Local("NORM_VECTORS_LSB", spec::kLayerNormVectors.Bit());
  m.Local("NORM_VECTORS_W", spec::kLayerNormVectors.width);
  for (const auto& [name, unit] : {std::pair{"UNIT_MATMUL", spec::Unit::kMatmul},
                                   std::pair{"UNIT_SOFTMAX", spec::Unit::kSoftmax},
                                   std::pair{"UNIT_LAYER_NORM", spec::Unit::kLayerNorm},
                                   std::pair{"UNIT_EMBEDDING", spec::Unit::kEmbedding},
                                   std::pair{"UNIT_EXIT", spec::Unit::kExit}}) {
    m.Local(name, static_cast<int64_t>(unit));
  }
  for (const auto& [name, code] : {std::pair{"ERROR_AXI_READ", ErrorCode::kAxiRead},
                                   std::pair{"ERROR_AXI_WRITE", ErrorCode::kAxiWrite},
                                   std::pair{"ERROR_LENGTH", ErrorCode::kLength},
                                   std::pair{"ERROR_PROGRAM_LENGTH", ErrorCode::kProgramLength},
                                   std::pair{"ERROR_NO_PROGRAM", ErrorCode::kNoProgram},
                                   std::pair{"ERROR_OPCODE", ErrorCode::kBadOpcode},
                                   std::pair{"ERROR_PROGRAM_OVERRUN", ErrorCode::kProgramOverrun},
                                   std::pair{"ERROR_STREAM_FORMAT", ErrorCode::kStreamFormat},
                                   std::pair{"ERROR_NO_EXIT", ErrorCode::kNoExit},
                                   std::pair{"ERROR_RESIDENT", ErrorCode::kResident},
                                   std::pair{"ERROR_OPERAND", ErrorCode::kBadOperand}}) {
    m.Local(name, fmt::format("8'd{}", static_cast<uint32_t>(code)));
  }
}

void AddPorts(vlog::Module& m) {
  m.Input("clk_i").Input("rst_ni");
  m.Group("Command pulses and configuration, from the registers");
  m.Input("start_i").Input("load_i").Input("abort_i").Input("length_i", "32");
  m.Input("program_length_i", "32").Input("program_base_i", "AxiAddrW");
  m.Input("weight_base_i", "AxiAddrW").Input("token_base_i", "AxiAddrW");
  m.Input("result_base_i", "AxiAddrW").Input("resident_bytes_i", "32");
  m.Group("State, to the registers; *_event_o pulse when the state is entered");
  m.Output("busy_o").Output("done_o").Output("error_o").Output("aborted_o").Output("loaded_o");
  m.Output("resident_o");
  m.Output("done_event_o").Output("error_event_o").Output("aborted_event_o");
  m.Output("error_code_o", "8").Output("error_detail_o", "24");
  m.Output("exit_layer_o", "16").Output("prediction_o", "8").Output("entropy_o", "20");
  m.Group("Counters: cleared, running, an instruction executed");
  m.Output("counters_clear_o").Output("running_o").Output("instruction_o");
  m.Group(
      "AXI reader; its beats are for the sequencer while fetching_o, else for the weight stream");
  m.Output("fetching_o").Output("req_valid_o").Input("req_ready_i");
  m.Output("req_addr_o", "AxiAddrW").Output("req_beats_o", "32");
  m.Input("beat_valid_i").Output("beat_ready_o").Input("beat_i", "AxiDataW");
  m.Input("reader_error_i").Input("reader_idle_i");
  m.Group("AXI writer");
  m.Output("wr_valid_o").Input("wr_ready_i").Output("wr_addr_o", "AxiAddrW");
  m.Output("wr_data_o", "32").Input("writer_error_i").Input("writer_idle_i");
  m.Group("Units, bit 0 matmul, softmax, layer_norm, embedding, exit");
  m.Output("cmd_valid_o", "5").Input("cmd_ready_i", "5").Output("cmd_o", "256");
  m.Input("unit_busy_i", "5").Input("matmul_older_busy_i");
  m.Group("clear_o: drop everything; flush_o: only the weight stream and what it prefetches");
  m.Output("clear_o").Output("flush_o");
  m.Group("Weight stream");
  m.Output("segment_valid_o").Input("segment_ready_i").Output("segment_addr_o", "AxiAddrW");
  m.Output("segment_beats_o", "32").Input("format_error_i");
  m.Group("Resident weights: LOAD fills them with beats of the reader");
  m.Output("resident_start_o").Output("resident_beats_o", "32").Output("resident_fetch_o");
  m.Input("resident_ready_i").Input("resident_done_i").Input("resident_error_i");
  m.Group("Embedding");
  m.Input("token_rd_addr_i", "10").Output("token_rd_data_o", "32");
  m.Input("embedding_error_i").Input("embedding_error_code_i", "8");
  m.Input("embedding_error_detail_i", "24");
  m.Group("Exit");
  m.Input("result_valid_i").Input("entropy_i", "20").Input("prediction_i", "8").Input("exit_i");
  m.Output("logit_addr_o", "8").Input("logit_grant_i");
  m.InputSigned("logit_i", std::to_string(spec::kFixedBits));
}

constexpr const char* kDeclarations = R"(
  // What the sequencer is doing.
  localparam [3:0] ST_IDLE    = 4'd0;   // waits for START or LOAD
  localparam [3:0] ST_CHECK   = 4'd1;   // are the registers fit to run?
  localparam [3:0] ST_REQUEST = 4'd2;   // asks the reader for program, weights or tokens
  localparam [3:0] ST_RECEIVE = 4'd3;   // takes them
  localparam [3:0] ST_RUN     = 4'd4;   // executes instructions
  localparam [3:0] ST_EXIT    = 4'd5;   // EXIT: waits for the entropy
  localparam [3:0] ST_ENTROPY = 4'd6;   // EXIT: writes it and decides
  localparam [3:0] ST_FINISH  = 4'd7;   // the sentence is over: waits for the units
  localparam [3:0] ST_FLUSH   = 4'd8;   // drops what the weight stream prefetched
  localparam [3:0] ST_RESULT  = 4'd9;   // writes the record
  localparam [3:0] ST_CLEAR   = 4'd10;  // error or abort: clears every unit
  localparam [3:0] ST_DRAIN   = 4'd11;  // waits until nothing is in flight

  reg [3:0]  state_q, state_d;
  reg        loading_q, loading_d;  // the command is LOAD
  reg        weights_q, weights_d;  // LOAD: the resident weights, after the program
  reg        loaded_q, loaded_d;
  reg        resident_q, resident_d;
  reg        done_q, done_d;
  reg        error_q, error_d;
  reg        aborted_q, aborted_d;
  reg [7:0]  error_code_q, error_code_d;
  reg [23:0] error_detail_q, error_detail_d;
  reg [16:0] program_length_q, program_length_d;
  reg [15:0] iteration_q, iteration_d;
  reg [15:0] layer_q, layer_d;      // layers run
  reg [15:0] classes_q, classes_d;
  reg [19:0] entropy_q, entropy_d;
  reg [7:0]  prediction_q, prediction_d;
  reg        exit_q, exit_d;

  // The instruction to execute.
  reg                     instruction_valid_q, instruction_valid_d;
  reg [INSTRUCTION_W-1:0] cmd_q;
  reg [16:0]              pc_q;
  reg                     overrun_q;

  reg        advance;     // the instruction is executed
  reg        restart;     // fetch from restart_pc
  reg [16:0] restart_pc;
  reg        fail;
  reg [7:0]  fail_code;
  reg [23:0] fail_detail;
)";

constexpr const char* kInstruction = R"(
  // Instruction register: takes the next instruction in the cycle in which it gives one away.
  wire                     fetch_valid;
  wire [16:0]              fetch_pc;
  wire                     fetch_overrun;
  wire [INSTRUCTION_W-1:0] fetch_instruction;

  wire in_program = (state_q == ST_RUN) || (state_q == ST_EXIT) || (state_q == ST_ENTROPY);
  wire take       = in_program && fetch_valid && (!restart) && ((!instruction_valid_q) || advance);

  always @* begin
    instruction_valid_d = take || (instruction_valid_q && in_program && (!advance));
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      instruction_valid_q <= 1'b0;
      pc_q                <= 17'd0;
      overrun_q           <= 1'b0;
    end else begin
      instruction_valid_q <= instruction_valid_d;
      if (take) begin
        pc_q      <= fetch_pc;
        overrun_q <= fetch_overrun;
      end
    end
  end

  always @(posedge clk_i) begin
    if (take) cmd_q <= fetch_instruction;
  end
)";

constexpr const char* kDispatch = R"(
  // Operands with which a unit would never end, or overrun its row buffer.
  wire [NORM_VECTORS_W-1:0] norm_vectors = cmd_q[NORM_VECTORS_LSB+:NORM_VECTORS_W];

  wire bad_matmul = ((!strips_len) && strips == 16'd0) || ((!k_tiles_len) && k_tiles == 16'd0);
  wire bad_norm   = (norm_vectors == {NORM_VECTORS_W{1'b0}}) || (norm_vectors > MaxVectors);
  wire bad_embed  = (vectors == 16'd0) || (vectors > EmbeddingVectors);

  // Dispatch: the unit that executes the instruction, none when the sequencer does so itself. An
  // instruction waits for the units of its mask, whose last bit leaves out the youngest MATMUL; a
  // unit's own readiness is its handshake.
  reg [UNITS-1:0] unit;

  always @* begin
    unit = {UNITS{1'b0}};
    case (opcode)
      OP_MATMUL:     unit[UNIT_MATMUL]     = 1'b1;
      OP_SOFTMAX:    unit[UNIT_SOFTMAX]    = 1'b1;
      OP_LAYER_NORM: unit[UNIT_LAYER_NORM] = 1'b1;
      OP_EMBED:      unit[UNIT_EMBEDDING]  = 1'b1;
      OP_EXIT:       unit[UNIT_EXIT]       = 1'b1;
      default:       unit = {UNITS{1'b0}};
    endcase
  end

  wire units_idle = (unit_busy_i == {UNITS{1'b0}});
  wire waited     = ((wait_mask & {matmul_older_busy_i, unit_busy_i}) == {(UNITS + 1){1'b0}});
  wire execute    = (state_q == ST_RUN) && instruction_valid_q && (!overrun_q) && waited;
  wire dispatched = execute && ((unit & cmd_ready_i) != {UNITS{1'b0}});

  wire        stream_valid   = execute && (opcode == OP_STREAM);
  wire        stream_ready;
  wire [15:0] iteration_next = iteration_q + 16'd1;
  wire        loop_again     = (iteration_next < count);

  assign cmd_valid_o   = execute ? unit : {UNITS{1'b0}};
  assign cmd_o         = cmd_q;
  assign instruction_o = advance || ((state_q == ST_RUN) && (state_d == ST_FLUSH));
)";

constexpr const char* kPhases = R"(
  // Phases.
  wire program_done;
  wire tokens_done;
  wire entropy_ready;
  wire record_ready;
  wire record_idle;
  wire quiet = units_idle && record_idle && reader_idle_i && writer_idle_i;

  // A whole number of beats, at most ResidentBeats.
  wire bad_resident_bytes = (resident_bytes_i[SIZE-1:0] != {SIZE{1'b0}})
      || (resident_beats_o > ResidentBeats);

  always @* begin
    state_d          = state_q;
    loading_d        = loading_q;
    weights_d        = weights_q;
    loaded_d         = loaded_q;
    resident_d       = resident_q;
    done_d           = done_q;
    error_d          = error_q;
    aborted_d        = aborted_q;
    error_code_d     = error_code_q;
    error_detail_d   = error_detail_q;
    program_length_d = program_length_q;
    iteration_d      = iteration_q;
    layer_d          = layer_q;
    classes_d        = classes_q;
    entropy_d        = entropy_q;
    prediction_d     = prediction_q;
    exit_d           = exit_q;
    advance          = 1'b0;
    restart          = 1'b0;
    restart_pc       = 17'd0;
    fail             = 1'b0;
    fail_code        = 8'd0;
    fail_detail      = 24'd0;

    case (state_q)
      ST_IDLE: begin
        if (start_i || load_i) begin
          state_d        = ST_CHECK;
          loading_d      = load_i;
          weights_d      = 1'b0;
          loaded_d       = loaded_q && (!load_i);
          resident_d     = resident_q && (!load_i);
          done_d         = 1'b0;
          error_d        = 1'b0;
          aborted_d      = 1'b0;
          error_code_d   = 8'd0;
          error_detail_d = 24'd0;
        end
        if (start_i) begin
          iteration_d  = 16'd0;
          layer_d      = 16'd0;
          entropy_d    = 20'd0;
          prediction_d = 8'd0;
        end
      end

      ST_CHECK: begin
        state_d = ST_REQUEST;
        if (loading_q) begin
          program_length_d = program_length_i[16:0];
          fail             = 1'b1;
          if ((program_length_i == 32'd0) || (program_length_i > ProgramDepth)) begin
            fail_code = ERROR_PROGRAM_LENGTH;
          end else if (bad_resident_bytes) begin
            fail_code = ERROR_RESIDENT;
          end else begin
            fail = 1'b0;
          end
        end else if (!loaded_q) begin
          fail             = 1'b1;
          fail_code        = ERROR_NO_PROGRAM;
        end else begin
          fail             = (length_i == 32'd0) || (length_i > MaxRows);
          fail_code        = ERROR_LENGTH;
        end
      end

      ST_REQUEST: begin
        if (req_ready_i) state_d = ST_RECEIVE;
      end

      ST_RECEIVE: begin
        if (weights_q) begin
          if (resident_done_i) state_d = ST_DRAIN;
        end else if (loading_q && program_done) begin
          weights_d = (resident_beats_o != 32'd0);
          state_d   = weights_d ? ST_REQUEST : ST_DRAIN;
        end else if ((!loading_q) && tokens_done) begin
          state_d = ST_RUN;
          restart = 1'b1;
        end
      end

      ST_RUN: begin
        if (instruction_valid_q && overrun_q) begin
          fail        = 1'b1;
          fail_code   = ERROR_PROGRAM_OVERRUN;
          fail_detail = {7'd0, pc_q};
        end else if (execute) begin
          case (opcode)
            OP_MATMUL, OP_SOFTMAX, OP_LAYER_NORM, OP_EMBED: begin
              advance     = dispatched;
              fail        = ((opcode == OP_MATMUL) && bad_matmul) ||
                            ((opcode == OP_LAYER_NORM) && bad_norm) ||
                            ((opcode == OP_EMBED) && bad_embed);
              fail_code   = ERROR_OPERAND;
              fail_detail = {7'd0, pc_q};
            end
            OP_EXIT: begin
              classes_d = classes;
              if (dispatched) state_d = ST_EXIT;
            end
            OP_STREAM: begin
              advance = stream_ready;
            end
            OP_LOOP: begin
              advance     = 1'b1;
              restart     = loop_again;
              restart_pc  = {1'b0, target};
              iteration_d = loop_again ? iteration_next : 16'd0;
            end
            OP_END: begin
              if (units_idle) state_d = ST_FLUSH;
              fail      = units_idle && (layer_q == 16'd0);
              fail_code = ERROR_NO_EXIT;
            end
            default: begin
              fail        = 1'b1;
              fail_code   = ERROR_OPCODE;
              fail_detail = {7'd0, pc_q};
            end
          endcase
        end
      end

      ST_EXIT: begin
        entropy_d    = entropy_i;
        prediction_d = prediction_i;
        exit_d       = exit_i;
        if (result_valid_i) state_d = ST_ENTROPY;
      end

      ST_ENTROPY: begin
        if (entropy_ready) begin
          state_d = exit_q ? ST_FINISH : ST_RUN;
          layer_d = layer_q + 16'd1;
          advance = 1'b1;
        end
      end

      // What was dispatched before the exit completes.
      ST_FINISH: begin
        if (units_idle) state_d = ST_FLUSH;
      end

      ST_FLUSH: begin
        state_d = ST_RESULT;
      end

      ST_RESULT: begin
        if (record_ready) state_d = ST_DRAIN;
      end

      ST_CLEAR: begin
        state_d = ST_DRAIN;
      end

      ST_DRAIN: begin
        if (quiet) begin
          state_d    = ST_IDLE;
          done_d     = (!error_q) && (!aborted_q);
          loaded_d   = loaded_q || (loading_q && done_d);
          resident_d = resident_q || (weights_q && done_d);
        end
      end

      default: begin
        state_d = ST_IDLE;
      end
    endcase

    // Errors from outside, in any phase.
    if (reader_error_i) begin
      fail        = 1'b1;
      fail_code   = ERROR_AXI_READ;
      fail_detail = (weights_q || !fetching_o) ? 24'd2 : (loading_q ? 24'd0 : 24'd1);
    end else if (writer_error_i) begin
      fail        = 1'b1;
      fail_code   = ERROR_AXI_WRITE;
      fail_detail = 24'd0;
    end else if (format_error_i) begin
      fail        = 1'b1;
      fail_code   = ERROR_STREAM_FORMAT;
      fail_detail = 24'd0;
    end else if (resident_error_i) begin
      fail        = 1'b1;
      fail_code   = ERROR_RESIDENT;
      fail_detail = 24'd1;
    end else if (embedding_error_i) begin
      fail        = 1'b1;
      fail_code   = embedding_error_code_i;
      fail_detail = embedding_error_detail_i;
    end

    // The first error or abort stands; what follows from clearing the units is no news.
    if ((state_q != ST_IDLE) && (!error_q) && (!aborted_q)) begin
      if (abort_i) begin
        state_d    = ST_CLEAR;
        aborted_d  = 1'b1;
        done_d     = 1'b0;
        loaded_d   = loaded_q;
        resident_d = resident_q;
      end else if (fail) begin
        state_d        = ST_CLEAR;
        error_d        = 1'b1;
        error_code_d   = fail_code;
        error_detail_d = fail_detail;
        done_d         = 1'b0;
        loaded_d       = loaded_q;
        resident_d     = resident_q;
      end
    end
  end
)";

constexpr const char* kOutputs = R"(
  assign busy_o           = (state_q != ST_IDLE);
  assign done_o           = done_q;
  assign error_o          = error_q;
  assign aborted_o        = aborted_q;
  assign loaded_o         = loaded_q;
  assign resident_o       = resident_q;
  assign done_event_o     = (state_q == ST_DRAIN) && (state_d == ST_IDLE) && done_d;
  assign error_event_o    = (state_q == ST_DRAIN) && (state_d == ST_IDLE) && error_q;
  assign aborted_event_o  = (state_q == ST_DRAIN) && (state_d == ST_IDLE) && aborted_q;
  assign error_code_o     = error_code_q;
  assign error_detail_o   = error_detail_q;
  assign exit_layer_o     = layer_q;
  assign prediction_o     = prediction_q;
  assign entropy_o        = entropy_q;
  assign counters_clear_o = start_i && (state_q == ST_IDLE);
  assign running_o        = (state_q != ST_IDLE) && (!loading_q);
  assign clear_o          = (state_q == ST_CLEAR);
  assign flush_o          = (state_q == ST_CLEAR) || (state_q == ST_FLUSH);

  // Program, resident weights and tokens.
  wire        receiving    = (state_q == ST_RECEIVE);
  wire        request      = (state_q == ST_REQUEST);
  wire        for_program  = loading_q && (!weights_q);
  wire        program_ready;
  wire        tokens_ready;
  wire [31:0] program_beats = {15'd0, program_length_q} * BEATS_PER_INSTRUCTION;
  wire [31:0] token_beats   = ({22'd0, length_i[9:0]} + TOKENS_PER_BEAT - 1) / TOKENS_PER_BEAT;

  assign fetching_o   = request || receiving;
  assign req_valid_o  = request;
  assign req_addr_o   = weights_q ? weight_base_i : loading_q ? program_base_i : token_base_i;
  assign req_beats_o  = weights_q ? resident_beats_o : loading_q ? program_beats : token_beats;
  assign beat_ready_o = receiving && (weights_q ? resident_ready_i : loading_q ? program_ready
                                                                               : tokens_ready);

  assign resident_start_o = request && weights_q;
  assign resident_beats_o = resident_bytes_i >> SIZE;
  assign resident_fetch_o = receiving && weights_q;
)";

constexpr const char* kInstances = R"(
  eb_program_memory #(
    .AxiDataW     (AxiDataW),
    .ProgramDepth (ProgramDepth),
    .Backend      (Backend)
  ) u_program_memory (
    .clk_i               (clk_i),
    .rst_ni              (rst_ni),
    .load_start_i        (request && for_program),
    .length_i            (program_length_q),
    .beat_valid_i        (beat_valid_i && receiving && for_program),
    .beat_ready_o        (program_ready),
    .beat_i              (beat_i),
    .load_done_o         (program_done),
    .restart_i           (restart),
    .restart_pc_i        (restart_pc),
    .fetch_valid_o       (fetch_valid),
    .fetch_ready_i       (take),
    .fetch_pc_o          (fetch_pc),
    .fetch_overrun_o     (fetch_overrun),
    .fetch_instruction_o (fetch_instruction)
  );

  eb_token_memory #(
    .AxiDataW (AxiDataW),
    .MaxRows  (MaxRows),
    .Backend  (Backend)
  ) u_token_memory (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .load_start_i (request && (!loading_q)),
    .length_i     (length_i[9:0]),
    .beat_valid_i (beat_valid_i && receiving && (!loading_q)),
    .beat_ready_o (tokens_ready),
    .beat_i       (beat_i),
    .load_done_o  (tokens_done),
    .rd_en_i      (unit_busy_i[UNIT_EMBEDDING]),
    .rd_addr_i    (token_rd_addr_i),
    .rd_data_o    (token_rd_data_o)
  );

  eb_segment_address #(
    .AxiAddrW (AxiAddrW)
  ) u_segment_address (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .clear_i         (flush_o),
    .stream_valid_i  (stream_valid),
    .stream_ready_o  (stream_ready),
    .base_i          (weight_base_i),
    .offset_i        (offset),
    .stride_i        (iteration_stride),
    .iteration_i     (iteration_q),
    .beats_i         (beats),
    .segment_valid_o (segment_valid_o),
    .segment_ready_i (segment_ready_i),
    .segment_addr_o  (segment_addr_o),
    .segment_beats_o (segment_beats_o)
  );

  eb_result_writer #(
    .AxiAddrW (AxiAddrW)
  ) u_result_writer (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .clear_i         (clear_o),
    .base_i          (result_base_i),
    .entropy_valid_i (state_q == ST_ENTROPY),
    .entropy_ready_o (entropy_ready),
    .entropy_i       (entropy_q),
    .layer_i         (layer_q),
    .record_valid_i  (state_q == ST_RESULT),
    .record_ready_o  (record_ready),
    .exit_layer_i    (layer_q),
    .prediction_i    (prediction_q),
    .classes_i       (classes_q),
    .logit_addr_o    (logit_addr_o),
    .logit_grant_i   (logit_grant_i),
    .logit_i         (logit_i),
    .wr_valid_o      (wr_valid_o),
    .wr_ready_i      (wr_ready_i),
    .wr_addr_o       (wr_addr_o),
    .wr_data_o       (wr_data_o),
    .idle_o          (record_idle)
  );
)";

constexpr const char* kRegisters = R"(
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q          <= ST_IDLE;
      loading_q        <= 1'b0;
      weights_q        <= 1'b0;
      loaded_q         <= 1'b0;
      resident_q       <= 1'b0;
      done_q           <= 1'b0;
      error_q          <= 1'b0;
      aborted_q        <= 1'b0;
      error_code_q     <= 8'd0;
      error_detail_q   <= 24'd0;
      program_length_q <= 17'd0;
      iteration_q      <= 16'd0;
      layer_q          <= 16'd0;
      classes_q        <= 16'd0;
      entropy_q        <= 20'd0;
      prediction_q     <= 8'd0;
      exit_q           <= 1'b0;
    end else begin
      state_q          <= state_d;
      loading_q        <= loading_d;
      weights_q        <= weights_d;
      loaded_q         <= loaded_d;
      resident_q       <= resident_d;
      done_q           <= done_d;
      error_q          <= error_d;
      aborted_q        <= aborted_d;
      error_code_q     <= error_code_d;
      error_detail_q   <= error_detail_d;
      program_length_q <= program_length_d;
      iteration_q      <= iteration_d;
      layer_q          <= layer_d;
      classes_q        <= classes_d;
      entropy_q        <= entropy_d;
      prediction_q     <= prediction_d;
      exit_q           <= exit_d;
    end
  end
)";

}  // namespace

vlog::Module EmitSequencer() {
  vlog::Module m("eb_sequencer", "generator/units/sequencer.cc");
  m.Describe(R"(
eb_sequencer: loads the program (and resident weights), fetches the tokens, runs the program, writes the result.

Instructions are executed in order, one a cycle at best; each is handed to its unit when the
units of its wait mask are idle. STREAM, LOOP and END are executed here. An error or an abort
clears every unit, waits until both AXI channels are quiet, and leaves the sequencer idle and
usable. Registers show the state after the last command: done, or error with code and detail, or
aborted.)");
  m.Param("AxiAddrW", "32", "bits of an address");
  m.Param("AxiDataW", "64", "bits of a beat: 32, 64, 128 or 256");
  m.Param("MaxRows", "16", "tokens of the longest sentence");
  m.Param("MaxVectors", "16", "vectors of a LayerNorm row");
  m.Param("EmbeddingVectors", "16", "vectors of an embedding row");
  m.Param("ProgramDepth", "64", "instructions of the program memory");
  m.Param("ResidentBeats", "0", "beats of the resident weights, 0 if there are none");
  m.Param("Backend", "0", "memories: 0 behavioural, 1 flop, 2 macro");
  AddPorts(m);
  AddConstants(m);
  m.Uses(EmitProgramMemory()).Uses(EmitTokenMemory());
  m.Uses(EmitSegmentAddress()).Uses(EmitResultWriter());
  m.Body(kDeclarations);
  m.InstructionFields({spec::kOpcode, spec::kWaitMask, spec::kStreamOffset, spec::kStreamBeats,
                       spec::kStreamIterationStride, spec::kLoopTarget, spec::kLoopCount,
                       spec::kMatmulStripsLen, spec::kMatmulKTilesLen, spec::kMatmulStrips,
                       spec::kMatmulKTiles, spec::kEmbedVectors, spec::kExitClasses},
                      "cmd_q");
  m.Body(kInstruction).Body(kDispatch).Body(kPhases).Body(kOutputs).Body(kInstances);
  m.Body(kRegisters);
  return m;
}

}  // namespace edgebert::gen
