// Dut: a design under test, Verilated at run time, with its ports and public signals by name.
//
//   auto dut = Dut::Build({.files = {{"eb_counter.v", text}}, .top = "eb_counter"});
//   Port enable = dut->Get("enable_i");
//   dut->Reset();
//   enable.Set(1);                       // inputs change before the edge
//   dut->Eval();                         // settles combinational outputs
//   bool wrap = dut->Get("wrap_o").Get();  // sampled just before the edge
//   dut->Tick();                         // the rising edge
//
// Ports point straight at the Verilated storage. Several Duts may live in one process.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "cosim/sim/dut_abi.h"
#include "cosim/sim/verilate.h"
#include "golden/base/result.h"

namespace edgebert::cosim {

/// A port, a public signal or a word of a public memory: `bits` bits of any width. Cheap to copy;
/// valid as long as its Dut.
class Port {
 public:
  Port() = default;
  Port(void* data, uint32_t bits, uint32_t bytes, bool writable)
      : data_(data), bits_(bits), bytes_(bytes), writable_(writable) {}

  [[nodiscard]] int bits() const { return static_cast<int>(bits_); }

  /// The value of a port of at most 64 bits.
  [[nodiscard]] uint64_t Get() const {
    if (bytes_ == 1) return *static_cast<const uint8_t*>(data_);  // most are narrow
    switch (bytes_) {
      case 2:
        return *static_cast<const uint16_t*>(data_);
      case 4:
        return *static_cast<const uint32_t*>(data_);
      case 8:
        return *static_cast<const uint64_t*>(data_);
      default:
        return GetBits(0, 64);
    }
  }
  [[nodiscard]] int64_t GetSigned() const { return SignExtend(Get(), static_cast<int>(bits_)); }
  explicit operator bool() const { return Get() != 0; }

  /// `value` must fit the port.
  void Set(uint64_t value) {
    EB_CHECK(bits_ >= 64 || (value >> bits_) == 0, "{:#x} does not fit {} bits", value, bits_);
    SetTruncated(value);
  }
  void SetSigned(int64_t value) {
    EB_CHECK(bits_ >= 64 || (value >> (bits_ - 1)) == 0 || (value >> (bits_ - 1)) == -1,
             "{} does not fit {} bits", value, bits_);
    SetTruncated(static_cast<uint64_t>(value) & Mask(static_cast<int>(bits_)));
  }

  /// The Verilated storage, little-endian; bits above the port are 0.
  [[nodiscard]] std::span<const uint8_t> Bytes() const {
    return {static_cast<const uint8_t*>(data_), bytes_};
  }
  /// Sets the port; what pads the last byte is zero.
  void SetBytes(std::span<const uint8_t> bytes);

  /// Bits [lsb + width - 1 : lsb], width <= 64. Bits above the port read as zero.
  [[nodiscard]] uint64_t GetBits(int lsb, int width) const;
  void SetBits(int lsb, int width, uint64_t value);

  /// The whole port as 32-bit words, low word first.
  [[nodiscard]] std::vector<uint32_t> GetWide() const;
  void SetWide(std::span<const uint32_t> words);
  void Clear();

  /// Lane `lane` of a packed vector of `width`-bit lanes, lane 0 in the low bits.
  [[nodiscard]] uint64_t GetLane(int lane, int width) const { return GetBits(lane * width, width); }
  [[nodiscard]] int64_t GetLaneSigned(int lane, int width) const {
    return SignExtend(GetLane(lane, width), width);
  }
  /// Sets one lane to the low `width` bits of `value` (so a negative value is fine).
  void SetLane(int lane, int width, int64_t value) {
    SetBits(lane * width, width, static_cast<uint64_t>(value) & Mask(width));
  }
  /// All lanes at once: a container of integers, lane 0 first.
  template <typename Values>
  void SetLanes(int width, const Values& values) {
    int lane = 0;
    for (const auto value : values) SetLane(lane++, width, static_cast<int64_t>(value));
  }
  template <typename T = int64_t>
  [[nodiscard]] std::vector<T> GetLanes(int width) const {
    std::vector<T> values(static_cast<size_t>(bits() / width));
    for (size_t lane = 0; lane < values.size(); ++lane) {
      const int index = static_cast<int>(lane);
      if constexpr (std::is_signed_v<T>) {
        values[lane] = static_cast<T>(GetLaneSigned(index, width));
      } else {
        values[lane] = static_cast<T>(GetLane(index, width));
      }
    }
    return values;
  }

 private:
  friend class Flag;
  static uint64_t Mask(int width) {
    return width >= 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
  }
  static int64_t SignExtend(uint64_t value, int width) {
    const int shift = width >= 64 ? 0 : 64 - width;
    return static_cast<int64_t>(value << shift) >> shift;
  }
  void SetTruncated(uint64_t value) {
    EB_CHECK(writable_, "the signal is an output, or not public for writing");
    switch (bytes_) {
      case 1:
        *static_cast<uint8_t*>(data_) = static_cast<uint8_t>(value);
        return;
      case 2:
        *static_cast<uint16_t*>(data_) = static_cast<uint16_t>(value);
        return;
      case 4:
        *static_cast<uint32_t*>(data_) = static_cast<uint32_t>(value);
        return;
      case 8:
        *static_cast<uint64_t*>(data_) = value;
        return;
      default:
        std::memset(data_, 0, bytes_);
        std::memcpy(data_, &value, sizeof(value));
    }
  }

