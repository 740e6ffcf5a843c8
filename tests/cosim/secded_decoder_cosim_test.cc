// The decoder of ECC words: every single and every double error at every width of a ReRAM word, and
// beside the golden decoder under any errors.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/units/secded_decoder.h"
#include "golden/model/secded.h"
#include "golden/spec/secded.h"
#include "tests/cosim/datapath_support.h"
#include "tests/support/hamming.h"
#include "tests/support/lint.h"

namespace edgebert {
namespace {

using Bits = std::vector<bool>;

std::vector<std::pair<std::string, std::string>> Parameters(int data_bits) {
  return {{"DataBits", std::to_string(data_bits)},
          {"CheckBits", std::to_string(spec::SecdedCheckBits(data_bits))}};
}

class SecdedDecoder : public testing::TestWithParam<int> {
 protected:
  SecdedDecoder() {
    auto dut = cosim::Dut::Build({.files = test::Files({gen::EmitSecdedDecoder()}),
                                  .top = "eb_secded_decoder",
                                  .parameters = Parameters(GetParam()),
                                  .optimize = cosim::Optimize::kQuick,
                                  .unknowns = cosim::Unknowns::kRandom});
    EB_CHECK(dut.ok(), "{}", dut.error().Format());
    dut_.emplace(std::move(dut).value());
  }

  Bits RandomData() {
    Bits data(static_cast<size_t>(GetParam()));
    for (size_t i = 0; i < data.size(); ++i) data[i] = random_.Chance(0.5);
    return data;
  }

  /// What the decoder makes of a word.
  struct Output {
    Bits data;
    bool corrected;
    bool uncorrectable;
  };
  Output Decode(const Bits& word) {
    std::vector<uint32_t> words((word.size() + 31) / 32);
    for (size_t i = 0; i < word.size(); ++i) words[i / 32] |= uint32_t{word[i]} << i % 32;
    dut_->Get("word_i").SetWide(words);
    dut_->Eval();
    Output output{Bits(static_cast<size_t>(GetParam())), dut_->Get("corrected_o").Get() != 0,
                  dut_->Get("uncorrectable_o").Get() != 0};
    for (int i = 0; i < GetParam(); ++i) {
      output.data[static_cast<size_t>(i)] = dut_->Get("data_o").GetBits(i, 1) != 0;
    }
    return output;
  }

  std::optional<cosim::Dut> dut_;
  cosim::Random random_{5};
};

TEST_P(SecdedDecoder, CorrectsOneErrorAndDetectsTwo) {
  for (int round = 0; round < 4; ++round) {
    const Bits data = round == 0 ? Bits(static_cast<size_t>(GetParam())) : RandomData();
    Bits word = test::HammingWord(data);
    ASSERT_EQ(word.size(), size_t(GetParam() + spec::SecdedCheckBits(GetParam())));
    const Output right = Decode(word);
    ASSERT_EQ(right.data, data);
    ASSERT_FALSE(right.corrected || right.uncorrectable);
    for (size_t a = 0; a < word.size(); ++a) {
      word[a].flip();
      const Output one = Decode(word);
      ASSERT_EQ(one.data, data) << "bit " << a;
      ASSERT_TRUE(one.corrected && !one.uncorrectable) << "bit " << a;
      for (size_t b = 0; b < a; ++b) {
        word[b].flip();
        const Output two = Decode(word);
        ASSERT_TRUE(!two.corrected && two.uncorrectable) << "bits " << a << " and " << b;
        word[b].flip();
      }
      word[a].flip();
    }
  }
}

TEST_P(SecdedDecoder, EqualsGoldenUnderAnyErrors) {
  int met[3] = {};
  for (int round = 0; round < 4000; ++round) {
    Bits word = test::HammingWord(RandomData());
    for (int errors = random_.Between(0, 7); errors > 0; --errors) {
      word[random_.Below(word.size())].flip();
    }
    std::vector<uint8_t> bytes((word.size() + 7) / 8);
    for (size_t i = 0; i < word.size(); ++i) {
      bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] | unsigned{word[i]} << i % 8);
    }
    const model::Secded golden = model::SecdedDecode(GetParam(), bytes);
    ++met[static_cast<size_t>(golden)];
    const Output output = Decode(word);
    ASSERT_EQ(output.corrected, golden == model::Secded::kCorrected);
    ASSERT_EQ(output.uncorrectable, golden == model::Secded::kUncorrectable);
    for (size_t i = 0; i < output.data.size(); ++i) {
      ASSERT_EQ(output.data[i], (bytes[i / 8] >> i % 8 & 1) != 0) << "bit " << i;
    }
  }
  for (const int count : met) EXPECT_GT(count, 300);
}

TEST_P(SecdedDecoder, LintsClean) {
  EXPECT_TRUE(
      test::LintsClean({gen::EmitSecdedDecoder()}, "eb_secded_decoder", Parameters(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Widths, SecdedDecoder, testing::Values(32, 64, 128),
                         [](const auto& info) { return "Data" + std::to_string(info.param); });

}  // namespace
}  // namespace edgebert
