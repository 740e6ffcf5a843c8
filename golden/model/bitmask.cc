#include "golden/model/bitmask.h"

namespace edgebert::model {

uint32_t NonzeroMask(std::span<const uint8_t> lanes, const AdaptivFloat& format) {
  uint32_t mask = 0;
  for (size_t i = 0; i < lanes.size(); ++i) {
    mask |= uint32_t{(lanes[i] & format.largest()) != 0} << i;
  }
  return mask;
}

std::vector<uint8_t> Compact(std::span<const uint8_t> lanes, uint32_t mask) {
  std::vector<uint8_t> nonzeros;
  for (size_t i = 0; i < lanes.size(); ++i) {
    if ((mask >> i & 1) != 0) nonzeros.push_back(lanes[i]);
  }
  return nonzeros;
}

size_t Expand(uint32_t mask, std::span<const uint8_t> nonzeros, std::span<uint8_t> lanes) {
  size_t taken = 0;
  for (size_t i = 0; i < lanes.size(); ++i) {
    lanes[i] = (mask >> i & 1) != 0 ? nonzeros[taken++] : uint8_t{0};
  }
  return taken;
}

}  // namespace edgebert::model
