#include "generator/handoff/waves.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <regex>
#include <vector>

#include "generator/units/embedding.h"
#include "generator/units/exit.h"
#include "generator/units/layer_norm.h"
#include "generator/units/matmul.h"
#include "generator/units/sequencer.h"
#include "golden/base/check.h"
#include "golden/spec/isa.h"

namespace edgebert::gen {
namespace {

// Flags of a trace, from GTKWave's analyzer.h.
constexpr uint32_t kHex = 0x2;
constexpr uint32_t kDecimal = 0x4;
constexpr uint32_t kBinary = 0x8;
constexpr uint32_t kRightJustify = 0x20;
constexpr uint32_t kBlank = 0x200;
constexpr uint32_t kSigned = 0x400;
constexpr uint32_t kTranslated = 0x2000;

// Biases of tensors stay near -2^E; a code with another is shown in hex.
constexpr int kLeastBias = -20;
constexpr int kMostBias = 3;

constexpr const char* kTop = "eb_top.";
constexpr int kBiasBits = 8;
constexpr int kLanesShown = 4;

struct StateMachine {
  const char* unit;
  const char* prefix;  ///< of its states
  vlog::Module (*emit)();
};

constexpr StateMachine kStateMachines[] = {
    {"sequencer", "ST_", EmitSequencer}, {"matmul", "LOAD_", EmitMatmul},
    {"layer_norm", "St", EmitLayerNorm}, {"embedding", "ST_", EmitEmbedding},
    {"entropy", "St", EmitEntropy},
};

std::string StateFilter(const StateMachine& machine) {
  const std::string text = machine.emit().Emit();
  const std::regex state(
      fmt::format(R"(localparam (?:\[\d+:0\] )?{}(\w+) *= \d+'d(\d+);)", machine.prefix));
  std::string filter;
  int states = 0;
  for (auto match = std::sregex_iterator(text.begin(), text.end(), state);
       match != std::sregex_iterator(); ++match, ++states) {
    filter += fmt::format("{:X} {}\n", std::stoi((*match)[2]), (*match)[1].str());
  }
  EB_CHECK(states > 1, "no states '{}...' in eb_{}", machine.prefix, machine.unit);
  return filter;
}

std::string OpcodeFilter() {
  using spec::Opcode;
  std::string filter;
  for (const auto& [opcode, name] :
       std::initializer_list<std::pair<Opcode, const char*>>{{Opcode::kEnd, "END"},
                                                             {Opcode::kStream, "STREAM"},
                                                             {Opcode::kLoop, "LOOP"},
                                                             {Opcode::kEmbed, "EMBED"},
                                                             {Opcode::kMatmul, "MATMUL"},
                                                             {Opcode::kSoftmax, "SOFTMAX"},
                                                             {Opcode::kLayerNorm, "LAYER_NORM"},
                                                             {Opcode::kExit, "EXIT"}}) {
    filter += fmt::format("{:02X} {}\n", static_cast<uint32_t>(opcode), name);
  }
  return filter;
}

/// The value of a code in units of 2^bias, times 2^M.
int64_t IntegerView(int code, int width, int exponent) {
  const int mantissa = width - 1 - exponent;
  const int magnitude = code & ((1 << (width - 1)) - 1);
  if (magnitude == 0) return 0;
  const int64_t significand = (1 << mantissa) + (magnitude & ((1 << mantissa) - 1));
  const int64_t value = significand << (magnitude >> mantissa);
  return (code >> (width - 1)) != 0 ? -value : value;
}

std::string IntegerFilter(int width, int exponent) {
  std::string filter;
  for (int code = 0; code < 1 << width; ++code) {
    filter +=
        fmt::format("{:0{}X} {}\n", code, (width + 3) / 4, IntegerView(code, width, exponent));
  }
  return filter;
}

std::string AdaptivFloatFilter(int width, int exponent) {
  const int mantissa = width - 1 - exponent;
  std::string filter;
  for (int bias = kLeastBias; bias <= kMostBias; ++bias) {
    for (int code = 0; code < 1 << width; ++code) {
      const double value =
          std::ldexp(static_cast<double>(IntegerView(code, width, exponent)), bias - mantissa);
      filter +=
          fmt::format("{:0{}X} {:.4g}\n", ((bias & 0xff) << width) | code, (width + 11) / 4, value);
    }
  }
  return filter;
}

std::string FormatSuffix(const spec::AcceleratorConfig& config) {
  return fmt::format("_{}_{}.txt", config.format.width, config.format.exponent);
}

/// Writes the traces of a view.
class View {
 public:
  View(const spec::AcceleratorConfig& config, const WaveView& view)
      : config_(config), filters_(view.filters) {}

