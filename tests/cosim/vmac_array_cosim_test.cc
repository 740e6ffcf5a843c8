// The VMAC array against dot products of real values.

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/units/af_multiplier.h"
#include "generator/units/vmac_array.h"
#include "tests/cosim/datapath_support.h"
#include "tests/support/lint.h"

namespace edgebert {
namespace {

using test::Format;
using Tile = std::vector<std::vector<unsigned>>;  // [output lane][k lane]

struct Shape {
  int lanes;
  Format format;
  int pipeline;
  bool gated = true;
};

class VmacArray : public testing::TestWithParam<Shape> {
 protected:
  VmacArray()
      : shape_(GetParam()),
        dut_(Build(shape_)),
        random_(static_cast<uint64_t>(shape_.lanes + 100 * shape_.pipeline)) {
    for (const char* name : {"clear_i", "load_valid_i", "load_transposed_i", "load_index_i",
                             "swap_i", "row_valid_i"}) {
      dut_.Get(name).Set(0);
    }
    dut_.Get("load_codes_i").Clear();
    dut_.Get("row_codes_i").Clear();
    dut_.Reset();
    active_ = shadow_ = Tile(Lanes(), std::vector<unsigned>(Lanes(), 0));
  }

  static cosim::Dut Build(const Shape& shape) {
    auto dut =
        cosim::Dut::Build({.files = test::Files({gen::EmitVmacArray(), gen::EmitAfMultiplier()}),
                           .top = "eb_vmac_array",
                           .parameters = {{"Lanes", std::to_string(shape.lanes)},
                                          {"CodeW", std::to_string(shape.format.width)},
                                          {"ExpW", std::to_string(shape.format.exponent)},
                                          {"Pipeline", std::to_string(shape.pipeline)},
                                          {"Gated", shape.gated ? "1" : "0"}},
                           .public_signals = {{"eb_vmac_array", "row_q"}},
                           .optimize = cosim::Optimize::kQuick,
                           .unknowns = cosim::Unknowns::kRandom});
    EB_CHECK(dut.ok(), "{}", dut.error().Format());
    return std::move(*dut);
  }

  [[nodiscard]] size_t Lanes() const { return static_cast<size_t>(shape_.lanes); }
  unsigned Code() {
    return static_cast<unsigned>(random_.Below(uint64_t{1} << shape_.format.width));
  }
  std::vector<unsigned> Vector() {
    std::vector<unsigned> codes(Lanes());
    for (unsigned& code : codes) code = Code();
    return codes;
  }

  void Load(bool transposed, size_t index, const std::vector<unsigned>& codes) {
    dut_.Get("load_valid_i").Set(1);
    dut_.Get("load_transposed_i").Set(transposed ? 1 : 0);
    dut_.Get("load_index_i").Set(index);
    dut_.Get("load_codes_i").SetLanes(shape_.format.width, codes);
    load_ = [=, this] {
      for (size_t i = 0; i < Lanes(); ++i) {
        (transposed ? shadow_[i][index] : shadow_[index][i]) = codes[i];
      }
    };
  }

  // One cycle: a row if there is one, with or without a swap; checks dot_o against the row of
  // Pipeline + 1 cycles ago, or the last one before it.
  void Cycle(const std::vector<unsigned>* row, bool swap) {
    dut_.Get("swap_i").Set(swap ? 1 : 0);
    dut_.Get("row_valid_i").Set(row != nullptr ? 1 : 0);
    dut_.Get("row_codes_i").SetLanes(shape_.format.width, row != nullptr ? *row : Vector());
    dut_.Tick();
    if (swap) active_ = shadow_;
    if (load_) load_();
    load_ = nullptr;
    dut_.Get("load_valid_i").Set(0);
    if (row != nullptr) {
      operands_ = *row;
      last_.assign(Lanes(), 0);
      for (size_t j = 0; j < Lanes(); ++j) {
        for (size_t k = 0; k < Lanes(); ++k) {
          last_[j] += test::IntegerProduct((*row)[k], active_[j][k], shape_.format);
        }
      }
    }
    // No multiplier input moves without a row.
    const cosim::Memory operands = dut_.GetMemory("row_q");
    const int mantissa = shape_.format.width - 1 - shape_.format.exponent;
    for (size_t k = 0; k < operands_.size(); ++k) {
      const uint64_t operand = operands[k].Get();  // with the leading one above the mantissa
      const uint64_t code = operand % (1U << mantissa) | operand >> (mantissa + 1) << mantissa;
      ASSERT_EQ(code, operands_[k]);
    }
    expected_.push_back(last_);
    if (expected_.size() <= static_cast<size_t>(shape_.pipeline)) return;
    if (!expected_.front().empty()) {
      ASSERT_EQ(dut_.Get("dot_o").GetLanes(test::DotBits(shape_.format, shape_.lanes)),
                expected_.front())
          << "cycle " << dut_.cycles();
    }
    expected_.pop_front();
  }

