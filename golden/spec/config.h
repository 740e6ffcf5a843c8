// The configuration of one accelerator: what a generated design is made for, and every width that
// follows from it.
//
// One table (config.cc) serves the command line and the file: `[vmac]` / `n = 16` in a .cfg file is
// `--vmac.n 16` on the command line, which overrides the file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "golden/base/result.h"

namespace boost::program_options {
class options_description;
class variables_map;
}  // namespace boost::program_options

namespace edgebert::spec {

/// n VMACs of n lanes.
struct VmacConfig {
  int n = 16;                  ///< VMACs, and lanes of each: 4, 8, 16 or 32.
  int accumulator_bits = 0;    ///< 0: exact for the largest K; else 16..48, saturating.
  int pipeline = 2;            ///< Register cuts in the multiply-add path, 1..4.
  bool operand_gating = true;  ///< A product with a zero operand stands still.
};

/// AdaptivFloat<width, exponent>.
struct FormatConfig {
  int width = 8;     ///< Bits of a code, 4..8.
  int exponent = 3;  ///< Exponent bits, 2..4; at least one mantissa bit must remain.
};

/// The largest model that the design runs; smaller ones run too.
struct ModelLimits {
  int hidden = 192;     ///< Hidden width, 4..4096.
  int ffn = 768;        ///< Feed-forward width, 4..16384, and at most 4095 vectors of n.
  int heads = 12;       ///< Attention heads, 1..64; must divide `hidden`.
  int seq_len = 64;     ///< Tokens with [CLS] and [SEP], 2..512.
  int layers = 12;      ///< Encoder layers run in sequence, 1..64.
  int classes = 2;      ///< Classes of an off-ramp, 2..256.
  int vocab = 8002;     ///< Rows of the word embedding, 1..1000000.
  int embedding = 128;  ///< Embedding width, 4..4096.
  int token_types = 2;  ///< Rows of the token-type embedding, 1..255.
  bool pooler = false;  ///< Off-ramps have a pooler (hidden x hidden, tanh).
};

/// What the memory wrappers contain: `behavioural`, `flop` or `macro` in a file.
enum class MemoryBackend : uint8_t { kBehavioural = 0, kFlop = 1, kMacro = 2 };

struct MemoryConfig {
  int activation_vectors = 0;   ///< Vectors, 0..2^20; 0: what the model limits need.
  int program_words = 512;      ///< Instructions of program memory, 16..65536.
  int stream_fifo_beats = 256;  ///< Prefetch depth of the AXI reader, 4..4096.
  int resident_kib = 0;         ///< KiB of weight stream that can stay on chip, 0..65536; 0: none.
  MemoryBackend backend = MemoryBackend::kBehavioural;
};

struct AxiConfig {
  int data_width = 128;  ///< 32, 64, 128 or 256.
  int addr_width = 32;   ///< 32..64.
  int id_width = 4;      ///< 1..16.
  int max_burst = 16;    ///< Beats of a burst, 1..256; at most stream_fifo_beats.
  int outstanding = 16;  ///< Read bursts in flight, 1..16.
};

/// What protects the words of the ReRAM: `none` or `secded` in a file.
enum class ReramEcc : uint8_t { kNone = 0, kSecded = 1 };

struct ReramConfig {
  int word_bits = 64;     ///< Bits of data in a macro word: 32, 64 or 128.
  int bits_per_cell = 2;  ///< Of the multi-level region, 1..3; the other region has 1.
  int read_latency = 4;   ///< Cycles from request to data, 1..64.
  ReramEcc ecc = ReramEcc::kNone;
};

/// The whole configuration. Plain data; Validate() once, then pass by const reference.
struct AcceleratorConfig {
  VmacConfig vmac;
  FormatConfig format;
  ModelLimits model;
  MemoryConfig memory;
  AxiConfig axi;
  ReramConfig reram;
};

// --- Reading and writing -------------------------------------------------------------------------

/// Reads and validates a .cfg file: `[section]`, `key = value`, `#` to the end of a line. A key
/// that is absent has its default. Every mistake is reported, with its line, under one of the rules
/// config-file, config-syntax, config-key, config-duplicate, config-number, config-range (of one
/// key) and config-rule (between keys; at the first of them that the file sets).
Result<AcceleratorConfig> LoadConfig(const std::string& path);
/// The same from text; `file_name` is for messages.
Result<AcceleratorConfig> ParseConfigText(const std::string& text, const std::string& file_name);
/// Adds one option a key, with unit, range and default, to a command line.
void AddConfigOptions(boost::program_options::options_description& options);
/// Applies the options given on the command line over `config` and validates the outcome.
Result<AcceleratorConfig> ApplyConfigOptions(AcceleratorConfig config,
                                             const boost::program_options::variables_map& options);
/// Checks every range and every rule between fields.
Status Validate(const AcceleratorConfig& config);
/// Complete, canonical text of a valid configuration: parsing it gives the same one.
std::string ToConfigText(const AcceleratorConfig& config);
/// CRC-32 (IEEE 802.3) of the canonical text; the CONFIG_HASH register.
uint32_t ConfigHash(const AcceleratorConfig& config);

// --- Derived numbers (docs/numerics.md, docs/architecture.md) ------------------------------------

[[nodiscard]] constexpr int CeilDiv(int a, int b) { return (a + b - 1) / b; }
/// Bits that hold 0..value-1, at least 1.
[[nodiscard]] constexpr int IndexBits(int64_t value) {
  int bits = 1;
  while ((int64_t{1} << bits) < value) ++bits;
  return bits;
}

/// M = W - 1 - E.
[[nodiscard]] int MantissaBits(const AcceleratorConfig& c);
/// Bits of the signed integer view of a code: M + 1 + (2^E - 1) + 1.
[[nodiscard]] int CodeIntBits(const AcceleratorConfig& c);
/// Bits of an exact signed product: 2 * CodeIntBits - 1.
[[nodiscard]] int ProductBits(const AcceleratorConfig& c);
/// The largest K of a matrix product, padded to whole vectors.
[[nodiscard]] int LargestK(const AcceleratorConfig& c);
/// vmac.accumulator_bits, or ProductBits + ceil(log2 LargestK): exact by construction.
[[nodiscard]] int AccumulatorBits(const AcceleratorConfig& c);
/// Vectors of n codes that hold a row of the named tensor.
[[nodiscard]] int HiddenVectors(const AcceleratorConfig& c);
[[nodiscard]] int FfnVectors(const AcceleratorConfig& c);
[[nodiscard]] int EmbeddingVectors(const AcceleratorConfig& c);
/// Of the longest row that eb_layer_norm takes.
[[nodiscard]] int NormVectors(const AcceleratorConfig& c);
[[nodiscard]] int ClassVectors(const AcceleratorConfig& c);
[[nodiscard]] int HeadDim(const AcceleratorConfig& c);
/// Each head is padded to whole vectors.
[[nodiscard]] int HeadVectors(const AcceleratorConfig& c);
/// Key tiles of the longest sentence.
[[nodiscard]] int SeqTiles(const AcceleratorConfig& c);
/// Codes of a weight-stream beat and of a ReRAM word.
[[nodiscard]] int CodesPerBeat(const AcceleratorConfig& c);
[[nodiscard]] int CodesPerReramWord(const AcceleratorConfig& c);
/// Check bits that a word of the ReRAM has beside its data, 0 without ECC.
[[nodiscard]] int ReramCheckBits(const AcceleratorConfig& c);
/// Beats of the resident weight memory, 0 when there is none.
[[nodiscard]] int ResidentBeats(const AcceleratorConfig& c);
/// Vectors of activation memory: seq_len times X, X1 and the sum before LayerNorm (HiddenVectors
/// each) and a work region of max(FfnVectors, (heads + 3) * HeadVectors + SeqTiles,
/// 2 * EmbeddingVectors), or memory.activation_vectors when that is set.
[[nodiscard]] int ActivationVectors(const AcceleratorConfig& c);

}  // namespace edgebert::spec
