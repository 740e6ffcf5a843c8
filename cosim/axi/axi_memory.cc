#include "cosim/axi/axi_memory.h"

#include <algorithm>

namespace edgebert::cosim {
namespace {

constexpr size_t kWriteBeatsAhead = 16;  // write data taken before its address

}  // namespace

AxiMemory::AxiMemory(const AxiPorts& ports, const AxiMemoryOptions& options)
    : ports_(ports), options_(options), random_(options.seed) {
  EB_CHECK(options.stalls >= 0 && options.stalls < 1, "stalls {}", options.stalls);
  EB_CHECK(options.outstanding > 0, "outstanding {}", options.outstanding);
  Reset();
}

void AxiMemory::Reset() {
  reads_.clear();
  writes_.clear();
  write_beats_.clear();
  responses_.clear();
  read_presented_ = false;
  response_presented_ = false;
  writes_rest_ = false;
  if (ports_.read) {
    ports_.read->ar.ready.Set(false);
    ports_.read->rvalid.Set(false);
  }
  if (ports_.write) {
    ports_.write->aw.ready.Set(false);
    ports_.write->wready.Set(false);
    ports_.write->bvalid.Set(false);
  }
}

void AxiMemory::Insert(Region region) {
  for (const Region& other : regions_) {
    EB_CHECK(region.base + region.bytes.size() <= other.base ||
                 other.base + other.bytes.size() <= region.base,
             "regions at {:#x} and {:#x} overlap", region.base, other.base);
  }
  regions_.push_back(region);
}

const AxiMemory::Region* AxiMemory::Find(uint64_t address) const {
  for (const Region& region : regions_) {
    if (address >= region.base && address - region.base < region.bytes.size()) return &region;
  }
  return nullptr;
}

uint64_t AxiMemory::ReadyCycle(uint64_t cycle) {
  const int jitter = options_.latency_jitter > 0 ? random_.Between(0, options_.latency_jitter) : 0;
  return cycle + static_cast<uint64_t>(std::max(1, options_.latency + jitter));
}

AxiResponse AxiMemory::Injected(bool write, uint64_t address, uint64_t burst) const {
  for (const AxiFault& fault : faults_) {
    if (fault.write == write && address >= fault.first_address && address <= fault.last_address &&
        fault.burst.value_or(burst) == burst) {
      return fault.response;
    }
  }
  return AxiResponse::kOkay;
}

bool AxiMemory::Idle() const {
  return reads_.empty() && writes_.empty() && write_beats_.empty() && responses_.empty();
}

void AxiMemory::Drive(uint64_t cycle) {
  if (ports_.read) DriveRead(cycle);
  if (ports_.write) DriveWrite(cycle);
}

void AxiMemory::DriveRead(uint64_t cycle) {
  AxiReadPorts& pins = *ports_.read;
  const bool room = reads_.size() < static_cast<size_t>(options_.outstanding);
  pins.ar.ready.Set(room && !random_.Chance(options_.stalls));
  if (read_presented_) return;  // valid stays until it is taken
  read_presented_ =
      !reads_.empty() && cycle >= reads_.front().ready_cycle && !random_.Chance(options_.stalls);
  pins.rvalid.Set(read_presented_);
  if (read_presented_) PresentBeat(reads_.front());
}

void AxiMemory::PresentBeat(const ReadBurst& burst) {
  AxiReadPorts& pins = *ports_.read;
  const auto bus_bytes = static_cast<uint64_t>(pins.rdata.bits() / 8);
  const uint64_t address = burst.address.BeatAddress(burst.beat);
  const uint64_t word = address & ~(bus_bytes - 1);
  AxiResponse response = Injected(false, address, burst.index);
  const Region* region = Find(address);
  pins.rdata.Clear();
  if (region == nullptr) {
    ++traffic_.unmapped;
    response = AxiResponse::kDecodeError;
  } else if (word >= region->base && word - region->base + bus_bytes <= region->bytes.size()) {
    pins.rdata.SetBytes(region->bytes.subspan(word - region->base, bus_bytes));
  } else {
    // The region's edge is inside the word.
    for (uint64_t lane = 0; lane < bus_bytes; ++lane) {
      const uint64_t at = word + lane;
      if (at < region->base || at - region->base >= region->bytes.size()) continue;
      pins.rdata.SetBits(static_cast<int>(8 * lane), 8, region->bytes[at - region->base]);
    }
  }
  pins.rresp.Set(static_cast<uint64_t>(response));
  pins.rlast.Set(burst.beat == burst.address.len);
  if (pins.rid) pins.rid->Set(burst.address.id);
}

void AxiMemory::DriveWrite(uint64_t cycle) {
  if (writes_rest_) return;
  AxiWritePorts& pins = *ports_.write;
  const size_t open = writes_.size() + responses_.size();
  pins.aw.ready.Set(open < static_cast<size_t>(options_.outstanding) &&
                    !random_.Chance(options_.stalls));
  pins.wready.Set(write_beats_.size() < kWriteBeatsAhead && !random_.Chance(options_.stalls));
  if (response_presented_) return;
  response_presented_ = !responses_.empty() && cycle >= responses_.front().ready_cycle &&
                        !random_.Chance(options_.stalls);
  pins.bvalid.Set(response_presented_);
  writes_rest_ = open == 0 && write_beats_.empty() && options_.stalls == 0;
  if (!response_presented_) return;
  pins.bresp.Set(static_cast<uint64_t>(responses_.front().response));
  if (pins.bid) pins.bid->Set(responses_.front().id);
}

void AxiMemory::Sample(uint64_t cycle) {
  if (ports_.read) {
    const AxiReadPorts& pins = *ports_.read;
    if (pins.rvalid && pins.rready) {
      ++traffic_.read_beats;
      read_presented_ = false;
      ReadBurst& burst = reads_.front();
      if (burst.beat == burst.address.len) {
        reads_.pop_front();
      } else {
        ++burst.beat;
      }
    }
    if (pins.ar.valid && pins.ar.ready) {
      reads_.push_back({AxiAddress::Read(pins.ar), traffic_.read_bursts++, ReadyCycle(cycle)});
    }
  }
  if (ports_.write) {
    const AxiWritePorts& pins = *ports_.write;
    writes_rest_ = writes_rest_ && !pins.aw.valid && !pins.wvalid;
    if (writes_rest_) return;
    if (pins.bvalid && pins.bready) {
      response_presented_ = false;
      responses_.pop_front();
    }
    if (pins.aw.valid && pins.aw.ready) {
      writes_.push_back({AxiAddress::Read(pins.aw), traffic_.write_bursts++});
    }
    if (pins.wvalid && pins.wready) {
      ++traffic_.write_beats;
      const auto data = pins.wdata.Bytes();
      const auto strobes = pins.wstrb.Bytes();
      write_beats_.push_back({{data.begin(), data.end()}, {strobes.begin(), strobes.end()}});
    }
    ApplyWrites(cycle);
  }
}

void AxiMemory::ApplyWrites(uint64_t cycle) {
  while (!writes_.empty() && !write_beats_.empty()) {
    WriteBurst& burst = writes_.front();
    ApplyBeat(burst, write_beats_.front());
    write_beats_.pop_front();
    if (burst.beat == burst.address.len) {
      responses_.push_back({burst.address.id, burst.response, ReadyCycle(cycle)});
      writes_.pop_front();
    } else {
      ++burst.beat;
    }
  }
}

void AxiMemory::ApplyBeat(WriteBurst& burst, const WriteBeat& beat) {
  const auto bus_bytes = static_cast<uint64_t>(ports_.write->wdata.bits() / 8);
  const uint64_t address = burst.address.BeatAddress(burst.beat);
  const uint64_t word = address & ~(bus_bytes - 1);
  AxiResponse response = Injected(true, address, burst.index);
  if (Find(address) == nullptr) {
    ++traffic_.unmapped;
    response = AxiResponse::kDecodeError;
  }
  if (response == AxiResponse::kOkay) {
    for (uint64_t lane = 0; lane < bus_bytes; ++lane) {
      if (((beat.strobes[lane / 8] >> (lane % 8)) & 1) == 0) continue;
      const uint64_t at = word + lane;
      const Region* region = Find(at);
      if (region == nullptr || region->writable.empty()) {
        response = AxiResponse::kSlaveError;
      } else {
        region->writable[at - region->base] = beat.data[lane];
      }
    }
  }
  if (burst.response == AxiResponse::kOkay) burst.response = response;
}

}  // namespace edgebert::cosim
