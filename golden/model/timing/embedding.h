// eb_embedding with eb_reram_ctrl (docs/architecture.md, "Timing").
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "golden/model/image.h"
#include "golden/model/reram.h"
#include "golden/model/timing/bitmask_decoder.h"
#include "golden/model/timing/schedule.h"
#include "golden/spec/config.h"
#include "golden/spec/isa.h"

namespace edgebert::model::timing {

class Embedding {
 public:
  Embedding(const spec::AcceleratorConfig& config, const Image& image);

  /// When a command dispatched in cycle `start` is done.
  Cycle Run(const spec::Instruction& command, std::span<const uint32_t> tokens, Cycle start);

 private:
  /// A row asked for in cycle `from`; when its last vector is taken.
  Cycle Row(size_t number, size_t mask_base, int vectors, Cycle from);

  const Image& image_;
  int lanes_;
  ReramLayout layout_;
  Cycle latency_;
  int code_word_;
  BitmaskDecoder decoder_;
};

}  // namespace edgebert::model::timing
