// The fields of the registers of golden/spec/register_map.h, for documents and drivers.
#pragma once

#include <array>

namespace edgebert::spec {

/// A part of a register that means something by itself. A register that is not listed is one value.
struct RegisterField {
  const char* reg;
  const char* name;
  int lsb;
  int bits;
  const char* description;
};

inline constexpr std::array kRegisterFields = {
    RegisterField{"SHAPE", "N", 0, 8, "VMACs, and lanes of each"},
    RegisterField{"SHAPE", "WIDTH", 8, 4, "bits of a code"},
    RegisterField{"SHAPE", "EXPONENT", 12, 4, "exponent bits of a code"},
    RegisterField{"SHAPE", "SEQ_LEN", 16, 16, "largest sequence length"},
    RegisterField{"CONTROL", "START", 0, 1, "runs a sentence"},
    RegisterField{"CONTROL", "ABORT", 1, 1, "ends what runs"},
    RegisterField{"CONTROL", "LOAD", 2, 1, "loads the program, and the resident weights"},
    RegisterField{"STATUS", "BUSY", 0, 1, "a command runs"},
    RegisterField{"STATUS", "DONE", 1, 1, "the last command ended well"},
    RegisterField{"STATUS", "ERROR", 2, 1, "the last command ended with ERROR"},
    RegisterField{"STATUS", "LOADED", 3, 1, "a program is loaded"},
    RegisterField{"STATUS", "ABORTED", 4, 1, "the last command was aborted"},
    RegisterField{"STATUS", "RESIDENT", 5, 1, "weights are resident"},
    RegisterField{"ERROR", "CODE", 0, 8, "error code"},
    RegisterField{"ERROR", "DETAIL", 8, 24, "detail of the code"},
    RegisterField{"IRQ_ENABLE", "DONE", 0, 1, "interrupt when done"},
    RegisterField{"IRQ_ENABLE", "ERROR", 1, 1, "interrupt on an error"},
    RegisterField{"IRQ_ENABLE", "ABORTED", 2, 1, "interrupt when aborted"},
    RegisterField{"IRQ_ENABLE", "TIMEOUT", 3, 1, "interrupt by the watchdog"},
    RegisterField{"IRQ_STATUS", "DONE", 0, 1, "done"},
    RegisterField{"IRQ_STATUS", "ERROR", 1, 1, "ended with an error"},
    RegisterField{"IRQ_STATUS", "ABORTED", 2, 1, "aborted"},
    RegisterField{"IRQ_STATUS", "TIMEOUT", 3, 1, "a command took more than WATCHDOG cycles"},
    RegisterField{"SATURATION", "SATURATED", 0, 1, "accumulator saturated in this sentence"},
};

}  // namespace edgebert::spec
