#include "generator/units/top.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "generator/blocks/clock_gate.h"
#include "generator/blocks/reset_sync.h"
#include "generator/blocks/sram.h"
#include "generator/units/activation_memory.h"
#include "generator/units/axi_reader.h"
#include "generator/units/axi_writer.h"
#include "generator/units/embedding.h"
#include "generator/units/exit.h"
#include "generator/units/layer_norm.h"
#include "generator/units/matmul.h"
#include "generator/units/registers.h"
#include "generator/units/reram_ctrl.h"
#include "generator/units/reram_macro.h"
#include "generator/units/resident_weights.h"
#include "generator/units/sequencer.h"
#include "generator/units/softmax.h"
#include "generator/units/weight_stream.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"
#include "golden/spec/register_map.h"

namespace edgebert::gen {
namespace {

void AddPorts(vlog::Module& m, const spec::AcceleratorConfig& config) {
  const std::string axil_address = std::to_string(spec::IndexBits(spec::kRegisterWindowBytes));
  const std::string address = std::to_string(config.axi.addr_width);
  const std::string data = std::to_string(config.axi.data_width);
  const std::string strobes = std::to_string(config.axi.data_width / 8);
  const std::string id = std::to_string(config.axi.id_width);
  m.Group("Clock; reset, asserted asynchronously and released in here with the clock");
  m.Input("clk_i").Input("rst_ni");
  m.Group("AXI4-Lite slave: registers");
  m.Input("s_axil_awvalid").Output("s_axil_awready").Input("s_axil_awaddr", axil_address);
  m.Input("s_axil_wvalid").Output("s_axil_wready").Input("s_axil_wdata", "32");
  m.Input("s_axil_wstrb", "4");
  m.Output("s_axil_bvalid").Input("s_axil_bready").Output("s_axil_bresp", "2");
  m.Input("s_axil_arvalid").Output("s_axil_arready").Input("s_axil_araddr", axil_address);
  m.Output("s_axil_rvalid").Input("s_axil_rready").Output("s_axil_rdata", "32");
  m.Output("s_axil_rresp", "2");
  m.Group("AXI4 master, reading: program, tokens, weights");
  m.Output("m_axi_arvalid").Input("m_axi_arready").Output("m_axi_arid", id);
  m.Output("m_axi_araddr", address).Output("m_axi_arlen", "8").Output("m_axi_arsize", "3");
  m.Output("m_axi_arburst", "2").Output("m_axi_arcache", "4").Output("m_axi_arprot", "3");
  m.Input("m_axi_rvalid").Output("m_axi_rready").Input("m_axi_rid", id);
  m.Input("m_axi_rdata", data).Input("m_axi_rresp", "2").Input("m_axi_rlast");
  m.Group("AXI4 master, writing: results");
  m.Output("m_axi_awvalid").Input("m_axi_awready").Output("m_axi_awid", id);
  m.Output("m_axi_awaddr", address).Output("m_axi_awlen", "8").Output("m_axi_awsize", "3");
  m.Output("m_axi_awburst", "2").Output("m_axi_awcache", "4").Output("m_axi_awprot", "3");
  m.Output("m_axi_wvalid").Input("m_axi_wready").Output("m_axi_wdata", data);
  m.Output("m_axi_wstrb", strobes).Output("m_axi_wlast");
  m.Input("m_axi_bvalid").Output("m_axi_bready").Input("m_axi_bid", id);
  m.Input("m_axi_bresp", "2");
  m.Group("Interrupt, level");
  m.Output("irq_o");
}

/// Rows of the embedding tables: words, positions, token types.
int EmbeddingRows(const spec::AcceleratorConfig& c) {
  return c.model.vocab + c.model.seq_len + c.model.token_types;
}

void AddConstants(vlog::Module& m, const spec::AcceleratorConfig& c) {
  m.Local("CONFIG_HASH", fmt::format("32'h{:08X}", spec::ConfigHash(c)));
  m.Local("LANES", c.vmac.n, "n");
  m.Local("CODE_W", c.format.width, "AdaptivFloat<CODE_W,EXP_W>");
  m.Local("EXP_W", c.format.exponent);
  m.Local("ACC_W", spec::AccumulatorBits(c), "accumulator");
  m.Local("PIPELINE", c.vmac.pipeline, "register cuts of the VMAC array");
  m.Local("GATED", c.vmac.operand_gating ? 1 : 0, "a product with a zero operand stands still");
  m.Local("MAX_ROWS", c.model.seq_len, "tokens of the longest sentence");
  m.Local("MAX_CLASSES", c.model.classes);
  m.Local("MAX_VECTORS", spec::NormVectors(c), "vectors of a LayerNorm row");
  m.Local("EMBEDDING_VECTORS", spec::EmbeddingVectors(c), "vectors of an embedding row");
  m.Local("ADDR_W", spec::kAddressBits, "activation and score memory addresses");
  m.Local("ACTIVATION_VECTORS", spec::ActivationVectors(c));
  m.Local("SCORE_VECTORS", c.model.seq_len * spec::SeqTiles(c));
  m.Local("PROGRAM_DEPTH", c.memory.program_words);
  m.Local("AXI_ADDR_W", c.axi.addr_width);
  m.Local("AXI_DATA_W", c.axi.data_width);
  m.Local("AXI_ID_W", c.axi.id_width);
  m.Local("MAX_BURST", c.axi.max_burst);
  m.Local("OUTSTANDING", c.axi.outstanding);
  m.Local("STREAM_FIFO_BEATS", c.memory.stream_fifo_beats);
  m.Local("RESIDENT_BEATS", spec::ResidentBeats(c), "weight stream that can stay on chip");
  m.Local("RERAM_WORD_W", c.reram.word_bits);
  m.Local("RERAM_CHECK_W", spec::ReramCheckBits(c), "ECC of a word");
  m.Local("RERAM_LATENCY", c.reram.read_latency);
  m.Local("BITS_PER_CELL", c.reram.bits_per_cell);
  m.Local("SLC_WORDS", ReramSlcWords(c), "masks and row index of every embedding row");
  m.Local("MLC_WORDS", ReramMlcWords(c), "non-zero codes, if none is zero");
  m.Local("BACKEND", static_cast<int64_t>(c.memory.backend),
          "memories: 0 behavioural, 1 flop, 2 macro");
  m.Local("SCORE_W", spec::kScoreBits);
  m.Local("FIXED_W", spec::kFixedBits);
  m.Local("INSTRUCTION_W", spec::kInstructionBits);
  m.Local("SCORE_ADDR_W", "$clog2(SCORE_VECTORS)");
  m.Local("NONZERO_W", "$clog2(LANES) + 1");
  m.Local("CACHE_BUFFERABLE", "4'b0011", "normal, non-cacheable, bufferable");
  m.Local("PROT_DATA", "3'b000", "unprivileged, secure, data");
}

constexpr const char* kControl = R"(
  wire rst_n;

