#include "cosim/program/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "golden/spec/formats.h"

namespace edgebert::cosim {
namespace {

using nlohmann::ordered_json;

constexpr size_t kTextWidth = 44;

double FromFixed(int64_t value) {
  return std::ldexp(static_cast<double>(value), -spec::kFixedFraction);
}

/// Of the class the logits predict.
double Probability(const std::vector<int32_t>& logits, int prediction) {
  double sum = 0;
  for (const int32_t logit : logits) {
    sum += std::exp(FromFixed(int64_t{logit} - logits[static_cast<size_t>(prediction)]));
  }
  return 1 / sum;
}

/// Exactly `width` columns; UTF-8 sequences count as one.
std::string Fit(const std::string& text, size_t width) {
  std::string fitted;
  size_t columns = 0;
  size_t cut = 0;  // bytes of the first width - 2 columns
  for (const char c : text) {
    const bool starts = (static_cast<uint8_t>(c) & 0xc0) != 0x80;
    if (starts && columns == width) return fitted.substr(0, cut) + "..";
    if (starts) ++columns;
    if (starts && columns == width - 1) cut = fitted.size();
    fitted += c;
  }
  return fitted + std::string(width - columns, ' ');
}

double Ratio(uint64_t part, uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

void Row(const char* name, const std::string& value) { fmt::print("{:<22} {}\n", name, value); }

}  // namespace

void Report::PrintHead() const {
  const model::Image& image = workload_.image;
  Row("model", fmt::format("{}: {} layers, hidden {}, {} heads, {} instructions", image.facts.name,
                           image.facts.layers, workload_.model.hidden_size,
                           workload_.model.num_attention_heads, image.program.size()));
  Row("accelerator",
      fmt::format("n = {}, AdaptivFloat<{},{}>, {}-bit AXI, configuration {:08x}",
                  image.format.lanes, image.format.code_bits, image.format.exponent_bits,
                  image.format.axi_data_bits, spec::ConfigHash(workload_.config)));
  Row("entropy threshold", fmt::format("{:.4g} nats", workload_.threshold));
  if (workload_.start) {
    Row("on the RTL", fmt::format("\"{}\" to \"{}\", the rest on the golden machine",
                                  image.names.front().text, (image.names.end() - 2)->text));
  }
  fmt::print("\n{:>5} {:<{}} {:<10} {:>5} {:>5} {:>9} {:>9} {:>6} {:>8} {:<9} {}\n", "#",
             "sentence", kTextWidth, "answer", "prob", "layer", "cycles", "predicted", "MACs",
             "skipped", "bit-exact", "entropy after each layer");
  std::fflush(stdout);
}

void Report::Add(const Sentence& sentence, const SentenceOutcome& outcome) {
  const HardwareResult& hardware = outcome.hardware;
  const bool exact = !outcome.divergence.has_value();
  const bool answered = hardware.finished && !hardware.logits.empty() && hardware.exit_layer > 0;
  compared_ += outcome.compared;
  simulated_cycles_ += hardware.last_cycle - hardware.first_cycle;
  exact_ += exact ? 1 : 0;

  ordered_json json;
  json["text"] = sentence.text;
  if (sentence.label) json["label"] = *sentence.label;
  if (answered) {
    ++finished_;
    const uint64_t cycles = hardware.Counter("CYCLES");
    const uint64_t mac_cycles = hardware.Counter("MAC_CYCLES");
    exit_layers_ += static_cast<uint64_t>(hardware.exit_layer);
    for (size_t c = 0; c < counters_.size(); ++c) counters_[c] += hardware.counters[c];
    if (sentence.label) {
      ++labelled_;
      correct_ += *sentence.label == hardware.prediction ? 1 : 0;
    }
    const auto& labels = workload_.image.facts.labels;
    const auto prediction = static_cast<size_t>(hardware.prediction);
    const std::string answer =
        prediction < labels.size() ? labels[prediction] : std::to_string(prediction);
    json["predicted"] = hardware.prediction;
    json["answer"] = answer;
    json["exit_layer"] = hardware.exit_layer;
    std::string entropies;
    for (int layer = 0; layer < hardware.exit_layer; ++layer) {
      const auto word = static_cast<size_t>(spec::kResultEntropyWord + layer);
      json["entropy"].push_back(FromFixed(hardware.record[word]));
      entropies += fmt::format(" {:.3f}", FromFixed(hardware.record[word]));
    }
    for (const int32_t logit : hardware.logits) json["logits"].push_back(FromFixed(logit));
    for (const uint32_t token : sentence.tokens) {
      json["tokens"].push_back(token & ((1U << spec::kTokenTypeBit) - 1));
    }
    json["cycles"] = cycles;
    std::string predicted = "-";
    if (outcome.predicted) {
      ++predicted_;
      predicted_cycles_ += outcome.predicted->cycles;
      largest_error_ =
          std::max(largest_error_, std::fabs(Ratio(outcome.predicted->cycles, cycles) - 1));
      predicted = std::to_string(outcome.predicted->cycles);
      json["predicted_cycles"] = outcome.predicted->cycles;
    }
    json["mac_cycles"] = mac_cycles;
    for (size_t c = 0; c < counters_.size(); ++c) {
      json["counters"][spec::kCounters[c].name] = hardware.counters[c];
    }
    fmt::print("{:>5} {} {} {:>5.3f} {:>5} {:>9} {:>9} {:>5.1f}% {:>7.1f}% {:<9}{}\n",
               sentence.number, Fit(sentence.text, kTextWidth), Fit(answer, 10),
               Probability(hardware.logits, hardware.prediction), hardware.exit_layer, cycles,
               predicted, 100 * Ratio(mac_cycles, cycles),
               100 * (1 - Ratio(mac_cycles, workload_.dense_mac_rows)), exact ? "yes" : "NO",
               entropies);
  } else {
    ++errors_;
    fmt::print("{:>5} {} {}\n", sentence.number, Fit(sentence.text, kTextWidth),
               outcome.golden.error == spec::ErrorCode::kNone
                   ? "no answer"
                   : fmt::format("error {}", static_cast<int>(outcome.golden.error)));
  }
  json["write_backs_compared"] = outcome.compared;
  json["bit_exact"] = exact;
  if (outcome.divergence) {
    const Divergence& d = *outcome.divergence;
    json["divergence"] = {{"kind", d.kind},         {"cycle", d.cycle}, {"place", d.place},
                          {"sequence", d.sequence}, {"pc", d.pc},       {"row", d.row},
                          {"tile", d.tile},         {"lane", d.lane},   {"expected", d.expected},
                          {"got", d.got},           {"note", d.note}};
  }
  std::fflush(stdout);
  sentences_.push_back(std::move(json));
}

double Report::Mean(const char* counter) const {
  return static_cast<double>(counters_[CounterIndex(counter)]) / static_cast<double>(finished_);
}

void Report::PrintSummary(double seconds) const {
  fmt::print("\n");
  Row("bit-exact", fmt::format("{} of {} sentences, {} write-backs compared", exact_,
                               sentences_.size(), compared_));
  if (finished_ > 0) {
    if (labelled_ > 0) Row("accuracy", fmt::format("{:.2f} %", 100 * Ratio(correct_, labelled_)));
    Row("mean exit layer",
        fmt::format("{:.3f} of {}", Ratio(exit_layers_, finished_), workload_.image.facts.layers));
    Row("cycles a sentence", fmt::format("{:.0f}", Mean("CYCLES")));
    if (predicted_ > 0) {
      Row("predicted cycles",
          fmt::format("{:.0f} a sentence, off by {:.2f} % at most",
                      Ratio(predicted_cycles_, predicted_), 100 * largest_error_));
    }
    Row("MAC utilisation",
        fmt::format(
            "{:.2f} % (waiting: weights {:.2f}, held tiles {:.2f}, reads {:.2f}, drain "
            "{:.2f}; without a MATMUL {:.2f})",
            100 * Utilisation(), 100 * Mean("WAIT_WEIGHT") / Mean("CYCLES"),
            100 * Mean("WAIT_HELD") / Mean("CYCLES"), 100 * Mean("WAIT_READ") / Mean("CYCLES"),
            100 * Mean("WAIT_DRAIN") / Mean("CYCLES"), 100 * Mean("IDLE_MATMUL") / Mean("CYCLES")));
    Row("work skipped",
        fmt::format("{:.1f} % of {} dense, padded, full-depth MAC cycles",
                    100 * (1 - Mean("MAC_CYCLES") / static_cast<double>(workload_.dense_mac_rows)),
                    workload_.dense_mac_rows));
    Row("multipliers gated",
        fmt::format("{:.1f} % of MAC cycles", 100 * Mean("GATED_ROWS") / Mean("MAC_CYCLES")));
    Row("weight stream", fmt::format("{:.0f} bytes, {:.0f} non-zero weights a sentence",
                                     Mean("WEIGHT_BEATS") * workload_.config.axi.data_width / 8,
                                     Mean("WEIGHT_NONZEROS")));
    Row("activation memory", fmt::format("{:.0f} vectors read, {:.0f} written a sentence",
                                         Mean("ACTIVATION_READS"), Mean("ACTIVATION_WRITES")));
    Row("ReRAM", fmt::format("{:.0f} words read a sentence", Mean("RERAM_READS")));
  }
  Row("simulated",
      fmt::format("{} cycles in {:.1f} s of processor time, {:.0f} kHz", simulated_cycles_, seconds,
                  static_cast<double>(simulated_cycles_) / seconds / 1000));
}

ordered_json Report::Json(double seconds) const {
  ordered_json summary;
  summary["model"] = workload_.image.facts.name;
  summary["config_hash"] = fmt::format("{:08x}", spec::ConfigHash(workload_.config));
  summary["threshold"] = workload_.threshold;
  summary["sentences"] = sentences_.size();
  summary["bit_exact"] = exact_ == sentences_.size();
  summary["bit_exact_sentences"] = exact_;
  summary["write_backs_compared"] = compared_;
  if (labelled_ > 0) summary["accuracy"] = Ratio(correct_, labelled_);
  if (finished_ > 0) {
    summary["mean_exit_layer"] = Ratio(exit_layers_, finished_);
    summary["mac_utilisation"] = Utilisation();
    if (predicted_ > 0) {
      summary["mean_predicted_cycles"] = Ratio(predicted_cycles_, predicted_);
      summary["largest_prediction_error"] = largest_error_;
    }
    summary["dense_mac_cycles"] = workload_.dense_mac_rows;
    for (const spec::Counter& counter : spec::kCounters) {
      summary["mean_counters"][counter.name] = Mean(counter.name);
    }
  }
  summary["simulated_cycles"] = simulated_cycles_;
  summary["simulation_seconds"] = seconds;
  return {{"sentences", sentences_}, {"summary", summary}};
}

}  // namespace edgebert::cosim
