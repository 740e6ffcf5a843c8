// The configuration: every key, every message by its exact text, canonical text and hash, derived
// widths against hand calculation, and the presets.

#include "golden/spec/config.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/program_options.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace edgebert::spec {
namespace {

namespace po = boost::program_options;
namespace fs = std::filesystem;

/// What the documentation says of one key.
struct Row {
  std::string key;
  std::string unit;
  std::string legal;  // as messages and --help put it
  std::string initial;
  std::string other;                 // a legal value that is not the default
  std::vector<std::string> edges;    // legal
  std::vector<std::string> illegal;  // just outside
};

const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = {
      {"vmac.n", "", "one of 4, 8, 16, 32", "16", "8", {"4", "32"}, {"3", "5", "12", "33", "64"}},
      {"vmac.accumulator_bits", "bits", "between 0 and 48", "0", "32", {"16", "48"}, {"-1", "49"}},
      {"vmac.pipeline", "cuts", "between 1 and 4", "2", "3", {"1", "4"}, {"0", "5"}},
      {"vmac.operand_gating", "", "one of false, true", "true", "false", {"false"}, {"yes", "1"}},
      {"format.width", "bits", "between 4 and 8", "8", "6", {"5", "8"}, {"3", "9"}},
      {"format.exponent", "bits", "between 2 and 4", "3", "2", {"2", "4"}, {"1", "5"}},
      {"model.hidden", "elements", "between 4 and 4096", "192", "96", {"4", "4096"}, {"3", "4097"}},
      {"model.ffn", "elements", "between 4 and 16384", "768", "60", {"4", "16384"}, {"3", "16385"}},
      {"model.heads", "", "between 1 and 64", "12", "6", {"1", "64"}, {"0", "65"}},
      {"model.seq_len", "tokens", "between 2 and 512", "64", "63", {"2", "512"}, {"1", "513"}},
      {"model.layers", "", "between 1 and 64", "12", "5", {"1", "64"}, {"0", "65"}},
      {"model.classes", "", "between 2 and 256", "2", "7", {"2", "256"}, {"1", "257"}},
      {"model.vocab", "rows", "between 1 and 1000000", "8002", "77", {"1", "1000000"}, {"0"}},
      {"model.embedding", "elements", "between 4 and 4096", "128", "33", {"4", "4096"}, {"4097"}},
      {"model.token_types", "rows", "between 1 and 255", "2", "9", {"1", "255"}, {"0", "256"}},
      {"model.pooler", "", "one of false, true", "false", "true", {"false", "true"}, {"yes", "1"}},
      {"memory.activation_vectors",
       "vectors",
       "between 0 and 1048576",
       "0",
       "4000",
       {"0", "1048576"},
       {"-1", "1048577"}},
      {"memory.program_words",
       "instructions",
       "between 16 and 65536",
       "512",
       "700",
       {"16", "65536"},
       {"15", "65537"}},
      {"memory.stream_fifo_beats",
       "beats",
       "between 4 and 4096",
       "256",
       "33",
       {"16", "4096"},
       {"3", "4097"}},
      {"memory.resident_kib",
       "KiB",
       "between 0 and 65536",
       "0",
       "48",
       {"0", "65536"},
       {"-1", "65537"}},
      {"memory.backend",
       "",
       "one of behavioural, flop, macro",
       "behavioural",
       "macro",
       {"flop", "macro"},
       {"sram", "2"}},
      {"axi.data_width", "bits", "one of 32, 64, 128, 256", "128", "64", {"32", "256"}, {"96"}},
      {"axi.addr_width", "bits", "between 32 and 64", "32", "40", {"32", "64"}, {"31", "65"}},
      {"axi.id_width", "bits", "between 1 and 16", "4", "6", {"1", "16"}, {"0", "17"}},
      {"axi.max_burst", "beats", "between 1 and 256", "16", "10", {"1", "64"}, {"0", "257"}},
      {"axi.outstanding", "bursts", "between 1 and 16", "16", "11", {"1", "16"}, {"0", "17"}},
      {"reram.word_bits", "bits", "one of 32, 64, 128", "64", "32", {"32", "128"}, {"16", "256"}},
      {"reram.bits_per_cell", "bits", "between 1 and 3", "2", "1", {"1", "3"}, {"0", "4"}},
      {"reram.read_latency", "cycles", "between 1 and 64", "4", "13", {"1", "64"}, {"0", "65"}},
      {"reram.ecc", "", "one of none, secded", "none", "secded", {"none"}, {"parity", "1"}},
  };
  return rows;
}

