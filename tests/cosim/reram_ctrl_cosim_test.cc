// The ReRAM controller against an image written from docs/architecture.md ("ReRAM image"), behind a
// macro of any latency; and the behavioural macro.

#include <gtest/gtest.h>

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/blocks/fifo.h"
#include "generator/units/bitmask_decoder.h"
#include "generator/units/reram_ctrl.h"
#include "generator/units/reram_macro.h"
#include "generator/units/secded_decoder.h"
#include "golden/spec/secded.h"
#include "tests/cosim/datapath_support.h"
#include "tests/support/hamming.h"
#include "tests/support/lint.h"

namespace edgebert {
namespace {

struct Shape {
  int lanes, code_bits, word_bits;
  bool ecc = false;

  [[nodiscard]] int check_bits() const { return ecc ? spec::SecdedCheckBits(word_bits) : 0; }
  [[nodiscard]] size_t stored_words32() const {
    return static_cast<size_t>(word_bits + check_bits() + 31) / 32;
  }
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << shape.lanes << " lanes, " << shape.code_bits << "-bit codes, " << shape.word_bits
       << "-bit words" << (shape.ecc ? " with ECC" : "");
}

using Word = std::vector<bool>;
using Table = std::vector<std::vector<unsigned>>;  // [row][element], padded to whole vectors

struct Image {
  std::vector<Word> slc, mlc;
  uint64_t mask_base = 0;
};

void Append(Word* word, uint64_t value, int bits) {
  for (int bit = 0; bit < bits; ++bit) word->push_back(((value >> bit) & 1) != 0);
}

/// What the document leaves open is random.
void Pad(std::vector<Word>* words, int word_bits, cosim::Random* random) {
  while (words->back().size() < static_cast<size_t>(word_bits)) {
    words->back().push_back(random->Chance(0.5));
  }
}

Image LayOut(const Table& table, const Shape& shape, cosim::Random* random) {
  Image image;
  const size_t codes_a_word = static_cast<size_t>(shape.word_bits / shape.code_bits);
  for (size_t row = 0; row < table.size(); ++row) {
    if (row % static_cast<size_t>(shape.word_bits / 32) == 0) image.slc.emplace_back();
    Append(&image.slc.back(), image.mlc.size(), 32);
    size_t codes = 0;
    for (const unsigned code : table[row]) {
      if (code == 0) continue;
      if (codes++ % codes_a_word == 0) {
        if (codes > 1) Pad(&image.mlc, shape.word_bits, random);
        image.mlc.emplace_back();
      }
      Append(&image.mlc.back(), code, shape.code_bits);
    }
    if (codes != 0) Pad(&image.mlc, shape.word_bits, random);
  }
  Pad(&image.slc, shape.word_bits, random);
  image.mask_base = image.slc.size();
  for (const std::vector<unsigned>& row : table) {
    for (size_t e = 0; e < row.size(); ++e) {
      if (e % static_cast<size_t>(shape.word_bits) == 0) image.slc.emplace_back();
      Append(&image.slc.back(), row[e] != 0 ? 1 : 0, 1);
    }
    Pad(&image.slc, shape.word_bits, random);
  }
  return image;
}

Table RandomTable(const Shape& shape, int rows, int vectors, cosim::Random* random) {
  Table table;
  for (int r = 0; r < rows; ++r) {
    const double density = random->Between(0, 4) / 4.0;  // empty, full, and between
    std::vector<unsigned> row(static_cast<size_t>(vectors * shape.lanes));
    for (unsigned& code : row) {
      const uint64_t any = 1 + random->Below((uint64_t{1} << shape.code_bits) - 1);
      if (random->Chance(density)) code = static_cast<unsigned>(any);
    }
    table.push_back(row);
  }
  return table;
}

std::vector<uint32_t> Words32(const Word& word) {
  std::vector<uint32_t> words((word.size() + 31) / 32);
  for (size_t bit = 0; bit < word.size(); ++bit) words[bit / 32] |= uint32_t{word[bit]} << bit % 32;
  return words;
}

std::vector<vlog::Module> Modules() {
  return {gen::EmitReramCtrl(), gen::EmitBitmaskDecoder(), gen::EmitFifo(),
          gen::EmitSecdedDecoder()};
}

cosim::BuildOptions Options(const Shape& shape) {
  return {.files = test::Files(Modules()),
          .top = "eb_reram_ctrl",
          .parameters = {{"Lanes", std::to_string(shape.lanes)},
                         {"CodeW", std::to_string(shape.code_bits)},
                         {"WordBits", std::to_string(shape.word_bits)},
                         {"CheckBits", std::to_string(shape.check_bits())}},
          .optimize = cosim::Optimize::kQuick,
          .unknowns = cosim::Unknowns::kRandom};
}

/// The controller between a client and a macro.
class Harness {
 public:
  struct Stalls {
    double row = 0, vector = 0, request = 0;
    int latency_min = 4, latency_max = 4;
    double wrong_bit = 0;  // of a word, with ECC
    int broken_read = -1;  // its word has two wrong bits
  };

