// Random accelerators: a command line of edgebert-cosim drawn by seed, what it does, and the
// smallest one that still does it.
#pragma once

#include <cstdint>
#include <functional>
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
  kExact,       ///< every write-back the same
  kDivergence,  ///< or a protocol violation, or a design that does not answer
  kBuild,       ///< Verilator or the compiler do not take the design
  kRefused,     ///< bad input, with a message
};

struct Outcome {
  Verdict verdict = Verdict::kExact;
  std::string message;
  uint64_t sentences = 0;  ///< that ran to their end
  uint64_t compared = 0;   ///< write-backs
  uint64_t cycles = 0;
  double largest_error = 0;  ///< of the cycle model, relative, of sentences that it speaks of
};

/// A change to the design before it is built.
using DesignEdit = std::function<void(cosim::VerilogFiles&)>;

Outcome RunCase(const CommandLine& line, const DesignEdit& edit = {});

/// Leaves out options, and lessens numbers, as long as `fails`; asks it at most `trials` times.
CommandLine Shrink(CommandLine line, const std::function<bool(const CommandLine&)>& fails,
                   int trials);

}  // namespace edgebert::fuzz
