// Array sizes, and ALBERT-base with what EdgeBERT leaves out of it, by the cycle model and the
// golden machine, a few points of it on the RTL. Prints two pages and writes them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <random>
#include <vector>

#include "cosim/program/session.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/model/cycle_model.h"
#include "golden/model/machine.h"
#include "tests/bench/page.h"

namespace edgebert {
namespace {

spec::AcceleratorConfig Load(const std::string& file) {
  auto config = spec::LoadConfig(file);
  EB_CHECK(config.ok(), "{}", config.error().Format());
  return *config;
}

model::Image Build(const checkpoint::Model& model, const spec::AcceleratorConfig& config) {
  auto image = checkpoint::BuildImage(model.config, model.weights, {}, config, {.name = "random"});
  EB_CHECK(image.ok(), "{}", image.error().Format());
  return *std::move(image);
}

checkpoint::Model Dense(const spec::AcceleratorConfig& config) {
  checkpoint::Model model;
  model.config = checkpoint::LargestModelConfig(config);
  model.weights = checkpoint::RandomModelWeights(model.config, config.vmac.n, 1, {0, 0, 0});
  return model;
}

std::vector<uint32_t> Sentence(const checkpoint::Model& model, int tokens) {
  return checkpoint::TokenWords(checkpoint::RandomSentences(model.config, tokens, 1, 1).front());
}

double Percent(uint64_t part, uint64_t whole) {
  return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

// ---- Array sizes ----

struct Sweep {
  int n;
  model::Image image;
  model::CyclePrediction prediction;
};

/// The cycles of the operations of a name, and the name of each once, in the order of the program.
uint64_t Cycles(const Sweep& sweep, const std::string& name) {
  uint64_t cycles = 0;
  for (const model::OperationCycles& operation : sweep.prediction.operations) {
    if (sweep.image.names[size_t(operation.pc)].text == name) cycles += operation.array.Sum();
  }
  return cycles;
}

void ArraySizes(Page& page, const std::string& configs, const std::string& preset) {
  const spec::AcceleratorConfig config = Load(configs + "/" + preset + ".cfg");
  page.Line(fmt::format("\n## {}: {} layers, {} tokens, {}-bit weight stream\n", preset,
                        config.model.layers, config.model.seq_len, config.axi.data_width));
  page.Line(
      "| n | cycles | speed-up | MAC | waits: weights | held tile | read | drain "
      "| no MATMUL |");
  page.Line("|---|---|---|---|---|---|---|---|---|");
  const checkpoint::Model model = Dense(config);
  std::vector<Sweep> sweeps;
  for (const int n : {4, 8, 16, 32}) {
    spec::AcceleratorConfig sized = config;
    sized.vmac.n = n;
    sweeps.push_back({n, Build(model, sized), {}});
    Sweep& sweep = sweeps.back();
    sweep.prediction = model::CycleModel(sized, sweep.image)
                           .Predict(Sentence(model, config.model.seq_len), config.model.layers);
    const model::CyclePrediction& p = sweep.prediction;
    const auto share = [&](uint64_t cycles) { return Percent(cycles, p.cycles); };
    page.Line(fmt::format(
        "| {} | {} | {:.2f}x | **{:.2f} %** | {:.2f} % | {:.2f} % | {:.2f} % | {:.2f} % "
        "| {:.2f} % |",
        n, p.cycles,
        static_cast<double>(sweeps.front().prediction.cycles) / static_cast<double>(p.cycles),
        share(p.array.mac), share(p.array.weight), share(p.array.held), share(p.array.read),
        share(p.array.drain), share(p.matmul_idle)));
  }
  page.Line("\nCycles of the array by operation, rows and waits together, in percent of all:\n");
  page.Line("| operation | n = 4 | n = 8 | n = 16 | n = 32 |\n|---|---|---|---|---|");
  std::vector<std::string> names;
  for (const model::OperationCycles& operation : sweeps.front().prediction.operations) {
    const std::string& name = sweeps.front().image.names[size_t(operation.pc)].text;
    if (operation.array.Sum() > 0 && std::ranges::find(names, name) == names.end()) {
      names.push_back(name);
    }
  }
  const auto row = [&](const std::string& name, const auto& cycles) {
    std::string line = fmt::format("| {} |", name);
    for (const Sweep& sweep : sweeps) {
      line += fmt::format(" {:.2f} |", Percent(cycles(sweep), sweep.prediction.cycles));
    }
    page.Line(line);
  };
  for (const std::string& name : names) {
    row(name, [&](const Sweep& sweep) { return Cycles(sweep, name); });
  }
  row("no MATMUL", [](const Sweep& sweep) { return sweep.prediction.matmul_idle; });
}

// ---- ALBERT-base with EdgeBERT's savings ----

struct Task {
  const char* name;
  std::array<int, 12> spans;  ///< tokens a head sees; 0: off
  double sparsity;            ///< of the encoder
  double exit_layer;          ///< mean
};

constexpr std::array kTasks = {
    Task{"MNLI", {20, 0, 0, 0, 0, 0, 36, 81, 0, 0, 0, 10}, 0.5, 8.4},
    Task{"QQP", {16, 0, 0, 0, 0, 0, 40, 75, 0, 0, 0, 2}, 0.8, 6.6},
    Task{"SST-2", {31, 0, 0, 0, 0, 0, 101, 14, 5, 0, 36, 0}, 0.5, 5.5},
    Task{"QNLI", {39, 0, 0, 0, 0, 0, 105, 22, 19, 0, 51, 0}, 0.6, 7.7},
};
constexpr double kEmbeddingSparsity = 0.6;
constexpr double kNoExit = 12;

void Spans(checkpoint::ModelConfig& config, checkpoint::ModelWeights& weights, const Task& task) {
  // The mask of a distance d is 1 + z - d, clipped to [0, 1]: a head with z = s - 1 sees s tokens,
  // its own and those up to s - 1 away.
  config.attention_span_ramp = 1;
  weights.attention_span.clear();
  for (const int span : task.spans) {
    weights.attention_span.push_back(static_cast<float>(span - 1));
  }
}

void Prune(std::vector<float>& values, double sparsity) {
  std::mt19937 random(1);
  const auto limit = static_cast<uint32_t>(std::ldexp(sparsity, 32));
  for (float& value : values) {
    if (random() < limit) value = 0;
  }
}

void PruneEncoder(checkpoint::ModelWeights& weights, double sparsity) {
  for (auto& group : weights.groups) {
    for (checkpoint::LayerWeights& layer : group) {
      for (checkpoint::LinearWeights* linear :
           {&layer.query, &layer.key, &layer.value, &layer.attention_output, &layer.ffn,
            &layer.ffn_output}) {
        Prune(linear->weight.values, sparsity);
      }
    }
  }
}

void PruneEmbeddings(checkpoint::ModelWeights& weights) {
  for (checkpoint::Matrix* table :
       {&weights.word_embeddings, &weights.position_embeddings, &weights.type_embeddings}) {
    Prune(table->values, kEmbeddingSparsity);
  }
}

/// What the machine has counted by the end of each layer.
class ByLayer : public model::MachineObserver {
 public:
  void OnDone(const model::Step& step, const model::Counts& counts) override {
    sum_ += counts;
    if (step.instruction->Get(spec::kOpcode) == static_cast<int64_t>(spec::Opcode::kExit)) {
      layers.push_back(sum_);
    }
  }
  std::vector<model::Counts> layers;

 private:
  model::Counts sum_;
};

/// A sentence, or the mean of sentences that leave after different layers.
struct Figures {
  double cycles = 0, mac = 0, weight_bytes = 0;
  double activation_reads = 0, activation_writes = 0, score_reads = 0, reram_words = 0;
};

Figures Measure(const checkpoint::Model& model, const spec::AcceleratorConfig& config, int tokens,
                double exit_layer) {
  const model::Image image = Build(model, config);
  const std::vector<uint32_t> sentence = Sentence(model, tokens);
  const model::CycleModel cycle_model(config, image);
  model::Machine machine(config, image);
  ByLayer counts;
  EB_CHECK(machine.Run(sentence, 0, &counts).error == spec::ErrorCode::kNone, "an error");
  Figures figures;
  const auto add = [&](int layers, double weight) {
    if (weight == 0) return;
    const model::CyclePrediction p = cycle_model.Predict(sentence, layers);
    const model::Counts& c = counts.layers[size_t(layers - 1)];
    const auto sum = [&](double& figure, uint64_t value) {
      figure += weight * static_cast<double>(value);
    };
    sum(figures.cycles, p.cycles);
    sum(figures.mac, p.array.mac);
    sum(figures.weight_bytes, c.weight_beats * uint64_t(config.axi.data_width) / 8);
    sum(figures.activation_reads, c.mac_rows + c.residual_reads + c.held_reads + c.norm_vectors);
    sum(figures.activation_writes, c.activation_writes);
    sum(figures.score_reads, c.softmax_tiles);
    sum(figures.reram_words, c.reram_words);
  };
  const int below = static_cast<int>(exit_layer);
  add(below, 1 - (exit_layer - below));
  add(below + 1, exit_layer - below);
  return figures;
}

void AlbertBase(Page& page, const std::string& configs) {
  const spec::AcceleratorConfig config = Load(configs + "/albert_base.cfg");
  const checkpoint::Model dense = Dense(config);
  const int padded = config.model.seq_len;
  page.Line(
      "| | cycles | against dense | utilisation | weight stream bytes | activation vectors read "
      "| written | score vectors read | ReRAM words |\n|---|---|---|---|---|---|---|---|---|");
  double base = 0;
  const auto row = [&](const std::string& name, const checkpoint::Model& model, int tokens,
                       double exit_layer) {
    const Figures f = Measure(model, config, tokens, exit_layer);
    if (base == 0) base = f.cycles;
    page.Line(fmt::format(
        "| {} | {:.0f} | **{:.2f}x** | {:.1f} % | {:.0f} | {:.0f} | {:.0f} | {:.0f} | {:.0f} |",
        name, f.cycles, base / f.cycles, 100 * f.mac / f.cycles, f.weight_bytes, f.activation_reads,
        f.activation_writes, f.score_reads, f.reram_words));
  };
  row("dense, 128 tokens, 12 layers", dense, padded, kNoExit);
  checkpoint::Model embeddings = dense;
  PruneEmbeddings(embeddings.weights);
  row("only pruned embeddings", embeddings, padded, kNoExit);
  for (const Task& task : kTasks) {
    const std::string name = fmt::format("{}: ", task.name);
    checkpoint::Model spans = dense;
    Spans(spans.config, spans.weights, task);
    row(name + "only spans", spans, padded, kNoExit);
    checkpoint::Model pruned = dense;
    PruneEncoder(pruned.weights, task.sparsity);
    row(name + "only pruned encoder", pruned, padded, kNoExit);
    row(name + "only early exit", dense, padded, task.exit_layer);
    checkpoint::Model all = embeddings;
    Spans(all.config, all.weights, task);
    PruneEncoder(all.weights, task.sparsity);
    row(name + "all", all, padded, task.exit_layer);
    row(name + "all, 32 tokens", all, 32, task.exit_layer);
  }
}

/// All savings but the exit on the RTL, every write-back compared.
void OnRtl(Page& page, const std::string& configs) {
  page.Line(
      "\n## On the RTL\n\nPruned embeddings, spans and pruned encoder, all 12 layers, every "
      "write-back compared with the golden machine.\n\n| | tokens | cycles | predicted | "
      "utilisation | write-backs | bit-exact |\n|---|---|---|---|---|---|---|");
  const auto row = [&](const Task& task, int tokens) {
    const std::string config = configs + "/albert_base.cfg";
    const std::string length = std::to_string(tokens);
    const std::vector<const char*> arguments = {"edgebert-cosim", "--config",    config.c_str(),
                                                "--random-model", "1",           "--full-size",
                                                "--limit",        "1",           "--length",
                                                length.c_str(),   "--threshold", "0"};
    const auto options =
        cosim::Options::Parse(static_cast<int>(arguments.size()), arguments.data());
    EB_CHECK(options.ok() && options->has_value(), "{}", options.error().Format());
    const auto workload = cosim::PrepareWorkload(
        **options, [&](checkpoint::ModelConfig& model, checkpoint::ModelWeights& weights) {
          PruneEmbeddings(weights);
          Spans(model, weights, task);
          PruneEncoder(weights, task.sparsity);
        });
    EB_CHECK(workload.ok(), "{}", workload.error().Format());
    cosim::Session session(**options, *workload, cosim::EmitVerilog(workload->config), {}, {});
    const Status built = session.Build();
    EB_CHECK(built.ok(), "{}", built.error().Format());
    const cosim::SentenceOutcome outcome = session.Run(0);
    page.Line(fmt::format(
        "| {} | {} | {} | {} | {:.1f} % | {} | {} |", task.name, tokens,
        outcome.hardware.Counter("CYCLES"), outcome.predicted->cycles,
        Percent(outcome.hardware.Counter("MAC_CYCLES"), outcome.hardware.Counter("CYCLES")),
        outcome.compared, outcome.divergence ? "NO" : "yes"));
  };
  for (const Task& task : kTasks) row(task, 32);
  row(kTasks[2], 128);
}

int Main(int argc, const char* const* argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: {} CONFIGS ARRAY_SIZES.md ALBERT_BASE.md\n", argv[0]);
    return 2;
  }
  constexpr char kExact[] =
      "The cycle model is exact for such sentences: `cycle_model_cosim` holds it\nagainst the RTL, "
      "and [cycles.md](cycles.md) has a layer at these sizes on the RTL.";
  Page sizes;
  sizes.Line(fmt::format(
      "# Array sizes\n\nPredicted by `scripts/bench.sh DATA.tsv shapes` for dense random models of "
      "full size and full depth; only n differs.\n{}",
      kExact));
  ArraySizes(sizes, argv[1], "default");
  ArraySizes(sizes, argv[1], "albert_base");
  std::ofstream(argv[2]) << sizes.text();

  Page albert;
  albert.Line(fmt::format(
      "# ALBERT-base with EdgeBERT's savings\n\nPredicted by `scripts/bench.sh DATA.tsv shapes` "
      "for random weights on `albert_base` (n = 16); accesses are counted by the golden\nmachine. "
      "{}\n\n**Spans and sparsities are recalled, not verified against the paper**, and a mean "
      "exit layer is what a published runtime\nsaving at a loss of one point would mean: spans of "
      "the 12 heads in tokens, sparsity of the encoder (scattered, so no tile\nis absent), exit "
      "layer. Embeddings are {:.0f} % zero. No model of this size was trained for it.\n",
      kExact, 100 * kEmbeddingSparsity));
  albert.Line("| task | spans | sparsity | exit layer |\n|---|---|---|---|");
  for (const Task& task : kTasks) {
    albert.Line(fmt::format("| {} | {} | {:.0f} % | {} |", task.name, fmt::join(task.spans, " "),
                            100 * task.sparsity, task.exit_layer));
  }
  albert.Line("");
  AlbertBase(albert, argv[1]);
  OnRtl(albert, argv[1]);
  std::ofstream(argv[3]) << albert.text();
  return 0;
}

}  // namespace
}  // namespace edgebert

int main(int argc, char** argv) { return edgebert::Main(argc, argv); }
