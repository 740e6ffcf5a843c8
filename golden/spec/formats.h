// Widths and constants of the numeric contract (docs/numerics.md) that no configuration changes.
#pragma once

#include <cstdint>

namespace edgebert::spec {

/// Fixed: the number format between accumulator and encoder, signed Q10.16.
inline constexpr int kFixedBits = 26;
inline constexpr int kFixedFraction = 16;
inline constexpr int64_t kFixedMax = (int64_t{1} << (kFixedBits - 1)) - 1;
inline constexpr int64_t kFixedMin = -(int64_t{1} << (kFixedBits - 1));

/// Attention scores: signed Q7.9.
inline constexpr int kScoreBits = 16;
inline constexpr int kScoreFraction = 9;

/// AdaptivFloat bias of a tensor.
inline constexpr int kBiasMin = -31;
inline constexpr int kBiasMax = 15;

/// Post-processor shift.
inline constexpr int kShiftMin = -16;
inline constexpr int kShiftMax = 63;

/// Exp input: unsigned, 12 fraction bits; output 17 bits, 16 fraction bits.
inline constexpr int kExpInputBits = 19;
inline constexpr int kExpInputFraction = 12;
inline constexpr int kExpOutputFraction = 16;
inline constexpr int64_t kLog2E = 47274;  // log2(e), 15 fraction bits
inline constexpr int kLog2EFraction = 15;
inline constexpr int64_t kLn2 = 45426;  // ln(2), 16 fraction bits

/// Span mask: coefficients with 20 fraction bits, mask Q1.15.
inline constexpr int kMaskCoefficientFraction = 20;
inline constexpr int kMaskFraction = 15;

/// LayerNorm: normalised value and gamma, signed Q8.12.
inline constexpr int kNormBits = 20;
inline constexpr int kNormFraction = 12;

/// Entropy: unsigned Q4.16; threshold register unsigned Q16.16.
inline constexpr int kEntropyBits = 20;
inline constexpr int kEntropyFraction = 16;

}  // namespace edgebert::spec
