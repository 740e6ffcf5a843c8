#include "golden/model/cycle_model.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "golden/base/check.h"

namespace edgebert::model {
namespace {

using spec::Instruction;
using spec::Opcode;
using Cycle = int64_t;

// ---- Timing constants: cycles between two events of docs/architecture.md, "Timing" --------------

// eb_sequencer. START is accepted in the cycle before cycle 0.
constexpr Cycle kStartToRequest = 1;   // CHECK; the reader takes the request of the tokens
constexpr Cycle kTokenToDispatch = 3;  // token counted; program memory read; instruction register
constexpr Cycle kJump = 1;             // LOOP back: the program memory is read again
constexpr Cycle kDoneToEntropy = 1;    // entropy register; then it is handed over
constexpr Cycle kFinish = 1;           // FINISH, or END: all units idle
constexpr Cycle kFlushToRecord = 2;    // FLUSH; RESULT
constexpr Cycle kQuietToDone = 1;      // DRAIN sees that nothing is in flight

// eb_segment_address, and the queue of eb_weight_stream.
constexpr Cycle kStreamToSegment = 1;   // address register; then a cycle a bit of the iteration
constexpr Cycle kSegmentToRequest = 1;  // queue
constexpr Cycle kSegmentToFree = 1;     // for the next STREAM

// eb_axi_reader.
constexpr Cycle kRequestToBurst = 1;  // request register
constexpr Cycle kBurstToAddress = 1;  // AR register
constexpr Cycle kDataToBeat = 2;      // beat memory (resident: request register); output register

// eb_axi_writer with eb_result_writer.
constexpr Cycle kWordToWriter = 1;     // word register
constexpr Cycle kWriterToAddress = 1;  // AW and W registers
constexpr Cycle kResponseToFree = 1;   // count of writes in flight

// eb_weight_stream and eb_bitmask_decoder.
constexpr Cycle kBeatToHead = 1;   // head register
constexpr Cycle kLoadToMask = 1;   // mask register
constexpr Cycle kCodesToMask = 1;  // code buffer
constexpr Cycle kMaskToRow = 1;    // row register

// eb_matmul.
constexpr Cycle kCommandToLoad = 2;   // command register; BEGIN
constexpr Cycle kLoadToShadow = 1;    // the tile is full
constexpr Cycle kReleaseToLoad = 1;   // the tile is free again
constexpr Cycle kIssueToDrain = 3;    // read data; sum of the accumulator (2); beside the array
constexpr Cycle kDrainStart = 1;      // the drain's row register
constexpr Cycle kDrainToDrain = 3;    // address of the next strip's first row
constexpr Cycle kDrainToResult = 8;   // accumulator memory; post-processor (7)
constexpr Cycle kResultToMemory = 1;  // output queue, of what goes to activation memory
constexpr Cycle kOlderIdle = 1;       // register of "all but the youngest"

// eb_softmax.
constexpr Cycle kSoftmaxStart = 2;     // command register; span of the first row
constexpr Cycle kSoftmaxMaxDrain = 1;  // largest score
constexpr Cycle kSoftmaxSumDrain = 7;  // exp, product, sum, reciprocal
constexpr Cycle kSoftmaxSpan = 2;      // hand-over; span of the next row
constexpr Cycle kSoftmaxToWrite = 5;   // from hand-over: row buffer, product, encoder (2), write

// eb_layer_norm.
constexpr Cycle kNormStart = 1;       // command register
constexpr Cycle kNormStatistics = 8;  // from a row's last read: sums, variance, root, queue
constexpr Cycle kNormToWrite = 8;     // row buffer, seven stages of a lane
constexpr size_t kNormRowsAhead = 4;  // rows read and not yet with the back

// eb_embedding.
constexpr Cycle kEmbedStart = 1;    // command register
constexpr Cycle kEmbedToken = 2;    // token memory; check
constexpr Cycle kEmbedToWrite = 5;  // row buffers, decoder, sum, encoder (2)
constexpr Cycle kEmbedIdle = 2;     // pipeline seen empty; state

// eb_reram_ctrl.
constexpr Cycle kRowToIndex = 1;     // row register
constexpr Cycle kRowToMask = 2;      // address of the masks
constexpr Cycle kAskToRequest = 1;   // request register
constexpr Cycle kResponseKnown = 1;  // index register, count of codes, queues
constexpr int kReramMaskDepth = 4;   // mask words asked for or held
constexpr int kReramCodeDepth = 8;   // code words asked for or held

// eb_exit.
constexpr Cycle kExitStart = 2;     // command register, entropy unit
constexpr Cycle kExitCombine = 10;  // exp, sums, reciprocal and logarithm, entropy
constexpr Cycle kExitDone = 1;

// ------------------------------------------------------------------------------------------------

constexpr int64_t kPageBytes = 4096;  // no burst crosses its boundary

int GetInt(const Instruction& instruction, const spec::Field& field) {
  return static_cast<int>(instruction.Get(field));
}

/// Ones among the n bits (4, 8, 16 or 32) from bit `first`, a multiple of n.
int Ones(std::span<const uint8_t> bytes, size_t first, int n) {
  const uint8_t* at = bytes.data() + first / 8;
  if (n == 4) return std::popcount((uint32_t{*at} >> first % 8) & 0xF);
  int ones = 0;
  for (int i = 0; i < n / 8; ++i) ones += std::popcount(at[i]);
  return ones;
}

/// Rows within reach of a tile of n rows or keys.
struct RowWindow {
  int first = 0;
  int last = 0;