  eb_reset_sync u_reset_sync (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .rst_no (rst_n)
  );

  // ---- Registers and sequencer ----------------------------------------------------------------

  wire        start;
  wire        abort;
  wire        load;
  wire [31:0] length;
  wire [31:0] threshold;
  wire [31:0] program_length;
  wire [63:0] program_base;
  wire [63:0] weight_base;
  wire [63:0] token_base;
  wire [63:0] result_base;
  wire [31:0] resident_bytes;
  wire        busy;
  wire        done;
  wire        error;
  wire        aborted;
  wire        loaded;
  wire        resident;
  wire        done_event;
  wire        error_event;
  wire        aborted_event;
  wire [7:0]  error_code;
  wire [23:0] error_detail;
  wire [15:0] exit_layer;
  wire [7:0]  prediction;
  wire [19:0] entropy;
  wire        counters_clear;
  wire        running;
  wire        instruction;

  wire        clear;
  wire        flush;

  // Commands; units in the order of the wait mask.
  wire [4:0]               cmd_valid;
  wire [4:0]               cmd_ready;
  wire [INSTRUCTION_W-1:0] cmd;
  wire [4:0]               unit_busy;
  wire                     matmul_busy;
  wire                     matmul_older_busy;
  wire                     softmax_busy;
  wire                     layer_norm_busy;
  wire                     embedding_busy;
  wire                     exit_busy;
  assign unit_busy = {exit_busy, embedding_busy, layer_norm_busy, softmax_busy, matmul_busy};

  // Events of the counters.
  wire                 mac;
  wire                 gated;
  wire                 wait_weight;
  wire                 wait_held;
  wire                 wait_read;
  wire                 wait_drain;
  wire                 tile;
  wire [9:0]           skipped_rows;
  wire                 saturated;
  wire [NONZERO_W-1:0] nonzeros;
  wire                 activation_read;
  wire                 activation_write;
  wire                 score_rd_en;
  wire                 score_wr_valid;
  wire                 reram_read;
  wire                 reram_corrected;
  wire                 stream_beat_valid;
  wire                 stream_beat_ready;

  // Logits of the exit unit: a read of the registers goes first.
  wire                      logit_read;
  wire [7:0]                register_logit_addr;
  wire [7:0]                record_logit_addr;
  wire [7:0]                logit_addr = logit_read ? register_logit_addr : record_logit_addr;
  wire signed [FIXED_W-1:0] logit;

  // Result of the exit unit.
  wire        result_valid;
  wire [19:0] result_entropy;
  wire [7:0]  result_prediction;
  wire        result_exit;