  Harness(cosim::Dut* dut, const Shape& shape, cosim::Random* random)
      : dut_(*dut), shape_(shape), random_(*random) {
    for (const char* name :
         {"clear_i", "row_valid_i", "vec_ready_i", "rr_req_ready_i", "rr_rsp_valid_i"}) {
      dut_.Get(name).Set(0);
    }
    dut_.Reset();
  }

  /// Drops the client's request; the macro goes on.
  void Clear() {
    dut_.Get("row_valid_i").Set(0);
    dut_.Get("vec_ready_i").Set(0);
    dut_.Get("clear_i").Set(1);
    for (int cycles = random_.Between(1, 3); cycles > 0; --cycles) {
      DriveMacro({});
      dut_.Eval();
      SampleMacro({}, nullptr);
      dut_.Tick();
    }
    dut_.Get("clear_i").Set(0);
  }

  /// Reads rows; stops after `cycle_limit` cycles. Returns the cycles taken.
  int Run(const Table& table, const Image& image, const std::vector<size_t>& rows,
          const Stalls& stalls, int cycle_limit) {
    const size_t lanes = static_cast<size_t>(shape_.lanes);
    const size_t vectors = table[0].size() / lanes;
    size_t asked = 0;
    size_t row = 0;
    size_t vector = 0;
    bool row_valid = false;
    reads_ = 0;
    wrong_ = 0;
    corrected_ = 0;
    word_error_ = false;
    int cycle = 0;
    for (; cycle < cycle_limit && row < rows.size(); ++cycle) {
      row_valid = asked < rows.size() && (row_valid || !random_.Chance(stalls.row));
      dut_.Get("row_valid_i").Set(row_valid);
      // Only a request has an operand.
      dut_.Get("row_i").Set(row_valid ? rows[asked] : random_.Next() & 0xFFFFFFFF);
      dut_.Get("mask_base_i").Set(row_valid ? image.mask_base : random_.Next() & 0xFFFFFFFF);
      dut_.Get("vectors_i").Set(row_valid ? vectors : random_.Next() & 0xFFFF);
      const bool vec_ready = !random_.Chance(stalls.vector);
      dut_.Get("vec_ready_i").Set(vec_ready);
      DriveMacro(stalls);
      dut_.Eval();
      SampleMacro(stalls, &image);
      if (row_valid && dut_.Get("row_ready_o")) {
        ++asked;
        row_valid = false;
      }
      if (vec_ready && dut_.Get("vec_valid_o")) {
        const auto begin = table[rows[row]].begin() + static_cast<ptrdiff_t>(vector * lanes);
        EXPECT_EQ(dut_.Get("vec_o").GetLanes<unsigned>(shape_.code_bits),
                  std::vector<unsigned>(begin, begin + shape_.lanes))
            << "row " << rows[row] << ", vector " << vector;
        if (++vector == vectors) {
          vector = 0;
          ++row;
        }
      }
      dut_.Tick();
      if (testing::Test::HasFailure() || word_error_) return cycle;
    }
    done_ = row;
    return cycle;
  }