  RowWindow(bool window, int tile, int lanes, int reach, int rows)
      : first(window ? std::max(0, tile * lanes - reach) : 0),
        last(window ? std::min(rows - 1, tile * lanes + lanes - 1 + reach) : rows - 1) {}
  [[nodiscard]] int Count() const { return std::max(0, last - first + 1); }
};

/// Cycles [begin, end).
struct Interval {
  Cycle begin = 0;
  Cycle end = 0;

  [[nodiscard]] Cycle Overlap(Cycle from, Cycle to) const {
    return std::max<Cycle>(0, std::min(end, to) - std::max(begin, from));
  }
};

/// Intervals in ascending order in which something is taken.
class Schedule {
 public:
  void Add(Interval interval) { intervals_.push_back(interval); }
  /// The first free cycle from `cycle` on. Queries ascend.
  Cycle Free(Cycle cycle) {
    while (next_ < intervals_.size() && intervals_[next_].end <= cycle) ++next_;
    for (size_t i = next_; i < intervals_.size() && intervals_[i].begin <= cycle; ++i) {
      cycle = std::max(cycle, intervals_[i].end);
    }
    return cycle;
  }
  /// The last of `count` free cycles from `cycle` on.
  Cycle FreeRun(Cycle cycle, int count) {
    cycle = Free(cycle);
    for (size_t i = next_; i < intervals_.size(); ++i) {
      if (intervals_[i].begin >= cycle + count) break;
      if (intervals_[i].end <= cycle) continue;
      count -= static_cast<int>(std::max<Cycle>(0, intervals_[i].begin - cycle));
      cycle = intervals_[i].end;
    }
    return cycle + count - 1;
  }

 private:
  std::vector<Interval> intervals_;
  size_t next_ = 0;
};

/// The last `size` elements of a sequence that grows, by their number in it.
class Recent {
 public:
  explicit Recent(int size) : values_(std::bit_ceil(static_cast<size_t>(size))) {}

  void Add(Cycle value) { values_[static_cast<size_t>(count_++) & (values_.size() - 1)] = value; }
  [[nodiscard]] int64_t count() const { return count_; }
  [[nodiscard]] Cycle operator[](int64_t i) const {
    return values_[static_cast<size_t>(i) & (values_.size() - 1)];
  }
  [[nodiscard]] Cycle back() const { return (*this)[count_ - 1]; }

 private:
  std::vector<Cycle> values_;
  int64_t count_ = 0;
};

/// eb_axi_reader and the memory behind it, or eb_resident_weights: when each beat can be taken.
class Reader {
 public:
  Reader(const spec::AcceleratorConfig& config, const MemoryTiming& memory, bool resident)
      : resident_(resident),
        beat_bytes_(config.axi.data_width / 8),
        max_burst_(config.axi.max_burst),
        depth_(config.memory.stream_fifo_beats),
        outstanding_(config.axi.outstanding),
        memory_outstanding_(memory.outstanding),
        latency_(std::max(1, memory.latency)),
        arrivals_(config.memory.stream_fifo_beats),
        taken_(config.memory.stream_fifo_beats + 1),
        bursts_(std::max(config.axi.outstanding, memory.outstanding)) {}

  /// Beats from an address; asked for from cycle `asked` on.
  void Request(Cycle asked, int64_t address, int64_t beats) {
    requests_.push_back({asked, address, beats});
  }

  /// When all beats have arrived that it can fetch before the next is taken.
  Cycle Buffered() {
    if (resident_) return requests_.empty() ? 0 : requests_.back().asked + kDataToBeat;
    while (left_ > 0 || next_request_ < requests_.size()) {
      if (left_ == 0) Accept();
      if (arrivals_.count() + BurstBeats() - depth_ > taken_.count()) break;
      IssueBurst();
    }
    return arrivals_.count() == 0 ? 0 : arrivals_.back() + kDataToBeat;
  }