/// `vmac.n`, `8` as the two lines of a file.
std::string Lines(const std::string& key, const std::string& value) {
  const size_t dot = key.find('.');
  return fmt::format("[{}]\n{} = {}\n", key.substr(0, dot), key.substr(dot + 1), value);
}

/// All messages, or "" when the text is accepted.
std::string Messages(const std::string& text) {
  const auto config = ParseConfigText(text, "my.cfg");
  return config.ok() ? "" : config.error().Format();
}

AcceleratorConfig Parse(const std::string& text) { return ParseConfigText(text, "my.cfg").value(); }

Result<AcceleratorConfig> FromCommandLine(const std::vector<std::string>& words,
                                          const AcceleratorConfig& config = {}) {
  po::options_description options;
  AddConfigOptions(options);
  po::variables_map values;
  po::store(po::command_line_parser(words).options(options).run(), values);
  return ApplyConfigOptions(config, values);
}

std::string CommandLineMessages(const std::vector<std::string>& words,
                                const AcceleratorConfig& config = {}) {
  const auto result = FromCommandLine(words, config);
  return result.ok() ? "" : result.error().Format();
}

std::string ReadText(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string Preset(const std::string& name) {
  return std::string(EDGEBERT_CONFIGS) + "/" + name + ".cfg";
}

// --- Values --------------------------------------------------------------------------------------

TEST(ConfigKeys, AnEmptyFileIsTheDocumentedDefault) {
  std::string written;
  for (const Row& row : Rows()) written += Lines(row.key, row.initial);
  EXPECT_EQ(ToConfigText(Parse("")), ToConfigText(Parse(written)));
  EXPECT_EQ(ToConfigText(Parse("")), ToConfigText(AcceleratorConfig{}));
}

// Every key with a value of its own, so that no two can be mixed up.
TEST(ConfigKeys, EachSetsItsOwnField) {
  std::string text;
  for (const Row& row : Rows()) text += Lines(row.key, row.other);
  const AcceleratorConfig c = Parse(text);
  EXPECT_EQ(c.vmac.n, 8);
  EXPECT_EQ(c.vmac.accumulator_bits, 32);
  EXPECT_EQ(c.vmac.pipeline, 3);
  EXPECT_FALSE(c.vmac.operand_gating);
  EXPECT_EQ(c.format.width, 6);
  EXPECT_EQ(c.format.exponent, 2);
  EXPECT_EQ(c.model.hidden, 96);
  EXPECT_EQ(c.model.ffn, 60);
  EXPECT_EQ(c.model.heads, 6);
  EXPECT_EQ(c.model.seq_len, 63);
  EXPECT_EQ(c.model.layers, 5);
  EXPECT_EQ(c.model.classes, 7);
  EXPECT_EQ(c.model.vocab, 77);
  EXPECT_EQ(c.model.embedding, 33);
  EXPECT_EQ(c.model.token_types, 9);
  EXPECT_TRUE(c.model.pooler);
  EXPECT_EQ(c.memory.activation_vectors, 4000);
  EXPECT_EQ(c.memory.program_words, 700);
  EXPECT_EQ(c.memory.stream_fifo_beats, 33);
  EXPECT_EQ(c.memory.resident_kib, 48);
  EXPECT_EQ(c.memory.backend, MemoryBackend::kMacro);
  EXPECT_EQ(c.axi.data_width, 64);
  EXPECT_EQ(c.axi.addr_width, 40);
  EXPECT_EQ(c.axi.id_width, 6);
  EXPECT_EQ(c.axi.max_burst, 10);
  EXPECT_EQ(c.axi.outstanding, 11);
  EXPECT_EQ(c.reram.word_bits, 32);
  EXPECT_EQ(c.reram.bits_per_cell, 1);
  EXPECT_EQ(c.reram.read_latency, 13);
  EXPECT_EQ(c.reram.ecc, ReramEcc::kSecded);
}

TEST(ConfigKeys, LimitsAreInclusive) {
  // What some limits need of other keys.
  const std::string room = "[model]\nheads = 1\n";
  const std::string wide = "[vmac]\nn = 8\n[memory]\nactivation_vectors = 1\n";
  for (const Row& row : Rows()) {
    for (const std::string& edge : row.edges) {
      std::string text = Lines(row.key, edge);
      if (row.key == "model.hidden") text += room;
      if (row.key == "model.heads") text += "[model]\nhidden = 64\n";
      if (row.key == "model.ffn") text += wide;
      EXPECT_EQ(Messages(text), "") << row.key << " = " << edge;
    }
  }
}

TEST(ConfigKeys, ValuesOutsideAreRefusedByName) {
  for (const Row& row : Rows()) {
    const bool is_name = row.key == "model.pooler" || row.key == "memory.backend" ||
                         row.key == "vmac.operand_gating" || row.key == "reram.ecc";
    for (const std::string& value : row.illegal) {
      const std::string got = is_name ? fmt::format("'{}'", value) : value;
      EXPECT_EQ(Messages(Lines(row.key, value)),
                fmt::format("my.cfg:2: error: '{}' must be {}, got {} [config-range]", row.key,
                            row.legal, got));
      EXPECT_EQ(CommandLineMessages({"--" + row.key, value}),
                fmt::format("command line: error: '{}' must be {}, got {} [config-range]", row.key,
                            row.legal, got));
    }
  }
}

TEST(ConfigKeys, HelpNamesUnitRangeAndDefault) {
  po::options_description options;
  AddConfigOptions(options);
  ASSERT_EQ(options.options().size(), Rows().size());
  for (const Row& row : Rows()) {
    const po::option_description* option = options.find_nothrow(row.key, false);
    ASSERT_NE(option, nullptr) << row.key;
    const std::string end =
        fmt::format("{}; {}; default {}", row.unit.empty() ? "" : fmt::format(" [{}]", row.unit),
                    row.legal, row.initial);
    EXPECT_TRUE(option->description().ends_with(end)) << option->description() << "\n" << end;
    EXPECT_GT(option->description().size(), end.size()) << row.key;
    EXPECT_EQ(option->description().find('[') == std::string::npos, row.unit.empty()) << row.key;
  }
}

// --- The file format -----------------------------------------------------------------------------

TEST(ConfigFile, CommentsBlanksLineEndsAndFullNames) {
  const AcceleratorConfig c = Parse(
      "# a comment\r\n\r\nformat.width=7\n  [ vmac ]  # here too\n\tn\t=\t8 # and here\n[axi]\n\n"
      "[model]\r\npooler = true\r\nlayers = 3");
  EXPECT_EQ(c.format.width, 7);
  EXPECT_EQ(c.vmac.n, 8);
  EXPECT_TRUE(c.model.pooler);
  EXPECT_EQ(c.model.layers, 3);
}

TEST(ConfigFile, MistakesOfForm) {
  EXPECT_EQ(Messages("\n\n[vmac]\nlanes = 8\n"),
            "my.cfg:4: error: unknown key 'vmac.lanes' [config-key]");
  EXPECT_EQ(Messages("[vmacs]\nn = 8\n"), "my.cfg:2: error: unknown key 'vmacs.n' [config-key]");
  EXPECT_EQ(Messages("n = 8\n"), "my.cfg:1: error: unknown key 'n' [config-key]");
  EXPECT_EQ(Messages("[vmac]\nn = 8\n[axi]\nid_width = 2\n[vmac]\nn = 8\n"),
            "my.cfg:6: error: 'vmac.n' is already set in line 2 [config-duplicate]");
  EXPECT_EQ(Messages("vmac.n = 8\n[vmac]\nn = 4\n"),
            "my.cfg:3: error: 'vmac.n' is already set in line 1 [config-duplicate]");
  EXPECT_EQ(Messages("[vmac\nn = 8\n"),
            "my.cfg:1: error: section header '[vmac' lacks its ']' [config-syntax]\n"
            "my.cfg:2: error: unknown key 'n' [config-key]");
  EXPECT_EQ(Messages("[vmac]\nn 8\n"),
            "my.cfg:2: error: expected 'key = value', got 'n 8' [config-syntax]");
}

TEST(ConfigFile, MistakesOfNumber) {
  for (const char* text : {"", "eight", "8x", "8 8", "0x8", "8.0", "+8", "1e1", "= 8"}) {
    EXPECT_EQ(
        Messages(Lines("vmac.n", text)),
        fmt::format("my.cfg:2: error: 'vmac.n' must be a whole number, got '{}' [config-number]",
                    text));
  }
  // Beyond 32 and 64 bits.
  for (const char* text : {"4294967312", "-4294967280", "18446744073709551632"}) {
    EXPECT_EQ(
        Messages(Lines("vmac.n", text)),
        fmt::format("my.cfg:2: error: 'vmac.n' must be one of 4, 8, 16, 32, got {} [config-range]",
                    text));
  }
  EXPECT_EQ(CommandLineMessages({"--axi.id_width=four"}),
            "command line: error: 'axi.id_width' must be a whole number, got 'four' "
            "[config-number]");
}

TEST(ConfigFile, UnreadableFiles) {
  const auto missing = LoadConfig("/nonexistent/my.cfg");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().Format(),
            "/nonexistent/my.cfg: error: cannot read the file [config-file]");
  const auto folder = LoadConfig("/");
  ASSERT_FALSE(folder.ok());
  EXPECT_EQ(folder.error().Format(), "/: error: cannot read the file [config-file]");
}

