// eb_matmul against the product written in real arithmetic (only the activation functions are the
// golden model's): every source of the held tile, window, residual and destination, random shapes,
// commands alone and overlapping, and random stalls of the stream and of every memory port.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "cosim/sim/dut.h"
#include "cosim/sim/random.h"
#include "generator/blocks/clock_gate.h"
#include "generator/blocks/fifo.h"
#include "generator/blocks/round_shift.h"
#include "generator/blocks/sram.h"
#include "generator/units/accumulator.h"
#include "generator/units/activation.h"
#include "generator/units/af_decoder.h"
#include "generator/units/af_encoder.h"
#include "generator/units/af_multiplier.h"
#include "generator/units/matmul.h"
#include "generator/units/post_processor.h"
#include "generator/units/vmac_array.h"
#include "golden/model/activation.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"
#include "tests/cosim/datapath_support.h"
#include "tests/support/lint.h"

namespace edgebert {
namespace {

using spec::Activation;
using spec::Destination;
using spec::Held;
using test::Format;
using Codes = std::vector<unsigned>;

// --- The operation in real arithmetic (docs/numerics.md, sections 2 and 3) -----------------------

int64_t Saturate(int64_t value, int bits) {
  const int64_t limit = int64_t{1} << (bits - 1);
  return std::clamp(value, -limit, limit - 1);
}

int64_t ScaleToFixed(int64_t value, int shift) {
  long double scaled = std::ldexp(static_cast<long double>(value), -shift);
  if (shift > 0) scaled = std::floor(scaled + 0.5L);
  const long double limit = std::ldexp(1.0L, spec::kFixedBits - 1);
  return static_cast<int64_t>(std::clamp(scaled, -limit, limit - 1));
}

/// The nearest code, ties to the even one; nothing under half of the smallest code survives.
unsigned Encode(int64_t fixed, int bias, const Format& format) {
  const double x = std::ldexp(std::abs(static_cast<double>(fixed)), -spec::kFixedFraction - bias);
  const unsigned codes = 1U << (format.width - 1);
  if (x < RealValue(1, format) / 2) return 0;
  unsigned best = 1;
  for (unsigned code = 2; code < codes; ++code) {
    const double distance = std::abs(RealValue(code, format) - x);
    const double best_distance = std::abs(RealValue(best, format) - x);
    if (distance < best_distance || (distance == best_distance && code % 2 == 0)) best = code;
  }
  return fixed < 0 ? best + codes : best;
}

struct Operation {
  Held held = Held::kStream;
  Destination destination = Destination::kActivations;
  Activation activation = Activation::kNone;
  bool residual = false;
  bool rows_len = true;
  bool window = false;
  int length = 1;
  int rows = 1;     // without rows_len
  int strips = 1;   // of held = kRows: ceil(length / lanes)
  int k_tiles = 1;  // of held = kTransposed: ceil(length / lanes)
  int shift = 0;
  int bias_out = 0;
  int bias_residual = 0;
  int reach = 0;
};

// A tile record of the weight stream; without codes it is the empty one.
struct Record {
  int k = 0;
  std::vector<Codes> codes;  // [output lane][k lane]
};
struct Strip {
  std::vector<int64_t> bias;
  std::vector<Record> records;
};

struct Write {
  Destination destination;
  int64_t address;
  std::vector<int64_t> lanes;
  friend bool operator==(const Write&, const Write&) = default;
};
void PrintTo(const Write& write, std::ostream* out) {
  *out << "destination " << static_cast<int>(write.destination) << " address " << write.address
       << ":";
  for (const int64_t lane : write.lanes) *out << " " << lane;
}

struct Counts {
  int rows = 0;
  int gated = 0;
  int tiles = 0;
  int skipped = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};

struct Shape {
  int lanes;
  Format format;
  int acc_bits;
  int max_rows;
  int pipeline;
  int backend;
};

// Where the tensors of a command lie: apart, so that a wrong base shows.
constexpr int kPart = 0x40000;
constexpr size_t kParts = 4;
constexpr int kSource = 0x00100;
constexpr int kHeldTensor = 0x10000;
constexpr int kResidual = 0x20000;
constexpr int kOutput = 0x30000;

std::vector<vlog::Module> Modules() {
  return {gen::EmitMatmul(),        gen::EmitRowWindow(),   gen::EmitVmacArray(),
          gen::EmitAfMultiplier(),  gen::EmitAccumulator(), gen::EmitPostProcessor(),
          gen::EmitPostLane(),      gen::EmitRoundShift(),  gen::EmitActivation(),
          gen::EmitAfDecoder(),     gen::EmitAfEncoder(),   gen::EmitFifo(),
          gen::EmitSram1r1wMacro(), gen::EmitSram1r1w(),    gen::EmitClockGate()};
}

class Matmul : public testing::TestWithParam<Shape> {
 protected:
  Matmul() : shape_(GetParam()), dut_(Build(shape_)), random_(1) {
    for (const char* name :
         {"clear_i", "cmd_valid_i", "length_i", "words_valid_i", "tile_valid_i", "tile_k_i",
          "tile_last_i", "tile_empty_i", "src_rd_ready_i", "res_rd_ready_i", "held_rd_ready_i",
          "wr_ready_i"}) {
      dut_.Get(name).Set(0);
    }
    dut_.Reset();
  }

