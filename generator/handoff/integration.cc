#include "generator/handoff/integration.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "generator/handoff/ipxact.h"
#include "generator/handoff/synthesis.h"
#include "generator/units/top.h"
#include "golden/spec/isa.h"

namespace edgebert::gen {
namespace {

using Json = nlohmann::ordered_json;

/// A module with the ports of eb_top around one instance: to copy from, and to start a chip's own
/// wrapper with.
vlog::Module Template(const spec::AcceleratorConfig& config) {
  const vlog::Module top = EmitTop(config);
  vlog::Module m("eb_top_template", "generator/handoff/integration.cc");
  m.Describe(R"(an instance of eb_top, to copy.

s_axil_*: AXI4-Lite slave, 32 bits. m_axi_*: AXI4 master; connect its signals that a system has and
eb_top has not (lock, qos, region, user) to their defaults. irq_o is a level. rst_ni may fall at any
time and must stay low for two edges of clk_i; give the design four cycles after it rises.)");
  size_t longest = 0;
  for (const vlog::Port& port : top.ports()) {
    longest = std::max(longest, port.name.size());
    if (port.direction == vlog::Direction::kInput) {
      m.Input(port.name, port.width);
    } else {
      m.Output(port.name, port.width);
    }
  }
  std::string connections;
  for (const vlog::Port& port : top.ports()) {
    connections += fmt::format("{}  .{:{}} ({})", connections.empty() ? "" : ",\n", port.name,
                               longest, port.name);
  }
  m.Uses(top).Body("eb_top u_edgebert (\n" + connections + "\n);\n");
  return m;
}

constexpr const char* kDriverHeader =
    R"(/* Driver of eb_top: what a host does, on two functions that reach its registers. C99. */
#ifndef EB_DRIVER_H
#define EB_DRIVER_H

#include <stdint.h>

/* The register window. `context` is passed through. */
struct eb_bus {
  void *context;
  uint32_t (*read)(void *context, uint32_t offset);
  void (*write)(void *context, uint32_t offset, uint32_t value);
};

/* Where a program and its weights are in the memory behind m_axi. */
struct eb_image {
  uint64_t program;
  uint64_t weights;
  uint32_t instructions;
  uint32_t resident_bytes; /* of the weights, to keep on chip; 0: none */
};

struct eb_sentence {
  uint64_t tokens;    /* address of 32-bit token words */
  uint64_t results;   /* address of the result record */
  uint32_t length;    /* tokens */
  uint32_t threshold; /* entropy, unsigned Q16.16; 0: full depth */
};

struct eb_result {
  uint32_t exit_layer;
  uint32_t prediction;
  uint32_t entropy;
  uint64_t cycles;
};

enum {
  EB_DRIVER_OK = 0,
  EB_DRIVER_NOT_OURS = -1, /* another IDENTITY, VERSION or CONFIG_HASH than in eb_registers.h */
  EB_DRIVER_TIMEOUT = -2   /* polled `polls` times in vain; the command was aborted */
};

/* Each returns EB_DRIVER_OK, a negative number above, or an error code of eb_registers.h. STATUS is
   polled at most `polls` times; a system with interrupts waits for irq_o instead. */
int eb_load(const struct eb_bus *bus, const struct eb_image *image, uint32_t polls);
int eb_run(const struct eb_bus *bus, const struct eb_sentence *sentence, uint32_t polls,
           struct eb_result *result);
int32_t eb_logit(const struct eb_bus *bus, uint32_t class_index);

#endif
)";

constexpr const char* kDriver = R"(#include "eb_driver.h"

#include "../eb_registers.h"

static uint32_t get(const struct eb_bus *bus, uint32_t offset) {
  return bus->read(bus->context, offset);
}

static void put(const struct eb_bus *bus, uint32_t offset, uint32_t value) {
  bus->write(bus->context, offset, value);
}

static void put_address(const struct eb_bus *bus, uint32_t low_offset, uint64_t address) {
  put(bus, low_offset, (uint32_t)address);
  put(bus, low_offset + 4u, (uint32_t)(address >> 32));
}

/* Gives a command, waits for its end, and clears what it left in IRQ_STATUS. */
static int command(const struct eb_bus *bus, uint32_t bit, uint32_t polls) {
  uint32_t status;
  put(bus, EB_CONTROL, bit);
  do {
    status = get(bus, EB_STATUS);
  } while ((status & EB_STATUS_BUSY) != 0u && polls-- > 0u);
  if ((status & EB_STATUS_BUSY) != 0u) {
    put(bus, EB_CONTROL, EB_CONTROL_ABORT);
    return EB_DRIVER_TIMEOUT;
  }
  put(bus, EB_IRQ_STATUS, EB_IRQ_STATUS_DONE | EB_IRQ_STATUS_ERROR | EB_IRQ_STATUS_ABORTED |
                              EB_IRQ_STATUS_TIMEOUT);
  if ((status & EB_STATUS_ERROR) != 0u) {
    return (int)((get(bus, EB_ERROR) & EB_ERROR_CODE_MASK) >> EB_ERROR_CODE_SHIFT);
  }
  return EB_DRIVER_OK;
}

int eb_load(const struct eb_bus *bus, const struct eb_image *image, uint32_t polls) {
  if (get(bus, EB_IDENTITY) != EB_IDENTITY_VALUE || get(bus, EB_VERSION) != EB_VERSION_VALUE ||
      get(bus, EB_CONFIG_HASH) != EB_CONFIG_HASH_VALUE) {
    return EB_DRIVER_NOT_OURS;
  }
  put_address(bus, EB_PROGRAM_BASE_LOW, image->program);
  put_address(bus, EB_WEIGHT_BASE_LOW, image->weights);
  put(bus, EB_PROGRAM_LENGTH, image->instructions);
  put(bus, EB_RESIDENT_BYTES, image->resident_bytes);
  return command(bus, EB_CONTROL_LOAD, polls);
}

int eb_run(const struct eb_bus *bus, const struct eb_sentence *sentence, uint32_t polls,
           struct eb_result *result) {
  int code;
  put_address(bus, EB_TOKEN_BASE_LOW, sentence->tokens);
  put_address(bus, EB_RESULT_BASE_LOW, sentence->results);
  put(bus, EB_LENGTH, sentence->length);
  put(bus, EB_THRESHOLD, sentence->threshold);
  code = command(bus, EB_CONTROL_START, polls);
  if (code != EB_DRIVER_OK) return code;
  result->exit_layer = get(bus, EB_EXIT_LAYER);
  result->prediction = get(bus, EB_PREDICTION);
  result->entropy = get(bus, EB_ENTROPY);
  result->cycles = get(bus, EB_COUNTER_CYCLES);
  result->cycles |= (uint64_t)get(bus, EB_COUNTER_CYCLES + 4u) << 32;
  return EB_DRIVER_OK;
}

int32_t eb_logit(const struct eb_bus *bus, uint32_t class_index) {
  return (int32_t)get(bus, EB_LOGITS + 4u * class_index);
}
)";

