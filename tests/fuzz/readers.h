// Every reader of a file that a user can bring, as one function of the file's bytes: what libFuzzer
// drives (reader_fuzzer.cc) and what the tests replay (corpus_test.cc).
//
// A reader may refuse the file, with diagnostics that name it and a rule; or it takes the file, and
// then what it read is within its limits and comes back the same from what is written of it.
// Anything else stops the program.
#pragma once

#include <cstdint>
#include <span>

namespace edgebert::fuzz {

struct Reader {
  const char* name;                             ///< and folder of its corpus
  bool (*read)(std::span<const uint8_t> file);  ///< whether the file was taken
};

std::span<const Reader> Readers();

}  // namespace edgebert::fuzz