  static cosim::Dut Build(const Shape& shape) {
    auto dut = cosim::Dut::Build(
        {.files = test::Files(Modules()),
         .top = "eb_matmul",
         .parameters = {{"Lanes", std::to_string(shape.lanes)},
                        {"CodeW", std::to_string(shape.format.width)},
                        {"ExpW", std::to_string(shape.format.exponent)},
                        {"AccW", std::to_string(shape.acc_bits)},
                        {"MaxRows", std::to_string(shape.max_rows)},
                        {"Pipeline", std::to_string(shape.pipeline)},
                        {"Backend", std::to_string(shape.backend)}},
         .optimize = cosim::Optimize::kQuick,
         .unknowns = cosim::Unknowns::kRandom});
    EB_CHECK(dut.ok(), "{}", dut.error().Format());
    return std::move(*dut);
  }

  [[nodiscard]] size_t Lanes() const { return static_cast<size_t>(shape_.lanes); }
  [[nodiscard]] int Tiles(int rows) const { return (rows + shape_.lanes - 1) / shape_.lanes; }

  Codes RandomCodes(double zeros) {
    Codes codes(Lanes());
    for (unsigned& code : codes) {
      code = random_.Chance(zeros)
                 ? 0
                 : static_cast<unsigned>(random_.Below(uint64_t{1} << shape_.format.width));
    }
    return codes;
  }

  // --- Preparing an operation: memory, stream, expected results ---

  Codes& At(int address) { return memory_[address]; }

  // One command.
  void Prepare(const Operation& op) {
    memory_.clear();
    stream_.clear();
    commands_.clear();
    expected_.clear();
    expected_counts_ = {};
    expected_saturation_ = false;
    Append(op);
  }

  // One more, of the same length, after those prepared.
  void Append(const Operation& op) {
    EB_CHECK(commands_.size() < kParts, "one command too many");
    op_ = op;
    part_ = kPart * static_cast<int>(commands_.size());
    first_strip_ = stream_.size();
    rows_ = op.rows_len ? op.length : op.rows;
    strips_ = op.held == Held::kRows ? Tiles(op.length) : op.strips;
    k_tiles_ = op.held == Held::kTransposed ? Tiles(op.length) : op.k_tiles;
    source_stride_ = k_tiles_ + random_.Between(0, 2);
    held_stride_ = (op.held == Held::kRows ? k_tiles_ : strips_) + random_.Between(0, 2);
    residual_stride_ = strips_ + random_.Between(0, 2);
    output_stride_ = strips_ + random_.Between(0, 2);
    for (int row = 0; row < rows_; ++row) {
      for (int k = 0; k < k_tiles_; ++k) {
        At(part_ + kSource + row * source_stride_ + k) = RandomCodes(random_.Chance(0.3) ? 1 : 0.2);
      }
      for (int strip = 0; strip < strips_; ++strip) {
        At(part_ + kResidual + row * residual_stride_ + strip) = RandomCodes(0.2);
      }
    }
    for (int row = 0; row < op.length; ++row) {
      for (int tile = 0; tile < (op.held == Held::kRows ? k_tiles_ : strips_); ++tile) {
        At(part_ + kHeldTensor + row * held_stride_ + tile) = RandomCodes(0.2);
      }
    }
    if (op.held == Held::kStream) {
      for (int strip = 0; strip < strips_; ++strip) {
        Strip data;
        for (size_t j = 0; j < Lanes(); ++j) {
          data.bias.push_back(random_.Between(-(1 << 22), 1 << 22));
        }
        // Any subset of the K tiles, in any order.
        std::vector<int> tiles;
        for (int k = 0; k < k_tiles_; ++k) {
          if (random_.Chance(0.8)) {
            tiles.insert(tiles.begin() + static_cast<int>(random_.Below(tiles.size() + 1)), k);
          }
        }
        for (const int k : tiles) {
          Record record{k, {}};
          for (size_t j = 0; j < Lanes(); ++j) record.codes.push_back(RandomCodes(0.5));
          data.records.push_back(record);
        }
        if (tiles.empty()) data.records.push_back({0, {}});
        stream_.push_back(data);
      }
    }
    Expect();
    commands_.push_back(Encoded());
  }