  /// The first cycle in which the next beat can be taken.
  Cycle Available() {
    const int64_t beat = taken_.count();
    while (arrivals_.count() <= beat) resident_ ? ReadResident() : IssueBurst();
    available_ = arrivals_[beat] + kDataToBeat;
    if (beat > 0) available_ = std::max(available_, taken_.back() + 1);
    return available_;
  }
  /// Takes the next beat, at the earliest in cycle `from`.
  Cycle Take(Cycle from) {
    taken_.Add(std::max(from, Available()));
    return taken_.back();
  }

 private:
  struct Pending {
    Cycle asked;
    int64_t address;
    int64_t beats;
  };

  /// The next request, when the last burst of the one before has been issued.
  void Accept() {
    EB_CHECK(next_request_ < requests_.size(), "the weight stream has ended");
    const Pending& request = requests_[next_request_++];
    issued_ = std::max(request.asked, issued_ + 1) + kRequestToBurst - 1;
    address_ = request.address;
    left_ = request.beats;
  }

  /// A request is accepted when the last beat of the one before has been read.
  void ReadResident() {
    if (left_ == 0) {
      EB_CHECK(next_request_ < requests_.size(), "the weight stream has ended");
      accepted_ = std::max(requests_[next_request_].asked, available_);
      left_ = requests_[next_request_++].beats;
    }
    arrivals_.Add(accepted_);
    --left_;
  }

  [[nodiscard]] int64_t BurstBeats() const {
    return std::min({left_, (kPageBytes - address_ % kPageBytes) / beat_bytes_, max_burst_});
  }

  void IssueBurst() {
    if (left_ == 0) Accept();
    const int64_t beats = BurstBeats();
    // Not before AR is free, the buffer has room for all of it, and fewer are in flight.
    Cycle issue = std::max(issued_ + 1, address_taken_);
    const int64_t leaving = arrivals_.count() + beats - depth_ - 1;
    if (leaving >= 0) issue = std::max(issue, taken_[leaving] + 1);
    const int64_t burst = bursts_.count();
    if (burst >= outstanding_) issue = std::max(issue, bursts_[burst - outstanding_] + 1);
    Cycle taken = issue + kBurstToAddress;
    if (burst >= memory_outstanding_) {
      taken = std::max(taken, bursts_[burst - memory_outstanding_] + 1);
    }
    Cycle arrival = taken + latency_;
    if (arrivals_.count() > 0) arrival = std::max(arrival, arrivals_.back() + 1);
    for (int64_t beat = 0; beat < beats; ++beat) arrivals_.Add(arrival++);
    bursts_.Add(arrivals_.back());
    issued_ = issue;
    address_taken_ = taken;
    address_ += beats * beat_bytes_;
    left_ -= beats;
  }

  bool resident_;
  int64_t beat_bytes_;
  int64_t max_burst_;
  int64_t depth_;
  int64_t outstanding_;
  int64_t memory_outstanding_;
  Cycle latency_;
  std::vector<Pending> requests_;
  size_t next_request_ = 0;
  int64_t address_ = 0;
  int64_t left_ = 0;
  Cycle issued_ = -1;        ///< the last burst
  Cycle address_taken_ = 0;  ///< its address
  Cycle accepted_ = 0;       ///< the last request for resident weights
  Cycle available_ = 0;      ///< the last beat looked at
  Recent arrivals_;          ///< of each beat at R
  Recent taken_;             ///< of each beat
  Recent bursts_;            ///< of each burst's last beat at R
};

/// eb_bitmask_decoder over one record, or one row of the ReRAM: words of codes enter its buffer,
/// masks take the codes of their vector.
class Decoder {
 public:
  Decoder(int lanes, int word_codes) : lanes_(lanes), word_codes_(word_codes) {}

  void Begin() {
    words_ = 0;
    ones_ = 0;
    masks_.clear();
    leaving_ = 0;
  }

  /// When a mask with `ones` ones is taken that could be in cycle `from`. `enter(word, room)` says
  /// when a word enters that the buffer has room for from cycle `room` on.
  template <typename Enter>
  Cycle TakeMask(int ones, Cycle from, const Enter& enter) {
    ones_ += ones;
    while (words_ * word_codes_ < ones_) {
      // In the cycle in which it enters, at most a vector of codes stays.
      const int leave = words_ * word_codes_ - lanes_;
      while (leave > 0 && masks_[leaving_].ones < leave) ++leaving_;
      entered_ = enter(words_, leave > 0 ? masks_[leaving_].taken : 0);
      ++words_;
    }
    const Cycle taken = ones_ > 0 ? std::max(from, entered_ + kCodesToMask) : from;
    masks_.push_back({ones_, taken});
    return taken;
  }

