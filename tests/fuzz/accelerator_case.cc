#include "tests/fuzz/accelerator_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <optional>
#include <set>

#include "cosim/program/session.h"
#include "cosim/sim/random.h"

namespace edgebert::fuzz {
namespace {

constexpr double kCycleTolerance = 0.01;      // what the cycle model is tested for
constexpr uint64_t kShortestSentence = 2000;  // cycles: a shorter one has no meaningful error

template <typename T, size_t Size>
T OneOf(cosim::Random& random, const T (&values)[Size]) {
  return values[random.Below(Size)];
}

void DrawConfiguration(cosim::Random& random, CommandLine* line) {
  const auto set = [&](const char* key, int value) {
    line->emplace_back(key, std::to_string(value));
  };
  const auto maybe = [&](double chance, const char* key, int value) {
    if (random.Chance(chance)) set(key, value);
  };
  const int n = OneOf(random, {4, 4, 4, 4, 4, 4, 4, 8, 8, 8, 8, 16});
  set("vmac.n", n);
  set("vmac.pipeline", random.Between(1, 4));
  if (random.Chance(0.3)) line->emplace_back("vmac.operand_gating", "false");
  maybe(0.25, "vmac.accumulator_bits", random.Between(16, 48));
  const int width = random.Between(4, 8);
  set("format.width", width);
  set("format.exponent", random.Between(2, std::min(4, width - 2)));
  const int heads = random.Between(1, 4);
  set("model.heads", heads);
  set("model.hidden", heads * random.Between((3 + heads) / heads, 2 * n));
  set("model.ffn", random.Between(4, 6 * n));
  set("model.embedding", random.Between(4, 4 * n));
  set("model.seq_len", random.Between(3, 24));
  set("model.layers", random.Between(1, 4));
  set("model.classes", random.Between(2, 2 * n + 1));
  set("model.vocab", random.Between(4, 64));
  set("model.token_types", random.Between(1, 3));
  if (random.Chance(0.5)) line->emplace_back("model.pooler", "false");
  maybe(0.5, "memory.program_words", random.Between(160, 700));
  const int fifo = OneOf(random, {4, 7, 16, 33, 64});
  set("memory.stream_fifo_beats", fifo);
  // Not flip-flops for 256 KiB.
  if (random.Chance(0.3)) {
    set("memory.resident_kib", 256);
  } else if (random.Chance(0.2)) {
    line->emplace_back("memory.backend", "flop");
  }
  set("axi.data_width", OneOf(random, {32, 64, 128, 256}));
  maybe(0.5, "axi.addr_width", random.Between(33, 64));
  maybe(0.5, "axi.id_width", random.Between(1, 16));
  set("axi.max_burst", random.Between(1, fifo));
  set("axi.outstanding", random.Between(1, 16));
  set("reram.word_bits", OneOf(random, {32, 64, 128}));
  set("reram.bits_per_cell", random.Between(1, 3));
  set("reram.read_latency", random.Between(1, 12));
  if (random.Chance(0.5)) line->emplace_back("reram.ecc", "secded");
}

void DrawRun(cosim::Random& random, CommandLine* line) {
  const auto set = [&](const char* key, const auto& value) {
    line->emplace_back(key, fmt::format("{}", value));
  };
  set("random-model", random.Below(100'000));
  set("seed", random.Below(100'000));
  set("limit", random.Between(2, 4));
  if (random.Chance(0.67)) set("stalls", OneOf(random, {0.05, 0.3, 0.6, 0.9}));
  if (random.Chance(0.5)) set("latency", OneOf(random, {1, 2, 5, 40, 150, 400}));
  if (random.Chance(0.5)) set("threshold", OneOf(random, {0.0, 0.3, 0.6, 0.9, 1.2, 3.0}));
  if (random.Chance(0.25)) set("reram-faults", OneOf(random, {0.0001, 0.001, 0.05, 1.0}));
  // Packing needs an accumulator that is exact.
  const bool exact = std::ranges::none_of(
      *line, [](const auto& option) { return option.first == "vmac.accumulator_bits"; });
  if (exact && random.Chance(0.25)) line->emplace_back("pack-weights", "");
}

void CountPoints(const cosim::Options& options, const cosim::Workload& workload,
                 const cosim::Sentence& sentence, const cosim::SentenceOutcome& outcome,
                 Points* points) {
  const auto stall = options.stalls > 0                           ? Stall::kBuses
                     : options.latency > cosim::Options().latency ? Stall::kSlowMemory
                                                                  : Stall::kNone;
  std::set<int> heads;
  for (const model::InstructionName& name : workload.image.names) heads.insert(name.head);
  heads.erase(-1);
  std::array<bool, std::size(kSkipNames)> met{};
  met[size_t(Skip::kNullHead)] = std::ssize(heads) < workload.model.num_attention_heads;
  met[size_t(Skip::kWindow)] = outcome.golden.counts.skipped_rows > 0;
  met[size_t(Skip::kZeroVector)] = outcome.golden.counts.gated_rows > 0;
  met[size_t(Skip::kShort)] = std::ssize(sentence.tokens) < workload.image.facts.max_tokens;
  met[size_t(Skip::kEarlyExit)] = outcome.golden.exit_layer < workload.image.facts.layers;
  met[size_t(Skip::kNone)] = std::ranges::none_of(met, std::identity{});
  for (const cosim::Operation& operation : outcome.operations) {
    std::string name = workload.image.names[size_t(operation.pc)].text;
    if (name.starts_with("inner ")) name.erase(0, name.find(' ', 6) + 1);  // of a group's layers
    auto& counts = points->operations[name];
    for (size_t skip = 0; skip < met.size(); ++skip) {
      counts[skip][size_t(stall)] += met[skip] ? 1 : 0;
    }
  }
  ++points->exits[{outcome.golden.exit_layer, workload.image.facts.layers}];
}

std::optional<int> NumberOf(const std::string& text) {
  int number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Points& Points::operator+=(const Points& other) {
  for (const auto& [name, counts] : other.operations) {
    for (size_t skip = 0; skip < counts.size(); ++skip) {
      for (size_t stall = 0; stall < counts[skip].size(); ++stall) {
        operations[name][skip][stall] += counts[skip][stall];
      }
    }
  }
  for (const auto& [layer, count] : other.exits) exits[layer] += count;
  return *this;
}

CommandLine DrawCase(uint64_t configuration, uint64_t run) {
  CommandLine line;
  cosim::Random shape(configuration);
  DrawConfiguration(shape, &line);
  cosim::Random use(cosim::Random(configuration).Next() + run);
  DrawRun(use, &line);
  return line;
}

std::string Format(const CommandLine& line) {
  std::string text = "edgebert-cosim --config generator/configs/tiny.cfg";
  for (const auto& [name, value] : line) {
    text += fmt::format(" --{}{}{}", name, value.empty() ? "" : " ", value);
  }
  return text;
}

Outcome RunCase(const CommandLine& line, const DesignEdit& edit) {
  std::vector<std::string> arguments = {"edgebert-cosim", "--config", EDGEBERT_CONFIGS "/tiny.cfg"};
  for (const auto& [name, value] : line) {
    arguments.push_back("--" + name);
    if (!value.empty()) arguments.push_back(value);
  }
  std::vector<const char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  const auto refused = [](const Error& error) {
    return Outcome{.verdict = Verdict::kRefused, .message = error.Format()};
  };
  auto options = cosim::Options::Parse(static_cast<int>(pointers.size()), pointers.data());
  if (!options.ok()) return refused(options.error());
  (**options).optimize = cosim::Optimize::kQuick;
  const auto workload = cosim::PrepareWorkload(**options);
  if (!workload.ok()) return refused(workload.error());
  cosim::VerilogFiles files = cosim::EmitVerilog(workload->config);
  if (edit) edit(files);
  cosim::Session session(**options, *workload, std::move(files), {}, {});
  if (const Status built = session.Build(); !built.ok()) {
    const std::string& rule = built.error().diagnostics()[0].rule;
    Outcome outcome = refused(built.error());
    if (rule == "verilate" || rule == "compile") outcome.verdict = Verdict::kBuild;
    if (rule == "cosim-load") outcome.verdict = Verdict::kDivergence;
    return outcome;
  }
  Outcome outcome;
  for (size_t i = 0; i < workload->sentences.size(); ++i) {
    const cosim::SentenceOutcome sentence = session.Run(i);
    outcome.compared += sentence.compared;
    if (sentence.divergence) {
      outcome.verdict = Verdict::kDivergence;
      outcome.message = fmt::format("sentence {}: {}", i, sentence.divergence->Format());
      return outcome;
    }
    ++outcome.sentences;
    CountPoints(**options, *workload, workload->sentences[i], sentence, &outcome.points);
    const uint64_t cycles = sentence.hardware.Counter("CYCLES");
    outcome.cycles += cycles;
    if (sentence.predicted && cycles >= kShortestSentence) {
      const double error =
          static_cast<double>(sentence.predicted->cycles) / static_cast<double>(cycles) - 1;
      outcome.largest_error = std::max(outcome.largest_error, std::fabs(error));
      if (std::fabs(error) > kCycleTolerance) {
        outcome.verdict = Verdict::kMisprediction;
        outcome.message = fmt::format("sentence {}: {} cycles, the cycle model says {}", i, cycles,
                                      sentence.predicted->cycles);
        return outcome;
      }
    }
  }
  return outcome;
}

CommandLine Shrink(CommandLine line, const std::function<bool(const CommandLine&)>& fails,
                   int trials) {
  const auto take = [&](const CommandLine& smaller) {
    if (trials == 0) return false;
    --trials;
    if (!fails(smaller)) return false;
    line = smaller;
    return true;
  };
  // What costs no new build is not known here: long parts first, then their halves.
  for (size_t size = line.size(); size > 0; size /= 2) {
    for (size_t begin = 0; begin < line.size();) {
      CommandLine smaller = line;
      smaller.erase(smaller.begin() + static_cast<ptrdiff_t>(begin),
                    smaller.begin() + static_cast<ptrdiff_t>(std::min(begin + size, line.size())));
      if (!take(smaller)) begin += size;
    }
  }
  for (size_t i = 0; i < line.size(); ++i) {
    for (const int number : {0, 1, 2, 3, 4, 6, 8, 12, 16, 32}) {
      const auto present = NumberOf(line[i].second);
      if (!present || number >= *present) break;
      CommandLine smaller = line;
      smaller[i].second = std::to_string(number);
      if (take(smaller)) break;
    }
  }
  return line;
}

}  // namespace edgebert::fuzz