  void Title(const std::string& title) { text_ += fmt::format("@{:x}\n-{}\n", kBlank, title); }
  void Bit(const std::string& name) { Signal(kBinary, name, 1); }
  void Hex(const std::string& name, int bits) { Signal(kHex, name, bits); }
  void Decimal(const std::string& name, int bits) { Signal(kDecimal, name, bits); }
  void Signed(const std::string& name, int bits) { Signal(kDecimal | kSigned, name, bits); }
  /// With a filter.
  void Named(const std::string& name, int bits, const std::string& filter) {
    Format(kHex, filter);
    text_ += fmt::format("{}{}[{}:0]\n", kTop, name, bits - 1);
  }
  /// The first lanes of a vector of codes: values where a bias signal is given, else integers.
  void Lanes(const std::string& label, const std::string& name, const std::string& bias = "") {
    const int width = config_.format.width;
    for (int lane = 0; lane < std::min(kLanesShown, config_.vmac.n); ++lane) {
      Format(kHex, (bias.empty() ? "integer" : "adaptivfloat") + FormatSuffix(config_));
      text_ += fmt::format("#{{{}[{}]}}", label, lane);
      if (!bias.empty()) Bits(bias, kBiasBits, 0, kBiasBits);
      Bits(name, config_.vmac.n * width, lane * width, width);
      text_ += '\n';
    }
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void Format(uint32_t radix, const std::string& filter = "") {
    text_ += fmt::format("@{:x}\n", radix | kRightJustify | (filter.empty() ? 0 : kTranslated));
    if (!filter.empty()) text_ += fmt::format("^1 {}/{}\n", filters_, filter);
  }
  void Signal(uint32_t radix, const std::string& name, int bits) {
    Format(radix);
    text_ += kTop + name + (bits == 1 ? "" : fmt::format("[{}:0]", bits - 1)) + '\n';
  }
  void Bits(const std::string& name, int bits, int low, int count) {
    for (int bit = low + count - 1; bit >= low; --bit) {
      // GTKWave counts from the left.
      text_ += fmt::format(" ({}){}{}[{}:0]", bits - 1 - bit, kTop, name, bits - 1);
    }
  }

  const spec::AcceleratorConfig& config_;
  std::string filters_;
  std::string text_;
};

void AddWriteBack(View& view, const std::string& unit, const std::string& vectors) {
  view.Bit(unit + ".wr_valid_o");
  view.Bit(unit + ".wr_ready_i");
  view.Decimal(unit + ".wr_addr_o", spec::kAddressBits);
  view.Lanes(vectors, unit + ".wr_data_o", unit + ".bias_out");
}

}  // namespace

FileSet WaveFilters(const spec::AcceleratorConfig& config) {
  const int width = config.format.width;
  const int exponent = config.format.exponent;
  FileSet files;
  files.Add("opcode.txt", OpcodeFilter());
  for (const StateMachine& machine : kStateMachines) {
    files.Add(fmt::format("{}_state.txt", machine.unit), StateFilter(machine));
  }
  files.Add("adaptivfloat" + FormatSuffix(config), AdaptivFloatFilter(width, exponent));
  files.Add("integer" + FormatSuffix(config), IntegerFilter(width, exponent));
  return files;
}

std::string WaveViewText(const spec::AcceleratorConfig& config, const WaveView& view) {
  View traces(config, view);
  traces.Title("Sequencer");
  traces.Bit("clk_i");
  traces.Named("u_sequencer.state_q", 4, "sequencer_state.txt");
  traces.Named("u_sequencer.opcode", 8, "opcode.txt");
  traces.Decimal("u_sequencer.pc_q", 17);
  traces.Decimal("u_sequencer.iteration_q", 16);
  for (const char* busy :
       {"embedding_busy", "matmul_busy", "softmax_busy", "layer_norm_busy", "exit_busy"}) {
    traces.Bit(busy);
  }
  traces.Title("Weight stream (integers)");
  traces.Bit("tile_valid");
  traces.Bit("tile_ready");
  traces.Decimal("tile_k", 16);
  traces.Lanes("weight", "tile_row");
  traces.Title("VMAC array");
  traces.Named("u_matmul.load_state_q", 2, "matmul_state.txt");
  for (const char* event : {"mac", "wait_weight", "wait_held", "wait_read", "wait_drain"}) {
    traces.Bit(event);
  }
  traces.Title("MATMUL writes");
  AddWriteBack(traces, "u_matmul", "matmul");
  traces.Title("SOFTMAX");
  for (const char* pass : {"read_1", "read_2", "read_3"}) {
    traces.Bit(fmt::format("u_softmax.{}", pass));
  }
  AddWriteBack(traces, "u_softmax", "probability");
  traces.Title("LAYER_NORM");
  traces.Named("u_layer_norm.state_q", 2, "layer_norm_state.txt");
  AddWriteBack(traces, "u_layer_norm", "norm");
  traces.Title("EMBED");
  traces.Named("u_embedding.state_q", 3, "embedding_state.txt");
  traces.Decimal("row", 32);
  AddWriteBack(traces, "u_embedding", "embedding");
  traces.Bit("rr_req_valid");
  traces.Bit("rr_rsp_valid");
  traces.Title("EXIT");
  traces.Named("u_exit.u_entropy.state_q", 3, "entropy_state.txt");
  traces.Bit("result_valid");
  traces.Decimal("result_prediction", 8);
  traces.Decimal("result_entropy", 20);
  traces.Bit("result_exit");
  traces.Title("AXI");
  for (const char* port : {"u_axi_reader.m_axi_arvalid_o", "u_axi_reader.m_axi_arready_i",
                           "u_axi_reader.m_axi_rvalid_i", "u_axi_reader.m_axi_rready_o",
                           "u_axi_writer.m_axi_wvalid_o"}) {
    traces.Bit(port);
  }

  // The zoom is the logarithm of the times in a frame of 200 pixels.
  constexpr double kFrames = 6;
  const auto times = static_cast<double>(std::max<uint64_t>(view.end - view.start, 1));
  std::string text;
  if (!view.dump.empty()) text += fmt::format("[dumpfile] \"{}\"\n", view.dump);
  text += fmt::format("[timestart] {}\n[size] 1600 1200\n[pos] 0 0\n", view.start);
  text += fmt::format("*{:.6f} {}", -std::log2(times / kFrames), view.start);
  for (int marker = 0; marker < 26; ++marker) text += " -1";
  text += "\n[treeopen] eb_top.\n[sst_expanded] 0\n[signals_width] 260\n";
  return text + traces.text();
}

FileSet EmitWaves(const spec::AcceleratorConfig& config, const std::string& name) {
  FileSet files;
  files.Add("waves/" + name + ".gtkw", WaveViewText(config, {.filters = "waves/filters"}));
  const FileSet filters = WaveFilters(config);
  for (const auto& [path, text] : filters.files()) files.Add("waves/filters/" + path, text);
  return files;
}

}  // namespace edgebert::gen
