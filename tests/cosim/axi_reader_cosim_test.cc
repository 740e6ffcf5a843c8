// The AXI reader against a memory that is legal and unpleasant: order, data, bursts, errors, clear.
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "cosim/axi/axi_checker.h"
#include "cosim/axi/axi_memory.h"
#include "cosim/sim/bench.h"
#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/blocks/sram.h"
#include "generator/units/axi_reader.h"
#include "tests/cosim/system_support.h"

namespace edgebert {
namespace {

struct Shape {
  int data_width, addr_width, max_burst, outstanding, fifo_depth;
};

constexpr uint64_t kBase = 0x4000'0000;
constexpr size_t kBytes = size_t{1} << 18;

std::vector<uint8_t> RandomBytes(uint64_t seed) {
  cosim::Random random(seed);
  std::vector<uint8_t> bytes(kBytes);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Next());
  return bytes;
}

cosim::Dut BuildReader(const Shape& shape) {
  auto dut =
      cosim::Dut::Build({.files = test::EmittedFiles(
                             {gen::EmitAxiReader(), gen::EmitSram1r1w(), gen::EmitSram1r1wMacro()}),
                         .top = "eb_axi_reader",
                         .parameters = {{"AxiDataW", std::to_string(shape.data_width)},
                                        {"AxiAddrW", std::to_string(shape.addr_width)},
                                        {"AxiIdW", "4"},
                                        {"MaxBurst", std::to_string(shape.max_burst)},
                                        {"Outstanding", std::to_string(shape.outstanding)},
                                        {"FifoDepth", std::to_string(shape.fifo_depth)}},
                         .optimize = cosim::Optimize::kQuick,
                         .unknowns = cosim::Unknowns::kRandom},
                        /*seed=*/3);
  EB_CHECK(dut.ok(), "{}", dut.error().Format());
  return std::move(dut).value();
}

/// Makes requests, takes beats and compares them; watches the bursts.
class Consumer : public cosim::Agent {
 public:
  struct Request {
    uint64_t address;
    uint32_t beats;
  };

  Consumer(const cosim::Dut& dut, const Shape& shape, const std::vector<uint8_t>& memory,
           double stalls)
      : req_valid_(dut.Get("req_valid_i")),
        req_ready_(dut.Get("req_ready_o")),
        req_addr_(dut.Get("req_addr_i")),
        req_beats_(dut.Get("req_beats_i")),
        beat_valid_(dut.Get("beat_valid_o")),
        beat_ready_(dut.Get("beat_ready_i")),
        beat_(dut.Get("beat_o")),
        error_(dut.Get("error_o")),
        ar_(cosim::AxiPorts::Bind(dut).read->ar),
        r_(*cosim::AxiPorts::Bind(dut).read),
        shape_(shape),
        memory_(memory),
        stalls_(stalls) {
    req_valid_.Set(0);
    beat_ready_.Set(0);
  }

  void Add(const Request& request) { requests_.push_back(request); }
  void ForgetRequests() { requests_.clear(); }
  void ForgetBeats() { expected_.clear(); }
  [[nodiscard]] bool Done() const { return requests_.empty() && expected_.empty(); }
  [[nodiscard]] int errors() const { return errors_; }
  [[nodiscard]] uint64_t beats() const { return beats_; }
  [[nodiscard]] int largest_in_flight() const { return largest_in_flight_; }

  void Drive(uint64_t /*cycle*/) override {
    const bool show = !requests_.empty() && (req_valid_.Get() != 0 || !random_.Chance(stalls_));
    req_valid_.Set(show ? 1 : 0);
    if (show) {
      req_addr_.Set(requests_.front().address);
      req_beats_.Set(requests_.front().beats);
    }
    beat_ready_.Set(random_.Chance(stalls_) ? 0 : 1);
  }

