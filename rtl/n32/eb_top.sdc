# Constraints of eb_top, in ns and pF.
# The clock period is the CLOCK_PERIOD of the environment, 10.0 ns without it.
set period 10.0
if {[info exists ::env(CLOCK_PERIOD)]} { set period $::env(CLOCK_PERIOD) }

create_clock -name clk -period $period [get_ports clk_i]
# Jitter, and the skew of a clock tree that is not there yet.
set_clock_uncertainty -setup [expr 0.03 * $period] [get_clocks clk]

# A third of the period belongs to the system at every pin of a bus, and at the interrupt.
set inputs [get_ports {
  s_axil_awvalid s_axil_awaddr* s_axil_wvalid s_axil_wdata* s_axil_wstrb* s_axil_bready
  s_axil_arvalid s_axil_araddr* s_axil_rready m_axi_arready m_axi_rvalid m_axi_rid* m_axi_rdata*
  m_axi_rresp* m_axi_rlast m_axi_awready m_axi_wready m_axi_bvalid m_axi_bid* m_axi_bresp*
}]
set outputs [get_ports {
  s_axil_awready s_axil_wready s_axil_bvalid s_axil_bresp* s_axil_arready s_axil_rvalid
  s_axil_rdata* s_axil_rresp* m_axi_arvalid m_axi_arid* m_axi_araddr* m_axi_arlen* m_axi_arsize*
  m_axi_arburst* m_axi_arcache* m_axi_arprot* m_axi_rready m_axi_awvalid m_axi_awid* m_axi_awaddr*
  m_axi_awlen* m_axi_awsize* m_axi_awburst* m_axi_awcache* m_axi_awprot* m_axi_wvalid m_axi_wdata*
  m_axi_wstrb* m_axi_wlast m_axi_bready irq_o
}]
set_input_delay [expr $period / 3.0] -clock clk $inputs
set_output_delay [expr $period / 3.0] -clock clk $outputs
set_input_transition 0.2 $inputs
set_load 0.05 $outputs

# Reset is asserted at any time; u_reset_sync releases it with the clock.
set_input_delay 0 -clock clk [get_ports rst_ni]
set_false_path -from [get_ports rst_ni]