  [[nodiscard]] size_t done() const { return done_; }
  [[nodiscard]] int reads() const { return reads_; }
  /// Words given with one wrong bit, and what the controller said of them.
  [[nodiscard]] int wrong() const { return wrong_; }
  [[nodiscard]] int corrected() const { return corrected_; }
  [[nodiscard]] bool word_error() const { return word_error_; }

 private:
  struct Response {
    int wait;
    std::vector<uint32_t> data;
  };

  void DriveMacro(const Stalls& stalls) {
    req_ready_ = !random_.Chance(stalls.request);
    dut_.Get("rr_req_ready_i").Set(req_ready_);
    const bool valid = !responses_.empty() && responses_.front().wait <= 0;
    dut_.Get("rr_rsp_valid_i").Set(valid);
    std::vector<uint32_t> data(shape_.stored_words32());
    for (uint32_t& word : data) word = static_cast<uint32_t>(random_.Next());
    if (shape_.ecc) data.back() &= (1U << (shape_.word_bits + shape_.check_bits()) % 32) - 1;
    dut_.Get("rr_rsp_data_i").SetWide(valid ? responses_.front().data : data);
  }

  void SampleMacro(const Stalls& stalls, const Image* image) {
    if (!responses_.empty() && responses_.front().wait <= 0) responses_.pop_front();
    for (Response& response : responses_) --response.wait;
    corrected_ += dut_.Get("corrected_o") ? 1 : 0;
    word_error_ = word_error_ || dut_.Get("word_error_o");
    const bool read = req_ready_ && dut_.Get("rr_req_valid_o");
    EXPECT_EQ(dut_.Get("read_o").Get() != 0, read);
    if (!read) return;
    Response response{random_.Between(stalls.latency_min, stalls.latency_max) - 1,
                      std::vector<uint32_t>(shape_.stored_words32())};
    if (image != nullptr) {
      const std::vector<Word>& region = dut_.Get("rr_req_mlc_o") ? image->mlc : image->slc;
      const uint64_t address = dut_.Get("rr_req_addr_o").Get();
      if (address < region.size()) {
        response.data = Words32(Stored(region[address], stalls));
      } else {
        ADD_FAILURE() << "read of word " << address << " of " << region.size();
      }
    }
    responses_.push_back(response);
    ++reads_;
  }

  /// A word as the macro has it.
  Word Stored(Word word, const Stalls& stalls) {
    if (!shape_.ecc) return word;
    word = test::HammingWord(word);
    const size_t bit = random_.Below(word.size());
    if (reads_ == stalls.broken_read) {
      word[bit].flip();
      word[(bit + 1 + random_.Below(word.size() - 1)) % word.size()].flip();
    } else if (random_.Chance(stalls.wrong_bit)) {
      word[bit].flip();
      ++wrong_;
    }
    return word;
  }

  cosim::Dut& dut_;
  Shape shape_;
  cosim::Random& random_;
  std::deque<Response> responses_;
  bool req_ready_ = false;
  size_t done_ = 0;
  int reads_ = 0;
  int wrong_ = 0;
  int corrected_ = 0;
  bool word_error_ = false;
};

constexpr int kPatience = 100'000;

class ReramCtrl : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    auto dut = cosim::Dut::Build(Options(GetParam()));
    ASSERT_TRUE(dut.ok()) << dut.error().Format();
    dut_.emplace(std::move(dut).value());
    harness_.emplace(&*dut_, GetParam(), &random_);
  }
  std::vector<size_t> RandomRows(size_t rows, size_t count) {
    std::vector<size_t> numbers(count);
    for (size_t& number : numbers) number = random_.Below(rows);
    return numbers;
  }

  std::optional<cosim::Dut> dut_;
  std::optional<Harness> harness_;
  cosim::Random random_{23};
};

