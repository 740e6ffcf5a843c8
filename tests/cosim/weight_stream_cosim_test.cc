// The weight stream and its decoder: what a packer written from docs/architecture.md ("Weight
// stream") puts in must come out, under stalls on every handshake.

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/blocks/fifo.h"
#include "generator/units/bitmask_decoder.h"
#include "generator/units/weight_stream.h"
#include "tests/cosim/datapath_support.h"
#include "tests/support/lint.h"

namespace edgebert {
namespace {

struct Shape {
  int lanes, beat_bits, code_bits;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << shape.lanes << " lanes, " << shape.beat_bits << "-bit beats, " << shape.code_bits
       << "-bit codes";
}

using Row = std::vector<unsigned>;

struct Record {
  unsigned k = 0;
  bool last = false;
  bool empty = false;
  unsigned marker = 0xEB;
  std::vector<Row> rows;  // [output lane][k lane]
};

/// A word group, or a tile record.
struct Item {
  std::vector<uint32_t> words;
  Record record;
  [[nodiscard]] bool is_words() const { return !words.empty(); }
};

/// Bits in beats. Padding is random: nobody may look at it.
class Packer {
 public:
  Packer(const Shape& shape, cosim::Random* random) : shape_(shape), random_(*random) {}

  void Pack(const Item& item) {
    if (item.is_words()) {
      for (const uint32_t word : item.words) Append(word, 32);
      Pad();
      return;
    }
    const Record& record = item.record;
    Append(record.k, 16);
    Append(record.last ? 1 : 0, 1);
    Append(record.empty ? 1 : 0, 1);
    Append(0, 6);
    Append(record.marker, 8);
    const auto lanes = static_cast<size_t>(shape_.lanes);
    for (size_t j = 0; j < lanes; ++j) {
      for (size_t k = 0; k < lanes; ++k) {
        Append(!record.empty && record.rows[j][k] != 0 ? 1 : 0, 1);
      }
    }
    Pad();
    int in_beat = 0;
    for (const Row& row : record.rows) {
      for (const unsigned code : row) {
        if (code == 0) continue;
        Append(code, shape_.code_bits);
        if (++in_beat == shape_.beat_bits / shape_.code_bits) {
          Pad();
          in_beat = 0;
        }
      }
    }
    Pad();
  }

  [[nodiscard]] size_t beats() const {
    return bits_.size() / static_cast<size_t>(shape_.beat_bits);
  }
  [[nodiscard]] std::vector<uint32_t> Beat(size_t index) const {
    std::vector<uint32_t> words(static_cast<size_t>(shape_.beat_bits / 32));
    for (size_t bit = 0; bit < static_cast<size_t>(shape_.beat_bits); ++bit) {
      const bool value = bits_[index * static_cast<size_t>(shape_.beat_bits) + bit];
      words[bit / 32] |= uint32_t{value} << (bit % 32);
    }
    return words;
  }

 private:
  void Append(uint64_t value, int width) {
    for (int bit = 0; bit < width; ++bit) bits_.push_back(((value >> bit) & 1) != 0);
  }
  void Pad() {
    while (bits_.size() % static_cast<size_t>(shape_.beat_bits) != 0) {
      bits_.push_back(random_.Chance(0.5));
    }
  }

  Shape shape_;
  cosim::Random& random_;
  std::vector<bool> bits_;
};

Record RandomRecord(const Shape& shape, double density, cosim::Random* random) {
  Record record;
  record.k = static_cast<unsigned>(random->Below(1U << 16));
  for (int j = 0; j < shape.lanes; ++j) {
    Row row;
    // Every mask kind next to every other one: empty, full, random.
    const double row_density = random->Chance(0.2) ? random->Between(0, 1) : density;
    for (int k = 0; k < shape.lanes; ++k) {
      const uint64_t code = 1 + random->Below((uint64_t{1} << shape.code_bits) - 1);
      row.push_back(random->Chance(row_density) ? static_cast<unsigned>(code) : 0);
    }
    record.rows.push_back(row);
  }
  return record;
}

Item Words(const Shape& shape, cosim::Random* random) {
  Item item;
  for (int lane = 0; lane < shape.lanes; ++lane) {
    item.words.push_back(static_cast<uint32_t>(random->Next()));
  }
  return item;
}

std::vector<Item> RandomItems(const Shape& shape, int strips, cosim::Random* random) {
  std::vector<Item> items;
  for (int strip = 0; strip < strips; ++strip) {
    items.push_back(Words(shape, random));
    const int records = random->Between(0, 4);
    if (records == 0) {
      Item item;
      item.record.k = static_cast<unsigned>(random->Below(1U << 16));
      item.record.last = item.record.empty = true;
      items.push_back(item);
    }
    for (int r = 0; r < records; ++r) {
      Item item;
      item.record = RandomRecord(shape, random->Between(0, 4) / 4.0, random);
      item.record.last = r + 1 == records;
      items.push_back(item);
    }
    for (int group = random->Between(0, 3); group > 0; --group) {  // a LAYER_NORM
      items.push_back(Words(shape, random));
    }
  }
  return items;
}

/// Probability that a party is not ready, or has nothing, in a cycle.
struct Stalls {
  double segment = 0, request = 0, beat = 0, consumer = 0, pause = 0;
};

class Harness {
 public:
  Harness(cosim::Dut* dut, const Shape& shape, cosim::Random* random)
      : dut_(*dut), shape_(shape), random_(*random) {}

