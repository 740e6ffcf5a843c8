// The function units in Verilog against the golden functions: encoder and decoder in every format,
// the tables over their whole input (activation, exp) or densely (the rest).
#include <gtest/gtest.h>

#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/units/activation.h"
#include "generator/units/af_decoder.h"
#include "generator/units/af_encoder.h"
#include "generator/units/exp.h"
#include "generator/units/ln.h"
#include "generator/units/reciprocal.h"
#include "generator/units/rsqrt.h"
#include "generator/units/span_mask.h"
#include "golden/model/activation.h"
#include "golden/model/adaptivfloat.h"
#include "golden/model/functions.h"
#include "golden/model/span_mask.h"
#include "tests/cosim/datapath_support.h"

namespace edgebert {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

cosim::Dut Build(const vlog::Module& module, const Parameters& parameters,
                 cosim::Optimize optimize = cosim::Optimize::kQuick) {
  auto dut = cosim::Dut::Build({.files = test::Files({module}),
                                .top = module.name(),
                                .parameters = parameters,
                                .optimize = optimize,
                                .unknowns = cosim::Unknowns::kRandom});
  EB_CHECK(dut.ok(), "{}", dut.error().Format());
  return std::move(dut).value();
}

/// Feeds a new input every cycle and compares what comes out `latency` cycles later.
template <typename Input, typename Drive, typename Check>
void Pipe(cosim::Dut& dut, const std::vector<Input>& inputs, int latency, Drive drive,
          Check check) {
  for (size_t i = 0; i < inputs.size() + size_t(latency); ++i) {
    if (i < inputs.size()) drive(inputs[i]);
    dut.Tick();
    if (i + 1 >= size_t(latency) && i + 1 - size_t(latency) < inputs.size()) {
      check(inputs[i + 1 - size_t(latency)]);
    }
    if (::testing::Test::HasFailure()) return;
  }
}

std::vector<int64_t> FixedInputs(uint64_t seed, int count) {
  std::vector<int64_t> inputs = {0, 1, -1, spec::kFixedMax, spec::kFixedMin, spec::kFixedMin + 1};
  cosim::Random random(seed);
  for (int i = 0; i < count; ++i) {
    // Every magnitude alike, and the neighbourhood of powers of two and of ties.
    const int bits = random.Between(1, 25);
    int64_t x = static_cast<int64_t>(random.Below(uint64_t{1} << bits));
    if (random.Chance(0.3)) x = (int64_t{1} << (bits - 1)) + random.Between(-2, 2);
    if (random.Chance(0.3)) x &= ~((int64_t{1} << random.Between(0, bits - 1)) - 1);
    inputs.push_back(
        std::clamp<int64_t>(random.Chance(0.5) ? x : -x, spec::kFixedMin, spec::kFixedMax));
  }
  return inputs;
}

class FormatTest : public ::testing::TestWithParam<model::AdaptivFloat> {};

TEST_P(FormatTest, EncodesAsGolden) {
  const model::AdaptivFloat format = GetParam();
  auto dut = Build(gen::EmitAfEncoder(), {{"CodeW", std::to_string(format.width)},
                                          {"ExpW", std::to_string(format.exponent)}});
  dut.Get("en_i").Set(1);
  for (int bias = spec::kBiasMin; bias <= spec::kBiasMax; ++bias) {
    dut.Get("bias_i").SetSigned(bias);
    Pipe(
        dut, FixedInputs(uint64_t(bias + 100), 3000), 2,
        [&](int64_t x) { dut.Get("x_i").SetSigned(x); },
        [&](int64_t x) {
          ASSERT_EQ(dut.Get("code_o").Get(), format.Encode(x, bias))
              << "x " << x << " bias " << bias;
        });
  }
}

TEST_P(FormatTest, DecodesAsGolden) {
  const model::AdaptivFloat format = GetParam();
  auto dut = Build(gen::EmitAfDecoder(), {{"CodeW", std::to_string(format.width)},
                                          {"ExpW", std::to_string(format.exponent)}});
  dut.Get("en_i").Set(1);
  std::vector<uint32_t> codes;
  for (uint32_t code = 0; code < 1U << format.width; ++code) codes.push_back(code);
  for (int bias = spec::kBiasMin; bias <= spec::kBiasMax; ++bias) {
    // The exponent of the mantissa's low bit, in places of a Fixed.
    dut.Get("offset_i").SetSigned(bias + spec::kFixedFraction - (format.width - 1 - format.exponent));
    Pipe(
        dut, codes, 1, [&](uint32_t code) { dut.Get("code_i").Set(code); },
        [&](uint32_t code) {
          ASSERT_EQ(dut.Get("x_o").GetSigned(), format.ToFixed(code, bias))
              << "code " << code << " bias " << bias;
        });
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, FormatTest,
                         ::testing::Values(model::AdaptivFloat{8, 3}, model::AdaptivFloat{8, 4},
                                           model::AdaptivFloat{8, 2}, model::AdaptivFloat{6, 2},
                                           model::AdaptivFloat{5, 3}, model::AdaptivFloat{4, 2}));

TEST(Functions, ExpOfEveryInput) {
  auto dut = Build(gen::EmitExp(), {}, cosim::Optimize::kSpeed);
  dut.Get("en_i").Set(1);
  std::vector<int64_t> inputs;
  for (int64_t d = 0; d < int64_t{1} << spec::kExpInputBits; ++d) inputs.push_back(d);
  Pipe(
      dut, inputs, 4, [&](int64_t d) { dut.Get("d_i").Set(uint64_t(d)); },
      [&](int64_t d) { ASSERT_EQ(int64_t(dut.Get("e_o").Get()), model::Exp(d)) << d; });
}

TEST(Functions, ActivationOverItsTableAndBeyond) {
  auto dut = Build(gen::EmitActivation(), {}, cosim::Optimize::kSpeed);
  dut.Get("en_i").Set(1);
  for (const auto activation :
       {spec::Activation::kNone, spec::Activation::kRelu, spec::Activation::kGelu,
        spec::Activation::kGeluNew, spec::Activation::kTanh}) {
    dut.Get("fn_i").Set(static_cast<uint64_t>(activation));
    std::vector<int64_t> inputs = FixedInputs(7, 3000);
    const int64_t limit = int64_t{1} << (spec::kActivationDomainBits);
    for (int64_t x = -limit - 3; x <= limit + 3; x += 3) inputs.push_back(x);
    Pipe(
        dut, inputs, 4, [&](int64_t x) { dut.Get("x_i").SetSigned(x); },
        [&](int64_t x) {
          ASSERT_EQ(dut.Get("y_o").GetSigned(), model::Activate(activation, x))
              << "x " << x << " function " << static_cast<int>(activation);
        });
  }
}

std::vector<uint64_t> Positive(int bits, uint64_t seed, int count) {
  std::vector<uint64_t> inputs;
  for (int k = 0; k < bits; ++k) inputs.push_back(uint64_t{1} << k);
  cosim::Random random(seed);
  for (int i = 0; i < count; ++i) {
    const uint64_t top = uint64_t{1} << random.Between(0, bits - 1);
    inputs.push_back(top | random.Below(top));
  }
  return inputs;
}

TEST(Functions, Reciprocal) {
  auto dut = Build(gen::EmitReciprocal(), {{"SumW", "27"}});
  dut.Get("en_i").Set(1);
  Pipe(
      dut, Positive(27, 1, 200000), 3, [&](uint64_t s) { dut.Get("s_i").Set(s); },
      [&](uint64_t s) {
        const model::Scaled expected = model::Reciprocal(s);
        ASSERT_EQ(int64_t(dut.Get("r_o").Get()), expected.mantissa) << s;
        ASSERT_EQ(int(dut.Get("k_o").Get()), expected.shift) << s;
      });
}

TEST(Functions, ReciprocalRoot) {
  auto dut = Build(gen::EmitRSqrt(), {{"VarW", "64"}});
  dut.Get("en_i").Set(1);
  Pipe(
      dut, Positive(64, 2, 200000), 3, [&](uint64_t d) { dut.Get("d_i").Set(d); },
      [&](uint64_t d) {
        const model::Scaled expected = model::RSqrt(d);
        ASSERT_EQ(int64_t(dut.Get("y_o").Get()), expected.mantissa) << d;
        ASSERT_EQ(int(dut.Get("h_o").Get()), expected.shift) << d;
      });
}

TEST(Functions, Logarithm) {
  auto dut = Build(gen::EmitLn(), {{"SumW", "26"}});
  dut.Get("en_i").Set(1);
  Pipe(
      dut, Positive(26, 3, 200000), 3, [&](uint64_t s) { dut.Get("s_i").Set(s); },
      [&](uint64_t s) { ASSERT_EQ(dut.Get("ln_o").GetSigned(), model::Ln(s)) << s; });
}

TEST(Functions, SpanMaskOfEveryRowAndTile) {
  constexpr int kLanes = 8;
  auto dut = Build(gen::EmitSpanMask(), {{"Lanes", std::to_string(kLanes)}});
  dut.Get("en_i").Set(1);
  cosim::Random random(4);
  for (int trial = 0; trial < 40; ++trial) {
    const double ramp = 1 + double(random.Below(6400)) / 100;
    const double z = double(random.Below(10000)) / 50 - ramp / 2;
    const model::SpanCoefficients span{std::llround((ramp + z) / ramp * 0x1p20),
                                       std::llround(0x1p20 / ramp)};
    const int length = random.Between(1, 512);
    dut.Get("mask_c_i").SetSigned(span.c);
    dut.Get("mask_r_i").Set(uint64_t(span.r));
    dut.Get("length_i").Set(uint64_t(length));
    std::vector<std::pair<int, int>> inputs;
    for (int i = 0; i < 400; ++i) {
      inputs.emplace_back(random.Between(0, length - 1), random.Between(0, 511 / kLanes) * kLanes);
    }
    Pipe(
        dut, inputs, 6,
        [&](const auto& input) {
          dut.Get("row_i").Set(uint64_t(input.first));
          dut.Get("key_i").Set(uint64_t(input.second));
        },
        [&](const auto& input) {
          for (int lane = 0; lane < kLanes; ++lane) {
            const int key = input.second + lane;
            const int64_t expected =
                key < length ? model::SpanMask(span, std::abs(input.first - key)) : 0;
            ASSERT_EQ(int64_t(dut.Get("mask_o").GetLane(lane, 16)), expected)
                << "row " << input.first << " key " << key;
          }
        });
  }
}

}  // namespace
}  // namespace edgebert
