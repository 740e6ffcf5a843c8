#include "golden/model/activation.h"

#include <algorithm>

#include "golden/model/functions.h"

namespace edgebert::model {

int64_t Activate(spec::Activation activation, int64_t x) {
  const auto u = static_cast<uint32_t>(x < 0 ? -x : x);
  const bool near = u < uint32_t{1} << spec::kActivationDomainBits;
  const auto gelu = [&](const spec::PwlTable& table) {
    return SatFixed(std::max<int64_t>(x, 0) - (near ? Pwl(table, u) : 0));
  };
  switch (activation) {
    case spec::Activation::kNone:
      return x;
    case spec::Activation::kRelu:
      return std::max<int64_t>(x, 0);
    case spec::Activation::kGelu:
      return gelu(spec::GeluTable());
    case spec::Activation::kGeluNew:
      return gelu(spec::GeluNewTable());
    case spec::Activation::kTanh: {
      const int64_t t = near ? Pwl(spec::TanhTable(), u) : int64_t{1} << spec::kFixedFraction;
      return x < 0 ? -t : t;
    }
  }
  return x;
}

}  // namespace edgebert::model