// --- Rules between keys --------------------------------------------------------------------------

TEST(ConfigRules, EachIsReportedAtTheKeyThatTheFileSets) {
  EXPECT_EQ(Messages("[vmac]\naccumulator_bits = 15\n"),
            "my.cfg:2: error: 'vmac.accumulator_bits' must be 0 or between 16 and 48, got 15 "
            "[config-rule]");
  EXPECT_EQ(Messages("[vmac]\naccumulator_bits = 1\n"),
            "my.cfg:2: error: 'vmac.accumulator_bits' must be 0 or between 16 and 48, got 1 "
            "[config-rule]");
  EXPECT_EQ(Messages("[format]\nwidth = 5\nexponent = 4\n"),
            "my.cfg:3: error: 'format.exponent' must leave a mantissa bit, got exponent 4 and "
            "width 5 [config-rule]");
  EXPECT_EQ(Messages("[format]\nwidth = 6\nexponent = 4\n"), "");
  EXPECT_EQ(Messages("[format]\nwidth = 4\n"),
            "my.cfg:2: error: 'format.exponent' must leave a mantissa bit, got exponent 3 and "
            "width 4 [config-rule]");
  EXPECT_EQ(Messages("[format]\nwidth = 4\nexponent = 2\n"), "");
  EXPECT_EQ(Messages("[model]\nhidden = 200\nheads = 12\n"),
            "my.cfg:3: error: 'model.heads' must divide 'model.hidden', got 12 and 200 "
            "[config-rule]");
  EXPECT_EQ(Messages("[model]\nhidden = 200\n"),
            "my.cfg:2: error: 'model.heads' must divide 'model.hidden', got 12 and 200 "
            "[config-rule]");
  EXPECT_EQ(Messages("[memory]\nstream_fifo_beats = 64\n[axi]\nmax_burst = 65\n"),
            "my.cfg:4: error: 'axi.max_burst' must not exceed 'memory.stream_fifo_beats', got 65 "
            "and 64 [config-rule]");
  EXPECT_EQ(Messages("[memory]\nstream_fifo_beats = 15\n"),
            "my.cfg:2: error: 'axi.max_burst' must not exceed 'memory.stream_fifo_beats', got 16 "
            "and 15 [config-rule]");
  // A row of activation memory is at most 2^12 - 1 vectors: 16380 codes at n = 4.
  EXPECT_EQ(Messages("[vmac]\nn = 4\n[model]\nffn = 16381\nseq_len = 2\n"),
            "my.cfg:4: error: 'model.ffn' must fit 4095 vectors of 'vmac.n' codes, got 16381 and 4 "
            "[config-rule]");
  EXPECT_EQ(Messages("[vmac]\nn = 4\n[model]\nffn = 16380\nseq_len = 2\n"), "");
  // 512 tokens of 3 * 256 + 1280 vectors are 2^20, all that an instruction can address.
  const std::string large = "[vmac]\nn = 8\n[model]\nseq_len = 512\nhidden = 2048\nheads = 16\n";
  EXPECT_EQ(Messages(large + "ffn = 10240\n"), "");
  EXPECT_EQ(Messages(large + "ffn = 10248\n"),
            "my.cfg:4: error: 'memory.activation_vectors' must be set: the model limits need "
            "1049088 vectors, an instruction addresses 1048576 [config-rule]");
  EXPECT_EQ(Messages(large + "ffn = 10248\n[memory]\nactivation_vectors = 1048576\n"), "");
}

