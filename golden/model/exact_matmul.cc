#include "golden/model/exact_matmul.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace edgebert::model {
namespace {

#if defined(__x86_64__)

// `Block` rows by one vector of lanes stay in registers. The pair of row values is broadcast, so
// that each lane of a vector makes the two products of its output.

template <int Block>
__attribute__((target("avx2"))) void BlockAvx2(const int16_t* a, ptrdiff_t a_stride,
                                               const int16_t* w, ptrdiff_t pairs, ptrdiff_t lanes,
                                               int32_t* sums) {
  for (ptrdiff_t lane = 0; lane < lanes; lane += 8) {
    __m256i acc[Block];
    for (ptrdiff_t r = 0; r < Block; ++r) {
      acc[r] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums + r * lanes + lane));
    }
    const int16_t* weights = w + 2 * lane;
    for (ptrdiff_t p = 0; p < pairs; ++p, weights += 2 * lanes) {
      const __m256i held = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(weights));
      for (ptrdiff_t r = 0; r < Block; ++r) {
        int32_t pair = 0;
        std::memcpy(&pair, a + r * a_stride + 2 * p, sizeof pair);
        acc[r] = _mm256_add_epi32(acc[r], _mm256_madd_epi16(held, _mm256_set1_epi32(pair)));
      }
    }
    for (ptrdiff_t r = 0; r < Block; ++r) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + r * lanes + lane), acc[r]);
    }
  }
}

template <int Block>
__attribute__((target("avx512f,avx512bw"))) void BlockAvx512(const int16_t* a, ptrdiff_t a_stride,
                                                             const int16_t* w, ptrdiff_t pairs,
                                                             ptrdiff_t lanes, int32_t* sums) {
  for (ptrdiff_t lane = 0; lane < lanes; lane += 16) {
    __m512i acc[Block];
    for (ptrdiff_t r = 0; r < Block; ++r) acc[r] = _mm512_loadu_si512(sums + r * lanes + lane);
    const int16_t* weights = w + 2 * lane;
    for (ptrdiff_t p = 0; p < pairs; ++p, weights += 2 * lanes) {
      const __m512i held = _mm512_loadu_si512(weights);
      for (ptrdiff_t r = 0; r < Block; ++r) {
        int32_t pair = 0;
        std::memcpy(&pair, a + r * a_stride + 2 * p, sizeof pair);
        acc[r] = _mm512_add_epi32(acc[r], _mm512_madd_epi16(held, _mm512_set1_epi32(pair)));
      }
    }
    for (ptrdiff_t r = 0; r < Block; ++r) _mm512_storeu_si512(sums + r * lanes + lane, acc[r]);
  }
}

using BlockFunction = void (*)(const int16_t*, ptrdiff_t, const int16_t*, ptrdiff_t, ptrdiff_t,
                               int32_t*);

/// `big` takes 8 rows, `small` one.
void InBlocks(BlockFunction big, BlockFunction small, const int16_t* a, ptrdiff_t a_stride,
              ptrdiff_t rows, const int16_t* w, ptrdiff_t pairs, ptrdiff_t lanes, int32_t* sums) {
  ptrdiff_t row = 0;
  const auto run = [&](BlockFunction block, ptrdiff_t block_rows) {
    for (; row + block_rows <= rows; row += block_rows) {
      block(a + row * a_stride, a_stride, w, pairs, lanes, sums + row * lanes);
    }
  };
  run(big, 8);
  run(small, 1);
}

#endif

}  // namespace

void AddProductsPortable(const int16_t* a, ptrdiff_t a_stride, ptrdiff_t rows, const int16_t* w,
                         ptrdiff_t pairs, ptrdiff_t lanes, int32_t* sums) {
  for (ptrdiff_t r = 0; r < rows; ++r, a += a_stride, sums += lanes) {
    const int16_t* weights = w;
    for (ptrdiff_t p = 0; p < pairs; ++p, weights += 2 * lanes) {
      const int32_t even = a[2 * p];
      const int32_t odd = a[2 * p + 1];
      for (ptrdiff_t j = 0; j < lanes; ++j) {
        sums[j] += even * weights[2 * j] + odd * weights[2 * j + 1];
      }
    }
  }
}

void AddProducts(const int16_t* a, ptrdiff_t a_stride, ptrdiff_t rows, const int16_t* w,
                 ptrdiff_t pairs, ptrdiff_t lanes, int32_t* sums) {
#if defined(__x86_64__)
  static const bool has_avx512 =
      __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (has_avx512 && lanes % 16 == 0) {
    InBlocks(BlockAvx512<8>, BlockAvx512<1>, a, a_stride, rows, w, pairs, lanes, sums);
    return;
  }
  if (has_avx2 && lanes % 8 == 0) {
    InBlocks(BlockAvx2<8>, BlockAvx2<1>, a, a_stride, rows, w, pairs, lanes, sums);
    return;
  }
#endif
  AddProductsPortable(a, a_stride, rows, w, pairs, lanes, sums);
}

}  // namespace edgebert::model
