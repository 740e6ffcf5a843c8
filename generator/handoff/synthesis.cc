#include "generator/handoff/synthesis.h"

#include <fmt/format.h>

#include <map>

#include "generator/handoff/file_lists.h"
#include "generator/handoff/memory_list.h"
#include "generator/units/top.h"

namespace edgebert::gen {
namespace {

/// Placeholder timing of a memory macro [ns].
constexpr double kAccess = 2.5;
constexpr double kSetup = 0.5;
constexpr size_t kListColumns = 96;

struct Port {
  const char* name;
  const char* direction;
  int bits;
};

struct Macro {
  std::vector<Port> ports;  // the clock first
  int words = 0;
  int lanes = 0;  // 0: the ReRAM
  int lane_bits = 0;
};

/// By name. One entry serves every instance of its shape.
std::map<std::string, Macro> Macros(const spec::AcceleratorConfig& config) {
  std::map<std::string, Macro> macros;
  for (const MemoryInstance& memory : MemoryList(config)) {
    Macro& macro = macros[memory.macro];
    if (memory.write_enables == 0) {
      macro.ports = {
          {"clk_i", "input", 1},           {"rst_ni", "input", 1},
          {"rr_req_valid_i", "input", 1},  {"rr_req_ready_o", "output", 1},
          {"rr_req_mlc_i", "input", 1},    {"rr_req_addr_i", "input", 32},
          {"rr_rsp_valid_o", "output", 1}, {"rr_rsp_data_o", "output", memory.word_bits}};
      continue;
    }
    const int address_bits = spec::IndexBits(memory.words);
    macro.words = memory.words;
    macro.lanes = memory.write_enables;
    macro.lane_bits = memory.word_bits / memory.write_enables;
    macro.ports = {{"clk_i", "input", 1},
                   {"wr_en_i", "input", memory.write_enables},
                   {"wr_addr_i", "input", address_bits},
                   {"wr_data_i", "input", memory.word_bits},
                   {"rd_en_i", "input", 1},
                   {"rd_addr_i", "input", address_bits},
                   {"rd_data_o", "output", memory.word_bits}};
  }
  if (config.memory.backend == spec::MemoryBackend::kFlop) {
    std::erase_if(macros, [](const auto& entry) { return entry.second.lanes > 0; });
  }
  return macros;
}

std::string Connections(const std::vector<Port>& ports, int indent) {
  std::string text;
  for (const Port& port : ports) {
    text +=
        fmt::format("{}{:{}}.{} ({})", text.empty() ? "" : ",\n", "", indent, port.name, port.name);
  }
  return text;
}

std::string BlackBoxes(const std::map<std::string, Macro>& macros) {
  std::string text =
      "// Black boxes of the memory macros: replace by the views of compiled ones.\n";
  for (const auto& [name, macro] : macros) {
    text += fmt::format("\n(* blackbox *)\nmodule {} (\n", name);
    for (const Port& port : macro.ports) {
      const std::string range = port.bits > 1 ? fmt::format("[{}:0] ", port.bits - 1) : "";
      text += fmt::format("  {} wire {}{}{}\n", port.direction, range, port.name,
                          &port == &macro.ports.back() ? "" : ",");
    }
    text += ");\nendmodule\n";
  }
  return text;
}

std::string SramWrapper(const std::map<std::string, Macro>& macros) {
  std::string branches;
  std::string any;
  const Macro* shape = nullptr;
  for (const auto& [name, macro] : macros) {
    if (macro.lanes == 0) continue;
    shape = &macro;
    const std::string condition = fmt::format("Depth == {} && Lanes == {} && LaneW == {}",
                                              macro.words, macro.lanes, macro.lane_bits);
    branches += fmt::format("    if ({}) begin : g_{}\n      {} u_macro (\n{}\n      );\n    end\n",
                            condition, name.substr(3), name, Connections(macro.ports, 8));
    any += fmt::format("{}({})", any.empty() ? "" : " ||\n          ", condition);
  }
  return fmt::format(
      R"(// eb_sram_1r1w for synthesis: one macro for each shape of memory that eb_top has.
`default_nettype none

module eb_sram_1r1w #(
  parameter Depth   = {},
  parameter Lanes   = {},
  parameter LaneW   = {},
  parameter Backend = 0
) (
  input  wire                     clk_i,
  input  wire [Lanes-1:0]         wr_en_i,
  input  wire [$clog2(Depth)-1:0] wr_addr_i,
  input  wire [Lanes*LaneW-1:0]   wr_data_i,
  input  wire                     rd_en_i,
  input  wire [$clog2(Depth)-1:0] rd_addr_i,
  output wire [Lanes*LaneW-1:0]   rd_data_o
);

  generate
{}    if (!({})) begin : g_no_macro
      ERROR_eb_sram_1r1w_has_no_macro_of_this_shape u_error ();
    end
  endgenerate

endmodule

`default_nettype wire
)",
      shape->words, shape->lanes, shape->lane_bits, branches, any);
}

std::string ReramWrapper(const std::map<std::string, Macro>& macros) {
  std::string text = R"(// eb_reram_macro for synthesis.
`default_nettype none

module eb_reram_macro #(
  parameter WordBits    = 64,
  parameter BitsPerCell = 2,
  parameter ReadLatency = 4,
  parameter SlcWords    = 64,
  parameter MlcWords    = 64,
  parameter Backend     = 0
) (
  input  wire                clk_i,
  input  wire                rst_ni,
  input  wire                rr_req_valid_i,
  output wire                rr_req_ready_o,
  input  wire                rr_req_mlc_i,
  input  wire [31:0]         rr_req_addr_i,
  output wire                rr_rsp_valid_o,
  output wire [WordBits-1:0] rr_rsp_data_o
);

)";
  for (const auto& [name, macro] : macros) {
    if (macro.lanes > 0) continue;
    text += fmt::format("  {} u_macro (\n{}\n  );\n", name, Connections(macro.ports, 4));
  }
  return text + "\nendmodule\n\n`default_nettype wire\n";
}

std::string Arc(const Port& port) {
  if (std::string_view(port.direction) == "output") {
    return fmt::format(
        "timing () {{ related_pin : \"clk_i\"; timing_type : rising_edge;\n"
        "        cell_rise (scalar) {{ values (\"{0}\"); }} cell_fall (scalar) {{ values "
        "(\"{0}\"); }}\n"
        "        rise_transition (scalar) {{ values (\"0.1\"); }}\n"
        "        fall_transition (scalar) {{ values (\"0.1\"); }} }}",
        kAccess);
  }
  return fmt::format(
      "capacitance : 0.02;\n"
      "      timing () {{ related_pin : \"clk_i\"; timing_type : setup_rising;\n"
      "        rise_constraint (scalar) {{ values (\"{0}\"); }}\n"
      "        fall_constraint (scalar) {{ values (\"{0}\"); }} }}",
      kSetup);
}

std::string Liberty(const std::map<std::string, Macro>& macros) {
  std::string text = fmt::format(
      R"(/* Placeholder of the memory macros: {} ns from clock to data, {} ns set-up, no area, no power.
   Nothing here was measured: replace it by the files of a memory compiler. */
library (eb_macros) {{
  delay_model : table_lookup;
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1mA";
  pulling_resistance_unit : "1kohm";
  leakage_power_unit : "1nW";
  capacitive_load_unit (1, pf);
  nom_process : 1;
  nom_temperature : 25;
  nom_voltage : 1.8;
  input_threshold_pct_rise : 50;
  input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50;
  output_threshold_pct_fall : 50;
  slew_lower_threshold_pct_rise : 20;
  slew_lower_threshold_pct_fall : 20;
  slew_upper_threshold_pct_rise : 80;
  slew_upper_threshold_pct_fall : 80;
)",
      kAccess, kSetup);
  std::map<int, bool> widths;
  for (const auto& [name, macro] : macros) {
    for (const Port& port : macro.ports) widths[port.bits] = true;
  }
  for (const auto& [bits, used] : widths) {
    if (bits == 1) continue;
    text += fmt::format(
        "  type (bus_{0}) {{ base_type : array; data_type : bit; bit_width : {0}; bit_from : {1}; "
        "bit_to : 0; }}\n",
        bits, bits - 1);
  }
  for (const auto& [name, macro] : macros) {
    text += fmt::format("  cell ({}) {{\n    area : 0;\n", name);
    for (const Port& port : macro.ports) {
      if (&port == &macro.ports.front()) {
        text += "    pin (clk_i) { direction : input; clock : true; capacitance : 0.05; }\n";
      } else if (std::string_view(port.name) == "rst_ni") {
        text += "    pin (rst_ni) { direction : input; capacitance : 0.02; }\n";
      } else if (port.bits == 1) {
        text += fmt::format("    pin ({}) {{ direction : {}; {} }}\n", port.name, port.direction,
                            Arc(port));
      } else {
        text += fmt::format("    bus ({}) {{ bus_type : bus_{}; direction : {}; {} }}\n", port.name,
                            port.bits, port.direction, Arc(port));
      }
    }
    text += "  }\n";
  }
  return text + "}\n";
}

/// `get_ports` of the ports that an AXI or interrupt signal comes in or goes out by. A pattern also
/// names the bits of a vector.
std::string PortList(const vlog::Module& top, vlog::Direction direction) {
  std::string text;
  std::string line;
  for (const vlog::Port& port : top.ports()) {
    if (port.direction != direction || port.name == "clk_i" || port.name == "rst_ni") continue;
    const std::string name = port.name + (port.width.empty() ? "" : "*");
    if (line.size() + name.size() > kListColumns) {
      text += "\n " + line;
      line.clear();
    }
    line += ' ' + name;
  }
  return "[get_ports {" + text + "\n " + line + "\n}]";
}

std::string Constraints(const vlog::Module& top) {
  return fmt::format(R"(# Constraints of eb_top, in ns and pF.
# The clock period is the CLOCK_PERIOD of the environment, {0:.1f} ns without it.
set period {0:.1f}
if {{[info exists ::env(CLOCK_PERIOD)]}} {{ set period $::env(CLOCK_PERIOD) }}

create_clock -name clk -period $period [get_ports clk_i]
# Jitter, and the skew of a clock tree that is not there yet.
set_clock_uncertainty -setup [expr 0.03 * $period] [get_clocks clk]

# A third of the period belongs to the system at every pin of a bus, and at the interrupt.
set inputs {1}
set outputs {2}
set_input_delay [expr $period / 3.0] -clock clk $inputs
set_output_delay [expr $period / 3.0] -clock clk $outputs
set_input_transition 0.2 $inputs
set_load 0.05 $outputs

# Reset is asserted at any time; u_reset_sync releases it with the clock.
set_input_delay 0 -clock clk [get_ports rst_ni]
set_false_path -from [get_ports rst_ni]
)",
                     kDefaultClockPeriod, PortList(top, vlog::Direction::kInput),
                     PortList(top, vlog::Direction::kOutput));
}

std::string SynthesisScript(const std::vector<std::string>& paths) {
  std::string list;
  for (const std::string& path : paths) list += "  " + path + '\n';
  return R"(# Yosys: eb_top on the cells of a liberty file, module by module.
#   yosys -c synthesis/synth.tcl        from anywhere; by environment:
#     LIBERTY  cells; OSU018 of Debian's qflow-tech-osu018 when not set
#     BLACKBOX modules to leave out, for a look at the others: "eb_layer_norm eb_softmax"
#     DRIVER   cell that drives the inputs of a module, BUFX2 when not set
#     OUT      folder of the results, out/ beside eb_top.v when not set
# Results: netlist.v (ports as in eb_top.v), netlist_sta.v (all single bits, for OpenSTA), stat.txt.
proc setting {name default} { expr {[info exists ::env($name)] ? $::env($name) : $default} }
set here [file dirname [file dirname [file normalize [info script]]]]
set liberty [setting LIBERTY /usr/share/qflow/tech/osu018/osu018_stdcells.lib]
set out [setting OUT $here/out]
file mkdir $out

# Three cells of OSU018 have another area in the liberty file than in the LEF, which draws the
# mapping to one of them.
set cells $liberty
if {[file tail $liberty] eq "osu018_stdcells.lib"} {
  set areas {LATCH 56 OAI21X1 32 NAND3X1 32}
  set cells $out/osu018_stdcells.lib
  set from [open $liberty]
  set to [open $cells w]
  set cell ""
  while {[gets $from line] >= 0} {
    regexp {^\s*cell\s*\(\s*(\w+)} $line all cell
    if {[dict exists $areas $cell]} { regsub {(^\s*area\s*:).*} $line "\\1 [dict get $areas $cell];" line }
    puts $to $line
  }
  close $from
  close $to
}
set constraints [open $out/abc.constr w]
puts $constraints "set_driving_cell [setting DRIVER BUFX2]\nset_load 0.05 \[all_outputs\]"
close $constraints

# Relative to eb_top.v. The macros of the memories are black boxes.
set files {
)" + list +
         R"(}
# Deferred: modules are elaborated with the parameters of eb_top alone.
foreach file $files { yosys read_verilog -defer $here/$file }
yosys hierarchy -check -top eb_top
foreach unit [setting BLACKBOX {}] { yosys blackbox *${unit}* }
yosys synth -top eb_top
yosys dfflegalize -cell {$_DFF_P_} x -cell {$_DFF_PN0_} x -cell {$_DFF_PN1_} x
yosys dfflibmap -liberty $cells
# Without dc2, which turns carry chains into ripples; the driving cell makes abc buffer what has a
# large fan-out.
yosys abc -liberty $cells -D 3000 -constr $out/abc.constr -script {+strash;&get,-n;&fraig,-x;&put;scorr;strash;&get,-n;&dch,-f;&nf,{D};&put;buffer,-c;upsize,{D};dnsize,{D};stime,-p}
yosys setundef -zero
yosys opt_clean -purge
yosys read_liberty -lib -ignore_miss_func $cells
yosys check -assert -mapped
yosys tee -o $out/stat.txt stat -liberty $cells
yosys write_verilog -noattr -noexpr -nohex -nodec $out/netlist.v
# OpenSTA does not read concatenations in assignments.
yosys splitnets -ports
yosys opt_clean -purge
yosys write_verilog -noattr -noexpr -nohex -nodec $out/netlist_sta.v
)";
}

constexpr const char* kTimingScript = R"(# OpenSTA: the netlist of synth.tcl against eb_top.sdc.
#   sta -no_splash -exit synthesis/sta.tcl      LIBERTY and OUT as for synth.tcl; CLOCK_PERIOD in ns
# Wires have no delay, the clock tree is ideal, and memories are the placeholder macros.lib.
proc setting {name default} { expr {[info exists ::env($name)] ? $::env($name) : $default} }
set here [file dirname [file dirname [file normalize [info script]]]]
set out [setting OUT $here/out]
read_liberty [setting LIBERTY /usr/share/qflow/tech/osu018/osu018_stdcells.lib]
read_liberty $here/synthesis/macros.lib
read_verilog $out/netlist_sta.v
link_design eb_top
source $here/eb_top.sdc
# Before there is a reset tree, one flip-flop drives every reset.
set_false_path -through [get_pins u_reset_sync/rst_no]
puts "=== setup check"
check_setup -verbose
puts "=== slowest path"
report_checks -path_delay max
puts "=== fastest path"
report_checks -path_delay min
puts "=== summary"
report_wns
report_tns
report_worst_slack
)";

}  // namespace

