// The sequencer with the real AXI masters, a memory, and units made of random delays: programs,
// waits, loops, segments, the result record, and recovery from every error and abort.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cosim/axi/axi_checker.h"
#include "cosim/axi/axi_memory.h"
#include "cosim/sim/bench.h"
#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/blocks/sram.h"
#include "generator/units/axi_reader.h"
#include "generator/units/axi_writer.h"
#include "generator/units/program_memory.h"
#include "generator/units/result_writer.h"
#include "generator/units/segment_address.h"
#include "generator/units/sequencer.h"
#include "generator/units/token_memory.h"
#include "golden/spec/isa.h"
#include "golden/spec/register_map.h"
#include "tests/cosim/system_support.h"

namespace edgebert {
namespace {

using spec::ErrorCode;
using spec::Instruction;
using spec::Opcode;

constexpr uint64_t kProgramBase = 0x1'0000;
constexpr uint64_t kTokenBase = 0x2'0000;
constexpr uint64_t kWeightBase = 0x4'0000'0000;
constexpr uint64_t kResultBase = 0x3'0004;
constexpr int kMaxRows = 37;
constexpr int kMaxVectors = 7;
constexpr int kEmbeddingVectors = 5;
constexpr int kProgramDepth = 48;
constexpr int kRecordWords = spec::kResultLogitsWord + 256;

// The sequencer between its AXI masters, wired as eb_top wires them.
constexpr const char* kHarness = R"(`default_nettype none
module eb_sequencer_bench #(
  parameter AxiDataW = 64
) (
  input  wire         clk_i,
  input  wire         rst_ni,
  input  wire         start_i,
  input  wire         load_i,
  input  wire         abort_i,
  input  wire [31:0]  length_i,
  input  wire [31:0]  program_length_i,
  input  wire [39:0]  program_base_i,
  input  wire [39:0]  weight_base_i,
  input  wire [39:0]  token_base_i,
  input  wire [39:0]  result_base_i,
  input  wire [31:0]  resident_bytes_i,
  output wire         busy_o,
  output wire         done_o,
  output wire         error_o,
  output wire         aborted_o,
  output wire         loaded_o,
  output wire         resident_o,
  output wire         done_event_o,
  output wire         error_event_o,
  output wire         aborted_event_o,
  output wire [7:0]   error_code_o,
  output wire [23:0]  error_detail_o,
  output wire [15:0]  exit_layer_o,
  output wire [7:0]   prediction_o,
  output wire [19:0]  entropy_o,
  output wire         counters_clear_o,
  output wire         running_o,
  output wire         instruction_o,
  output wire [4:0]   cmd_valid_o,
  input  wire [4:0]   cmd_ready_i,
  output wire [255:0] cmd_o,
  input  wire [4:0]   unit_busy_i,
  input  wire         matmul_older_busy_i,
  output wire         clear_o,
  output wire         flush_o,
  output wire         segment_valid_o,
  input  wire         segment_ready_i,
  output wire [39:0]  segment_addr_o,
  output wire [31:0]  segment_beats_o,
  input  wire         format_error_i,
  input  wire         resident_error_i,
  output reg  [31:0]  resident_left_o,
  input  wire [9:0]   token_rd_addr_i,
  output wire [31:0]  token_rd_data_o,
  input  wire         embedding_error_i,
  input  wire [7:0]   embedding_error_code_i,
  input  wire [23:0]  embedding_error_detail_i,
  input  wire         result_valid_i,
  input  wire [19:0]  entropy_i,
  input  wire [7:0]   prediction_i,
  input  wire         exit_i,
  output wire [7:0]   logit_addr_o,
  input  wire         logit_grant_i,
  input  wire signed [25:0] logit_i,
  input  wire         stream_req_valid_i,
  input  wire [39:0]  stream_req_addr_i,
  input  wire [31:0]  stream_req_beats_i,
  output wire         m_axi_arvalid,
  input  wire         m_axi_arready,
  output wire [3:0]   m_axi_arid,
  output wire [39:0]  m_axi_araddr,
  output wire [7:0]   m_axi_arlen,
  output wire [2:0]   m_axi_arsize,
  output wire [1:0]   m_axi_arburst,
  input  wire         m_axi_rvalid,
  output wire         m_axi_rready,
  input  wire [AxiDataW-1:0] m_axi_rdata,
  input  wire [1:0]   m_axi_rresp,
  input  wire         m_axi_rlast,
  output wire         m_axi_awvalid,
  input  wire         m_axi_awready,
  output wire [3:0]   m_axi_awid,
  output wire [39:0]  m_axi_awaddr,
  output wire [7:0]   m_axi_awlen,
  output wire [2:0]   m_axi_awsize,
  output wire [1:0]   m_axi_awburst,
  output wire         m_axi_wvalid,
  input  wire         m_axi_wready,
  output wire [AxiDataW-1:0] m_axi_wdata,
  output wire [AxiDataW/8-1:0] m_axi_wstrb,
  output wire         m_axi_wlast,
  input  wire         m_axi_bvalid,
  output wire         m_axi_bready,
  input  wire [1:0]   m_axi_bresp
);
  wire fetching, req_valid, req_ready, beat_valid, beat_ready, reader_error, reader_idle;
  wire wr_valid, wr_ready, writer_error, writer_idle;
  wire [39:0] req_addr, wr_addr;
  wire [31:0] req_beats, wr_data;
  wire [AxiDataW-1:0] beat;
  // The resident weights: takes any beat.
  wire resident_start, resident_fetch;
  wire [31:0] resident_beats;
  wire resident_take = resident_fetch && beat_valid;
  always @(posedge clk_i) begin
    if (resident_start) resident_left_o <= resident_beats;
    else if (resident_take) resident_left_o <= resident_left_o - 32'd1;
  end
  eb_sequencer #(.AxiAddrW(40), .AxiDataW(AxiDataW), .MaxRows(37), .MaxVectors(7),
                 .EmbeddingVectors(5), .ProgramDepth(48), .ResidentBeats(12)) u_sequencer (
    .clk_i(clk_i), .rst_ni(rst_ni), .start_i(start_i), .load_i(load_i), .abort_i(abort_i),
    .length_i(length_i), .program_length_i(program_length_i), .program_base_i(program_base_i),
    .weight_base_i(weight_base_i), .token_base_i(token_base_i), .result_base_i(result_base_i),
    .resident_bytes_i(resident_bytes_i), .resident_o(resident_o),
    .resident_start_o(resident_start), .resident_beats_o(resident_beats),
    .resident_fetch_o(resident_fetch), .resident_ready_i(1'b1),
    .resident_done_i(resident_take && resident_left_o == 32'd1),
    .resident_error_i(resident_error_i),
    .busy_o(busy_o), .done_o(done_o), .error_o(error_o), .aborted_o(aborted_o),
    .loaded_o(loaded_o), .done_event_o(done_event_o), .error_event_o(error_event_o),
    .aborted_event_o(aborted_event_o), .error_code_o(error_code_o),
    .error_detail_o(error_detail_o), .exit_layer_o(exit_layer_o), .prediction_o(prediction_o),
    .entropy_o(entropy_o), .counters_clear_o(counters_clear_o), .running_o(running_o),
    .instruction_o(instruction_o), .fetching_o(fetching), .req_valid_o(req_valid),
    .req_ready_i(req_ready), .req_addr_o(req_addr), .req_beats_o(req_beats),
    .beat_valid_i(beat_valid && fetching), .beat_ready_o(beat_ready), .beat_i(beat),
    .reader_error_i(reader_error), .reader_idle_i(reader_idle), .wr_valid_o(wr_valid),
    .wr_ready_i(wr_ready), .wr_addr_o(wr_addr), .wr_data_o(wr_data),
    .writer_error_i(writer_error), .writer_idle_i(writer_idle), .cmd_valid_o(cmd_valid_o),
    .cmd_ready_i(cmd_ready_i), .cmd_o(cmd_o), .unit_busy_i(unit_busy_i),
    .matmul_older_busy_i(matmul_older_busy_i), .clear_o(clear_o),
    .flush_o(flush_o), .segment_valid_o(segment_valid_o), .segment_ready_i(segment_ready_i),
    .segment_addr_o(segment_addr_o), .segment_beats_o(segment_beats_o),
    .format_error_i(format_error_i), .token_rd_addr_i(token_rd_addr_i),
    .token_rd_data_o(token_rd_data_o), .embedding_error_i(embedding_error_i),
    .embedding_error_code_i(embedding_error_code_i),
    .embedding_error_detail_i(embedding_error_detail_i), .result_valid_i(result_valid_i),
    .entropy_i(entropy_i), .prediction_i(prediction_i), .exit_i(exit_i),
    .logit_addr_o(logit_addr_o), .logit_grant_i(logit_grant_i), .logit_i(logit_i));
  eb_axi_reader #(.AxiAddrW(40), .AxiDataW(AxiDataW), .AxiIdW(4), .MaxBurst(8), .Outstanding(2),
                  .FifoDepth(16)) u_axi_reader (
    .clk_i(clk_i), .rst_ni(rst_ni), .clear_i(flush_o),
    .req_valid_i(fetching ? req_valid : stream_req_valid_i), .req_ready_o(req_ready),
    .req_addr_i(fetching ? req_addr : stream_req_addr_i),
    .req_beats_i(fetching ? req_beats : stream_req_beats_i), .beat_valid_o(beat_valid),
    .beat_ready_i(fetching ? beat_ready : 1'b1), .beat_o(beat), .error_o(reader_error),
    .idle_o(reader_idle), .m_axi_arvalid_o(m_axi_arvalid), .m_axi_arready_i(m_axi_arready),
    .m_axi_arid_o(m_axi_arid), .m_axi_araddr_o(m_axi_araddr), .m_axi_arlen_o(m_axi_arlen),
    .m_axi_arsize_o(m_axi_arsize), .m_axi_arburst_o(m_axi_arburst),
    .m_axi_rvalid_i(m_axi_rvalid), .m_axi_rready_o(m_axi_rready), .m_axi_rdata_i(m_axi_rdata),
    .m_axi_rresp_i(m_axi_rresp), .m_axi_rlast_i(m_axi_rlast));
  eb_axi_writer #(.AxiAddrW(40), .AxiDataW(AxiDataW), .AxiIdW(4), .Outstanding(2)) u_axi_writer (
    .clk_i(clk_i), .rst_ni(rst_ni), .wr_valid_i(wr_valid), .wr_ready_o(wr_ready),
    .wr_addr_i(wr_addr), .wr_data_i(wr_data), .error_o(writer_error), .idle_o(writer_idle),
    .m_axi_awvalid_o(m_axi_awvalid), .m_axi_awready_i(m_axi_awready), .m_axi_awid_o(m_axi_awid),
    .m_axi_awaddr_o(m_axi_awaddr), .m_axi_awlen_o(m_axi_awlen), .m_axi_awsize_o(m_axi_awsize),
    .m_axi_awburst_o(m_axi_awburst), .m_axi_wvalid_o(m_axi_wvalid),
    .m_axi_wready_i(m_axi_wready), .m_axi_wdata_o(m_axi_wdata), .m_axi_wstrb_o(m_axi_wstrb),
    .m_axi_wlast_o(m_axi_wlast), .m_axi_bvalid_i(m_axi_bvalid), .m_axi_bready_o(m_axi_bready),
    .m_axi_bresp_i(m_axi_bresp));
endmodule
`default_nettype wire
)";

Instruction Make(Opcode opcode, uint32_t wait_mask = 0) {
  Instruction instruction;
  instruction.Set(spec::kOpcode, static_cast<int64_t>(opcode));
  instruction.Set(spec::kWaitMask, wait_mask);
  // No more than each takes at least.
  if (opcode == Opcode::kMatmul) {
    instruction.Set(spec::kMatmulStrips, 1);
    instruction.Set(spec::kMatmulKTiles, 1);
  }
  if (opcode == Opcode::kLayerNorm) instruction.Set(spec::kLayerNormVectors, 1);
  if (opcode == Opcode::kEmbed) instruction.Set(spec::kEmbedVectors, 1);
  return instruction;
}
Instruction Stream(uint32_t offset, uint32_t beats, uint32_t stride) {
  Instruction instruction = Make(Opcode::kStream);
  instruction.Set(spec::kStreamOffset, offset);
  instruction.Set(spec::kStreamBeats, beats);
  instruction.Set(spec::kStreamIterationStride, stride);
  return instruction;
}
Instruction Loop(int target, int count) {
  Instruction instruction = Make(Opcode::kLoop);
  instruction.Set(spec::kLoopTarget, target);
  instruction.Set(spec::kLoopCount, count);
  return instruction;
}
Instruction Exit(int classes) {
  Instruction instruction = Make(Opcode::kExit);
  instruction.Set(spec::kExitClasses, classes);
  return instruction;
}

std::optional<int> UnitOf(const Instruction& instruction) {
  static const std::map<Opcode, int> units = {{Opcode::kMatmul, 0},
                                              {Opcode::kSoftmax, 1},
                                              {Opcode::kLayerNorm, 2},
                                              {Opcode::kEmbed, 3},
                                              {Opcode::kExit, 4}};
  const auto unit = units.find(static_cast<Opcode>(instruction.Get(spec::kOpcode)));
  return unit == units.end() ? std::nullopt : std::optional(unit->second);
}

struct Segment {
  uint64_t address;
  uint32_t beats;
  friend bool operator==(const Segment&, const Segment&) = default;
};

/// What an EXIT of the fake exit unit answers.
struct Answer {
  uint32_t entropy;
  uint32_t prediction;
  bool exit;
};

int32_t LogitOf(uint32_t c) { return c % 2 == 0 ? -70'000 * static_cast<int>(c + 1) : 123 + c; }

/// The five units and the weight stream: take commands, are busy for a random time.
class FakeUnits : public cosim::Agent {
 public:
  explicit FakeUnits(cosim::Dut& dut)
      : dut_(dut),
        cmd_valid_(dut.Get("cmd_valid_o")),
        cmd_ready_(dut.Get("cmd_ready_i")),
        cmd_(dut.Get("cmd_o")),
        unit_busy_(dut.Get("unit_busy_i")),
        older_busy_(dut.Get("matmul_older_busy_i")),
        clear_(dut.Get("clear_o")),
        segment_valid_(dut.Get("segment_valid_o")),
        segment_ready_(dut.Get("segment_ready_i")),
        segment_addr_(dut.Get("segment_addr_o")),
        segment_beats_(dut.Get("segment_beats_o")),
        result_valid_(dut.Get("result_valid_i")),
        logit_addr_(dut.Get("logit_addr_o")),
        logit_(dut.Get("logit_i")),
        logit_grant_(dut.Get("logit_grant_i")) {}

  void Drive(uint64_t /*cycle*/) override {
    uint64_t busy = 0;
    for (size_t unit = 0; unit < busy_.size(); ++unit) busy |= (busy_[unit] > 0 ? 1U : 0U) << unit;
    unit_busy_.Set(busy);
    // This MATMUL takes no command while it is busy; what the bit says is chance.
    older_busy_.Set(random_.Chance(0.5) ? 1 : 0);
    cmd_ready_.Set(~busy & 0x1f);
    segment_ready_.Set(random_.Chance(0.5) ? 1 : 0);
    const bool result = busy_[4] == 1;
    result_valid_.Set(result ? 1 : 0);
    const Answer answer =
        result && next_answer_ < answers.size() ? answers[next_answer_] : Answer{};
    dut_.Get("entropy_i").Set(answer.entropy);
    dut_.Get("prediction_i").Set(answer.prediction);
    dut_.Get("exit_i").Set(answer.exit ? 1 : 0);
    logit_grant_.Set(random_.Chance(0.3) ? 0 : 1);
    dut_.Eval();
    // Without the grant the port shows another logit.
    const auto address = static_cast<uint32_t>(logit_addr_.Get());
    logit_.SetSigned(LogitOf(logit_grant_.Get() != 0 ? address : address + 1));
  }

  void Sample(uint64_t /*cycle*/) override {
    const uint64_t busy = unit_busy_.Get();
    const uint64_t waited = busy | older_busy_.Get() << spec::kWaitOlderMatmuls;
    if (result_valid_.Get() != 0) ++next_answer_;
    for (int& left : busy_) left = std::max(0, left - 1);
    const uint64_t taken = cmd_valid_.Get() & cmd_ready_.Get();
    EXPECT_EQ(taken & (taken - 1), 0U) << "two units at once";
    if (taken != 0) {
      Instruction instruction;
      const std::vector<uint32_t> words = cmd_.GetWide();
      std::copy(words.begin(), words.end(), instruction.words.begin());
      ASSERT_TRUE(UnitOf(instruction).has_value());
      const auto unit = static_cast<size_t>(*UnitOf(instruction));
      EXPECT_EQ(taken, uint64_t{1} << unit);
      EXPECT_EQ(waited & static_cast<uint64_t>(instruction.Get(spec::kWaitMask)), 0U)
          << "the wait mask was not honoured";
      busy_[unit] = 1 + random_.Between(0, longest);
      dispatched.push_back(instruction);
      overlapped += busy != 0 ? 1 : 0;
    }
    if (segment_valid_.Get() != 0 && segment_ready_.Get() != 0) {
      segments.push_back({segment_addr_.Get(), static_cast<uint32_t>(segment_beats_.Get())});
    }
    if (clear_.Get() != 0) {
      busy_.fill(0);
      ++clears;
    }
  }

  void Forget() {
    dispatched.clear();
    segments.clear();
    answers.clear();
    next_answer_ = 0;
    overlapped = 0;
    clears = 0;
  }

  int longest = 30;
  std::vector<Answer> answers;
  std::vector<Instruction> dispatched;
  std::vector<Segment> segments;
  int overlapped = 0;
  int clears = 0;

 private:
  cosim::Dut& dut_;
  cosim::Port cmd_valid_, cmd_ready_, cmd_, unit_busy_, older_busy_, clear_;
  cosim::Port segment_valid_, segment_ready_, segment_addr_, segment_beats_;
  cosim::Port result_valid_, logit_addr_, logit_, logit_grant_;
  std::array<int, 5> busy_{};
  size_t next_answer_ = 0;
  cosim::Random random_{31};
};

/// Events and instruction pulses.
class Watch : public cosim::Agent {
 public:
  explicit Watch(const cosim::Dut& dut)
      : instruction_(dut.Get("instruction_o")),
        done_(dut.Get("done_event_o")),
        error_(dut.Get("error_event_o")),
        aborted_(dut.Get("aborted_event_o")),
        running_(dut.Get("running_o")) {}
  void Sample(uint64_t /*cycle*/) override {
    instructions += static_cast<int>(instruction_.Get());
    done += static_cast<int>(done_.Get());
    error += static_cast<int>(error_.Get());
    aborted += static_cast<int>(aborted_.Get());
    running += static_cast<int>(running_.Get());
  }
  void Forget() { instructions = done = error = aborted = running = 0; }
  int instructions = 0, done = 0, error = 0, aborted = 0, running = 0;

 private:
  cosim::Port instruction_, done_, error_, aborted_, running_;
};

class Sequencer : public testing::TestWithParam<int> {
 protected:
  Sequencer()
      : dut_(Build()),
        memory_(cosim::AxiPorts::Bind(dut_),
                {.seed = 3, .stalls = 0.3, .latency = 6, .latency_jitter = 6}),
        checker_(cosim::AxiPorts::Bind(dut_), dut_.Get("rst_ni")),
        units_(dut_),
        watch_(dut_),
        bench_(dut_),
        program_(32 * 64),
        tokens_(4 * 64),
        record_(4 * kRecordWords) {
    for (const std::string& name : dut_.Names()) {
      if (name.ends_with("_i") && name != "clk_i") dut_.Get(name).Clear();
    }
    dut_.Get("program_base_i").Set(kProgramBase);
    dut_.Get("token_base_i").Set(kTokenBase);
    dut_.Get("weight_base_i").Set(kWeightBase);
    dut_.Get("result_base_i").Set(kResultBase);
    cosim::Random random(2);
    for (uint8_t& byte : tokens_) byte = static_cast<uint8_t>(random.Next());
    memory_.AddReadOnlyRegion(kProgramBase, program_);
    memory_.AddReadOnlyRegion(kTokenBase, tokens_);
    memory_.AddRegion(kResultBase, record_);
    bench_.Add(memory_);
    bench_.Add(units_);
    bench_.Add(checker_);
    bench_.Add(watch_);
    dut_.Reset();
  }
  ~Sequencer() override {
    EXPECT_TRUE(bench_.RunUntil([&] { return memory_.Idle(); }, 1000));
    checker_.Finish(dut_.cycles());
    EXPECT_EQ(test::Format(checker_.violations()), "");
  }

  static cosim::Dut Build() {
    test::Files files = test::EmittedFiles(
        {gen::EmitSequencer(), gen::EmitProgramMemory(), gen::EmitTokenMemory(),
         gen::EmitSegmentAddress(), gen::EmitResultWriter(), gen::EmitAxiReader(),
         gen::EmitAxiWriter(), gen::EmitSram1r1w(), gen::EmitSram1r1wMacro()});
    files.emplace_back("eb_sequencer_bench.v", kHarness);
    auto dut = cosim::Dut::Build({.files = files,
                                  .top = "eb_sequencer_bench",
                                  .parameters = {{"AxiDataW", std::to_string(GetParam())}},
                                  .public_signals = {{"eb_sequencer", "pc_q"},
                                                     {"eb_sequencer", "iteration_q"},
                                                     {"eb_sequencer", "state_q"}},
                                  .optimize = cosim::Optimize::kQuick,
                                  .unknowns = cosim::Unknowns::kRandom},
                                 /*seed=*/6);
    EB_CHECK(dut.ok(), "{}", dut.error().Format());
    return std::move(dut).value();
  }

  void Pulse(const std::string& name) {
    dut_.Get(name).Set(1);
    bench_.Cycle();
    dut_.Get(name).Set(0);
  }
  bool UntilIdle(uint64_t limit = 20'000) {
    const cosim::Port busy = dut_.Get("busy_o");
    return bench_.RunUntil([&] { return busy.Get() == 0; }, limit);
  }
  void SetProgram(const std::vector<Instruction>& program) {
    for (size_t i = 0; i < program.size(); ++i) {
      for (size_t w = 0; w < 8; ++w) {
        for (size_t b = 0; b < 4; ++b) {
          program_[32 * i + 4 * w + b] = static_cast<uint8_t>(program[i].words[w] >> (8 * b));
        }
      }
    }
    dut_.Get("program_length_i").Set(program.size());
  }
  /// Loads a program and expects it to load.
  void Load(const std::vector<Instruction>& program) {
    SetProgram(program);
    Pulse("load_i");
    ASSERT_TRUE(UntilIdle());
    ASSERT_EQ(State(), "done loaded");
    watch_.Forget();
    units_.Forget();
  }
  void Start(int length) {
    dut_.Get("length_i").Set(static_cast<uint64_t>(length));
    std::fill(record_.begin(), record_.end(), 0xee);
    Pulse("start_i");
  }
  [[nodiscard]] std::string State() const {
    std::string text;
    for (const char* flag : {"done", "error", "aborted", "loaded", "resident"}) {
      if (dut_.Get(std::string(flag) + "_o").Get() == 0) continue;
      text += (text.empty() ? "" : " ") + std::string(flag);
    }
    return text;
  }
  void ExpectError(ErrorCode code, uint32_t detail, const std::string& loaded = " loaded") {
    EXPECT_EQ(State(), "error" + loaded);
    EXPECT_EQ(dut_.Get("error_code_o").Get(), static_cast<uint64_t>(code));
    EXPECT_EQ(dut_.Get("error_detail_o").Get(), detail);
    EXPECT_EQ(watch_.error, 1);
    EXPECT_EQ(watch_.done + watch_.aborted, 0);
    EXPECT_EQ(units_.clears, 1);
    watch_.Forget();
    units_.Forget();
  }
  /// Proves that the sequencer works as if nothing had happened.
  void ExpectUsable() {
    units_.Forget();
    watch_.Forget();
    Load({Make(Opcode::kMatmul), Exit(2), Make(Opcode::kEnd)});
    units_.answers = {{.entropy = 5, .prediction = 1, .exit = false}};
    Start(3);
    ASSERT_TRUE(UntilIdle());
    EXPECT_EQ(State(), "done loaded");
    EXPECT_EQ(units_.dispatched.size(), 2U);
    EXPECT_EQ(RecordWord(0), spec::kResultMarker);
    EXPECT_EQ(units_.clears, 0);
    watch_.Forget();
    units_.Forget();
  }
  [[nodiscard]] uint32_t RecordWord(size_t index) const {
    uint32_t word = 0;
    for (size_t b = 0; b < 4; ++b) word |= uint32_t{record_[4 * index + b]} << (8 * b);
    return word;
  }

  cosim::Dut dut_;
  cosim::AxiMemory memory_;
  cosim::AxiChecker checker_;
  FakeUnits units_;
  Watch watch_;
  cosim::Bench bench_;
  std::vector<uint8_t> program_;
  std::vector<uint8_t> tokens_;
  std::vector<uint8_t> record_;
};

TEST_P(Sequencer, RunsALoopInOrderAndWritesTheRecord) {
  const std::vector<Instruction> program = {
      Stream(0x100, 3, 0),             // 0
      Make(Opcode::kEmbed),                         // 1
      Stream(0x8000, 7, 0x1'2340),     // 2: body
      Make(Opcode::kMatmul, 0b01000),  // 3
      Make(Opcode::kSoftmax, 0b00001),
      Make(Opcode::kMatmul),
      Make(Opcode::kLayerNorm, 0b100010),
      Stream(0x9000, 0, 0),          // 7: no beats, no segment
      Exit(5),                       // 8
      Loop(2, 6),                    // 9
      Make(Opcode::kEnd, 0b011111),  // 10
  };
  Load(program);
  // 6 layers run; no exit.
  for (uint32_t i = 0; i < 6; ++i) units_.answers.push_back({0xf0000 + i, 40 + i, false});
  Start(kMaxRows);
  ASSERT_TRUE(UntilIdle());
  EXPECT_EQ(State(), "done loaded");
  EXPECT_EQ(watch_.done, 1);
  EXPECT_EQ(watch_.error + watch_.aborted, 0);
  EXPECT_EQ(watch_.instructions, 2 + 6 * 8 + 1);

  std::vector<Instruction> dispatched = {program[1]};
  std::vector<Segment> segments = {{kWeightBase + 0x100, 3}};
  for (uint64_t i = 0; i < 6; ++i) {
    segments.push_back({kWeightBase + 0x8000 + i * 0x1'2340, 7});
    for (const size_t pc : {3, 4, 5, 6, 8}) dispatched.push_back(program[pc]);
  }
  EXPECT_EQ(units_.dispatched, dispatched);
  EXPECT_EQ(units_.segments, segments);
  EXPECT_GT(units_.overlapped, 0) << "units must overlap";

  EXPECT_EQ(dut_.Get("exit_layer_o").Get(), 6U);
  EXPECT_EQ(dut_.Get("prediction_o").Get(), 45U);
  EXPECT_EQ(dut_.Get("entropy_o").Get(), 0xf0005U);
  std::map<size_t, uint32_t> record = {{0, spec::kResultMarker}, {1, 6}, {2, 45}, {3, 5}};
  for (uint32_t i = 0; i < 6; ++i) record[4 + i] = 0xf0000 + i;
  for (uint32_t c = 0; c < 5; ++c) record[68 + c] = static_cast<uint32_t>(LogitOf(c));
  for (size_t word = 0; word < kRecordWords; ++word) {
    EXPECT_EQ(RecordWord(word), record.contains(word) ? record[word] : 0xeeeeeeeeU) << word;
  }
}

TEST_P(Sequencer, ServesTheTokensOfTheSentence) {
  Load({Make(Opcode::kEmbed), Exit(1), Make(Opcode::kEnd)});
  units_.longest = 400;
  for (const int length : {1, 2, 9, kMaxRows}) {
    units_.answers = {{1, 1, false}};
    Start(length);
    const cosim::Port busy = dut_.Get("unit_busy_i");
    ASSERT_TRUE(bench_.RunUntil([&] { return (busy.Get() & 8U) != 0; }, 5000));
    for (uint64_t i = 0; i < static_cast<uint64_t>(length); ++i) {
      dut_.Get("token_rd_addr_i").Set(i);
      bench_.Cycle();
      if ((busy.Get() & 8U) == 0) break;  // the fake unit is done already
      uint32_t token = 0;
      for (size_t b = 0; b < 4; ++b) token |= uint32_t{tokens_[4 * i + b]} << (8 * b);
      EXPECT_EQ(dut_.Get("token_rd_data_o").Get(), token) << i;
    }
    ASSERT_TRUE(UntilIdle());
    EXPECT_EQ(State(), "done loaded");
    units_.Forget();
  }
}

TEST_P(Sequencer, LeavesAtTheExitAndCompletesWhatRuns) {
  Load({Stream(0, 4, 64), Make(Opcode::kMatmul), Exit(2), Make(Opcode::kSoftmax), Loop(0, 12),
        Make(Opcode::kEnd)});
  units_.longest = 200;
  units_.answers = {{3, 1, false}, {2, 0, false}, {1, 1, true}};
  Start(5);
  const cosim::Port flush = dut_.Get("flush_o");
  const cosim::Port busy = dut_.Get("unit_busy_i");
  ASSERT_TRUE(bench_.RunUntil([&] { return flush.Get() != 0; }, 5000));
  EXPECT_EQ(busy.Get(), 0U);
  ASSERT_TRUE(UntilIdle());
  EXPECT_EQ(State(), "done loaded");
  EXPECT_EQ(RecordWord(1), 3U);
  EXPECT_EQ(RecordWord(2), 1U);
  EXPECT_EQ(RecordWord(6), 1U);
  EXPECT_EQ(RecordWord(7), 0xeeeeeeeeU);
  EXPECT_EQ(units_.dispatched.size(), 3U + 3 + 2);
  EXPECT_EQ(units_.clears, 0);
}

TEST_P(Sequencer, ManyLayersDoNotOverwriteTheLogits) {
  Load({Exit(1), Loop(0, 70), Make(Opcode::kEnd)});
  units_.longest = 2;
  for (uint32_t i = 0; i < 70; ++i) units_.answers.push_back({100 + i, 0, false});
  Start(1);
  ASSERT_TRUE(UntilIdle());
  EXPECT_EQ(RecordWord(1), 70U);
  EXPECT_EQ(RecordWord(67), 100U + 63);
  EXPECT_EQ(RecordWord(68), static_cast<uint32_t>(LogitOf(0)));
  EXPECT_EQ(RecordWord(69), 0xeeeeeeeeU);
}

TEST_P(Sequencer, IssuesAnInstructionACycle) {
  // Eight independent commands of units that are never busy for longer than a cycle.
  std::vector<Instruction> program;
  for (int i = 0; i < 8; ++i) {
    program.push_back(Make(i % 2 == 0 ? Opcode::kMatmul : Opcode::kSoftmax));
  }
  program.push_back(Exit(1));
  program.push_back(Make(Opcode::kEnd));
  Load(program);
  units_.longest = 0;
  units_.answers = {{1, 1, false}};
  Start(1);
  const cosim::Port valid = dut_.Get("cmd_valid_o");
  ASSERT_TRUE(bench_.RunUntil([&] { return valid.Get() != 0; }, 1000));
  for (int i = 0; i < 8; ++i) bench_.Cycle();
  EXPECT_EQ(units_.dispatched.size(), 8U);
  ASSERT_TRUE(UntilIdle());
}

TEST_P(Sequencer, RefusesWhatTheRegistersMustNotSay) {
  Start(3);
  ASSERT_TRUE(UntilIdle());
  ExpectError(ErrorCode::kNoProgram, 0, "");
  for (const uint64_t length : {uint64_t{0}, uint64_t{kProgramDepth + 1}, uint64_t{0x10001}}) {
    dut_.Get("program_length_i").Set(length);
    Pulse("load_i");
    ASSERT_TRUE(UntilIdle());
    ExpectError(ErrorCode::kProgramLength, 0, "");
  }
  ExpectUsable();
  for (const int length : {0, kMaxRows + 1, 1024 + 3}) {
    Start(length);
    ASSERT_TRUE(UntilIdle());
    ExpectError(ErrorCode::kLength, 0);
  }
  // A failed load leaves no program.
  dut_.Get("program_length_i").Set(0);
  Pulse("load_i");
  ASSERT_TRUE(UntilIdle());
  ExpectError(ErrorCode::kProgramLength, 0, "");
  Start(3);
  ASSERT_TRUE(UntilIdle());
  ExpectError(ErrorCode::kNoProgram, 0, "");
  ExpectUsable();
}

TEST_P(Sequencer, StopsAtWhatTheProgramMustNotDo) {
  Instruction bad = Make(Opcode::kMatmul);
  bad.Set(spec::kOpcode, 0x7f);
  Load({Make(Opcode::kMatmul), Exit(1), bad, Make(Opcode::kEnd)});
  units_.answers = {{1, 1, false}};
  Start(3);
  ASSERT_TRUE(UntilIdle());
  ExpectError(ErrorCode::kBadOpcode, 2);

  Load({Exit(1), Make(Opcode::kMatmul)});
  units_.answers = {{1, 1, false}};
  Start(3);
  ASSERT_TRUE(UntilIdle());
  ExpectError(ErrorCode::kProgramOverrun, 2);

  struct Bad {
    Opcode opcode;
    spec::Field field;
    int value;
  };
  for (const Bad& operand : {Bad{Opcode::kMatmul, spec::kMatmulStrips, 0},
                             Bad{Opcode::kMatmul, spec::kMatmulKTiles, 0},
                             Bad{Opcode::kLayerNorm, spec::kLayerNormVectors, 0},
                             Bad{Opcode::kLayerNorm, spec::kLayerNormVectors, kMaxVectors + 1},
                             Bad{Opcode::kEmbed, spec::kEmbedVectors, 0},
                             Bad{Opcode::kEmbed, spec::kEmbedVectors, kEmbeddingVectors + 1}}) {
    SCOPED_TRACE(fmt::format("{} {}", operand.field.name, operand.value));
    bad = Make(operand.opcode);
    bad.Set(operand.field, operand.value);
    Load({Exit(1), bad, Make(Opcode::kEnd)});
    units_.answers = {{1, 1, false}};
    Start(3);
    ASSERT_TRUE(UntilIdle());
    ExpectError(ErrorCode::kBadOperand, 1);
  }
  ExpectUsable();

  Load({Exit(1), Loop(1000, 2), Make(Opcode::kEnd)});
  units_.answers = {{1, 1, false}};
  Start(3);
  ASSERT_TRUE(UntilIdle());
  ExpectError(ErrorCode::kProgramOverrun, 1000);

  Load({Make(Opcode::kMatmul), Make(Opcode::kEnd)});
  Start(3);
  ASSERT_TRUE(UntilIdle());
  ExpectError(ErrorCode::kNoExit, 0);
  ExpectUsable();

  // A program that fills the memory.
  std::vector<Instruction> full(kProgramDepth - 2, Make(Opcode::kSoftmax));
  full.push_back(Exit(1));
  full.push_back(Make(Opcode::kEnd));
  Load(full);
  units_.answers = {{1, 1, false}};
  Start(1);
  ASSERT_TRUE(UntilIdle());
  EXPECT_EQ(State(), "done loaded");
}

TEST_P(Sequencer, ReportsBusErrorsByWhatWasRead) {
  SetProgram({Make(Opcode::kMatmul), Exit(1), Make(Opcode::kEnd)});
  memory_.AddFault({.first_address = kProgramBase + 32, .last_address = kProgramBase + 63});
  Pulse("load_i");
  ASSERT_TRUE(UntilIdle());
  ExpectError(ErrorCode::kAxiRead, 0, "");
  memory_.ClearFaults();
  ExpectUsable();

  memory_.AddFault({.first_address = kTokenBase, .response = cosim::AxiResponse::kDecodeError});
  Start(3);
  ASSERT_TRUE(UntilIdle());
  ExpectError(ErrorCode::kAxiRead, 1);
  memory_.ClearFaults();
  ExpectUsable();

  // A read of the weight stream, outside of all memory, while MATMULs run.
  Load({Make(Opcode::kMatmul), Loop(0, 1000), Exit(1), Make(Opcode::kEnd)});
  Start(3);
  for (int i = 0; i < 200; ++i) bench_.Cycle();
  dut_.Get("stream_req_addr_i").Set(kWeightBase);
  dut_.Get("stream_req_beats_i").Set(9);
  Pulse("stream_req_valid_i");
  ASSERT_TRUE(UntilIdle());
  ExpectError(ErrorCode::kAxiRead, 2);
  ExpectUsable();

  // Every write of the record may fail: 1 entropy, 2 logits, 4 words of the header.
  for (uint64_t write = 0; write < 7; ++write) {
    Load({Exit(2), Make(Opcode::kEnd)});
    units_.answers = {{1, 1, false}};
    memory_.AddFault({.write = true, .burst = memory_.traffic().write_bursts + write});
    Start(3);
    ASSERT_TRUE(UntilIdle());
    ExpectError(ErrorCode::kAxiWrite, 0);
    memory_.ClearFaults();
  }
  ExpectUsable();
}

TEST_P(Sequencer, LoadsResidentWeights) {
  const uint64_t beat = static_cast<uint64_t>(GetParam()) / 8;
  const std::vector<Instruction> program = {Make(Opcode::kMatmul), Exit(1), Make(Opcode::kEnd)};
  SetProgram(program);
  const auto load = [&](uint64_t bytes) {
    dut_.Get("resident_bytes_i").Set(bytes);
    Pulse("load_i");
    ASSERT_TRUE(UntilIdle());
  };
  dut_.Get("weight_base_i").Set(kProgramBase);
  for (const uint64_t beats : {uint64_t{1}, uint64_t{3}, uint64_t{12}}) {
    load(beats * beat);
    EXPECT_EQ(State(), "done loaded resident");
    EXPECT_EQ(dut_.Get("resident_left_o").Get(), 0U);
    units_.answers = {{1, 1, false}};
    Start(3);
    ASSERT_TRUE(UntilIdle());
    EXPECT_EQ(State(), "done loaded resident");
  }
  watch_.Forget();
  units_.Forget();
  for (const uint64_t bytes : {13 * beat, 3 * beat + 1, beat / 2}) {
    load(bytes);
    ExpectError(ErrorCode::kResident, 0, "");
  }
  // The weights cannot be read.
  dut_.Get("weight_base_i").Set(kWeightBase);
  load(2 * beat);
  ExpectError(ErrorCode::kAxiRead, 2, "");

  // A segment beyond the weights. A reload without weights forgets them.
  dut_.Get("weight_base_i").Set(kProgramBase);
  SetProgram({Make(Opcode::kMatmul), Loop(0, 1000), Exit(1), Make(Opcode::kEnd)});
  load(2 * beat);
  watch_.Forget();
  units_.Forget();
  Start(3);
  for (int i = 0; i < 300; ++i) bench_.Cycle();
  Pulse("resident_error_i");
  ASSERT_TRUE(UntilIdle());
  ExpectError(ErrorCode::kResident, 1, " loaded resident");
  dut_.Get("resident_bytes_i").Set(0);
  ExpectUsable();
  EXPECT_EQ(dut_.Get("resident_o").Get(), 0U);
}

TEST_P(Sequencer, ReportsErrorsOfTheUnits) {
  const std::vector<Instruction> endless = {Make(Opcode::kMatmul), Loop(0, 1000), Exit(1),
                                            Make(Opcode::kEnd)};
  Load(endless);
  Start(3);
  for (int i = 0; i < 300; ++i) bench_.Cycle();
  Pulse("format_error_i");
  ASSERT_TRUE(UntilIdle());
  ExpectError(ErrorCode::kStreamFormat, 0);

  for (const ErrorCode code : {ErrorCode::kTokenRange, ErrorCode::kTypeRange}) {
    Start(3);
    for (int i = 0; i < 300; ++i) bench_.Cycle();
    dut_.Get("embedding_error_code_i").Set(static_cast<uint64_t>(code));
    dut_.Get("embedding_error_detail_i").Set(17);
    Pulse("embedding_error_i");
    // A second error while the first one is cleaned up is not news.
    Pulse("format_error_i");
    ASSERT_TRUE(UntilIdle());
    ExpectError(code, 17);
  }
  ExpectUsable();
}

TEST_P(Sequencer, AbortsFromEveryState) {
  const std::vector<Instruction> program = {Stream(0x100, 3, 0),
                                            Make(Opcode::kEmbed),
                                            Make(Opcode::kMatmul, 0b01000),
                                            Stream(0x80, 2, 0x40),
                                            Exit(3),
                                            Loop(2, 3),
                                            Make(Opcode::kEnd)};
  const cosim::Port state = dut_.Get("u_sequencer.state_q");
  const cosim::Port busy = dut_.Get("busy_o");
  // Gives the command and aborts once `when` holds; false when the command ended before.
  const auto abort_when = [&](const char* command, const std::function<bool()>& when) {
    units_.Forget();
    units_.answers = {{1, 1, false}, {1, 1, false}, {1, 1, true}};
    Pulse(command);
    if (!bench_.RunUntil([&] { return busy.Get() == 0 || when(); }, 5000)) return false;
    if (busy.Get() == 0) return false;
    watch_.Forget();
    units_.Forget();
    Pulse("abort_i");
    EXPECT_TRUE(UntilIdle());
    EXPECT_EQ(dut_.Get("aborted_o").Get(), 1U);
    EXPECT_EQ(dut_.Get("done_o").Get() + dut_.Get("error_o").Get(), 0U);
    EXPECT_EQ(watch_.aborted, 1);
    EXPECT_EQ(watch_.done + watch_.error, 0);
    EXPECT_EQ(units_.clears, 1);
    EXPECT_TRUE(memory_.Idle());
    return true;
  };
  const auto after = [&](int cycles) { return [cycles]() mutable { return cycles-- == 0; }; };
  const auto in_state = [&](uint64_t wanted) {
    return [&, wanted] { return state.Get() == wanted; };
  };

  units_.longest = 5;
  SetProgram(program);
  for (const uint64_t wanted : {1, 2, 3, 11}) {
    ASSERT_TRUE(abort_when("load_i", in_state(wanted))) << wanted;
    EXPECT_EQ(State(), "aborted") << "an aborted load leaves no program";
  }
  for (int cycles = 0; cycles < 40; ++cycles) {
    if (abort_when("load_i", after(cycles))) {
      EXPECT_EQ(State(), "aborted") << cycles;
    }
  }
  // The same with resident weights, which begin after the program.
  dut_.Get("weight_base_i").Set(kProgramBase);
  dut_.Get("resident_bytes_i").Set(static_cast<uint64_t>(GetParam()) / 8 * 12);
  for (int cycles = 0; cycles < 120; ++cycles) {
    if (abort_when("load_i", after(cycles))) {
      EXPECT_EQ(State(), "aborted") << cycles;
    }
  }
  dut_.Get("weight_base_i").Set(kWeightBase);
  dut_.Get("resident_bytes_i").Set(0);

  Load(program);
  dut_.Get("length_i").Set(4);
  // All states but the idle one; ST_CLEAR (10) only follows an abort or an error.
  for (const uint64_t wanted : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11}) {
    ASSERT_TRUE(abort_when("start_i", in_state(wanted))) << wanted;
    EXPECT_EQ(State(), "aborted loaded") << wanted;
  }
  for (int cycles = 0; cycles < 200; ++cycles) {
    if (abort_when("start_i", after(cycles))) {
      EXPECT_EQ(State(), "aborted loaded") << cycles;
    }
  }
  ExpectUsable();

  // When idle an abort does nothing.
  Pulse("abort_i");
  bench_.Cycle();
  EXPECT_EQ(State(), "done loaded");
  EXPECT_EQ(watch_.aborted, 0);
}

INSTANTIATE_TEST_SUITE_P(DataWidths, Sequencer, testing::Values(32, 64, 128, 256));

}  // namespace
}  // namespace edgebert
