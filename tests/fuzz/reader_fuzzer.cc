// libFuzzer on one reader: reader_fuzzer --reader=NAME [libFuzzer's options] CORPUS..
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tests/fuzz/readers.h"

namespace {
const edgebert::fuzz::Reader* chosen = nullptr;
}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view kOption = "--reader=";
  for (int i = 1; i < *argc; ++i) {
    const std::string_view argument = (*argv)[i];
    if (!argument.starts_with(kOption)) continue;
    for (const edgebert::fuzz::Reader& reader : edgebert::fuzz::Readers()) {
      if (argument.substr(kOption.size()) == reader.name) chosen = &reader;
    }
  }
  if (chosen != nullptr) return 0;
  fmt::print(stderr, "--reader=NAME is missing; readers:");
  for (const edgebert::fuzz::Reader& reader : edgebert::fuzz::Readers()) {
    fmt::print(stderr, " {}", reader.name);
  }
  fmt::print(stderr, "\n");
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  chosen->read({data, size});
  return 0;
}
