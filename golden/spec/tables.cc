#include "golden/spec/tables.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace edgebert::spec {
namespace {

using Real = long double;

/// Samples of a segment over which the largest deviation from the chord is sought.
constexpr int kSamples = 256;

/// Chords of f over 2^I equal segments of [0, 2^I), each shifted by half of its largest deviation.
/// `segment(s, t)` is the function at fraction t of segment s. A segment that must start at exactly
/// zero is left unshifted.
PwlTable Build(const char* name, int index_bits, int remainder_bits, int fraction_bits,
               const std::function<Real(int, Real)>& segment, bool zero_at_origin) {
  PwlTable table{name, index_bits, remainder_bits, fraction_bits, {}, {}};
  const Real scale = std::ldexp(Real{1}, fraction_bits);
  for (int s = 0; s < 1 << index_bits; ++s) {
    const Real left = segment(s, 0);
    const Real right = segment(s, 1);
    Real above = 0;
    Real below = 0;
    for (int i = 0; i <= kSamples; ++i) {
      const Real t = Real(i) / kSamples;
      const Real deviation = segment(s, t) - (left + (right - left) * t);
      above = std::max(above, deviation);
      below = std::min(below, deviation);
    }
    const Real offset = (zero_at_origin && s == 0) ? 0 : (above + below) / 2;
    table.c0.push_back(std::llround((left + offset) * scale));
    table.c1.push_back(std::llround((right - left) * scale));
  }
  return table;
}

/// A function of a real in [0, 8) cut into 128 segments.
PwlTable BuildActivation(const char* name, const std::function<Real(Real)>& f) {
  return Build(
      name, 7, 12, 16, [&](int s, Real t) { return f((Real(s) + t) / 16); }, true);
}

/// A function of m in [1, 2) cut into 64 segments.
PwlTable BuildMantissa(const char* name, const std::function<Real(Real)>& f) {
  return Build(
      name, 6, 10, 16, [&](int s, Real t) { return f(1 + (Real(s) + t) / 64); }, false);
}

Real ErfComplement(Real u) { return u * std::erfc(u / std::sqrt(Real{2})) / 2; }

Real TanhComplement(Real u) {
  const Real pi = std::acos(Real{-1});
  const Real inner = std::sqrt(2 / pi) * (u + Real{0.044715L} * u * u * u);
  return u * (1 - std::tanh(inner)) / 2;
}

}  // namespace

const PwlTable& Exp2Table() {
  static const PwlTable table = Build(
      "exp2", 5, 7, 16, [](int s, Real t) { return std::exp2(-(Real(s) + t) / 32); }, false);
  return table;
}

const PwlTable& GeluTable() {
  static const PwlTable table = BuildActivation("gelu", ErfComplement);
  return table;
}

const PwlTable& GeluNewTable() {
  static const PwlTable table = BuildActivation("gelu_new", TanhComplement);
  return table;
}

const PwlTable& TanhTable() {
  static const PwlTable table = BuildActivation("tanh", [](Real u) { return std::tanh(u); });
  return table;
}

const PwlTable& ReciprocalTable() {
  static const PwlTable table = BuildMantissa("reciprocal", [](Real m) { return 1 / m; });
  return table;
}

const PwlTable& RSqrtTable() {
  static const PwlTable table = Build(
      "rsqrt", 7, 10, 16,
      [](int s, Real t) {
        const Real base = s < 64 ? 1 : 2;
        return 1 / std::sqrt(base * (1 + (Real(s % 64) + t) / 64));
      },
      false);
  return table;
}

const PwlTable& LnTable() {
  static const PwlTable table = BuildMantissa("ln", [](Real m) { return std::log(m); });
  return table;
}

}  // namespace edgebert::spec
