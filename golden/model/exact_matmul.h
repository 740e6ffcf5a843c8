// The inner loop of the golden matrix product: exact integer dot products, as fast as the machine
// at hand allows. Integer sums do not depend on their order, so this equals the VMAC array whenever
// the accumulator is exact.
#pragma once

#include <cstddef>
#include <cstdint>

namespace edgebert::model {

/// Adds to `sums`[r*lanes + j] the dot product of `a`[r*a_stride + k] and
/// `w`[(k/2)*2*lanes + 2*j + k%2], k in 0 .. 2*pairs-1, for each r in 0 .. rows-1 and j in
/// 0 .. lanes-1. `exact_pairs`, at least 1, is the number of neighbouring pairs whose products, all
/// taken positive, add up to less than 2^31; sums of so many are formed in 32 bits.
///
/// The best vector instructions of the processor are chosen when the program runs.
void AddProducts(const int16_t* a, ptrdiff_t a_stride, ptrdiff_t rows, const int16_t* w,
                 ptrdiff_t pairs, ptrdiff_t lanes, ptrdiff_t exact_pairs, int64_t* sums);

}  // namespace edgebert::model
