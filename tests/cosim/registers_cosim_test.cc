// The register file through its bus: every register, field, command, counter and refusal.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cosim/axi/axi_checker.h"
#include "cosim/axi/axi_lite_master.h"
#include "cosim/sim/bench.h"
#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/blocks/counter.h"
#include "generator/units/registers.h"
#include "golden/spec/register_map.h"
#include "tests/cosim/system_support.h"

namespace edgebert {
namespace {

using cosim::AxiResponse;
using spec::Access;

constexpr uint32_t kHash = 0xc0ffee11;
constexpr int kLanes = 16;
constexpr int kMaxRows = 300;
constexpr int kClasses = 5;

std::string Lower(std::string name) {
  for (char& c : name) c = static_cast<char>(std::tolower(c));
  return name;
}

/// Counts the pulses of the command outputs and of the logit port.
class Pulses : public cosim::Agent {
 public:
  explicit Pulses(const cosim::Dut& dut)
      : start_(dut.Get("start_o")), abort_(dut.Get("abort_o")), load_(dut.Get("load_o")) {}
  void Sample(uint64_t /*cycle*/) override {
    start += static_cast<int>(start_.Get());
    abort += static_cast<int>(abort_.Get());
    load += static_cast<int>(load_.Get());
  }
  int start = 0;
  int abort = 0;
  int load = 0;

 private:
  cosim::Port start_, abort_, load_;
};

/// Answers logit reads combinationally: logit c is -1000 - c.
class Logits : public cosim::Agent {
 public:
  explicit Logits(cosim::Dut& dut)
      : dut_(dut),
        read_(dut.Get("logit_read_o")),
        addr_(dut.Get("logit_addr_o")),
        logit_(dut.Get("logit_i")) {}
  void Drive(uint64_t /*cycle*/) override {
    dut_.Eval();
    logit_.SetSigned(read_.Get() != 0 ? -1000 - static_cast<int>(addr_.Get()) : 77);
  }

 private:
  cosim::Dut& dut_;
  cosim::Port read_, addr_, logit_;
};

/// Once armed, one done event in the given cycle; notes when a write response shows.
class EventAt : public cosim::Agent {
 public:
  explicit EventAt(const cosim::Dut& dut)
      : event_(dut.Get("done_event_i")), bvalid_(dut.Get("s_axil_bvalid_o")) {}
  void Arm(uint64_t cycle) {
    armed_ = true;
    cycle_ = cycle;
    response_cycle_.reset();
  }
  [[nodiscard]] uint64_t response_cycle() const { return response_cycle_.value_or(0); }

  void Drive(uint64_t cycle) override {
    if (armed_) event_.Set(cycle == cycle_ ? 1 : 0);
  }
  void Sample(uint64_t cycle) override {
    if (bvalid_.Get() != 0 && !response_cycle_) response_cycle_ = cycle;
  }

 private:
  cosim::Port event_, bvalid_;
  bool armed_ = false;
  uint64_t cycle_ = 0;
  std::optional<uint64_t> response_cycle_;
};

class Registers : public testing::TestWithParam<double> {
 protected:
  Registers()
      : dut_(Build()),
        master_(cosim::AxiLitePorts::Bind(dut_), {.seed = 5, .stalls = GetParam()}),
        checker_(cosim::AxiLitePorts::Bind(dut_), dut_.Get("rst_ni")),
        pulses_(dut_),
        logits_(dut_),
        event_at_(dut_),
        bench_(dut_) {
    for (const std::string& name : dut_.Names()) {
      if (name.ends_with("_i") && !name.starts_with("s_axil") && name != "clk_i") {
        dut_.Get(name).Clear();
      }
    }
    bench_.Add(master_);
    bench_.Add(logits_);
    bench_.Add(checker_);
    bench_.Add(pulses_);
    bench_.Add(event_at_);
    dut_.Reset();
  }
  ~Registers() override {
    bench_.Cycle();
    checker_.Finish(dut_.cycles());
    EXPECT_EQ(test::Format(checker_.violations()), "");
  }

