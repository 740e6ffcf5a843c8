#include "cosim/axi/axi_ports.h"

namespace edgebert::cosim {
namespace {

std::optional<Port> FindPin(const Dut& dut, const std::string& name) {
  for (const char* suffix : {"", "_i", "_o"}) {
    if (auto port = dut.Find(name + suffix)) return port;
  }
  return std::nullopt;
}

Port Pin(const Dut& dut, const std::string& name) {
  const auto port = FindPin(dut, name);
  return port ? *port : dut.Get(name);  // Get stops with the list of names
}

AxiAddressPorts BindAddress(const Dut& dut, const std::string& prefix) {
  return {.valid = Pin(dut, prefix + "valid"),
          .ready = Pin(dut, prefix + "ready"),
          .addr = Pin(dut, prefix + "addr"),
          .len = Pin(dut, prefix + "len"),
          .size = Pin(dut, prefix + "size"),
          .burst = Pin(dut, prefix + "burst"),
          .id = FindPin(dut, prefix + "id")};
}

}  // namespace

AxiPorts AxiPorts::Bind(const Dut& dut, const std::string& prefix) {
  AxiPorts ports;
  if (FindPin(dut, prefix + "arvalid")) {
    ports.read = AxiReadPorts{.ar = BindAddress(dut, prefix + "ar"),
                              .rvalid = Pin(dut, prefix + "rvalid"),
                              .rready = Pin(dut, prefix + "rready"),
                              .rdata = Pin(dut, prefix + "rdata"),
                              .rresp = Pin(dut, prefix + "rresp"),
                              .rlast = Pin(dut, prefix + "rlast"),
                              .rid = FindPin(dut, prefix + "rid")};
  }
  if (FindPin(dut, prefix + "awvalid")) {
    ports.write = AxiWritePorts{.aw = BindAddress(dut, prefix + "aw"),
                                .wvalid = Pin(dut, prefix + "wvalid"),
                                .wready = Pin(dut, prefix + "wready"),
                                .wdata = Pin(dut, prefix + "wdata"),
                                .wstrb = Pin(dut, prefix + "wstrb"),
                                .wlast = Pin(dut, prefix + "wlast"),
                                .bvalid = Pin(dut, prefix + "bvalid"),
                                .bready = Pin(dut, prefix + "bready"),
                                .bresp = Pin(dut, prefix + "bresp"),
                                .bid = FindPin(dut, prefix + "bid")};
  }
  return ports;
}

AxiLitePorts AxiLitePorts::Bind(const Dut& dut, const std::string& prefix) {
  auto pin = [&](const char* name) { return Pin(dut, prefix + name); };
  return {.awvalid = pin("awvalid"),
          .awready = pin("awready"),
          .wvalid = pin("wvalid"),
          .wready = pin("wready"),
          .bvalid = pin("bvalid"),
          .bready = pin("bready"),
          .arvalid = pin("arvalid"),
          .arready = pin("arready"),
          .rvalid = pin("rvalid"),
          .rready = pin("rready"),
          .awaddr = pin("awaddr"),
          .wdata = pin("wdata"),
          .wstrb = pin("wstrb"),
          .bresp = pin("bresp"),
          .araddr = pin("araddr"),
          .rdata = pin("rdata"),
          .rresp = pin("rresp")};
}

uint64_t AxiAddress::BeatAddress(int index) const {
  const uint64_t bytes = uint64_t{1} << size;
  if (burst == AxiBurst::kFixed || index == 0) return addr;
  const uint64_t next = (addr & ~(bytes - 1)) + bytes * static_cast<uint64_t>(index);
  if (burst == AxiBurst::kIncrement) return next;
  const uint64_t window = bytes * static_cast<uint64_t>(Beats());
  const uint64_t first = addr / window * window;
  return first + (next - first) % window;
}

AxiAddress AxiAddress::Read(const AxiAddressPorts& ports) {
  return {.addr = ports.addr.Get(),
          .len = static_cast<int>(ports.len.Get()),
          .size = static_cast<int>(ports.size.Get()),
          .burst = static_cast<AxiBurst>(ports.burst.Get()),
          .id = ports.id ? ports.id->Get() : 0};
}

}  // namespace edgebert::cosim
