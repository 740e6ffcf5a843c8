// eb_axi_reader and the memory behind it, or eb_resident_weights (docs/architecture.md, "Timing").
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "golden/base/check.h"
#include "golden/model/cycle_model.h"
#include "golden/model/timing/schedule.h"
#include "golden/spec/config.h"

namespace edgebert::model::timing {

inline constexpr Cycle kRequestToBurst = 1;  // request register
inline constexpr Cycle kBurstToAddress = 1;  // AR register
inline constexpr Cycle kDataToBeat =
    2;  // beat memory (resident: request register); output register
inline constexpr int64_t kPageBytes = 4096;  // no burst crosses its boundary

/// When each beat of the requests can be taken.
class AxiReader {
 public:
  AxiReader(const spec::AcceleratorConfig& config, const MemoryTiming& memory, bool resident)
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

}  // namespace edgebert::model::timing
