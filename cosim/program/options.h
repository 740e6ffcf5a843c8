// Command line of edgebert-cosim.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cosim/sim/verilate.h"
#include "golden/base/result.h"
#include "golden/model/program_slice.h"
#include "golden/spec/config.h"

namespace edgebert::cosim {

/// A place in time: a cycle since the reset, or an instruction of the first sentence by its
/// sequence number ("op:12").
struct TracePoint {
  bool is_op = false;
  uint64_t number = 0;
};

struct Options {
  std::string config_file;  ///< empty: one that fits the model
  std::string model;
  std::optional<uint64_t> random_model;
  bool full_size = false;  ///< the random model is the largest one of the configuration, dense
  std::vector<std::string> text;
  std::string pair;
  std::string data;
  int first = 0;
  int limit = 0;                    ///< 0: all
  int length = 0;                   ///< of random sentences; 0: random
  std::optional<double> threshold;  ///< nats; none: the model's own
  uint64_t seed = 1;
  double stalls = 0;
  int latency = 16;
  bool random_init = false;
  bool pack_weights = false;
  double reram_faults = 0;  ///< of the cells
  uint64_t fault_map = 1;   ///< seed
  std::string json;
  std::string trace;  ///< file; empty: no trace
  std::optional<TracePoint> trace_from;
  std::optional<TracePoint> trace_to;
  std::string trace_scope;                    ///< instance below eb_top; empty: everything
  int trace_depth = 0;                        ///< levels of instances; 0: all
  std::optional<model::SlicePoint> rtl_from;  ///< run only these operations on the RTL
  std::optional<model::SlicePoint> rtl_to;
  std::string cache;
  bool replay = true;
  Optimize optimize = Optimize::kSpeed;  ///< of the simulator; no option of the command line

  /// Applied over the file.
  Result<spec::AcceleratorConfig> ApplyOverrides(const spec::AcceleratorConfig& config) const;

  /// The command line again, for one sentence and one trace window.
  [[nodiscard]] std::string ReplayLine(int sentence, int count, const std::string& trace_file,
                                       uint64_t from, uint64_t to) const;

  /// Parses the command line; nothing when --help was printed. Rule: "cosim-option".
  static Result<std::optional<Options>> Parse(int argc, const char* const* argv);

 private:
  struct Parsed;
  std::shared_ptr<const Parsed> parsed_;
};

}  // namespace edgebert::cosim
