#include "golden/model/layer_norm.h"

#include <vector>

#include "golden/model/functions.h"

namespace edgebert::model {

void Normalize(std::span<const uint8_t> codes, int64_t hidden, uint64_t eps,
               const AdaptivFloat& format, std::span<int32_t> normalized) {
  int64_t sum = 0;
  Int128 squares = 0;
  for (const uint8_t code : codes) {
    const int64_t v = format.ToInteger(code);
    sum += v;
    squares += Int128{v} * v;
  }
  // H^2 times the variance of the integer views, exactly.
  const Uint128 variance =
      static_cast<Uint128>(Int128{hidden} * squares - Int128{sum} * sum) + Uint128{eps};
  const Scaled root = variance == 0 ? Scaled{} : RSqrt(variance);
  const int shift = root.shift + spec::kFixedFraction - spec::kNormFraction;
  for (size_t i = 0; i < codes.size(); ++i) {
    const int64_t centred = hidden * format.ToInteger(codes[i]) - sum;
    normalized[i] = static_cast<int32_t>(
        Sat(RoundShiftWide(Int128{centred} * root.mantissa, shift), spec::kNormBits));
  }
}

void LayerNormRow(std::span<const uint8_t> codes, int64_t hidden, std::span<const int32_t> gamma,
                  std::span<const int32_t> beta, uint64_t eps, const AdaptivFloat& format,
                  int bias_out, std::span<uint8_t> out) {
  std::vector<int32_t> normalized(codes.size());
  Normalize(codes, hidden, eps, format, normalized);
  constexpr int kShift = 2 * spec::kNormFraction - spec::kFixedFraction;
  for (size_t i = 0; i < codes.size(); ++i) {
    const int64_t scaled = SatFixed(RoundShift(int64_t{normalized[i]} * gamma[i], kShift));
    out[i] = static_cast<uint8_t>(format.Encode(SatFixed(scaled + beta[i]), bias_out));
  }
}

}  // namespace edgebert::model