 private:
  struct Mask {
    int ones;  ///< of all masks up to this one
    Cycle taken;
  };

  int lanes_;
  int word_codes_;
  int words_ = 0;
  int ones_ = 0;
  Cycle entered_ = 0;  ///< the last word
  std::vector<Mask> masks_;
  size_t leaving_ = 0;
};

/// eb_weight_stream: word groups and tile records, in order. Reads what they are from the image.
class WeightStream {
 public:
  WeightStream(const spec::AcceleratorConfig& config, const Image& image, Reader& reader)
      : image_(image),
        reader_(reader),
        lanes_(config.vmac.n),
        beat_bits_(config.axi.data_width),
        code_beat_(spec::CodesPerBeat(config)),
        decoder_(lanes_, code_beat_) {}

  /// STREAM is executed from this cycle on.
  [[nodiscard]] Cycle StreamReady() const { return stream_ready_; }

  /// STREAM, executed in cycle `dispatch`.
  void Append(const Instruction& stream, int iteration, Cycle dispatch) {
    const int64_t offset =
        stream.Get(spec::kStreamOffset) + iteration * stream.Get(spec::kStreamIterationStride);
    const int64_t beats = stream.Get(spec::kStreamBeats);
    if (beats == 0) return;
    const Cycle segment =
        dispatch + kStreamToSegment + std::bit_width(static_cast<unsigned>(iteration));
    stream_ready_ = segment + kSegmentToFree;
    reader_.Request(segment + kSegmentToRequest, offset, beats);
    segments_.push_back({static_cast<size_t>(offset), static_cast<size_t>(beats)});
  }

  /// The cycle from which the next word group, requested from `request` on, can be taken.
  Cycle Words(Cycle request) {
    const int beats = spec::CeilDiv(32 * lanes_, beat_bits_);
    Advance(static_cast<size_t>(beats));
    Cycle beat = std::max(request, head_free_);
    for (int i = 0; i < beats; ++i) beat = reader_.Take(beat);
    return beat + kBeatToHead;
  }
  void TakeWords(Cycle taken) { head_free_ = taken + 1; }

  struct Tile {
    bool last = false;   ///< of its strip
    bool empty = false;  ///< has no row
    Cycle loaded = 0;    ///< its last row is taken
  };

  /// The next record, requested from `request` on; the shadow tile takes rows from `free` on.
  Tile NextTile(Cycle request, Cycle free) {
    const std::span<const uint8_t> record = Rest();
    const auto flag = [&](int bit) {
      return (record[static_cast<size_t>(bit / 8)] >> bit % 8 & 1) != 0;
    };
    Tile tile{.last = flag(spec::kTileLastBit), .empty = flag(spec::kTileEmptyBit)};
    Cycle beat = std::max(request, head_free_);
    const int prefix = spec::CeilDiv(spec::kTilePrefixBits + lanes_ * lanes_, beat_bits_);
    for (int i = 0; i < prefix; ++i) beat = reader_.Take(beat);
    // The masks of the record before have been taken.
    const Cycle load = std::max(beat + kBeatToHead, mask_);
    Cycle code_beat = load;
    size_t beats = static_cast<size_t>(prefix);
    const auto enter = [&](int /*word*/, Cycle room) {
      ++beats;
      return code_beat = reader_.Take(std::max(load, room));
    };
    decoder_.Begin();
    Cycle from = load + kLoadToMask;
    for (int row = 0; row < (tile.empty ? 1 : lanes_); ++row) {
      const int ones =
          Ones(record, static_cast<size_t>(spec::kTilePrefixBits + row * lanes_), lanes_);
      // The vector before leaves the row register.
      mask_ = decoder_.TakeMask(ones, std::max(from, row_), enter);
      row_ = std::max({mask_ + kMaskToRow, row_ + 1, free});
      from = mask_ + 1;
    }
    tile.loaded = row_;
    head_free_ = code_beat + 1;
    Advance(beats);
    return tile;
  }

 private:
  struct Segment {
    size_t offset;
    size_t beats;
  };

  [[nodiscard]] std::span<const uint8_t> Rest() {
    EB_CHECK(segment_ < segments_.size(), "the weight stream has ended");
    return std::span(image_.weights).subspan(segments_[segment_].offset);
  }
  void Advance(size_t beats) {
    EB_CHECK(segment_ < segments_.size(), "the weight stream has ended");
    Segment& segment = segments_[segment_];
    EB_CHECK(beats <= segment.beats, "a record of the weight stream crosses its segment");
    segment.offset += beats * static_cast<size_t>(beat_bits_ / 8);
    segment.beats -= beats;
    if (segment.beats == 0) ++segment_;
  }

