// Random accelerators: a command line of edgebert-cosim drawn by seed, what it does, and the
// smallest one that still does it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cosim/system/accelerator.h"

namespace edgebert::fuzz {

/// Options after `edgebert-cosim --config generator/configs/tiny.cfg`, in their order: name without
/// dashes, and value (empty: a switch).
using CommandLine = std::vector<std::pair<std::string, std::string>>;

/// A valid configuration, and on it a checkpoint, sentences, stalls and memory by `run`. The same
/// numbers give the same command line on every machine.
CommandLine DrawCase(uint64_t configuration, uint64_t run);

/// For a shell in the root of the project.
std::string Format(const CommandLine& line);

enum class Verdict : uint8_t {
  kExact,          ///< every write-back the same
  kDivergence,     ///< or a protocol violation, or a design that does not answer
  kMisprediction,  ///< the cycle model is off by more than it may be
  kBuild,          ///< Verilator or the compiler do not take the design
  kRefused,        ///< bad input, with a message
};

/// What the accelerator met, for counting.
enum class Skip : uint8_t {
  kNullHead,    ///< the model has heads that see nothing
  kWindow,      ///< a span left rows out
  kZeroVector,  ///< a row of zeros went through the array
  kShort,       ///< the sentence does not fill the model's longest
  kEarlyExit,   ///< layers were left out
  kNone,        ///< none of these
};
inline constexpr const char* kSkipNames[] = {"null head",      "span window", "zero vector",
                                             "short sentence", "early exit",  "none"};
enum class Stall : uint8_t { kNone, kBuses, kSlowMemory };
inline constexpr const char* kStallNames[] = {"no stall", "stalls on the buses", "slow memory"};
struct Points {
  /// Operations of each name.
  std::map<std::string,
           std::array<std::array<uint64_t, std::size(kStallNames)>, std::size(kSkipNames)>>
      operations;
  std::map<std::pair<int, int>, uint64_t> exits;  ///< by layer and number of layers

  Points& operator+=(const Points& other);
};

struct Outcome {
  Verdict verdict = Verdict::kExact;
  std::string message;
  uint64_t sentences = 0;  ///< that ran to their end
  uint64_t compared = 0;   ///< write-backs
  uint64_t cycles = 0;
  double largest_error = 0;  ///< of the cycle model, relative, of sentences that it speaks of
  Points points;
};

/// A change to the design before it is built.
using DesignEdit = std::function<void(cosim::VerilogFiles&)>;

Outcome RunCase(const CommandLine& line, const DesignEdit& edit = {});

/// Leaves out options, and lessens numbers, as long as `fails`; asks it at most `trials` times.
CommandLine Shrink(CommandLine line, const std::function<bool(const CommandLine&)>& fails,
                   int trials);

}  // namespace edgebert::fuzz
