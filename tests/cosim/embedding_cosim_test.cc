// The embedding unit against the sum in real arithmetic (docs/numerics.md, section 8), with its
// errors, an abort, and stalls on every handshake.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/blocks/sram.h"
#include "generator/units/af_decoder.h"
#include "generator/units/af_encoder.h"
#include "generator/units/embedding.h"
#include "golden/spec/isa.h"
#include "golden/spec/register_map.h"
#include "tests/cosim/datapath_support.h"
#include "tests/support/lint.h"

namespace edgebert {
namespace {

struct Shape {
  int lanes, code_bits, exponent_bits, max_vectors, backend;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << shape.lanes << " lanes, <" << shape.code_bits << "," << shape.exponent_bits << ">";
}

constexpr double kFixedScale = 65536;  // Q10.16

double Saturate(double fixed) {
  return std::clamp(fixed, -std::ldexp(1.0, 25), std::ldexp(1.0, 25) - 1);
}

/// The code of a Fixed: the candidates are all codes, the rules those of the encoder.
class Encoder {
 public:
  Encoder(const test::Format& format, int bias) {
    for (unsigned code = 1; code < 1U << (format.width - 1); ++code) {
      codes_.push_back(std::ldexp(test::RealValue(code, format), bias) * kFixedScale);
    }
    sign_ = 1U << (format.width - 1);
  }

  /// codes_ ascends: magnitudes of codes 1, 2, ...
  [[nodiscard]] unsigned Encode(double fixed) const {
    const double a = std::fabs(fixed);
    const unsigned sign = fixed < 0 ? sign_ : 0;
    if (a < codes_.front()) return a >= codes_.front() / 2 ? sign | 1U : 0;
    const size_t above =
        static_cast<size_t>(std::lower_bound(codes_.begin(), codes_.end(), a) - codes_.begin());
    if (above == codes_.size()) return sign | static_cast<unsigned>(codes_.size());
    if (codes_[above] == a) return sign | static_cast<unsigned>(above + 1);
    const double down = a - codes_[above - 1];
    const double up = codes_[above] - a;
    size_t nearest = up < down ? above : above - 1;
    // On a tie the even mantissa, which is the even code.
    if (up == down && (nearest + 1) % 2 != 0) nearest = above;
    return sign | static_cast<unsigned>(nearest + 1);
  }

 private:
  std::vector<double> codes_;
  unsigned sign_ = 0;
};

struct Sentence {
  spec::Instruction command;
  std::vector<unsigned> ids, types;
  unsigned position_row = 0, type_row = 0, vectors = 0, base = 0, stride = 0;
  int bias_word = 0, bias_position = 0, bias_type = 0, bias_out = 0;
};

struct Stalls {
  double row = 0, vector = 0, write = 0;
};

cosim::BuildOptions Options(const Shape& shape) {
  return {.files = test::Files({gen::EmitEmbedding(), gen::EmitSram1r1w(), gen::EmitSram1r1wMacro(),
                                gen::EmitAfDecoder(), gen::EmitAfEncoder()}),
          .top = "eb_embedding",
          .parameters = {{"Lanes", std::to_string(shape.lanes)},
                         {"CodeW", std::to_string(shape.code_bits)},
                         {"ExpW", std::to_string(shape.exponent_bits)},
                         {"MaxVectors", std::to_string(shape.max_vectors)},
                         {"Backend", std::to_string(shape.backend)}},
          .optimize = cosim::Optimize::kQuick,
          .unknowns = cosim::Unknowns::kRandom};
}

class Embedding : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    auto dut = cosim::Dut::Build(Options(GetParam()));
    ASSERT_TRUE(dut.ok()) << dut.error().Format();
    dut_.emplace(std::move(dut).value());
    for (const char* name :
         {"clear_i", "cmd_valid_i", "row_ready_i", "vec_valid_i", "wr_ready_i", "word_error_i"})
      dut_->Get(name).Set(0);
    dut_->Reset();
  }

  [[nodiscard]] test::Format format() const {
    return {GetParam().code_bits, GetParam().exponent_bits};
  }