  void Idle() {
    for (const char* name :
         {"clear_i", "segment_valid_i", "req_ready_i", "beat_valid_i", "words_request_i",
          "words_ready_i", "tile_request_i", "tile_ready_i"}) {
      dut_.Get(name).Set(0);
    }
  }

  void Clear() {
    Idle();
    dut_.Get("clear_i").Set(1);
    dut_.Tick(random_.Between(1, 3));
    dut_.Get("clear_i").Set(0);
  }

  /// Sends the items in random segments and consumes them. Stops after `cycle_limit` cycles, or
  /// when everything was consumed. Returns the cycles taken.
  int Run(const std::vector<Item>& items, Stalls stalls, int cycle_limit) {
    Packer packer(shape_, &random_);
    for (const Item& item : items) packer.Pack(item);
    const auto beat_bytes = static_cast<uint64_t>(shape_.beat_bits / 8);
    std::deque<std::pair<uint64_t, uint64_t>> segments;  // address, beats
    for (size_t first = 0; first < packer.beats();) {
      const size_t left = packer.beats() - first;
      const size_t beats = std::min<size_t>(left, 1 + random_.Below(60));
      segments.emplace_back((random_.Below(256) << 24) + first * beat_bytes, beats);
      first += beats;
    }
    std::deque<std::pair<uint64_t, uint64_t>> sent;  // segments the queue holds
    std::deque<size_t> reader;                       // beats asked for
    bool beat_valid = false;
    bool segment_valid = false;
    bool requesting = false;
    size_t item = 0;
    size_t row = 0;
    uint64_t nonzeros = 0;
    uint64_t expected_nonzeros = 0;
    errors_ = 0;
    int cycle = 0;
    for (; cycle < cycle_limit && item < items.size(); ++cycle) {
      segment_valid = !segments.empty() && (segment_valid || !random_.Chance(stalls.segment));
      dut_.Get("segment_valid_i").Set(segment_valid);
      if (segment_valid) {
        dut_.Get("segment_addr_i").Set(segments.front().first);
        dut_.Get("segment_beats_i").Set(segments.front().second);
      }
      const bool req_ready = !random_.Chance(stalls.request);
      dut_.Get("req_ready_i").Set(req_ready);
      beat_valid = !reader.empty() && (beat_valid || !random_.Chance(stalls.beat));
      dut_.Get("beat_valid_i").Set(beat_valid);
      if (beat_valid) dut_.Get("beat_i").SetWide(packer.Beat(reader.front()));
      requesting = requesting || !random_.Chance(stalls.pause);
      const bool is_words = items[item].is_words();
      const bool ready = requesting && !random_.Chance(stalls.consumer);
      dut_.Get("words_request_i").Set(requesting && is_words);
      dut_.Get("words_ready_i").Set(ready && is_words);
      dut_.Get("tile_request_i").Set(requesting && !is_words);
      dut_.Get("tile_ready_i").Set(ready && !is_words);
      dut_.Eval();

      if (segment_valid && dut_.Get("segment_ready_o")) {
        sent.push_back(segments.front());
        segments.pop_front();
        segment_valid = false;
      }
      if (req_ready && dut_.Get("req_valid_o")) {
        const std::pair<uint64_t, uint64_t> request{dut_.Get("req_addr_o").Get(),
                                                    dut_.Get("req_beats_o").Get()};
        if (sent.empty() || request != sent.front()) {
          ADD_FAILURE() << "request of " << request.second << " beats from " << request.first;
          return cycle;
        }
        const uint64_t first = (request.first & 0xFFFFFF) / beat_bytes;
        for (uint64_t beat = 0; beat < request.second; ++beat) reader.push_back(first + beat);
        sent.pop_front();
      }
      if (beat_valid && dut_.Get("beat_ready_o")) {
        reader.pop_front();
        beat_valid = false;
      }
      nonzeros += dut_.Get("nonzeros_o").Get();
      errors_ += dut_.Get("format_error_o").Get() != 0 ? 1 : 0;
      if (ready && is_words && dut_.Get("words_valid_o")) {
        EXPECT_EQ(dut_.Get("words_o").GetLanes<uint32_t>(32), items[item].words) << "item " << item;
        ++item;
        requesting = false;
      } else if (ready && !is_words && dut_.Get("tile_valid_o")) {
        const Record& record = items[item].record;
        EXPECT_EQ(dut_.Get("tile_k_o").Get(), record.k) << "item " << item;
        EXPECT_EQ(dut_.Get("tile_last_o").Get() != 0, record.last) << "item " << item;
        EXPECT_EQ(dut_.Get("tile_empty_o").Get() != 0, record.empty) << "item " << item;
        if (!record.empty) {
          EXPECT_EQ(dut_.Get("tile_row_o").GetLanes<unsigned>(shape_.code_bits), record.rows[row])
              << "item " << item << ", row " << row;
          for (const unsigned code : record.rows[row]) expected_nonzeros += code != 0 ? 1 : 0;
        }
        if (++row >= record.rows.size()) {
          row = 0;
          ++item;
          requesting = false;
        }
      }
      dut_.Tick();
      if (testing::Test::HasFailure()) return cycle;
    }
    consumed_ = item;
    if (item == items.size()) {
      EXPECT_EQ(nonzeros, expected_nonzeros);
      EXPECT_TRUE(segments.empty() && sent.empty() && reader.empty()) << "beats are left over";
      for (const char* name : {"words_valid_o", "tile_valid_o"}) EXPECT_FALSE(dut_.Get(name));
    }
    return cycle;
  }

