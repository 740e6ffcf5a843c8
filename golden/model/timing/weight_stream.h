// eb_weight_stream with eb_segment_address (docs/architecture.md, "Timing").
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "golden/base/check.h"
#include "golden/model/image.h"
#include "golden/model/timing/axi_reader.h"
#include "golden/model/timing/bitmask_decoder.h"
#include "golden/model/timing/schedule.h"
#include "golden/spec/config.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"

namespace edgebert::model::timing {

// eb_segment_address, and the queue of segments.
inline constexpr Cycle kStreamToSegment =
    1;  // address register; then a cycle a bit of the iteration
inline constexpr Cycle kSegmentToRequest = 1;  // queue
inline constexpr Cycle kSegmentToFree = 1;     // for the next STREAM

// Prefixes and masks.
inline constexpr Cycle kBeatToHead = 1;  // head register
inline constexpr Cycle kLoadToMask = 1;  // mask register

/// Word groups and tile records, in order. Reads what they are from the image.
class WeightStream {
 public:
  WeightStream(const spec::AcceleratorConfig& config, const Image& image, AxiReader& reader)
      : image_(image),
        reader_(reader),
        lanes_(config.vmac.n),
        beat_bits_(config.axi.data_width),
        code_beat_(spec::CodesPerBeat(config)),
        decoder_(lanes_, code_beat_) {}

  /// STREAM is executed from this cycle on.
  [[nodiscard]] Cycle StreamReady() const { return stream_ready_; }

  /// STREAM, executed in cycle `dispatch`.
  void Append(const spec::Instruction& stream, int iteration, Cycle dispatch) {
    const int64_t offset =
        stream.Get(spec::kStreamOffset) + iteration * stream.Get(spec::kStreamIterationStride);
    const int64_t beats = stream.Get(spec::kStreamBeats);
    if (beats == 0) return;
    const Cycle segment =
        dispatch + kStreamToSegment + std::bit_width(static_cast<unsigned>(iteration));
    stream_ready_ = segment + kSegmentToFree;
    reader_.Request(segment + kSegmentToRequest, offset, beats);
    segments_.push_back({static_cast<size_t>(offset), static_cast<size_t>(beats)});
  }

  /// The cycle from which the next word group, requested from `request` on, can be taken.
  Cycle Words(Cycle request) {
    const int beats = spec::CeilDiv(32 * lanes_, beat_bits_);
    Advance(static_cast<size_t>(beats));
    Cycle beat = std::max(request, head_free_);
    for (int i = 0; i < beats; ++i) beat = reader_.Take(beat);
    return beat + kBeatToHead;
  }
  void TakeWords(Cycle taken) { head_free_ = taken + 1; }

  struct Tile {
    bool last = false;   ///< of its strip
    bool empty = false;  ///< has no row
    Cycle loaded = 0;    ///< its last row is taken
  };

  /// The next record, requested from `request` on; the shadow tile takes rows from `free` on.
  Tile NextTile(Cycle request, Cycle free) {
    const std::span<const uint8_t> record = Rest();
    const auto flag = [&](int bit) {
      return (record[static_cast<size_t>(bit / 8)] >> bit % 8 & 1) != 0;
    };
    Tile tile{.last = flag(spec::kTileLastBit), .empty = flag(spec::kTileEmptyBit)};
    Cycle beat = std::max(request, head_free_);
    const int prefix = spec::CeilDiv(spec::kTilePrefixBits + lanes_ * lanes_, beat_bits_);
    for (int i = 0; i < prefix; ++i) beat = reader_.Take(beat);
    // The masks of the record before have been taken.
    const Cycle load = std::max(beat + kBeatToHead, mask_);
    Cycle code_beat = load;
    size_t beats = static_cast<size_t>(prefix);
    const auto enter = [&](int /*word*/, Cycle room) {
      ++beats;
      return code_beat = reader_.Take(std::max(load, room));
    };
    decoder_.Begin();
    Cycle from = load + kLoadToMask;
    for (int row = 0; row < (tile.empty ? 1 : lanes_); ++row) {
      const int ones =
          Ones(record, static_cast<size_t>(spec::kTilePrefixBits + row * lanes_), lanes_);
      // The vector before leaves the row register.
      mask_ = decoder_.TakeMask(ones, std::max(from, row_), enter);
      row_ = std::max({mask_ + kMaskToRow, row_ + 1, free});
      from = mask_ + 1;
    }
    tile.loaded = row_;
    head_free_ = code_beat + 1;
    Advance(beats);
    return tile;
  }

 private:
  struct Segment {
    size_t offset;
    size_t beats;
  };

  [[nodiscard]] std::span<const uint8_t> Rest() {
    EB_CHECK(segment_ < segments_.size(), "the weight stream has ended");
    return std::span(image_.weights).subspan(segments_[segment_].offset);
  }
  void Advance(size_t beats) {
    EB_CHECK(segment_ < segments_.size(), "the weight stream has ended");
    Segment& segment = segments_[segment_];
    EB_CHECK(beats <= segment.beats, "a record of the weight stream crosses its segment");
    segment.offset += beats * static_cast<size_t>(beat_bits_ / 8);
    segment.beats -= beats;
    if (segment.beats == 0) ++segment_;
  }

  const Image& image_;
  AxiReader& reader_;
  int lanes_;
  int beat_bits_;
  int code_beat_;
  BitmaskDecoder decoder_;
  std::vector<Segment> segments_;
  size_t segment_ = 0;
  Cycle stream_ready_ = 0;
  Cycle head_free_ = 0;  ///< for the next word group or prefix
  Cycle mask_ = 0;       ///< the last one taken
  Cycle row_ = 0;        ///< the last one that left
};

}  // namespace edgebert::model::timing