  // Rows [first, last] of the tile within the window.
  [[nodiscard]] std::pair<int, int> Window(int tile) const {
    return {std::max(0, shape_.lanes * tile - op_.reach),
            std::min(rows_ - 1, shape_.lanes * tile + shape_.lanes - 1 + op_.reach)};
  }

  [[nodiscard]] const Strip& StreamStrip(int strip) const {
    return stream_[first_strip_ + static_cast<size_t>(strip)];
  }

  // The held tile of a strip, as records, whatever its source.
  std::vector<Record> HeldTiles(int strip) {
    if (op_.held == Held::kStream) return StreamStrip(strip).records;
    std::vector<Record> records;
    for (int k = 0; k < k_tiles_; ++k) {
      Record record{k, std::vector<Codes>(Lanes(), Codes(Lanes(), 0))};
      for (int i = 0; i < shape_.lanes; ++i) {
        const int row = (op_.held == Held::kRows ? strip : k) * shape_.lanes + i;
        if (row >= op_.length) continue;
        const auto index = static_cast<size_t>(i);
        if (op_.held == Held::kRows) {
          record.codes[index] = At(part_ + kHeldTensor + row * held_stride_ + k);
        } else {
          const Codes& vector = At(part_ + kHeldTensor + row * held_stride_ + strip);
          for (size_t j = 0; j < Lanes(); ++j) record.codes[j][index] = vector[j];
        }
      }
      records.push_back(record);
    }
    return records;
  }

  void Expect() {
    const Format& format = shape_.format;
    for (int strip = 0; strip < strips_; ++strip) {
      std::vector<std::vector<int64_t>> sums(static_cast<size_t>(rows_),
                                             std::vector<int64_t>(Lanes(), 0));
      for (const Record& record : HeldTiles(strip)) {
        if (record.codes.empty()) continue;
        auto [first, last] = std::pair(0, rows_ - 1);
        if (op_.window && op_.held != Held::kStream) {
          std::tie(first, last) = Window(op_.held == Held::kRows ? strip : record.k);
        }
        ++expected_counts_.tiles;
        expected_counts_.skipped += rows_ - (last - first + 1);
        for (int row = first; row <= last; ++row) {
          const Codes& source = At(part_ + kSource + row * source_stride_ + record.k);
          ++expected_counts_.rows;
          const bool zero = std::all_of(source.begin(), source.end(), [&](unsigned code) {
            return test::RealValue(code, format) == 0;
          });
          expected_counts_.gated += zero ? 1 : 0;
          for (size_t j = 0; j < Lanes(); ++j) {
            int64_t exact = sums[static_cast<size_t>(row)][j];
            for (size_t k = 0; k < Lanes(); ++k) {
              exact += test::IntegerProduct(source[k], record.codes[j][k], format);
            }
            sums[static_cast<size_t>(row)][j] = Saturate(exact, shape_.acc_bits);
            expected_saturation_ |= sums[static_cast<size_t>(row)][j] != exact;
          }
        }
      }
      auto [first, last] = std::pair(0, rows_ - 1);
      if (op_.window && op_.held == Held::kRows) std::tie(first, last) = Window(strip);
      if (op_.destination == Destination::kLogits) last = 0;
      for (int row = first; row <= last; ++row) {
        Write write{op_.destination, 0, {}};
        switch (op_.destination) {
          case Destination::kActivations:
            write.address = part_ + kOutput + row * output_stride_ + strip;
            break;
          case Destination::kScores:
            write.address = row * Tiles(shape_.max_rows) + strip;
            break;
          case Destination::kLogits:
            write.address = strip;
            break;
        }
        for (size_t j = 0; j < Lanes(); ++j) {
          int64_t x = ScaleToFixed(sums[static_cast<size_t>(row)][j], op_.shift);
          if (op_.held == Held::kStream) {
            x = Saturate(x + StreamStrip(strip).bias[j], spec::kFixedBits);
          }
          x = model::Activate(op_.activation, x);
          if (op_.residual) {
            const unsigned code = At(part_ + kResidual + row * residual_stride_ + strip)[j];
            const auto view = std::llround(
                std::ldexp(test::RealValue(code, format), format.mantissa()));
            x = Saturate(x + ScaleToFixed(view, format.mantissa() - spec::kFixedFraction -
                                                    op_.bias_residual),
                         spec::kFixedBits);
          }
          switch (op_.destination) {
            case Destination::kActivations:
              write.lanes.push_back(Encode(x, op_.bias_out, format));
              break;
            case Destination::kScores:
              write.lanes.push_back(Saturate(
                  ScaleToFixed(x, spec::kFixedFraction - spec::kScoreFraction), spec::kScoreBits));
              break;
            case Destination::kLogits:
              write.lanes.push_back(x);
              break;
          }
        }
        expected_.push_back({write, part_ / kPart});
      }
    }
  }