TEST(ConfigRules, AllMistakesAreReportedAtOnce) {
  EXPECT_EQ(Messages("[vmac]\nn = 12\nspeed = 3\n[model]\nhidden = 100\nheads = 12\n"
                     "layers = many\n[axi]\nmax_burst = 128\nid_width = 1\nid_width = 2\n"
                     "[memory]\nstream_fifo_beats = 64\n"),
            "my.cfg:2: error: 'vmac.n' must be one of 4, 8, 16, 32, got 12 [config-range]\n"
            "my.cfg:3: error: unknown key 'vmac.speed' [config-key]\n"
            "my.cfg:7: error: 'model.layers' must be a whole number, got 'many' [config-number]\n"
            "my.cfg:11: error: 'axi.id_width' is already set in line 10 [config-duplicate]\n"
            "my.cfg:6: error: 'model.heads' must divide 'model.hidden', got 12 and 100 "
            "[config-rule]\n"
            "my.cfg:9: error: 'axi.max_burst' must not exceed 'memory.stream_fifo_beats', got 128 "
            "and 64 [config-rule]");
  // A rule says nothing about a value that is wrong already.
  EXPECT_EQ(Messages("[model]\nhidden = 100\nheads = 0\n"),
            "my.cfg:3: error: 'model.heads' must be between 1 and 64, got 0 [config-range]");
}