TEST_P(ReramCtrl, GivesTheRows) {
  for (const Harness::Stalls stalls :
       {Harness::Stalls{},
        Harness::Stalls{.row = 0.8, .vector = 0.7, .latency_min = 1, .latency_max = 1},
        Harness::Stalls{
            .row = 0.3, .vector = 0.2, .request = 0.5, .latency_max = 12, .wrong_bit = 0.5},
        Harness::Stalls{.latency_min = 64, .latency_max = 64}}) {
    for (const int vectors : {1, 2, 3, 7, 20}) {
      const Table table = RandomTable(GetParam(), 21, vectors, &random_);
      const Image image = LayOut(table, GetParam(), &random_);
      harness_->Run(table, image, RandomRows(table.size(), 12), stalls, kPatience);
      ASSERT_EQ(harness_->done(), 12U) << "the controller stands still";
      ASSERT_EQ(harness_->corrected(), harness_->wrong());
    }
  }
}

TEST_P(ReramCtrl, ReadsNoWordTwiceNorInVain) {
  const Shape shape = GetParam();
  const Table table = RandomTable(shape, 15, 9, &random_);
  const Image image = LayOut(table, shape, &random_);
  for (size_t row = 0; row < table.size(); ++row) {
    int nonzeros = 0;
    for (const unsigned code : table[row]) nonzeros += code != 0 ? 1 : 0;
    const int codes = shape.word_bits / shape.code_bits;
    const int words = 1 + (9 * shape.lanes + shape.word_bits - 1) / shape.word_bits +
                      (nonzeros + codes - 1) / codes;
    harness_->Run(table, image, {row}, {.request = 0.2}, kPatience);
    ASSERT_EQ(harness_->done(), 1U);
    ASSERT_EQ(harness_->reads(), words) << "row " << row;
  }
}

// Whichever word it is, and before a vector that is not right.
TEST_P(ReramCtrl, SaysWhichRowItCannotCorrect) {
  for (int round = 0; round < 8; ++round) {
    const Table table = RandomTable(GetParam(), 5, 6, &random_);
    const Image image = LayOut(table, GetParam(), &random_);
    for (size_t row = 0; row < table.size(); ++row) {
      Harness::Stalls stalls{.vector = 0.2, .request = 0.2, .wrong_bit = 0.3};
      harness_->Run(table, image, {row}, stalls, kPatience);
      ASSERT_FALSE(harness_->word_error());
      const int reads = GetParam().ecc ? harness_->reads() : 0;
      for (int read = 0; read < reads; ++read) {
        stalls.broken_read = read;
        harness_->Run(table, image, {row}, stalls, kPatience);
        ASSERT_TRUE(harness_->word_error()) << "read " << read << " of " << reads;
        harness_->Clear();
      }
    }
  }
}

// A word a cycle after the start of the row, as long as the eight words asked for cover the
// latency.
TEST_P(ReramCtrl, KeepsRequestsUnderWay) {
  const Shape shape = GetParam();
  const Table table(1, std::vector<unsigned>(static_cast<size_t>(32 * shape.lanes), 1));
  const Image image = LayOut(table, shape, &random_);
  const int cycles =
      harness_->Run(table, image, {0}, {.latency_min = 4, .latency_max = 4}, kPatience);
  const int words = static_cast<int>(image.slc.size() + image.mlc.size());
  EXPECT_LE(cycles, std::max(words, 32) + words / 8 + 24) << words << " words";
}

TEST_P(ReramCtrl, ForgetsTheRowWhenCleared) {
  for (int round = 0; round < 60; ++round) {
    const Table table = RandomTable(GetParam(), 9, random_.Between(1, 12), &random_);
    const Image image = LayOut(table, GetParam(), &random_);
    const Harness::Stalls stalls{.request = 0.3, .latency_min = 1, .latency_max = 20};
    harness_->Run(table, image, RandomRows(9, 4), stalls, random_.Between(1, 120));
    harness_->Clear();
    harness_->Run(table, image, RandomRows(9, 2), stalls, kPatience);
    ASSERT_EQ(harness_->done(), 2U);
  }
}