  eb_registers #(
    .ConfigHash (CONFIG_HASH),
    .Lanes      (LANES),
    .CodeW      (CODE_W),
    .ExpW       (EXP_W),
    .MaxRows    (MAX_ROWS),
    .MaxClasses (MAX_CLASSES),
    .NonzeroW   (NONZERO_W)
  ) u_registers (
    .clk_i                       (clk_i),
    .rst_ni                      (rst_n),
    .s_axil_awvalid_i            (s_axil_awvalid),
    .s_axil_awready_o            (s_axil_awready),
    .s_axil_awaddr_i             (s_axil_awaddr),
    .s_axil_wvalid_i             (s_axil_wvalid),
    .s_axil_wready_o             (s_axil_wready),
    .s_axil_wdata_i              (s_axil_wdata),
    .s_axil_wstrb_i              (s_axil_wstrb),
    .s_axil_bvalid_o             (s_axil_bvalid),
    .s_axil_bready_i             (s_axil_bready),
    .s_axil_bresp_o              (s_axil_bresp),
    .s_axil_arvalid_i            (s_axil_arvalid),
    .s_axil_arready_o            (s_axil_arready),
    .s_axil_araddr_i             (s_axil_araddr),
    .s_axil_rvalid_o             (s_axil_rvalid),
    .s_axil_rready_i             (s_axil_rready),
    .s_axil_rdata_o              (s_axil_rdata),
    .s_axil_rresp_o              (s_axil_rresp),
    .start_o                     (start),
    .abort_o                     (abort),
    .load_o                      (load),
    .length_o                    (length),
    .threshold_o                 (threshold),
    .program_length_o            (program_length),
    .program_base_low_o          (program_base[31:0]),
    .program_base_high_o         (program_base[63:32]),
    .weight_base_low_o           (weight_base[31:0]),
    .weight_base_high_o          (weight_base[63:32]),
    .token_base_low_o            (token_base[31:0]),
    .token_base_high_o           (token_base[63:32]),
    .result_base_low_o           (result_base[31:0]),
    .result_base_high_o          (result_base[63:32]),
    .resident_bytes_o            (resident_bytes),
    .busy_i                      (busy),
    .done_i                      (done),
    .error_i                     (error),
    .aborted_i                   (aborted),
    .loaded_i                    (loaded),
    .resident_i                  (resident),
    .done_event_i                (done_event),
    .error_event_i               (error_event),
    .aborted_event_i             (aborted_event),
    .error_code_i                (error_code),
    .error_detail_i              (error_detail),
    .exit_layer_i                (exit_layer),
    .prediction_i                (prediction),
    .entropy_i                   (entropy),
    .saturated_i                 (saturated),
    .logit_read_o                (logit_read),
    .logit_addr_o                (register_logit_addr),
    .logit_i                     (logit),
    .counters_clear_i            (counters_clear),
    .counters_run_i              (running),
    .count_cycles_i              (1'b1),
    .count_mac_cycles_i          (mac),
    .count_gated_rows_i          (gated),
    .count_wait_weight_i         (wait_weight),
    .count_wait_held_i           (wait_held),
    .count_wait_read_i           (wait_read),
    .count_wait_drain_i          (wait_drain),
    .count_idle_matmul_i         (!matmul_busy),
    .count_tiles_i               (tile),
    .count_window_rows_skipped_i (skipped_rows),
    .count_weight_beats_i        (stream_beat_valid && stream_beat_ready),
    .count_weight_nonzeros_i     (nonzeros),
    .count_activation_reads_i    (activation_read),
    .count_activation_writes_i   (activation_write),
    .count_score_reads_i         (score_rd_en),
    .count_score_writes_i        (score_wr_valid),
    .count_reram_reads_i         (reram_read),
    .count_softmax_cycles_i      (softmax_busy),
    .count_layer_norm_cycles_i   (layer_norm_busy),
    .count_embed_cycles_i        (embedding_busy),
    .count_exit_cycles_i         (exit_busy),
    .count_instructions_i        (instruction),
    .count_reram_corrected_i     (reram_corrected),
    .irq_o                       (irq_o)
  );

  // The AXI reader serves the sequencer while it fetches, and the weight stream at other times,
  // unless that reads the resident weights.
  wire                  fetching;
  wire                  fetch_req_valid;
  wire [AXI_ADDR_W-1:0] fetch_req_addr;
  wire [31:0]           fetch_req_beats;
  wire                  fetch_beat_ready;
  wire                  stream_req_valid;
  wire [AXI_ADDR_W-1:0] stream_req_addr;
  wire [31:0]           stream_req_beats;
  wire                  req_ready;
  wire                  beat_valid;
  wire [AXI_DATA_W-1:0] beat;
  wire                  reader_error;
  wire                  reader_idle;

  wire                  resident_start;
  wire [31:0]           resident_beats;
  wire                  resident_fetch;
  wire                  resident_load_ready;
  wire                  resident_load_done;
  wire                  resident_error;
  wire                  resident_req_ready;
  wire                  resident_beat_valid;
  wire [AXI_DATA_W-1:0] resident_beat;
  assign stream_beat_valid = resident ? resident_beat_valid : beat_valid && (!fetching);

  wire                  wr_valid;
  wire                  wr_ready;
  wire [AXI_ADDR_W-1:0] wr_addr;
  wire [31:0]           wr_data;
  wire                  writer_error;
  wire                  writer_idle;

  wire                  segment_valid;
  wire                  segment_ready;
  wire [AXI_ADDR_W-1:0] segment_addr;
  wire [31:0]           segment_beats;
  wire                  format_error;
  wire                  tile_error;

  wire [9:0]            token_rd_addr;
  wire [31:0]           token_rd_data;
  wire                  embedding_error;
  wire [7:0]            embedding_error_code;
  wire [23:0]           embedding_error_detail;

  eb_sequencer #(
    .AxiAddrW         (AXI_ADDR_W),
    .AxiDataW         (AXI_DATA_W),
    .MaxRows          (MAX_ROWS),
    .MaxVectors       (MAX_VECTORS),
    .EmbeddingVectors (EMBEDDING_VECTORS),
    .ProgramDepth     (PROGRAM_DEPTH),
    .ResidentBeats    (RESIDENT_BEATS),
    .Backend          (BACKEND)
  ) u_sequencer (
    .clk_i                    (clk_i),
    .rst_ni                   (rst_n),
    .start_i                  (start),
    .load_i                   (load),
    .abort_i                  (abort),
    .length_i                 (length),
    .program_length_i         (program_length),
    .program_base_i           (program_base[AXI_ADDR_W-1:0]),
    .weight_base_i            (weight_base[AXI_ADDR_W-1:0]),
    .token_base_i             (token_base[AXI_ADDR_W-1:0]),
    .result_base_i            (result_base[AXI_ADDR_W-1:0]),
    .resident_bytes_i         (resident_bytes),
    .busy_o                   (busy),
    .done_o                   (done),
    .error_o                  (error),
    .aborted_o                (aborted),
    .loaded_o                 (loaded),
    .resident_o               (resident),
    .done_event_o             (done_event),
    .error_event_o            (error_event),
    .aborted_event_o          (aborted_event),
    .error_code_o             (error_code),
    .error_detail_o           (error_detail),
    .exit_layer_o             (exit_layer),
    .prediction_o             (prediction),
    .entropy_o                (entropy),
    .counters_clear_o         (counters_clear),
    .running_o                (running),
    .instruction_o            (instruction),
    .fetching_o               (fetching),
    .req_valid_o              (fetch_req_valid),
    .req_ready_i              (req_ready),
    .req_addr_o               (fetch_req_addr),
    .req_beats_o              (fetch_req_beats),
    .beat_valid_i             (beat_valid && fetching),
    .beat_ready_o             (fetch_beat_ready),
    .beat_i                   (beat),
    .reader_error_i           (reader_error),
    .reader_idle_i            (reader_idle),
    .wr_valid_o               (wr_valid),
    .wr_ready_i               (wr_ready),
    .wr_addr_o                (wr_addr),
    .wr_data_o                (wr_data),
    .writer_error_i           (writer_error),
    .writer_idle_i            (writer_idle),
    .cmd_valid_o              (cmd_valid),
    .cmd_ready_i              (cmd_ready),
    .cmd_o                    (cmd),
    .unit_busy_i              (unit_busy),
    .matmul_older_busy_i      (matmul_older_busy),
    .clear_o                  (clear),
    .flush_o                  (flush),
    .segment_valid_o          (segment_valid),
    .segment_ready_i          (segment_ready),
    .segment_addr_o           (segment_addr),
    .segment_beats_o          (segment_beats),
    .format_error_i           (format_error || tile_error),
    .resident_start_o         (resident_start),
    .resident_beats_o         (resident_beats),
    .resident_fetch_o         (resident_fetch),
    .resident_ready_i         (resident_load_ready),
    .resident_done_i          (resident_load_done),
    .resident_error_i         (resident_error),
    .token_rd_addr_i          (token_rd_addr),
    .token_rd_data_o          (token_rd_data),
    .embedding_error_i        (embedding_error),
    .embedding_error_code_i   (embedding_error_code),
    .embedding_error_detail_i (embedding_error_detail),
    .result_valid_i           (result_valid),
    .entropy_i                (result_entropy),
    .prediction_i             (result_prediction),
    .exit_i                   (result_exit),
    .logit_addr_o             (record_logit_addr),
    .logit_grant_i            (!logit_read),
    .logit_i                  (logit)
  );
)";

