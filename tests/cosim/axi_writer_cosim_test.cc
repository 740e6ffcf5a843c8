// The AXI writer: strobes, lanes, order, errors, in every data width.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "cosim/axi/axi_checker.h"
#include "cosim/axi/axi_memory.h"
#include "cosim/sim/bench.h"
#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/units/axi_writer.h"
#include "tests/cosim/system_support.h"

namespace edgebert {
namespace {

constexpr uint64_t kBase = 0x8000'0000;

struct Word {
  uint64_t address;
  uint32_t data;
};

class Producer : public cosim::Agent {
 public:
  Producer(const cosim::Dut& dut, double stalls)
      : valid_(dut.Get("wr_valid_i")),
        ready_(dut.Get("wr_ready_o")),
        addr_(dut.Get("wr_addr_i")),
        data_(dut.Get("wr_data_i")),
        error_(dut.Get("error_o")),
        stalls_(stalls) {
    valid_.Set(0);
  }

  void Add(const Word& word) { words_.push_back(word); }
  [[nodiscard]] bool Done() const { return words_.empty(); }
  [[nodiscard]] int errors() const { return errors_; }

  void Drive(uint64_t /*cycle*/) override {
    const bool show = !words_.empty() && (valid_.Get() != 0 || !random_.Chance(stalls_));
    valid_.Set(show ? 1 : 0);
    if (!show) return;
    addr_.Set(words_.front().address);
    data_.Set(words_.front().data);
  }
  void Sample(uint64_t /*cycle*/) override {
    if (valid_.Get() != 0 && ready_.Get() != 0) words_.pop_front();
    errors_ += error_.Get() != 0 ? 1 : 0;
  }

 private:
  cosim::Port valid_, ready_, addr_, data_, error_;
  double stalls_;
  cosim::Random random_{23};
  std::deque<Word> words_;
  int errors_ = 0;
};

class AxiWriter : public testing::TestWithParam<int> {
 protected:
  static cosim::Dut Build() {
    auto dut = cosim::Dut::Build({.files = test::EmittedFiles({gen::EmitAxiWriter()}),
                                  .top = "eb_axi_writer",
                                  .parameters = {{"AxiDataW", std::to_string(GetParam())},
                                                 {"AxiAddrW", "40"},
                                                 {"AxiIdW", "2"},
                                                 {"Outstanding", "3"}},
                                  .optimize = cosim::Optimize::kQuick,
                                  .unknowns = cosim::Unknowns::kRandom},
                                 /*seed=*/9);
    EB_CHECK(dut.ok(), "{}", dut.error().Format());
    return std::move(dut).value();
  }
};

TEST_P(AxiWriter, WritesWordsAndNothingElse) {
  cosim::Dut dut = Build();
  for (const double stalls : {0.0, 0.5}) {
    std::vector<uint8_t> bytes(4096);
    cosim::Random random(3);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Next());
    std::vector<uint8_t> expected = bytes;
    cosim::AxiMemory memory(cosim::AxiPorts::Bind(dut),
                            {.seed = 8, .stalls = stalls, .latency = 5, .latency_jitter = 5});
    memory.AddRegion(kBase, bytes);
    cosim::AxiChecker checker(cosim::AxiPorts::Bind(dut), dut.Get("rst_ni"));
    Producer producer(dut, stalls);
    for (int i = 0; i < 500; ++i) {
      // The low address bits are ignored; words may repeat, so that order matters.
      const uint64_t index = random.Below(64);
      const auto data = static_cast<uint32_t>(random.Next());
      producer.Add({kBase + 4 * index + random.Below(4), data});
      for (size_t byte = 0; byte < 4; ++byte) {
        expected[4 * index + byte] = static_cast<uint8_t>(data >> (8 * byte));
      }
    }
    cosim::Bench bench(dut);
    bench.Add(memory);
    bench.Add(producer);
    bench.Add(checker);
    dut.Reset();
    const cosim::Port idle = dut.Get("idle_o");
    ASSERT_TRUE(bench.RunUntil([&] { return producer.Done() && idle.Get() != 0; }, 50'000));
    EXPECT_EQ(bytes, expected);
    EXPECT_EQ(memory.traffic().write_beats, 500U);
    EXPECT_EQ(producer.errors(), 0);
    checker.Finish(dut.cycles());
    EXPECT_EQ(test::Format(checker.violations()), "");
  }
}

TEST_P(AxiWriter, ReportsErrorResponses) {
  cosim::Dut dut = Build();
  std::vector<uint8_t> bytes(4096);
  cosim::AxiMemory memory(cosim::AxiPorts::Bind(dut), {.seed = 8, .stalls = 0.3, .latency = 5});
  memory.AddRegion(kBase, bytes);
  memory.AddFault({.write = true, .burst = 4});
  memory.AddFault({.write = true, .burst = 6, .response = cosim::AxiResponse::kDecodeError});
  Producer producer(dut, 0.3);
  for (uint64_t i = 0; i < 10; ++i) producer.Add({kBase + 4 * i, 0x1234});
  cosim::Bench bench(dut);
  bench.Add(memory);
  bench.Add(producer);
  dut.Reset();
  const cosim::Port idle = dut.Get("idle_o");
  ASSERT_TRUE(bench.RunUntil([&] { return producer.Done() && idle.Get() != 0; }, 5'000));
  EXPECT_EQ(producer.errors(), 2);
}

INSTANTIATE_TEST_SUITE_P(Widths, AxiWriter, testing::Values(32, 64, 128, 256));

}  // namespace
}  // namespace edgebert
