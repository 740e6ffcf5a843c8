// eb_top after aborts, bus errors and broken inputs: it says what happened, leaves its buses quiet,
// and runs the next sentence as the golden machine does.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include "cosim/sim/random.h"
#include "tests/cosim/host_rig.h"
#include "tests/cosim/system_support.h"

namespace edgebert {
namespace {

using cosim::AxiResponse;
using cosim::RegisterOffset;
using spec::ErrorCode;

constexpr uint64_t kLimit = 200'000;

class TopRecovery : public testing::Test, protected HostRig {
 protected:
  TopRecovery() : HostRig({}, /*stalls=*/0.2) {
    ProgramReram();
    Reset();
    EXPECT_TRUE(Configure());
    Load();
  }
  ~TopRecovery() override {
    EXPECT_TRUE(memory_.Idle());
    EXPECT_EQ(test::Format(axi_checker_.violations()), "");
    EXPECT_EQ(test::Format(axil_checker_.violations()), "");
  }

  void Write(const std::string& name, uint32_t value) {
    EXPECT_TRUE(TryWrite(name, value)) << name;
  }
  uint32_t Read(const std::string& name) {
    const std::optional<uint32_t> value = TryRead(name);
    EXPECT_TRUE(value.has_value()) << name;
    return value.value_or(0);
  }
  void Start(const Sentence& sentence) { EXPECT_TRUE(TryStart(sentence)); }
  /// Waits for the interrupt and expects a state.
  void Finish(uint32_t status, uint32_t error = 0) {
    ASSERT_TRUE(WaitForInterrupt(kLimit)) << "no interrupt";
    EXPECT_EQ(Read("STATUS"), status);
    EXPECT_EQ(Read("ERROR"), error);
    EXPECT_EQ(Read("IRQ_STATUS"), status >> 1 == (kDone | kLoaded) >> 1 ? 1U
                                  : (status & kError) != 0              ? 2U
                                                                        : 4U);
    EXPECT_EQ(dut_.Get("u_sequencer.unit_busy_i").Get(), 0U);
    EXPECT_TRUE(memory_.Idle());
    Write("IRQ_STATUS", 15);
    EXPECT_EQ(irq_.Get(), 0U);
  }
  /// Loads what `program_` is now.
  void Load() {
    Write("CONTROL", kLoad);
    Finish(kDone | kLoaded);
  }
  static uint32_t ErrorWord(ErrorCode code, uint32_t detail) {
    return static_cast<uint32_t>(code) | detail << 8;
  }

  /// Runs the sentence to its end and compares with the golden machine.
  void ExpectGolden() {
    Start(sentence_);
    Finish(kDone | kLoaded);
    const std::vector<uint32_t> expected = GoldenRecord(sentence_);
    EXPECT_EQ(record_, cosim::WordBytes(expected));
    EXPECT_EQ(Read("EXIT_LAYER"), expected[1]);
    EXPECT_EQ(Read("PREDICTION"), expected[2]);
    EXPECT_EQ(Read("ENTROPY"), expected[spec::kResultEntropyWord + expected[1] - 1]);
  }

