// eb_clock_gate and eb_unit_clock: clocks that stop (docs/architecture.md, "Clocks").
#pragma once

#include "generator/vlog/module.h"

namespace edgebert::gen {

/// Stands for the integrated clock gate of a cell library.
vlog::Module EmitClockGate();

/// The clock of a unit: runs while the unit is awake and a cycle longer.
vlog::Module EmitUnitClock();

}  // namespace edgebert::gen
