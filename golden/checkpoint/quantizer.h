// Real numbers to AdaptivFloat codes and fixed-point words (docs/numerics.md, sections 2, 3 and 6).
// Real arithmetic here is exact: doubles are only scaled by powers of two and rounded once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "golden/spec/config.h"

namespace edgebert::checkpoint {

/// The code format: W bits of which E are exponent.
struct CodeFormat {
  int code_bits = 8;
  int exponent_bits = 3;

  [[nodiscard]] int MantissaBits() const { return code_bits - 1 - exponent_bits; }
  /// Largest exponent field.
  [[nodiscard]] int ExponentMax() const { return (1 << exponent_bits) - 1; }
  friend bool operator==(const CodeFormat&, const CodeFormat&) = default;
};
inline CodeFormat FormatOf(const spec::AcceleratorConfig& config) {
  return {config.format.width, config.format.exponent};
}

/// Bias of a tensor whose largest magnitude is `largest`; 0 for a tensor of zeros.
int BiasOf(double largest, const CodeFormat& format);

/// The code of a finite real number.
uint8_t Quantize(double value, int bias, const CodeFormat& format);

/// The real number a code stands for.
double Dequantize(uint8_t code, int bias, const CodeFormat& format);

/// A tensor as codes of one bias, in the order of the input.
struct QuantizedTensor {
  std::vector<uint8_t> codes;
  int bias = 0;
};
/// Of `values` times `scale`. Without `bias` it is that of the largest magnitude.
QuantizedTensor QuantizeTensor(std::span<const float> values, const CodeFormat& format,
                               double scale = 1, std::optional<int> bias = std::nullopt);

/// `value` with `fraction` fraction bits, rounded to nearest (ties away from zero), saturated to
/// `bits` bits.
int64_t ToFixedPoint(double value, int fraction, int bits);

}  // namespace edgebert::checkpoint