constexpr const char* kStreams = R"(
  // ---- AXI and the weight stream --------------------------------------------------------------

  eb_axi_reader #(
    .AxiAddrW    (AXI_ADDR_W),
    .AxiDataW    (AXI_DATA_W),
    .AxiIdW      (AXI_ID_W),
    .MaxBurst    (MAX_BURST),
    .Outstanding (OUTSTANDING),
    .FifoDepth   (STREAM_FIFO_BEATS),
    .Backend     (BACKEND)
  ) u_axi_reader (
    .clk_i           (clk_i),
    .rst_ni          (rst_n),
    .clear_i         (flush),
    .req_valid_i     (fetching ? fetch_req_valid : stream_req_valid && (!resident)),
    .req_ready_o     (req_ready),
    .req_addr_i      (fetching ? fetch_req_addr : stream_req_addr),
    .req_beats_i     (fetching ? fetch_req_beats : stream_req_beats),
    .beat_valid_o    (beat_valid),
    .beat_ready_i    (fetching ? fetch_beat_ready : stream_beat_ready),
    .beat_o          (beat),
    .error_o         (reader_error),
    .idle_o          (reader_idle),
    .m_axi_arvalid_o (m_axi_arvalid),
    .m_axi_arready_i (m_axi_arready),
    .m_axi_arid_o    (m_axi_arid),
    .m_axi_araddr_o  (m_axi_araddr),
    .m_axi_arlen_o   (m_axi_arlen),
    .m_axi_arsize_o  (m_axi_arsize),
    .m_axi_arburst_o (m_axi_arburst),
    .m_axi_rvalid_i  (m_axi_rvalid),
    .m_axi_rready_o  (m_axi_rready),
    .m_axi_rdata_i   (m_axi_rdata),
    .m_axi_rresp_i   (m_axi_rresp),
    .m_axi_rlast_i   (m_axi_rlast)
  );

  generate
    if (RESIDENT_BEATS > 0) begin : g_resident
      eb_resident_weights #(
        .AxiAddrW (AXI_ADDR_W),
        .AxiDataW (AXI_DATA_W),
        .Depth    (RESIDENT_BEATS),
        .Backend  (BACKEND)
      ) u_resident_weights (
        .clk_i        (clk_i),
        .rst_ni       (rst_n),
        .clear_i      (flush),
        .load_start_i (resident_start),
        .load_beats_i (resident_beats),
        .load_valid_i (beat_valid && resident_fetch),
        .load_ready_o (resident_load_ready),
        .load_beat_i  (beat),
        .load_done_o  (resident_load_done),
        .base_i       (weight_base[AXI_ADDR_W-1:0]),
        .req_valid_i  (stream_req_valid && resident),
        .req_ready_o  (resident_req_ready),
        .req_addr_i   (stream_req_addr),
        .req_beats_i  (stream_req_beats),
        .error_o      (resident_error),
        .beat_valid_o (resident_beat_valid),
        .beat_ready_i (stream_beat_ready),
        .beat_o       (resident_beat)
      );
    end else begin : g_no_resident
      assign resident_load_ready = 1'b0;
      assign resident_load_done  = 1'b0;
      assign resident_error      = 1'b0;
      assign resident_req_ready  = 1'b0;
      assign resident_beat_valid = 1'b0;
      assign resident_beat       = {AXI_DATA_W{1'b0}};
      wire unused_resident = &{1'b0, resident_start, resident_beats, resident_fetch};
    end
  endgenerate

  eb_axi_writer #(
    .AxiAddrW    (AXI_ADDR_W),
    .AxiDataW    (AXI_DATA_W),
    .AxiIdW      (AXI_ID_W),
    .Outstanding (OUTSTANDING)
  ) u_axi_writer (
    .clk_i           (clk_i),
    .rst_ni          (rst_n),
    .wr_valid_i      (wr_valid),
    .wr_ready_o      (wr_ready),
    .wr_addr_i       (wr_addr),
    .wr_data_i       (wr_data),
    .error_o         (writer_error),
    .idle_o          (writer_idle),
    .m_axi_awvalid_o (m_axi_awvalid),
    .m_axi_awready_i (m_axi_awready),
    .m_axi_awid_o    (m_axi_awid),
    .m_axi_awaddr_o  (m_axi_awaddr),
    .m_axi_awlen_o   (m_axi_awlen),
    .m_axi_awsize_o  (m_axi_awsize),
    .m_axi_awburst_o (m_axi_awburst),
    .m_axi_wvalid_o  (m_axi_wvalid),
    .m_axi_wready_i  (m_axi_wready),
    .m_axi_wdata_o   (m_axi_wdata),
    .m_axi_wstrb_o   (m_axi_wstrb),
    .m_axi_wlast_o   (m_axi_wlast),
    .m_axi_bvalid_i  (m_axi_bvalid),
    .m_axi_bready_o  (m_axi_bready),
    .m_axi_bresp_i   (m_axi_bresp)
  );

  assign m_axi_arcache = CACHE_BUFFERABLE;
  assign m_axi_arprot  = PROT_DATA;
  assign m_axi_awcache = CACHE_BUFFERABLE;
  assign m_axi_awprot  = PROT_DATA;

  // Word groups are for MATMUL or for LAYER_NORM; the program never lets both read the stream.
  wire                    matmul_words_request;
  wire                    matmul_words_ready;
  wire                    norm_words_request;
  wire                    norm_words_ready;
  wire                    words_valid;
  wire [LANES*32-1:0]     words;
  wire                    tile_request;
  wire                    tile_valid;
  wire                    tile_ready;
  wire [LANES*CODE_W-1:0] tile_row;
  wire [15:0]             tile_k;
  wire                    tile_last;
  wire                    tile_empty;

  eb_weight_stream #(
    .Lanes    (LANES),
    .CodeW    (CODE_W),
    .AxiAddrW (AXI_ADDR_W),
    .AxiDataW (AXI_DATA_W)
  ) u_weight_stream (
    .clk_i           (clk_i),
    .rst_ni          (rst_n),
    .clear_i         (flush),
    .segment_valid_i (segment_valid),
    .segment_ready_o (segment_ready),
    .segment_addr_i  (segment_addr),
    .segment_beats_i (segment_beats),
    .req_valid_o     (stream_req_valid),
    .req_ready_i     (resident ? resident_req_ready : req_ready && (!fetching)),
    .req_addr_o      (stream_req_addr),
    .req_beats_o     (stream_req_beats),
    .beat_valid_i    (stream_beat_valid),
    .beat_ready_o    (stream_beat_ready),
    .beat_i          (resident ? resident_beat : beat),
    .words_request_i (matmul_words_request || norm_words_request),
    .words_valid_o   (words_valid),
    .words_ready_i   (matmul_words_request ? matmul_words_ready : norm_words_ready),
    .words_o         (words),
    .tile_request_i  (tile_request),
    .tile_valid_o    (tile_valid),
    .tile_ready_i    (tile_ready),
    .tile_row_o      (tile_row),
    .tile_k_o        (tile_k),
    .tile_last_o     (tile_last),
    .tile_empty_o    (tile_empty),
    .format_error_o  (format_error),
    .nonzeros_o      (nonzeros)
  );
)";

