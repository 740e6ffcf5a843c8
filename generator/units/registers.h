// eb_registers: the AXI4-Lite slave, emitted from golden/spec/register_map.h.
#pragma once

#include <string>
#include <string_view>

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Parameters: ConfigHash, Lanes, CodeW, ExpW, MaxRows, MaxClasses. The events of the counters are
/// inputs `count_<name>_i`, the configuration registers outputs `<name>_o`, names in lower case.
vlog::Module EmitRegisters();

/// Width of the event input of a counter: "" for one event a cycle at most, else an expression over
/// the parameters of eb_registers.
[[nodiscard]] std::string CounterEventWidth(std::string_view counter_name);

/// The name of a register or counter in lower case, as in the Verilog.
[[nodiscard]] std::string LowerCase(std::string_view name);

}  // namespace edgebert::gen