  const Image& image_;
  Reader& reader_;
  int lanes_;
  int beat_bits_;
  int code_beat_;
  Decoder decoder_;
  std::vector<Segment> segments_;
  size_t segment_ = 0;
  Cycle stream_ready_ = 0;
  Cycle head_free_ = 0;  ///< for the next word group or prefix
  Cycle mask_ = 0;       ///< the last one taken
  Cycle row_ = 0;        ///< the last one that left
};

/// eb_matmul.
class Matmul {
 public:
  Matmul(const spec::AcceleratorConfig& config, WeightStream& stream)
      : lanes_(config.vmac.n),
        issue_to_drain_(config.vmac.pipeline + kIssueToDrain),
        stream_(stream) {}

  /// Takes a command from this cycle on.
  [[nodiscard]] Cycle Ready() const { return shadow_free_; }
  [[nodiscard]] Cycle Idle() const { return idle_; }
  /// All but the youngest command are done.
  [[nodiscard]] Cycle OlderIdle() const { return older_idle_; }
  /// Cycles in which results go to activation memory.
  [[nodiscard]] Schedule& writes() { return writes_; }

  /// A command dispatched in cycle `start`. `before` is the MATMUL before it, or null.
  void Run(const Instruction& instruction, int length, Cycle start, OperationCycles* before,
           OperationCycles* operation) {
    Account(start + 1, before);
    const bool overlaps = idle_ > start;
    older_idle_ = overlaps ? idle_ + kOlderIdle : 0;
    const Command command(instruction, length, lanes_);
    Cycle load = start + kCommandToLoad;
    for (int strip = 0; strip < command.strips; ++strip) {
      const Cycle issued = SumStrip(command, strip, length, &load, &operation->array);
      // Another command's rows are treated otherwise: the post-processor must be empty.
      const std::optional<Cycle> written = Drain(command, strip, issued, strip == 0);
      if (strip == 0 && overlaps && written) before->last = static_cast<uint64_t>(*written);
    }
    operation->last = static_cast<uint64_t>(idle_);
  }

  /// The end of the sentence, or the next command: the cycles until then in which the last command
  /// drains are its own.
  void Account(Cycle until, OperationCycles* before) {
    const Cycle busy = std::min(until, idle_);
    if (before != nullptr && busy > accounted_) {
      before->array.drain += static_cast<uint64_t>(busy - accounted_);
    }
    accounted_ = std::max(accounted_, until);
  }

 private:
  struct Command {
    Command(const Instruction& instruction, int length, int lanes)
        : held(static_cast<spec::Held>(instruction.Get(spec::kMatmulHeld))),
          destination(static_cast<spec::Destination>(instruction.Get(spec::kMatmulDestination))),
          residual(instruction.Get(spec::kMatmulResidual) != 0),
          window(instruction.Get(spec::kMatmulWindow) != 0),
          reach(GetInt(instruction, spec::kMatmulReach)),
          strips(instruction.Get(spec::kMatmulStripsLen) != 0
                     ? spec::CeilDiv(length, lanes)
                     : GetInt(instruction, spec::kMatmulStrips)),
          k_tiles(instruction.Get(spec::kMatmulKTilesLen) != 0
                      ? spec::CeilDiv(length, lanes)
                      : GetInt(instruction, spec::kMatmulKTiles)),
          rows(instruction.Get(spec::kMatmulRowsLen) != 0
                   ? length
                   : GetInt(instruction, spec::kMatmulRows)) {}

    spec::Held held;
    spec::Destination destination;
    bool residual;
    bool window;
    int reach;
    int strips;
    int k_tiles;
    int rows;
  };

