# OpenROAD-flow-scripts: make DESIGN_CONFIG=<this file>
# Not run here: the memories are black boxes, and ADDITIONAL_LEFS and ADDITIONAL_LIBS must be those of
# your compiled macros before a floorplan can be made.
EB_DIR := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)

export DESIGN_NAME = eb_top
export DESIGN_NICKNAME = edgebert
export PLATFORM ?= sky130hd

export VERILOG_FILES = \
  $(EB_DIR)/synthesis/macros.v \
  $(EB_DIR)/../common/eb_accumulator.v \
  $(EB_DIR)/../common/eb_activation.v \
  $(EB_DIR)/../common/eb_activation_memory.v \
  $(EB_DIR)/../common/eb_af_decoder.v \
  $(EB_DIR)/../common/eb_af_encoder.v \
  $(EB_DIR)/../common/eb_af_multiplier.v \
  $(EB_DIR)/../common/eb_axi_reader.v \
  $(EB_DIR)/../common/eb_axi_writer.v \
  $(EB_DIR)/../common/eb_bitmask_decoder.v \
  $(EB_DIR)/../common/eb_bitmask_encoder.v \
  $(EB_DIR)/../common/eb_clock_gate.v \
  $(EB_DIR)/../common/eb_counter.v \
  $(EB_DIR)/../common/eb_embedding.v \
  $(EB_DIR)/../common/eb_entropy.v \
  $(EB_DIR)/../common/eb_exit.v \
  $(EB_DIR)/../common/eb_exp.v \
  $(EB_DIR)/../common/eb_fifo.v \
  $(EB_DIR)/../common/eb_layer_norm.v \
  $(EB_DIR)/../common/eb_ln.v \
  $(EB_DIR)/../common/eb_matmul.v \
  $(EB_DIR)/../common/eb_max_tree.v \
  $(EB_DIR)/../common/eb_norm_lane.v \
  $(EB_DIR)/../common/eb_post_lane.v \
  $(EB_DIR)/../common/eb_post_processor.v \
  $(EB_DIR)/../common/eb_program_memory.v \
  $(EB_DIR)/../common/eb_reciprocal.v \
  $(EB_DIR)/../common/eb_registers.v \
  $(EB_DIR)/../common/eb_reram_ctrl.v \
  $(EB_DIR)/synthesis/eb_reram_macro.v \
  $(EB_DIR)/../common/eb_reset_sync.v \
  $(EB_DIR)/../common/eb_resident_weights.v \
  $(EB_DIR)/../common/eb_result_writer.v \
  $(EB_DIR)/../common/eb_round_shift.v \
  $(EB_DIR)/../common/eb_row_window.v \
  $(EB_DIR)/../common/eb_rsqrt.v \
  $(EB_DIR)/../common/eb_scale_lane.v \
  $(EB_DIR)/../common/eb_secded_decoder.v \
  $(EB_DIR)/../common/eb_segment_address.v \
  $(EB_DIR)/../common/eb_sequencer.v \
  $(EB_DIR)/../common/eb_softmax.v \
  $(EB_DIR)/../common/eb_span_mask.v \
  $(EB_DIR)/synthesis/eb_sram_1r1w.v \
  $(EB_DIR)/../common/eb_sum_tree.v \
  $(EB_DIR)/../common/eb_tile_walk.v \
  $(EB_DIR)/../common/eb_token_memory.v \
  $(EB_DIR)/../common/eb_unit_clock.v \
  $(EB_DIR)/../common/eb_vmac_array.v \
  $(EB_DIR)/../common/eb_weight_lane.v \
  $(EB_DIR)/../common/eb_weight_stream.v \
  $(EB_DIR)/eb_top.v
export SDC_FILE = $(EB_DIR)/eb_top.sdc
export ADDITIONAL_LIBS = $(EB_DIR)/synthesis/macros.lib
export ADDITIONAL_LEFS ?=

export SYNTH_HIERARCHICAL = 1
export CORE_UTILIZATION ?= 40
export PLACE_DENSITY ?= 0.60