constexpr const char* kMemories = R"(
  // ---- Memories -------------------------------------------------------------------------------

  wire [3:0]                rd_valid;
  wire [3:0]                rd_ready;
  wire [4*ADDR_W-1:0]       rd_addr;
  wire [LANES*CODE_W-1:0]   rd_data;
  wire [LANES-1:0]          rd_mask;
  wire [3:0]                act_wr_valid;
  wire [3:0]                act_wr_ready;
  wire [4*ADDR_W-1:0]       act_wr_addr;
  wire [4*LANES*CODE_W-1:0] act_wr_data;

  eb_activation_memory #(
    .Lanes   (LANES),
    .CodeW   (CODE_W),
    .AddrW   (ADDR_W),
    .Depth   (ACTIVATION_VECTORS),
    .Backend (BACKEND)
  ) u_activation_memory (
    .clk_i      (clk_i),
    .rd_valid_i (rd_valid),
    .rd_ready_o (rd_ready),
    .rd_addr_i  (rd_addr),
    .rd_data_o  (rd_data),
    .rd_mask_o  (rd_mask),
    .wr_valid_i (act_wr_valid),
    .wr_ready_o (act_wr_ready),
    .wr_addr_i  (act_wr_addr),
    .wr_data_i  (act_wr_data),
    .read_o     (activation_read),
    .write_o    (activation_write)
  );

  wire [ADDR_W-1:0]        score_rd_addr;
  wire [LANES*SCORE_W-1:0] score_rd_data;
  wire [ADDR_W-1:0]        score_wr_addr;
  wire [LANES*SCORE_W-1:0] score_wr_data;

  eb_sram_1r1w #(
    .Depth   (SCORE_VECTORS),
    .Lanes   (1),
    .LaneW   (LANES*SCORE_W),
    .Backend (BACKEND)
  ) u_score_memory (
    .clk_i     (clk_i),
    .wr_en_i   (score_wr_valid),
    .wr_addr_i (score_wr_addr[SCORE_ADDR_W-1:0]),
    .wr_data_i (score_wr_data),
    .rd_en_i   (score_rd_en),
    .rd_addr_i (score_rd_addr[SCORE_ADDR_W-1:0]),
    .rd_data_o (score_rd_data)
  );
)";