  /// Loads and streams the tiles of a strip from cycle `load` on, which becomes that of the next
  /// strip; when the last row is issued.
  Cycle SumStrip(const Command& command, int strip, int length, Cycle* load, ArrayCycles* array) {
    const bool from_stream = command.held == spec::Held::kStream;
    Interval bias_blocked;  // the biases wait for the bank
    if (from_stream) {
      const Cycle taken = std::max(stream_.Words(*load), bank_free_[bank_]);
      stream_.TakeWords(taken);
      bias_blocked = {*load, bank_free_[bank_]};
      *load = taken + 1;
    }
    Cycle issued = 0;
    bool last = false;
    for (int k = 0; !last; ++k) {
      const int held_tile = command.held == spec::Held::kRows ? strip : k;
      const RowWindow rows(command.window && !from_stream, held_tile, lanes_, command.reach,
                           command.rows);
      WeightStream::Tile tile;
      if (from_stream) {
        tile = stream_.NextTile(*load, shadow_free_);
      } else {
        tile.last = k + 1 >= command.k_tiles;
        tile.empty = rows.Count() == 0;
        tile.loaded = LoadFromMemory(*load, std::clamp(length - held_tile * lanes_, 0, lanes_));
      }
      last = tile.last;
      const Cycle full = tile.loaded + kLoadToShadow;
      if (full > accounted_) {
        const Cycle blocked = bias_blocked.Overlap(accounted_, full);
        array->drain += static_cast<uint64_t>(blocked);
        (from_stream ? array->weight : array->held) +=
            static_cast<uint64_t>(full - accounted_ - blocked);
      }
      const Cycle ready = std::max(full, array_free_);
      const Cycle open = k == 0 && !from_stream ? std::max(ready, bank_free_[bank_]) : ready;
      array->drain += static_cast<uint64_t>(open - ready);
      Cycle first = open;
      issued = open;
      if (tile.empty) {
        ++array->skip;
      } else {
        const int count = rows.Count();
        first = reads_.Free(open);
        issued = reads_.FreeRun(open, count);
        array->mac += static_cast<uint64_t>(count);
        array->read += static_cast<uint64_t>(issued + 1 - open - count);
      }
      shadow_free_ = first + kReleaseToLoad;  // the first row swaps the tiles
      array_free_ = issued + 1;
      accounted_ = array_free_;
      if (last) *load = tile.loaded + 1;
    }
    return issued;
  }

  /// Drains a strip whose last row is issued in cycle `issued`; when its first row is written, if
  /// it has one.
  std::optional<Cycle> Drain(const Command& command, int strip, Cycle issued, bool when_empty) {
    const bool to_logits = command.destination == spec::Destination::kLogits;
    const bool to_memory = command.destination == spec::Destination::kActivations;
    const RowWindow rows(command.window && command.held == spec::Held::kRows, strip, lanes_,
                         command.reach, to_logits ? 1 : command.rows);
    drained_ = std::max(issued + issue_to_drain_, drained_ + kDrainToDrain);
    if (when_empty) drained_ = std::max(drained_, post_empty_);
    std::optional<Cycle> written;
    if (rows.Count() > 0) {
      const Cycle first = drained_ + kDrainStart;
      drained_ += kDrainStart + rows.Count() - 1;
      if (command.residual) reads_.Add({first, drained_ + 1});
      const Cycle result = kDrainToResult + (to_memory ? kResultToMemory : 0);
      if (to_memory) writes_.Add({first + result, drained_ + result + 1});
      post_empty_ = drained_ + result + 1;
      written = first + result;
    }
    bank_free_[bank_] = drained_ + 1;
    bank_ ^= 1;
    idle_ = std::max(post_empty_, drained_ + 1);
    return written;
  }

  /// Rows or columns of a held tile, one a cycle in which neither source nor residual rows are
  /// read; those beyond the sentence are not read.
  Cycle LoadFromMemory(Cycle from, int existing) {
    from = std::max(from, shadow_free_);
    if (existing > 0) from = reads_.FreeRun(std::max(from, array_free_), existing) + 1;
    return from + lanes_ - existing - 1;
  }

