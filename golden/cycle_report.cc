#include "golden/cycle_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>

#include "golden/base/check.h"

namespace edgebert {
namespace {

double Percent(uint64_t part, uint64_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void CycleTotals::Add(const model::CyclePrediction& prediction) {
  ++sentences;
  cycles += prediction.cycles;
  matmul_idle += prediction.matmul_idle;
  softmax += prediction.softmax;
  layer_norm += prediction.layer_norm;
  embed += prediction.embed;
  exit += prediction.exit;
  for (const model::OperationCycles& operation : prediction.operations) {
    const auto pc = static_cast<size_t>(operation.pc);
    if (array.size() <= pc) array.resize(pc + 1);
    array[pc] += operation.array;
  }
}

model::ArrayCycles CycleTotals::Array() const {
  model::ArrayCycles sum;
  for (const model::ArrayCycles& cycles_of_pc : array) sum += cycles_of_pc;
  return sum;
}

void PrintCycles(const CycleTotals& totals, const model::Image& image) {
  struct Kind {
    std::string name;
    model::ArrayCycles array;
  };
  std::vector<Kind> kinds;  // in the order of the program
  for (size_t pc = 0; pc < totals.array.size(); ++pc) {
    if (totals.array[pc].Sum() == 0) continue;
    const std::string& name = image.names[pc].text;
    auto kind = std::ranges::find(kinds, name, &Kind::name);
    if (kind == kinds.end()) kind = kinds.insert(kinds.end(), {name, {}});
    kind->array += totals.array[pc];
  }
  fmt::print("\ncycles a sentence\n{:<28} {:>10} {:>9} {:>9} {:>9} {:>9} {:>10} {:>8}\n", "", "MAC",
             "weights", "held tile", "read", "drain", "all", "");
  const auto line = [&](const std::string& name, const model::ArrayCycles& array, uint64_t all) {
    fmt::print("{:<28} {:>10.0f} {:>9.0f} {:>9.0f} {:>9.0f} {:>9.0f} {:>10.0f} {:>6.2f} %\n", name,
               totals.Mean(array.mac), totals.Mean(array.weight), totals.Mean(array.held),
               totals.Mean(array.read), totals.Mean(array.drain), totals.Mean(all),
               Percent(all, totals.cycles));
  };
  for (const Kind& kind : kinds) line(kind.name, kind.array, kind.array.Sum());
  const auto total = [&](const char* name, uint64_t all) {
    fmt::print("{:<28} {:>59} {:>10.0f} {:>6.2f} %\n", name, "", totals.Mean(all),
               Percent(all, totals.cycles));
  };
  total("no MATMUL", totals.matmul_idle);
  line("all", totals.Array(), totals.cycles);
  fmt::print("\nother units, beside a MATMUL or not\n");
  total("embedding", totals.embed);
  total("layer norm", totals.layer_norm);
  total("softmax", totals.softmax);
  total("exit", totals.exit);
}

Status PrintArraySizes(
    const spec::AcceleratorConfig& config, const model::MemoryTiming& memory,
    std::span<const SweptSentence> sentences, int threads,
    const std::function<Result<model::Image>(const spec::AcceleratorConfig&)>& build) {
  EB_CHECK(!sentences.empty(), "no sentence to sweep");
  fmt::print(
      "\narray sizes, {}-bit weight stream\n{:>4} {:>12} {:>9} {:>8} {:>9} {:>10} {:>7} "
      "{:>7} {:>10}\n",
      config.axi.data_width, "n", "cycles", "speed-up", "MAC", "weights", "held tile", "read",
      "drain", "no MATMUL");
  double smallest = 0;
  for (const int lanes : {4, 8, 16, 32}) {
    spec::AcceleratorConfig sized = config;
    sized.vmac.n = lanes;
    EB_RETURN_IF_ERROR(spec::Validate(sized));
    EB_ASSIGN_OR_RETURN(const model::Image image, build(sized));
    const model::CycleModel model(sized, image, memory);
    CycleTotals totals;
    std::mutex mutex;
    std::atomic<size_t> next = 0;
    const auto work = [&] {
      for (size_t i = next++; i < sentences.size(); i = next++) {
        const model::CyclePrediction prediction =
            model.Predict(sentences[i].tokens, sentences[i].layers);
        const std::scoped_lock lock(mutex);
        totals.Add(prediction);
      }
    };
    std::vector<std::future<void>> running;
    for (int i = 0; i < threads; ++i) running.push_back(std::async(std::launch::async, work));
    for (std::future<void>& thread : running) thread.get();
    const model::ArrayCycles array = totals.Array();
    const double mean = totals.Mean(totals.cycles);
    if (smallest == 0) smallest = mean;
    const auto share = [&](uint64_t cycles) { return Percent(cycles, totals.cycles); };
    fmt::print(
        "{:>4} {:>12.0f} {:>8.2f}x {:>6.2f} % {:>7.2f} % {:>8.2f} % {:>5.2f} % {:>5.2f} % "
        "{:>8.2f} %\n",
        lanes, mean, smallest / mean, share(array.mac), share(array.weight), share(array.held),
        share(array.read), share(array.drain), share(totals.matmul_idle));
    std::fflush(stdout);
  }
  return Ok();
}

}  // namespace edgebert
