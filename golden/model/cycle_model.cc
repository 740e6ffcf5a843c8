#include "golden/model/cycle_model.h"

#include <algorithm>
#include <array>
#include <optional>

#include "golden/base/check.h"
#include "golden/model/timing/axi_reader.h"
#include "golden/model/timing/embedding.h"
#include "golden/model/timing/layer_norm.h"
#include "golden/model/timing/matmul.h"
#include "golden/model/timing/schedule.h"
#include "golden/model/timing/softmax.h"
#include "golden/model/timing/weight_stream.h"
#include "golden/spec/formats.h"

namespace edgebert::model {
namespace {

using spec::Instruction;
using spec::Opcode;
using timing::Cycle;

// Cycles between two events of docs/architecture.md, "Timing"; those of the other units stand with
// them in timing/.

// eb_sequencer. START is accepted in the cycle before cycle 0.
constexpr Cycle kStartToRequest = 1;   // CHECK; the reader takes the request of the tokens
constexpr Cycle kTokenToDispatch = 3;  // token counted; program memory read; instruction register
constexpr Cycle kJump = 1;             // LOOP back: the program memory is read again
constexpr Cycle kDoneToEntropy = 1;    // entropy register; then it is handed over
constexpr Cycle kFinish = 1;           // FINISH, or END: all units idle
constexpr Cycle kFlushToRecord = 2;    // FLUSH; RESULT
constexpr Cycle kQuietToDone = 1;      // DRAIN sees that nothing is in flight

// eb_axi_writer with eb_result_writer.
constexpr Cycle kWordToWriter = 1;     // word register
constexpr Cycle kWriterToAddress = 1;  // AW and W registers
constexpr Cycle kAddressToFree = 1;    // for the next word
constexpr Cycle kResponseToFree = 1;   // count of writes in flight

// eb_exit.
constexpr Cycle kExitStart = 2;     // command register, entropy unit
constexpr Cycle kExitCombine = 17;  // logit, exp, sums, reciprocal and logarithm, entropy
constexpr Cycle kExitDone = 1;

/// The first cycle in which an instruction can be dispatched.
Cycle FetchTokens(size_t tokens, int token_beat, timing::AxiReader& reader) {
  const auto words = static_cast<size_t>(token_beat);
  const size_t beats = (tokens + words - 1) / words;
  reader.Request(kStartToRequest, 0, static_cast<int64_t>(beats));
  Cycle written = 0;
  for (size_t beat = 0; beat < beats; ++beat) {
    const size_t count = std::min(words, tokens - beat * words);
    written = reader.Take(reader.Available() + static_cast<Cycle>(count) - 1);
  }
  return written + kTokenToDispatch;
}

/// The result record, when all units are idle in cycle `idle`; the cycles of the sentence. The
/// entropies were handed over in the cycles `entropies` and may still wait for their responses.
Cycle WriteRecord(int classes, std::span<const Cycle> entropies, Cycle idle,
                  const spec::AcceleratorConfig& config, const MemoryTiming& memory) {
  std::vector<Cycle> answered;
  // When the writer is free again after a word that it could take in cycle `from`.
  const auto write = [&](Cycle from) {
    const auto answer = [&](int waiting) {  // that leaves fewer of them
      const auto first = static_cast<int>(answered.size()) - waiting;
      return first < 0 ? 0 : answered[static_cast<size_t>(first)] + kResponseToFree;
    };
    const Cycle word = std::max(from, answer(config.axi.outstanding));
    const Cycle address = std::max(word + kWriterToAddress, answer(memory.outstanding));
    answered.push_back(address + std::max(1, memory.latency));
    return address + kAddressToFree;
  };
  for (const Cycle entropy : entropies) write(entropy + kWordToWriter);
  Cycle next = idle + kFinish + kFlushToRecord + kWordToWriter;
  for (int word = 0; word < spec::kResultEntropyWord + classes; ++word) next = write(next);
  return answered.back() + kResponseToFree + kQuietToDone;
}

/// eb_sequencer: walks the program with all units.
class Sentence {
 public:
  Sentence(const spec::AcceleratorConfig& config, const Image& image, const MemoryTiming& memory,
           std::span<const uint32_t> tokens, int layers)
      : config_(config),
        image_(image),
        memory_(memory),
        tokens_(tokens),
        length_(static_cast<int>(tokens.size())),
        layers_(layers),
        reader_(config, memory,
                spec::ResidentBeats(config) > 0 &&
                    static_cast<size_t>(spec::ResidentBeats(config) *
                                        (config.axi.data_width / 8)) >= image.weights.size()),
        stream_(config, image, reader_),
        matmul_(config, stream_) {
    operations_.reserve(image.program.size() * static_cast<size_t>(layers));
  }

