# OpenSTA: the netlist of synth.tcl against eb_top.sdc.
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
