#include "cosim/axi/axi_checker.h"

#include <algorithm>

namespace edgebert::cosim {
namespace {

constexpr uint64_t kPage = 4096;

std::vector<Port> AddressPayload(const AxiAddressPorts& ports) {
  std::vector<Port> payload = {ports.addr, ports.len, ports.size, ports.burst};
  if (ports.id) payload.push_back(*ports.id);
  return payload;
}

std::vector<Port> With(std::vector<Port> payload, const std::optional<Port>& id) {
  if (id) payload.push_back(*id);
  return payload;
}

}  // namespace

std::string AxiViolation::Format() const {
  return fmt::format("cycle {}: {}: {}", cycle, rule, detail);
}

AxiChannelWatch::AxiChannelWatch(std::string name, Flag valid, Flag ready,
                                 std::vector<Port> payload)
    : name_(std::move(name)), valid_(valid), ready_(ready), payload_(std::move(payload)) {
  held_.resize(payload_.size());
}

bool AxiChannelWatch::SampleBusy(uint64_t cycle, bool in_reset,
                                 std::vector<AxiViolation>& violations) {
  const bool valid = valid_.Get();
  if (in_reset) {
    if (valid) violations.push_back({cycle, "valid-in-reset", name_});
    stalled_ = false;
    return false;
  }
  if (stalled_) {
    if (!valid) {
      violations.push_back({cycle, "valid-stable", name_ + " falls before it was taken"});
    } else {
      for (size_t i = 0; i < payload_.size(); ++i) {
        if (!std::ranges::equal(payload_[i].Bytes(), held_[i])) {
          violations.push_back(
              {cycle, "payload-stable", fmt::format("{} payload {} changes", name_, i)});
        }
      }
    }
  }
  const bool transfer = valid && ready_;
  stalled_ = valid && !transfer;
  if (stalled_) {
    for (size_t i = 0; i < payload_.size(); ++i) {
      const auto bytes = payload_[i].Bytes();
      held_[i].assign(bytes.begin(), bytes.end());
    }
  }
  return transfer;
}

AxiChecker::AxiChecker(const AxiPorts& ports, Flag reset) : ports_(ports), reset_(reset) {
  if (ports_.read) {
    const AxiReadPorts& pins = *ports_.read;
    read_watches_.emplace_back("AR", pins.ar.valid, pins.ar.ready, AddressPayload(pins.ar));
    read_watches_.emplace_back("R", pins.rvalid, pins.rready,
                               With({pins.rdata, pins.rresp, pins.rlast}, pins.rid));
  }
  if (ports_.write) {
    const AxiWritePorts& pins = *ports_.write;
    write_watches_.emplace_back("AW", pins.aw.valid, pins.aw.ready, AddressPayload(pins.aw));
    write_watches_.emplace_back("W", pins.wvalid, pins.wready,
                                std::vector<Port>{pins.wdata, pins.wstrb, pins.wlast});
    write_watches_.emplace_back("B", pins.bvalid, pins.bready, With({pins.bresp}, pins.bid));
  }
}

void AxiChecker::Report(uint64_t cycle, std::string rule, std::string detail) {
  violations_.push_back({cycle, std::move(rule), std::move(detail)});
}

void AxiChecker::CheckAddress(uint64_t cycle, const std::string& channel, const AxiAddress& address,
                              int bus_bytes) {
  const std::string what = fmt::format("{} address {:#x} len {} size {}", channel, address.addr,
                                       address.len, address.size);
  if ((1 << address.size) > bus_bytes) Report(cycle, "burst-size", what);
  switch (address.burst) {
    case AxiBurst::kIncrement: {
      const uint64_t last = address.BeatAddress(address.len) | ((uint64_t{1} << address.size) - 1);
      if (address.addr / kPage != last / kPage) Report(cycle, "burst-4k", what);
      break;
    }
    case AxiBurst::kFixed:
      if (address.Beats() > 16) Report(cycle, "burst-length", what);
      break;
    case AxiBurst::kWrap:
      if (address.Beats() != 2 && address.Beats() != 4 && address.Beats() != 8 &&
          address.Beats() != 16) {
        Report(cycle, "burst-length", what);
      }
      if (address.addr % (uint64_t{1} << address.size) != 0) Report(cycle, "wrap-aligned", what);
      break;
    default:
      Report(cycle, "burst-type", what);
  }
}

void AxiChecker::Reset() {
  violations_.clear();
  Forget();
  for (AxiChannelWatch& watch : read_watches_) watch.Reset();
  for (AxiChannelWatch& watch : write_watches_) watch.Reset();
}

void AxiChecker::Forget() {
  reads_.clear();
  writes_.clear();
  write_beats_.clear();
  unanswered_.clear();
}

void AxiChecker::Sample(uint64_t cycle) {
  const bool in_reset = !reset_;
  if (in_reset) Forget();
  if (ports_.read) SampleRead(cycle, in_reset);
  if (ports_.write) SampleWrite(cycle, in_reset);
}

void AxiChecker::SampleRead(uint64_t cycle, bool in_reset) {
  const AxiReadPorts& pins = *ports_.read;
  // R before AR: data answers an address of an earlier cycle.
  if (read_watches_[1].Sample(cycle, in_reset, violations_)) {
    if (reads_.empty()) {
      Report(cycle, "response-without-request", "R");
    } else {
      Burst& burst = reads_.front();
      const bool last = burst.beats == burst.address.len;
      if ((pins.rlast.Get() != 0) != last) {
        Report(cycle, "rlast",
               fmt::format("R beat {} of {}", burst.beats + 1, burst.address.Beats()));
      }
      if (pins.rid && pins.rid->Get() != burst.address.id) {
        Report(cycle, "response-id",
               fmt::format("RID {} for ARID {}", pins.rid->Get(), burst.address.id));
      }
      if (pins.rresp.Get() == static_cast<uint64_t>(AxiResponse::kExclusiveOkay)) {
        Report(cycle, "response-code", "R EXOKAY for an ordinary read");
      }
      ++burst.beats;
      if (last) reads_.pop_front();
    }
  }
  if (read_watches_[0].Sample(cycle, in_reset, violations_)) {
    const AxiAddress address = AxiAddress::Read(pins.ar);
    CheckAddress(cycle, "AR", address, pins.rdata.bits() / 8);
    reads_.push_back({address});
  }
}

void AxiChecker::SampleWrite(uint64_t cycle, bool in_reset) {
  const AxiWritePorts& pins = *ports_.write;
  if (write_watches_[2].Sample(cycle, in_reset, violations_)) {
    if (unanswered_.empty()) {
      Report(cycle, "response-without-request", "B");
    } else {
      if (pins.bid && pins.bid->Get() != unanswered_.front()) {
        Report(cycle, "response-id",
               fmt::format("BID {} for AWID {}", pins.bid->Get(), unanswered_.front()));
      }
      if (pins.bresp.Get() == static_cast<uint64_t>(AxiResponse::kExclusiveOkay)) {
        Report(cycle, "response-code", "B EXOKAY for an ordinary write");
      }
      unanswered_.pop_front();
    }
  }
  if (write_watches_[0].Sample(cycle, in_reset, violations_)) {
    const AxiAddress address = AxiAddress::Read(pins.aw);
    CheckAddress(cycle, "AW", address, pins.wdata.bits() / 8);
    writes_.push_back({address});
  }
  if (write_watches_[1].Sample(cycle, in_reset, violations_)) {
    const auto strobes = pins.wstrb.Bytes();
    write_beats_.push_back({pins.wlast.Get() != 0, {strobes.begin(), strobes.end()}});
  }
  MatchWrites(cycle);
}

void AxiChecker::MatchWrites(uint64_t cycle) {
  const int bus_bytes = ports_.write->wdata.bits() / 8;
  while (!writes_.empty() && !write_beats_.empty()) {
    Burst& burst = writes_.front();
    const WriteBeat& beat = write_beats_.front();
    const bool last = burst.beats == burst.address.len;
    if (beat.last != last) {
      Report(cycle, "wlast",
             fmt::format("W beat {} of {}", burst.beats + 1, burst.address.Beats()));
    }
    // Strobes only in the lanes of this beat (a narrow or unaligned beat has fewer).
    const uint64_t address = burst.address.BeatAddress(burst.beats);
    const int beat_bytes = 1 << burst.address.size;
    const int low = static_cast<int>(address % static_cast<uint64_t>(bus_bytes));
    const int high = low / beat_bytes * beat_bytes + beat_bytes;
    for (int lane = 0; lane < bus_bytes; ++lane) {
      const bool set = ((beat.strobes[static_cast<size_t>(lane / 8)] >> (lane % 8)) & 1) != 0;
      if (set && (lane < low || lane >= high)) {
        Report(cycle, "strobes", fmt::format("W lane {} outside {}..{}", lane, low, high - 1));
        break;
      }
    }
    write_beats_.pop_front();
    ++burst.beats;
    if (last) {
      unanswered_.push_back(burst.address.id);
      writes_.pop_front();
    }
  }
}

void AxiChecker::Finish(uint64_t cycle) {
  if (!reads_.empty()) Report(cycle, "unfinished", fmt::format("{} reads", reads_.size()));
  const size_t writes = writes_.size() + unanswered_.size();
  if (writes != 0) Report(cycle, "unfinished", fmt::format("{} writes", writes));
  if (!write_beats_.empty()) {
    Report(cycle, "unfinished", fmt::format("{} write beats without address", write_beats_.size()));
  }
}

AxiLiteChecker::AxiLiteChecker(const AxiLitePorts& ports, Flag reset)
    : ports_(ports),
      reset_(reset),
      aw_("AW", ports.awvalid, ports.awready, {ports.awaddr}),
      w_("W", ports.wvalid, ports.wready, {ports.wdata, ports.wstrb}),
      b_("B", ports.bvalid, ports.bready, {ports.bresp}),
      ar_("AR", ports.arvalid, ports.arready, {ports.araddr}),
      r_("R", ports.rvalid, ports.rready, {ports.rdata, ports.rresp}) {}

void AxiLiteChecker::Reset() {
  violations_.clear();
  addresses_ = data_ = reads_ = 0;
  for (AxiChannelWatch* watch : {&aw_, &w_, &b_, &ar_, &r_}) watch->Reset();
}

void AxiLiteChecker::Sample(uint64_t cycle) {
  const bool in_reset = !reset_;
  if (in_reset) addresses_ = data_ = reads_ = 0;
  auto report = [&](const char* rule, const char* detail) {
    violations_.push_back({cycle, rule, detail});
  };
  constexpr auto kExclusive = static_cast<uint64_t>(AxiResponse::kExclusiveOkay);
  // B needs address and data, R needs an address, and valid may not come before: so even an
  // untaken response counts.
  if (!in_reset && ports_.bvalid && (addresses_ == 0 || data_ == 0)) {
    report("response-without-request", "B");
  }
  if (!in_reset && ports_.rvalid && reads_ == 0) {
    report("response-without-request", "R");
  }
  if (b_.Sample(cycle, in_reset, violations_)) {
    if (ports_.bresp.Get() == kExclusive) report("response-code", "B EXOKAY");
    if (addresses_ > 0) --addresses_;
    if (data_ > 0) --data_;
  }
  if (r_.Sample(cycle, in_reset, violations_)) {
    if (ports_.rresp.Get() == kExclusive) report("response-code", "R EXOKAY");
    if (reads_ > 0) --reads_;
  }
  if (aw_.Sample(cycle, in_reset, violations_)) ++addresses_;
  if (w_.Sample(cycle, in_reset, violations_)) ++data_;
  if (ar_.Sample(cycle, in_reset, violations_)) ++reads_;
}

void AxiLiteChecker::Finish(uint64_t cycle) {
  if (addresses_ != 0 || data_ != 0 || reads_ != 0) {
    violations_.push_back({cycle, "unfinished",
                           fmt::format("{} write addresses, {} write data, {} reads unanswered",
                                       addresses_, data_, reads_)});
  }
}

}  // namespace edgebert::cosim