  CyclePrediction Run() {
    timing::AxiReader tokens(config_, memory_, false);
    next_ = FetchTokens(tokens_.size(), config_.axi.data_width / 32, tokens);
    for (uint64_t sequence = 0; !Step(sequence); ++sequence) {
    }
    const Cycle quiet = std::max(next_, Waited(kAllUnits));
    const Cycle cycles = WriteRecord(classes_, entropies_, quiet, config_, memory_);
    matmul_.Account(cycles, LastMatmul());
    prediction_.cycles = static_cast<uint64_t>(cycles);
    for (const OperationCycles& operation : operations_) prediction_.array += operation.array;
    prediction_.matmul_idle = prediction_.cycles - prediction_.array.Sum();
    prediction_.operations = std::move(operations_);
    return std::move(prediction_);
  }

  /// When the weight stream beside the first EMBED has filled its buffer.
  [[nodiscard]] Cycle buffered() const { return buffered_; }

 private:
  static constexpr uint32_t kAllUnits = (1U << spec::kUnits) - 1;

  /// Executes an instruction; true when it is the last one.
  bool Step(uint64_t sequence);

  /// When all units of a wait mask are idle.
  Cycle Waited(uint32_t mask) {
    if ((mask >> static_cast<uint32_t>(spec::Unit::kSoftmax) & 1) != 0) FinishSoftmax();
    Cycle cycle = (mask >> spec::kWaitOlderMatmuls & 1) != 0 ? matmul_.OlderIdle() : 0;
    for (size_t unit = 0; unit < idle_.size(); ++unit) {
      if ((mask >> unit & 1) != 0) cycle = std::max(cycle, idle_[unit]);
    }
    return cycle;
  }

  /// What writes beside a SOFTMAX is known only once something waits for it.
  void FinishSoftmax() {
    if (!softmax_) return;
    OperationCycles& operation = operations_[*softmax_];
    softmax_.reset();
    const auto first = static_cast<Cycle>(operation.first);
    const Instruction& command = image_.program[static_cast<size_t>(operation.pc)];
    const Cycle end = timing::RunSoftmax(config_, command, length_, first, matmul_.writes());
    End(spec::Unit::kSoftmax, end, &operation, &prediction_.softmax);
  }

  void End(spec::Unit unit, Cycle end, OperationCycles* operation, uint64_t* busy) {
    idle_[static_cast<size_t>(unit)] = end;
    operation->last = static_cast<uint64_t>(end);
    *busy += operation->last - operation->first - 1;
  }

  OperationCycles* LastMatmul() { return last_matmul_ ? &operations_[*last_matmul_] : nullptr; }

