// What zeros are worth: how often whole tiles and vectors of pruned weights are empty, what
// reordering neurons adds, and how many products have a zero operand. Prints tables and writes
// them.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <numeric>
#include <random>

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

using checkpoint::LayerWeights;
using checkpoint::LinearWeights;
using checkpoint::Model;

constexpr int kArraySizes[] = {4, 8, 16, 32};

double Percent(double part, double whole) { return whole == 0 ? 0 : 100 * part / whole; }

// --- Pruning -------------------------------------------------------------------------------------

/// The encoder matrices, with their names.
std::vector<std::pair<const char*, LinearWeights*>> Matrices(LayerWeights& layer) {
  return {{"query", &layer.query}, {"key", &layer.key},
          {"value", &layer.value}, {"attention output", &layer.attention_output},
          {"ffn", &layer.ffn},     {"ffn output", &layer.ffn_output}};
}

enum class Pattern { kMagnitude, kRandom, kNeurons, kTiles };

/// Dense again: what is zero gets a hundredth of the largest magnitude, which is not zero as a
/// code, and a random sign.
void Fill(std::vector<float>& values, std::mt19937& random) {
  float largest = 0;
  for (const float v : values) largest = std::max(largest, std::fabs(v));
  for (float& v : values) {
    if (std::fabs(v) < largest / 100) v = random() % 2 == 0 ? largest / 100 : -largest / 100;
  }
}

/// Zeroes all but the share `density` of units of each encoder matrix: the largest weights, random
/// weights, FFN neurons and lanes of heads, or 16 x 16 tiles.
void Prune(LayerWeights& layer, Pattern pattern, double density, std::mt19937& random) {
  constexpr int kTile = 16;
  std::vector<bool> kept_neurons(size_t(layer.ffn.weight.rows));
  for (size_t i = 0; i < kept_neurons.size(); ++i) {
    kept_neurons[i] = static_cast<double>(i) < density * static_cast<double>(kept_neurons.size());
  }
  std::shuffle(kept_neurons.begin(), kept_neurons.end(), random);
  for (const auto& [name, linear] : Matrices(layer)) {
    checkpoint::Matrix& matrix = linear->weight;
    std::vector<float>& values = matrix.values;
    const auto order = [&] {
      std::vector<size_t> indices(values.size());
      std::iota(indices.begin(), indices.end(), size_t{0});
      std::shuffle(indices.begin(), indices.end(), random);
      if (pattern == Pattern::kMagnitude) {
        std::stable_sort(indices.begin(), indices.end(), [&](size_t a, size_t b) {
          return std::fabs(values[a]) > std::fabs(values[b]);
        });
      }
      return indices;
    };
    const bool in_ffn = linear == &layer.ffn || linear == &layer.ffn_output;
    if (pattern == Pattern::kMagnitude || pattern == Pattern::kRandom) {
      const std::vector<size_t> indices = order();
      Fill(values, random);
      for (auto i = static_cast<size_t>(density * static_cast<double>(values.size()));
           i < indices.size(); ++i) {
        values[indices[i]] = 0;
      }
      continue;
    }
    Fill(values, random);
    if (pattern == Pattern::kNeurons && !in_ffn) continue;
    std::vector<bool> kept_tiles(values.size() / (kTile * kTile));
    for (size_t i = 0; i < kept_tiles.size(); ++i) {
      kept_tiles[i] = static_cast<double>(i) < density * static_cast<double>(kept_tiles.size());
    }
    std::shuffle(kept_tiles.begin(), kept_tiles.end(), random);
    for (int row = 0; row < matrix.rows; ++row) {
      for (int column = 0; column < matrix.columns; ++column) {
        const int neuron = linear == &layer.ffn ? row : column;
        const int tile = row / kTile * (matrix.columns / kTile) + column / kTile;
        const bool kept =
            pattern == Pattern::kNeurons ? kept_neurons[size_t(neuron)] : kept_tiles[size_t(tile)];
        if (!kept) values[size_t(row) * size_t(matrix.columns) + size_t(column)] = 0;
      }
    }
  }
}

// --- Emptiness -----------------------------------------------------------------------------------