  [[nodiscard]] spec::Instruction Encoded() const {
    spec::Instruction instruction;
    instruction.Set(spec::kOpcode, static_cast<int64_t>(spec::Opcode::kMatmul));
    instruction.Set(spec::kMatmulHeld, static_cast<int64_t>(op_.held));
    instruction.Set(spec::kMatmulDestination, static_cast<int64_t>(op_.destination));
    instruction.Set(spec::kMatmulActivation, static_cast<int64_t>(op_.activation));
    instruction.Set(spec::kMatmulResidual, op_.residual ? 1 : 0);
    instruction.Set(spec::kMatmulRowsLen, op_.rows_len ? 1 : 0);
    // What LENGTH replaces holds nonsense.
    instruction.Set(spec::kMatmulRows, op_.rows_len ? 999 : op_.rows);
    instruction.Set(spec::kMatmulStripsLen, op_.held == Held::kRows ? 1 : 0);
    instruction.Set(spec::kMatmulStrips, op_.held == Held::kRows ? 999 : op_.strips);
    instruction.Set(spec::kMatmulKTilesLen, op_.held == Held::kTransposed ? 1 : 0);
    instruction.Set(spec::kMatmulKTiles, op_.held == Held::kTransposed ? 999 : op_.k_tiles);
    instruction.Set(spec::kMatmulWindow, op_.window ? 1 : 0);
    instruction.Set(spec::kMatmulSrcBase, part_ + kSource);
    instruction.Set(spec::kMatmulSrcStride, source_stride_);
    instruction.Set(spec::kMatmulDstBase, part_ + kOutput);
    instruction.Set(spec::kMatmulDstStride, output_stride_);
    instruction.Set(spec::kMatmulHeldBase, part_ + kHeldTensor);
    instruction.Set(spec::kMatmulHeldStride, held_stride_);
    instruction.Set(spec::kMatmulResidualBase, part_ + kResidual);
    instruction.Set(spec::kMatmulResidualStride, residual_stride_);
    instruction.Set(spec::kMatmulShift, op_.shift);
    instruction.Set(spec::kMatmulBiasOut, op_.bias_out);
    instruction.Set(spec::kMatmulBiasResidual, op_.bias_residual);
    instruction.Set(spec::kMatmulReach, op_.reach);
    return instruction;
  }

  // --- Running it ---

  // What eb_weight_stream offers: word groups and tile rows in stream order.
  struct StreamItem {
    const Strip* words = nullptr;
    const Record* record = nullptr;
    size_t row = 0;
    bool last = false;
  };

  void QueueStream() {
    items_.clear();
    for (const Strip& strip : stream_) {
      items_.push_back({.words = &strip});
      for (const Record& record : strip.records) {
        const bool last = &record == &strip.records.back();
        const size_t rows = record.codes.empty() ? 1 : Lanes();
        for (size_t row = 0; row < rows; ++row) {
          items_.push_back({.record = &record, .row = row, .last = last});
        }
      }
    }
  }

  void DriveStream(double stall) {
    const bool words = dut_.Get("words_request_o").Get() != 0;
    const bool tile = dut_.Get("tile_request_o").Get() != 0;
    ASSERT_FALSE(words && tile);
    if (words || tile) {
      ASSERT_FALSE(items_.empty()) << "more requested than the stream holds";
      ASSERT_EQ(words, items_.front().words != nullptr) << "the wrong kind is requested";
    }
    // An offer stands until it is taken.
    offered_ = (words || tile) && (offered_ || !random_.Chance(stall));
    dut_.Get("words_valid_i").Set(offered_ && words ? 1 : 0);
    dut_.Get("tile_valid_i").Set(offered_ && tile ? 1 : 0);
    if (offered_ && words) dut_.Get("words_i").SetLanes(32, items_.front().words->bias);
    if (offered_ && tile) {
      const StreamItem& item = items_.front();
      dut_.Get("tile_k_i").Set(static_cast<uint64_t>(item.record->k));
      dut_.Get("tile_last_i").Set(item.last ? 1 : 0);
      dut_.Get("tile_empty_i").Set(item.record->codes.empty() ? 1 : 0);
      dut_.Get("tile_row_i").SetLanes(
          shape_.format.width,
          item.record->codes.empty() ? RandomCodes(0) : item.record->codes[item.row]);
    }
  }