struct Domain {
  const char* name;
  const char* what;
  std::vector<std::string> elements;
};

/// Every unit of eb_top but for those of the domain that is always on.
std::vector<Domain> Domains(const spec::AcceleratorConfig& config) {
  std::vector<Domain> domains = {
      {"PD_ARRAY", "matrix products: array, accumulators, post-processor", {"u_matmul"}},
      {"PD_SFU",
       "softmax, LayerNorm, off-ramp and entropy, embedding sums",
       {"u_softmax", "u_layer_norm", "u_exit", "u_embedding"}},
      {"PD_MEMORY", "activation and score memory", {"u_activation_memory", "u_score_memory"}},
      {"PD_RERAM",
       "embedding memory, which keeps its cells without supply",
       {"u_reram_ctrl", "u_reram_macro"}},
  };
  if (config.memory.resident_kib > 0) {
    domains[2].elements.emplace_back("g_resident.u_resident_weights");
  }
  return domains;
}

std::string PowerIntent(const spec::AcceleratorConfig& config) {
  std::string text = R"(# Power intent of eb_top, IEEE 1801-2013 (UPF 2.1).
#
# What it assumes, and what the RTL has:
# - PD_AON is eb_top itself with registers, sequencer, AXI reader and writer, weight stream, reset
#   and clock gates: whatever is not named below. It is always on.
# - The other domains may be off while STATUS.busy is 0. The RTL has no power controller, no retention,
#   no isolation cell, no isolation or switch control and no reset of a single domain. The controls
#   below are logic ports that this file adds: the system drives them.
# - After a domain has been off, rst_ni must be asserted, which resets PD_AON too: then LOAD again.
#   Only the ReRAM keeps its contents.
# - Clocks: eb_clock_gate stops those of softmax, LayerNorm, off-ramp, embedding with ReRAM and
#   post-processor while they are idle. Other registers have enables that a tool can turn into gates.
upf_version 2.1
set_design_top eb_top

create_supply_port VDD
create_supply_port VSS
create_supply_net VDD
create_supply_net VSS
connect_supply_net VDD -ports {VDD}
connect_supply_net VSS -ports {VSS}
create_supply_set SS_AON -function {power VDD} -function {ground VSS}
create_power_domain PD_AON -include_scope -supply {primary SS_AON}
)";
  for (const Domain& domain : Domains(config)) {
    const std::string name = domain.name;
    const std::string suffix = name.substr(3);
    text += fmt::format(R"(
# {1}
create_supply_net VDD_{0}
create_supply_set SS_{0} -function {{power VDD_{0}}} -function {{ground VSS}}
create_power_domain {2} -elements {{{3}}} -supply {{primary SS_{0}}}
create_logic_port on_{0} -direction in
create_logic_port isolate_{0} -direction in
create_logic_net on_{0}
create_logic_net isolate_{0}
connect_logic_net on_{0} -ports {{on_{0}}}
connect_logic_net isolate_{0} -ports {{isolate_{0}}}
create_power_switch sw_{0} -domain {2} \
  -input_supply_port {{in VDD}} -output_supply_port {{out VDD_{0}}} \
  -control_port {{control on_{0}}} -on_state {{on in {{control}}}} -off_state {{off {{!control}}}}
set_isolation iso_{0} -domain {2} -applies_to outputs -clamp_value 0 \
  -isolation_supply_set SS_AON -isolation_signal isolate_{0} -isolation_sense high -location parent
)",
                        suffix, domain.what, name, fmt::join(domain.elements, " "));
  }
  return text;
}