  static cosim::Dut Build() {
    auto dut = cosim::Dut::Build({.files = test::EmittedFiles({gen::EmitRegisters(), gen::EmitCounter()}),
                                  .top = "eb_registers",
                                  .parameters = {{"ConfigHash", "32'hc0ffee11"},
                                                 {"Lanes", std::to_string(kLanes)},
                                                 {"CodeW", "7"},
                                                 {"ExpW", "2"},
                                                 {"MaxRows", std::to_string(kMaxRows)},
                                                 {"MaxClasses", std::to_string(kClasses)},
                                                 {"NonzeroW", "5"}},
                                  .public_signals = {{"eb_counter", "low_q", true}},
                                  .optimize = cosim::Optimize::kQuick,
                                  .unknowns = cosim::Unknowns::kRandom},
                                 /*seed=*/4);
    EB_CHECK(dut.ok(), "{}", dut.error().Format());
    return std::move(dut).value();
  }

  static uint32_t Offset(const std::string& name) {
    for (const spec::Register& r : spec::kRegisters) {
      if (name == r.name) return r.offset;
    }
    ADD_FAILURE() << "no register " << name;
    return 0;
  }
  uint32_t Read(uint32_t address) {
    const cosim::AxiLiteReply reply = master_.Read(bench_, address);
    EXPECT_TRUE(reply.Okay()) << address;
    return reply.data;
  }
  uint32_t Read(const std::string& name) { return Read(Offset(name)); }
  AxiResponse Write(uint32_t address, uint32_t data, uint32_t strobes = 0xf) {
    const cosim::AxiLiteReply reply = master_.Write(bench_, address, data, strobes);
    EXPECT_TRUE(reply.finished);
    return reply.response;
  }
  AxiResponse Write(const std::string& name, uint32_t data, uint32_t strobes = 0xf) {
    return Write(Offset(name), data, strobes);
  }
  void Pulse(const std::string& input) {
    dut_.Get(input).Set(1);
    bench_.Cycle();
    dut_.Get(input).Set(0);
  }

