// The pins of an AXI4 master and of an AXI4-Lite slave (AMBA AXI, IHI 0022).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cosim/sim/dut.h"

namespace edgebert::cosim {

enum class AxiResponse : uint8_t {
  kOkay = 0,
  kExclusiveOkay = 1,
  kSlaveError = 2,
  kDecodeError = 3
};
enum class AxiBurst : uint8_t { kFixed = 0, kIncrement = 1, kWrap = 2 };

/// Address channel of a full AXI4 interface (AR or AW).
struct AxiAddressPorts {
  Flag valid, ready;
  Port addr, len, size, burst;
  std::optional<Port> id;
};
struct AxiReadPorts {
  AxiAddressPorts ar;
  Flag rvalid, rready;
  Port rdata, rresp, rlast;
  std::optional<Port> rid;
};
struct AxiWritePorts {
  AxiAddressPorts aw;
  Flag wvalid, wready;
  Port wdata, wstrb, wlast;
  Flag bvalid, bready;
  Port bresp;
  std::optional<Port> bid;
};

/// One half may be missing: a read-only or write-only master.
struct AxiPorts {
  std::optional<AxiReadPorts> read;
  std::optional<AxiWritePorts> write;

  /// Finds `<prefix>arvalid` and so on, with or without the suffixes _i and _o.
  static AxiPorts Bind(const Dut& dut, const std::string& prefix = "m_axi_");
};

struct AxiLitePorts {
  Flag awvalid, awready, wvalid, wready, bvalid, bready, arvalid, arready, rvalid, rready;
  Port awaddr, wdata, wstrb, bresp, araddr, rdata, rresp;

  static AxiLitePorts Bind(const Dut& dut, const std::string& prefix = "s_axil_");
};

/// What an address channel transfers.
struct AxiAddress {
  uint64_t addr = 0;
  int len = 0;   ///< beats - 1
  int size = 0;  ///< log2 of the bytes of a beat
  AxiBurst burst = AxiBurst::kIncrement;
  uint64_t id = 0;

  [[nodiscard]] int Beats() const { return len + 1; }
  /// Address of beat `index` (the specification's pseudocode: the first may be unaligned).
  [[nodiscard]] uint64_t BeatAddress(int index) const;

  static AxiAddress Read(const AxiAddressPorts& ports);
};

}  // namespace edgebert::cosim