std::vector<std::string> SynthesisFiles(const spec::AcceleratorConfig& config,
                                        const std::vector<std::string>& paths) {
  const bool flops = config.memory.backend == spec::MemoryBackend::kFlop;
  std::vector<std::string> files = {kMacroStubs};
  for (const std::string& path : paths) {
    const std::string file = path.substr(path.rfind('/') + 1);
    const bool sram = file == "eb_sram_1r1w.v" && !flops;
    if (sram || file == "eb_reram_macro.v") {
      files.push_back("synthesis/" + file);
    } else if (file != "eb_reram_array_macro.v" && (file != "eb_sram_1r1w_macro.v" || flops)) {
      files.push_back(path);
    }
  }
  return files;
}

FileSet EmitSynthesis(const spec::AcceleratorConfig& config,
                      const std::vector<std::string>& paths) {
  const std::map<std::string, Macro> macros = Macros(config);
  const std::vector<std::string> sources = SynthesisFiles(config, paths);
  FileSet files;
  files.Add("eb_top.sdc", Constraints(EmitTop(config)));
  files.Add(kMacroStubs, BlackBoxes(macros));
  files.Add("synthesis/macros.lib", Liberty(macros));
  if (config.memory.backend != spec::MemoryBackend::kFlop) {
    files.Add("synthesis/eb_sram_1r1w.v", SramWrapper(macros));
  }
  files.Add("synthesis/eb_reram_macro.v", ReramWrapper(macros));
  files.Add("synthesis/synth.tcl", SynthesisScript(sources));
  files.Add("synthesis/sta.tcl", kTimingScript);
  files.Add("synthesis.f",
            CommercialFileList(sources, "synthesis: memories are macros, black boxes"));
  return files;
}

}  // namespace edgebert::gen