  void PutReadData(const Codes& codes) {
    dut_.Get("rd_data_i").SetLanes(shape_.format.width, codes);
    for (size_t j = 0; j < Lanes(); ++j) {
      dut_.Get("rd_mask_i")
          .SetLane(static_cast<int>(j), 1, test::RealValue(codes[j], shape_.format) != 0 ? 1 : 0);
    }
  }

  // Offers the next command, if there is one, at once or some time.
  void DriveCommand(size_t next, double stall) {
    command_offered_ = next < commands_.size() && (command_offered_ || !random_.Chance(stall));
    dut_.Get("cmd_valid_i").Set(command_offered_ ? 1 : 0);
    if (command_offered_) {
      dut_.Get("cmd_i").SetWide(commands_[next].words);
    } else {
      dut_.Get("cmd_i").Clear();
    }
  }

  // Takes what was accepted in this cycle; returns the next command.
  size_t Accept(size_t next) {
    if (offered_ && (dut_.Get("words_ready_o") || dut_.Get("tile_ready_o"))) {
      items_.pop_front();
      offered_ = false;
    }
    if (!command_offered_ || !dut_.Get("cmd_ready_o")) return next;
    command_offered_ = false;
    return next + 1;
  }

  void Begin() {
    QueueStream();
    offered_ = false;
    command_offered_ = false;
    dut_.Get("length_i").Set(static_cast<uint64_t>(op_.length));
  }

  // Runs the prepared commands with random stalls; returns the busy cycles, 0 after a failure.
  int Run(double stream_stall, double read_stall, double write_stall, double command_stall = 0) {
    int cycles = 0;
    RunInto(stream_stall, read_stall, write_stall, command_stall, &cycles);
    return HasFatalFailure() ? 0 : cycles;
  }

  void RunInto(double stream_stall, double read_stall, double write_stall, double command_stall,
               int* cycles) {
    Begin();
    Counts counts;
    bool saturated = false;
    older_cycles_ = 0;
    size_t command = 0;
    size_t written = 0;
    int writer = 0;  // the command that has written last
    int waits = 0;
    while (command < commands_.size() || dut_.Get("busy_o")) {
      ASSERT_LT(*cycles, 200000) << "no end";
      DriveCommand(command, command_stall);
      DriveStream(stream_stall);
      if (HasFatalFailure()) return;
      dut_.Get("wr_ready_i").Set(random_.Chance(write_stall) ? 0 : 1);
      for (const char* name : {"src_rd_ready_i", "res_rd_ready_i", "held_rd_ready_i"}) {
        dut_.Get(name).Set(0);
      }
      dut_.Eval();
      *cycles += static_cast<int>(dut_.Get("busy_o").Get());
      older_cycles_ += static_cast<int>(dut_.Get("older_busy_o").Get());
      if (!dut_.Get("older_busy_o") && written < expected_.size()) {
        ASSERT_GE(expected_[written].command + 1, static_cast<int>(command))
            << "results of a command before the youngest are missing";
      }
      // The memory serves one client that asks, or nobody. It may prefer any.
      int address = -1;
      if (!random_.Chance(read_stall)) {
        std::vector<std::string> clients = {"src", "res", "held"};
        if (read_stall > 0 && random_.Chance(0.5)) std::swap(clients[0], clients[2]);
        for (const std::string& client : clients) {
          if (!dut_.Get(client + "_rd_valid_o")) continue;
          address = static_cast<int>(dut_.Get(client + "_rd_addr_o").Get());
          dut_.Get(client + "_rd_ready_i").Set(1);
          break;
        }
      }
      dut_.Eval();
      command = Accept(command);
      for (const Write& write : Outputs()) {
        ASSERT_LT(written, expected_.size()) << "an extra result";
        ASSERT_EQ(write, expected_[written].write) << "result " << written;
        writer = expected_[written].command;
        ++written;
      }
      // What lets a command write where one before it reads.
      ASSERT_TRUE(address < 0 || address / kPart >= writer)
          << "command " << address / kPart << " reads after a result of command " << writer;
      counts.rows += static_cast<int>(dut_.Get("mac_o").Get());
      counts.gated += static_cast<int>(dut_.Get("gated_o").Get());
      counts.tiles += static_cast<int>(dut_.Get("tile_o").Get());
      counts.skipped += static_cast<int>(dut_.Get("skipped_rows_o").Get());
      saturated = saturated || dut_.Get("saturated_o");
      const int waiting = static_cast<int>(
          dut_.Get("wait_weight_o").Get() + dut_.Get("wait_held_o").Get() +
          dut_.Get("wait_read_o").Get() + dut_.Get("wait_drain_o").Get());
      ASSERT_LE(waiting, 1);
      waits += waiting;
      dut_.Tick();
      if (address < 0) {
        PutReadData(RandomCodes(0));
      } else {
        ASSERT_FALSE(At(address).empty()) << "read of an address outside the tensors: " << address;
        PutReadData(At(address));
      }
    }
    ASSERT_EQ(dut_.Get("cmd_ready_o").Get(), 1U);
    ASSERT_EQ(written, expected_.size()) << "results are missing";
    ASSERT_TRUE(items_.empty()) << "the stream was not used up";
    EXPECT_EQ(counts, expected_counts_);
    EXPECT_EQ(saturated, expected_saturation_);
    // Every busy cycle has one cause; only tiles without rows account for none.
    int empty = 0;
    for (const Strip& strip : stream_) empty += strip.records.front().codes.empty() ? 1 : 0;
    EXPECT_EQ(counts.rows + waits + empty, *cycles);
  }