  void Sample(uint64_t /*cycle*/) override {
    if (req_valid_.Get() != 0 && req_ready_.Get() != 0) {
      const uint64_t bytes = static_cast<uint64_t>(shape_.data_width) / 8;
      const uint64_t first = requests_.front().address / bytes * bytes;
      for (uint64_t i = 0; i < requests_.front().beats; ++i) expected_.push_back(first + i * bytes);
      requests_.pop_front();
    }
    if (beat_valid_.Get() != 0 && beat_ready_.Get() != 0) TakeBeat();
    errors_ += error_.Get() != 0 ? 1 : 0;
    EXPECT_EQ(r_.rready.Get(), 1U) << "R must never be stalled";
    if (ar_.valid.Get() != 0 && ar_.ready.Get() != 0) {
      EXPECT_LE(ar_.len.Get() + 1, static_cast<uint64_t>(shape_.max_burst));
      EXPECT_EQ(ar_.addr.Get() % (static_cast<uint64_t>(shape_.data_width) / 8), 0U);
      ++in_flight_;
    }
    if (r_.rvalid.Get() != 0 && r_.rlast.Get() != 0) --in_flight_;
    largest_in_flight_ = std::max(largest_in_flight_, in_flight_);
    EXPECT_LE(in_flight_, shape_.outstanding);
  }

 private:
  void TakeBeat() {
    ASSERT_FALSE(expected_.empty()) << "a beat that nobody asked for";
    for (int byte = 0; byte < shape_.data_width / 8; ++byte) {
      ASSERT_EQ(beat_.GetBits(8 * byte, 8),
                memory_[expected_.front() - kBase + static_cast<uint64_t>(byte)])
          << "address " << expected_.front() << " byte " << byte;
    }
    expected_.pop_front();
    ++beats_;
  }

