#include "cosim/program/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <charconv>
#include <iostream>

namespace edgebert::cosim {
namespace {

namespace po = boost::program_options;

constexpr int kMostRandomSentences = 100'000;

Error OptionError(const std::string& message) {
  return Error({.file = "command line"}, message, "cosim-option");
}

Result<TracePoint> ParseTracePoint(const std::string& option, const std::string& text) {
  TracePoint point;
  std::string_view digits = text;
  if (digits.starts_with("op:")) {
    point.is_op = true;
    digits.remove_prefix(3);
  }
  const auto [end, code] =
      std::from_chars(digits.data(), digits.data() + digits.size(), point.number);
  if (digits.empty() || code != std::errc() || end != digits.data() + digits.size()) {
    return OptionError(fmt::format("'--{}' is a cycle or op:N, not '{}'", option, text));
  }
  return point;
}

Result<model::SlicePoint> ParseSlicePoint(const std::string& option, const std::string& text) {
  model::SlicePoint point{.is_layer = text.starts_with("layer:")};
  if (point.is_layer || text.starts_with("op:")) {
    const std::string_view digits = std::string_view(text).substr(text.find(':') + 1);
    const auto [end, code] =
        std::from_chars(digits.data(), digits.data() + digits.size(), point.number);
    if (code == std::errc() && end == digits.data() + digits.size()) return point;
  }
  return OptionError(fmt::format("'--{}' is op:N or layer:N, not '{}'", option, text));
}

/// An unsigned number; Boost.Program_options would take "-1" for a large one.
struct Natural {
  uint64_t value = 0;
};

std::istream& operator>>(std::istream& in, Natural& natural) {
  if (in.peek() == '-') in.setstate(std::ios::failbit);
  return in >> natural.value;
}

/// For the shell.
std::string Quote(const std::string& text) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("-_./=:,+@%").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::ranges::all_of(text, plain)) return text;
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace

struct Options::Parsed {
  po::parsed_options tokens{nullptr};
  po::variables_map values;
};

Result<spec::AcceleratorConfig> Options::ApplyOverrides(
    const spec::AcceleratorConfig& config) const {
  return spec::ApplyConfigOptions(config, parsed_->values);
}

std::string Options::ReplayLine(int sentence, int count, const std::string& trace_file,
                                uint64_t from, uint64_t to) const {
  constexpr std::array kReplaced = {"first",       "limit",       "json",
                                    "trace",       "trace-from",  "trace-to",
                                    "trace-scope", "trace-depth", "no-replay"};
  std::string line = "edgebert-cosim";
  for (const auto& option : parsed_->tokens.options) {
    if (std::ranges::find(kReplaced, option.string_key) != kReplaced.end()) continue;
    for (const std::string& token : option.original_tokens) line += " " + Quote(token);
  }
  if (text.size() != 1) line += fmt::format(" --first {} --limit {}", sentence, count);
  return line +
         fmt::format(" --trace={} --trace-from {} --trace-to {}", Quote(trace_file), from, to);
}

Result<std::optional<Options>> Options::Parse(int argc, const char* const* argv) {
  Options result;
  std::string trace_from;
  std::string trace_to;
  std::string rtl_from;
  std::string rtl_to;
  bool no_replay = false;
  po::options_description options(
      "edgebert-cosim --config FILE.cfg --model DIR (--text TEXT | --data FILE.tsv)\n"
      "edgebert-cosim --config FILE.cfg --random-model SEED\n\n"
      "Runs sentences on the generated RTL and on the golden machine and compares every\n"
      "write-back. Exit status: 0 all bit-exact, 1 a divergence, 2 bad input, 3 a tool or build\n"
      "failure.\n\nOptions");
  options.add_options()("help", "print this text")(
      "config", po::value(&result.config_file)->value_name("FILE"),
      "accelerator configuration; default: one that fits the model")(
      "model", po::value(&result.model)->value_name("DIR"),
      "folder with config.json, model.safetensors and tokenizer.model")(
      "random-model", po::value<Natural>()->value_name("SEED"),
      "a random model and random sentences instead")(
      "full-size", po::bool_switch(&result.full_size),
      "the random model is the largest one that the configuration takes, dense")(
      "text", po::value(&result.text)->value_name("TEXT"), "a sentence to run; may be repeated")(
      "pair", po::value(&result.pair)->value_name("TEXT"), "second sentence of --text")(
      "data", po::value(&result.data)->value_name("FILE"),
      "sentences to run: sentence<TAB>label a line, after a header line")(
      "first", po::value(&result.first)->value_name("N"), "skip N sentences")(
      "limit", po::value(&result.limit)->value_name("N"),
      "run N sentences; default: all, or 4 of a random model")(
      "length", po::value(&result.length)->value_name("L"),
      "tokens of every sentence of a random model; default: random")(
      "threshold", po::value<double>()->value_name("T"),
      "exit below this entropy [nats]; 0 is full depth; default: the model's own")(
      "seed", po::value<Natural>()->value_name("N"), "of stalls and latencies; default 1")(
      "stalls", po::value(&result.stalls)->value_name("P"),
      "probability of a stall on every handshake of the buses, 0 .. 0.95; default 0")(
      "latency", po::value(&result.latency)->value_name("CYCLES"),
      "of the memory behind the AXI port, 1 .. 10000; default 16")(
      "random-init", po::bool_switch(&result.random_init),
      "registers and memories start at random values, by --seed")(
      "pack-weights", po::bool_switch(&result.pack_weights),
      "reorder neurons where that empties tiles of weights; same answers")(
      "reram-faults", po::value(&result.reram_faults)->value_name("RATE"),
      "probability that a ReRAM cell reads as a neighbouring level, 0 .. 1; default 0")(
      "fault-map", po::value<Natural>()->value_name("N"),
      "seed of the map of faulty cells; default 1")(
      "json", po::value(&result.json)->value_name("FILE"), "write every result here")(
      "trace", po::value(&result.trace)->implicit_value("edgebert.fst")->value_name("FILE"),
      "write waves (FST) of a window; default file edgebert.fst")(
      "trace-from", po::value(&trace_from)->value_name("X"),
      "first cycle since the reset, or op:N of the first sentence; default: its start")(
      "trace-to", po::value(&trace_to)->value_name("Y"),
      "last cycle, or op:N; default: 20000 cycles after the start")(
      "trace-scope", po::value(&result.trace_scope)->value_name("INSTANCE"),
      "trace this instance of eb_top, as u_matmul.u_vmac_array; default: everything")(
      "trace-depth", po::value(&result.trace_depth)->value_name("N"),
      "trace N levels of instances, the signals of the scope itself first; default: all")(
      "rtl-from", po::value(&rtl_from)->value_name("X"),
      "run the RTL on a part of one sentence: from op:N or layer:N, counted from 0 (the golden "
      "machine runs what comes before)")("rtl-to", po::value(&rtl_to)->value_name("Y"),
                                         "to op:N or layer:N, included; default: --rtl-from")(
      "cache", po::value(&result.cache)->value_name("DIR"),
      "of built simulators; default: $EDGEBERT_CACHE, else ~/.cache/edgebert-rtl")(
      "no-replay", po::bool_switch(&no_replay), "do not replay a divergence with waves");
  po::options_description config_options("Configuration, over that of --config");
  spec::AddConfigOptions(config_options);
  options.add(config_options);

  auto parsed = std::make_shared<Parsed>();
  try {
    parsed->tokens = po::command_line_parser(argc, argv).options(options).positional({}).run();
    po::store(parsed->tokens, parsed->values);
    if (parsed->values.contains("help")) {
      std::cout << options;
      return std::optional<Options>();
    }
    po::notify(parsed->values);
  } catch (const po::error& error) {
    return OptionError(error.what());
  }
  const auto& values = parsed->values;
  if (values.contains("random-model")) {
    result.random_model = values["random-model"].as<Natural>().value;
  }
  if (values.contains("seed")) result.seed = values["seed"].as<Natural>().value;
  if (values.contains("fault-map")) result.fault_map = values["fault-map"].as<Natural>().value;
  if (values.contains("threshold")) result.threshold = values["threshold"].as<double>();
  result.replay = !no_replay;
  result.parsed_ = parsed;

  Error error;
  const auto fail = [&](const std::string& message) { error.Append(OptionError(message)); };
  if (result.random_model) {
    if (!result.model.empty()) fail("both --model and --random-model given");
    if (!result.text.empty() || !result.data.empty()) {
      fail("a random model runs random sentences: no --text or --data");
    }
    if (result.config_file.empty()) fail("--random-model needs --config");
  } else {
    if (result.model.empty()) fail("--model is missing");
    if (result.text.empty() == result.data.empty()) fail("give --text or --data");
    if (result.length != 0) fail("--length is for --random-model");
  }
  if (result.full_size && !result.random_model) fail("--full-size needs --random-model");
  if (!result.pair.empty() && result.text.size() != 1) fail("--pair needs one --text");
  if (result.first < 0) fail("--first must not be negative");
  if (result.limit < 0) fail("--limit must not be negative");
  if (result.length < 0) fail("--length must not be negative");
  if (result.random_model && std::max(result.first, result.limit) > kMostRandomSentences) {
    fail(fmt::format("a random model has {} sentences", kMostRandomSentences));
  }
  const double threshold = result.threshold.value_or(0);
  if (!(threshold >= 0 && threshold <= 65535)) fail("--threshold must be from 0 to 65535");
  if (!(result.stalls >= 0 && result.stalls <= 0.95)) fail("--stalls must be from 0 to 0.95");
  if (!(result.reram_faults >= 0 && result.reram_faults <= 1)) {
    fail("--reram-faults must be from 0 to 1");
  }
  if (result.latency < 1 || result.latency > 10'000) fail("--latency must be from 1 to 10000");
  if (result.trace.empty() && (!trace_from.empty() || !trace_to.empty() ||
                               !result.trace_scope.empty() || result.trace_depth != 0)) {
    fail("--trace-from, --trace-to, --trace-scope and --trace-depth need --trace");
  }
  if (result.trace_depth < 0) fail("--trace-depth must not be negative");
  for (auto [name, text, point] : {std::tuple{"trace-from", &trace_from, &result.trace_from},
                                   std::tuple{"trace-to", &trace_to, &result.trace_to}}) {
    if (text->empty()) continue;
    auto value = ParseTracePoint(name, *text);
    if (value.ok()) {
      *point = *value;
    } else {
      error.Append(value.error());
    }
  }
  if (rtl_from.empty() && !rtl_to.empty()) fail("--rtl-to needs --rtl-from");
  if (rtl_to.empty()) rtl_to = rtl_from;
  for (auto [name, text, point] : {std::tuple{"rtl-from", &rtl_from, &result.rtl_from},
                                   std::tuple{"rtl-to", &rtl_to, &result.rtl_to}}) {
    if (text->empty()) continue;
    auto value = ParseSlicePoint(name, *text);
    if (value.ok()) {
      *point = *value;
    } else {
      error.Append(value.error());
    }
  }
  if (!error.empty()) return error;
  return std::optional(std::move(result));
}

}  // namespace edgebert::cosim
