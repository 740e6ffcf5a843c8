// The AXI4 memory, the AXI4-Lite master and the protocol checkers: at the pins of small designs
// that behave, and at bare pins that break one rule after the other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "cosim/axi/axi_checker.h"
#include "cosim/axi/axi_lite_master.h"
#include "cosim/axi/axi_memory.h"

namespace edgebert::cosim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// ---- Designs ------------------------------------------------------------------------------------

// Copies `bursts_i` bursts of 4 beats from src_i to dst_i, one burst after the other, and ORs the
// responses it sees.
constexpr const char* kCopy = R"(`default_nettype none
module eb_copy (
  input  wire        clk_i,
  input  wire        rst_ni,
  input  wire        start_i,
  input  wire [31:0] src_i,
  input  wire [31:0] dst_i,
  input  wire [7:0]  bursts_i,
  output wire        done_o,
  output reg  [1:0]  response_o,
  output wire        m_axi_arvalid_o,
  input  wire        m_axi_arready_i,
  output wire [31:0] m_axi_araddr_o,
  output wire [7:0]  m_axi_arlen_o,
  output wire [2:0]  m_axi_arsize_o,
  output wire [1:0]  m_axi_arburst_o,
  input  wire        m_axi_rvalid_i,
  output wire        m_axi_rready_o,
  input  wire [63:0] m_axi_rdata_i,
  input  wire [1:0]  m_axi_rresp_i,
  input  wire        m_axi_rlast_i,
  output wire        m_axi_awvalid_o,
  input  wire        m_axi_awready_i,
  output wire [31:0] m_axi_awaddr_o,
  output wire [7:0]  m_axi_awlen_o,
  output wire [2:0]  m_axi_awsize_o,
  output wire [1:0]  m_axi_awburst_o,
  output wire        m_axi_wvalid_o,
  input  wire        m_axi_wready_i,
  output wire [63:0] m_axi_wdata_o,
  output wire [7:0]  m_axi_wstrb_o,
  output wire        m_axi_wlast_o,
  input  wire        m_axi_bvalid_i,
  output wire        m_axi_bready_o,
  input  wire [1:0]  m_axi_bresp_i
);
  localparam IDLE = 3'd0, READ = 3'd1, DATA = 3'd2, WRITE = 3'd3, ANSWER = 3'd4;
  reg [2:0]  state_q;
  reg [7:0]  burst_q;
  reg [2:0]  beat_q;
  reg        aw_done_q;
  reg [1:0]  phase_q;  // takes data and responses in every fourth cycle
  reg [63:0] buffer_mem [0:3];
  wire [31:0] offset = {19'd0, burst_q, 5'd0};
  assign m_axi_arvalid_o = state_q == READ;
  assign m_axi_araddr_o  = src_i + offset;
  assign m_axi_arlen_o   = 8'd3;
  assign m_axi_arsize_o  = 3'd3;
  assign m_axi_arburst_o = 2'd1;
  assign m_axi_rready_o  = (state_q == DATA) & (phase_q == 2'd0);
  assign m_axi_awvalid_o = (state_q == WRITE) & !aw_done_q;
  assign m_axi_awaddr_o  = dst_i + offset;
  assign m_axi_awlen_o   = 8'd3;
  assign m_axi_awsize_o  = 3'd3;
  assign m_axi_awburst_o = 2'd1;
  assign m_axi_wvalid_o  = (state_q == WRITE) & !beat_q[2];
  assign m_axi_wdata_o   = buffer_mem[beat_q[1:0]];
  assign m_axi_wstrb_o   = 8'hff;
  assign m_axi_wlast_o   = beat_q == 3'd3;
  assign m_axi_bready_o  = (state_q == ANSWER) & (phase_q == 2'd0);
  assign done_o = (state_q == IDLE);
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= IDLE;
      burst_q <= 8'd0;
      beat_q <= 3'd0;
      aw_done_q <= 1'b0;
      phase_q <= 2'd0;
      response_o <= 2'd0;
    end else begin
      phase_q <= phase_q + 2'd1;
      case (state_q)
        IDLE: if (start_i) begin
          state_q <= READ;
          burst_q <= 8'd0;
        end
        READ: if (m_axi_arready_i) begin
          state_q <= DATA;
          beat_q <= 3'd0;
        end
        DATA: if (m_axi_rvalid_i & m_axi_rready_o) begin
          response_o <= response_o | m_axi_rresp_i;
          beat_q <= beat_q + 3'd1;
          if (m_axi_rlast_i) begin
            state_q <= WRITE;
            beat_q <= 3'd0;
            aw_done_q <= 1'b0;
          end
        end
        WRITE: begin
          if (m_axi_awready_i) aw_done_q <= 1'b1;
          if (m_axi_wready_i & !beat_q[2]) beat_q <= beat_q + 3'd1;
          if ((aw_done_q | m_axi_awready_i) & (beat_q[2] | (m_axi_wready_i & m_axi_wlast_o)))
            state_q <= ANSWER;
        end
        default: if (m_axi_bvalid_i & m_axi_bready_o) begin
          response_o <= response_o | m_axi_bresp_i;
          burst_q <= burst_q + 8'd1;
          state_q <= (burst_q + 8'd1 == bursts_i) ? IDLE : READ;
        end
      endcase
    end
  end
  always @(posedge clk_i) begin
    if (m_axi_rvalid_i & m_axi_rready_o) buffer_mem[beat_q[1:0]] <= m_axi_rdata_i;
  end
endmodule
`default_nettype wire
)";

// Four read-write words; offset 0x10 and above answers SLVERR.
constexpr const char* kWords = R"(`default_nettype none
module eb_words (
  input  wire        clk_i,
  input  wire        rst_ni,
  input  wire        s_axil_awvalid_i,
  output wire        s_axil_awready_o,
  input  wire [7:0]  s_axil_awaddr_i,
  input  wire        s_axil_wvalid_i,
  output wire        s_axil_wready_o,
  input  wire [31:0] s_axil_wdata_i,
  input  wire [3:0]  s_axil_wstrb_i,
  output reg         s_axil_bvalid_o,
  input  wire        s_axil_bready_i,
  output reg  [1:0]  s_axil_bresp_o,
  input  wire        s_axil_arvalid_i,
  output wire        s_axil_arready_o,
  input  wire [7:0]  s_axil_araddr_i,
  output reg         s_axil_rvalid_o,
  input  wire        s_axil_rready_i,
  output reg  [31:0] s_axil_rdata_o,
  output reg  [1:0]  s_axil_rresp_o
);
  reg [31:0] word_q [0:3];
  integer i;
  wire write = s_axil_awvalid_i & s_axil_wvalid_i & !s_axil_bvalid_o;
  assign s_axil_awready_o = write;
  assign s_axil_wready_o = write;
  assign s_axil_arready_o = !s_axil_rvalid_o;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      s_axil_bvalid_o <= 1'b0;
      s_axil_rvalid_o <= 1'b0;
    end else begin
      if (write) s_axil_bvalid_o <= 1'b1;
      else if (s_axil_bready_i) s_axil_bvalid_o <= 1'b0;
      if (s_axil_arvalid_i & s_axil_arready_o) s_axil_rvalid_o <= 1'b1;
      else if (s_axil_rready_i) s_axil_rvalid_o <= 1'b0;
    end
  end
  always @(posedge clk_i) begin
    if (write) begin
      s_axil_bresp_o <= (s_axil_awaddr_i > 8'h0f) ? 2'd2 : 2'd0;
      if (s_axil_awaddr_i <= 8'h0f)
        for (i = 0; i < 4; i = i + 1)
          if (s_axil_wstrb_i[i]) word_q[s_axil_awaddr_i[3:2]][8*i +: 8] <= s_axil_wdata_i[8*i +: 8];
    end
    if (s_axil_arvalid_i & s_axil_arready_o) begin
      s_axil_rresp_o <= (s_axil_araddr_i > 8'h0f) ? 2'd2 : 2'd0;
      s_axil_rdata_o <= word_q[s_axil_araddr_i[3:2]];
    end
  end
  wire unused_ok = &{1'b0, s_axil_awaddr_i[1:0], s_axil_araddr_i[1:0]};
endmodule
`default_nettype wire
)";

BuildOptions Design(const std::string& top, const char* text) {
  return {.files = {{top + ".v", text}}, .top = top, .optimize = Optimize::kQuick};
}

std::vector<uint8_t> Pattern(size_t size, uint32_t seed) {
  std::vector<uint8_t> bytes(size);
  Random random(seed);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Next());
  return bytes;
}

// A copy through the memory; returns the cycles, or 0 when it did not end.
struct CopyRun {
  CopyRun(uint64_t seed, double stalls, const std::vector<AxiFault>& faults = {},
          uint32_t source = 0x1000) {
    auto built = Dut::Build(Design("eb_copy", kCopy));
    EXPECT_TRUE(built.ok()) << built.error().Format();
    Dut& dut = *built;
    const AxiPorts pins = AxiPorts::Bind(dut);
    AxiMemory memory(pins, {.seed = seed, .stalls = stalls, .latency = 5, .latency_jitter = 9});
    AxiChecker checker(pins, dut.Get("rst_ni"));
    from = Pattern(32 * 40, 3);
    to.assign(from.size() + 8, 0x77);
    memory.AddReadOnlyRegion(0x1000, from);
    memory.AddRegion(0x8000'0000, to);
    for (const AxiFault& fault : faults) memory.AddFault(fault);
    Bench bench(dut);
    bench.Add(memory);
    bench.Add(checker);
    dut.Reset();
    dut.Get("src_i").Set(source);
    dut.Get("dst_i").Set(0x8000'0000);
    dut.Get("bursts_i").Set(40);
    dut.Get("start_i").Set(1);
    bench.Cycle();
    dut.Get("start_i").Set(0);
    finished = bench.RunUntil([&] { return dut.Get("done_o").Get() != 0; }, 20'000);
    checker.Finish(dut.cycles());
    cycles = dut.cycles();
    violations = checker.violations();
    traffic = memory.traffic();
    response = dut.Get("response_o").Get();
    EXPECT_TRUE(memory.Idle());
  }
  std::vector<uint8_t> from, to;
  bool finished = false;
  uint64_t cycles = 0;
  std::vector<AxiViolation> violations;
  AxiTraffic traffic;
  uint64_t response = 0;
};

TEST(AxiMemory, CopiesUnderEveryKindOfStall) {
  uint64_t fastest = ~uint64_t{0};
  uint64_t slowest = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    for (const double stalls : {0.0, 0.3, 0.8}) {
      const CopyRun run(seed, stalls);
      ASSERT_TRUE(run.finished);
      EXPECT_TRUE(std::equal(run.from.begin(), run.from.end(), run.to.begin()));
      EXPECT_EQ(run.to.back(), 0x77);
      EXPECT_EQ(run.response, 0U);
      EXPECT_THAT(run.violations, IsEmpty());
      EXPECT_EQ(run.traffic.read_bursts, 40U);
      EXPECT_EQ(run.traffic.read_beats, 160U);
      EXPECT_EQ(run.traffic.write_bursts, 40U);
      EXPECT_EQ(run.traffic.write_beats, 160U);
      fastest = std::min(fastest, run.cycles);
      slowest = std::max(slowest, run.cycles);
    }
  }
  EXPECT_GT(2 * slowest, 3 * fastest);
}

TEST(AxiMemory, SameSeedSameRun) {
  EXPECT_EQ(CopyRun(5, 0.5).cycles, CopyRun(5, 0.5).cycles);
  EXPECT_NE(CopyRun(5, 0.5).cycles, CopyRun(6, 0.5).cycles);
}

TEST(AxiMemory, InjectsErrors) {
  EXPECT_EQ(CopyRun(1, 0, {{.burst = 17}}).response, 2U);
  EXPECT_EQ(CopyRun(1, 0, {{.burst = 40}}).response, 0U);
  EXPECT_EQ(CopyRun(1, 0,
                    {{.first_address = 0x1100,
                      .last_address = 0x1107,
                      .response = AxiResponse::kDecodeError}})
                .response,
            3U);
  const CopyRun write(1, 0, {{.write = true, .burst = 39}});
  EXPECT_EQ(write.response, 2U);
  EXPECT_TRUE(std::equal(write.from.begin(), write.from.begin() + 39 * 32, write.to.begin()));
  EXPECT_EQ(write.to[39 * 32], 0x77);
  EXPECT_THAT(write.violations, IsEmpty());
}

TEST(AxiMemory, AnswersUnmappedAddresses) {
  const CopyRun run(1, 0, {}, 0x4000'0000);
  EXPECT_TRUE(run.finished);
  EXPECT_EQ(run.response, 3U);
  EXPECT_EQ(run.traffic.unmapped, 160U);
}

TEST(AxiMemory, CheckerSeesPageCrossing) {
  const CopyRun run(1, 0, {}, 0x1000 - 16);  // 32-byte bursts, half below a page
  ASSERT_FALSE(run.violations.empty());
  EXPECT_EQ(run.violations[0].rule, "burst-4k");
  EXPECT_THAT(run.violations[0].Format(), testing::HasSubstr("0xff0 len 3 size 3"));
}

TEST(AxiLite, ReadsAndWritesUnderStalls) {
  auto dut = Dut::Build(Design("eb_words", kWords));
  ASSERT_TRUE(dut.ok()) << dut.error().Format();
  for (const double stalls : {0.0, 0.7}) {
    const AxiLitePorts pins = AxiLitePorts::Bind(*dut);
    AxiLiteMaster master(pins, {.seed = 4, .stalls = stalls});
    AxiLiteChecker checker(pins, dut->Get("rst_ni"));
    Bench bench(*dut);
    bench.Add(master);
    bench.Add(checker);
    dut->Reset();
    std::array<uint32_t, 4> expected{};
    Random random(9);
    for (int i = 0; i < 4; ++i) {
      expected[static_cast<size_t>(i)] = static_cast<uint32_t>(random.Next());
      EXPECT_TRUE(
          master.Write(bench, static_cast<uint32_t>(4 * i), expected[static_cast<size_t>(i)])
              .Okay());
    }
    EXPECT_TRUE(master.Write(bench, 8, 0xaabbccdd, 0x6).Okay());
    expected[2] = (expected[2] & 0xff0000ff) | 0x00bbcc00;
    for (int i = 3; i >= 0; --i) {
      const AxiLiteReply reply = master.Read(bench, static_cast<uint32_t>(4 * i));
      EXPECT_TRUE(reply.Okay());
      EXPECT_EQ(reply.data, expected[static_cast<size_t>(i)]);
    }
    EXPECT_EQ(master.Read(bench, 0x10).response, AxiResponse::kSlaveError);
    EXPECT_EQ(master.Write(bench, 0x20, 1).response, AxiResponse::kSlaveError);
    checker.Finish(dut->cycles());
    EXPECT_THAT(checker.violations(), IsEmpty());
  }
}

TEST(AxiLite, GivesUpOnASlaveThatNeverAnswers) {
  auto dut = Dut::Build(Design("eb_words", kWords));
  ASSERT_TRUE(dut.ok());
  AxiLiteMaster master(AxiLitePorts::Bind(*dut), {.cycle_limit = 50});
  Bench bench(*dut);
  bench.Add(master);
  dut->Get("rst_ni").Set(0);
  EXPECT_FALSE(master.Read(bench, 0).finished);
  EXPECT_GE(dut->cycles(), 50U);
}

// ---- Bare pins ----------------------------------------------------------------------------------

struct Pin {
  explicit Pin(uint32_t bits) : bits_(bits) {}
  Port port() { return {&value, bits_, 8, true}; }
  uint64_t value = 0;

 private:
  uint32_t bits_;
};

/// All pins of an AXI4 interface of 64 bits with 2-bit ids, with a checker on them.
class Pins {
 public:
  Pins() : checker_(Ports(), reset.port()) { reset.value = 1; }

  AxiPorts Ports() {
    return {.read = AxiReadPorts{{arvalid.port(), arready.port(), araddr.port(), arlen.port(),
                                  arsize.port(), arburst.port(), arid.port()},
                                 rvalid.port(),
                                 rready.port(),
                                 rdata.port(),
                                 rresp.port(),
                                 rlast.port(),
                                 rid.port()},
            .write = AxiWritePorts{{awvalid.port(), awready.port(), awaddr.port(), awlen.port(),
                                    awsize.port(), awburst.port(), awid.port()},
                                   wvalid.port(),
                                   wready.port(),
                                   wdata.port(),
                                   wstrb.port(),
                                   wlast.port(),
                                   bvalid.port(),
                                   bready.port(),
                                   bresp.port(),
                                   bid.port()}};
  }
  /// One cycle; valids fall again afterwards when they were taken.
  void Cycle() {
    checker_.Sample(cycle_++);
    for (auto [valid, ready] : {std::pair{&arvalid, &arready},
                                {&rvalid, &rready},
                                {&awvalid, &awready},
                                {&wvalid, &wready},
                                {&bvalid, &bready}}) {
      if (ready->value != 0) valid->value = 0;
    }
  }
  void Read(uint64_t addr, uint64_t len, uint64_t size = 3, uint64_t burst = 1) {
    arvalid.value = arready.value = 1;
    araddr.value = addr;
    arlen.value = len;
    arsize.value = size;
    arburst.value = burst;
    Cycle();
  }
  void ReadData(bool last, uint64_t id = 0, uint64_t response = 0) {
    rvalid.value = rready.value = 1;
    rlast.value = last;
    rid.value = id;
    rresp.value = response;
    Cycle();
  }
  void WriteAddress(uint64_t addr, uint64_t len, uint64_t size = 3) {
    awvalid.value = awready.value = awburst.value = 1;
    awaddr.value = addr;
    awlen.value = len;
    awsize.value = size;
    Cycle();
  }
  void WriteData(bool last, uint64_t strobes = 0xff) {
    wvalid.value = wready.value = 1;
    wlast.value = last;
    wstrb.value = strobes;
    Cycle();
  }
  void Answer(uint64_t id = 0) {
    bvalid.value = bready.value = 1;
    bid.value = id;
    Cycle();
  }
  std::vector<std::string> Rules() {
    checker_.Finish(cycle_);
    std::vector<std::string> rules;
    for (const AxiViolation& violation : checker_.violations()) rules.push_back(violation.rule);
    return rules;
  }

  Pin reset{1};
  Pin arvalid{1}, arready{1}, araddr{32}, arlen{8}, arsize{3}, arburst{2}, arid{2};
  Pin rvalid{1}, rready{1}, rdata{64}, rresp{2}, rlast{1}, rid{2};
  Pin awvalid{1}, awready{1}, awaddr{32}, awlen{8}, awsize{3}, awburst{2}, awid{2};
  Pin wvalid{1}, wready{1}, wdata{64}, wstrb{8}, wlast{1}, bvalid{1}, bready{1}, bresp{2}, bid{2};

 private:
  AxiChecker checker_;
  uint64_t cycle_ = 0;
};

TEST(AxiChecker, AcceptsLegalTraffic) {
  Pins pins;
  pins.Read(0xff8, 0);         // ends at the page
  pins.Read(0x1008, 3, 3, 2);  // wraps inside its window
  pins.ReadData(true);
  for (int beat = 0; beat < 4; ++beat) pins.ReadData(beat == 3);
  pins.WriteData(false);  // data before its address
  pins.WriteAddress(0x2000, 1);
  pins.WriteData(true);
  pins.Answer();
  pins.WriteAddress(0x2004, 0, 2);  // narrow: the upper half of the word
  pins.WriteData(true, 0xf0);
  pins.Answer();
  pins.bready.value = 0;
  EXPECT_THAT(pins.Rules(), IsEmpty());
}

TEST(AxiChecker, SeesEveryBrokenRule) {
  {
    Pins pins;
    pins.arvalid.value = 1;
    pins.arready.value = 0;
    pins.Cycle();
    pins.arvalid.value = 0;
    pins.Cycle();
    EXPECT_THAT(pins.Rules(), ElementsAre("valid-stable"));
  }
  {
    Pins pins;
    pins.wvalid.value = 1;
    pins.Cycle();
    pins.wdata.value = 1;
    pins.Cycle();
    EXPECT_THAT(pins.Rules(), ElementsAre("payload-stable"));
  }
  {
    Pins pins;
    pins.reset.value = 0;
    pins.awvalid.value = 1;
    pins.Cycle();
    EXPECT_THAT(pins.Rules(), ElementsAre("valid-in-reset"));
  }
  {
    Pins pins;
    pins.Read(0xff8, 1);
    pins.ReadData(false);
    pins.ReadData(true);
    EXPECT_THAT(pins.Rules(), ElementsAre("burst-4k"));
  }
  {
    Pins pins;
    pins.Read(0x0, 0, 3, 3);
    pins.ReadData(true);
    EXPECT_THAT(pins.Rules(), ElementsAre("burst-type"));
  }
  {
    Pins pins;
    pins.Read(0x4, 2, 3, 2);
    for (int beat = 0; beat < 3; ++beat) pins.ReadData(beat == 2);
    EXPECT_THAT(pins.Rules(), ElementsAre("burst-length", "wrap-aligned"));
  }
  {
    Pins pins;
    pins.Read(0x0, 0, 4);
    pins.ReadData(true);
    EXPECT_THAT(pins.Rules(), ElementsAre("burst-size"));
  }
  {
    Pins pins;
    pins.WriteAddress(0x0, 1);
    pins.WriteData(true);
    pins.WriteData(true);
    pins.Answer();
    EXPECT_THAT(pins.Rules(), ElementsAre("wlast"));
  }
  {
    Pins pins;
    pins.Read(0x0, 1);
    pins.ReadData(false);
    pins.ReadData(false);
    EXPECT_THAT(pins.Rules(), ElementsAre("rlast"));
  }
  {
    Pins pins;
    pins.WriteAddress(0x4, 0, 2);
    pins.WriteData(true, 0x0f);
    pins.Answer();
    EXPECT_THAT(pins.Rules(), ElementsAre("strobes"));
  }
  {
    Pins pins;
    pins.WriteAddress(0x0, 0);
    pins.Answer();
    pins.WriteData(true);
    EXPECT_THAT(pins.Rules(), ElementsAre("response-without-request", "unfinished"));
  }
  {
    Pins pins;
    pins.Read(0x0, 0);
    pins.ReadData(true, 1, 1);
    EXPECT_THAT(pins.Rules(), ElementsAre("response-id", "response-code"));
  }
  {
    Pins pins;
    pins.Read(0x0, 0);
    pins.WriteData(true);
    EXPECT_THAT(pins.Rules(), ElementsAre("unfinished", "unfinished"));
  }
}

TEST(AxiLiteChecker, SeesEarlyAnswers) {
  Pin reset{1}, address{32}, data{32}, strobes{4}, response{2};
  Pin awvalid{1}, awready{1}, wvalid{1}, wready{1}, bvalid{1}, bready{1};
  Pin arvalid{1}, arready{1}, rvalid{1}, rready{1};
  const AxiLitePorts ports{.awvalid = awvalid.port(),
                           .awready = awready.port(),
                           .wvalid = wvalid.port(),
                           .wready = wready.port(),
                           .bvalid = bvalid.port(),
                           .bready = bready.port(),
                           .arvalid = arvalid.port(),
                           .arready = arready.port(),
                           .rvalid = rvalid.port(),
                           .rready = rready.port(),
                           .awaddr = address.port(),
                           .wdata = data.port(),
                           .wstrb = strobes.port(),
                           .bresp = response.port(),
                           .araddr = address.port(),
                           .rdata = data.port(),
                           .rresp = response.port()};
  AxiLiteChecker checker(ports, reset.port());
  reset.value = 1;
  awvalid.value = awready.value = 1;
  checker.Sample(0);
  awvalid.value = 0;
  bvalid.value = 1;  // the data has not come
  checker.Sample(1);
  wvalid.value = wready.value = 1;
  checker.Sample(2);
  wvalid.value = 0;
  bready.value = 1;
  checker.Sample(3);
  bvalid.value = 0;
  rvalid.value = 1;
  checker.Sample(4);
  std::vector<std::pair<uint64_t, std::string>> seen;
  for (const auto& violation : checker.violations())
    seen.emplace_back(violation.cycle, violation.rule);
  EXPECT_THAT(seen, ElementsAre(std::pair{1, "response-without-request"},
                                std::pair{2, "response-without-request"},
                                std::pair{4, "response-without-request"}));
}

TEST(AxiAddress, BeatAddresses) {
  const AxiAddress wrap{.addr = 0x1018, .len = 3, .size = 3, .burst = AxiBurst::kWrap};
  EXPECT_EQ(wrap.BeatAddress(0), 0x1018U);
  EXPECT_EQ(wrap.BeatAddress(1), 0x1000U);
  EXPECT_EQ(wrap.BeatAddress(3), 0x1010U);
  const AxiAddress unaligned{.addr = 0x1003, .len = 2, .size = 2};
  EXPECT_EQ(unaligned.BeatAddress(0), 0x1003U);
  EXPECT_EQ(unaligned.BeatAddress(1), 0x1004U);
  EXPECT_EQ(unaligned.BeatAddress(2), 0x1008U);
}

}  // namespace
}  // namespace edgebert::cosim
