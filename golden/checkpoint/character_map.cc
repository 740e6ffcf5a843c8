#include "golden/checkpoint/character_map.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>

namespace edgebert::checkpoint {
namespace {

/// One message of protocol buffers, cut into fields.
class Message {
 public:
  explicit Message(std::string_view bytes) : bytes_(bytes) {}

  /// Calls `found` with the contents of every text or message that is field `number`. False when
  /// the message is malformed or `found` is not content.
  bool Each(uint32_t number, const std::function<bool(std::string_view)>& found) {
    while (!bytes_.empty()) {
      const auto tag = Number();
      if (!tag) return false;
      uint64_t size = 0;
      switch (*tag & 7) {
        case 0:
          if (!Number()) return false;
          break;
        case 1:
          size = 8;
          break;
        case 2: {
          const auto length = Number();
          if (!length) return false;
          size = *length;
          break;
        }
        case 5:
          size = 4;
          break;
        default:
          return false;
      }
      if (size > bytes_.size()) return false;
      const bool wanted = (*tag & 7) == 2 && static_cast<uint32_t>(*tag) >> 3 == number;
      if (wanted && !found(bytes_.substr(0, size))) return false;
      bytes_.remove_prefix(size);
    }
    return true;
  }

 private:
  std::optional<uint64_t> Number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::string_view bytes_;
};

/// A double-array trie (darts-clone), in which a leaf holds an offset into a string.
class Trie {
 public:
  Trie(std::string_view units, size_t text_size) : units_(units), text_size_(text_size) {}

  bool IsSound() {
    if (units_.size() < kUnitBytes) return false;
    const auto leaves = MostLeaves(OffsetOf(Unit(0)), 0);
    return leaves && *leaves <= kMostMatches;
  }

 private:
  static constexpr size_t kUnitBytes = 4;
  static constexpr int kMostMatches = 32;  // the library's array for the prefixes of a text
  static constexpr int kDeepest = 1024;    // bytes of a key; also ends a circle

  [[nodiscard]] size_t Size() const { return units_.size() / kUnitBytes; }
  [[nodiscard]] uint32_t Unit(uint32_t at) const {
    uint32_t unit = 0;
    std::memcpy(&unit, units_.data() + size_t{at} * kUnitBytes, kUnitBytes);
    return unit;
  }
  static uint32_t OffsetOf(uint32_t unit) { return unit >> 10 << ((unit & 0x200) >> 6); }

  /// The most leaves on a way down from the node whose children are at `base` ^ byte; nothing when
  /// a way leads outside.
  std::optional<int> MostLeaves(uint32_t base, int depth) {
    if (const auto known = known_.find(base); known != known_.end()) return known->second;
    if (depth == kDeepest) return std::nullopt;
    int most = 0;
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const uint32_t child = base ^ byte;
      if (child >= Size()) return std::nullopt;
      const uint32_t unit = Unit(child);
      if ((unit & 0x8000'00ff) != byte) continue;
      const uint32_t next = child ^ OffsetOf(unit);
      const bool leaf = (unit & 0x100) != 0;
      if (leaf && (next >= Size() || (Unit(next) & 0x7fff'ffff) >= text_size_)) {
        return std::nullopt;
      }
      const auto below = MostLeaves(next, depth + 1);
      if (!below) return std::nullopt;
      most = std::max(most, *below + (leaf ? 1 : 0));
    }
    return known_[base] = most;
  }

  std::string_view units_;
  size_t text_size_;
  std::map<uint32_t, int> known_;
};

/// Bytes of the trie, the trie, and what its leaves point into: texts that end with a 0.
bool IsSoundMap(std::string_view map) {
  if (map.empty()) return true;
  uint32_t trie_bytes = 0;
  if (map.size() < sizeof trie_bytes) return false;
  std::memcpy(&trie_bytes, map.data(), sizeof trie_bytes);
  map.remove_prefix(sizeof trie_bytes);
  if (trie_bytes >= map.size() || map.back() != '\0') return false;
  return Trie(map.substr(0, trie_bytes), map.size() - trie_bytes).IsSound();
}

}  // namespace

bool HasSoundCharacterMaps(std::string_view model) {
  constexpr uint32_t kNormalizer = 3;
  constexpr uint32_t kDenormalizer = 5;
  constexpr uint32_t kMap = 2;
  const auto sound = [](std::string_view normalizer) {
    return Message(normalizer).Each(kMap, IsSoundMap);
  };
  return Message(model).Each(kNormalizer, sound) && Message(model).Each(kDenormalizer, sound);
}

}  // namespace edgebert::checkpoint