  // The results handed over in this cycle.
  std::vector<Write> Outputs() {
    std::vector<Write> writes;
    if (dut_.Get("wr_valid_o") && dut_.Get("wr_ready_i")) {
      const auto codes = dut_.Get("wr_data_o").GetLanes<unsigned>(shape_.format.width);
      writes.push_back({Destination::kActivations,
                        static_cast<int64_t>(dut_.Get("wr_addr_o").Get()),
                        {codes.begin(), codes.end()}});
    }
    if (dut_.Get("score_wr_valid_o")) {
      writes.push_back({Destination::kScores,
                        static_cast<int64_t>(dut_.Get("score_wr_addr_o").Get()),
                        dut_.Get("score_wr_data_o").GetLanes(spec::kScoreBits)});
    }
    if (dut_.Get("logit_valid_o")) {
      writes.push_back({Destination::kLogits,
                        static_cast<int64_t>(dut_.Get("logit_strip_o").Get()),
                        dut_.Get("logit_data_o").GetLanes(spec::kFixedBits)});
    }
    return writes;
  }

  // A shift that brings the sums of the operation into the middle of Fixed.
  [[nodiscard]] int TypicalShift(int k_tiles) const {
    return test::DotBits(shape_.format, shape_.lanes) + k_tiles / 4 - 22;
  }

  Operation RandomOperation() {
    Operation op;
    op.held = static_cast<Held>(random_.Between(0, 2));
    op.destination = static_cast<Destination>(random_.Between(0, 2));
    op.activation = static_cast<Activation>(random_.Between(0, 4));
    op.residual = random_.Chance(0.4);
    op.rows_len = op.held != Held::kStream || random_.Chance(0.6);
    op.window = random_.Chance(0.6);
    op.length = random_.Chance(0.3) ? random_.Between(1, 4) : random_.Between(1, shape_.max_rows);
    op.rows = random_.Between(1, shape_.max_rows);
    op.strips = random_.Between(1, 4);
    op.k_tiles = random_.Between(1, 4);
    op.shift = TypicalShift(op.k_tiles) + random_.Between(-6, 6);
    op.bias_out = random_.Between(-8, 2);
    op.bias_residual = random_.Between(-8, 0);
    op.reach = random_.Chance(0.5) ? random_.Between(0, 3) : random_.Between(0, shape_.max_rows);
    return op;
  }

