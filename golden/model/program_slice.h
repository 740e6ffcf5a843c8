// A part of a sentence as a program of its own, so that the RTL need not run what comes before it:
// the operations are unrolled, and the machine's state before the first of them is the start.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "golden/base/result.h"
#include "golden/model/image.h"
#include "golden/model/machine.h"
#include "golden/spec/config.h"

namespace edgebert::model {

/// An operation of a sentence: its sequence number, or the first or last one of a layer.
struct SlicePoint {
  bool is_layer = false;
  uint64_t number = 0;  ///< from 0
};

struct ProgramSlice {
  Image image;         ///< `program` and `names` are the slice's, the rest is the model's
  MachineState start;  ///< at its first instruction
};

/// Operations `from` to `to` of the sentence, both included. The slice ends with an EXIT on the
/// logits of then, because a program must. Rules: "slice-range" (no such operations), "slice-size"
/// (more than the program memory holds).
Result<ProgramSlice> SliceProgram(const spec::AcceleratorConfig& config, const Image& image,
                                  std::span<const uint32_t> tokens, uint32_t threshold,
                                  const SlicePoint& from, const SlicePoint& to);

}  // namespace edgebert::model