TEST(ConfigRules, ValidateChecksPlainData) {
  AcceleratorConfig c;
  EXPECT_TRUE(Validate(c).ok());
  c.vmac.n = 0;
  c.model.heads = 0;
  c.axi.max_burst = 100;
  c.memory.stream_fifo_beats = 64;
  c.memory.backend = static_cast<MemoryBackend>(3);
  const Status status = Validate(c);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().Format(),
            "error: 'vmac.n' must be one of 4, 8, 16, 32, got 0 [config-range]\n"
            "error: 'model.heads' must be between 1 and 64, got 0 [config-range]\n"
            "error: 'memory.backend' must be one of behavioural, flop, macro, got 3 "
            "[config-range]\n"
            "error: 'axi.max_burst' must not exceed 'memory.stream_fifo_beats', got 100 and 64 "
            "[config-rule]");
}

// --- The command line ----------------------------------------------------------------------------

TEST(ConfigCommandLine, OverridesTheFileAndNothingElse) {
  const AcceleratorConfig file = LoadConfig(Preset("tiny")).value();
  for (const Row& row : Rows()) {
    // Pairs that must change together.
    std::vector<std::string> words = {"--" + row.key, row.other};
    if (row.key == "model.heads" || row.key == "model.hidden") {
      words = {"--model.hidden", "96", "--model.heads", "6"};
    }
    const auto config = FromCommandLine(words, file);
    ASSERT_TRUE(config.ok()) << config.error().Format();
    std::string expected = ToConfigText(file);
    for (size_t i = 0; i < words.size(); i += 2) {
      const size_t dot = words[i].find('.');
      const size_t section = expected.find(fmt::format("[{}]\n", words[i].substr(2, dot - 2)));
      const std::string name = fmt::format("\n{} = ", words[i].substr(dot + 1));
      const size_t value = expected.find(name, section) + name.size();
      expected.replace(value, expected.find('\n', value) - value, words[i + 1]);
    }
    EXPECT_EQ(ToConfigText(*config), expected) << row.key;
  }
}

