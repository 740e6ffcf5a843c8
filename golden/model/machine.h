// The machine: runs the program of an image, instruction by instruction, on its own memories and
// with integers only, exactly as docs/architecture.md and docs/numerics.md say.
//
// Units of the hardware overlap in time; their results do not depend on it, so the machine runs one
// instruction to its end before the next. Write-backs are reported in the order in which the unit
// of the hardware makes them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "golden/base/result.h"
#include "golden/model/image.h"
#include "golden/spec/config.h"
#include "golden/spec/isa.h"
#include "golden/spec/register_map.h"

namespace edgebert::model {

/// One execution of one instruction.
struct Step {
  uint64_t sequence = 0;  ///< instructions executed before it
  int pc = 0;
  int iteration = 0;  ///< loop counter
  int layer = 0;      ///< 0-based layer of the model: EXITs executed before it
  const spec::Instruction* instruction = nullptr;
  const InstructionName* name = nullptr;

  /// e.g. "layer 3 head 5 softmax", layers and heads counted from 0.
  [[nodiscard]] std::string Describe() const;
};

enum class WriteKind : uint8_t { kActivation, kScore, kLogit, kEntropy, kPrediction };

/// One write-back.
struct WriteBack {
  WriteKind kind = WriteKind::kActivation;
  uint32_t address = 0;  ///< vector address; logits: the strip; entropy: the layer; else 0
  int row = 0;           ///< row of the tensor
  int tile = 0;          ///< tile (strip) within the row
  /// kActivation: n codes, zero-extended. kScore: n signed Q7.9. kLogit: n Fixed.
  /// kEntropy, kPrediction: one number.
  std::span<const int32_t> lanes;
};

/// Work of one instruction, or of a sentence. The counters of the same name in
/// golden/spec/register_map count the same events.
struct Counts {
  uint64_t instructions = 0;
  uint64_t mac_rows = 0;    ///< rows streamed through a held tile: ideal MATMUL cycles
  uint64_t gated_rows = 0;  ///< of those, rows whose source vector was zero
  /// Products, n x n a MAC row, by which of their operands are not zero: what gating can save.
  uint64_t source_products = 0;  ///< activation of the source not zero
  uint64_t held_products = 0;    ///< weight, or activation of a held tile, not zero
  uint64_t live_products = 0;    ///< both not zero
  uint64_t tiles = 0;            ///< held tiles used
  uint64_t skipped_rows = 0;     ///< rows of a tile that the span window leaves out
  uint64_t weight_beats = 0;     ///< beats consumed from the weight stream
  uint64_t weight_nonzeros = 0;  ///< non-zero weights decoded
  uint64_t activation_writes = 0;
  uint64_t score_writes = 0;
  uint64_t source_reads = 0;     ///< MATMUL source vectors
  uint64_t residual_reads = 0;   ///< MATMUL residual vectors
  uint64_t held_reads = 0;       ///< MATMUL held vectors from activation memory
  uint64_t norm_vectors = 0;     ///< vectors LAYER_NORM normalised
  uint64_t softmax_tiles = 0;    ///< score vectors SOFTMAX covered
  uint64_t reram_words = 0;      ///< SLC and MLC words read
  uint64_t reram_corrected = 0;  ///< of those, words that ECC corrected

  Counts& operator+=(const Counts& other);
  friend bool operator==(const Counts&, const Counts&) = default;
};

/// Called while the machine runs. `WriteBack` points into the machine: copy what you keep.
class MachineObserver {
 public:
  virtual ~MachineObserver() = default;
  virtual void OnInstruction(const Step& /*step*/) {}
  virtual void OnWriteBack(const Step& /*step*/, const WriteBack& /*write*/) {}
  /// After the last write-back of the instruction.
  virtual void OnDone(const Step& /*step*/, const Counts& /*counts*/) {}
};

/// What a sentence gave. With an error the rest is as far as the program came.
struct SentenceResult {
  spec::ErrorCode error = spec::ErrorCode::kNone;
  uint32_t error_detail = 0;
  int exit_layer = 0;  ///< 1-based; layers run
  int prediction = 0;
  bool saturated = false;           ///< an accumulator saturated
  std::vector<int32_t> logits;      ///< Fixed, one a class
  std::vector<uint32_t> entropies;  ///< Q4.16, one a layer run
  Counts counts;
};

/// Everything that changes while a sentence runs. Copy it out and in to run part of a program
/// elsewhere.
struct MachineState {
  /// A part of the weight stream that STREAM appended, less what was consumed. Bytes.
  struct Segment {
    uint64_t offset = 0;
    uint64_t bytes = 0;
    friend bool operator==(const Segment&, const Segment&) = default;
  };

  std::vector<uint8_t> activations;  ///< one code a byte: vector a at a*n, lane 0 first
  std::vector<int16_t> scores;       ///< vector a at a*n
  std::vector<int32_t> logits;       ///< whole strips
  std::vector<Segment> stream;       ///< front first
  std::vector<uint32_t> tokens;      ///< token words: id 23:0, type 31:24
  uint32_t threshold = 0;
  int pc = 0;
  int iteration = 0;
  uint64_t sequence = 0;
  bool finished = true;
  SentenceResult result;
};

class Machine {
 public:
  /// Whether the image runs on the configuration. Rule: "image-mismatch", one a fact.
  static Status Check(const spec::AcceleratorConfig& config, const Image& image);

  /// `image` must pass `Check` and outlive the machine.
  Machine(const spec::AcceleratorConfig& config, const Image& image);
  ~Machine();
  Machine(Machine&&) noexcept;
  Machine& operator=(Machine&&) noexcept;

  /// Runs a sentence of at most image.facts.max_tokens tokens to its end. `threshold` is unsigned
  /// Q16.16.
  const SentenceResult& Run(std::span<const uint32_t> tokens, uint32_t threshold,
                            MachineObserver* observer = nullptr);

  /// The same in steps: `Start`, then `StepOnce` until it returns false (END, an exit or an error).
  void Start(std::span<const uint32_t> tokens, uint32_t threshold);
  bool StepOnce(MachineObserver* observer = nullptr);

  /// Runs steps until `state().sequence` is `sequence` or the sentence ends.
  void RunUntil(uint64_t sequence, MachineObserver* observer = nullptr);

  [[nodiscard]] const MachineState& state() const;
  void set_state(MachineState state);
  [[nodiscard]] const SentenceResult& result() const { return state().result; }

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace edgebert::model