/// Which weights of a matrix are not zero, once quantised.
struct Mask {
  int rows = 0;
  int columns = 0;
  std::vector<uint8_t> live;

  [[nodiscard]] bool At(int row, int column) const {
    return live[size_t(row) * size_t(columns) + size_t(column)] != 0;
  }
  [[nodiscard]] double Live() const { return std::accumulate(live.begin(), live.end(), 0.0); }
  /// Whether any weight of the block is not zero; what lies outside the matrix is zero.
  [[nodiscard]] bool Any(int row, int column, int height, int width) const {
    for (int r = row; r < std::min(rows, row + height); ++r) {
      for (int c = column; c < std::min(columns, column + width); ++c) {
        if (At(r, c)) return true;
      }
    }
    return false;
  }
  /// Empty blocks, and blocks in all.
  [[nodiscard]] std::pair<int, int> Empty(int height, int width) const {
    int empty = 0;
    int all = 0;
    for (int r = 0; r < rows; r += height) {
      for (int c = 0; c < columns; c += width, ++all) empty += Any(r, c, height, width) ? 0 : 1;
    }
    return {empty, all};
  }
};

/// The part of a matrix that belongs to heads that are not off.
Mask MaskOf(const LinearWeights& linear, const Model& model, const checkpoint::CodeFormat& format,
            bool heads_are_rows, bool heads_are_columns) {
  const auto off = [&](int lane) {
    const std::vector<float>& spans = model.weights.attention_span;
    const int head = lane / model.config.HeadSize();
    return !spans.empty() && spans[size_t(head)] + model.config.attention_span_ramp <= 0;
  };
  const checkpoint::Matrix& weight = linear.weight;
  const std::vector<uint8_t> codes = checkpoint::QuantizeTensor(weight.values, format).codes;
  Mask mask;
  for (int row = 0; row < weight.rows; ++row) {
    if (heads_are_rows && off(row)) continue;
    ++mask.rows;
    mask.columns = 0;
    for (int column = 0; column < weight.columns; ++column) {
      if (heads_are_columns && off(column)) continue;
      ++mask.columns;
      mask.live.push_back(codes[size_t(row) * size_t(weight.columns) + size_t(column)] != 0);
    }
  }
  return mask;
}

struct LayerMasks {
  Mask query, key, value, attention_output, ffn, ffn_output;

  LayerMasks(const Model& model, const checkpoint::CodeFormat& format) {
    const LayerWeights& layer = model.weights.groups[0][0];
    query = MaskOf(layer.query, model, format, true, false);
    key = MaskOf(layer.key, model, format, true, false);
    value = MaskOf(layer.value, model, format, true, false);
    attention_output = MaskOf(layer.attention_output, model, format, false, true);
    ffn = MaskOf(layer.ffn, model, format, false, false);
    ffn_output = MaskOf(layer.ffn_output, model, format, false, false);
  }
  [[nodiscard]] std::vector<std::pair<const char*, const Mask*>> All() const {
    return {{"query", &query}, {"key", &key},
            {"value", &value}, {"attention output", &attention_output},
            {"ffn", &ffn},     {"ffn output", &ffn_output}};
  }
};

/// Empty shares of all matrices together, in percent.
double EmptyShare(const LayerMasks& masks, int height, int width) {
  int empty = 0;
  int all = 0;
  for (const auto& [name, mask] : masks.All()) {
    const auto [e, a] = mask->Empty(height, width);
    empty += e;
    all += a;
  }
  return Percent(empty, all);
}

// --- Pages ---------------------------------------------------------------------------------------

struct Study {
  Model model;
  checkpoint::ActivationBiases biases;
  spec::AcceleratorConfig config;
  checkpoint::CodeFormat format;
  std::vector<checkpoint::Sentence> sentences;

  [[nodiscard]] Model Pruned(Pattern pattern, double density) const {
    Model pruned = model;
    std::mt19937 random(1);
    for (std::vector<LayerWeights>& group : pruned.weights.groups) {
      for (LayerWeights& layer : group) Prune(layer, pattern, density, random);
    }
    return pruned;
  }
};

constexpr double kDensities[] = {0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1};

