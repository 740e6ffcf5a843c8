// Verilog to a shared library: Verilator, the C++ compiler, and a cache in front of both.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "golden/base/result.h"

namespace edgebert::cosim {

/// A signal or memory inside the design that the bench reads (or writes) by name.
struct PublicSignal {
  std::string module;     ///< module name as in the source, not an instance
  std::string variable;   ///< net, register or memory of that module
  bool writable = false;  ///< for backdoor loads
};

enum class Optimize : uint8_t {
  kSpeed,  ///< -O3 for this machine's processor
  kQuick,  ///< -O1: a unit bench that builds longer than it runs
};

enum class Unknowns : uint8_t {
  kFast,    ///< x is whatever is fastest; registers and memories start at 0
  kRandom,  ///< x, registers and memories start at random values (by seed): finds missing resets
};

/// Called while a build that takes longer than two seconds runs, about once a second.
using Progress = std::function<void(std::string_view stage, double seconds)>;

struct BuildOptions {
  /// (file name, Verilog text). The name's last part should be `<module>.v`.
  std::vector<std::pair<std::string, std::string>> files;
  /// Verilog files on disk, read and treated as `files`.
  std::vector<std::string> paths;
  std::string top;
  /// Parameters of the top module; values are Verilog literals.
  std::vector<std::pair<std::string, std::string>> parameters;
  std::vector<PublicSignal> public_signals;
  bool trace = false;  ///< build with FST tracing; costs speed only while a trace is open
  Optimize optimize = Optimize::kSpeed;
  Unknowns unknowns = Unknowns::kFast;
  std::string cache_dir;  ///< empty: $EDGEBERT_CACHE, else ~/.cache/edgebert-rtl
  Progress progress;
};

/// Builds the library, or finds it in the cache; returns its path. The cache key covers the
/// Verilog, parameters, flags, tools and processor. Concurrent builds are safe; a damaged entry is
/// rebuilt. Rules: "verilog-read", "verilate", "compile" (both with the tool's output), "cache-io",
/// "tool-missing".
Result<std::string> BuildLibrary(const BuildOptions& options);

}  // namespace edgebert::cosim