TEST(ConfigCommandLine, RulesHoldForTheOutcome) {
  const AcceleratorConfig file = LoadConfig(Preset("tiny")).value();
  EXPECT_EQ(CommandLineMessages({"--model.heads", "5", "--vmac.n", "7"}, file),
            "command line: error: 'vmac.n' must be one of 4, 8, 16, 32, got 7 [config-range]\n"
            "command line: error: 'model.heads' must divide 'model.hidden', got 5 and 24 "
            "[config-rule]");
}

// --- Canonical text and hash ---------------------------------------------------------------------

constexpr const char* kDefaultText = R"([vmac]
n = 16
accumulator_bits = 0
pipeline = 2
operand_gating = true

[format]
width = 8
exponent = 3

[model]
hidden = 192
ffn = 768
heads = 12
seq_len = 64
layers = 12
classes = 2
vocab = 8002
embedding = 128
token_types = 2
pooler = false

[memory]
activation_vectors = 0
program_words = 512
stream_fifo_beats = 256
resident_kib = 0
backend = behavioural

[axi]
data_width = 128
addr_width = 32
id_width = 4
max_burst = 16
outstanding = 16

[reram]
word_bits = 64
bits_per_cell = 2
read_latency = 4
ecc = none
)";

/// CRC-32 of IEEE 802.3, bit by bit: reflected polynomial, all ones before and after.
uint32_t Crc32(const std::string& text) {
  uint32_t crc = 0xFFFFFFFF;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0u);
  }
  return ~crc;
}

TEST(ConfigText, IsCompleteAndCanonical) {
  EXPECT_EQ(ToConfigText(AcceleratorConfig{}), kDefaultText);
  // Order, spacing and comments of a file leave no trace.
  EXPECT_EQ(ToConfigText(Parse("[reram]\nread_latency=4 # same\n[vmac]\n  n   =  16\n")),
            kDefaultText);
}

TEST(ConfigText, ComesBackTheSame) {
  std::string all;
  for (const Row& row : Rows()) all += Lines(row.key, row.other);
  const std::string text = ToConfigText(Parse(all));
  EXPECT_EQ(ToConfigText(Parse(text)), text);
  for (const Row& row : Rows()) {
    const std::string name = row.key.substr(row.key.find('.') + 1);
    EXPECT_NE(text.find(fmt::format("\n{} = {}\n", name, row.other)), std::string::npos) << name;
  }
}

TEST(ConfigHash, IsTheCrcOfTheCanonicalText) {
  ASSERT_EQ(Crc32("123456789"), 0xCBF43926u);  // the check value of the standard
  EXPECT_EQ(ConfigHash(AcceleratorConfig{}), Crc32(kDefaultText));
  const AcceleratorConfig tiny = LoadConfig(Preset("tiny")).value();
  EXPECT_EQ(ConfigHash(tiny), Crc32(ToConfigText(tiny)));
}

TEST(ConfigHash, ChangesWithEveryKey) {
  std::set<uint32_t> hashes = {ConfigHash(AcceleratorConfig{})};
  for (const Row& row : Rows()) hashes.insert(ConfigHash(Parse(Lines(row.key, row.other))));
  EXPECT_EQ(hashes.size(), Rows().size() + 1);
}

// --- Derived numbers -----------------------------------------------------------------------------