  [[nodiscard]] size_t consumed() const { return consumed_; }
  [[nodiscard]] int errors() const { return errors_; }

 private:
  cosim::Dut& dut_;
  Shape shape_;
  cosim::Random& random_;
  size_t consumed_ = 0;
  int errors_ = 0;
};

cosim::BuildOptions Options(const Shape& shape) {
  return {
      .files = test::Files({gen::EmitWeightStream(), gen::EmitBitmaskDecoder(), gen::EmitFifo()}),
      .top = "eb_weight_stream",
      .parameters = {{"Lanes", std::to_string(shape.lanes)},
                     {"CodeW", std::to_string(shape.code_bits)},
                     {"AxiDataW", std::to_string(shape.beat_bits)}},
      .optimize = cosim::Optimize::kQuick,
      .unknowns = cosim::Unknowns::kRandom};
}

constexpr int kPatience = 200'000;

class WeightStream : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    auto dut = cosim::Dut::Build(Options(GetParam()));
    ASSERT_TRUE(dut.ok()) << dut.error().Format();
    dut_.emplace(std::move(dut).value());
    harness_.emplace(&*dut_, GetParam(), &random_);
    harness_->Idle();
    dut_->Reset();
  }

  std::optional<cosim::Dut> dut_;
  std::optional<Harness> harness_;
  cosim::Random random_{17};
};

TEST_P(WeightStream, GivesWhatWasPacked) {
  for (const Stalls stalls :
       {Stalls{}, Stalls{.segment = 0.9, .request = 0.5, .beat = 0.6},
        Stalls{.consumer = 0.7, .pause = 0.8},
        Stalls{.segment = 0.5, .request = 0.3, .beat = 0.3, .consumer = 0.3, .pause = 0.3}}) {
    const std::vector<Item> items = RandomItems(GetParam(), 8, &random_);
    harness_->Run(items, stalls, kPatience);
    ASSERT_EQ(harness_->consumed(), items.size()) << "the stream stands still";
    ASSERT_EQ(harness_->errors(), 0);
  }
}

