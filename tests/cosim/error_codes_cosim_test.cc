// Every error code of the register map, provoked on eb_top through its registers and its memory;
// each is reported, and leaves an accelerator that runs the next sentence.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "golden/spec/isa.h"
#include "tests/cosim/host_rig.h"

namespace edgebert {
namespace {

using spec::ErrorCode;

constexpr uint64_t kLimit = 200'000;
constexpr auto kCodes = static_cast<uint32_t>(spec::kLastErrorCode);

class ErrorCodes : public testing::Test, protected HostRig {
 protected:
  ErrorCodes() : HostRig({}, /*stalls=*/0.2, {}, WithEcc()) { ProgramReram(); }

  static spec::AcceleratorConfig WithEcc() {
    spec::AcceleratorConfig config = TinyConfig();
    config.reram.ecc = spec::ReramEcc::kSecded;
    return config;
  }

  /// ERROR after a command; 0 when it ended well.
  uint32_t Command(uint32_t command) {
    EXPECT_TRUE(TryWrite("CONTROL", command));
    EXPECT_TRUE(WaitForInterrupt(kLimit));
    EXPECT_TRUE(TryWrite("IRQ_STATUS", 15));
    const uint32_t error = TryRead("ERROR").value_or(~0U);
    EXPECT_EQ((TryRead("STATUS").value_or(0) & kError) != 0, error != 0);
    return error;
  }
  uint32_t Run(const Sentence& sentence) {
    const std::vector<uint8_t> bytes = cosim::WordBytes(sentence);
    std::ranges::copy(bytes, tokens_.begin());
    EXPECT_TRUE(TryWrite("LENGTH", static_cast<uint32_t>(sentence.size())));
    return Command(kStart);
  }
  /// Loads the program and runs a sentence.
  uint32_t LoadAndRun(const Sentence& sentence) {
    const uint32_t error = Command(kLoad);
    return error != 0 ? error : Run(sentence);
  }
  /// The same with another first instruction.
  uint32_t RunAfter(const spec::Instruction& first) {
    const std::vector<uint8_t> bytes = cosim::WordBytes(first.words);
    std::ranges::copy(bytes, program_.begin());
    return LoadAndRun(sentences_[0]);
  }
  static spec::Instruction WithOpcode(uint32_t opcode) {
    spec::Instruction instruction{};
    instruction.Set(spec::kOpcode, opcode);
    return instruction;
  }
};

TEST_F(ErrorCodes, EachIsReported) {
  const auto opcode = [](spec::Opcode code) { return WithOpcode(static_cast<uint32_t>(code)); };
  const std::map<ErrorCode, std::function<uint32_t()>> provoke = {
      {ErrorCode::kAxiRead,
       [&] {
         memory_.AddFault({.first_address = kTokenBase, .last_address = kTokenBase});
         return LoadAndRun(sentences_[0]);
       }},
      {ErrorCode::kAxiWrite,
       [&] {
         memory_.AddFault({.write = true, .burst = memory_.traffic().write_bursts});
         return LoadAndRun(sentences_[0]);
       }},
      {ErrorCode::kLength, [&] { return LoadAndRun({}); }},
      {ErrorCode::kProgramLength,
       [&] {
         EXPECT_TRUE(TryWrite("PROGRAM_LENGTH", 0));
         return LoadAndRun(sentences_[0]);
       }},
      {ErrorCode::kNoProgram, [&] { return Run(sentences_[0]); }},
      {ErrorCode::kBadOpcode, [&] { return RunAfter(WithOpcode(0xee)); }},
      {ErrorCode::kProgramOverrun,
       [&] {
         EXPECT_TRUE(TryWrite("PROGRAM_LENGTH", 1));
         return LoadAndRun(sentences_[0]);
       }},
      {ErrorCode::kStreamFormat,
       [&] {
         std::ranges::fill(weights_, uint8_t{0x11});
         return LoadAndRun(sentences_[0]);
       }},
      {ErrorCode::kTokenRange,
       [&] {
         Sentence wrong = sentences_[0];
         wrong[0] = 0xffffff;
         return LoadAndRun(wrong);
       }},
      {ErrorCode::kTypeRange,
       [&] {
         Sentence wrong = sentences_[0];
         wrong[0] |= 0xffU << spec::kTokenTypeBit;
         return LoadAndRun(wrong);
       }},
      {ErrorCode::kNoExit, [&] { return RunAfter(opcode(spec::Opcode::kEnd)); }},
      {ErrorCode::kResident,
       [&] {
         EXPECT_TRUE(TryWrite("RESIDENT_BYTES", 1));
         return LoadAndRun(sentences_[0]);
       }},
      {ErrorCode::kBadOperand, [&] { return RunAfter(opcode(spec::Opcode::kLayerNorm)); }},
      {ErrorCode::kReramWord,
       [&] {
         // Two wrong bits in the index entry of the first token.
         const uint32_t row = sentences_[0][0] & ((1U << spec::kTokenTypeBit) - 1);
         image_.reram.slc[row / 2 * 9] ^= 3;
         ProgramReram();
         const uint32_t error = LoadAndRun(sentences_[0]);
         EXPECT_EQ(error >> 8, row);
         image_.reram.slc[row / 2 * 9] ^= 3;
         ProgramReram();
         return error;
       }},
  };
  const std::vector<uint8_t> program = program_;
  const std::vector<uint8_t> weights = weights_;
  for (uint32_t number = 1; number <= kCodes; ++number) {
    const auto code = static_cast<ErrorCode>(number);
    ASSERT_TRUE(provoke.contains(code)) << number;
    Reset();
    ASSERT_TRUE(Configure());
    EXPECT_EQ(provoke.at(code)() & 0xff, number);
    memory_.ClearFaults();
    std::ranges::copy(program, program_.begin());
    std::ranges::copy(weights, weights_.begin());
    ASSERT_TRUE(Configure());
    EXPECT_EQ(LoadAndRun(sentences_[0]), 0U) << "after error " << number;
    EXPECT_EQ(record_, cosim::WordBytes(GoldenRecord(sentences_[0]))) << "after error " << number;
  }
}

}  // namespace
}  // namespace edgebert
