// Emission of the piecewise linear tables of golden/spec/tables as functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "generator/vlog/module.h"
#include "golden/spec/tables.h"

namespace edgebert::gen {

/// Bits of a signed number that holds every value.
int SignedBits(const std::vector<int64_t>& values);

/// Adds the function `name` from a segment (index_bits of the table) to its chord: the start c0 and
/// the rise c1 of `slope_bits` bits, at least SignedBits(table.c1), in kPwlBits + slope_bits bits.
void AddPwlChord(vlog::Module& m, const spec::PwlTable& table, int slope_bits,
                 const std::string& name);

/// Adds the function `on_chord` of a chord and a remainder: c0 plus the rounded rise, kPwlBits
/// bits.
void AddPwlLine(vlog::Module& m, int remainder_bits, int slope_bits);

/// Both for one table, whose chords are `chord_of`, and the local parameters CHORD_W and REST_W.
void AddPwl(vlog::Module& m, const spec::PwlTable& table);

/// Adds the function `mantissa` of a number of `width` bits, at most 64: the position of its leading
/// one and the 16 bits below it (docs/numerics.md section 4).
void AddMantissa(vlog::Module& m, const std::string& width);

/// Bits of a value: all are below 2^kPwlBits and not negative.
inline constexpr int kPwlBits = 17;

}  // namespace edgebert::gen
