// What the accelerator takes: cycles and where they go, over shapes and array sizes, and what each
// of EdgeBERT's savings brings, on the RTL and bit-exact. Prints tables and writes them.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <numeric>

#include "cosim/program/session.h"
#include "golden/checkpoint/model_config.h"
#include "tests/bench/page.h"

namespace edgebert::cosim {
namespace {

/// Sums over sentences.
struct Figures {
  std::array<double, spec::kCounters.size()> counters{};
  double seconds = 0;
  double simulated = 0;
  double weight_bytes = 0;
  bool exact = true;
  std::vector<std::vector<Operation>> operations;  ///< of each sentence
  std::vector<int> exit_layers;

  [[nodiscard]] double Of(const char* counter) const { return counters[CounterIndex(counter)]; }
  Figures operator-(const Figures& other) const {
    Figures difference = *this;
    for (size_t i = 0; i < counters.size(); ++i) difference.counters[i] -= other.counters[i];
    return difference;
  }
};

struct Case {
  std::vector<std::string> arguments;  ///< of edgebert-cosim
  ModelEdit edit;
  bool padded = false;  ///< every sentence as long as the accelerator takes
};

Figures Run(const Case& test) {
  std::vector<const char*> arguments = {"edgebert-cosim"};
  for (const std::string& argument : test.arguments) arguments.push_back(argument.c_str());
  const auto options = Options::Parse(static_cast<int>(arguments.size()), arguments.data());
  EB_CHECK(options.ok() && options->has_value(), "{}", options.error().Format());
  auto workload = PrepareWorkload(**options, test.edit);
  EB_CHECK(workload.ok(), "{}", workload.error().Format());
  if (test.padded) {
    for (Sentence& sentence : workload->sentences) {
      sentence.tokens.resize(static_cast<size_t>(workload->image.facts.max_tokens),
                             static_cast<uint32_t>(workload->model.pad_token_id));
    }
  }
  Session session(**options, *workload, EmitVerilog(workload->config), {}, {});
  const Status built = session.Build();
  EB_CHECK(built.ok(), "{}", built.error().Format());
  Figures figures;
  for (size_t i = 0; i < workload->sentences.size(); ++i) {
    const std::clock_t before = std::clock();
    const SentenceOutcome outcome = session.Run(i);
    figures.seconds += static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    figures.exact = figures.exact && !outcome.divergence;
    for (size_t c = 0; c < figures.counters.size(); ++c) {
      figures.counters[c] += static_cast<double>(outcome.hardware.counters[c]);
    }
    figures.weight_bytes += static_cast<double>(outcome.hardware.Counter("WEIGHT_BEATS")) *
                            workload->config.axi.data_width / 8;
    figures.simulated +=
        static_cast<double>(outcome.hardware.last_cycle - outcome.hardware.first_cycle);
    figures.operations.push_back(outcome.operations);
    figures.exit_layers.push_back(outcome.hardware.exit_layer);
  }
  return figures;
}

void CyclesHead(Page& page) {
  page.Line(
      "| | n | tokens | cycles | ideal MAC cycles | utilisation | waits: weights | held tile "
      "| read | drain | no MATMUL | bit-exact |");
  page.Line("|---|---|---|---|---|---|---|---|---|---|---|---|");
}

void CyclesRow(Page& page, const std::string& name, int n, int tokens, const Figures& f) {
  const double cycles = f.Of("CYCLES");
  const auto share = [&](const char* counter) {
    return fmt::format("{:.2f} %", 100 * f.Of(counter) / cycles);
  };
  page.Line(fmt::format("| {} | {} | {} | {:.0f} | {:.0f} | **{}** | {} | {} | {} | {} | {} | {} |",
                        name, n, tokens, cycles, f.Of("MAC_CYCLES"), share("MAC_CYCLES"),
                        share("WAIT_WEIGHT"), share("WAIT_HELD"), share("WAIT_READ"),
                        share("WAIT_DRAIN"), share("IDLE_MATMUL"), f.exact ? "yes" : "NO"));
}

std::vector<std::string> FullSize(const std::string& configs, const std::string& preset, int tokens,
                                  int layers) {
  return {"--config",
          configs + "/" + preset + ".cfg",
          "--random-model",
          "1",
          "--full-size",
          "--limit",
          "1",
          "--length",
          std::to_string(tokens),
          "--model.layers",
          std::to_string(layers),
          "--threshold",
          "0"};
}

/// A layer alone: two layers less one, without the pooler of an off-ramp, which is a row of its own
/// and not the layer's. And the whole sentence of one layer.
void Shapes(Page& page, const std::string& configs) {
  page.Line("## Shapes and array sizes\n");
  page.Line(
      "Dense random weights of the configuration's full size. \"Layer\" is the difference of "
      "a sentence of two\nlayers and one of one layer, without the pooler of off-ramps; "
      "\"sentence\" has one layer, embeddings,\noff-ramp with its pooler if there is one, and "
      "exit.\n");
  CyclesHead(page);
  struct Shape {
    const char* name;
    const char* preset;
    int n;
    int tokens;
  };
  for (const Shape& shape :
       {Shape{"ALBERT-base", "albert_base", 16, 128}, Shape{"default", "default", 16, 64},
        Shape{"default", "default", 16, 30}, Shape{"default", "n4", 4, 64},
        Shape{"default", "n8", 8, 64}, Shape{"default", "n32", 32, 64}}) {
    const auto layers = [&](int count, bool pooler) {
      std::vector<std::string> arguments = FullSize(configs, shape.preset, shape.tokens, count);
      if (!pooler) arguments.insert(arguments.end(), {"--model.pooler", "false"});
      return Run({.arguments = arguments});
    };
    const Figures one = layers(1, false);
    const Figures two = layers(2, false);
    Figures layer = two - one;
    layer.exact = one.exact && two.exact;
    CyclesRow(page, fmt::format("{}, layer", shape.name), shape.n, shape.tokens, layer);
    const Figures sentence = layers(1, true);
    CyclesRow(page, fmt::format("{}, sentence", shape.name), shape.n, shape.tokens, sentence);
    if (shape.n == 16 && shape.tokens == 128) {
      fmt::print(stderr, "simulated {:.0f} kcycles/s of processor time\n",
                 sentence.simulated / sentence.seconds / 1000);
    }
  }
}

void NoSpans(checkpoint::ModelConfig& config, checkpoint::ModelWeights& weights) {
  config.attention_span_ramp = 0;
  weights.attention_span.clear();
}

/// Every weight present. The value does not matter: only cycles are read off such a run.
void NoPruning(checkpoint::ModelConfig& /*config*/, checkpoint::ModelWeights& weights) {
  const auto fill = [](checkpoint::LinearWeights& linear) {
    float largest = 0;
    for (const float value : linear.weight.values) largest = std::max(largest, std::abs(value));
    for (float& value : linear.weight.values) {
      if (value == 0) value = largest / 16;
    }
  };
  for (auto& group : weights.groups) {
    for (checkpoint::LayerWeights& layer : group) {
      for (checkpoint::LinearWeights* linear :
           {&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.ffn,
            &layer.ffn_output}) {
        fill(*linear);
      }
    }
  }
}

/// Cycles to the end of the EXIT of each sentence's layer, in a run that went to full depth.
double CyclesToLayer(const Figures& full, const std::vector<int>& exit_layers) {
  double cycles = 0;
  for (size_t i = 0; i < exit_layers.size(); ++i) {
    const std::vector<Operation>& operations = full.operations[i];
    for (const Operation& operation : operations) {
      if (operation.opcode == spec::Opcode::kExit && operation.layer == exit_layers[i] - 1) {
        cycles += static_cast<double>(operation.last_cycle - operations.front().first_cycle);
      }
    }
  }
  return cycles;
}

void Features(Page& page, const std::string& configs, const std::string& model,
              const std::string& data, int sentences) {
  const auto config = checkpoint::ReadModelConfig(model + "/config.json");
  EB_CHECK(config.ok(), "{}", config.error().Format());
  const double threshold = config->entropy_threshold;
  page.Line(
      fmt::format("\n## What each saving brings\n\nThe shipped model on the default "
                  "accelerator, the first {} sentences of {}, early exit below {} nats; "
                  "means of a sentence.\n",
                  sentences, data.substr(data.rfind('/') + 1), threshold));
  const auto run = [&](const ModelEdit& edit, bool padded, double limit) {
    return Run({.arguments = {"--config", configs + "/default.cfg", "--model", model, "--data",
                              data, "--limit", std::to_string(sentences), "--threshold",
                              fmt::format("{}", limit)},
                .edit = edit,
                .padded = padded});
  };
  const ModelEdit dense = [](auto& config, auto& weights) {
    NoSpans(config, weights);
    NoPruning(config, weights);
  };
  const Figures all = run({}, false, threshold);
  const Figures base = run(dense, true, 0);
  page.Line(
      "| | cycles | against dense | utilisation | weight stream bytes | activation vectors "
      "read | scores read | ReRAM words | bit-exact |");
  page.Line("|---|---|---|---|---|---|---|---|---|");
  const auto row = [&](const char* name, const Figures& f) {
    const double count = sentences;
    page.Line(
        fmt::format("| {} | {:.0f} | **{:.2f}x** | {:.1f} % | {:.0f} | {:.0f} | {:.0f} | "
                    "{:.0f} | {} |",
                    name, f.Of("CYCLES") / count, base.Of("CYCLES") / f.Of("CYCLES"),
                    100 * f.Of("MAC_CYCLES") / f.Of("CYCLES"), f.weight_bytes / count,
                    f.Of("ACTIVATION_READS") / count, f.Of("SCORE_READS") / count,
                    f.Of("RERAM_READS") / count, f.exact ? "yes" : "NO"));
  };
  row("dense, padded, all layers", base);
  row("only the sentence's own length", run(dense, false, 0));
  row("only spans", run(NoPruning, true, 0));
  row("only pruned weights", run(NoSpans, true, 0));
  const double exit = CyclesToLayer(base, all.exit_layers);
  page.Line(
      fmt::format("| only early exit (after layer {:.2f}) | {:.0f} | **{:.2f}x** | | | | | | |",
                  std::accumulate(all.exit_layers.begin(), all.exit_layers.end(), 0.0) / sentences,
                  exit / sentences, base.Of("CYCLES") / exit));
  row("all but early exit", run({}, false, 0));
  row("all", all);
  page.Line("\n\"Only early exit\" is the dense run up to the layer after which the model exits.");
}

int Main(int argc, const char* const* argv) {
  if (argc != 6) {
    fmt::print(stderr, "usage: {} CONFIGS MODEL DATA.tsv SENTENCES PAGE.md\n", argv[0]);
    return 2;
  }
  Page page;
  page.Line(
      "# Cycles\n\nMeasured on the RTL (`scripts/bench.sh`), every write-back compared with "
      "the golden model.\n");
  Shapes(page, argv[1]);
  Features(page, argv[1], argv[2], argv[3], std::stoi(argv[4]));
  std::ofstream(argv[5]) << page.text();
  return 0;
}

}  // namespace
}  // namespace edgebert::cosim

int main(int argc, char** argv) { return edgebert::cosim::Main(argc, argv); }