  Shape shape_;
  cosim::Dut dut_;
  cosim::Random random_;
  Operation op_;  // the last one prepared
  int part_ = 0;
  size_t first_strip_ = 0;  // in stream_
  int rows_ = 0, strips_ = 0, k_tiles_ = 0;
  int source_stride_ = 0, held_stride_ = 0, residual_stride_ = 0, output_stride_ = 0;
  std::unordered_map<int, Codes> memory_;
  std::deque<Strip> stream_;
  std::vector<spec::Instruction> commands_;
  std::deque<StreamItem> items_;
  bool offered_ = false;
  bool command_offered_ = false;
  struct ExpectedWrite {
    Write write;
    int command;
  };
  std::vector<ExpectedWrite> expected_;
  int older_cycles_ = 0;  // with older_busy_o
  Counts expected_counts_;
  bool expected_saturation_ = false;
};

TEST_P(Matmul, RandomOperations) {
  for (int i = 0; i < 60; ++i) {
    const Operation op = RandomOperation();
    Prepare(op);
    const double stall = i % 3 == 0 ? 0 : 0.5;
    ASSERT_GT(Run(random_.Chance(0.5) ? stall : 0, random_.Chance(0.5) ? stall : 0,
                  random_.Chance(0.5) ? stall : 0),
              0)
        << "operation " << i << ": held " << static_cast<int>(op.held) << " destination "
        << static_cast<int>(op.destination) << " length " << op.length << " rows " << rows_
        << " strips " << strips_ << " k tiles " << k_tiles_ << " window " << op.window << " reach "
        << op.reach << " residual " << op.residual;
  }
}

// Commands of different shape, destination and held tile, each offered before the last one is done.
TEST_P(Matmul, OverlappingCommands) {
  for (int i = 0; i < 40; ++i) {
    Operation op = RandomOperation();
    const int length = op.length;
    Prepare(op);
    for (int more = random_.Between(1, static_cast<int>(kParts) - 1); more > 0; --more) {
      op = RandomOperation();
      op.length = length;
      Append(op);
    }
    const double stall = i % 3 == 0 ? 0 : 0.5;
    ASSERT_GT(Run(random_.Chance(0.5) ? stall : 0, random_.Chance(0.5) ? stall : 0,
                  random_.Chance(0.5) ? stall : 0, random_.Chance(0.3) ? 0.95 : 0),
              0)
        << "chain " << i << " of " << commands_.size() << " commands, length " << length;
  }
}

// Few rows: the same sum again and again, with the fastest stream.
TEST_P(Matmul, EveryRowCount) {
  for (int rows = 1; rows <= shape_.max_rows; rows += rows < 8 ? 1 : shape_.max_rows / 5) {
    Operation op;
    op.rows_len = false;
    op.length = shape_.max_rows;
    op.rows = rows;
    op.strips = 3;
    op.k_tiles = 5;
    op.shift = TypicalShift(5);
    for (const double read_stall : {0.0, 0.6}) {
      Prepare(op);
      ASSERT_GT(Run(0, read_stall, 0), 0) << rows << " rows";
    }
  }
}

// Neighbouring K tiles of a narrow window share few rows, or one, in quick succession.
TEST_P(Matmul, NarrowWindowsOfTransposedTiles) {
  Operation op;
  op.held = Held::kTransposed;
  op.window = true;
  op.strips = 2;
  op.shift = TypicalShift(1);
  const auto run = [&] {
    for (const double read_stall : {0.0, 0.6}) {
      Prepare(op);
      ASSERT_GT(Run(0, read_stall, 0), 0) << "reach " << op.reach << ", length " << op.length;
    }
  };
  for (op.reach = 0; op.reach < 3; ++op.reach) {
    for (op.length = shape_.max_rows; op.length > shape_.max_rows - 5; --op.length) {
      run();
      if (HasFatalFailure()) return;
    }
  }
  op.rows_len = false;
  op.length = 2 * shape_.lanes;
  for (op.reach = 1; op.reach < 3; ++op.reach) {
    op.rows = shape_.lanes - op.reach + 1;  // the second tile has the first one's last row only
    for (int i = 0; i < 10; ++i) {
      run();
      if (HasFatalFailure()) return;
    }
  }
}

// With data always there, the array takes a row a cycle from the first tile to the last, whatever
// the number of commands, but for the cycles in which the memory's one read port serves a residual.
TEST_P(Matmul, NeverWaitsBetweenTilesOrCommands) {
  for (const int commands : {1, 3}) {
    for (const bool residual : {false, true}) {
      Operation op;
      op.residual = residual;
      op.length = shape_.max_rows;
      op.strips = 4;
      op.k_tiles = 6;
      op.shift = TypicalShift(6);
      Prepare(op);
      for (int more = 1; more < commands; ++more) Append(op);
      const int cycles = Run(0, 0, 0);
      // While the array works: of all strips but the last.
      const int residual_reads = residual ? (4 * commands - 1) * shape_.max_rows : 0;
      const int first_tile = 3 + shape_.lanes;
      // Array (at most 4) and accumulator (3), the drain's start (1), accumulator memory (1),
      // post-processor (10).
      const int last_strip = shape_.max_rows + 19;
      EXPECT_LE(cycles, first_tile + expected_counts_.rows + residual_reads + last_strip);
      // The next command comes with the last tile of the one before, which then drains.
      const int tile_and_drain = (residual ? 3 : 2) * shape_.max_rows + 19;
      EXPECT_LE(older_cycles_, (commands - 1) * tile_and_drain);
    }
  }
}

// A strip of which nothing is kept leaves nothing to the next operation.
TEST_P(Matmul, RowsThatNobodyReadsAreForgotten) {
  Operation op;
  op.held = Held::kRows;
  op.destination = Destination::kLogits;  // row 0 only: outside the window of later strips
  op.window = true;
  op.length = shape_.max_rows;
  op.shift = TypicalShift(1);
  Prepare(op);
  ASSERT_GT(Run(0, 0, 0), 0);
  op.destination = Destination::kActivations;
  op.window = false;
  Prepare(op);
  ASSERT_GT(Run(0, 0, 0), 0);
}

// Memory takes results slowly: strips wait for their bank, rows for room behind the post-processor.
TEST_P(Matmul, SlowWritesHoldEverythingBack) {
  for (const Held held : {Held::kStream, Held::kRows, Held::kTransposed}) {
    for (const bool residual : {false, true}) {
      Operation op;
      op.held = held;
      op.residual = residual;
      op.length = shape_.max_rows;
      op.strips = 5;
      op.shift = TypicalShift(1);
      Prepare(op);
      ASSERT_GT(Run(0, 0, 0.9), 0) << "held " << static_cast<int>(held);
    }
  }
}

// clear_i in the middle of one command, or of two that overlap: idle at once, and the next ones are
// not disturbed.
TEST_P(Matmul, ClearAbandonsWhatIsUnderWay) {
  for (int i = 0; i < 24; ++i) {
    const size_t commands = i % 2 == 0 ? 1 : 2;
    Operation op = RandomOperation();
    const int length = op.length;
    Prepare(op);
    if (commands == 2) {
      op = RandomOperation();
      op.length = length;
      Append(op);
    }
    Begin();
    // So many cycles after the last command was taken, unless the commands are over.
    size_t command = 0;
    for (int left = random_.Between(1, 120); left > 0; --left) {
      DriveCommand(command, 0);
      DriveStream(0);
      for (const char* name :
           {"src_rd_ready_i", "res_rd_ready_i", "held_rd_ready_i", "wr_ready_i"}) {
        dut_.Get(name).Set(1);
      }
      dut_.Eval();
      command = Accept(command);
      if (command < commands) ++left;
      dut_.Tick();
      PutReadData(RandomCodes(0));
    }
    dut_.Get("cmd_valid_i").Set(0);
    dut_.Get("words_valid_i").Set(0);
    dut_.Get("tile_valid_i").Set(0);
    dut_.Get("clear_i").Set(1);
    dut_.Tick();
    dut_.Get("clear_i").Set(0);
    dut_.Eval();
    ASSERT_FALSE(dut_.Get("busy_o"));
    op = RandomOperation();
    Prepare(op);
    Append(op);
    ASSERT_GT(Run(0.2, 0.2, 0.2), 0) << "commands after clear " << i;
  }
}

TEST(MatmulText, LintsClean) {
  for (const test::Parameters& parameters : std::vector<test::Parameters>{
           {{"Lanes", "4"}, {"MaxRows", "20"}, {"AccW", "24"}, {"Pipeline", "1"}},
           {{"Lanes", "4"}, {"MaxRows", "512"}, {"CodeW", "6"}, {"ExpW", "2"}, {"Pipeline", "4"}}}) {
    EXPECT_TRUE(test::LintsClean(Modules(), "eb_matmul", parameters));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Matmul,
                         testing::Values(Shape{4, {8, 3}, 40, 20, 2, 0},
                                         Shape{4, {6, 2}, 27, 9, 1, 1},
                                         Shape{8, {8, 4}, 60, 24, 4, 0},
                                         Shape{4, {5, 2}, 16, 12, 3, 0},
                                         Shape{16, {8, 3}, 37, 64, 2, 0}),
                         [](const auto& info) {
                           return "N" + std::to_string(info.param.lanes) + "W" +
                                  std::to_string(info.param.format.width) + "E" +
                                  std::to_string(info.param.format.exponent) + "Acc" +
                                  std::to_string(info.param.acc_bits) + "P" +
                                  std::to_string(info.param.pipeline);
                         });

}  // namespace
}  // namespace edgebert