  cosim::Dut dut_;
  cosim::AxiLiteMaster master_;
  cosim::AxiLiteChecker checker_;
  Pulses pulses_;
  Logits logits_;
  EventAt event_at_;
  cosim::Bench bench_;
};

TEST_P(Registers, ReadOnlyRegistersShowTheirSource) {
  EXPECT_EQ(Read("IDENTITY"), 0x45425254U);
  EXPECT_EQ(Read("VERSION"), spec::kRegisterMapVersion);
  EXPECT_EQ(Read("CONFIG_HASH"), kHash);
  EXPECT_EQ(Read("SHAPE"), kLanes | 7U << 8 | 2U << 12 | uint32_t{kMaxRows} << 16);
  EXPECT_EQ(Read("CONTROL"), 0U);

  const std::vector<std::string> status = {"busy_i",   "done_i",    "error_i",
                                           "loaded_i", "aborted_i", "resident_i"};
  for (size_t bit = 0; bit < status.size(); ++bit) {
    dut_.Get(status[bit]).Set(1);
    EXPECT_EQ(Read("STATUS"), 1U << bit) << status[bit];
    dut_.Get(status[bit]).Set(0);
  }
  dut_.Get("error_code_i").Set(0x9c);
  dut_.Get("error_detail_i").Set(0xabcdef);
  EXPECT_EQ(Read("ERROR"), 0xabcdef9cU);
  dut_.Get("exit_layer_i").Set(0xfedc);
  EXPECT_EQ(Read("EXIT_LAYER"), 0xfedcU);
  dut_.Get("prediction_i").Set(0xfa);
  EXPECT_EQ(Read("PREDICTION"), 0xfaU);
  dut_.Get("entropy_i").Set(0xfedcb);
  EXPECT_EQ(Read("ENTROPY"), 0xfedcbU);
}

TEST_P(Registers, StoredRegistersKeepBytes) {
  std::map<uint32_t, uint32_t> expected;
  for (const spec::Register& r : spec::kRegisters) {
    if (r.access == Access::kReadWrite || r.access == Access::kAlwaysWritable) {
      EXPECT_EQ(Read(r.offset), 0U) << r.name << " after reset";
      expected[r.offset] = 0;
    }
  }
  ASSERT_EQ(expected.size(), 14U);
  cosim::Random random(7);
  for (int i = 0; i < 200; ++i) {
    auto entry = expected.begin();
    std::advance(entry, static_cast<int>(random.Below(expected.size())));
    const auto data = static_cast<uint32_t>(random.Next());
    const auto strobes = static_cast<uint32_t>(random.Below(16));
    // The low address bits are ignored.
    EXPECT_EQ(Write(entry->first + static_cast<uint32_t>(random.Below(4)), data, strobes),
              AxiResponse::kOkay);
    for (int byte = 0; byte < 4; ++byte) {
      const uint32_t mask = 0xffU << (8 * byte);
      if ((strobes >> byte & 1U) != 0) entry->second = (entry->second & ~mask) | (data & mask);
    }
    if (i % 20 != 19) continue;
    for (const spec::Register& r : spec::kRegisters) {
      if (!expected.contains(r.offset)) continue;
      EXPECT_EQ(Read(r.offset), expected[r.offset]) << r.name;
      if (r.access == Access::kReadWrite) {
        EXPECT_EQ(dut_.Get(Lower(r.name) + "_o").Get(), expected[r.offset]) << r.name;
      }
    }
  }
}

TEST_P(Registers, BusyRefusesConfigurationAndCommands) {
  for (const spec::Register& r : spec::kRegisters) {
    if (r.access == Access::kReadWrite) {
      EXPECT_EQ(Write(r.offset, r.offset * 3), AxiResponse::kOkay);
    }
  }
  dut_.Get("busy_i").Set(1);
  for (const spec::Register& r : spec::kRegisters) {
    if (r.access != Access::kReadWrite) continue;
    EXPECT_EQ(Write(r.offset, 0xffffffff), AxiResponse::kSlaveError) << r.name;
    EXPECT_EQ(Read(r.offset), r.offset * 3) << r.name;
  }
  EXPECT_EQ(Write("IRQ_ENABLE", 7), AxiResponse::kOkay);
  EXPECT_EQ(Read("IRQ_ENABLE"), 7U);
  EXPECT_EQ(Write("IRQ_STATUS", 7), AxiResponse::kOkay);
  EXPECT_EQ(Write("CONTROL", 1), AxiResponse::kSlaveError);
  EXPECT_EQ(Write("CONTROL", 4), AxiResponse::kSlaveError);
  EXPECT_EQ(pulses_.start + pulses_.load + pulses_.abort, 0);
  EXPECT_EQ(Write("CONTROL", 2), AxiResponse::kOkay);
  EXPECT_EQ(pulses_.abort, 1);
}

TEST_P(Registers, CommandsAreSinglePulses) {
  EXPECT_EQ(Write("CONTROL", 1), AxiResponse::kOkay);
  EXPECT_EQ(Write("CONTROL", 4), AxiResponse::kOkay);
  EXPECT_EQ(Write("CONTROL", 4), AxiResponse::kOkay);
  EXPECT_EQ(Write("CONTROL", 0), AxiResponse::kOkay);
  EXPECT_EQ(Write("CONTROL", 7, 0xe), AxiResponse::kOkay);  // no strobe, no command
  for (const uint32_t mixed : {3U, 5U, 6U, 7U}) {
    EXPECT_EQ(Write("CONTROL", mixed), AxiResponse::kSlaveError) << mixed;
  }
  EXPECT_EQ(pulses_.start, 1);
  EXPECT_EQ(pulses_.load, 2);
  EXPECT_EQ(pulses_.abort, 0);
}

TEST_P(Registers, InterruptsAreSetByEventsAndClearedByOnes) {
  const std::vector<std::string> events = {"done_event_i", "error_event_i", "aborted_event_i"};
  const cosim::Port irq = dut_.Get("irq_o");
  for (size_t bit = 0; bit < events.size(); ++bit) {
    Pulse(events[bit]);
    EXPECT_EQ(Read("IRQ_STATUS"), 1U << bit);
    EXPECT_EQ(irq.Get(), 0U) << "not enabled";
    Write("IRQ_ENABLE", ~(1U << bit));
    EXPECT_EQ(irq.Get(), 0U) << "not enabled";
    Write("IRQ_ENABLE", 1U << bit);
    EXPECT_EQ(irq.Get(), 1U);
    Write("IRQ_STATUS", ~(1U << bit));
    EXPECT_EQ(Read("IRQ_STATUS"), 1U << bit) << "zeros clear nothing";
    Write("IRQ_STATUS", 0xf, 0xe);
    EXPECT_EQ(Read("IRQ_STATUS"), 1U << bit) << "no strobe";
    Write("IRQ_STATUS", 1U << bit);
    EXPECT_EQ(Read("IRQ_STATUS"), 0U);
    EXPECT_EQ(irq.Get(), 0U);
    Write("IRQ_ENABLE", 0);
  }
}

TEST_P(Registers, TheWatchdogCountsFromACommandToItsEnd) {
  const cosim::Port irq = dut_.Get("irq_o");
  Write("IRQ_ENABLE", 8);
  const auto wait = [&] {
    int cycles = 0;
    while (irq.Get() == 0 && cycles < 1000) {
      bench_.Cycle();
      ++cycles;
    }
    return cycles;
  };
  EXPECT_EQ(wait(), 1000) << "no command";
  Write("CONTROL", 1);
  EXPECT_EQ(wait(), 1000) << "0: never";
  Write("WATCHDOG", 300);
  EXPECT_EQ(wait(), 1000) << "from the next command on";
  for (const uint32_t command : {1U, 4U}) {
    const int before = pulses_.start + pulses_.load;
    Write("CONTROL", command);
    ASSERT_EQ(pulses_.start + pulses_.load, before + 1);
    const int cycles = wait();
    EXPECT_LE(cycles, 300);
    EXPECT_GE(cycles, 250) << "a write takes some cycles";
    EXPECT_EQ(Read("IRQ_STATUS"), 8U);
    Write("IRQ_STATUS", 8);
    EXPECT_EQ(wait(), 1000) << "once";
  }
  for (const char* event : {"done_event_i", "error_event_i", "aborted_event_i"}) {
    Write("CONTROL", 1);
    Pulse(event);
    EXPECT_EQ(wait(), 1000) << event;
    EXPECT_EQ(Read("IRQ_STATUS") & 8, 0U) << event;
  }
}

/// Without stalls, so that a write takes the same time twice.
class SteadyRegisters : public Registers {};

TEST_P(SteadyRegisters, NothingIsTakenInReset) {
  dut_.Get("rst_ni").Set(0);
  dut_.Eval();
  for (const char* ready : {"s_axil_awready_o", "s_axil_wready_o", "s_axil_arready_o"}) {
    EXPECT_EQ(dut_.Get(ready).Get(), 0U) << ready;
  }
  dut_.Get("rst_ni").Set(1);
  dut_.Tick();
  for (const char* ready : {"s_axil_awready_o", "s_axil_wready_o", "s_axil_arready_o"}) {
    EXPECT_EQ(dut_.Get(ready).Get(), 1U) << ready;
  }
}

TEST_P(SteadyRegisters, AnEventInTheCycleOfTheClearIsKept) {
  const auto write = [&](uint64_t event_cycle) {
    event_at_.Arm(event_cycle);
    const uint64_t start = dut_.cycles();
    Write("IRQ_STATUS", 7);
    return event_at_.response_cycle() - start;
  };
  Write("IRQ_STATUS", 7);  // the first access waits for the end of the reset
  // The response shows one cycle after the write took place.
  const uint64_t took = write(~uint64_t{0}) - 1;
  write(dut_.cycles() + took - 1);
  EXPECT_EQ(Read("IRQ_STATUS"), 0U) << "the cycle before";
  write(dut_.cycles() + took);
  EXPECT_EQ(Read("IRQ_STATUS"), 1U) << "the same cycle";
}

TEST_P(Registers, EveryOtherAddressIsRefused) {
  std::map<uint32_t, Access> mapped;
  for (const spec::Register& r : spec::kRegisters) mapped[r.offset] = r.access;
  for (uint32_t c = 0; c < 2 * spec::kCounters.size(); ++c) {
    mapped[spec::kCounterBase + 4 * c] = Access::kReadOnly;
  }
  for (uint32_t c = 0; c < kClasses; ++c) mapped[spec::kLogitBase + 4 * c] = Access::kReadOnly;
  for (uint32_t address = 0; address < spec::kRegisterWindowBytes; address += 4) {
    const bool readable = mapped.contains(address);
    const bool writable = readable && mapped[address] != Access::kReadOnly;
    const cosim::AxiLiteReply reply = master_.Read(bench_, address);
    ASSERT_TRUE(reply.finished);
    EXPECT_EQ(reply.response, readable ? AxiResponse::kOkay : AxiResponse::kSlaveError) << address;
    if (!readable) {
      EXPECT_EQ(reply.data, 0U) << address;
    }
    EXPECT_EQ(Write(address, 0), writable ? AxiResponse::kOkay : AxiResponse::kSlaveError)
        << address;
  }
}

TEST_P(Registers, LogitsAreSignExtended) {
  for (uint32_t c = 0; c < kClasses; ++c) {
    EXPECT_EQ(static_cast<int32_t>(Read(spec::kLogitBase + 4 * c)), -1000 - static_cast<int>(c));
  }
}

TEST_P(Registers, CountersCountWhileRunning) {
  cosim::Random random(9);
  std::vector<uint64_t> expected(spec::kCounters.size());
  std::vector<cosim::Port> events;
  for (const spec::Counter& c : spec::kCounters) {
    events.push_back(dut_.Get("count_" + Lower(c.name) + "_i"));
    EXPECT_EQ(events.back().bits(), std::string(c.name) == "WINDOW_ROWS_SKIPPED" ? 10
                                    : std::string(c.name) == "WEIGHT_NONZEROS"   ? 5
                                                                                 : 1)
        << c.name;
  }
  const auto step = [&](bool run) {
    dut_.Get("counters_run_i").Set(run ? 1 : 0);
    for (size_t c = 0; c < events.size(); ++c) {
      const uint64_t event = random.Below(uint64_t{1} << events[c].bits());
      events[c].Set(event);
      if (run) expected[c] += event;
    }
    bench_.Cycle();
  };
  const auto check = [&] {
    dut_.Get("counters_run_i").Set(0);
    for (size_t c = 0; c < events.size(); ++c) {
      const auto offset = spec::kCounterBase + 8 * static_cast<uint32_t>(c);
      const uint64_t low = Read(offset);
      const uint64_t high = Read(offset + 4);
      EXPECT_EQ(low | high << 32, expected[c]) << spec::kCounters[c].name;
    }
  };
  for (int i = 0; i < 300; ++i) step(random.Chance(0.7));
  check();
  Pulse("counters_clear_i");
  expected.assign(expected.size(), 0);
  check();
  for (int i = 0; i < 50; ++i) step(true);
  check();
}

TEST_P(Registers, CountersCarryIntoTheHighWord) {
  const auto offset = spec::kCounterBase + 8;
  ASSERT_EQ(std::string(spec::kCounters[1].name), "MAC_CYCLES");
  dut_.Get("u_mac_cycles.low_q").Set(0xffffffff);
  dut_.Get("counters_run_i").Set(1);
  Pulse("count_mac_cycles_i");
  EXPECT_EQ(Read(offset), 0U);
  EXPECT_EQ(Read(offset + 4), 1U);
}

TEST_P(Registers, SaturationIsStickyUntilTheNextSentence) {
  EXPECT_EQ(Read("SATURATION"), 0U);
  Pulse("saturated_i");
  EXPECT_EQ(Read("SATURATION"), 0U) << "no sentence runs";
  dut_.Get("counters_run_i").Set(1);
  Pulse("saturated_i");
  EXPECT_EQ(Read("SATURATION"), 1U);
  dut_.Get("counters_run_i").Set(0);
  EXPECT_EQ(Read("SATURATION"), 1U);
  Pulse("counters_clear_i");
  EXPECT_EQ(Read("SATURATION"), 0U);
}

INSTANTIATE_TEST_SUITE_P(NoStalls, SteadyRegisters, testing::Values(0.0));
INSTANTIATE_TEST_SUITE_P(Stalls, Registers, testing::Values(0.0, 0.5),
                         [](const auto& info) { return info.param == 0 ? "none" : "random"; });

}  // namespace
}  // namespace edgebert
