// What the gate of products with a zero operand saves: toggles of the nets of a synthesised array
// that runs the FFN of a sentence, against the density of its weights. Prints a table and writes
// it.
//
// For simulators that run gates and count: tests/gate/gates.sh in front of Verilator, and a folder
// for the counts in EDGEBERT_COVERAGE (scripts/bench.sh gating).
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <random>

#include "cosim/sim/dut.h"
#include "generator/units/af_multiplier.h"
#include "generator/units/vmac_array.h"
#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/sentences.h"
#include "golden/model/machine.h"
#include "golden/spec/formats.h"
#include "tests/bench/page.h"
#include "tests/bench/value.h"

namespace edgebert {
namespace {

namespace fs = std::filesystem;

constexpr int kLanes = 4;
constexpr int kTiles = 40;  // held one after the other, spread over the matrix
constexpr double kDensities[] = {1, 0.75, 0.5, 0.45, 0.3, 0.2, 0.1, 0.05};
constexpr const char* kSentence = "the plot is thin , but the two leads are a joy to watch .";

/// A matrix of codes.
struct Codes {
  int rows = 0;
  int columns = 0;
  std::vector<uint8_t> values;

  [[nodiscard]] uint8_t& At(int row, int column) {
    return values[size_t(row) * size_t(columns) + size_t(column)];
  }
  [[nodiscard]] std::vector<unsigned> Vector(int row, int column) const {
    const auto first = values.begin() + row * columns + column;
    return {first, first + kLanes};
  }
};

/// The first FFN matrix, with only its largest weights. Dense again where the checkpoint is pruned:
/// what is zero there becomes small, with either sign.
Codes Weights(const checkpoint::Model& model, const checkpoint::CodeFormat& format,
              double density) {
  const checkpoint::Matrix& matrix = model.weights.groups[0][0].ffn.weight;
  std::vector<float> values = matrix.values;
  const float largest = std::fabs(*std::max_element(
      values.begin(), values.end(), [](float a, float b) { return std::fabs(a) < std::fabs(b); }));
  std::mt19937 random(1);
  for (float& value : values) {
    const float small = random() % 2 == 0 ? largest / 100 : -largest / 100;
    if (std::fabs(value) < largest / 100) value = small;
  }
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::shuffle(order.begin(), order.end(), random);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return std::fabs(values[a]) > std::fabs(values[b]); });
  for (auto i = static_cast<size_t>(std::lround(density * static_cast<double>(order.size())));
       i < order.size(); ++i) {
    values[order[i]] = 0;
  }
  return {matrix.rows, matrix.columns, checkpoint::QuantizeTensor(values, format).codes};
}

/// What the FFN of the first layer reads: LayerNorm behind the attention.
class FfnSource : public model::MachineObserver {
 public:
  FfnSource(int tokens, int hidden) : codes_{tokens, hidden, {}} {
    codes_.values.resize(size_t(tokens) * size_t(hidden));
  }
  void OnWriteBack(const model::Step& step, const model::WriteBack& write) override {
    if (step.layer != 0 || step.name->text != "attention norm") return;
    const auto lanes = static_cast<int>(write.lanes.size());
    for (int i = 0; i < lanes; ++i) {
      codes_.At(write.row, write.tile * lanes + i) = static_cast<uint8_t>(write.lanes[size_t(i)]);
    }
  }
  [[nodiscard]] const Codes& codes() const { return codes_; }

 private:
  Codes codes_;
};

/// Toggles that simulators have counted in `folder`; empties it.
uint64_t TakeToggles(const fs::path& folder) {
  uint64_t toggles = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      if (line.find("v_toggle") != std::string::npos) {
        toggles += std::stoull(line.substr(line.rfind(' ') + 1));
      }
    }
    fs::remove(entry.path());
  }
  return toggles;
}