void Shipped(Page& page, const Study& study) {
  const LayerMasks masks(study.model, study.format);
  page.Line(
      "## The shipped checkpoint\n\nMovement-pruned weights as the image holds them, without the "
      "heads that are off. Empty: n x n tiles / vectors\nof one k lane (n outputs) / vectors of "
      "one output (n k lanes), in percent.\n");
  page.Line("| matrix | density | n = 4 | n = 8 | n = 16 | n = 32 |\n|---|---|---|---|---|---|");
  for (const auto& [name, mask] : masks.All()) {
    std::string line = fmt::format("| {} {} x {} | {:.1f} % |", name, mask->rows, mask->columns,
                                   Percent(mask->Live(), double(mask->live.size())));
    for (const int n : kArraySizes) {
      const auto share = [&, m = mask](int height, int width) {
        const auto [empty, all] = m->Empty(height, width);
        return Percent(empty, all);
      };
      line += fmt::format(" {:.2f} / {:.2f} / {:.2f} |", share(n, n), share(n, 1), share(1, n));
    }
    page.Line(line);
  }
  const int neurons = masks.ffn.rows;
  int unread = 0;
  int constant = 0;
  for (int i = 0; i < neurons; ++i) {
    unread += masks.ffn_output.Any(0, i, masks.ffn_output.rows, 1) ? 0 : 1;
    constant += masks.ffn.Any(i, 0, 1, masks.ffn.columns) ? 0 : 1;
  }
  page.Line(fmt::format(
      "\nOf {} FFN neurons {} have no output weights (they could go, exactly) and {} no input "
      "weights (they are constant).",
      neurons, unread, constant));
}

void AgainstDensity(Page& page, const Study& study) {
  page.Line(
      "\n## Emptiness against density\n\nAll encoder matrices of the shipped model, pruned anew. "
      "Empty tiles / k-lane vectors, in percent. Random: the\nlaw is (1 - density)^(n n) and "
      "(1 - density)^n.\n");
  page.Line("| pruning | density | n = 4 | n = 8 | n = 16 | n = 32 |\n|---|---|---|---|---|---|");
  for (const auto& [name, pattern] : {std::pair{"magnitude", Pattern::kMagnitude},
                                      {"random", Pattern::kRandom},
                                      {"16 x 16 tiles", Pattern::kTiles}}) {
    for (const double density : kDensities) {
      if (density == 1) continue;
      const LayerMasks masks(study.Pruned(pattern, density), study.format);
      std::string line = fmt::format("| {} | {:.0f} % |", name, 100 * density);
      for (const int n : kArraySizes) {
        line += fmt::format(" {:.2f} / {:.1f} |", EmptyShare(masks, n, n), EmptyShare(masks, n, 1));
      }
      page.Line(line);
    }
  }
}

/// The counts of MATMULs by name.
class CountsByName : public model::MachineObserver {
 public:
  void OnDone(const model::Step& step, const model::Counts& counts) override {
    if (counts.mac_rows == 0) return;
    of_[step.name->text] += counts;
    all_ += counts;
  }
  [[nodiscard]] const std::map<std::string, model::Counts>& of() const { return of_; }
  [[nodiscard]] const model::Counts& all() const { return all_; }

 private:
  std::map<std::string, model::Counts> of_;
  model::Counts all_;
};

CountsByName RunSentences(const Study& study, const Model& model, double threshold, size_t limit,
                          bool pack) {
  const model::Image image = Value(checkpoint::BuildImage(
      model.config, model.weights, study.biases, study.config, {.name = {}, .pack_weights = pack}));
  model::Machine machine(study.config, image);
  CountsByName counts;
  for (size_t i = 0; i < std::min(limit, study.sentences.size()); ++i) {
    machine.Run(checkpoint::TokenWords(study.sentences[i].tokens),
                static_cast<uint32_t>(std::ldexp(threshold, spec::kEntropyFraction)), &counts);
  }
  return counts;
}

