#include "golden/model/functions.h"

namespace edgebert::model {

int64_t Pwl(const spec::PwlTable& table, uint32_t u) {
  const int r = table.remainder_bits;
  const size_t segment = u >> r;
  const int64_t rest = u & ((uint32_t{1} << r) - 1);
  return table.c0[segment] + RoundShift(table.c1[segment] * rest, r);
}

int64_t Exp(int64_t d) {
  constexpr int kFraction = spec::kExpInputFraction;
  const int64_t t = RoundShift(d * spec::kLog2E, spec::kLog2EFraction);
  const int64_t k = t >> kFraction;
  if (k > spec::kExpOutputFraction + 1) return 0;
  const auto f = static_cast<uint32_t>(t & ((int64_t{1} << kFraction) - 1));
  return RoundShift(Pwl(spec::Exp2Table(), f), static_cast<int>(k));
}

Scaled Reciprocal(uint64_t s) {
  const int k = LeadingOne(s);
  return {Pwl(spec::ReciprocalTable(), BitsBelow(s, k)), k};
}

Scaled RSqrt(Uint128 d) {
  const int k = LeadingOne(d);
  const uint32_t odd = static_cast<uint32_t>(k & 1) << 16;
  return {Pwl(spec::RSqrtTable(), odd | BitsBelow(d, k)), k / 2};
}

int64_t Ln(uint64_t s) {
  const int k = LeadingOne(s);
  return (k - 16) * spec::kLn2 + Pwl(spec::LnTable(), BitsBelow(s, k));
}

}  // namespace edgebert::model