/// Streams the rows of `source` through tiles of `weights`. Toggles a product.
double TogglesAProduct(bool gated, int code_bits, const Codes& weights, const Codes& source,
                       const fs::path& folder) {
  {
    cosim::Dut dut = Value(cosim::Dut::Build(
        {.files = {{"eb_af_multiplier.v", gen::EmitAfMultiplier().Emit()},
                   {"eb_vmac_array.v", gen::EmitVmacArray().Emit()}},
         .top = "eb_vmac_array",
         .parameters = {{"Lanes", std::to_string(kLanes)}, {"Gated", gated ? "1" : "0"}},
         .optimize = cosim::Optimize::kQuick}));
    for (const char* name : {"clear_i", "load_valid_i", "load_transposed_i", "load_index_i",
                             "swap_i", "row_valid_i"}) {
      dut.Get(name).Set(0);
    }
    dut.Get("load_codes_i").Clear();
    dut.Get("row_codes_i").Clear();
    dut.Reset();
    for (int tile = 0; tile < kTiles; ++tile) {
      const int row = tile * 7 % (weights.rows / kLanes) * kLanes;
      const int column = tile * 11 % (weights.columns / kLanes) * kLanes;
      dut.Get("load_valid_i").Set(1);
      for (int lane = 0; lane < kLanes; ++lane) {
        dut.Get("load_index_i").Set(static_cast<uint64_t>(lane));
        dut.Get("load_codes_i").SetLanes(code_bits, weights.Vector(row + lane, column));
        dut.Tick();
      }
      dut.Get("load_valid_i").Set(0);
      dut.Get("row_valid_i").Set(1);
      for (int token = 0; token < source.rows; ++token) {
        dut.Get("swap_i").Set(token == 0 ? 1 : 0);
        dut.Get("row_codes_i").SetLanes(code_bits, source.Vector(token, column));
        dut.Tick();
      }
      dut.Get("swap_i").Set(0);
      dut.Get("row_valid_i").Set(0);
    }
  }  // the simulator leaves its counts
  return static_cast<double>(TakeToggles(folder)) /
         (double{kTiles} * source.rows * kLanes * kLanes);
}

int Main(int argc, const char* const* argv) {
  const char* counts = std::getenv("EDGEBERT_COVERAGE");
  if (argc != 3 || counts == nullptr) {
    fmt::print(stderr, "usage: EDGEBERT_COVERAGE=FOLDER {} MODEL PAGE.md\n", argv[0]);
    return 2;
  }
  const std::string folder = argv[1];
  const checkpoint::Model model = Value(checkpoint::LoadModel(folder));
  const spec::AcceleratorConfig config = Value(checkpoint::FitConfig(model.config, {}));
  const checkpoint::CodeFormat format = checkpoint::FormatOf(config);
  const checkpoint::Tokenizer tokenizer =
      Value(checkpoint::Tokenizer::Load(folder + "/tokenizer.model", model.config));
  const checkpoint::Sentence sentence =
      Value(checkpoint::ReadSentences({.texts = {kSentence}, .pair = {}, .data = {}}, model.config,
                                      tokenizer, config.model.seq_len))[0];
  const model::Image image = Value(checkpoint::BuildImage(
      model.config, model.weights, Value(checkpoint::ReadActivationBiases(folder)), config, {}));
  FfnSource source(static_cast<int>(sentence.tokens.ids.size()), model.config.hidden_size);
  model::Machine(config, image).Run(checkpoint::TokenWords(sentence.tokens), 0, &source);

  Page page;
  page.Line(fmt::format(
      "# Gating products with a zero operand\n\n"
      "Measured by `scripts/bench.sh DATA.tsv gating`.\n\n"
      "Toggles of the nets of `eb_vmac_array` ({0} x {0} lanes, AdaptivFloat<{1},{2}>) as gates: "
      "Yosys, OSU018, simulated without\ndelays, so without glitches; every net counts alike. The "
      "first FFN of the shipped SST-2 model on one sentence of {3}\ntokens, {4} tiles; the weights "
      "pruned anew by magnitude. Gated: `vmac.operand_gating`.\n\n"
      "| density of the weights | toggles a product, not gated | gated | saved | a gated one "
      "against "
      "dense |\n|---|---|---|---|---|",
      kLanes, config.format.width, config.format.exponent, source.codes().rows, kTiles));
  double dense = 0;
  for (const double density : kDensities) {
    const Codes weights = Weights(model, format, density);
    const double open =
        TogglesAProduct(false, config.format.width, weights, source.codes(), counts);
    const double gated =
        TogglesAProduct(true, config.format.width, weights, source.codes(), counts);
    if (density == 1) dense = gated;
    page.Line(fmt::format("| {:.0f} % | {:.1f} | {:.1f} | {:.1f} % | {:.2f} |", 100 * density, open,
                          gated, 100 * (1 - gated / open), gated / dense));
  }
  std::ofstream(argv[2]) << page.text();
  return 0;
}

}  // namespace
}  // namespace edgebert

int main(int argc, char** argv) { return edgebert::Main(argc, argv); }
