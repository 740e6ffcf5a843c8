// The instruction set of the sequencer: field positions and an encoder/decoder
// (docs/architecture.md).
//
// An instruction is 256 bits: eight 32-bit words, word 0 in the low bits. The generator emits these
// positions as named wires, the golden machine reads them through `Get`; neither repeats a number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace edgebert::spec {

inline constexpr int kInstructionWords = 8;
inline constexpr int kInstructionBits = 32 * kInstructionWords;

enum class Opcode : uint32_t {
  kEnd = 0x00,
  kStream = 0x01,
  kLoop = 0x02,
  kEmbed = 0x10,
  kMatmul = 0x20,
  kSoftmax = 0x30,
  kLayerNorm = 0x40,
  kExit = 0x50,
};

/// Unit numbers; bit u of the wait mask waits for unit u to be idle.
enum class Unit : uint32_t { kMatmul = 0, kSoftmax = 1, kLayerNorm = 2, kEmbedding = 3, kExit = 4 };
inline constexpr int kUnits = 5;

/// The unit an instruction goes to; none for those of the sequencer.
[[nodiscard]] constexpr std::optional<Unit> UnitOf(Opcode opcode) {
  switch (opcode) {
    case Opcode::kMatmul:
      return Unit::kMatmul;
    case Opcode::kSoftmax:
      return Unit::kSoftmax;
    case Opcode::kLayerNorm:
      return Unit::kLayerNorm;
    case Opcode::kEmbed:
      return Unit::kEmbedding;
    case Opcode::kExit:
      return Unit::kExit;
    default:
      return std::nullopt;
  }
}

/// Where the held tile of a MATMUL comes from.
enum class Held : uint32_t { kStream = 0, kRows = 1, kTransposed = 2 };
/// Where the results of a MATMUL go.
enum class Destination : uint32_t { kActivations = 0, kScores = 1, kLogits = 2 };
enum class Activation : uint32_t { kNone = 0, kRelu = 1, kGelu = 2, kGeluNew = 3, kTanh = 4 };

/// One field of an instruction: bits [lsb + width - 1 : lsb] of word `word`.
struct Field {
  const char* name;
  int word;
  int lsb;
  int width;
  bool is_signed = false;

  /// Position of the low bit in the 256-bit instruction.
  [[nodiscard]] constexpr int Bit() const { return 32 * word + lsb; }
};

// Every instruction.
inline constexpr Field kOpcode{"opcode", 0, 0, 8};
/// A bit a unit, and one for the MATMULs before the youngest.
inline constexpr Field kWaitMask{"wait_mask", 0, 8, kUnits + 1};
inline constexpr int kWaitOlderMatmuls = kUnits;

// STREAM. offset and iteration_stride are bytes, multiples of the beat.
inline constexpr Field kStreamOffset{"offset", 1, 0, 32};
inline constexpr Field kStreamBeats{"beats", 2, 0, 32};
inline constexpr Field kStreamIterationStride{"iteration_stride", 3, 0, 32};

// LOOP.
inline constexpr Field kLoopTarget{"target", 1, 0, 16};
inline constexpr Field kLoopCount{"count", 2, 0, 16};

// Operands in activation memory: vector address and vectors from one row to the next.
inline constexpr int kAddressBits = 20;
inline constexpr int kStrideBits = 12;

// MATMUL.
inline constexpr Field kMatmulHeld{"held", 0, 16, 2};
inline constexpr Field kMatmulDestination{"destination", 0, 18, 2};
inline constexpr Field kMatmulActivation{"activation", 0, 20, 3};
inline constexpr Field kMatmulResidual{"residual", 0, 23, 1};
inline constexpr Field kMatmulRowsLen{"rows_len", 0, 24, 1};
inline constexpr Field kMatmulStripsLen{"strips_len", 0, 25, 1};
inline constexpr Field kMatmulKTilesLen{"k_tiles_len", 0, 26, 1};
inline constexpr Field kMatmulWindow{"window", 0, 27, 1};
inline constexpr Field kMatmulStrips{"strips", 1, 0, 16};
inline constexpr Field kMatmulKTiles{"k_tiles", 1, 16, 16};
inline constexpr Field kMatmulSrcBase{"src_base", 2, 0, kAddressBits};
inline constexpr Field kMatmulSrcStride{"src_stride", 2, 20, kStrideBits};
inline constexpr Field kMatmulDstBase{"dst_base", 3, 0, kAddressBits};
inline constexpr Field kMatmulDstStride{"dst_stride", 3, 20, kStrideBits};
inline constexpr Field kMatmulHeldBase{"held_base", 4, 0, kAddressBits};
inline constexpr Field kMatmulHeldStride{"held_stride", 4, 20, kStrideBits};
inline constexpr Field kMatmulResidualBase{"residual_base", 5, 0, kAddressBits};
inline constexpr Field kMatmulResidualStride{"residual_stride", 5, 20, kStrideBits};
inline constexpr Field kMatmulShift{"shift", 6, 0, 8, true};
inline constexpr Field kMatmulBiasOut{"bias_out", 6, 8, 8, true};
inline constexpr Field kMatmulBiasResidual{"bias_residual", 6, 16, 8, true};
inline constexpr Field kMatmulReach{"reach", 7, 0, 10};
inline constexpr Field kMatmulRows{"rows", 7, 10, 10};