  int lanes_;
  Cycle issue_to_drain_;
  WeightStream& stream_;
  Cycle shadow_free_ = 0;  ///< the shadow tile
  Cycle array_free_ = 0;   ///< the last row of a tile has been issued
  Cycle accounted_ = 0;    ///< what the array does is known up to here
  std::array<Cycle, 2> bank_free_ = {0, 0};
  size_t bank_ = 0;  ///< of the next strip
  Cycle drained_ = -kDrainToDrain;
  Cycle post_empty_ = 0;
  Cycle idle_ = 0;
  Cycle older_idle_ = 0;
  Schedule reads_;  ///< of residual rows, which go before source rows
  Schedule writes_;
};

/// eb_softmax; when it is idle again. `writes` go before its own.
Cycle RunSoftmax(const Instruction& command, int length, int lanes, Cycle start, Schedule& writes) {
  const int reach = GetInt(command, spec::kSoftmaxReach);
  Cycle pass = start + kSoftmaxStart;  // the first tile of the row's first pass
  Cycle written = 0;                   // the last vector of the row before
  for (int row = 0; row < length; ++row) {
    const int first = std::max(0, row - reach) / lanes;
    const int last = std::min(length - 1, row + reach) / lanes;
    const int tiles = last - first + 1;
    const Cycle summed = pass + tiles + kSoftmaxMaxDrain + tiles + kSoftmaxSumDrain;
    const Cycle hand_over = std::max(summed, written + 1);
    written = writes.FreeRun(hand_over + kSoftmaxToWrite, tiles);
    pass = hand_over + kSoftmaxSpan;
  }
  return written + 1;
}

/// eb_layer_norm; when it is idle again.
Cycle RunLayerNorm(const spec::AcceleratorConfig& config, const Instruction& command, int length,
                   Cycle start, WeightStream& stream) {
  const auto vectors = static_cast<size_t>(command.Get(spec::kLayerNormVectors));
  const auto rows = static_cast<size_t>(
      command.Get(spec::kLayerNormRowsLen) != 0 ? length : command.Get(spec::kLayerNormRows));
  const Cycle begin = start + kNormStart;
  Cycle words = begin;
  for (size_t group = 0; group < 2 * vectors; ++group) {  // gamma and beta of each vector
    const Cycle taken = stream.Words(words);
    stream.TakeWords(taken);
    words = taken + 1;
  }
  const auto ring = std::bit_ceil(
      static_cast<size_t>(std::max(spec::HiddenVectors(config), spec::EmbeddingVectors(config)) +
                          static_cast<int>(kNormStatistics)));
  std::vector<Cycle> taken;  // by the back: all vectors
  taken.reserve(rows * vectors);
  Cycle read = begin;  // the next one
  for (size_t row = 0; row < rows; ++row) {
    if (row >= kNormRowsAhead) {
      read = std::max(read, taken[(row - kNormRowsAhead + 1) * vectors - 1] + 1);
    }
    for (size_t vector = row * vectors; vector < (row + 1) * vectors; ++vector) {
      if (vector >= ring) read = std::max(read, taken[vector - ring] + 1);
      ++read;
    }
    Cycle take = std::max(read - 1 + kNormStatistics, words);
    if (row > 0) take = std::max(take, taken.back() + 1);
    for (size_t vector = 0; vector < vectors; ++vector) taken.push_back(take++);
  }
  return taken.back() + kNormToWrite + 1;
}

/// eb_embedding with eb_reram_ctrl.
class Embedding {
 public:
  Embedding(const spec::AcceleratorConfig& config, const Image& image)
      : image_(image),
        lanes_(config.vmac.n),
        word_bits_(config.reram.word_bits),
        latency_(config.reram.read_latency),
        code_word_(spec::CodesPerReramWord(config)),
        decoder_(lanes_, code_word_) {}

  /// When it is idle again.
  Cycle Run(const Instruction& command, std::span<const uint32_t> tokens, Cycle start) {
    const int vectors = GetInt(command, spec::kEmbedVectors);
    const auto row = [&](int64_t number, Cycle from) {
      return Row(static_cast<size_t>(number),
                 static_cast<size_t>(command.Get(spec::kEmbedMaskBase)), vectors, from);
    };
    std::optional<uint32_t> held_type;
    Cycle next = start + kEmbedStart;
    Cycle taken = 0;
    for (size_t i = 0; i < tokens.size(); ++i) {
      const uint32_t type = tokens[i] >> spec::kTokenTypeBit;
      const uint32_t id = tokens[i] & ((uint32_t{1} << spec::kTokenTypeBit) - 1);
      next += kEmbedToken;
      if (type != held_type) next = row(command.Get(spec::kEmbedTypeRow) + type, next) + 1;
      held_type = type;
      next = row(command.Get(spec::kEmbedPositionRow) + static_cast<int64_t>(i), next) + 1;
      taken = row(id, next);
      next = taken + 1;
    }
    return taken + kEmbedToWrite + kEmbedIdle;
  }