  Sentence RandomSentence() {
    Sentence s;
    const int tokens = random_.Between(1, 12);
    const unsigned types = 1 + static_cast<unsigned>(random_.Below(3));
    s.position_row = 1 + static_cast<unsigned>(random_.Below(1U << 20));
    s.type_row = s.position_row + 512;
    s.vectors = 1 + static_cast<unsigned>(random_.Below(GetParam().max_vectors));
    s.base = static_cast<unsigned>(random_.Below(1U << 16));
    s.stride = s.vectors + static_cast<unsigned>(random_.Below(8));
    // Sums of a few steps of the output, down to nothing and up to saturation.
    s.bias_out = random_.Between(-12, 2);
    s.bias_word = std::min(15, s.bias_out + random_.Between(-3, 3));
    s.bias_position = std::min(15, s.bias_out + random_.Between(-3, 3));
    s.bias_type = random_.Between(-31, 15);
    for (int i = 0; i < tokens; ++i) {
      s.ids.push_back(static_cast<unsigned>(random_.Below(std::min(s.position_row, 1U << 24))));
      s.types.push_back(random_.Chance(0.5) && i > 0 ? s.types.back()
                                                     : static_cast<unsigned>(random_.Below(types)));
    }
    s.ids[0] = s.position_row - 1;  // the last row
    s.types[0] = types - 1;
    const auto set = [&](const spec::Field& field, int64_t value) { s.command.Set(field, value); };
    set(spec::kOpcode, static_cast<int64_t>(spec::Opcode::kEmbed));
    set(spec::kEmbedDstBase, s.base);
    set(spec::kEmbedDstStride, s.stride);
    set(spec::kEmbedBiasOut, s.bias_out);
    set(spec::kEmbedBiasWord, s.bias_word);
    set(spec::kEmbedBiasPosition, s.bias_position);
    set(spec::kEmbedBiasType, s.bias_type);
    set(spec::kEmbedVectors, s.vectors);
    set(spec::kEmbedTypes, types);
    set(spec::kEmbedPositionRow, s.position_row);
    set(spec::kEmbedTypeRow, s.type_row);
    set(spec::kEmbedMaskBase, 0x1234567);
    return s;
  }

  using Codes = std::vector<unsigned>;

  /// The codes of a row; the same whenever it is read within a sentence.
  const Codes& Row(unsigned row, unsigned vectors) {
    Codes& codes = rows_[row];
    if (codes.empty()) {
      codes.resize(static_cast<size_t>(vectors) * static_cast<size_t>(GetParam().lanes));
      for (unsigned& code : codes) {
        code = static_cast<unsigned>(random_.Below(uint64_t{1} << GetParam().code_bits));
        if (random_.Chance(0.2)) code = 0;
      }
    }
    return codes;
  }

  double Fixed(unsigned code, int bias) const {
    const double real = std::ldexp(test::RealValue(code, format()), bias);
    return Saturate(std::floor(real * kFixedScale + 0.5));
  }

  Codes Expected(const Sentence& s, size_t token, unsigned vector) {
    const Encoder encoder(format(), s.bias_out);
    const Codes& word = Row(s.ids[token], s.vectors);
    const Codes& position = Row(s.position_row + static_cast<unsigned>(token), s.vectors);
    const Codes& type = Row(s.type_row + s.types[token], s.vectors);
    Codes codes;
    const size_t lanes = static_cast<size_t>(GetParam().lanes);
    for (size_t e = vector * lanes; e < (vector + 1) * lanes; ++e) {
      codes.push_back(encoder.Encode(Saturate(Fixed(word[e], s.bias_word) +
                                              Fixed(position[e], s.bias_position) +
                                              Fixed(type[e], s.bias_type))));
    }
    return codes;
  }

  struct Outcome {
    bool done = false;
    std::optional<spec::ErrorCode> error;
    unsigned detail = 0;
    size_t writes = 0;
    size_t rows = 0;
    int cycles = 0;
  };