/// Tiles that the encoder matrices of one layer take, with or without packing, on arrays of n.
uint64_t LayerTiles(const Study& study, const Model& model, int n, bool pack) {
  Study sized = study;
  sized.config.vmac.n = n;
  sized.config = Value(checkpoint::FitConfig(model.config, sized.config));
  constexpr double kAfterOneLayer = 60000;
  const CountsByName counts = RunSentences(sized, model, kAfterOneLayer, 1, pack);
  uint64_t tiles = 0;
  for (const auto& [name, mask] : LayerMasks(model, study.format).All()) {
    tiles += counts.of().at(name).tiles;
  }
  return tiles;
}

void Reordering(Page& page, const Study& study) {
  page.Line(
      "\n## Reordering lanes: `--pack-weights`\n\nFFN neurons, and lanes inside a head, may be "
      "permuted and unread ones left out without any effect on the results.\nAbsent tiles of the "
      "encoder matrices in percent: as they come / packed.\n");
  page.Line("| pruning | density | n = 4 | n = 8 | n = 16 | n = 32 |\n|---|---|---|---|---|---|");
  const auto row = [&](const char* name, const std::string& density, const Model& model) {
    std::string line = fmt::format("| {} | {} |", name, density);
    for (const int n : kArraySizes) {
      const auto all =
          static_cast<double>(LayerTiles(study, study.Pruned(Pattern::kMagnitude, 1), n, false));
      const auto absent = [&](bool pack) {
        return 100 - Percent(static_cast<double>(LayerTiles(study, model, n, pack)), all);
      };
      line += fmt::format(" {:.2f} / **{:.2f}** |", absent(false), absent(true));
    }
    page.Line(line);
  };
  row("as shipped", "45 %", study.model);
  for (const auto& [name, pattern] : {std::pair{"magnitude", Pattern::kMagnitude},
                                      {"random", Pattern::kRandom},
                                      {"FFN neurons", Pattern::kNeurons}}) {
    for (const double density : kDensities) {
      if (density == 1 || (density > 0.5 && pattern != Pattern::kNeurons)) continue;
      row(name, fmt::format("{:.0f} %", 100 * density), study.Pruned(pattern, density));
    }
  }
}

void Gating(Page& page, const Study& study) {
  const int n = study.config.vmac.n;
  page.Line(fmt::format(
      "\n## Products with a zero operand\n\nThe golden machine on {} sentences, the shipped model, "
      "n = {}, its own threshold. In percent of the products\nof the operation; \"vector\" is what "
      "the gate of whole zero vectors catches. Held: the weight, or for scores and context\nthe "
      "activation in its place.\n",
      study.sentences.size(), n));
  page.Line(
      "| operation | share of all products | source zero | held zero | either zero | vector zero "
      "|\n"
      "|---|---|---|---|---|---|");
  const CountsByName counts =
      RunSentences(study, study.model, study.model.config.entropy_threshold, SIZE_MAX, false);
  const auto row = [&](const std::string& name, const model::Counts& c) {
    const double products = double(c.mac_rows) * n * n;
    const auto zero = [&](uint64_t live) { return 100 - Percent(double(live), products); };
    page.Line(fmt::format("| {} | {:.1f} | {:.1f} | {:.1f} | **{:.1f}** | {:.2f} |", name,
                          Percent(double(c.mac_rows), double(counts.all().mac_rows)),
                          zero(c.source_products), zero(c.held_products), zero(c.live_products),
                          Percent(double(c.gated_rows), double(c.mac_rows))));
  };
  for (const auto& [name, c] : counts.of()) row(name, c);
  row("all", counts.all());
}