constexpr const char* kUnits = R"(
  // ---- Units ----------------------------------------------------------------------------------

  wire                     logit_valid;
  wire [15:0]              logit_strip;
  wire [LANES*FIXED_W-1:0] logit_data;

  eb_matmul #(
    .Lanes    (LANES),
    .CodeW    (CODE_W),
    .ExpW     (EXP_W),
    .AccW     (ACC_W),
    .MaxRows  (MAX_ROWS),
    .Pipeline (PIPELINE),
    .Gated    (GATED),
    .Backend  (BACKEND)
  ) u_matmul (
    .clk_i            (clk_i),
    .rst_ni           (rst_n),
    .clear_i          (clear),
    .cmd_valid_i      (cmd_valid[0]),
    .cmd_ready_o      (cmd_ready[0]),
    .cmd_i            (cmd),
    .length_i         (length[9:0]),
    .busy_o           (matmul_busy),
    .older_busy_o     (matmul_older_busy),
    .words_request_o  (matmul_words_request),
    .words_valid_i    (words_valid),
    .words_ready_o    (matmul_words_ready),
    .words_i          (words),
    .tile_request_o   (tile_request),
    .tile_valid_i     (tile_valid),
    .tile_ready_o     (tile_ready),
    .tile_row_i       (tile_row),
    .tile_k_i         (tile_k),
    .tile_last_i      (tile_last),
    .tile_empty_i     (tile_empty),
    .format_error_o   (tile_error),
    .src_rd_valid_o   (rd_valid[0]),
    .src_rd_ready_i   (rd_ready[0]),
    .src_rd_addr_o    (rd_addr[0*ADDR_W +: ADDR_W]),
    .res_rd_valid_o   (rd_valid[1]),
    .res_rd_ready_i   (rd_ready[1]),
    .res_rd_addr_o    (rd_addr[1*ADDR_W +: ADDR_W]),
    .held_rd_valid_o  (rd_valid[2]),
    .held_rd_ready_i  (rd_ready[2]),
    .held_rd_addr_o   (rd_addr[2*ADDR_W +: ADDR_W]),
    .rd_data_i        (rd_data),
    .rd_mask_i        (rd_mask),
    .wr_valid_o       (act_wr_valid[0]),
    .wr_ready_i       (act_wr_ready[0]),
    .wr_addr_o        (act_wr_addr[0*ADDR_W +: ADDR_W]),
    .wr_data_o        (act_wr_data[0*LANES*CODE_W +: LANES*CODE_W]),
    .score_wr_valid_o (score_wr_valid),
    .score_wr_addr_o  (score_wr_addr),
    .score_wr_data_o  (score_wr_data),
    .logit_valid_o    (logit_valid),
    .logit_strip_o    (logit_strip),
    .logit_data_o     (logit_data),
    .mac_o            (mac),
    .gated_o          (gated),
    .wait_weight_o    (wait_weight),
    .wait_held_o      (wait_held),
    .wait_read_o      (wait_read),
    .wait_drain_o     (wait_drain),
    .tile_o           (tile),
    .skipped_rows_o   (skipped_rows),
    .saturated_o      (saturated)
  );

  // Clocks of the units that work in bursts. eb_exit takes logits before its command comes.
  wire reram_busy;
  wire clk_softmax;
  wire clk_layer_norm;
  wire clk_exit;
  wire clk_embedding;

  eb_unit_clock u_clock_softmax (
    .clk_i  (clk_i),
    .rst_ni (rst_n),
    .wake_i (clear || cmd_valid[1] || softmax_busy),
    .clk_o  (clk_softmax)
  );

  eb_unit_clock u_clock_layer_norm (
    .clk_i  (clk_i),
    .rst_ni (rst_n),
    .wake_i (clear || cmd_valid[2] || layer_norm_busy),
    .clk_o  (clk_layer_norm)
  );

  eb_unit_clock u_clock_exit (
    .clk_i  (clk_i),
    .rst_ni (rst_n),
    .wake_i (clear || cmd_valid[4] || exit_busy || logit_valid),
    .clk_o  (clk_exit)
  );

  eb_unit_clock u_clock_embedding (
    .clk_i  (clk_i),
    .rst_ni (rst_n),
    .wake_i (clear || cmd_valid[3] || embedding_busy || reram_busy),
    .clk_o  (clk_embedding)
  );

  eb_softmax #(
    .Lanes   (LANES),
    .CodeW   (CODE_W),
    .ExpW    (EXP_W),
    .MaxRows (MAX_ROWS),
    .AddrW   (ADDR_W),
    .Backend (BACKEND)
  ) u_softmax (
    .clk_i           (clk_softmax),
    .rst_ni          (rst_n),
    .clear_i         (clear),
    .cmd_valid_i     (cmd_valid[1]),
    .cmd_ready_o     (cmd_ready[1]),
    .cmd_i           (cmd),
    .length_i        (length[9:0]),
    .busy_o          (softmax_busy),
    .score_rd_en_o   (score_rd_en),
    .score_rd_addr_o (score_rd_addr),
    .score_rd_data_i (score_rd_data),
    .wr_valid_o      (act_wr_valid[1]),
    .wr_ready_i      (act_wr_ready[1]),
    .wr_addr_o       (act_wr_addr[1*ADDR_W +: ADDR_W]),
    .wr_data_o       (act_wr_data[1*LANES*CODE_W +: LANES*CODE_W])
  );

  eb_layer_norm #(
    .Lanes      (LANES),
    .CodeW      (CODE_W),
    .ExpW       (EXP_W),
    .MaxVectors (MAX_VECTORS),
    .AddrW      (ADDR_W),
    .Backend    (BACKEND)
  ) u_layer_norm (
    .clk_i           (clk_layer_norm),
    .rst_ni          (rst_n),
    .clear_i         (clear),
    .cmd_valid_i     (cmd_valid[2]),
    .cmd_ready_o     (cmd_ready[2]),
    .cmd_i           (cmd),
    .length_i        (length[9:0]),
    .busy_o          (layer_norm_busy),
    .words_request_o (norm_words_request),
    .words_valid_i   (words_valid && (!matmul_words_request)),
    .words_ready_o   (norm_words_ready),
    .words_i         (words),
    .rd_valid_o      (rd_valid[3]),
    .rd_ready_i      (rd_ready[3]),
    .rd_addr_o       (rd_addr[3*ADDR_W +: ADDR_W]),
    .rd_data_i       (rd_data),
    .wr_valid_o      (act_wr_valid[2]),
    .wr_ready_i      (act_wr_ready[2]),
    .wr_addr_o       (act_wr_addr[2*ADDR_W +: ADDR_W]),
    .wr_data_o       (act_wr_data[2*LANES*CODE_W +: LANES*CODE_W])
  );

  eb_exit #(
    .Lanes      (LANES),
    .MaxClasses (MAX_CLASSES)
  ) u_exit (
    .clk_i          (clk_exit),
    .rst_ni         (rst_n),
    .clear_i        (clear),
    .cmd_valid_i    (cmd_valid[4]),
    .cmd_ready_o    (cmd_ready[4]),
    .cmd_i          (cmd),
    .busy_o         (exit_busy),
    .threshold_i    (threshold),
    .logit_valid_i  (logit_valid),
    .logit_strip_i  (logit_strip),
    .logit_data_i   (logit_data),
    .logit_addr_i   (logit_addr),
    .logit_o        (logit),
    .result_valid_o (result_valid),
    .entropy_o      (result_entropy),
    .prediction_o   (result_prediction),
    .exit_o         (result_exit)
  );
)";