TEST(ReramCtrl, LintsClean) {
  for (const Shape& shape : {Shape{4, 8, 32}, Shape{16, 5, 64}, Shape{32, 6, 32}, Shape{32, 8, 128},
                             Shape{4, 7, 32, true}, Shape{16, 8, 128, true}}) {
    EXPECT_TRUE(test::LintsClean(Modules(), "eb_reram_ctrl", Options(shape).parameters));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ReramCtrl,
                         testing::Values(Shape{4, 8, 32}, Shape{8, 5, 64}, Shape{16, 8, 64},
                                         Shape{16, 4, 128}, Shape{32, 6, 32}, Shape{32, 8, 128},
                                         Shape{4, 8, 32, true}, Shape{16, 5, 64, true},
                                         Shape{16, 8, 128, true}),
                         [](const auto& info) {
                           return "N" + std::to_string(info.param.lanes) + "W" +
                                  std::to_string(info.param.code_bits) + "Word" +
                                  std::to_string(info.param.word_bits) +
                                  (info.param.ecc ? "Ecc" : "");
                         });

// ---- Macro --------------------------------------------------------------------------------------

TEST(ReramMacro, AnswersInOrderAfterItsLatency) {
  constexpr uint64_t kSlcWords = 50;
  constexpr uint64_t kMlcWords = 70;
  for (const size_t latency : {1U, 4U, 9U}) {
    auto dut = cosim::Dut::Build(
        {.files = test::Files({gen::EmitReramMacro(), gen::EmitReramArrayMacro()}),
         .top = "eb_reram_macro",
         .parameters = {{"WordBits", "64"},
                        {"ReadLatency", std::to_string(latency)},
                        {"SlcWords", std::to_string(kSlcWords)},
                        {"MlcWords", std::to_string(kMlcWords)}},
         .public_signals = {{"eb_reram_macro", "slc_mem", true},
                            {"eb_reram_macro", "mlc_mem", true}},
         .optimize = cosim::Optimize::kQuick,
         .unknowns = cosim::Unknowns::kRandom});
    ASSERT_TRUE(dut.ok()) << dut.error().Format();
    cosim::Random random(latency);
    cosim::Memory slc = dut->GetMemory("g_array.slc_mem");
    cosim::Memory mlc = dut->GetMemory("g_array.mlc_mem");
    std::vector<uint64_t> slc_words(kSlcWords);
    std::vector<uint64_t> mlc_words(kMlcWords);
    for (size_t i = 0; i < kSlcWords; ++i) slc[i].Set(slc_words[i] = random.Next());
    for (size_t i = 0; i < kMlcWords; ++i) mlc[i].Set(mlc_words[i] = random.Next());
    dut->Get("rr_req_valid_i").Set(0);
    dut->Reset();
    std::deque<std::optional<uint64_t>> expected(latency);
    for (int cycle = 0; cycle < 2000; ++cycle) {
      const bool valid = random.Chance(0.7);
      const bool is_mlc = random.Chance(0.5);
      // Just beyond the regions, and far beyond at the same low bits.
      uint64_t address = random.Below(80);
      if (random.Chance(0.1)) address |= 0x1000;
      dut->Get("rr_req_valid_i").Set(valid);
      dut->Get("rr_req_mlc_i").Set(is_mlc);
      dut->Get("rr_req_addr_i").Set(address);
      dut->Eval();
      ASSERT_TRUE(dut->Get("rr_req_ready_o"));
      ASSERT_EQ(dut->Get("rr_rsp_valid_o").Get() != 0, expected.front().has_value());
      if (expected.front()) {
        ASSERT_EQ(dut->Get("rr_rsp_data_o").Get(), *expected.front());
      }
      expected.pop_front();
      const std::vector<uint64_t>& region = is_mlc ? mlc_words : slc_words;
      expected.push_back(valid ? std::optional(address < region.size() ? region[address] : 0)
                               : std::nullopt);
      dut->Tick();
    }
  }
}

TEST(ReramMacro, LintsClean) {
  for (const char* backend : {"0", "1", "2"}) {
    for (const char* latency : {"1", "5"}) {
      EXPECT_TRUE(test::LintsClean({gen::EmitReramMacro(), gen::EmitReramArrayMacro()},
                                   "eb_reram_macro",
                                   {{"Backend", backend},
                                    {"ReadLatency", latency},
                                    {"SlcWords", "50"},
                                    {"MlcWords", "64"}}));
    }
  }
}

}  // namespace
}  // namespace edgebert
