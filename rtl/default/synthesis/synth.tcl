# Yosys: eb_top on the cells of a liberty file, module by module.
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
  synthesis/macros.v
  ../common/eb_accumulator.v
  ../common/eb_activation.v
  ../common/eb_activation_memory.v
  ../common/eb_af_decoder.v
  ../common/eb_af_encoder.v
  ../common/eb_af_multiplier.v
  ../common/eb_axi_reader.v
  ../common/eb_axi_writer.v
  ../common/eb_bitmask_decoder.v
  ../common/eb_bitmask_encoder.v
  ../common/eb_clock_gate.v
  ../common/eb_counter.v
  ../common/eb_embedding.v
  ../common/eb_entropy.v
  ../common/eb_exit.v
  ../common/eb_exp.v
  ../common/eb_fifo.v
  ../common/eb_layer_norm.v
  ../common/eb_ln.v
  ../common/eb_matmul.v
  ../common/eb_max_tree.v
  ../common/eb_norm_lane.v
  ../common/eb_post_lane.v
  ../common/eb_post_processor.v
  ../common/eb_program_memory.v
  ../common/eb_reciprocal.v
  ../common/eb_registers.v
  ../common/eb_reram_ctrl.v
  synthesis/eb_reram_macro.v
  ../common/eb_reset_sync.v
  ../common/eb_resident_weights.v
  ../common/eb_result_writer.v
  ../common/eb_round_shift.v
  ../common/eb_row_window.v
  ../common/eb_rsqrt.v
  ../common/eb_scale_lane.v
  ../common/eb_secded_decoder.v
  ../common/eb_segment_address.v
  ../common/eb_sequencer.v
  ../common/eb_softmax.v
  ../common/eb_span_mask.v
  synthesis/eb_sram_1r1w.v
  ../common/eb_sum_tree.v
  ../common/eb_tile_walk.v
  ../common/eb_token_memory.v
  ../common/eb_unit_clock.v
  ../common/eb_vmac_array.v
  ../common/eb_weight_lane.v
  ../common/eb_weight_stream.v
  eb_top.v
}
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