  /// The row asked for as number `bad_row` has a word that cannot be corrected.
  Outcome Run(const Sentence& s, const Stalls& stalls, int cycle_limit,
              std::optional<size_t> bad_row = {}) {
    rows_.clear();
    Outcome outcome;
    dut_->Get("length_i").Set(s.ids.size());
    dut_->Get("cmd_i").SetWide(s.command.words);
    dut_->Get("cmd_valid_i").Set(1);
    dut_->Eval();
    EXPECT_TRUE(dut_->Get("cmd_ready_o"));
    dut_->Tick();
    dut_->Get("cmd_valid_i").Set(0);
    dut_->Get("cmd_i").Clear();

    std::deque<Codes> vectors;  // the controller's answer
    bool vec_valid = false;
    while (outcome.cycles < cycle_limit && dut_->Get("busy_o").Get() != 0) {
      const bool word_error = bad_row && outcome.rows == *bad_row + 1 && !outcome.error;
      dut_->Get("word_error_i").Set(word_error);
      if (word_error) vectors.clear();
      const bool row_ready = vectors.empty() && !random_.Chance(stalls.row);
      dut_->Get("row_ready_i").Set(row_ready);
      vec_valid = !vectors.empty() && (vec_valid || !random_.Chance(stalls.vector));
      dut_->Get("vec_valid_i").Set(vec_valid);
      if (vec_valid) dut_->Get("vec_i").SetLanes(GetParam().code_bits, vectors.front());
      const bool wr_ready = !random_.Chance(stalls.write);
      dut_->Get("wr_ready_i").Set(wr_ready);
      dut_->Eval();
      if (row_ready && dut_->Get("row_valid_o")) {
        EXPECT_EQ(dut_->Get("mask_base_o").Get(), 0x1234567U);
        EXPECT_EQ(dut_->Get("vectors_o").Get(), s.vectors);
        const Codes& row = Row(static_cast<unsigned>(dut_->Get("row_o").Get()), s.vectors);
        for (unsigned v = 0; v < s.vectors; ++v) {
          const auto begin = row.begin() + static_cast<ptrdiff_t>(v) * GetParam().lanes;
          vectors.emplace_back(begin, begin + GetParam().lanes);
        }
        ++outcome.rows;
      }
      if (vec_valid && dut_->Get("vec_ready_o")) {
        vectors.pop_front();
        vec_valid = false;
      }
      if (wr_ready && dut_->Get("wr_valid_o")) {
        const size_t token = outcome.writes / s.vectors;
        const auto vector = static_cast<unsigned>(outcome.writes % s.vectors);
        EXPECT_LT(token, s.ids.size());
        EXPECT_EQ(dut_->Get("wr_addr_o").Get(), s.base + token * s.stride + vector);
        EXPECT_EQ(dut_->Get("wr_data_o").GetLanes<unsigned>(GetParam().code_bits),
                  Expected(s, token, vector))
            << "token " << token << ", vector " << vector;
        ++outcome.writes;
      }
      if (dut_->Get("error_valid_o")) {
        EXPECT_FALSE(outcome.error.has_value()) << "one pulse";
        outcome.error = static_cast<spec::ErrorCode>(dut_->Get("error_code_o").Get());
        outcome.detail = static_cast<unsigned>(dut_->Get("error_detail_o").Get());
      }
      const uint64_t token = dut_->Get("token_rd_addr_o").Get();
      dut_->Tick();
      dut_->Get("token_rd_data_i")
          .Set(token < s.ids.size() ? s.types[token] << spec::kTokenTypeBit | s.ids[token] : 0);
      ++outcome.cycles;
      if (testing::Test::HasFailure()) break;
    }
    outcome.done = dut_->Get("busy_o").Get() == 0;
    return outcome;
  }

  void Clear() {
    for (const char* name : {"row_ready_i", "vec_valid_i", "wr_ready_i"}) dut_->Get(name).Set(0);
    dut_->Get("clear_i").Set(1);
    dut_->Tick();
    dut_->Get("clear_i").Set(0);
    dut_->Eval();
    EXPECT_FALSE(dut_->Get("busy_o"));
    EXPECT_FALSE(dut_->Get("wr_valid_o"));
  }

  static constexpr int kPatience = 50'000;
  std::optional<cosim::Dut> dut_;
  cosim::Random random_{31};
  std::map<unsigned, Codes> rows_;
};

TEST_P(Embedding, AddsTheThreeRows) {
  for (int round = 0; round < 24; ++round) {
    const Stalls stalls = round % 3 == 0   ? Stalls{}
                          : round % 3 == 1 ? Stalls{.row = 0.5, .vector = 0.5, .write = 0.3}
                                           : Stalls{.vector = 0.1, .write = 0.7};
    const Sentence s = RandomSentence();
    const Outcome outcome = Run(s, stalls, kPatience);
    ASSERT_TRUE(outcome.done);
    ASSERT_FALSE(outcome.error.has_value());
    ASSERT_EQ(outcome.writes, s.ids.size() * s.vectors);
    // A type row is not read again while the type stays.
    size_t rows = 2 * s.ids.size();
    for (size_t i = 0; i < s.types.size(); ++i) rows += i == 0 || s.types[i] != s.types[i - 1];
    ASSERT_EQ(outcome.rows, rows);
  }
}

