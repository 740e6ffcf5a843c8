#include "golden/spec/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <boost/program_options.hpp>
#include <charconv>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "golden/base/key_values.h"
#include "golden/spec/isa.h"
#include "golden/spec/secded.h"

namespace edgebert::spec {
namespace {

namespace po = boost::program_options;

constexpr int kMostActivationVectors = 1 << kAddressBits;
constexpr int kLongestStride = (1 << kStrideBits) - 1;

// Fields that are not int are kept as int in the table and converted at the edges.
struct Raw {
  AcceleratorConfig config;
  int pooler = 0;
  int backend = 0;
  int operand_gating = 0;
  int reram_ecc = 0;
};

const std::vector<std::string>& EccNames() {
  static const std::vector<std::string> names = {"none", "secded"};
  return names;
}

const std::vector<std::string>& BackendNames() {
  static const std::vector<std::string> names = {"behavioural", "flop", "macro"};
  return names;
}

/// One key: where it lives, what it may hold, and what it means.
struct Entry {
  const char* key;  // section.name
  std::function<int&(Raw&)> field;
  int low;
  int high;
  std::vector<int> choices;
  const char* unit;
  const char* meaning;
  const std::vector<std::string>* names = nullptr;  // Values by name: index is the value.
};

const std::vector<std::string>& BoolNames() {
  static const std::vector<std::string> names = {"false", "true"};
  return names;
}

const std::vector<Entry>& Table() {
  static const std::vector<Entry> table = {
      {"vmac.n",
       [](Raw& r) -> int& { return r.config.vmac.n; },
       4,
       32,
       {4, 8, 16, 32},
       "",
       "VMACs, and lanes of each"},
      {"vmac.accumulator_bits",
       [](Raw& r) -> int& { return r.config.vmac.accumulator_bits; },
       0,
       48,
       {},
       "bits",
       "accumulator width; 0 is exact for the largest K, 16..48 saturates"},
      {"vmac.pipeline",
       [](Raw& r) -> int& { return r.config.vmac.pipeline; },
       1,
       4,
       {},
       "cuts",
       "register cuts in the multiply-add path"},
      {"vmac.operand_gating",
       [](Raw& r) -> int& { return r.operand_gating; },
       0,
       1,
       {},
       "",
       "a product with a zero operand stands still",
       &BoolNames()},
      {"format.width",
       [](Raw& r) -> int& { return r.config.format.width; },
       4,
       8,
       {},
       "bits",
       "width of an AdaptivFloat code"},
      {"format.exponent",
       [](Raw& r) -> int& { return r.config.format.exponent; },
       2,
       4,
       {},
       "bits",
       "exponent bits of a code"},
      {"model.hidden",
       [](Raw& r) -> int& { return r.config.model.hidden; },
       4,
       4096,
       {},
       "elements",
       "largest hidden width"},
      {"model.ffn",
       [](Raw& r) -> int& { return r.config.model.ffn; },
       4,
       16384,
       {},
       "elements",
       "largest feed-forward width"},
      {"model.heads",
       [](Raw& r) -> int& { return r.config.model.heads; },
       1,
       64,
       {},
       "",
       "attention heads; must divide model.hidden"},
      {"model.seq_len",
       [](Raw& r) -> int& { return r.config.model.seq_len; },
       2,
       512,
       {},
       "tokens",
       "longest sentence, with [CLS] and [SEP]"},
      {"model.layers",
       [](Raw& r) -> int& { return r.config.model.layers; },
       1,
       64,
       {},
       "",
       "most encoder layers"},
      {"model.classes",
       [](Raw& r) -> int& { return r.config.model.classes; },
       2,
       256,
       {},
       "",
       "most classes of an off-ramp"},
      {"model.vocab",
       [](Raw& r) -> int& { return r.config.model.vocab; },
       1,
       1000000,
       {},
       "rows",
       "rows of the word embedding"},
      {"model.embedding",
       [](Raw& r) -> int& { return r.config.model.embedding; },
       4,
       4096,
       {},
       "elements",
       "largest embedding width"},
      {"model.token_types",
       [](Raw& r) -> int& { return r.config.model.token_types; },
       1,
       255,
       {},
       "rows",
       "rows of the token-type embedding"},
      {"model.pooler",
       [](Raw& r) -> int& { return r.pooler; },
       0,
       1,
       {},
       "",
       "off-ramps with a pooler",
       &BoolNames()},
      {"memory.activation_vectors",
       [](Raw& r) -> int& { return r.config.memory.activation_vectors; },
       0,
       kMostActivationVectors,
       {},
       "vectors",
       "activation memory; 0 is what the model limits need"},
      {"memory.program_words",
       [](Raw& r) -> int& { return r.config.memory.program_words; },
       16,
       65536,
       {},
       "instructions",
       "program memory"},
      {"memory.stream_fifo_beats",
       [](Raw& r) -> int& { return r.config.memory.stream_fifo_beats; },
       4,
       4096,
       {},
       "beats",
       "prefetch depth of the AXI reader"},
      {"memory.resident_kib",
       [](Raw& r) -> int& { return r.config.memory.resident_kib; },
       0,
       65536,
       {},
       "KiB",
       "weight stream that can stay on chip; 0: none"},
      {"memory.backend",
       [](Raw& r) -> int& { return r.backend; },
       0,
       2,
       {},
       "",
       "what the memory wrappers contain",
       &BackendNames()},
      {"axi.data_width",
       [](Raw& r) -> int& { return r.config.axi.data_width; },
       32,
       256,
       {32, 64, 128, 256},
       "bits",
       "AXI4 data width"},
      {"axi.addr_width",
       [](Raw& r) -> int& { return r.config.axi.addr_width; },
       32,
       64,
       {},
       "bits",
       "AXI4 address width"},
      {"axi.id_width",
       [](Raw& r) -> int& { return r.config.axi.id_width; },
       1,
       16,
       {},
       "bits",
       "AXI4 identifier width"},
      {"axi.max_burst",
       [](Raw& r) -> int& { return r.config.axi.max_burst; },
       1,
       256,
       {},
       "beats",
       "longest burst; at most memory.stream_fifo_beats"},
      {"axi.outstanding",
       [](Raw& r) -> int& { return r.config.axi.outstanding; },
       1,
       16,
       {},
       "bursts",
       "read bursts in flight"},
      {"reram.word_bits",
       [](Raw& r) -> int& { return r.config.reram.word_bits; },
       32,
       128,
       {32, 64, 128},
       "bits",
       "word of the ReRAM macro"},
      {"reram.bits_per_cell",
       [](Raw& r) -> int& { return r.config.reram.bits_per_cell; },
       1,
       3,
       {},
       "bits",
       "bits of a cell in the multi-level region"},
      {"reram.read_latency",
       [](Raw& r) -> int& { return r.config.reram.read_latency; },
       1,
       64,
       {},
       "cycles",
       "from request to data"},
      {"reram.ecc",
       [](Raw& r) -> int& { return r.reram_ecc; },
       0,
       1,
       {},
       "",
       "what protects the words of the ReRAM; secded: one wrong bit corrected, two detected",
       &EccNames()},
  };
  return table;
}

const Entry* Find(const std::string& key) {
  for (const Entry& entry : Table()) {
    if (key == entry.key) return &entry;
  }
  return nullptr;
}

Raw ToRaw(const AcceleratorConfig& config) {
  return {config, config.model.pooler ? 1 : 0, static_cast<int>(config.memory.backend),
          config.vmac.operand_gating ? 1 : 0, static_cast<int>(config.reram.ecc)};
}

AcceleratorConfig FromRaw(const Raw& raw) {
  AcceleratorConfig config = raw.config;
  config.model.pooler = raw.pooler != 0;
  config.vmac.operand_gating = raw.operand_gating != 0;
  config.memory.backend = static_cast<MemoryBackend>(raw.backend);
  config.reram.ecc = static_cast<ReramEcc>(raw.reram_ecc);
  return config;
}

std::string ValueText(const Entry& entry, int value) {
  return entry.names == nullptr ? std::to_string(value)
                                : entry.names->at(static_cast<size_t>(value));
}

std::string Legal(const Entry& entry) {
  if (entry.names != nullptr) return fmt::format("one of {}", fmt::join(*entry.names, ", "));
  if (!entry.choices.empty()) return fmt::format("one of {}", fmt::join(entry.choices, ", "));
  return fmt::format("between {} and {}", entry.low, entry.high);
}

bool IsLegal(const Entry& entry, int value) {
  if (!entry.choices.empty()) {
    return std::find(entry.choices.begin(), entry.choices.end(), value) != entry.choices.end();
  }
  return value >= entry.low && value <= entry.high;
}

/// Sets the field of one key from text, or reports what is wrong with it and returns false.
bool SetFromText(const Entry& entry, const std::string& text, const SourceSpan& where, Raw& raw,
                 Error& error) {
  const auto out_of_range = [&](const std::string& got) {
    error.Add(where, fmt::format("'{}' must be {}, got {}", entry.key, Legal(entry), got),
              "config-range");
    return false;
  };
  int value = 0;
  if (entry.names != nullptr) {
    const auto name = std::find(entry.names->begin(), entry.names->end(), text);
    if (name == entry.names->end()) return out_of_range(fmt::format("'{}'", text));
    value = static_cast<int>(name - entry.names->begin());
  } else {
    const char* const text_end = text.data() + text.size();
    const auto [end, status] = std::from_chars(text.data(), text_end, value);
    if (status == std::errc::invalid_argument || end != text_end) {
      error.Add(where, fmt::format("'{}' must be a whole number, got '{}'", entry.key, text),
                "config-number");
      return false;
    }
    if (status == std::errc::result_out_of_range || !IsLegal(entry, value)) {
      return out_of_range(text);
    }
  }
  entry.field(raw) = value;
  return true;
}

using Keys = std::vector<std::string>;

/// Checks the rules between fields. `place` tells where the keys of a rule were set. A rule that
/// reads a key in `wrong`, whose value is reported already, is not checked.
void CheckRules(const AcceleratorConfig& c, const std::set<std::string>& wrong,
                const std::function<SourceSpan(const Keys&)>& place, Error& error) {
  const auto readable = [&](const Keys& keys) {
    return std::none_of(keys.begin(), keys.end(),
                        [&](const std::string& key) { return wrong.count(key) != 0; });
  };
  const auto fail = [&](const Keys& keys, const std::string& message) {
    error.Add(place(keys), message, "config-rule");
  };

  const Keys accumulator = {"vmac.accumulator_bits"};
  if (readable(accumulator) && c.vmac.accumulator_bits != 0 && c.vmac.accumulator_bits < 16) {
    fail(accumulator, fmt::format("'vmac.accumulator_bits' must be 0 or between 16 and 48, got {}",
                                  c.vmac.accumulator_bits));
  }
  const Keys format = {"format.exponent", "format.width"};
  if (readable(format) && MantissaBits(c) < 1) {
    fail(format,
         fmt::format("'format.exponent' must leave a mantissa bit, got exponent {} and width {}",
                     c.format.exponent, c.format.width));
  }
  const Keys heads = {"model.heads", "model.hidden"};
  const bool heads_fit = readable(heads) && c.model.hidden % c.model.heads == 0;
  if (readable(heads) && !heads_fit) {
    fail(heads, fmt::format("'model.heads' must divide 'model.hidden', got {} and {}",
                            c.model.heads, c.model.hidden));
  }
  const Keys ffn = {"model.ffn", "vmac.n"};
  if (readable(ffn) && FfnVectors(c) > kLongestStride) {
    fail(ffn, fmt::format("'model.ffn' must fit {} vectors of 'vmac.n' codes, got {} and {}",
                          kLongestStride, c.model.ffn, c.vmac.n));
  }
  const Keys burst = {"axi.max_burst", "memory.stream_fifo_beats"};
  if (readable(burst) && c.axi.max_burst > c.memory.stream_fifo_beats) {
    fail(burst,
         fmt::format("'axi.max_burst' must not exceed 'memory.stream_fifo_beats', got {} and {}",
                     c.axi.max_burst, c.memory.stream_fifo_beats));
  }
  const Keys activations = {
      "memory.activation_vectors", "model.seq_len", "model.hidden", "model.ffn", "model.heads",
      "model.embedding",           "vmac.n"};
  if (readable(activations) && heads_fit && ActivationVectors(c) > kMostActivationVectors) {
    fail(activations,
         fmt::format("'memory.activation_vectors' must be set: the model limits need {} vectors, "
                     "an instruction addresses {}",
                     ActivationVectors(c), kMostActivationVectors));
  }
}

}  // namespace

Result<AcceleratorConfig> ParseConfigText(const std::string& text, const std::string& file_name) {
  Error error;
  Raw raw = ToRaw({});
  std::map<std::string, int> lines;
  std::set<std::string> wrong;
  const bool is_text = ParseKeyValues(
      text, file_name, &error, [&](const std::string& key, const std::string& value, int number) {
        const SourceSpan where{file_name, number, 0};
        const Entry* entry = Find(key);
        if (entry == nullptr) {
          error.Add(where, fmt::format("unknown key '{}'", key), "config-key");
          return;
        }
        const auto [first, is_new] = lines.emplace(key, number);
        if (!is_new) {
          error.Add(where, fmt::format("'{}' is already set in line {}", key, first->second),
                    "config-duplicate");
          return;
        }
        if (!SetFromText(*entry, value, where, raw, error)) wrong.insert(key);
      });
  if (!is_text) return error;
  const AcceleratorConfig config = FromRaw(raw);
  const auto place = [&](const Keys& keys) {
    for (const std::string& key : keys) {
      if (const auto found = lines.find(key); found != lines.end()) {
        return SourceSpan{file_name, found->second, 0};
      }
    }
    return SourceSpan{file_name, 0, 0};
  };
  CheckRules(config, wrong, place, error);
  if (!error.empty()) return error;
  return config;
}

Result<AcceleratorConfig> LoadConfig(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  if (in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();
  // A directory opens, but its first read fails.
  if (!in.is_open() || in.bad()) return Error({path, 0, 0}, "cannot read the file", "config-file");
  return ParseConfigText(text.str(), path);
}

void AddConfigOptions(po::options_description& options) {
  Raw defaults = ToRaw({});
  for (const Entry& entry : Table()) {
    const std::string unit = *entry.unit == '\0' ? "" : fmt::format(" [{}]", entry.unit);
    options.add_options()(entry.key, po::value<std::string>()->value_name("V"),
                          fmt::format("{}{}; {}; default {}", entry.meaning, unit, Legal(entry),
                                      ValueText(entry, entry.field(defaults)))
                              .c_str());
  }
}

Result<AcceleratorConfig> ApplyConfigOptions(AcceleratorConfig config,
                                             const po::variables_map& options) {
  const SourceSpan command_line{"command line", 0, 0};
  Error error;
  std::set<std::string> wrong;
  Raw raw = ToRaw(config);
  for (const Entry& entry : Table()) {
    if (options.count(entry.key) == 0) continue;
    const std::string& text = options[entry.key].as<std::string>();
    if (!SetFromText(entry, text, command_line, raw, error)) wrong.insert(entry.key);
  }
  config = FromRaw(raw);
  CheckRules(
      config, wrong, [&](const Keys&) { return command_line; }, error);
  if (!error.empty()) return error;
  return config;
}

Status Validate(const AcceleratorConfig& config) {
  Error error;
  std::set<std::string> wrong;
  Raw raw = ToRaw(config);
  for (const Entry& entry : Table()) {
    const int value = entry.field(raw);
    if (IsLegal(entry, value)) continue;
    error.Add({}, fmt::format("'{}' must be {}, got {}", entry.key, Legal(entry), value),
              "config-range");
    wrong.insert(entry.key);
  }
  CheckRules(
      config, wrong, [](const Keys&) { return SourceSpan{}; }, error);
  if (!error.empty()) return error;
  return Ok();
}

std::string ToConfigText(const AcceleratorConfig& config) {
  Raw raw = ToRaw(config);
  std::string text;
  std::string section;
  for (const Entry& entry : Table()) {
    const std::string key = entry.key;
    const size_t dot = key.find('.');
    if (key.substr(0, dot) != section) {
      section = key.substr(0, dot);
      text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", section);
    }
    text += fmt::format("{} = {}\n", key.substr(dot + 1), ValueText(entry, entry.field(raw)));
  }
  return text;
}

uint32_t ConfigHash(const AcceleratorConfig& config) {
  const std::string text = ToConfigText(config);
  boost::crc_32_type crc;
  crc.process_bytes(text.data(), text.size());
  return crc.checksum();
}

int MantissaBits(const AcceleratorConfig& c) { return c.format.width - 1 - c.format.exponent; }
int CodeIntBits(const AcceleratorConfig& c) {
  return MantissaBits(c) + 1 + ((1 << c.format.exponent) - 1) + 1;
}
int ProductBits(const AcceleratorConfig& c) { return 2 * CodeIntBits(c) - 1; }
int LargestK(const AcceleratorConfig& c) {
  const int k = std::max({c.model.hidden, c.model.ffn, c.model.embedding, c.model.seq_len,
                          HeadVectors(c) * c.model.heads * c.vmac.n});
  return CeilDiv(k, c.vmac.n) * c.vmac.n;
}
int AccumulatorBits(const AcceleratorConfig& c) {
  if (c.vmac.accumulator_bits != 0) return c.vmac.accumulator_bits;
  return ProductBits(c) + IndexBits(LargestK(c));
}
int HiddenVectors(const AcceleratorConfig& c) { return CeilDiv(c.model.hidden, c.vmac.n); }
int FfnVectors(const AcceleratorConfig& c) { return CeilDiv(c.model.ffn, c.vmac.n); }
int EmbeddingVectors(const AcceleratorConfig& c) { return CeilDiv(c.model.embedding, c.vmac.n); }

int NormVectors(const AcceleratorConfig& c) {
  return std::max(HiddenVectors(c), EmbeddingVectors(c));
}
int ClassVectors(const AcceleratorConfig& c) { return CeilDiv(c.model.classes, c.vmac.n); }
int HeadDim(const AcceleratorConfig& c) { return c.model.hidden / c.model.heads; }
int HeadVectors(const AcceleratorConfig& c) { return CeilDiv(HeadDim(c), c.vmac.n); }
int SeqTiles(const AcceleratorConfig& c) { return CeilDiv(c.model.seq_len, c.vmac.n); }
int CodesPerBeat(const AcceleratorConfig& c) { return c.axi.data_width / c.format.width; }
int CodesPerReramWord(const AcceleratorConfig& c) { return c.reram.word_bits / c.format.width; }
int ReramCheckBits(const AcceleratorConfig& c) {
  return c.reram.ecc == ReramEcc::kSecded ? SecdedCheckBits(c.reram.word_bits) : 0;
}
int ResidentBeats(const AcceleratorConfig& c) {
  return c.memory.resident_kib * 1024 / (c.axi.data_width / 8);
}
int ActivationVectors(const AcceleratorConfig& c) {
  if (c.memory.activation_vectors != 0) return c.memory.activation_vectors;
  const int work = std::max(
      {FfnVectors(c), (c.model.heads + 3) * HeadVectors(c) + SeqTiles(c), 2 * EmbeddingVectors(c)});
  return c.model.seq_len * (3 * HiddenVectors(c) + work);
}

}  // namespace edgebert::spec
