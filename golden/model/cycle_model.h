// How many cycles a sentence takes, without simulating one: the timing of docs/architecture.md,
// "Timing", applied to the program of an image.
//
// Nothing here advances by cycles. The model walks the program once in its order and computes when
// things happen from when the things they wait for happened: a beat of the weight stream, a row of
// a tile record, a held tile, a strip, a row of SOFTMAX or LAYER_NORM. Units overlap in these
// times as they do in the hardware.
//
// Without stalls it is right to the cycle, but that a sentence whose entropy is below the threshold
// after the last layer does not run on to END: it ends a cycle earlier.
//
// Not modelled: stalls of the buses, ReRAM macros that refuse a request, and programs that
// golden/checkpoint does not write (LAYER_NORM or EMBED beside a MATMUL, more than four segments of
// the weight stream waiting).
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "golden/model/image.h"
#include "golden/spec/config.h"
#include "golden/spec/isa.h"

namespace edgebert::model {

/// The memory behind the AXI ports: answers in order, a beat a cycle, without stalls.
struct MemoryTiming {
  int latency = 16;     ///< cycles from an address to its first data, from written data to response
  int outstanding = 8;  ///< read bursts, and writes, it takes before the first is answered
};

/// What the VMAC array does in the cycles with a MATMUL; reasons are those of the counters of
/// golden/spec/register_map.
struct ArrayCycles {
  uint64_t mac = 0;     ///< takes a row
  uint64_t weight = 0;  ///< waits for a held tile from the weight stream
  uint64_t held = 0;    ///< waits for a held tile from activation memory
  uint64_t read = 0;    ///< waits for a row of activation memory
  uint64_t drain = 0;   ///< waits for the accumulator to drain
  uint64_t skip = 0;    ///< drops a tile without rows

  [[nodiscard]] uint64_t Sum() const { return mac + weight + held + read + drain + skip; }
  ArrayCycles& operator+=(const ArrayCycles& other);
  friend bool operator==(const ArrayCycles&, const ArrayCycles&) = default;
};

/// One instruction of a unit. Cycles count from START.
struct OperationCycles {
  uint64_t sequence = 0;  ///< instructions executed before it
  int pc = 0;
  int iteration = 0;   ///< loop counter
  uint64_t first = 0;  ///< it is dispatched
  uint64_t last = 0;   ///< its unit is idle, or writes the first result of the next one
  ArrayCycles array;   ///< of a MATMUL: its rows, and the waits for its tiles and for its end
};

struct CyclePrediction {
  uint64_t cycles = 0;       ///< from START to done: counter CYCLES
  uint64_t matmul_idle = 0;  ///< without a MATMUL: counter IDLE_MATMUL
  ArrayCycles array;         ///< with one; with `matmul_idle` they are all the cycles
  // With an instruction of the unit.
  uint64_t softmax = 0;
  uint64_t layer_norm = 0;
  uint64_t embed = 0;
  uint64_t exit = 0;
  std::vector<OperationCycles> operations;  ///< in the order of dispatch
};

class CycleModel {
 public:
  /// `image` must pass Machine::Check and outlive the model.
  CycleModel(const spec::AcceleratorConfig& config, const Image& image,
             const MemoryTiming& memory = {});

  /// A sentence that leaves after `layers` layers, 1 .. image.facts.layers. Of the tokens only
  /// their number matters, and for EMBED how many codes their rows have. May be called by several
  /// threads.
  [[nodiscard]] CyclePrediction Predict(std::span<const uint32_t> tokens, int layers) const;

 private:
  /// Sentences of the same length and depth differ only in their EMBED. What follows it is the same
  /// later or earlier, if the weight stream has filled its buffer by then.
  struct Known {
    CyclePrediction prediction;
    uint64_t buffered = 0;  ///< when it has
  };
  /// Moves a known prediction to other tokens; false when it is not that of the same sentence.
  bool Shift(std::span<const uint32_t> tokens, uint64_t buffered,
             CyclePrediction* prediction) const;

  spec::AcceleratorConfig config_;
  const Image& image_;
  MemoryTiming memory_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<size_t, int>, Known> known_;  ///< by tokens and layers
};

}  // namespace edgebert::model
