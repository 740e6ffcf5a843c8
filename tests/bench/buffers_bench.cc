// Memories of an accelerator and what they are for; how far the weight stream must read ahead so
// that the array never waits for it. Predicted by the cycle model. Prints the tables and writes
// them.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "generator/handoff/memory_list.h"
#include "golden/base/check.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/model/cycle_model.h"
#include "golden/spec/config.h"
#include "tests/bench/page.h"

namespace edgebert {
namespace {

/// A dense model of the accelerator's full size with two layers and no pooler: a layer is the
/// difference between them.
class Shape {
 public:
  Shape(const std::string& name, const std::string& file) : name_(name) {
    auto config = spec::LoadConfig(file);
    EB_CHECK(config.ok(), "{}", config.error().Format());
    config_ = *config;
    config_.model.layers = 2;
    config_.model.pooler = false;
    const checkpoint::ModelConfig model = checkpoint::LargestModelConfig(config_);
    const checkpoint::ModelWeights weights =
        checkpoint::RandomModelWeights(model, config_.vmac.n, 1, {0, 0, 0});
    auto image = checkpoint::BuildImage(model, weights, {}, config_);
    EB_CHECK(image.ok(), "{}", image.error().Format());
    image_ = std::move(*image);
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const spec::AcceleratorConfig& config() const { return config_; }

  struct Layer {
    uint64_t cycles = 0;
    uint64_t weight_waits = 0;
  };
  /// A layer of `tokens` tokens, `beats` read ahead from a memory of this latency.
  [[nodiscard]] Layer Predict(int tokens, int beats, int latency) const {
    spec::AcceleratorConfig config = config_;
    config.memory.stream_fifo_beats = beats;
    // The memory takes as many bursts as the accelerator asks for.
    const model::CycleModel cycles(
        config, image_,
        {.latency = latency, .outstanding = static_cast<int>(config.axi.outstanding)});
    const std::vector<uint32_t> words(static_cast<size_t>(tokens), 0);
    const model::CyclePrediction one = cycles.Predict(words, 1);
    const model::CyclePrediction two = cycles.Predict(words, 2);
    return {two.cycles - one.cycles, two.array.weight - one.array.weight};
  }

 private:
  std::string name_;
  spec::AcceleratorConfig config_;
  model::Image image_;
};

void Memories(Page& page, const Shape& shape) {
  page.Line(fmt::format("\n### {}\n", shape.name()));
  page.Line("| memory | words | bits | KiB | holds |\n|---|---|---|---|---|");
  double kib = 0;
  for (const gen::MemoryInstance& memory : gen::MemoryList(shape.config())) {
    const double size = static_cast<double>(memory.Bits()) / 8192;
    if (memory.wrapper == "eb_sram_1r1w") kib += size;
    page.Line(fmt::format("| `{}` | {} | {} | {:.2f} | {} |", memory.path, memory.words,
                          memory.word_bits, size, memory.use));
  }
  page.Line(fmt::format("| SRAM in all | | | **{:.1f}** | |", kib));
}

constexpr int kLargestLatency = 200;

void Latencies(Page& page, const Shape& shape, int tokens) {
  const std::vector<int> beats = {32, 64, 128, 256, 512};
  page.Line(fmt::format("\n{}, {} tokens, {}-bit beats, {} bursts of {} in flight:\n", shape.name(),
                        tokens, shape.config().axi.data_width, shape.config().axi.outstanding,
                        shape.config().axi.max_burst));
  std::string head = "| latency |";
  std::string rule = "|---|";
  for (const int depth : beats) {
    head += fmt::format(" {} beats, {:.1f} KiB |", depth,
                        depth * static_cast<double>(shape.config().axi.data_width) / 8192);
    rule += "---|";
  }
  page.Line(head + "\n" + rule);
  for (const int latency : {16, 50, 100, kLargestLatency}) {
    std::string row = fmt::format("| {} |", latency);
    for (const int depth : beats) {
      const Shape::Layer layer = shape.Predict(tokens, depth, latency);
      row += fmt::format(
          " {} ({:.2f} %) |", layer.cycles,
          100.0 * static_cast<double>(layer.weight_waits) / static_cast<double>(layer.cycles));
    }
    page.Line(row);
  }
  // A hundredth more than with as much as one could want.
  const uint64_t enough = shape.Predict(tokens, beats.back(), kLargestLatency).cycles * 101 / 100;
  const auto smallest = std::find_if(beats.begin(), beats.end(), [&](int depth) {
    return shape.Predict(tokens, depth, kLargestLatency).cycles <= enough;
  });
  page.Line(fmt::format("\nAt {} cycles, {} beats are enough.", kLargestLatency, *smallest));
}

}  // namespace
}  // namespace edgebert

int main(int argc, char** argv) {
  using namespace edgebert;
  if (argc != 3) {
    fmt::print(stderr, "usage: edgebert-buffers-bench CONFIGS OUT.md\n");
    return 2;
  }
  const std::string configs = argv[1];
  const Shape small("default", configs + "/default.cfg");
  const Shape base("ALBERT-base", configs + "/albert_base.cfg");
  Page page;
  page.Line("# Buffers\n");
  page.Line(
      "Written by `scripts/bench.sh DATA.tsv buffers`: memories from the list that the generator "
      "hands\n"
      "off, cycles from the cycle model (equal to the RTL's, `cycle_model_cosim`).\n");
  page.Line("## How far the weight stream reads ahead\n");
  page.Line(
      "The presets hold 256 beats: what sentences of one tile need at the largest latency. A tile "
      "of\nfew rows streams as fast as the bus gives its beats.\n\nCycles of a dense layer, and "
      "the "
      "share of them in which the array waits for weights, "
      "against the\n"
      "latency of the DRAM and the beats that the reader may hold or have asked for.");
  Latencies(page, base, 128);
  Latencies(page, small, 64);
  Latencies(page, small, 16);
  page.Line("\n## Memories");
  Memories(page, small);
  Memories(page, base);
  std::ofstream file(argv[2]);
  file << page.text();
  file.close();
  if (!file) {
    fmt::print(stderr, "error: cannot write '{}'\n", argv[2]);
    return 3;
  }
  return 0;
}
