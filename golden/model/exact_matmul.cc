#include "golden/model/exact_matmul.h"

// Highway compiles this file once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "golden/model/exact_matmul.cc"
#include <hwy/foreach_target.h>  // before highway.h
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace edgebert::model::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

/// `Rows` rows, 1 or 4, by one vector of lanes stay in registers. The pair of row values is
/// broadcast, so that each lane of a vector makes the two products of its output.
template <int Rows, class Tag>
HWY_INLINE void AddBlock(Tag tag, const int16_t* HWY_RESTRICT a, ptrdiff_t a_stride,
                         const int16_t* HWY_RESTRICT w, ptrdiff_t pairs, ptrdiff_t lanes,
                         ptrdiff_t exact_pairs, int64_t* HWY_RESTRICT sums) {
  using Vector = hn::Vec<Tag>;  // of no fixed size on some machines: no arrays of them
  const hn::RepartitionToNarrow<Tag> narrow;
  HWY_ALIGN int32_t row_sums[hn::MaxLanes(Tag())];
  for (ptrdiff_t begin = 0; begin < pairs; begin += exact_pairs) {
    const ptrdiff_t end = std::min(pairs, begin + exact_pairs);
    // Two partial sums a lane; the instruction set decides which products go where.
    Vector s0 = hn::Zero(tag), s1 = s0, s2 = s0, s3 = s0;
    Vector t0 = s0, t1 = s0, t2 = s0, t3 = s0;
    for (ptrdiff_t p = begin; p < end; ++p) {
      const auto weights = hn::LoadU(narrow, w + 2 * lanes * p);
      const auto multiply = [&](ptrdiff_t row, Vector s, Vector& t) HWY_ATTR {
        int32_t pair = 0;
        std::memcpy(&pair, a + row * a_stride + 2 * p, sizeof pair);
        return hn::ReorderWidenMulAccumulate(tag, hn::BitCast(narrow, hn::Set(tag, pair)), weights,
                                             s, t);
      };
      s0 = multiply(0, s0, t0);
      if constexpr (Rows == 4) {
        s1 = multiply(1, s1, t1);
        s2 = multiply(2, s2, t2);
        s3 = multiply(3, s3, t3);
      }
    }
    const auto widen = [&](ptrdiff_t row, Vector s, Vector t) HWY_ATTR {
      hn::Store(hn::RearrangeToOddPlusEven(s, t), tag, row_sums);
      for (size_t i = 0; i < hn::Lanes(tag); ++i) sums[row * lanes + ptrdiff_t(i)] += row_sums[i];
    };
    widen(0, s0, t0);
    if constexpr (Rows == 4) {
      widen(1, s1, t1);
      widen(2, s2, t2);
      widen(3, s3, t3);
    }
  }
}

/// The lanes from `lane` on that fill whole vectors; returns the first of the rest.
template <class Tag>
HWY_INLINE ptrdiff_t AddLanes(Tag tag, ptrdiff_t lane, const int16_t* a, ptrdiff_t a_stride,
                              ptrdiff_t rows, const int16_t* w, ptrdiff_t pairs, ptrdiff_t lanes,
                              ptrdiff_t exact_pairs, int64_t* sums) {
  const auto width = static_cast<ptrdiff_t>(hn::Lanes(tag));
  for (; lane + width <= lanes; lane += width) {
    const auto block = [&](auto block_rows, ptrdiff_t row) HWY_ATTR {
      AddBlock<block_rows>(tag, a + row * a_stride, a_stride, w + 2 * lane, pairs, lanes,
                           exact_pairs, sums + row * lanes + lane);
    };
    ptrdiff_t row = 0;
    for (; row + 4 <= rows; row += 4) block(std::integral_constant<int, 4>(), row);
    for (; row < rows; ++row) block(std::integral_constant<int, 1>(), row);
  }
  return lane;
}

#endif

void AddProducts(const int16_t* a, ptrdiff_t a_stride, ptrdiff_t rows, const int16_t* w,
                 ptrdiff_t pairs, ptrdiff_t lanes, [[maybe_unused]] ptrdiff_t exact_pairs,
                 int64_t* sums) {
  ptrdiff_t lane = 0;
#if HWY_TARGET != HWY_SCALAR
  const auto add = [&](auto tag) HWY_ATTR {
    lane = AddLanes(tag, lane, a, a_stride, rows, w, pairs, lanes, exact_pairs, sums);
  };
  add(hn::ScalableTag<int32_t>());
  add(hn::CappedTag<int32_t, 8>());
  add(hn::CappedTag<int32_t, 4>());
#endif
  for (; lane < lanes; ++lane) {
    for (ptrdiff_t row = 0; row < rows; ++row) {
      for (ptrdiff_t k = 0; k < 2 * pairs; ++k) {
        sums[row * lanes + lane] +=
            int64_t{a[row * a_stride + k]} * w[k / 2 * 2 * lanes + 2 * lane + k % 2];
      }
    }
  }
}

}  // namespace edgebert::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgebert::model {

HWY_EXPORT(AddProducts);

void AddProducts(const int16_t* a, ptrdiff_t a_stride, ptrdiff_t rows, const int16_t* w,
                 ptrdiff_t pairs, ptrdiff_t lanes, ptrdiff_t exact_pairs, int64_t* sums) {
  HWY_DYNAMIC_DISPATCH(AddProducts)(a, a_stride, rows, w, pairs, lanes, exact_pairs, sums);
}

}  // namespace edgebert::model
#endif  // HWY_ONCE
