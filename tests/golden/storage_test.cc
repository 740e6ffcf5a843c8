// Bitmask, ReRAM rows and the embedding made of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "golden/checkpoint/image_layout.h"
#include "golden/checkpoint/reram_faults.h"
#include "golden/model/bitmask.h"
#include "golden/model/embedding.h"
#include "golden/model/reram.h"
#include "golden/model/secded.h"
#include "tests/golden/adaptivfloat_oracle.h"
#include "tests/support/hamming.h"

namespace edgebert::model {
namespace {

/// A code that is not zero, of either sign.
uint8_t RandomNonzero(std::mt19937_64& random, const AdaptivFloat& format) {
  const auto body = 1 + static_cast<uint32_t>(random() % format.largest());
  return static_cast<uint8_t>(body | (random() % 2) << (format.width - 1));
}

TEST(Bitmask, EveryMaskOfFourAndEightLanesRoundTrips) {
  std::mt19937_64 random(11);
  for (const AdaptivFloat& format : AllFormats()) {
    for (const size_t n : {size_t{4}, size_t{8}}) {
      for (uint32_t mask = 0; mask < 1u << n; ++mask) {
        std::vector<uint8_t> lanes(n, 0);
        std::vector<uint8_t> nonzeros;
        for (size_t i = 0; i < n; ++i) {
          if ((mask & 1u << i) == 0) continue;
          lanes[i] = RandomNonzero(random, format);
          nonzeros.push_back(lanes[i]);
        }
        ASSERT_EQ(NonzeroMask(lanes, format), mask);
        ASSERT_EQ(Compact(lanes, mask), nonzeros);
        std::vector<uint8_t> expanded(n, 0xEE);
        const size_t count = nonzeros.size();
        nonzeros.push_back(0x11);  // belongs to the next vector
        ASSERT_EQ(Expand(mask, nonzeros, expanded), count);
        ASSERT_EQ(expanded, lanes);
      }
    }
  }
}

TEST(Bitmask, ThirtyTwoLanesAndBothZeros) {
  std::mt19937_64 random(12);
  const AdaptivFloat format{8, 3};
  for (int trial = 0; trial < 1000; ++trial) {
    std::vector<uint8_t> lanes(32);
    for (uint8_t& lane : lanes)
      lane = random() % 2 == 0 ? uint8_t{0} : RandomNonzero(random, format);
    const uint32_t mask = NonzeroMask(lanes, format);
    std::vector<uint8_t> expanded(32, 0xEE);
    Expand(mask, Compact(lanes, mask), expanded);
    ASSERT_EQ(expanded, lanes);
  }
  EXPECT_EQ(NonzeroMask(std::vector<uint8_t>{0x00, 0x80, 0x01, 0x81}, format), 0b1100u);
}

TEST(Reram, ReadsARowFromWordsLaidOutByHand) {
  // Words of 32 bits, codes of 7 bits: 4 a word. Two rows of 8 elements; rows 0 and 1 have 5 and 1
  // codes, so row 1 starts at MLC word 2. Masks from SLC word 2, a word each.
  ReramImage image;
  const auto append = [](std::vector<uint8_t>& region, uint32_t word) {
    for (int byte = 0; byte < 4; ++byte) {
      region.push_back(static_cast<uint8_t>(word >> (8 * byte)));
    }
  };
  for (const uint32_t word : {0u, 2u, 0b1011'0011u, 0b0100'0000u}) append(image.slc, word);
  append(image.mlc, 1u | 2u << 7 | 3u << 14 | 0x7Fu << 21);
  append(image.mlc, 5u);
  append(image.mlc, 0x41u);
  const ReramLayout layout{.word_bits = 32, .code_bits = 7, .elements = 8, .mask_base = 2};
  const ReramRow first = ReadReramRow(image, layout, 0);
  EXPECT_EQ(first.codes, (std::vector<uint8_t>{1, 2, 0, 0, 3, 0x7F, 0, 5}));
  EXPECT_EQ(first.words_read, 1 + 1 + 2);
  const ReramRow second = ReadReramRow(image, layout, 1);
  EXPECT_EQ(second.codes, (std::vector<uint8_t>{0, 0, 0, 0, 0, 0, 0x41, 0}));
  EXPECT_EQ(second.words_read, 1 + 1 + 1);
}

TEST(Reram, ReadsWhatTheImageBuilderWrites) {
  std::mt19937_64 random(13);
  for (const AdaptivFloat& format : AllFormats()) {
    for (const int word_bits : {32, 64, 128}) {
      for (const auto& [lanes, columns] : {std::pair{4, 4}, std::pair{4, 30}, std::pair{8, 128},
                                           std::pair{16, 200}, std::pair{32, 33}}) {
        const uint32_t rows = 11;
        const size_t width = size_t(columns);
        std::vector<uint8_t> codes(rows * width, 0);
        for (size_t i = 0; i < codes.size(); ++i) {
          const uint64_t row = i / width;  // row 0 empty, row 10 dense
          if (random() % 10 < row) codes[i] = RandomNonzero(random, format);
        }
        const ImageFormat image_format{.lanes = lanes,
                                       .code_bits = format.width,
                                       .exponent_bits = format.exponent,
                                       .axi_data_bits = 64,
                                       .reram_word_bits = word_bits};
        const ReramImage image = checkpoint::LayOutReram(codes, columns, image_format);
        const ReramLayout layout{.word_bits = word_bits,
                                 .code_bits = format.width,
                                 .elements = (columns + lanes - 1) / lanes * lanes,
                                 .mask_base = checkpoint::ReramMaskBase(rows, word_bits)};
        int mlc_words = 0;
        for (uint32_t row = 0; row < rows; ++row) {
          const auto begin = codes.begin() + static_cast<std::ptrdiff_t>(row * width);
          std::vector<uint8_t> expected(begin, begin + columns);
          expected.resize(size_t(layout.elements), 0);
          const ReramRow read = ReadReramRow(image, layout, row);
          ASSERT_EQ(read.codes, expected) << "W " << format.width << " word " << word_bits;
          mlc_words += read.words_read - 1 - layout.mask_words();
        }
        EXPECT_EQ(size_t(mlc_words) * size_t(word_bits / 8), image.mlc.size());
      }
    }
  }
}

TEST(Reram, AnIndexBeyondTheImageReadsZeros) {
  // Words of 32 bits, four codes each; row 0 begins at the last MLC word, row 1 at the last address
  // of 32 bits, after which comes word 0.
  ReramImage image;
  for (const uint32_t word : {1U, 0xFFFFFFFFU, 0x3FU, 0x3FU}) {
    for (int byte = 0; byte < 4; ++byte) image.slc.push_back(uint8_t(word >> (8 * byte)));
  }
  image.mlc = {1, 2, 3, 4, 5, 6, 7, 8};
  const ReramLayout layout{.word_bits = 32, .code_bits = 8, .elements = 8, .mask_base = 2};
  EXPECT_EQ(ReadReramRow(image, layout, 0).codes, (std::vector<uint8_t>{5, 6, 7, 8, 0, 0, 0, 0}));
  EXPECT_EQ(ReadReramRow(image, layout, 1).codes, (std::vector<uint8_t>{0, 0, 0, 0, 1, 2, 0, 0}));
}

TEST(ReramFaults, AFaultyCellReadsAsANeighbour) {
  // The levels of the Gray code, lowest first.
  const std::vector<std::vector<int>> levels = {{0, 1}, {0, 1, 3, 2}, {0, 1, 3, 2, 6, 7, 5, 4}};
  for (int cell_bits = 1; cell_bits <= 3; ++cell_bits) {
    const auto& order = levels[size_t(cell_bits - 1)];
    // 64 = 21 * 3 + 1: the last cell of a word has one bit.
    const int cells = (64 + cell_bits - 1) / cell_bits;
    std::mt19937_64 random(21);
    std::vector<uint8_t> words(8 * 500);
    for (uint8_t& byte : words) byte = static_cast<uint8_t>(random());
    std::vector<uint8_t> faulty = words;
    EXPECT_EQ(checkpoint::InjectCellFaults(1, 5, cell_bits, 64, faulty), size_t(500 * cells));
    std::vector<int> up(8, 0);
    std::vector<int> down(8, 0);
    for (size_t word = 0; word < 500; ++word) {
      for (int cell = 0; cell < cells; ++cell) {
        const auto read = [&](const std::vector<uint8_t>& from) {
          int value = 0;
          for (int i = 0; i < cell_bits && cell * cell_bits + i < 64; ++i) {
            const auto bit = size_t(cell * cell_bits + i);
            value |= (from[8 * word + bit / 8] >> bit % 8 & 1) << i;
          }
          return std::ranges::find(order, value) - order.begin();
        };
        const auto before = size_t(read(words));
        const auto after = size_t(read(faulty));
        ASSERT_TRUE(after == before + 1 || after + 1 == before) << before << " " << after;
        if ((cell + 1) * cell_bits <= 64) ++(after > before ? up : down)[before];
      }
    }
    for (size_t level = 1; level + 1 < order.size(); ++level) {
      EXPECT_NEAR(double(up[level]) / (up[level] + down[level]), 0.5, 0.05);
    }
  }
}

TEST(ReramFaults, MapsHaveTheRateAndTheirSeed) {
  const std::vector<uint8_t> erased(1 << 20, 0);
  const auto map = [&](double rate, uint64_t seed) {
    std::vector<uint8_t> words = erased;
    const size_t faulty = checkpoint::InjectCellFaults(rate, seed, 2, 64, words);
    size_t ones = 0;  // a cell of level 0 goes to level 1
    for (const uint8_t byte : words) ones += size_t(std::popcount(byte));
    EXPECT_EQ(ones, faulty);
    return words;
  };
  const auto count = [&](double rate) {
    std::vector<uint8_t> words = erased;
    return double(checkpoint::InjectCellFaults(rate, 7, 2, 64, words));
  };
  const double cells = 4.0 * (1 << 20);
  EXPECT_EQ(count(0), 0);
  for (const double rate : {1e-4, 1e-2, 0.5}) {
    EXPECT_NEAR(count(rate), rate * cells, 5 * std::sqrt(rate * cells));
  }
  EXPECT_EQ(map(1e-3, 1), map(1e-3, 1));
  EXPECT_NE(map(1e-3, 1), map(1e-3, 2));
}

TEST(ReramFaults, StayInTheirPart) {
  Image image;
  image.format.reram_word_bits = 64;
  spec::Instruction embed;
  embed.Set(spec::kOpcode, static_cast<int64_t>(spec::Opcode::kEmbed));
  embed.Set(spec::kEmbedMaskBase, 100);  // words
  image.program = {embed};
  image.reram = {.slc = std::vector<uint8_t>(8 * 300, 0), .mlc = std::vector<uint8_t>(8 * 400, 0)};
  const auto faulty = [](const std::vector<uint8_t>& bytes, size_t begin, size_t end) {
    return std::any_of(bytes.begin() + std::ptrdiff_t(begin), bytes.begin() + std::ptrdiff_t(end),
                       [](uint8_t byte) { return byte != 0; });
  };
  for (int part = 0; part < 3; ++part) {
    Image copy = image;
    checkpoint::InjectFaults({.rate = 0.1,
                              .index_bits = part == 0 ? 1 : 0,
                              .mask_bits = part == 1 ? 1 : 0,
                              .code_bits = part == 2 ? 1 : 0},
                             &copy);
    EXPECT_EQ(faulty(copy.reram.slc, 0, 800), part == 0);
    EXPECT_EQ(faulty(copy.reram.slc, 800, 2400), part == 1);
    EXPECT_EQ(faulty(copy.reram.mlc, 0, 3200), part == 2);
  }
}

TEST(ReramFaults, HitCheckBitsAndNoPadding) {
  // Words of 39 bits in five bytes.
  std::vector<uint8_t> words(5 * 2000, 0);
  EXPECT_EQ(checkpoint::InjectCellFaults(1, 9, 2, 39, words), 2000U * 20);
  for (size_t word = 0; word < words.size(); word += 5) {
    int ones = 0;  // a cell of level 0 goes to level 1
    for (size_t i = 0; i < 5; ++i) ones += std::popcount(words[word + i]);
    ASSERT_EQ(ones, 20);
    ASSERT_EQ(words[word + 4] >> 7, 0);
    ASSERT_NE(words[word + 4], 0);
  }
}

std::vector<uint8_t> Bytes(const std::vector<bool>& bits) {
  std::vector<uint8_t> bytes((bits.size() + 7) / 8);
  for (size_t i = 0; i < bits.size(); ++i) {
    bytes[i / 8] = static_cast<uint8_t>(bytes[i / 8] | unsigned{bits[i]} << i % 8);
  }
  return bytes;
}

TEST(Secded, CorrectsEveryErrorOfOneBitAndDetectsEveryOneOfTwo) {
  std::mt19937_64 random(31);
  for (const int data_bits : {32, 64, 128}) {
    std::vector<bool> data;
    for (int i = 0; i < data_bits; ++i) data.push_back(random() % 2 != 0);
    std::vector<bool> word = test::HammingWord(data);
    const std::vector<uint8_t> expected = Bytes(data);
    const auto decode = [&](Secded outcome, bool same_data) {
      std::vector<uint8_t> bytes = Bytes(word);
      ASSERT_EQ(SecdedDecode(data_bits, bytes), outcome);
      bytes.resize(expected.size());
      if (same_data) {
        ASSERT_EQ(bytes, expected);
      }
    };
    decode(Secded::kRight, true);
    for (size_t a = 0; a < word.size(); ++a) {
      word[a].flip();
      decode(Secded::kCorrected, true);
      for (size_t b = 0; b < a; ++b) {
        word[b].flip();
        decode(Secded::kUncorrectable, false);
        word[b].flip();
      }
      word[a].flip();
      if (testing::Test::HasFatalFailure()) FAIL() << data_bits << " bits, bit " << a;
    }
  }
}

TEST(Secded, ImagesHaveTheWordsOfTheCodeAndReadThroughOneErrorAWord) {
  std::mt19937_64 random(32);
  const AdaptivFloat format{7, 3};
  const int columns = 45;
  const size_t rows = 9;
  std::vector<uint8_t> codes(rows * size_t(columns), 0);
  for (uint8_t& code : codes) {
    if (random() % 3 != 0) code = RandomNonzero(random, format);
  }
  for (const auto& widths : {std::pair{32, 7}, std::pair{64, 8}, std::pair{128, 9}}) {
    const int word_bits = widths.first;
    const int check_bits = widths.second;
    ImageFormat plain{.lanes = 8, .code_bits = 7, .exponent_bits = 3, .axi_data_bits = 64};
    plain.reram_word_bits = word_bits;
    ImageFormat coded = plain;
    coded.reram_check_bits = check_bits;
    const ReramImage without = checkpoint::LayOutReram(codes, columns, plain);
    ReramImage with = checkpoint::LayOutReram(codes, columns, coded);
    const size_t data_bytes = size_t(word_bits) / 8;
    const size_t stored_bytes = size_t(word_bits + check_bits + 7) / 8;
    const auto damage = [&](std::vector<uint8_t>* region, const std::vector<uint8_t>& data) {
      ASSERT_EQ(region->size() / stored_bytes, data.size() / data_bytes);
      for (size_t word = 0; word < data.size() / data_bytes; ++word) {
        std::vector<bool> bits;
        for (size_t i = 0; i < size_t(word_bits); ++i) {
          bits.push_back((data[word * data_bytes + i / 8] >> i % 8 & 1) != 0);
        }
        const auto begin = region->begin() + std::ptrdiff_t(word * stored_bytes);
        ASSERT_EQ(std::vector<uint8_t>(begin, begin + std::ptrdiff_t(stored_bytes)),
                  Bytes(test::HammingWord(bits)));
        const size_t wrong = random() % size_t(word_bits + check_bits);
        begin[std::ptrdiff_t(wrong / 8)] ^= uint8_t(1U << wrong % 8);
      }
    };
    ASSERT_NO_FATAL_FAILURE(damage(&with.slc, without.slc));
    ASSERT_NO_FATAL_FAILURE(damage(&with.mlc, without.mlc));
    ReramLayout layout{.word_bits = word_bits,
                       .code_bits = 7,
                       .elements = 48,
                       .mask_base = checkpoint::ReramMaskBase(rows, word_bits),
                       .check_bits = check_bits};
    for (uint32_t row = 0; row < rows; ++row) {
      const ReramRow read = ReadReramRow(with, layout, row);
      std::vector<uint8_t> expected(codes.begin() + std::ptrdiff_t(row) * columns,
                                    codes.begin() + std::ptrdiff_t(row + 1) * columns);
      expected.resize(48, 0);
      ASSERT_EQ(read.codes, expected);
      ASSERT_EQ(read.words_corrected, read.words_read);
      ASSERT_FALSE(read.uncorrectable);
    }
    // A second error in a word of the masks of row 4, and only there: a bit that was right.
    with.slc = checkpoint::LayOutReram(codes, columns, coded).slc;
    with.slc[layout.MaskWord(4) * stored_bytes] ^= 3;
    for (uint32_t row = 0; row < rows; ++row) {
      EXPECT_EQ(ReadReramRow(with, layout, row).uncorrectable, row == 4);
    }
  }
}

TEST(Embedding, IsTheSumOfThreeTablesEncoded) {
  std::mt19937_64 random(14);
  for (const AdaptivFloat& format : AllFormats()) {
    for (int trial = 0; trial < 200; ++trial) {
      const size_t n = 16;
      EmbeddingRow rows[3];
      std::vector<uint8_t> codes[3];
      std::vector<double> sums(n, 0);
      // Biases for sums of all sizes, of bits that a Fixed loses, and beyond its range.
      for (int table = 0; table < 3; ++table) {
        rows[table].bias = static_cast<int>(random() % 22) - 16;
        const std::vector<double> values = PositiveValues(format, rows[table].bias);
        for (size_t i = 0; i < n; ++i) {
          codes[table].push_back(static_cast<uint8_t>(random() >> (64 - format.width)));
          const double value = ValueOf(codes[table][i], format, values);
          sums[i] += std::clamp(std::floor(std::ldexp(value, 16) + 0.5), -0x1p25, 0x1p25 - 1);
        }
        rows[table].codes = codes[table];
      }
      const int bias_out = static_cast<int>(random() % 22) - 16;
      const std::vector<double> values = PositiveValues(format, bias_out);
      std::vector<uint8_t> out(n);
      EmbedRow(rows[0], rows[1], rows[2], format, bias_out, out);
      for (size_t i = 0; i < n; ++i) {
        const double x = std::clamp(sums[i], -0x1p25, 0x1p25 - 1);
        ASSERT_EQ(out[i], NearestCode(std::ldexp(x, -16), format, values));
      }
    }
  }
}

}  // namespace
}  // namespace edgebert::model