void Work(Page& page, const Study& study) {
  constexpr size_t kSentences = 40;
  const int n = study.config.vmac.n;
  page.Line(fmt::format(
      "\n## Work against density\n\nThe golden machine on {} sentences, n = {}, all layers; the "
      "encoder pruned anew, the rest as shipped. MAC cycles are\nthe rows that stream through "
      "held tiles; packed: with `--pack-weights`.\n",
      kSentences, n));
  page.Line(
      "| pruning | density | MAC cycles a sentence | packed | weight stream bytes | products with "
      "a "
      "zero operand |\n|---|---|---|---|---|---|");
  for (const auto& [name, pattern] : {std::pair{"magnitude", Pattern::kMagnitude},
                                      {"random", Pattern::kRandom},
                                      {"FFN neurons", Pattern::kNeurons},
                                      {"16 x 16 tiles", Pattern::kTiles}}) {
    for (const double density : kDensities) {
      if (density == 1 && pattern != Pattern::kMagnitude) continue;
      const Model model = study.Pruned(pattern, density);
      const model::Counts c = RunSentences(study, model, 0, kSentences, false).all();
      const model::Counts packed = RunSentences(study, model, 0, kSentences, true).all();
      page.Line(fmt::format("| {} | {:.0f} % | {:.0f} | {:.0f} | {:.0f} | {:.1f} % |", name,
                            100 * density, double(c.mac_rows) / kSentences,
                            double(packed.mac_rows) / kSentences,
                            double(c.weight_beats) * study.config.axi.data_width / 8 / kSentences,
                            100 - Percent(double(c.live_products), double(c.mac_rows) * n * n)));
    }
  }
}

void Conclusion(Page& page) {
  page.Line(R"(
## What pays at which density

- **Skip** (always on: a tile without weights is not in the stream and takes neither cycles nor bytes) pays for weights
  pruned in blocks: cycles fall with the density of tiles. Scattered zeros hardly ever fill a tile: nothing for n >= 16,
  and n = 4 sees 18 % of its tiles empty at 10 % density, 3 % at 20 %.
- **Compact** (`--pack-weights`: reordered lanes, no hardware, the same results) pays for pruned FFN neurons, whose tiles
  all go, wherever they are: half of the neurons are 37.5 % of the encoder's tiles. Of scattered zeros at n = 16 it makes
  9 % of the tiles absent at 5 % density, 4 % at 10 %, under 1 % from 20 % up. The shipped checkpoint, at 45 %, gains
  nothing at n = 16, 0.1 % at n = 8 and 1.3 % at n = 4. Hence it is an option, and off unless asked for. An array that
  gathers its k lanes could at most skip the empty k-lane vectors: at n = 16, 20 % of them at 10 % density, 3 % at 20 %, none
  on the shipped checkpoint.
- **Gate** (`vmac.operand_gating`, on unless turned off: the sign of a product with a zero operand stands still) pays at
  every density: with scattered zeros the share of products with a zero operand is 1 - density and a little more. Nearly
  all of it comes from weights, which are held for a whole tile; activations are rarely zero (GELU, LayerNorm), but for
  the probabilities of the context. Whole zero source vectors, which the operand registers leave out in any case, are
  0.03 % of the rows. [gating.md](gating.md) has the toggles that it saves: 30 % of the array's at 45 % density.
- **Bitmask** compression pays in bytes at every density below 7/8: 8 bits a weight and 1 for the mask.

The encoder densities of EdgeBERT, recalled and not verified, are 50 % (MNLI, SST-2), 40 % (QNLI) and 20 % (QQP): there, gating and
bitmask are what unstructured pruning can have.)");
}

int Main(int argc, const char* const* argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: {} MODEL DATA.tsv PAGE.md\n", argv[0]);
    return 2;
  }
  const std::string folder = argv[1];
  Study study;
  study.model = Value(checkpoint::LoadModel(folder));
  study.biases = Value(checkpoint::ReadActivationBiases(folder));
  study.config = Value(checkpoint::FitConfig(study.model.config, {}));
  study.format = checkpoint::FormatOf(study.config);
  const checkpoint::Tokenizer tokenizer =
      Value(checkpoint::Tokenizer::Load(folder + "/tokenizer.model", study.model.config));
  study.sentences =
      Value(checkpoint::ReadSentences({.texts = {}, .pair = {}, .data = argv[2]},
                                      study.model.config, tokenizer, study.config.model.seq_len));
  Page page;
  page.Line("# Sparsity\n\nMeasured by `scripts/bench.sh DATA.tsv sparsity`.\n");
  Shipped(page, study);
  AgainstDensity(page, study);
  Reordering(page, study);
  Gating(page, study);
  Work(page, study);
  Conclusion(page);
  std::ofstream(argv[3]) << page.text();
  return 0;
}

}  // namespace
}  // namespace edgebert

int main(int argc, char** argv) { return edgebert::Main(argc, argv); }