TEST_P(Embedding, RefusesTokensAndTypesOutsideTheirTables) {
  for (int round = 0; round < 16; ++round) {
    Sentence s = RandomSentence();
    const size_t wrong = random_.Below(s.ids.size());
    const bool token_range = round % 2 == 0;
    if (token_range) {
      s.ids[wrong] =
          s.position_row + (round % 4 == 0 ? 0 : static_cast<unsigned>(random_.Below(9)));
    } else {
      const auto types = static_cast<unsigned>(s.command.Get(spec::kEmbedTypes));
      s.types[wrong] = round % 4 == 1 ? types : types + static_cast<unsigned>(random_.Below(250));
    }
    const Outcome outcome = Run(s, {}, 3000);
    ASSERT_FALSE(outcome.done) << "waits for clear_i";
    ASSERT_EQ(outcome.error,
              token_range ? spec::ErrorCode::kTokenRange : spec::ErrorCode::kTypeRange);
    ASSERT_EQ(outcome.detail, wrong);
    ASSERT_EQ(outcome.writes, wrong * s.vectors);
    Clear();
    ASSERT_TRUE(Run(RandomSentence(), {}, kPatience).done);
  }
}

TEST_P(Embedding, StopsAtAWordThatCannotBeCorrected) {
  for (int round = 0; round < 16; ++round) {
    const Sentence s = RandomSentence();
    std::vector<unsigned> rows;  // in the order in which they are asked for
    std::vector<size_t> tokens;
    for (size_t i = 0; i < s.ids.size(); ++i) {
      if (i == 0 || s.types[i] != s.types[i - 1]) rows.push_back(s.type_row + s.types[i]);
      rows.push_back(s.position_row + static_cast<unsigned>(i));
      rows.push_back(s.ids[i]);
      tokens.resize(rows.size(), i);
    }
    const size_t bad_row = random_.Below(rows.size());
    const Outcome outcome = Run(s, {.row = 0.5, .write = 0.3}, 3000, bad_row);
    ASSERT_FALSE(outcome.done) << "waits for clear_i";
    ASSERT_EQ(outcome.error, spec::ErrorCode::kReramWord);
    ASSERT_EQ(outcome.detail, rows[bad_row]);
    ASSERT_EQ(outcome.writes, tokens[bad_row] * s.vectors);
    Clear();
    ASSERT_TRUE(Run(RandomSentence(), {}, kPatience).done);
  }
}

TEST_P(Embedding, ForgetsTheSentenceWhenCleared) {
  const Stalls stalls{.row = 0.2, .vector = 0.2, .write = 0.2};
  for (int round = 0; round < 40; ++round) {
    Run(RandomSentence(), stalls, random_.Between(1, 80));
    Clear();
    const Sentence s = RandomSentence();
    const Outcome outcome = Run(s, stalls, kPatience);
    ASSERT_TRUE(outcome.done);
    ASSERT_EQ(outcome.writes, s.ids.size() * s.vectors);
  }
}

TEST(Embedding, LintsClean) {
  for (const Shape& shape : {Shape{4, 4, 2, 1, 1}, Shape{8, 8, 3, 24, 2}, Shape{16, 5, 2, 8, 0}}) {
    EXPECT_TRUE(
        test::LintsClean({gen::EmitEmbedding(), gen::EmitSram1r1w(), gen::EmitSram1r1wMacro(),
                          gen::EmitAfDecoder(), gen::EmitAfEncoder()},
                         "eb_embedding", Options(shape).parameters));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Embedding,
                         testing::Values(Shape{4, 8, 3, 1, 0}, Shape{8, 6, 2, 5, 1},
                                         Shape{16, 8, 3, 8, 0}, Shape{32, 8, 4, 4, 0}),
                         [](const auto& info) {
                           return "N" + std::to_string(info.param.lanes) + "W" +
                                  std::to_string(info.param.code_bits) + "E" +
                                  std::to_string(info.param.exponent_bits);
                         });

}  // namespace
}  // namespace edgebert
