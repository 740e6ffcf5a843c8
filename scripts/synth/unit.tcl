# Slowest path between registers, and slowest from or to a port, of a netlist in $OUT.
read_liberty $::env(LIBERTY)
read_verilog $::env(OUT)/netlist.v
link_design $::env(UNIT)
create_clock -name clk -period 100 clk_i
set_input_delay 0 -clock clk [all_inputs]
set_output_delay 0 -clock clk [all_outputs]
puts "=== registers"
report_checks -path_delay max -from [all_registers -clock_pins] -to [all_registers -data_pins]
puts "=== to ports"
report_checks -path_delay max -to [all_outputs]
set inputs {}
foreach port [all_inputs] {
  set name [get_property $port full_name]
  if {$name != "clk_i" && $name != "rst_ni"} { lappend inputs $port }
}
puts "=== from ports"
if {$inputs != {}} { report_checks -path_delay max -from $inputs }