constexpr const char* kEmbedding = R"(
  // ---- Embedding and ReRAM --------------------------------------------------------------------

  wire                    row_valid;
  wire                    row_ready;
  wire [31:0]             row;
  wire [31:0]             mask_base;
  wire [15:0]             vectors;
  wire                    vec_valid;
  wire                    vec_ready;
  wire [LANES*CODE_W-1:0] vec;
  wire                    rr_req_valid;
  wire                    rr_req_ready;
  wire                    rr_req_mlc;
  wire [31:0]             rr_req_addr;
  wire                    rr_rsp_valid;
  wire                    word_error;
  wire [RERAM_WORD_W+RERAM_CHECK_W-1:0] rr_rsp_data;

  eb_embedding #(
    .Lanes      (LANES),
    .CodeW      (CODE_W),
    .ExpW       (EXP_W),
    .MaxVectors (EMBEDDING_VECTORS),
    .Backend    (BACKEND)
  ) u_embedding (
    .clk_i           (clk_embedding),
    .rst_ni          (rst_n),
    .clear_i         (clear),
    .cmd_valid_i     (cmd_valid[3]),
    .cmd_ready_o     (cmd_ready[3]),
    .cmd_i           (cmd),
    .length_i        (length[9:0]),
    .busy_o          (embedding_busy),
    .token_rd_addr_o (token_rd_addr),
    .token_rd_data_i (token_rd_data),
    .row_valid_o     (row_valid),
    .row_ready_i     (row_ready),
    .row_o           (row),
    .mask_base_o     (mask_base),
    .vectors_o       (vectors),
    .vec_valid_i     (vec_valid),
    .vec_ready_o     (vec_ready),
    .vec_i           (vec),
    .word_error_i    (word_error),
    .wr_valid_o      (act_wr_valid[3]),
    .wr_ready_i      (act_wr_ready[3]),
    .wr_addr_o       (act_wr_addr[3*ADDR_W +: ADDR_W]),
    .wr_data_o       (act_wr_data[3*LANES*CODE_W +: LANES*CODE_W]),
    .error_valid_o   (embedding_error),
    .error_code_o    (embedding_error_code),
    .error_detail_o  (embedding_error_detail)
  );

  eb_reram_ctrl #(
    .Lanes     (LANES),
    .CodeW     (CODE_W),
    .WordBits  (RERAM_WORD_W),
    .CheckBits (RERAM_CHECK_W)
  ) u_reram_ctrl (
    .clk_i          (clk_embedding),
    .rst_ni         (rst_n),
    .clear_i        (clear),
    .row_valid_i    (row_valid),
    .row_ready_o    (row_ready),
    .row_i          (row),
    .mask_base_i    (mask_base),
    .vectors_i      (vectors),
    .vec_valid_o    (vec_valid),
    .vec_ready_i    (vec_ready),
    .vec_o          (vec),
    .rr_req_valid_o (rr_req_valid),
    .rr_req_ready_i (rr_req_ready),
    .rr_req_mlc_o   (rr_req_mlc),
    .rr_req_addr_o  (rr_req_addr),
    .rr_rsp_valid_i (rr_rsp_valid),
    .rr_rsp_data_i  (rr_rsp_data),
    .busy_o         (reram_busy),
    .read_o         (reram_read),
    .corrected_o    (reram_corrected),
    .word_error_o   (word_error)
  );

  eb_reram_macro #(
    .WordBits    (RERAM_WORD_W + RERAM_CHECK_W),
    .BitsPerCell (BITS_PER_CELL),
    .ReadLatency (RERAM_LATENCY),
    .SlcWords    (SLC_WORDS),
    .MlcWords    (MLC_WORDS),
    .Backend     (BACKEND)
  ) u_reram_macro (
    .clk_i          (clk_embedding),
    .rst_ni         (rst_n),
    .rr_req_valid_i (rr_req_valid),
    .rr_req_ready_o (rr_req_ready),
    .rr_req_mlc_i   (rr_req_mlc),
    .rr_req_addr_i  (rr_req_addr),
    .rr_rsp_valid_o (rr_rsp_valid),
    .rr_rsp_data_o  (rr_rsp_data)
  );

  // Addresses beyond the configured width, and what constant IDs make redundant.
  wire unused_ok = &{1'b0, m_axi_rid, m_axi_bid, length, program_base, weight_base, token_base,
                     result_base, score_rd_addr, score_wr_addr};
)";

}  // namespace