 private:
  /// A row asked for in cycle `from`; when its last vector is taken.
  Cycle Row(size_t number, size_t mask_base, int vectors, Cycle from) {
    const int word_vectors = word_bits_ / lanes_;
    const size_t mask_words = static_cast<size_t>(spec::CeilDiv(vectors, word_vectors));
    const size_t first_bit = (mask_base + number * mask_words) * static_cast<size_t>(word_bits_);
    const Cycle response = kAskToRequest + latency_ + kResponseKnown;
    const Cycle index_known = from + kRowToIndex + response;
    std::vector<Cycle> mask_asked;
    std::vector<Cycle> mask_popped;
    std::vector<int> ones_known;  // of all mask words up to this one
    std::vector<Cycle> code_asked;
    std::vector<Cycle> code_popped;
    const auto vector_ones = [&](int vector) {
      return Ones(image_.reram.slc, first_bit + static_cast<size_t>(vector * lanes_), lanes_);
    };
    const auto ask_masks = [&] {
      while (mask_asked.size() < mask_words) {
        const size_t word = mask_asked.size();
        Cycle asked = word == 0 ? from + kRowToMask : mask_asked.back() + 1;
        if (word >= kReramMaskDepth) {
          if (mask_popped.size() <= word - kReramMaskDepth) return;
          asked = std::max(asked, mask_popped[word - kReramMaskDepth] + 1);
        }
        int ones = word == 0 ? 0 : ones_known.back();
        const int begin = static_cast<int>(word) * word_vectors;
        for (int v = begin; v < std::min(vectors, begin + word_vectors); ++v)
          ones += vector_ones(v);
        mask_asked.push_back(asked);
        ones_known.push_back(ones);
      }
    };
    const auto enter = [&](int word, Cycle room) {
      const auto index = static_cast<size_t>(word);
      size_t mask = 0;  // the first whose ones make this word due
      while (ones_known[mask] <= word * code_word_) ++mask;
      Cycle asked = std::max(index_known, mask_asked[mask] + response);
      if (index > 0) asked = std::max(asked, code_asked.back() + 1);
      if (index >= kReramCodeDepth) {
        asked = std::max(asked, code_popped[index - kReramCodeDepth] + 1);
      }
      for (const Cycle taken : mask_asked) asked += asked == taken ? 1 : 0;  // masks go first
      code_asked.push_back(asked);
      Cycle popped = std::max(asked + response, room);
      if (index > 0) popped = std::max(popped, code_popped.back() + 1);
      code_popped.push_back(popped);
      return popped;
    };
    ask_masks();
    decoder_.Begin();
    Cycle mask = 0;
    Cycle taken = 0;
    for (int v = 0; v < vectors; ++v) {
      const auto word = static_cast<size_t>(v / word_vectors);
      const Cycle offered = std::max({mask_asked[word] + response, mask + 1, taken});
      mask = decoder_.TakeMask(vector_ones(v), offered, enter);
      taken = mask + kMaskToRow;
      if ((v + 1) % word_vectors == 0) {
        mask_popped.push_back(mask);
        ask_masks();
      }
    }
    return taken;
  }

  const Image& image_;
  int lanes_;
  int word_bits_;
  Cycle latency_;
  int code_word_;
  Decoder decoder_;
};

/// The first cycle in which an instruction can be dispatched.
Cycle FetchTokens(size_t tokens, int token_beat, Reader& reader) {
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

/// The result record, when all units are idle in cycle `idle`; the cycles of the sentence. The last
/// entropy was handed over in cycle `entropy` and may still wait for its response.
Cycle WriteRecord(int classes, Cycle entropy, Cycle idle, const spec::AcceleratorConfig& config,
                  const MemoryTiming& memory) {
  const Cycle response = kWriterToAddress + std::max(1, memory.latency) + kResponseToFree;
  const auto outstanding = static_cast<size_t>(config.axi.outstanding);
  std::vector<Cycle> written = {entropy + kWordToWriter};
  Cycle next = idle + kFinish + kFlushToRecord + kWordToWriter;
  for (int word = 0; word < spec::kResultEntropyWord + classes; ++word) {
    if (written.size() >= outstanding) {
      next = std::max(next, written[written.size() - outstanding] + response);
    }
    written.push_back(next++);
  }
  return written.back() + response + kQuietToDone;
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
    Reader tokens(config_, memory_, false);
    next_ = FetchTokens(tokens_.size(), config_.axi.data_width / 32, tokens);
    for (uint64_t sequence = 0; !Step(sequence); ++sequence) {
    }
    const Cycle quiet = std::max(next_, Waited(kAllUnits));
    const Cycle cycles = WriteRecord(classes_, entropy_, quiet, config_, memory_);
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
    const Cycle end = RunSoftmax(command, length_, config_.vmac.n, first, matmul_.writes());
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
  Reader reader_;
  WeightStream stream_;
  Matmul matmul_;
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
  Cycle entropy_ = 0;  ///< the last one is handed to the result writer
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
      if (++iteration_ < GetInt(instruction, spec::kLoopCount)) {
        pc_ = GetInt(instruction, spec::kLoopTarget);
        next_ += kJump;
      } else {
        iteration_ = 0;
      }
      break;
    case Opcode::kEmbed: {
      const Cycle end = Embedding(config_, image_).Run(instruction, tokens_, dispatch);
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
      End(*unit, RunLayerNorm(config_, instruction, length_, dispatch, stream_), operation,
          &prediction_.layer_norm);
      break;
    case Opcode::kExit: {
      classes_ = GetInt(instruction, spec::kExitClasses);
      const Cycle done = dispatch + kExitStart + 2 * classes_ + kExitCombine;
      End(*unit, done + kExitDone, operation, &prediction_.exit);
      entropy_ = done + kDoneToEntropy;
      next_ = entropy_ + 1;
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
      Embedding(config_, image_).Run(command, tokens, static_cast<Cycle>(embed.first)));
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