  void* data_ = nullptr;
  uint32_t bits_ = 0;
  uint32_t bytes_ = 0;
  bool writable_ = false;
};

/// A port of one bit, as handshakes are: looked at in every cycle, so without the cases of Port.
class Flag {
 public:
  Flag() = default;
  /// From a Port of one bit.
  Flag(Port port);  // NOLINT(google-explicit-constructor): it is one
  [[nodiscard]] bool Get() const { return *data_ != 0; }
  explicit operator bool() const { return Get(); }
  void Set(bool value) {
    if (!writable_) StopAtOutput();
    *data_ = static_cast<uint8_t>(value);
  }

 private:
  [[noreturn]] static void StopAtOutput();

  uint8_t* data_ = nullptr;
  bool writable_ = false;
};

/// A public memory: `depth` words.
class Memory {
 public:
  explicit Memory(const EbSignal& signal) : signal_(signal) {}
  [[nodiscard]] int depth() const { return static_cast<int>(signal_.elements); }
  [[nodiscard]] int bits() const { return static_cast<int>(signal_.bits); }
  [[nodiscard]] Port operator[](size_t address) const {
    EB_CHECK(address < signal_.elements, "address {} of {}", address, signal_.elements);
    return {static_cast<uint8_t*>(signal_.data) + address * signal_.element_bytes, signal_.bits,
            signal_.element_bytes, signal_.writable != 0};
  }

 private:
  EbSignal signal_;
};

class Dut {
 public:
  /// Builds (or finds in the cache) and instantiates the design. `seed` feeds Unknowns::kRandom.
  /// Rules: those of BuildLibrary, and "library-load".
  static Result<Dut> Build(const BuildOptions& options, uint32_t seed = 1);

  Dut(Dut&&) noexcept;
  Dut& operator=(Dut&&) noexcept;
  ~Dut();

  /// A port by its name, or a public signal by its path below the top module
  /// ("u_core.state_q", "g_lane[2].u_unit.sum_q"). An unknown name stops the program and lists what
  /// there is; `Find` returns nothing instead.
  [[nodiscard]] Port Get(std::string_view name) const;
  [[nodiscard]] std::optional<Port> Find(std::string_view name) const;
  [[nodiscard]] Memory GetMemory(std::string_view name) const;
  [[nodiscard]] std::optional<Memory> FindMemory(std::string_view name) const;
  /// All names, ports first.
  [[nodiscard]] std::vector<std::string> Names() const;

  /// Settles combinational logic after inputs changed.
  void Eval() {
    api_->eval(model_);
    settled_ = true;
  }

  /// One clock cycle: settles, then the rising edge of `clk_i`. Afterwards outputs show the state
  /// after the edge (with the inputs as they are). Stops the program with a message at the cycle
  /// limit; a bench that wants to report a hang itself asks `AtLimit()` first.
  void Tick() {
    if (cycles_ >= cycle_limit_) StopAtLimit();
    if (!settled_ || tracing_) Eval();
    if (tracing_) Dump(kPeriod * cycles_ + kPeriod / 2);
    clock_.Set(1);
    api_->eval(model_);
    ++cycles_;
    if (tracing_) Dump(kPeriod * cycles_);
    clock_.Set(0);
    settled_ = false;
  }
  void Tick(int count) {
    for (int i = 0; i < count; ++i) Tick();
  }

  /// Holds `rst_ni` low for `cycles` cycles, then releases it between two edges.
  void Reset(int cycles = 2);

  static constexpr uint64_t kPeriod = 10;  ///< time between rising edges in a trace [ns]

  /// Rising edges so far, those of resets included.
  [[nodiscard]] uint64_t cycles() const { return cycles_; }
  /// Default: 100 million.
  void SetCycleLimit(uint64_t limit) { cycle_limit_ = limit; }
  [[nodiscard]] bool AtLimit() const { return cycles_ >= cycle_limit_; }

  /// FST trace, in builds with `trace`, of an instance below the top module (empty: of everything)
  /// and `depth` levels of instances, its own signals being the first (0: all). Edge c is at time
  /// 10 c ns. Rule: "trace-open".
  Status OpenTrace(const std::string& path, const std::string& scope = "", int depth = 0);
  void CloseTrace();
  [[nodiscard]] bool tracing() const { return tracing_; }

 private:
  struct Names_;
  Dut();
  void Dump(uint64_t time) { api_->trace_dump(model_, time); }
  [[noreturn]] void StopAtLimit() const;
  [[nodiscard]] const EbSignal* FindSignal(std::string_view name) const;
  void Close();

  std::string top_;
  void* library_ = nullptr;
  const EbDutApi* api_ = nullptr;
  void* model_ = nullptr;
  std::unique_ptr<Names_> names_;
  Flag clock_;
  uint64_t cycles_ = 0;
  uint64_t cycle_limit_ = 100'000'000;
  bool settled_ = false;
  bool tracing_ = false;
};

}  // namespace edgebert::cosim
