#include "golden/checkpoint/quantizer.h"

#include <algorithm>
#include <cmath>

#include "golden/base/check.h"
#include "golden/spec/formats.h"

namespace edgebert::checkpoint {

int BiasOf(double largest, const CodeFormat& format) {
  EB_CHECK(std::isfinite(largest) && largest >= 0, "largest magnitude {}", largest);
  if (largest == 0) return 0;
  return std::clamp(std::ilogb(largest) - format.ExponentMax(), spec::kBiasMin, spec::kBiasMax);
}

uint8_t Quantize(double value, int bias, const CodeFormat& format) {
  EB_CHECK(std::isfinite(value), "cannot quantise {}", value);
  const double magnitude = std::fabs(value);
  if (magnitude == 0) return 0;
  const int mantissa_bits = format.MantissaBits();
  const int leading = std::ilogb(magnitude);
  const int exponent = leading - bias;
  const int one = 1 << mantissa_bits;
  // The magnitude with its leading one at the top of M + 1 bits: exact.
  const double scaled = std::ldexp(magnitude, mantissa_bits - leading);
  int code = 0;  // exponent and mantissa fields together
  if (exponent >= 0) {
    // A carry out of the mantissa moves into the exponent field by itself.
    code = (exponent << mantissa_bits) + static_cast<int>(std::nearbyint(scaled)) - one;
    code = std::clamp(code, 1, (format.ExponentMax() << mantissa_bits) + one - 1);
  } else if (exponent == -1 && static_cast<int>(scaled) != one) {
    code = 1;
  } else {
    return 0;
  }
  const int sign = value < 0 ? 1 << (format.code_bits - 1) : 0;
  return static_cast<uint8_t>(sign | code);
}

double Dequantize(uint8_t code, int bias, const CodeFormat& format) {
  const int mantissa_bits = format.MantissaBits();
  const int field = code & ((1 << (format.code_bits - 1)) - 1);
  if (field == 0) return 0;
  const int one = 1 << mantissa_bits;
  const int exponent = field >> mantissa_bits;
  const double magnitude = std::ldexp(one + (field & (one - 1)), exponent + bias - mantissa_bits);
  return (code >> (format.code_bits - 1)) != 0 ? -magnitude : magnitude;
}

QuantizedTensor QuantizeTensor(std::span<const float> values, const CodeFormat& format,
                               double scale, std::optional<int> bias) {
  double largest = 0;
  for (const float value : values) largest = std::max(largest, std::fabs(value * scale));
  QuantizedTensor tensor{.codes = {}, .bias = bias.value_or(BiasOf(largest, format))};
  tensor.codes.reserve(values.size());
  for (const float value : values) {
    tensor.codes.push_back(Quantize(value * scale, tensor.bias, format));
  }
  return tensor;
}

int64_t ToFixedPoint(double value, int fraction, int bits) {
  const double limit = std::ldexp(1.0, bits - 1);
  const double rounded = std::round(std::ldexp(value, fraction));
  return static_cast<int64_t>(std::clamp(rounded, -limit, limit - 1));
}

}  // namespace edgebert::checkpoint