  const Sentence& sentence_ = sentences_[0];
};

TEST_F(TopRecovery, AbortAtAnyMoment) {
  ExpectGolden();
  cosim::Random random(5);
  int aborted = 0;
  for (int i = 0; i < 60; ++i) {
    Start(sentence_);
    // Early moments are dense: tokens, embedding and the first tiles follow each other quickly.
    const uint64_t wait = random.Below(i % 2 == 0 ? 600 : 12'000);
    for (uint64_t cycle = 0; cycle < wait; ++cycle) bench_.Cycle();
    if ((Read("STATUS") & kBusy) == 0) {
      Finish(kDone | kLoaded);
      continue;
    }
    Write("CONTROL", kAbort);
    ASSERT_TRUE(WaitForInterrupt(kLimit));
    if ((Read("STATUS") & kDone) != 0) {  // it ended while the abort was on its way
      Finish(kDone | kLoaded);
      continue;
    }
    Finish(kAborted | kLoaded);
    ++aborted;
    if (i % 4 == 0) ExpectGolden();
  }
  EXPECT_GT(aborted, 30);
  ExpectGolden();
}

TEST_F(TopRecovery, ReadErrorsAnywhere) {
  for (const auto& [base, length, detail] :
       {std::tuple{kProgramBase, uint64_t{program_.size()}, 0U},
        std::tuple{kTokenBase, uint64_t{4 * sentence_.size()}, 1U},
        std::tuple{kWeightBase, uint64_t{weights_.size()}, 2U}}) {
    for (const uint64_t part : {0, 1, 2, 3}) {
      const uint64_t beat = config_.axi.data_width / 8U;
      const uint64_t address = base + (length - 1) * part / 3 / beat * beat;
      memory_.AddFault(
          {.first_address = address,
           .last_address = address + beat - 1,
           .response = part % 2 == 0 ? AxiResponse::kSlaveError : AxiResponse::kDecodeError});
      if (detail == 0) {
        Write("CONTROL", kLoad);
        Finish(kError, ErrorWord(ErrorCode::kAxiRead, detail));
      } else {
        Start(sentence_);
        Finish(kError | kLoaded, ErrorWord(ErrorCode::kAxiRead, detail));
      }
      memory_.ClearFaults();
      if (detail == 0) {
        Write("CONTROL", kLoad);
        Finish(kDone | kLoaded);
      }
      ExpectGolden();
    }
  }
}

TEST_F(TopRecovery, WriteErrors) {
  for (const uint64_t write : {0, 2, 5}) {
    memory_.AddFault({.write = true, .burst = memory_.traffic().write_bursts + write});
    Start(sentence_);
    Finish(kError | kLoaded, ErrorWord(ErrorCode::kAxiWrite, 0));
    memory_.ClearFaults();
    ExpectGolden();
  }
}

TEST_F(TopRecovery, WeightsOfAnotherProgram) {
  const std::vector<uint8_t> good = weights_;
  for (size_t i = weights_.size() / 3; i < weights_.size(); ++i) weights_[i] = 0x11;
  Start(sentence_);
  Finish(kError | kLoaded, ErrorWord(ErrorCode::kStreamFormat, 0));
  std::copy(good.begin(), good.end(), weights_.begin());
  ExpectGolden();
}

/// Before the first record are gamma and beta of the embeddings and the biases of a strip.
TEST_F(TopRecovery, AKTileThatTheSourceDoesNotHave) {
  size_t groups = 1;
  const spec::Instruction* projection = nullptr;
  for (const spec::Instruction& instruction : image_.program) {
    const auto opcode = static_cast<spec::Opcode>(instruction.Get(spec::kOpcode));
    if (opcode == spec::Opcode::kLayerNorm) {
      groups += 2 * static_cast<size_t>(instruction.Get(spec::kLayerNormVectors));
    }
    if (opcode != spec::Opcode::kMatmul) continue;
    projection = &instruction;
    break;
  }
  const size_t beat = static_cast<size_t>(config_.axi.data_width) / 8;
  const auto lanes = static_cast<size_t>(config_.vmac.n);
  const size_t group = (lanes * 4 + beat - 1) / beat * beat;
  const size_t prefix = (spec::kTilePrefixBits / 8 + lanes * lanes / 8 + beat - 1) / beat * beat;
  std::span<uint8_t> record = std::span(weights_).subspan(groups * group);
  // A strip without tiles: the next one begins with its biases.
  while ((record[2] >> (spec::kTileEmptyBit - 16) & 1) != 0) {
    record = record.subspan(prefix + group);
  }
  ASSERT_EQ(record[3], spec::kTileMarker);
  const std::array<uint8_t, 2> good = {record[0], record[1]};
  const auto limit = static_cast<uint32_t>(projection->Get(spec::kMatmulKTiles));
  for (const uint32_t k_tile : {limit, limit + 256, 0xffffU}) {
    record[0] = static_cast<uint8_t>(k_tile);
    record[1] = static_cast<uint8_t>(k_tile >> 8);
    Start(sentence_);
    Finish(kError | kLoaded, ErrorWord(ErrorCode::kStreamFormat, 0));
    std::copy(good.begin(), good.end(), record.begin());
    ExpectGolden();
  }
}

TEST_F(TopRecovery, AnEmbeddingOfNoVectors) {
  const std::vector<uint8_t> good = program_;
  size_t pc = 0;
  while (image_.program[pc].Get(spec::kOpcode) != static_cast<int64_t>(spec::Opcode::kEmbed)) ++pc;
  spec::Instruction none = image_.program[pc];
  none.Set(spec::kEmbedVectors, 0);
  const std::vector<uint8_t> bytes = cosim::WordBytes(none.words);
  std::copy(bytes.begin(), bytes.end(), &program_[pc * bytes.size()]);
  Load();
  Start(sentence_);
  Finish(kError | kLoaded, ErrorWord(ErrorCode::kBadOperand, static_cast<uint32_t>(pc)));
  std::copy(good.begin(), good.end(), program_.begin());
  Load();
  ExpectGolden();
}

TEST_F(TopRecovery, TokensOutsideTheTables) {
  std::vector<uint32_t> wrong = sentence_;
  wrong.back() = 0xffffff;
  Start(wrong);
  Finish(kError | kLoaded,
         ErrorWord(ErrorCode::kTokenRange, static_cast<uint32_t>(sentence_.size()) - 1));
  wrong = sentence_;
  wrong[1] |= 0xffU << spec::kTokenTypeBit;
  Start(wrong);
  Finish(kError | kLoaded, ErrorWord(ErrorCode::kTypeRange, 1));
  Start(std::vector<uint32_t>{});
  Finish(kError | kLoaded, ErrorWord(ErrorCode::kLength, 0));
  ExpectGolden();
}

TEST_F(TopRecovery, BusyRefusesAndCountersStandStill) {
  Start(sentence_);
  EXPECT_EQ(host_.Write(bench_, RegisterOffset("CONTROL"), kStart).response,
            AxiResponse::kSlaveError);
  EXPECT_EQ(host_.Write(bench_, RegisterOffset("LENGTH"), 1).response, AxiResponse::kSlaveError);
  EXPECT_EQ(host_.Write(bench_, RegisterOffset("WEIGHT_BASE_LOW"), 0).response,
            AxiResponse::kSlaveError);
  EXPECT_EQ(Read("STATUS"), kBusy | kLoaded);
  Finish(kDone | kLoaded);
  const auto counters = [&] {
    std::vector<uint32_t> values;
    for (uint32_t c = 0; c < spec::kCounters.size(); ++c) {
      values.push_back(host_.Read(bench_, spec::kCounterBase + 8 * c).data);
    }
    return values;
  };
  const std::vector<uint32_t> first = counters();
  for (int i = 0; i < 100; ++i) bench_.Cycle();
  EXPECT_EQ(counters(), first);
  EXPECT_GT(first[cosim::CounterIndex("CYCLES")], first[cosim::CounterIndex("MAC_CYCLES")]);
  ExpectGolden();
}

}  // namespace
}  // namespace edgebert