std::string OpenRoad(const std::vector<std::string>& files) {
  std::string list;
  for (const std::string& file : files) list += " \\\n  $(EB_DIR)/" + file;
  return R"(# OpenROAD-flow-scripts: make DESIGN_CONFIG=<this file>
# Not run here: the memories are black boxes, and ADDITIONAL_LEFS and ADDITIONAL_LIBS must be those of
# your compiled macros before a floorplan can be made.
EB_DIR := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)

export DESIGN_NAME = eb_top
export DESIGN_NICKNAME = edgebert
export PLATFORM ?= sky130hd

export VERILOG_FILES =)" +
         list + R"(
export SDC_FILE = $(EB_DIR)/eb_top.sdc
export ADDITIONAL_LIBS = $(EB_DIR)/synthesis/macros.lib
export ADDITIONAL_LEFS ?=

export SYNTH_HIERARCHICAL = 1
export CORE_UTILIZATION ?= 40
export PLACE_DENSITY ?= 0.60
)";
}

std::string LibreLane(const std::vector<std::string>& files) {
  Json list = Json::array();
  for (const std::string& file : files) {
    if (file != kMacroStubs) list.push_back("dir::../" + file);
  }
  const Json config = {
      {"meta", {{"version", 2}}},
      {"DESIGN_NAME", "eb_top"},
      {"VERILOG_FILES", list},
      {"EXTRA_VERILOG_MODELS", {std::string("dir::../") + kMacroStubs}},
      {"EXTRA_LIBS", {"dir::../synthesis/macros.lib"}},
      {"CLOCK_PORT", "clk_i"},
      {"CLOCK_PERIOD", kDefaultClockPeriod},
      {"PNR_SDC_FILE", "dir::../eb_top.sdc"},
      {"SIGNOFF_SDC_FILE", "dir::../eb_top.sdc"},
      {"SYNTH_HIERARCHY_MODE", "deferred_flatten"},
      {"FP_CORE_UTIL", 40},
  };
  return config.dump(2) + "\n";
}

}  // namespace

FileSet EmitIntegration(const spec::AcceleratorConfig& config,
                        const std::vector<std::string>& synthesis_files) {
  FileSet files;
  files.Add("integration/eb_top_template.v", Template(config).Emit());
  files.Add("integration/eb_driver.h", kDriverHeader);
  files.Add("integration/eb_driver.c", kDriver);
  files.Add("eb_top.ipxact.xml", IpXact(config));
  files.Add("eb_top.upf", PowerIntent(config));
  files.Add("openroad/config.mk", OpenRoad(synthesis_files));
  files.Add("librelane/config.json", LibreLane(synthesis_files));
  return files;
}

}  // namespace edgebert::gen
