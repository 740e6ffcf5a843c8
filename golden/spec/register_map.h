// The AXI4-Lite register map: the one owner of offsets, fields, error codes and counters
// (docs/architecture.md). The generator emits the decoder, the documents and the C header from it.
#pragma once

#include <array>
#include <cstdint>

namespace edgebert::spec {

enum class Access : uint8_t {
  kReadOnly,
  kReadWrite,       ///< Configuration: writes while busy are refused with SLVERR.
  kAlwaysWritable,  ///< Read-write, also while busy.
  kWriteOnly,       ///< Command bits; reads as zero.
  kWriteOneClear,
};

/// One 32-bit register at a byte offset; reset value 0 unless the hardware drives it.
struct Register {
  const char* name;
  uint32_t offset;
  Access access;
  const char* description;
};

inline constexpr uint32_t kIdentity = 0x45425254;  // "EBRT"
inline constexpr uint32_t kRegisterMapVersion = 4;

inline constexpr std::array kRegisters = {
    Register{"IDENTITY", 0x000, Access::kReadOnly, "0x45425254"},
    Register{"VERSION", 0x004, Access::kReadOnly, "version of this register map"},
    Register{"CONFIG_HASH", 0x008, Access::kReadOnly, "hash of the generator configuration"},
    Register{"SHAPE", 0x00C, Access::kReadOnly,
             "7:0 n; 11:8 W; 15:12 E; 31:16 largest sequence length"},
    Register{"CONTROL", 0x010, Access::kWriteOnly,
             "0 START a sentence; 1 ABORT; 2 LOAD the program, and the resident weights"},
    Register{"STATUS", 0x014, Access::kReadOnly,
             "0 busy; 1 done; 2 error; 3 program loaded; 4 aborted; 5 weights resident"},
    Register{"ERROR", 0x018, Access::kReadOnly, "7:0 error code; 31:8 detail"},
    Register{"IRQ_ENABLE", 0x01C, Access::kAlwaysWritable, "0 done; 1 error; 2 aborted; 3 timeout"},
    Register{"IRQ_STATUS", 0x020, Access::kWriteOneClear, "0 done; 1 error; 2 aborted; 3 timeout"},
    Register{"LENGTH", 0x024, Access::kReadWrite, "tokens of the sentence"},
    Register{"THRESHOLD", 0x028, Access::kReadWrite,
             "entropy threshold, unsigned Q16.16; exit when H < threshold"},
    Register{"PROGRAM_LENGTH", 0x02C, Access::kReadWrite, "instructions of the program"},
    Register{"PROGRAM_BASE_LOW", 0x030, Access::kReadWrite, "address of the program, bits 31:0"},
    Register{"PROGRAM_BASE_HIGH", 0x034, Access::kReadWrite, "address of the program, bits 63:32"},
    Register{"WEIGHT_BASE_LOW", 0x038, Access::kReadWrite, "address of the weights, bits 31:0"},
    Register{"WEIGHT_BASE_HIGH", 0x03C, Access::kReadWrite, "address of the weights, bits 63:32"},
    Register{"TOKEN_BASE_LOW", 0x040, Access::kReadWrite, "address of the tokens, bits 31:0"},
    Register{"TOKEN_BASE_HIGH", 0x044, Access::kReadWrite, "address of the tokens, bits 63:32"},
    Register{"RESULT_BASE_LOW", 0x048, Access::kReadWrite, "address of the results, bits 31:0"},
    Register{"RESULT_BASE_HIGH", 0x04C, Access::kReadWrite, "address of the results, bits 63:32"},
    Register{"EXIT_LAYER", 0x050, Access::kReadOnly, "layer of the exit, 1-based"},
    Register{"PREDICTION", 0x054, Access::kReadOnly, "index of the largest logit"},
    Register{"ENTROPY", 0x058, Access::kReadOnly, "entropy of the last off-ramp, Q16.16"},
    Register{"SATURATION", 0x05C, Access::kReadOnly, "0 accumulator saturated in this sentence"},
    Register{"RESIDENT_BYTES", 0x060, Access::kReadWrite,
             "bytes from WEIGHT_BASE that LOAD copies on chip; 0: weights are read when used"},
    Register{
        "WATCHDOG", 0x064, Access::kAlwaysWritable,
        "cycles from START or LOAD to the interrupt TIMEOUT if nothing else ended the command; "
        "0: never"},
};

/// Byte offset of the 64-bit counters: counter c at kCounterBase + 8*c (low word first).
inline constexpr uint32_t kCounterBase = 0x100;
/// Byte offset of the logits: class c at kLogitBase + 4*c, a sign-extended Fixed.
inline constexpr uint32_t kLogitBase = 0x400;
/// Bytes the register window takes.
inline constexpr uint32_t kRegisterWindowBytes = 0x800;

struct Counter {
  const char* name;
  const char* description;
};

/// Performance counters, cleared at START, running while a sentence runs.
inline constexpr std::array kCounters = {
    Counter{"CYCLES", "cycles from START to done"},
    Counter{"MAC_CYCLES", "cycles in which the VMAC array took a row"},
    Counter{"GATED_ROWS", "of those, rows whose vector was zero, so that no multiplier switched"},
    Counter{"WAIT_WEIGHT", "cycles the array waited for a held tile from the weight stream"},
    Counter{"WAIT_HELD", "cycles the array waited for a held tile from activation memory"},
    Counter{"WAIT_READ", "cycles the array waited for a row of activation memory"},
    Counter{"WAIT_DRAIN", "cycles the array waited for the accumulator to drain"},
    Counter{"IDLE_MATMUL", "cycles without a MATMUL while a sentence ran"},
    Counter{"TILES", "held tiles used"},
    Counter{"WINDOW_ROWS_SKIPPED", "rows not computed because the span window excludes them"},
    Counter{"WEIGHT_BEATS", "AXI beats of the weight stream"},
    Counter{"WEIGHT_NONZEROS", "non-zero weights decoded"},
    Counter{"ACTIVATION_READS", "vectors read from activation memory"},
    Counter{"ACTIVATION_WRITES", "vectors written to activation memory"},
    Counter{"SCORE_READS", "vectors read from score memory"},
    Counter{"SCORE_WRITES", "vectors written to score memory"},
    Counter{"RERAM_READS", "words read from the ReRAM macro"},
    Counter{"SOFTMAX_CYCLES", "cycles with a SOFTMAX"},
    Counter{"LAYER_NORM_CYCLES", "cycles with a LAYER_NORM"},
    Counter{"EMBED_CYCLES", "cycles with an EMBED"},
    Counter{"EXIT_CYCLES", "cycles with an EXIT"},
    Counter{"INSTRUCTIONS", "instructions executed"},
    Counter{"RERAM_CORRECTED", "of the words read from the ReRAM macro, those with a wrong bit"},
};

enum class ErrorCode : uint32_t {
  kNone = 0,
  kAxiRead = 1,  ///< Detail: 0 program, 1 tokens, 2 weights.
  kAxiWrite = 2,
  kLength = 3,          ///< LENGTH is 0 or above the configuration's seq_len.
  kProgramLength = 4,   ///< PROGRAM_LENGTH is 0 or above the program memory.
  kNoProgram = 5,       ///< START before LOAD.
  kBadOpcode = 6,       ///< Detail: program counter.
  kProgramOverrun = 7,  ///< Ran past the last instruction. Detail: program counter.
  kStreamFormat = 8,    ///< Tile marker missing, or a K tile that the MATMUL does not have:
                        ///< program and weights do not belong together.
  kTokenRange = 9,      ///< Token id outside the vocabulary. Detail: position.
  kTypeRange = 10,      ///< Token type outside the table. Detail: position.
  kNoExit = 11,         ///< END before any EXIT.
  kResident = 12,       ///< Detail: 0 RESIDENT_BYTES is no whole number of beats or above the
                        ///< resident memory; 1 a segment of the stream reaches beyond it.
  kBadOperand = 13,     ///< MATMUL without strips or K tiles; LAYER_NORM or EMBED of no vectors, or
                        ///< of more than a row has. Detail: program counter.
  kReramWord = 14,      ///< A word of the ReRAM with more wrong bits than ECC corrects. Detail: row
                        ///< of the embedding tables.
};
inline constexpr ErrorCode kLastErrorCode = ErrorCode::kReramWord;

}  // namespace edgebert::spec
