// Every pair of codes through the emitted multiplier, against the product of the real values.

#include <gtest/gtest.h>

#include <string>

#include "cosim/sim/dut.h"
#include "generator/units/af_multiplier.h"
#include "tests/cosim/datapath_support.h"
#include "tests/support/lint.h"

namespace edgebert {
namespace {

using test::Format;

class AfMultiplier : public testing::TestWithParam<Format> {};

cosim::Dut Build(const Format& format, bool registered, bool gated) {
  auto dut = cosim::Dut::Build({.files = test::Files({gen::EmitAfMultiplier()}),
                                .top = "eb_af_multiplier",
                                .parameters = {{"CodeW", std::to_string(format.width)},
                                               {"ExpW", std::to_string(format.exponent)},
                                               {"Registered", registered ? "1" : "0"},
                                               {"Gated", gated ? "1" : "0"}},
                                .optimize = cosim::Optimize::kQuick,
                                .unknowns = cosim::Unknowns::kRandom});
  EB_CHECK(dut.ok(), "{}", dut.error().Format());
  return std::move(*dut);
}

/// A code with its leading one between exponent and mantissa; zero has none.
uint64_t Operand(unsigned code, const Format& format) {
  const int mantissa_bits = format.width - 1 - format.exponent;
  const unsigned mantissa = code % (1U << mantissa_bits);
  const unsigned rest = code >> mantissa_bits;
  const bool zero = code % (1U << (format.width - 1)) == 0;
  return ((rest * 2 + (zero ? 0 : 1)) << mantissa_bits) + mantissa;
}

TEST_P(AfMultiplier, EveryPairIsExact) {
  const Format format = GetParam();
  cosim::Dut dut = Build(format, false, false);
  cosim::Port a = dut.Get("a_i");
  cosim::Port b = dut.Get("b_i");
  cosim::Port product = dut.Get("product_o");
  ASSERT_EQ(product.bits(), test::ProductBits(format));
  for (unsigned i = 0; i < 1U << format.width; ++i) {
    for (unsigned j = 0; j < 1U << format.width; ++j) {
      a.Set(Operand(i, format));
      b.Set(Operand(j, format));
      dut.Eval();
      const int64_t ones_complement = product.GetSigned();
      ASSERT_EQ(ones_complement + (ones_complement < 0 ? 1 : 0),
                test::IntegerProduct(i, j, format))
          << "codes " << i << " and " << j;
    }
  }
}

// Exact as well, and a product with a zero operand is one and the same word, whatever the other
// operand does.
TEST_P(AfMultiplier, GatedProductsStandStill) {
  const Format format = GetParam();
  cosim::Dut dut = Build(format, false, true);
  cosim::Port a = dut.Get("a_i");
  cosim::Port b = dut.Get("b_i");
  cosim::Port product = dut.Get("product_o");
  for (unsigned i = 0; i < 1U << format.width; ++i) {
    for (unsigned j = 0; j < 1U << format.width; ++j) {
      a.Set(Operand(i, format));
      b.Set(Operand(j, format));
      dut.Eval();
      const int64_t ones_complement = product.GetSigned();
      const int64_t expected = test::IntegerProduct(i, j, format);
      ASSERT_EQ(ones_complement, expected < 0 ? expected - 1 : expected)
          << "codes " << i << " and " << j;
    }
  }
}

TEST_P(AfMultiplier, RegisterHoldsWithoutEnable) {
  const Format format = GetParam();
  cosim::Dut dut = Build(format, true, true);
  cosim::Port enable = dut.Get("en_i");
  cosim::Port product = dut.Get("product_o");
  const unsigned last = (1U << format.width) - 1;
  int64_t expected = 0;
  for (unsigned i = 0; i <= 2 * last; ++i) {
    const unsigned a = (i * 7) & last;
    const unsigned b = (i * 11 + 3) & last;
    const bool enabled = i % 3 != 1;
    dut.Get("a_i").Set(Operand(a, format));
    dut.Get("b_i").Set(Operand(b, format));
    enable.Set(enabled ? 1 : 0);
    dut.Tick();
    if (enabled) expected = test::IntegerProduct(a, b, format);
    const int64_t ones_complement = product.GetSigned();
    ASSERT_EQ(ones_complement + (ones_complement < 0 ? 1 : 0), expected) << "step " << i;
  }
}

TEST(AfMultiplierText, LintsClean) {
  for (const test::Parameters& parameters : std::vector<test::Parameters>{
           {{"CodeW", "8"}, {"ExpW", "3"}},
           {{"CodeW", "8"}, {"ExpW", "3"}, {"Gated", "0"}},
           {{"CodeW", "4"}, {"ExpW", "2"}, {"Registered", "1"}}}) {
    EXPECT_TRUE(test::LintsClean({gen::EmitAfMultiplier()}, "eb_af_multiplier", parameters));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, AfMultiplier,
                         testing::Values(Format{8, 3}, Format{8, 4}, Format{6, 2}, Format{4, 2}),
                         [](const auto& info) {
                           return "W" + std::to_string(info.param.width) + "E" +
                                  std::to_string(info.param.exponent);
                         });

}  // namespace
}  // namespace edgebert
