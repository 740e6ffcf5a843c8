// Emission of the piecewise linear tables of golden/spec/tables as ROMs.
#pragma once

#include <string>
#include <vector>

#include "generator/vlog/module.h"
#include "golden/spec/tables.h"

namespace edgebert::gen {

/// One of several tables: the value of the selector, and the prefix of its registers.
struct PwlChoice {
  const spec::PwlTable& table;
  std::string label;
  std::string prefix;
};

/// Adds registers `<prefix>c0` and `<prefix>c1` looked up by the top bits of `u` (an identifier of
/// index_bits + remainder_bits bits), and the wire `<prefix>y`, c0 plus the rounded rise.
void AddPwl(vlog::Module& m, const spec::PwlTable& table, const std::string& u,
            const std::string& prefix);

/// The same for several tables of one shape, chosen by `select`, the last by default: one
/// multiplier serves them all. Adds `<prefix>c0` and `<prefix>c1` of each table, `c0` and `c1` of
/// the chosen one, and the wire `y`.
void AddPwlChoice(vlog::Module& m, const std::vector<PwlChoice>& choices, const std::string& u,
                  const std::string& select);

/// Adds the wires `lead`, the position of the leading one of `x` (`width` bits), and `below`, the
/// 16 bits below it (docs/numerics.md section 4).
void AddMantissa(vlog::Module& m, const std::string& x, const std::string& width);

/// Bits of the wire `<prefix>y`: all values are below 2^kPwlBits and not negative.
inline constexpr int kPwlBits = 17;

}  // namespace edgebert::gen