TEST(ConfigDerived, DefaultByHand) {
  const AcceleratorConfig c;
  EXPECT_EQ(MantissaBits(c), 4);
  EXPECT_EQ(CodeIntBits(c), 13);
  EXPECT_EQ(ProductBits(c), 25);
  EXPECT_EQ(LargestK(c), 768);
  EXPECT_EQ(AccumulatorBits(c), 35);  // 25 + 10
  EXPECT_EQ(HeadDim(c), 16);
  EXPECT_EQ(HiddenVectors(c), 12);
  EXPECT_EQ(HeadVectors(c), 1);
  EXPECT_EQ(FfnVectors(c), 48);
  EXPECT_EQ(EmbeddingVectors(c), 8);
  EXPECT_EQ(ClassVectors(c), 1);
  EXPECT_EQ(SeqTiles(c), 4);
  EXPECT_EQ(CodesPerBeat(c), 16);
  EXPECT_EQ(ResidentBeats(c), 0);
  EXPECT_EQ(CodesPerReramWord(c), 8);
  EXPECT_EQ(ActivationVectors(c), 5376);  // 64 * (3 * 12 + 48)
}

TEST(ConfigDerived, TinyByHand) {
  const AcceleratorConfig c = LoadConfig(Preset("tiny")).value();
  EXPECT_EQ(HeadDim(c), 8);
  EXPECT_EQ(HiddenVectors(c), 6);
  EXPECT_EQ(HeadVectors(c), 2);
  EXPECT_EQ(FfnVectors(c), 12);
  EXPECT_EQ(EmbeddingVectors(c), 3);
  EXPECT_EQ(ClassVectors(c), 1);
  EXPECT_EQ(SeqTiles(c), 4);
  EXPECT_EQ(LargestK(c), 48);
  EXPECT_EQ(AccumulatorBits(c), 31);     // 25 + 6
  EXPECT_EQ(ActivationVectors(c), 544);  // 16 * (3 * 6 + (3 + 3) * 2 + 4)
}

TEST(ConfigDerived, AlbertBaseByHand) {
  const AcceleratorConfig c = LoadConfig(Preset("albert_base")).value();
  EXPECT_EQ(HeadDim(c), 64);
  EXPECT_EQ(HeadVectors(c), 4);
  EXPECT_EQ(LargestK(c), 3072);
  EXPECT_EQ(AccumulatorBits(c), 37);
  EXPECT_EQ(CodesPerBeat(c), 16);
  EXPECT_EQ(ActivationVectors(c), 43008);  // 128 * (3 * 48 + 192)
}

TEST(ConfigDerived, PaddingAndOtherLargest) {
  // Five heads of 3 are five padded vectors of 16: the context is 80 codes wide.
  EXPECT_EQ(LargestK(Parse("[model]\nhidden = 15\nheads = 5\nffn = 20\nembedding = 9\n"
                           "seq_len = 33\n")),
            80);
  // 33 keys are padded to 48.
  EXPECT_EQ(LargestK(Parse("[model]\nhidden = 12\nheads = 1\nffn = 20\nembedding = 9\n"
                           "seq_len = 33\n")),
            48);
  // The embedding is the widest: 2 * 7 vectors against 1 + 3 + 1 and 2.
  EXPECT_EQ(ActivationVectors(Parse("[model]\nhidden = 12\nheads = 1\nffn = 20\nembedding = 97\n"
                                    "seq_len = 10\n")),
            10 * (3 * 1 + 14));
  EXPECT_EQ(ActivationVectors(Parse("[memory]\nactivation_vectors = 99\n")), 99);
  EXPECT_EQ(AccumulatorBits(Parse("[vmac]\naccumulator_bits = 32\n")), 32);
  EXPECT_EQ(ClassVectors(Parse("[model]\nclasses = 17\n")), 2);
  EXPECT_EQ(CodesPerBeat(Parse("[format]\nwidth = 7\n")), 18);
  EXPECT_EQ(ResidentBeats(Parse("[memory]\nresident_kib = 3\n")), 192);
  EXPECT_EQ(CodesPerReramWord(Parse("[format]\nwidth = 6\n[reram]\nword_bits = 32\n")), 5);
  // (39,32), (72,64) and (137,128) codes.
  EXPECT_EQ(ReramCheckBits(Parse("[reram]\n")), 0);
  EXPECT_EQ(ReramCheckBits(Parse("[reram]\necc = secded\nword_bits = 32\n")), 7);
  EXPECT_EQ(ReramCheckBits(Parse("[reram]\necc = secded\n")), 8);
  EXPECT_EQ(ReramCheckBits(Parse("[reram]\necc = secded\nword_bits = 128\n")), 9);
}

