// Emission of the piecewise linear tables of golden/spec/tables as ROMs.
#pragma once

#include <string>

#include "generator/vlog/module.h"
#include "golden/spec/tables.h"

namespace edgebert::gen {

/// Adds registers `<prefix>c0` and `<prefix>c1` looked up by the top bits of `u` (an identifier of
/// index_bits + remainder_bits bits), and the wire `<prefix>y`, c0 plus the rounded rise.
void AddPwl(vlog::Module& m, const spec::PwlTable& table, const std::string& u,
            const std::string& prefix);

/// Adds the wires `lead`, the position of the leading one of `x` (`width` bits), and `below`, the
/// 16 bits below it (docs/numerics.md section 4).
void AddMantissa(vlog::Module& m, const std::string& x, const std::string& width);

/// Bits of the wire `<prefix>y`: all values are below 2^kPwlBits and not negative.
inline constexpr int kPwlBits = 17;

}  // namespace edgebert::gen
