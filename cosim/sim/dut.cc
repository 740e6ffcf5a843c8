#include "cosim/sim/dut.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

namespace edgebert::cosim {

uint64_t Port::GetBits(int lsb, int width) const {
  EB_CHECK(lsb >= 0 && width > 0 && width <= 64, "bits {} +: {}", lsb, width);
  const size_t first = static_cast<size_t>(lsb) / 8;
  const int shift = lsb % 8;
  if (first >= bytes_) return 0;
  const uint8_t* bytes = static_cast<const uint8_t*>(data_) + first;
  uint64_t low = 0;
  if (first + sizeof(low) <= bytes_) {
    std::memcpy(&low, bytes, sizeof(low));  // of a known size: one instruction
  } else {
    std::memcpy(&low, bytes, bytes_ - first);
  }
  low >>= shift;
  if (shift != 0 && first + 8 < bytes_) {
    const uint64_t high = bytes[8];
    low |= high << (64 - shift);
  }
  return low & Mask(width);
}

void Port::SetBits(int lsb, int width, uint64_t value) {
  EB_CHECK(writable_, "the signal is an output, or not public for writing");
  EB_CHECK(lsb >= 0 && width > 0 && width <= 64 && lsb + width <= bits(), "bits {} +: {} of {}",
           lsb, width, bits_);
  EB_CHECK((value & ~Mask(width)) == 0, "{:#x} does not fit {} bits", value, width);
  uint8_t* bytes = static_cast<uint8_t*>(data_);
  for (int done = 0; done < width;) {
    const int bit = (lsb + done) % 8;
    const int take = std::min(8 - bit, width - done);
    const auto mask = static_cast<uint8_t>(Mask(take) << bit);
    uint8_t& byte = bytes[(lsb + done) / 8];
    byte = static_cast<uint8_t>((byte & ~mask) | (((value >> done) << bit) & mask));
    done += take;
  }
}

Flag::Flag(Port port) : data_(static_cast<uint8_t*>(port.data_)), writable_(port.writable_) {
  EB_CHECK(port.bits_ == 1, "a flag of {} bits", port.bits_);
}

void Flag::StopAtOutput() {
  EB_CHECK(false, "the signal is an output, or not public for writing");
  std::abort();
}

std::vector<uint32_t> Port::GetWide() const {
  std::vector<uint32_t> words((bits_ + 31) / 32);
  std::memcpy(words.data(), data_, std::min<size_t>(bytes_, 4 * words.size()));
  return words;
}

void Port::SetWide(std::span<const uint32_t> words) {
  EB_CHECK(words.size() == (bits_ + 31) / 32, "{} words for {} bits", words.size(), bits_);
  for (size_t i = 0; i < words.size(); ++i) {
    const int lsb = static_cast<int>(32 * i);
    SetBits(lsb, std::min(32, bits() - lsb), words[i]);
  }
}

void Port::SetBytes(std::span<const uint8_t> bytes) {
  EB_CHECK(writable_, "the signal is an output, or not public for writing");
  EB_CHECK(bytes.size() == (bits_ + 7) / 8, "{} bytes for {} bits", bytes.size(), bits_);
  EB_CHECK(bits_ % 8 == 0 || bytes.back() >> bits_ % 8 == 0, "padding of {} bits", bits_);
  std::memcpy(data_, bytes.data(), bytes.size());
}

void Port::Clear() {
  EB_CHECK(writable_, "the signal is an output, or not public for writing");
  std::memset(data_, 0, bytes_);
}

struct Dut::Names_ {
  std::map<std::string, EbSignal, std::less<>> signals;
  std::vector<std::string> order;
};

Dut::Dut() : names_(std::make_unique<Names_>()) {}

Dut::Dut(Dut&& other) noexcept : Dut() { *this = std::move(other); }

Dut& Dut::operator=(Dut&& other) noexcept {
  std::swap(top_, other.top_);
  std::swap(library_, other.library_);
  std::swap(api_, other.api_);
  std::swap(model_, other.model_);
  std::swap(names_, other.names_);
  std::swap(clock_, other.clock_);
  std::swap(cycles_, other.cycles_);
  std::swap(cycle_limit_, other.cycle_limit_);
  std::swap(settled_, other.settled_);
  std::swap(tracing_, other.tracing_);
  return *this;
}

Dut::~Dut() { Close(); }

void Dut::Close() {
  CloseTrace();
  if (model_ != nullptr) api_->destroy(model_);
  if (library_ != nullptr) dlclose(library_);
}

Result<Dut> Dut::Build(const BuildOptions& options, uint32_t seed) {
  EB_ASSIGN_OR_RETURN(const std::string path, BuildLibrary(options));
  Dut dut;
  dut.top_ = options.top;
  dut.library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (dut.library_ == nullptr) return Error({path}, dlerror(), "library-load");
  const auto get_api = reinterpret_cast<const EbDutApi* (*)()>(dlsym(dut.library_, "eb_dut_api"));
  if (get_api == nullptr) return Error({path}, dlerror(), "library-load");
  dut.api_ = get_api();
  dut.model_ = dut.api_->create(seed);
  const auto add = [](void* user, const EbSignal* signal) {
    auto* names = static_cast<Names_*>(user);
    const auto [place, inserted] = names->signals.try_emplace(signal->name, *signal);
    if (!inserted) return;  // a port that is also public
    place->second.name = place->first.c_str();
    names->order.push_back(place->first);
  };
  dut.api_->visit(dut.model_, add, dut.names_.get());
  // A purely combinational design has no clock; Tick then only evaluates.
  static uint8_t no_clock = 0;
  dut.clock_ = Flag(dut.Find("clk_i").value_or(Port(&no_clock, 1, 1, true)));
  for (const char* name : {"clk_i", "rst_ni"}) {
    if (auto port = dut.Find(name)) port->Set(0);
  }
  dut.Eval();
  return dut;
}

const EbSignal* Dut::FindSignal(std::string_view name) const {
  const auto place = names_->signals.find(name);
  return place == names_->signals.end() ? nullptr : &place->second;
}

std::optional<Port> Dut::Find(std::string_view name) const {
  const EbSignal* signal = FindSignal(name);
  if (signal == nullptr || signal->elements != 1) return std::nullopt;
  return Port(signal->data, signal->bits, signal->element_bytes, signal->writable != 0);
}

std::optional<Memory> Dut::FindMemory(std::string_view name) const {
  const EbSignal* signal = FindSignal(name);
  if (signal == nullptr) return std::nullopt;
  return Memory(*signal);
}

Port Dut::Get(std::string_view name) const {
  const auto port = Find(name);
  EB_CHECK(port.has_value(), "{} has no signal '{}'; it has: {}", top_, name,
           fmt::join(names_->order, " "));
  return *port;
}

Memory Dut::GetMemory(std::string_view name) const {
  const auto memory = FindMemory(name);
  EB_CHECK(memory.has_value(), "{} has no memory '{}'; it has: {}", top_, name,
           fmt::join(names_->order, " "));
  return *memory;
}

std::vector<std::string> Dut::Names() const { return names_->order; }

void Dut::Reset(int cycles) {
  Port reset = Get("rst_ni");
  reset.Set(0);
  Tick(cycles);
  reset.Set(1);
  Eval();
}

void Dut::StopAtLimit() const {
  fmt::print(stderr, "{}: the cycle limit of {} cycles is reached: the bench or the design hangs\n",
             top_, cycle_limit_);
  std::fflush(stderr);
  std::abort();
}

Status Dut::OpenTrace(const std::string& path, const std::string& scope, int depth) {
  if (api_->trace_open == nullptr) {
    return Error({path}, fmt::format("'{}' was built without tracing", top_), "trace-open");
  }
  CloseTrace();
  constexpr int kAllLevels = 1000;
  // The model's own name, before the first dot, is empty.
  const std::string root = "." + top_ + (scope.empty() ? "" : "." + scope);
  const int levels = depth == 0 && !scope.empty() ? kAllLevels : depth;
  if (api_->trace_open(model_, path.c_str(), root.c_str(), levels) == 0) {
    return Error({path}, "cannot write the trace file", "trace-open");
  }
  tracing_ = true;
  return Ok();
}

void Dut::CloseTrace() {
  if (!tracing_) return;
  api_->trace_close(model_);
  tracing_ = false;
}

}  // namespace edgebert::cosim