TEST(ConfigDerived, IndexBits) {
  const std::vector<std::pair<int64_t, int>> expected = {{1, 1}, {2, 1},    {3, 2},     {4, 2},
                                                         {5, 3}, {768, 10}, {1024, 10}, {1025, 11}};
  for (const auto& [value, bits] : expected) EXPECT_EQ(IndexBits(value), bits) << value;
}

// Widths hold the extremes of every format, and one bit less does not.
TEST(ConfigDerived, WidthsAreExactForEveryFormat) {
  const auto fits = [](__int128 v, int bits) {
    const __int128 half = static_cast<__int128>(1) << (bits - 1);
    return v < half && v >= -half;
  };
  for (int width = 4; width <= 8; ++width) {
    for (int exponent = 2; exponent <= 4 && width - 1 - exponent >= 1; ++exponent) {
      AcceleratorConfig c;
      c.format = {width, exponent};
      ASSERT_TRUE(Validate(c).ok());
      // The largest magnitude: all exponent and mantissa bits set.
      const int mantissa = width - 1 - exponent;
      const int64_t largest = ((int64_t{2} << mantissa) - 1) << ((1 << exponent) - 1);
      const __int128 product = static_cast<__int128>(largest) * largest;
      EXPECT_TRUE(fits(largest, CodeIntBits(c)));
      EXPECT_TRUE(fits(-largest, CodeIntBits(c)));
      EXPECT_FALSE(fits(largest, CodeIntBits(c) - 1));
      EXPECT_TRUE(fits(product, ProductBits(c)));
      EXPECT_FALSE(fits(product, ProductBits(c) - 1));
      for (const int ffn : {192, 200, 768, 1024, 1040, 3072, 16384}) {
        c.model.ffn = ffn;
        EXPECT_TRUE(fits(product * LargestK(c), AccumulatorBits(c))) << ffn;
        EXPECT_TRUE(fits(-product * LargestK(c), AccumulatorBits(c))) << ffn;
      }
    }
  }
}

// --- Presets -------------------------------------------------------------------------------------

TEST(ConfigPresets, AreCompleteAndSayWhatTheyAre) {
  std::set<std::string> names;
  for (const fs::directory_entry& file : fs::directory_iterator(EDGEBERT_CONFIGS)) {
    const std::string name = file.path().stem();
    names.insert(name);
    const auto config = LoadConfig(file.path());
    ASSERT_TRUE(config.ok()) << config.error().Format();
    const std::string text = ReadText(file.path());
    EXPECT_EQ(text.substr(0, 2), "# ") << name;
    EXPECT_EQ(text.substr(text.find('[')), ToConfigText(*config)) << name;
  }
  EXPECT_EQ(names, (std::set<std::string>{"albert_base", "default", "n32", "n4", "n8", "tiny",
                                          "tiny_n16", "tiny_n32", "tiny_n8"}));
}

TEST(ConfigPresets, VariantsDifferInTheArrayAlone) {
  const auto like = [](const std::string& base, int n, int axi_data_width) {
    AcceleratorConfig config = LoadConfig(Preset(base)).value();
    config.vmac.n = n;
    config.axi.data_width = axi_data_width;
    return ToConfigText(config);
  };
  const auto text = [](const std::string& name) {
    return ToConfigText(LoadConfig(Preset(name)).value());
  };
  EXPECT_EQ(text("default"), kDefaultText);
  EXPECT_EQ(text("n4"), like("default", 4, 64));
  EXPECT_EQ(text("n8"), like("default", 8, 64));
  EXPECT_EQ(text("n32"), like("default", 32, 256));
  EXPECT_EQ(text("tiny"), like("tiny", 4, 64));
  EXPECT_EQ(text("tiny_n8"), like("tiny", 8, 64));
  EXPECT_EQ(text("tiny_n16"), like("tiny", 16, 64));
  EXPECT_EQ(text("tiny_n32"), like("tiny", 32, 64));
}

}  // namespace
}  // namespace edgebert::spec
