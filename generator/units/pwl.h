// Emission of the piecewise linear tables of golden/spec/tables as ROMs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generator/vlog/module.h"
#include "golden/spec/tables.h"

namespace edgebert::gen {

/// Bits of a signed number that holds every value.
int SignedBits(const std::vector<int64_t>& values);

/// Adds variables `<prefix>c0` and `<prefix>c1` looked up by the top bits of `u` (an identifier of
/// index_bits + remainder_bits bits); c1 has `slope_bits` bits, at least SignedBits(table.c1).
void AddPwlRom(vlog::Module& m, const spec::PwlTable& table, int slope_bits, const std::string& u,
               const std::string& prefix);

/// Adds the wire `y`, c0 plus the rounded rise of the chord c1 over the remainder; all are names.
void AddPwlLine(vlog::Module& m, int remainder_bits, int slope_bits, const std::string& c0,
                const std::string& c1, const std::string& rest);

/// Both: the wire `y` of `u`.
void AddPwl(vlog::Module& m, const spec::PwlTable& table, const std::string& u);

/// Adds the wires `lead`, the position of the leading one of `x` (`width` bits), and `below`, the
/// 16 bits below it (docs/numerics.md section 4).
void AddMantissa(vlog::Module& m, const std::string& x, const std::string& width);

/// Bits of the wire `y`: all values are below 2^kPwlBits and not negative.
inline constexpr int kPwlBits = 17;

}  // namespace edgebert::gen