  Shape shape_;
  cosim::Dut dut_;
  cosim::Random random_;
  Tile shadow_, active_;
  std::function<void()> load_;
  std::vector<unsigned> operands_;  // of the last row
  std::vector<int64_t> last_;
  std::deque<std::vector<int64_t>> expected_;
};

TEST_P(VmacArray, RandomTilesAndRows) {
  for (int tile = 0; tile < 30; ++tile) {
    const bool transposed = random_.Chance(0.5);
    for (size_t index = 0; index < Lanes(); ++index) {
      Load(transposed, index, Vector());
      const std::vector<unsigned> row = Vector();
      Cycle(tile > 0 && random_.Chance(0.7) ? &row : nullptr, false);
      if (HasFatalFailure()) return;
    }
    const std::vector<unsigned> row = Vector();
    Cycle(random_.Chance(0.7) ? &row : nullptr, true);
    if (HasFatalFailure()) return;
  }
}

// The largest sums of both signs.
TEST_P(VmacArray, ExtremeSumsFit) {
  const unsigned largest = (1U << (shape_.format.width - 1)) - 1;
  const unsigned smallest = (1U << shape_.format.width) - 1;
  for (size_t index = 0; index < Lanes(); ++index) {
    Load(false, index, std::vector<unsigned>(Lanes(), index % 2 == 0 ? largest : smallest));
    Cycle(nullptr, false);
  }
  for (const unsigned code : {largest, smallest, largest, 0U, smallest}) {
    const std::vector<unsigned> row(Lanes(), code);
    Cycle(&row, true);
    if (HasFatalFailure()) return;
  }
  for (int i = 0; i <= shape_.pipeline; ++i) Cycle(nullptr, false);
}

// Every pair of codes through one multiplier of every lane of the array as built.
TEST_P(VmacArray, EveryPairInPlace) {
  const unsigned codes = 1U << shape_.format.width;
  for (unsigned weight = 0; weight < codes; weight += static_cast<unsigned>(shape_.lanes)) {
    // Output lane j holds weight + j on its diagonal only.
    for (size_t j = 0; j < Lanes(); ++j) {
      std::vector<unsigned> row(Lanes(), 0);
      row[j] = weight + static_cast<unsigned>(j);
      Load(false, j, row);
      Cycle(nullptr, false);
    }
    for (unsigned code = 0; code < codes; ++code) {
      const std::vector<unsigned> row(Lanes(), code);
      Cycle(&row, code == 0);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(VmacArrayText, LintsClean) {
  for (const test::Parameters& parameters : std::vector<test::Parameters>{
           {{"Lanes", "4"}, {"Pipeline", "1"}},
           {{"Lanes", "8"}, {"Pipeline", "2"}},
           {{"Lanes", "4"}, {"Pipeline", "3"}, {"CodeW", "6"}, {"ExpW", "2"}},
           {{"Lanes", "4"}, {"Pipeline", "4"}}}) {
    EXPECT_TRUE(test::LintsClean({gen::EmitVmacArray(), gen::EmitAfMultiplier()}, "eb_vmac_array", parameters));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, VmacArray,
    testing::Values(Shape{4, {8, 3}, 1}, Shape{4, {8, 3}, 2}, Shape{4, {8, 3}, 2, false}, Shape{4, {6, 2}, 3},
                    Shape{4, {4, 2}, 4}, Shape{8, {8, 4}, 4}, Shape{16, {8, 3}, 2},
                    Shape{16, {8, 3}, 3}),
    [](const auto& info) {
      return "N" + std::to_string(info.param.lanes) + "W" +
             std::to_string(info.param.format.width) + "E" +
             std::to_string(info.param.format.exponent) + "P" + std::to_string(info.param.pipeline) +
             (info.param.gated ? "" : "Ungated");
    });

}  // namespace
}  // namespace edgebert
