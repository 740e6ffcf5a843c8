// Two tasks on one accelerator and one embedding table: sentences of the two in turn, on the RTL
// and bit-exact, and what each change of the task takes. Prints a page and writes it.
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <numeric>
#include <vector>

#include "cosim/program/session.h"
#include "tests/bench/page.h"
#include "tests/bench/value.h"

namespace edgebert::cosim {
namespace {

constexpr int kClasses = 7;        // of the larger task
constexpr int kResidentKib = 512;  // holds either weight stream
constexpr size_t kResidentSentences = 2;

/// Passes samples to the scoreboard of the task that runs.
struct Relay : Agent {
  void Sample(uint64_t cycle) override {
    if (target != nullptr) target->Sample(cycle);
  }
  Scoreboard* target = nullptr;
};

struct Task {
  Workload workload;
  std::vector<size_t> chosen;  ///< sentences, evenly spread over the data
  std::unique_ptr<Scoreboard> scoreboard;
  std::unique_ptr<model::Machine> machine;  ///< to know how long the hardware may take
  SwitchCost cost;                          ///< of a change to this task
  size_t exact = 0, correct = 0;
  uint64_t compared = 0, cycles = 0, layers = 0;
};

Task Prepare(const std::string& config, int resident_kib, const std::string& model,
             const std::string& data, size_t sentences) {
  const std::vector<std::string> arguments = {"edgebert-cosim",
                                              "--config",
                                              config,
                                              "--model.classes",
                                              std::to_string(kClasses),
                                              "--memory.resident_kib",
                                              std::to_string(resident_kib),
                                              "--model",
                                              model,
                                              "--data",
                                              data};
  std::vector<const char*> words;
  for (const std::string& argument : arguments) words.push_back(argument.c_str());
  Task task;
  task.workload =
      Value(PrepareWorkload(*Value(Options::Parse(static_cast<int>(words.size()), words.data()))));
  const size_t all = task.workload.sentences.size();
  for (size_t i = 0; i < std::min(all, sentences); ++i) {
    task.chosen.push_back(i * all / std::min(all, sentences));
  }
  return task;
}

void RunSentence(Accelerator& accelerator, Relay& relay, Task& task, const Sentence& sentence) {
  const uint32_t threshold = task.workload.threshold_register;
  task.machine->Run(sentence.tokens, threshold);
  const uint64_t limit = CycleLimit(task.machine->result().counts, task.workload.config,
                                    AcceleratorOptions{}.latency, 0);
  Scoreboard& scoreboard = *task.scoreboard;
  relay.target = &scoreboard;
  scoreboard.Start(sentence.tokens, threshold);
  const HardwareResult result =
      accelerator.Run(sentence.tokens, threshold, 1, limit, [&] { return scoreboard.diverged(); });
  if (!result.finished && !scoreboard.diverged()) scoreboard.ReportHang(limit);
  scoreboard.Finish(result, accelerator.Violations());
  relay.target = nullptr;
  if (scoreboard.diverged()) fmt::print(stderr, "{}\n", scoreboard.divergence()->Format());
  task.exact += scoreboard.diverged() ? 0 : 1;
  task.correct += result.prediction == *sentence.label ? 1 : 0;
  task.compared += scoreboard.compared();
  task.cycles += result.Counter("CYCLES");
  task.layers += static_cast<uint64_t>(result.exit_layer);
}

/// Sentences of the two tasks in turn, in one simulator that is never reset.
void Alternate(std::vector<Task>& tasks) {
  auto accelerator = Value(
      Accelerator::Build(tasks[0].workload.config, EmitVerilog(tasks[0].workload.config), {}));
  Relay relay;
  accelerator->Add(relay);
  for (Task& task : tasks) {
    const Workload& workload = task.workload;
    task.scoreboard =
        std::make_unique<Scoreboard>(accelerator->dut(), workload.config, workload.image);
    task.machine = std::make_unique<model::Machine>(workload.config, workload.image);
  }
  Value(accelerator->Load(tasks[1].workload.image, 1));
  for (size_t i = 0; i < tasks[0].chosen.size(); ++i) {
    for (Task& task : tasks) {
      task.cost = Value(accelerator->SwitchTask(task.workload.image));
      RunSentence(*accelerator, relay, task, task.workload.sentences[task.chosen[i]]);
    }
  }
}

void Costs(Page& page, const std::vector<Task>& shared, const std::vector<Task>& resident) {
  const int beat_bytes = shared[0].workload.config.axi.data_width / 8;
  const auto row = [&](const std::string& name, const auto& bytes, const auto& cycles) {
    std::string line = fmt::format("| {} |", name);
    for (size_t task = 0; task < shared.size(); ++task) line += fmt::format(" {} |", bytes(task));
    for (size_t task = 0; task < shared.size(); ++task) line += fmt::format(" {} |", cycles(task));
    page.Line(line);
  };
  const auto image = [&](size_t task) -> const model::Image& {
    return shared[task].workload.image;
  };
  const auto all = [&](size_t task) {
    return 32 * image(task).program.size() + image(task).weights.size();
  };
  const auto tables = [&](size_t task) {
    return image(task).reram.slc.size() + image(task).reram.mlc.size();
  };
  const auto beats = [&](uint64_t bytes) {
    return fmt::format("at least {}", bytes / static_cast<uint64_t>(beat_bytes));
  };
  page.Line(
      "\n## What a change takes\n\nBytes that enter the accelerator, and cycles from the first "
      "register write to the interrupt.\n");
  page.Line(fmt::format("| | bytes, to {0} | to {1} | cycles, to {0} | to {1} |",
                        image(0).facts.name, image(1).facts.name));
  page.Line("|---|---|---|---|---|");
  row(
      "embeddings in ReRAM, weights stay in DRAM: program only (RTL)",
      [&](size_t task) { return shared[task].cost.bytes; },
      [&](size_t task) { return shared[task].cost.cycles; });
  row(
      fmt::format("embeddings in ReRAM, weights on chip (`--memory.resident_kib {}`): program and "
                  "weights (RTL)",
                  kResidentKib),
      [&](size_t task) { return resident[task].cost.bytes; },
      [&](size_t task) { return resident[task].cost.cycles; });
  row(
      "everything again, embeddings too, as compact as here (computed)",
      [&](size_t task) { return all(task) + tables(task); },
      [&](size_t task) { return beats(all(task) + tables(task)); });
  row(
      "everything again, embeddings too, a byte an element (computed)",
      [&](size_t task) {
        const auto& model = shared[task].workload.model;
        return all(task) +
               static_cast<size_t>(model.embedding_size) *
                   static_cast<size_t>(model.vocab_size + model.max_position_embeddings +
                                       model.type_vocab_size);
      },
      [&](size_t task) {
        const auto& model = shared[task].workload.model;
        return beats(all(task) +
                     static_cast<size_t>(model.embedding_size) *
                         static_cast<size_t>(model.vocab_size + model.max_position_embeddings +
                                             model.type_vocab_size));
      });
  page.Line(
      fmt::format("\n\"At least\": a beat of {} bytes a cycle; this accelerator cannot write its "
                  "ReRAM, so there "
                  "is nothing to measure.\nWith the weights in DRAM a task's own {} and {} bytes "
                  "of weights are "
                  "read as its sentences need them, after a change\nas before it.",
                  beat_bytes, image(0).weights.size(), image(1).weights.size()));
}

int Main(int argc, const char* const* argv) {
  if (argc != 8) {
    fmt::print(stderr, "usage: {} CONFIG MODEL DATA.tsv MODEL DATA.tsv SENTENCES PAGE.md\n",
               argv[0]);
    return 2;
  }
  const auto prepare = [&](int resident_kib, size_t sentences) {
    std::vector<Task> tasks;
    for (int task = 0; task < 2; ++task) {
      tasks.push_back(
          Prepare(argv[1], resident_kib, argv[2 + 2 * task], argv[3 + 2 * task], sentences));
    }
    return tasks;
  };
  std::vector<Task> tasks = prepare(0, std::stoul(argv[6]));
  std::vector<Task> resident = prepare(kResidentKib, kResidentSentences);
  Alternate(tasks);
  Alternate(resident);
  Page page;
  page.Line(fmt::format(
      "# Task switch\n\nMeasured by `scripts/bench.sh DATA.tsv task_switch`: two models on one "
      "frozen embedding table, one accelerator (default,\n`--model.classes {}`, DRAM latency 16) "
      "that is never reset. Before every sentence the task changes: the host writes the\naddresses "
      "of the other program and weights and loads the program; the ReRAM is not touched, and the "
      "memory of the\ntask before is unmapped.\n",
      kClasses));
  page.Line("## Sentences on the RTL\n");
  page.Line(
      "| task | weights | sentences, evenly spread | bit-exact | write-backs compared | right | "
      "mean "
      "exit layer | cycles a sentence |");
  page.Line("|---|---|---|---|---|---|---|---|");
  for (const auto* run : {&tasks, &resident}) {
    for (const Task& task : *run) {
      const auto count = static_cast<double>(task.chosen.size());
      page.Line(fmt::format("| {} | {} | {} of {} | {} | {} | {} | {:.2f} of {} | {:.0f} |",
                            task.workload.image.facts.name, run == &tasks ? "DRAM" : "on chip",
                            task.chosen.size(), task.workload.sentences.size(), task.exact,
                            task.compared, task.correct, double(task.layers) / count,
                            task.workload.image.facts.layers, double(task.cycles) / count));
    }
  }
  Costs(page, tasks, resident);
  std::ofstream(argv[7]) << page.text();
  return 0;
}

}  // namespace
}  // namespace edgebert::cosim

int main(int argc, char** argv) { return edgebert::cosim::Main(argc, argv); }
