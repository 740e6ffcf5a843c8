# Power of every cell of a netlist in $OUT at no activity and at one transition a cycle, for power.awk. (OpenSTA's
# activities of single pins have no effect.)
read_liberty $::env(LIBERTY)
read_verilog $::env(OUT)/netlist.v
link_design $::env(UNIT)
create_clock -name clk -period 10 clk_i
set_input_delay 0 -clock clk [all_inputs]
foreach activity {0.0 1.0} {
  puts "=== activity $activity"
  set_power_activity -global -activity $activity
  report_power -instances [get_cells *] -digits 9
}
