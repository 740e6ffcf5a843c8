// eb_resident_weights: what was loaded comes back by address, with gaps and stalls on every side;
// requests beyond it, and dropped loads and requests.
#include "generator/units/resident_weights.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cosim/sim/bench.h"
#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/blocks/sram.h"
#include "tests/cosim/system_support.h"

namespace edgebert {
namespace {

constexpr uint64_t kBase = 0xff'fff0'0000;  // the stream ends beyond 40 bits of address
constexpr int kDepth = 37;
constexpr uint64_t kBytes = 8;  // of a beat

/// The AXI reader on one side, the weight stream on the other.
class Sides : public cosim::Agent {
 public:
  explicit Sides(cosim::Dut& dut)
      : load_valid_(dut.Get("load_valid_i")),
        load_ready_(dut.Get("load_ready_o")),
        load_beat_(dut.Get("load_beat_i")),
        load_done_(dut.Get("load_done_o")),
        beat_valid_(dut.Get("beat_valid_o")),
        beat_ready_(dut.Get("beat_ready_i")),
        beat_(dut.Get("beat_o")),
        error_(dut.Get("error_o")) {}

  void Drive(uint64_t /*cycle*/) override {
    load_valid_.Set(next < load.size() && !random_.Chance(stalls) ? 1 : 0);
    load_beat_.Set(next < load.size() ? load[next] : random_.Next());
    beat_ready_.Set(random_.Chance(stalls) ? 0 : 1);
  }
  void Sample(uint64_t /*cycle*/) override {
    const bool taken = load_valid_.Get() != 0 && load_ready_.Get() != 0;
    if (taken) ++next;
    if (load_done_.Get() != 0) {
      EXPECT_TRUE(taken);
      ++done;
    }
    if (beat_valid_.Get() != 0 && beat_ready_.Get() != 0) beats.push_back(beat_.Get());
    errors += error_.Get() != 0 ? 1 : 0;
  }

  std::vector<uint64_t> load;
  size_t next = 0;
  std::vector<uint64_t> beats;
  int done = 0, errors = 0;
  double stalls = 0.3;

 private:
  cosim::Port load_valid_, load_ready_, load_beat_, load_done_, beat_valid_, beat_ready_, beat_,
      error_;
  cosim::Random random_{5};
};

class ResidentWeights : public testing::Test {
 protected:
  ResidentWeights() : dut_(Build()), sides_(dut_), bench_(dut_) {
    for (const char* name :
         {"clear_i", "load_start_i", "load_beats_i", "req_valid_i", "req_addr_i", "req_beats_i"}) {
      dut_.Get(name).Set(0);
    }
    dut_.Get("base_i").Set(kBase);
    bench_.Add(sides_);
    dut_.Reset();
  }

  static cosim::Dut Build() {
    auto dut = cosim::Dut::Build(
        {.files = test::EmittedFiles(
             {gen::EmitResidentWeights(), gen::EmitSram1r1w(), gen::EmitSram1r1wMacro()}),
         .top = "eb_resident_weights",
         .parameters = {{"AxiAddrW", "40"}, {"AxiDataW", "64"}, {"Depth", std::to_string(kDepth)}},
         .optimize = cosim::Optimize::kQuick,
         .unknowns = cosim::Unknowns::kRandom},
        /*seed=*/6);
    EB_CHECK(dut.ok(), "{}", dut.error().Format());
    return std::move(dut).value();
  }

