// The function tables of docs/numerics.md section 4: the one owner of their contents. The golden
// model reads them, the generator emits them as ROMs.
#pragma once

#include <cstdint>
#include <vector>

namespace edgebert::spec {

/// Piecewise linear function of an unsigned integer u of index_bits + remainder_bits bits:
/// y = c0[u >> R] + RoundShift(c1[u >> R] * (u mod 2^R), R), at `fraction_bits` fraction bits.
struct PwlTable {
  const char* name;
  int index_bits;      ///< I: 2^I segments.
  int remainder_bits;  ///< R.
  int fraction_bits;   ///< Of c0, c1 and y.
  std::vector<int64_t> c0;
  std::vector<int64_t> c1;
};

/// 2^-f, f in [0,1) with 12 fraction bits.
const PwlTable& Exp2Table();
/// u - gelu(u), erf form, u in [0,8) with 16 fraction bits; zero at u = 0.
const PwlTable& GeluTable();
/// u - gelu_new(u), tanh form.
const PwlTable& GeluNewTable();
/// tanh(u), u in [0,8); zero at u = 0.
const PwlTable& TanhTable();
/// 1/m, m in [1,2): u holds the 16 bits below the leading one.
const PwlTable& ReciprocalTable();
/// 1/sqrt(m), m in [1,4): bit 16 of u is set for m >= 2, bits 15:0 are those below the leading one.
const PwlTable& RSqrtTable();
/// ln(m), m in [1,2): u holds the 16 bits below the leading one.
const PwlTable& LnTable();

/// Domain of GeluTable, GeluNewTable and TanhTable: u < 8, beyond it the function is at its limit.
inline constexpr int kActivationDomainBits = 19;

}  // namespace edgebert::spec