  const spec::AcceleratorConfig& config_;
  const Image& image_;
  const MemoryTiming& memory_;
  std::span<const uint32_t> tokens_;
  int length_;
  int layers_;
  timing::AxiReader reader_;
  timing::WeightStream stream_;
  timing::Matmul matmul_;
  CyclePrediction prediction_;
  std::vector<OperationCycles> operations_;
  std::array<Cycle, spec::kUnits> idle_{};
  std::optional<size_t> last_matmul_;  ///< in operations_
  std::optional<size_t> softmax_;      ///< dispatched, and its end not known
  Cycle next_ = 0;                     ///< the next instruction is in its register
  int pc_ = 0;
  int iteration_ = 0;
  int classes_ = 0;
  int layers_run_ = 0;
  std::vector<Cycle> entropies_;  ///< handed to the result writer
  Cycle buffered_ = 0;
};

bool Sentence::Step(uint64_t sequence) {
  EB_CHECK(pc_ < static_cast<int>(image_.program.size()), "the program overruns");
  const Instruction& instruction = image_.program[static_cast<size_t>(pc_)];
  const auto opcode = static_cast<Opcode>(instruction.Get(spec::kOpcode));
  const std::optional<spec::Unit> unit = spec::UnitOf(opcode);
  auto mask = static_cast<uint32_t>(instruction.Get(spec::kWaitMask));
  if (unit && unit != spec::Unit::kMatmul) mask |= 1U << static_cast<uint32_t>(*unit);
  Cycle dispatch = std::max(next_, Waited(mask));
  if (unit == spec::Unit::kMatmul) dispatch = std::max(dispatch, matmul_.Ready());
  if (opcode == Opcode::kStream) dispatch = std::max(dispatch, stream_.StreamReady());
  OperationCycles* operation = nullptr;
  if (unit) {
    operations_.push_back({.sequence = sequence,
                           .pc = pc_,
                           .iteration = iteration_,
                           .first = static_cast<uint64_t>(dispatch),
                           .last = 0,
                           .array = {}});
    operation = &operations_.back();
  }
  next_ = dispatch + 1;
  ++pc_;
  switch (opcode) {
    case Opcode::kStream:
      stream_.Append(instruction, iteration_, dispatch);
      break;
    case Opcode::kLoop:
      if (++iteration_ < instruction.GetInt(spec::kLoopCount)) {
        pc_ = instruction.GetInt(spec::kLoopTarget);
        next_ += kJump;
      } else {
        iteration_ = 0;
      }
      break;
    case Opcode::kEmbed: {
      const Cycle end = timing::Embedding(config_, image_).Run(instruction, tokens_, dispatch);
      End(*unit, end, operation, &prediction_.embed);
      if (buffered_ == 0) buffered_ = reader_.Buffered();
      break;
    }
    case Opcode::kMatmul:
      matmul_.Run(instruction, length_, dispatch, LastMatmul(), operation);
      idle_[static_cast<size_t>(*unit)] = matmul_.Idle();
      last_matmul_ = operations_.size() - 1;
      break;
    case Opcode::kSoftmax:
      softmax_ = operations_.size() - 1;
      break;
    case Opcode::kLayerNorm:
      End(*unit, timing::RunLayerNorm(config_, instruction, length_, dispatch, stream_), operation,
          &prediction_.layer_norm);
      break;
    case Opcode::kExit: {
      classes_ = instruction.GetInt(spec::kExitClasses);
      const Cycle done = dispatch + kExitStart + 2 * classes_ + kExitCombine;
      End(*unit, done + kExitDone, operation, &prediction_.exit);
      entropies_.push_back(done + kDoneToEntropy);
      next_ = entropies_.back() + 1;
      // After the last layer the program runs to its END.
      return ++layers_run_ == layers_ && layers_ < image_.facts.layers;
    }
    case Opcode::kEnd:
      next_ = dispatch;
      return true;
  }
  return false;
}

/// Whether the first operation is an EMBED that the next instruction waits for.
bool IsEmbed(const Image& image, const OperationCycles& first) {
  const auto pc = static_cast<size_t>(first.pc);
  constexpr uint32_t kEmbedding = static_cast<uint32_t>(spec::Unit::kEmbedding);
  return static_cast<Opcode>(image.program[pc].Get(spec::kOpcode)) == Opcode::kEmbed &&
         (image.program[pc + 1].Get(spec::kWaitMask) >> kEmbedding & 1) != 0;
}

}  // namespace

ArrayCycles& ArrayCycles::operator+=(const ArrayCycles& other) {
  mac += other.mac;
  weight += other.weight;
  held += other.held;
  read += other.read;
  drain += other.drain;
  skip += other.skip;
  return *this;
}

CycleModel::CycleModel(const spec::AcceleratorConfig& config, const Image& image,
                       const MemoryTiming& memory)
    : config_(config), image_(image), memory_(memory) {}

CyclePrediction CycleModel::Predict(std::span<const uint32_t> tokens, int layers) const {
  const std::pair<size_t, int> key{tokens.size(), layers};
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = known_.find(key); found != known_.end()) {
      CyclePrediction prediction = found->second.prediction;
      if (Shift(tokens, found->second.buffered, &prediction)) return prediction;
    }
  }
  Sentence sentence(config_, image_, memory_, tokens, layers);
  CyclePrediction prediction = sentence.Run();
  const OperationCycles& embed = prediction.operations.front();
  if (IsEmbed(image_, embed) && embed.last >= static_cast<uint64_t>(sentence.buffered())) {
    const std::scoped_lock lock(mutex_);
    known_.try_emplace(key, Known{prediction, static_cast<uint64_t>(sentence.buffered())});
  }
  return prediction;
}

bool CycleModel::Shift(std::span<const uint32_t> tokens, uint64_t buffered,
                       CyclePrediction* prediction) const {
  std::vector<OperationCycles>& operations = prediction->operations;
  OperationCycles& embed = operations.front();
  const Instruction& command = image_.program[static_cast<size_t>(embed.pc)];
  const auto last = static_cast<uint64_t>(
      timing::Embedding(config_, image_).Run(command, tokens, static_cast<Cycle>(embed.first)));
  if (last < buffered) return false;
  const uint64_t more = last - embed.last;  // modulo 2^64 it may be less
  prediction->cycles += more;
  prediction->matmul_idle += more;
  prediction->embed += more;
  embed.last = last;
  for (size_t i = 1; i < operations.size(); ++i) {
    operations[i].first += more;
    operations[i].last += more;
  }
  return true;
}

}  // namespace edgebert::model