int ReramSlcWords(const spec::AcceleratorConfig& config) {
  const int entries_a_word = config.reram.word_bits / 32;
  const int mask_words =
      spec::CeilDiv(spec::EmbeddingVectors(config) * config.vmac.n, config.reram.word_bits);
  return spec::CeilDiv(EmbeddingRows(config), entries_a_word) + EmbeddingRows(config) * mask_words;
}

int ReramMlcWords(const spec::AcceleratorConfig& config) {
  return EmbeddingRows(config) *
         spec::CeilDiv(config.model.embedding, spec::CodesPerReramWord(config));
}

vlog::Module EmitTop(const spec::AcceleratorConfig& config) {
  vlog::Module m("eb_top", "generator/units/top.cc");
  m.Describe(R"(
eb_top: EdgeBERT accelerator, one clock.

Registers start the sequencer, which fetches program and tokens over AXI, hands instructions to the
units, and writes the result record. Units share activation memory, score memory and the weight
stream. The constants below are the configuration; CONFIG_HASH names it to software.)");
  AddPorts(m, config);
  AddConstants(m, config);
  m.Uses(EmitResetSync()).Uses(EmitUnitClock()).Uses(EmitRegisters()).Uses(EmitSequencer());
  m.Uses(EmitAxiReader()).Uses(EmitAxiWriter()).Uses(EmitWeightStream());
  m.Uses(EmitResidentWeights());
  m.Uses(EmitActivationMemory()).Uses(EmitSram1r1w());
  m.Uses(EmitMatmul()).Uses(EmitSoftmax()).Uses(EmitLayerNorm()).Uses(EmitExit());
  m.Uses(EmitEmbedding()).Uses(EmitReramCtrl()).Uses(EmitReramMacro());
  m.Body(kControl).Body(kStreams).Body(kMemories).Body(kUnits).Body(kEmbedding);
  return m;
}

}  // namespace edgebert::gen
