#include "cosim/axi/axi_lite_master.h"

namespace edgebert::cosim {

AxiLiteMaster::AxiLiteMaster(const AxiLitePorts& ports, const AxiLiteOptions& options)
    : ports_(ports),
      options_(options),
      random_(options.seed),
      aw_{ports.awvalid, ports.awready},
      w_{ports.wvalid, ports.wready},
      ar_{ports.arvalid, ports.arready} {
  Reset();
}

void AxiLiteMaster::Reset() {
  for (Request* request : {&aw_, &w_, &ar_}) request->pending = request->shown = false;
  busy_ = at_rest_ = false;
  for (Flag* pin :
       {&ports_.awvalid, &ports_.wvalid, &ports_.bready, &ports_.arvalid, &ports_.rready}) {
    pin->Set(false);
  }
}

AxiLiteReply AxiLiteMaster::Read(Bench& bench, uint32_t address) {
  ports_.araddr.SetBits(0, ports_.araddr.bits(), address);
  ar_.pending = true;
  reading_ = true;
  return Wait(bench);
}

AxiLiteReply AxiLiteMaster::Write(Bench& bench, uint32_t address, uint32_t data, uint32_t strobes) {
  ports_.awaddr.SetBits(0, ports_.awaddr.bits(), address);
  ports_.wdata.Set(data);
  ports_.wstrb.Set(strobes);
  aw_.pending = true;
  w_.pending = true;
  reading_ = false;
  return Wait(bench);
}

AxiLiteReply AxiLiteMaster::Wait(Bench& bench) {
  EB_CHECK(!busy_, "one access at a time");
  busy_ = true;
  at_rest_ = false;
  reply_ = {};
  bench.RunUntil([&] { return reply_.finished; }, options_.cycle_limit);
  busy_ = false;
  return reply_;
}

void AxiLiteMaster::DriveRequest(Request& request) {
  if (request.pending && !request.shown) request.shown = !random_.Chance(options_.stalls);
  request.valid.Set(request.shown);
}

void AxiLiteMaster::Drive(uint64_t /*cycle*/) {
  if (at_rest_) return;
  at_rest_ = !busy_ && !aw_.pending && !w_.pending && !ar_.pending;
  DriveRequest(aw_);
  DriveRequest(w_);
  DriveRequest(ar_);
  const bool ready = busy_ && !random_.Chance(options_.stalls);
  ports_.bready.Set(ready && !reading_);
  ports_.rready.Set(ready && reading_);
}

void AxiLiteMaster::SampleRequest(Request& request) {
  if (request.shown && request.ready) request.pending = request.shown = false;
}

void AxiLiteMaster::Sample(uint64_t /*cycle*/) {
  if (at_rest_) return;
  SampleRequest(aw_);
  SampleRequest(w_);
  SampleRequest(ar_);
  if (ports_.bready && ports_.bvalid) {
    reply_ = {true, static_cast<AxiResponse>(ports_.bresp.Get()), 0};
  }
  if (ports_.rready && ports_.rvalid) {
    reply_ = {true, static_cast<AxiResponse>(ports_.rresp.Get()),
              static_cast<uint32_t>(ports_.rdata.Get())};
  }
}

}  // namespace edgebert::cosim