TEST_P(WeightStream, ForgetsEverythingWhenCleared) {
  const Stalls stalls{.segment = 0.2, .request = 0.2, .beat = 0.2, .consumer = 0.2, .pause = 0.2};
  for (int round = 0; round < 40; ++round) {
    harness_->Run(RandomItems(GetParam(), 4, &random_), stalls, random_.Between(1, 400));
    harness_->Clear();
    const std::vector<Item> items = RandomItems(GetParam(), 1, &random_);
    harness_->Run(items, stalls, kPatience);
    ASSERT_EQ(harness_->consumed(), items.size());
    ASSERT_EQ(harness_->errors(), 0);
  }
}

TEST_P(WeightStream, StopsAtAWrongMarker) {
  for (int round = 0; round < 8; ++round) {
    std::vector<Item> items = RandomItems(GetParam(), 3, &random_);
    std::vector<size_t> records;
    for (size_t i = 0; i < items.size(); ++i) {
      if (!items[i].is_words()) records.push_back(i);
    }
    const size_t wrong = records[random_.Below(records.size())];
    items[wrong].record.marker ^= 1U << (round % 8);
    harness_->Run(items, {.beat = 0.2, .consumer = 0.2, .pause = 0.2}, 5000);
    ASSERT_EQ(harness_->consumed(), wrong) << "all before the record, and nothing of it";
    ASSERT_EQ(harness_->errors(), 1) << "one pulse";
    ASSERT_FALSE(dut_->Get("beat_ready_o"));
    harness_->Clear();
    const std::vector<Item> good = RandomItems(GetParam(), 1, &random_);
    harness_->Run(good, {}, kPatience);
    ASSERT_EQ(harness_->consumed(), good.size());
    ASSERT_EQ(harness_->errors(), 0);
  }
}

// Whatever is slowest, the rows, the bus or the room for codes, never waits.
TEST_P(WeightStream, IsAsFastAsItsRowsOrItsBus) {
  const Shape shape = GetParam();
  constexpr int kRecords = 30;
  const auto ceil_div = [](int a, int b) { return (a + b - 1) / b; };
  for (const int nonzeros : {0, shape.lanes / 4, shape.lanes}) {  // of a row
    std::vector<Item> items(kRecords);
    for (Item& item : items) {
      Row row(static_cast<size_t>(shape.lanes));
      std::fill_n(row.begin(), nonzeros, 1);
      item.record.rows.assign(row.size(), row);
    }
    items.back().record.last = true;
    const int prefix = ceil_div(32 + shape.lanes * shape.lanes, shape.beat_bits);
    const int beat_codes = shape.beat_bits / shape.code_bits;
    const int codes = ceil_div(nonzeros * shape.lanes, beat_codes);
    // A record without codes costs a beat.
    const int bus = prefix + std::max(1, codes);
    // The last beat of codes enters when the rows have left no more than a row of codes.
    const int rest = (codes - 1) * beat_codes - shape.lanes;
    const int room = prefix + 1 + (rest > 0 ? ceil_div(rest, nonzeros) : 0);
    // The first row waits for its own codes.
    const int rows = shape.lanes + std::max(0, ceil_div(codes, shape.lanes) - 1);
    const int cycles = harness_->Run(items, {}, kPatience);
    EXPECT_LE(cycles, kRecords * std::max({rows, bus, room}) + prefix + 6)
        << nonzeros << " non-zeros a row, " << prefix << " + " << codes << " beats a record";
  }
}

TEST(WeightStream, LintsClean) {
  for (const Shape& shape :
       {Shape{4, 256, 8}, Shape{8, 64, 6}, Shape{16, 128, 5}, Shape{32, 32, 4}}) {
    EXPECT_TRUE(
        test::LintsClean({gen::EmitWeightStream(), gen::EmitBitmaskDecoder(), gen::EmitFifo()},
                         "eb_weight_stream", Options(shape).parameters));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, WeightStream,
                         testing::Values(Shape{4, 32, 8}, Shape{4, 256, 6}, Shape{8, 64, 8},
                                         Shape{8, 128, 4}, Shape{16, 32, 4}, Shape{16, 64, 8},
                                         Shape{16, 256, 8}, Shape{32, 32, 5}, Shape{32, 64, 6},
                                         Shape{32, 128, 8}, Shape{32, 256, 4}),
                         [](const auto& info) {
                           return "N" + std::to_string(info.param.lanes) + "Axi" +
                                  std::to_string(info.param.beat_bits) + "W" +
                                  std::to_string(info.param.code_bits);
                         });

}  // namespace
}  // namespace edgebert
