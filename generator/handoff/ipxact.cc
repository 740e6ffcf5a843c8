#include "generator/handoff/ipxact.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "generator/handoff/register_documents.h"
#include "generator/units/top.h"
#include "golden/spec/register_fields.h"
#include "golden/spec/register_map.h"

namespace edgebert::gen {
namespace {

using spec::Access;

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '&') {
      escaped += "&amp;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

const char* AccessName(Access access) {
  switch (access) {
    case Access::kReadOnly:
      return "read-only";
    case Access::kWriteOnly:
      return "write-only";
    case Access::kReadWrite:
    case Access::kAlwaysWritable:
    case Access::kWriteOneClear:
      return "read-write";
  }
  return "";
}

/// A register of 32 bits; without fields of its own it has one, VALUE.
std::string Register(const spec::Register& r, std::optional<uint32_t> reset, int count = 1) {
  const auto field = [&](const char* name, std::string_view description, int lsb, int bits) {
    const uint64_t mask = (uint64_t{1} << bits) - 1;
    return fmt::format(
        "          <ipxact:field>\n"
        "            <ipxact:name>{}</ipxact:name>\n"
        "            <ipxact:description>{}</ipxact:description>\n"
        "            <ipxact:bitOffset>{}</ipxact:bitOffset>\n"
        "{}"
        "            <ipxact:bitWidth>{}</ipxact:bitWidth>\n"
        "            <ipxact:access>{}</ipxact:access>\n"
        "{}"
        "          </ipxact:field>\n",
        name, Escaped(description), lsb,
        reset ? fmt::format("            <ipxact:resets><ipxact:reset><ipxact:value>0x{:X}"
                            "</ipxact:value></ipxact:reset></ipxact:resets>\n",
                            (*reset >> lsb) & mask)
              : "",
        bits, AccessName(r.access),
        r.access == Access::kWriteOneClear
            ? "            <ipxact:modifiedWriteValue>oneToClear</ipxact:modifiedWriteValue>\n"
            : "");
  };
  std::string fields;
  for (const spec::RegisterField& f : spec::kRegisterFields) {
    if (std::string_view(f.reg) == r.name) fields += field(f.name, f.description, f.lsb, f.bits);
  }
  if (fields.empty()) fields = field("VALUE", r.description, 0, 32);
  return fmt::format(
      "        <ipxact:register>\n"
      "          <ipxact:name>{}</ipxact:name>\n"
      "          <ipxact:description>{}</ipxact:description>\n"
      "{}"
      "          <ipxact:addressOffset>0x{:X}</ipxact:addressOffset>\n"
      "          <ipxact:size>32</ipxact:size>\n"
      "          <ipxact:volatile>{}</ipxact:volatile>\n"
      "          <ipxact:access>{}</ipxact:access>\n"
      "{}"
      "        </ipxact:register>\n",
      r.name, Escaped(r.description),
      count > 1 ? fmt::format("          <ipxact:dim>{}</ipxact:dim>\n", count) : "", r.offset,
      r.access == Access::kReadOnly || r.access == Access::kWriteOneClear, AccessName(r.access),
      fields);
}

/// The value after reset, where the hardware fixes one.
std::optional<uint32_t> Reset(const spec::Register& r, const spec::AcceleratorConfig& config) {
  const std::string_view name = r.name;
  if (name == "IDENTITY") return spec::kIdentity;
  if (name == "VERSION") return spec::kRegisterMapVersion;
  if (name == "CONFIG_HASH") return spec::ConfigHash(config);
  if (name == "SHAPE") return ShapeValue(config);
  // Of the last sentence; nothing before the first.
  if (name == "EXIT_LAYER" || name == "PREDICTION" || name == "ENTROPY") return std::nullopt;
  return 0;
}

std::string Registers(const spec::AcceleratorConfig& config) {
  std::string text;
  for (const spec::Register& r : spec::kRegisters) text += Register(r, Reset(r, config));
  uint32_t offset = spec::kCounterBase;
  for (const spec::Counter& counter : spec::kCounters) {
    const std::string low = fmt::format("COUNTER_{}", counter.name);
    const std::string high = low + "_HIGH";
    const std::string above = std::string(counter.description) + ", bits 63:32";
    text += Register({low.c_str(), offset, Access::kReadOnly, counter.description}, std::nullopt);
    text += Register({high.c_str(), offset + 4, Access::kReadOnly, above.c_str()}, std::nullopt);
    offset += 8;
  }
  return text + Register({"LOGITS", spec::kLogitBase, Access::kReadOnly,
                          "logit of a class, sign-extended Q10.16"},
                         std::nullopt, config.model.classes);
}

std::string Ports(const spec::AcceleratorConfig& config) {
  const vlog::Module top = EmitTop(config);
  std::string text;
  for (const vlog::Port& port : top.ports()) {
    text += fmt::format(
        "      <ipxact:port>\n"
        "        <ipxact:name>{}</ipxact:name>\n"
        "        <ipxact:wire>\n"
        "          <ipxact:direction>{}</ipxact:direction>\n"
        "{}"
        "        </ipxact:wire>\n"
        "      </ipxact:port>\n",
        port.name, port.direction == vlog::Direction::kInput ? "in" : "out",
        port.width.empty()
            ? ""
            : fmt::format("          <ipxact:vectors><ipxact:vector><ipxact:left>{}</ipxact:left>"
                          "<ipxact:right>0</ipxact:right></ipxact:vector></ipxact:vectors>\n",
                          std::stoi(port.width) - 1));
  }
  return text;
}

}  // namespace

std::string IpXact(const spec::AcceleratorConfig& config) {
  return fmt::format(R"(<?xml version="1.0" encoding="UTF-8"?>
<ipxact:component xmlns:ipxact="http://www.accellera.org/XMLSchema/IPXACT/1685-2014">
  <ipxact:vendor>edgebert-rtl</ipxact:vendor>
  <ipxact:library>accelerators</ipxact:library>
  <ipxact:name>eb_top</ipxact:name>
  <ipxact:version>{}</ipxact:version>
  <ipxact:memoryMaps>
    <ipxact:memoryMap>
      <ipxact:name>s_axil</ipxact:name>
      <ipxact:addressBlock>
        <ipxact:name>registers</ipxact:name>
        <ipxact:baseAddress>0x0</ipxact:baseAddress>
        <ipxact:range>0x{:X}</ipxact:range>
        <ipxact:width>32</ipxact:width>
        <ipxact:usage>register</ipxact:usage>
{}      </ipxact:addressBlock>
      <ipxact:addressUnitBits>8</ipxact:addressUnitBits>
    </ipxact:memoryMap>
  </ipxact:memoryMaps>
  <ipxact:model>
    <ipxact:ports>
{}    </ipxact:ports>
  </ipxact:model>
  <ipxact:description>EdgeBERT accelerator, configuration 0x{:08X}</ipxact:description>
</ipxact:component>
)",
                     spec::kRegisterMapVersion, spec::kRegisterWindowBytes, Registers(config),
                     Ports(config), spec::ConfigHash(config));
}

}  // namespace edgebert::gen