  void StartLoad(size_t beats) {
    sides_.load.clear();
    for (size_t i = 0; i < beats; ++i) sides_.load.push_back(random_.Next());
    sides_.next = 0;
    sides_.done = 0;
    dut_.Get("load_start_i").Set(1);
    dut_.Get("load_beats_i").Set(beats);
    bench_.Cycle();
    // What comes with the start belongs to nobody.
    sides_.next = 0;
    dut_.Get("load_start_i").Set(0);
    dut_.Get("load_beats_i").Set(random_.Below(1000));
  }
  void Load(size_t beats) {
    StartLoad(beats);
    ASSERT_TRUE(bench_.RunUntil([&] { return sides_.done > 0; }, 1000));
    EXPECT_EQ(sides_.next, beats);
    bench_.Cycle();
    EXPECT_EQ(dut_.Get("load_ready_o").Get(), 0U);
  }
  void Request(size_t first, size_t beats) {
    dut_.Get("req_valid_i").Set(1);
    dut_.Get("req_addr_i").Set((kBase + kBytes * first) & ((uint64_t{1} << 40) - 1));
    dut_.Get("req_beats_i").Set(beats);
    const auto ready = dut_.Get("req_ready_o");
    ASSERT_TRUE(bench_.RunUntil([&] { return ready.Get() != 0; }, 1000));
    bench_.Cycle();
    dut_.Get("req_valid_i").Set(0);
  }
  /// All of `wanted` and nothing else.
  void Expect(const std::vector<uint64_t>& wanted) {
    bench_.RunUntil([&] { return sides_.beats.size() >= wanted.size(); }, 2000);
    for (int i = 0; i < 10; ++i) bench_.Cycle();
    EXPECT_EQ(sides_.beats, wanted);
    sides_.beats.clear();
  }

  cosim::Dut dut_;
  Sides sides_;
  cosim::Bench bench_;
  cosim::Random random_{3};
};

TEST_F(ResidentWeights, ServesWhatWasLoaded) {
  for (const size_t size : {size_t{kDepth}, size_t{1}, size_t{20}}) {
    Load(size);
    std::vector<uint64_t> wanted;
    for (int request = 0; request < 60; ++request) {
      sides_.stalls = request % 2 == 0 ? 0.4 : 0;
      const size_t first = random_.Below(size);
      const size_t beats = 1 + random_.Below(size - first);
      Request(first, beats);
      wanted.insert(wanted.end(), sides_.load.begin() + static_cast<ptrdiff_t>(first),
                    sides_.load.begin() + static_cast<ptrdiff_t>(first + beats));
    }
    Expect(wanted);
    EXPECT_EQ(sides_.errors, 0);
  }
}

TEST_F(ResidentWeights, ServesABeatACycleFromTheThird) {
  Load(kDepth);
  sides_.stalls = 0;
  Request(0, kDepth);
  bench_.Cycle();
  EXPECT_EQ(sides_.beats.size(), 0U);
  for (size_t i = 1; i <= size_t{kDepth}; ++i) {
    bench_.Cycle();
    EXPECT_EQ(sides_.beats.size(), i);
  }
}

TEST_F(ResidentWeights, RefusesWhatWasNotLoaded) {
  Load(20);
  const auto refused = [&](size_t first, size_t beats) {
    sides_.errors = 0;
    Request(first, beats);
    Expect({});
    EXPECT_EQ(sides_.errors, 1) << first << " " << beats;
  };
  refused(20, 1);
  refused(0, 21);
  refused(19, 2);
  refused(36, 1);
  refused(5, 0xffff'fff0);
  refused(static_cast<size_t>(-1), 1);  // before the stream
  sides_.errors = 0;
  Request(0, 20);
  Expect(sides_.load);
  EXPECT_EQ(sides_.errors, 0);
}

TEST_F(ResidentWeights, ForgetsWhatIsCleared) {
  for (int cycles = 0; cycles < 40; ++cycles) {
    // A load, dropped: nothing of it counts as loaded beyond what arrived.
    StartLoad(30);
    for (int i = 0; i < cycles; ++i) bench_.Cycle();
    const auto clear = [&] {
      dut_.Get("clear_i").Set(1);
      bench_.Cycle();
      dut_.Get("clear_i").Set(0);
    };
    clear();
    EXPECT_EQ(dut_.Get("load_ready_o").Get(), 0U);
    Load(25);
    // A request, dropped; the weights stay.
    Request(2, 20);
    for (int i = 0; i < cycles; ++i) bench_.Cycle();
    clear();
    EXPECT_EQ(dut_.Get("beat_valid_o").Get(), 0U);
    sides_.beats.clear();
    Request(0, 25);
    Expect(sides_.load);
  }
}

}  // namespace
}  // namespace edgebert