// SOFTMAX. mask_c and mask_r have 20 fraction bits.
inline constexpr Field kSoftmaxDstBase{"dst_base", 1, 0, kAddressBits};
inline constexpr Field kSoftmaxDstStride{"dst_stride", 1, 20, kStrideBits};
inline constexpr Field kSoftmaxBiasOut{"bias_out", 2, 0, 8, true};
inline constexpr Field kSoftmaxReach{"reach", 2, 8, 10};
inline constexpr Field kSoftmaxMaskC{"mask_c", 3, 0, 32, true};
inline constexpr Field kSoftmaxMaskR{"mask_r", 4, 0, 21};

// LAYER_NORM.
inline constexpr Field kLayerNormRowsLen{"rows_len", 0, 24, 1};
inline constexpr Field kLayerNormSrcBase{"src_base", 1, 0, kAddressBits};
inline constexpr Field kLayerNormSrcStride{"src_stride", 1, 20, kStrideBits};
inline constexpr Field kLayerNormDstBase{"dst_base", 2, 0, kAddressBits};
inline constexpr Field kLayerNormDstStride{"dst_stride", 2, 20, kStrideBits};
inline constexpr Field kLayerNormBiasOut{"bias_out", 3, 0, 8, true};
inline constexpr Field kLayerNormHidden{"hidden", 3, 16, 16};
inline constexpr Field kLayerNormVectors{"vectors", 4, 0, 16};
inline constexpr Field kLayerNormRows{"rows", 4, 16, 10};
inline constexpr Field kLayerNormEpsLow{"eps_low", 5, 0, 32};
inline constexpr Field kLayerNormEpsHigh{"eps_high", 6, 0, 32};

// EMBED. Rows are numbered through all tables of the ReRAM.
inline constexpr Field kEmbedDstBase{"dst_base", 1, 0, kAddressBits};
inline constexpr Field kEmbedDstStride{"dst_stride", 1, 20, kStrideBits};
inline constexpr Field kEmbedBiasOut{"bias_out", 2, 0, 8, true};
inline constexpr Field kEmbedBiasWord{"bias_word", 2, 8, 8, true};
inline constexpr Field kEmbedBiasPosition{"bias_position", 2, 16, 8, true};
inline constexpr Field kEmbedBiasType{"bias_type", 2, 24, 8, true};
inline constexpr Field kEmbedVectors{"vectors", 3, 0, 16};
inline constexpr Field kEmbedTypes{"types", 3, 16, 16};
inline constexpr Field kEmbedPositionRow{"position_row", 4, 0, 32};
inline constexpr Field kEmbedTypeRow{"type_row", 5, 0, 32};
inline constexpr Field kEmbedMaskBase{"mask_base", 6, 0, 32};

// EXIT.
inline constexpr Field kExitClasses{"classes", 1, 0, 16};

/// One encoded instruction.
struct Instruction {
  std::array<uint32_t, kInstructionWords> words{};

  /// The field, sign-extended when it is signed.
  [[nodiscard]] constexpr int64_t Get(const Field& field) const {
    const uint64_t mask = (uint64_t{1} << field.width) - 1;
    const uint64_t raw = (uint64_t{words[static_cast<size_t>(field.word)]} >> field.lsb) & mask;
    if (field.is_signed && (raw >> (field.width - 1)) != 0) {
      return static_cast<int64_t>(raw | ~mask);
    }
    return static_cast<int64_t>(raw);
  }
  [[nodiscard]] constexpr int GetInt(const Field& field) const {
    return static_cast<int>(Get(field));
  }

  /// True when `value` fits the field.
  [[nodiscard]] static constexpr bool Fits(const Field& field, int64_t value) {
    if (field.is_signed) {
      const int64_t limit = int64_t{1} << (field.width - 1);
      return value >= -limit && value < limit;
    }
    return value >= 0 && value < (int64_t{1} << field.width);
  }

  /// Sets the field; the value must fit (callers check with `Fits` what a user can cause).
  constexpr void Set(const Field& field, int64_t value) {
    const uint32_t mask = static_cast<uint32_t>((uint64_t{1} << field.width) - 1);
    uint32_t& word = words[static_cast<size_t>(field.word)];
    word &= ~(mask << field.lsb);
    word |= (static_cast<uint32_t>(value) & mask) << field.lsb;
  }

  friend constexpr bool operator==(const Instruction&, const Instruction&) = default;
};

// Weight stream tile record prefix (docs/architecture.md, "Weight stream").
inline constexpr uint32_t kTileMarker = 0xEB;
inline constexpr int kTilePrefixBits = 32;
inline constexpr int kTileLastBit = 16;
inline constexpr int kTileEmptyBit = 17;

// Result record.
inline constexpr uint32_t kResultMarker = 0x45425253;
inline constexpr int kResultEntropyWord = 4;
inline constexpr int kResultLogitsWord = 4 + 64;

/// Token word in memory: id in bits 23:0, token type in bits 31:24.
inline constexpr int kTokenTypeBit = 24;

}  // namespace edgebert::spec