  cosim::Port req_valid_, req_ready_, req_addr_, req_beats_;
  cosim::Port beat_valid_, beat_ready_, beat_, error_;
  cosim::AxiAddressPorts ar_;
  cosim::AxiReadPorts r_;
  Shape shape_;
  const std::vector<uint8_t>& memory_;
  double stalls_;
  cosim::Random random_{17};
  std::deque<Request> requests_;
  std::deque<uint64_t> expected_;
  int errors_ = 0;
  uint64_t beats_ = 0;
  int in_flight_ = 0;
  int largest_in_flight_ = 0;
};

class AxiReader : public testing::TestWithParam<Shape> {};

TEST_P(AxiReader, DeliversEveryBeatInOrder) {
  const Shape shape = GetParam();
  cosim::Dut dut = BuildReader(shape);
  const std::vector<uint8_t> bytes = RandomBytes(1);
  for (const double stalls : {0.0, 0.5}) {
    cosim::AxiMemory memory(cosim::AxiPorts::Bind(dut),
                            {.seed = 5, .stalls = stalls, .latency = 7, .latency_jitter = 9});
    memory.AddReadOnlyRegion(kBase, bytes);
    cosim::AxiChecker checker(cosim::AxiPorts::Bind(dut), dut.Get("rst_ni"));
    Consumer consumer(dut, shape, bytes, stalls);
    cosim::Random random(11);
    const auto beat_bytes = static_cast<uint64_t>(shape.data_width) / 8;
    uint64_t beats = 0;
    // Just below, on and across 4 KiB boundaries, one beat, unaligned, and at random.
    consumer.Add({kBase + 4096 - beat_bytes, 2});
    consumer.Add({kBase + 4096, 1});
    consumer.Add({kBase + 2 * 4096 - 3 * beat_bytes + 1, 7});
    consumer.Add({kBase, 2 * 4096 / static_cast<uint32_t>(beat_bytes)});
    beats += 10 + 2 * 4096 / beat_bytes;
    for (int i = 0; i < 60; ++i) {
      const auto count = static_cast<uint32_t>(1 + random.Below(40));
      const uint64_t room = kBytes / beat_bytes - count;
      consumer.Add({kBase + random.Below(room) * beat_bytes, count});
      beats += count;
    }
    dut.Get("clear_i").Set(0);
    cosim::Bench bench(dut);
    bench.Add(memory);
    bench.Add(consumer);
    bench.Add(checker);
    dut.Reset();
    ASSERT_TRUE(bench.RunUntil([&] { return consumer.Done() && memory.Idle(); }, 200'000));
    bench.Cycle();
    EXPECT_EQ(dut.Get("idle_o").Get(), 1U);
    EXPECT_EQ(consumer.beats(), beats);
    EXPECT_EQ(consumer.errors(), 0);
    checker.Finish(dut.cycles());
    EXPECT_EQ(test::Format(checker.violations()), "");
  }
}

TEST_P(AxiReader, ClearDropsEverythingAndTheNextRequestIsClean) {
  const Shape shape = GetParam();
  cosim::Dut dut = BuildReader(shape);
  const std::vector<uint8_t> bytes = RandomBytes(2);
  cosim::AxiMemory memory(cosim::AxiPorts::Bind(dut),
                          {.seed = 6, .stalls = 0.3, .latency = 20, .latency_jitter = 9});
  memory.AddReadOnlyRegion(kBase, bytes);
  cosim::AxiChecker checker(cosim::AxiPorts::Bind(dut), dut.Get("rst_ni"));
  Consumer consumer(dut, shape, bytes, 0.3);
  cosim::Bench bench(dut);
  bench.Add(memory);
  bench.Add(consumer);
  bench.Add(checker);
  cosim::Port clear = dut.Get("clear_i");
  clear.Set(0);
  dut.Reset();
  cosim::Random random(4);
  for (int round = 0; round < 40; ++round) {
    consumer.Add({kBase + random.Below(kBytes / 64) * 32, 100});
    for (uint64_t i = random.Below(120); i > 0; --i) bench.Cycle();
    consumer.ForgetRequests();
    clear.Set(1);
    bench.Cycle();
    consumer.ForgetBeats();
    clear.Set(0);
    consumer.Add({kBase + random.Below(kBytes / 64) * 32, 5});
    ASSERT_TRUE(bench.RunUntil([&] { return consumer.Done(); }, 20'000)) << round;
  }
  ASSERT_TRUE(bench.RunUntil([&] { return memory.Idle(); }, 2'000));
  bench.Cycle();
  EXPECT_EQ(dut.Get("idle_o").Get(), 1U);
  EXPECT_EQ(test::Format(checker.violations()), "");
}

TEST_P(AxiReader, ReportsErrorResponses) {
  const Shape shape = GetParam();
  cosim::Dut dut = BuildReader(shape);
  const std::vector<uint8_t> bytes = RandomBytes(3);
  cosim::AxiMemory memory(cosim::AxiPorts::Bind(dut), {.seed = 7, .stalls = 0.2, .latency = 3});
  memory.AddReadOnlyRegion(kBase, bytes);
  const auto beat_bytes = static_cast<uint64_t>(shape.data_width) / 8;
  memory.AddFault({.first_address = kBase + 10 * beat_bytes,
                   .last_address = kBase + 13 * beat_bytes - 1,
                   .response = cosim::AxiResponse::kDecodeError});
  Consumer consumer(dut, shape, bytes, 0.2);
  cosim::Bench bench(dut);
  bench.Add(memory);
  bench.Add(consumer);
  dut.Get("clear_i").Set(0);
  dut.Reset();
  consumer.Add({kBase, 10});
  ASSERT_TRUE(bench.RunUntil([&] { return consumer.Done(); }, 2'000));
  EXPECT_EQ(consumer.errors(), 0);
  // Data of a failed beat is undefined: only the pulses are compared.
  consumer.Add({kBase + 10 * beat_bytes, 3});
  ASSERT_TRUE(bench.RunUntil([&] { return consumer.errors() == 3; }, 2'000));
}

INSTANTIATE_TEST_SUITE_P(Shapes, AxiReader,
                         testing::Values(Shape{32, 32, 1, 1, 4}, Shape{64, 40, 16, 4, 64},
                                         Shape{128, 64, 5, 3, 11}, Shape{256, 48, 256, 16, 300}),
                         [](const auto& info) {
                           return "axi" + std::to_string(info.param.data_width);
                         });

TEST(AxiReaderThroughput, HidesTheLatencyOfTheMemory) {
  const Shape shape{64, 32, 16, 4, 64};
  cosim::Dut dut = BuildReader(shape);
  const std::vector<uint8_t> bytes = RandomBytes(4);
  cosim::AxiMemory memory(cosim::AxiPorts::Bind(dut), {.latency = 30});
  memory.AddReadOnlyRegion(kBase, bytes);
  Consumer consumer(dut, shape, bytes, 0);
  cosim::Bench bench(dut);
  bench.Add(memory);
  bench.Add(consumer);
  dut.Get("clear_i").Set(0);
  dut.Reset();
  const uint64_t start = dut.cycles();
  consumer.Add({kBase, 4096});
  ASSERT_TRUE(bench.RunUntil([&] { return consumer.Done(); }, 10'000));
  // 64 beats in flight cover 30 cycles of latency: one beat a cycle after the first.
  EXPECT_LE(dut.cycles() - start, 4096U + 50);
}

}  // namespace
}  // namespace edgebert
