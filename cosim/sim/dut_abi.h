// What crosses the boundary between a Verilated shared library and the bench. The library is
// compiled at run time from this text and a generated wrapper (cosim/sim/verilate.cc), so the file
// stands alone.
#pragma once

#include <cstdint>

extern "C" {

/// One port, public signal or memory. An element is stored in 1, 2, 4 or 8 bytes, or in 32-bit
/// words when it is wider than 64 bits.
struct EbSignal {
  const char* name;  ///< port name, or `instance.signal` below the top module
  void* data;
  uint32_t bits;           ///< width of an element
  uint32_t element_bytes;  ///< storage of an element
  uint32_t elements;       ///< 1, or words of a memory
  uint32_t writable;
};

using EbSignalVisitor = void (*)(void* user, const EbSignal* signal);

struct EbDutApi {
  void* (*create)(uint32_t seed);
  void (*destroy)(void* dut);
  void (*eval)(void* dut);
  void (*visit)(void* dut, EbSignalVisitor visitor, void* user);
  /// Null entries in a build without tracing. `open` returns 0 when the file cannot be written. It
  /// traces `depth` levels of the scope ".top.u_unit"; 0: everything.
  int (*trace_open)(void* dut, const char* path, const char* scope, int depth);
  void (*trace_dump)(void* dut, uint64_t time);
  void (*trace_close)(void* dut);
};
}
