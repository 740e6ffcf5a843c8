#include "generator/units/registers.h"

#include <fmt/format.h>

#include <cctype>
#include <string>

#include "generator/blocks/counter.h"
#include "golden/base/check.h"
#include "golden/spec/config.h"
#include "golden/spec/formats.h"
#include "golden/spec/register_map.h"

namespace edgebert::gen {
namespace {

using spec::Access;

constexpr int kAddressBits = spec::IndexBits(spec::kRegisterWindowBytes);

bool IsStored(const spec::Register& r) {
  return r.access == Access::kReadWrite || r.access == Access::kAlwaysWritable;
}

/// What a register that the hardware drives reads as; all 32 bits.
std::string ReadValue(const spec::Register& r) {
  const std::string name = r.name;
  if (IsStored(r)) return LowerCase(name) + "_q";
  if (name == "IDENTITY") return "IDENTITY";
  if (name == "VERSION") return "VERSION";
  if (name == "CONFIG_HASH") return "ConfigHash";
  if (name == "SHAPE") return "{MaxRows[15:0], ExpW[3:0], CodeW[3:0], Lanes[7:0]}";
  if (name == "CONTROL") return "32'd0";
  if (name == "STATUS") return "{26'd0, resident_i, aborted_i, loaded_i, error_i, done_i, busy_i}";
  if (name == "ERROR") return "{error_detail_i, error_code_i}";
  if (name == "IRQ_STATUS") return "{28'd0, irq_status_q}";
  if (name == "EXIT_LAYER") return "{16'd0, exit_layer_i}";
  if (name == "PREDICTION") return "{24'd0, prediction_i}";
  if (name == "ENTROPY") return "{12'd0, entropy_i}";
  if (name == "SATURATION") return "{31'd0, saturated_q}";
  EB_CHECK(false, "register '{}' has no source", name);
  return "";
}

void AddPorts(vlog::Module& m) {
  m.Input("clk_i").Input("rst_ni");
  m.Group("AXI4-Lite");
  m.Input("s_axil_awvalid_i").Output("s_axil_awready_o");
  m.Input("s_axil_awaddr_i", std::to_string(kAddressBits));
  m.Input("s_axil_wvalid_i").Output("s_axil_wready_o").Input("s_axil_wdata_i", "32");
  m.Input("s_axil_wstrb_i", "4");
  m.Output("s_axil_bvalid_o").Input("s_axil_bready_i").Output("s_axil_bresp_o", "2");
  m.Input("s_axil_arvalid_i").Output("s_axil_arready_o");
  m.Input("s_axil_araddr_i", std::to_string(kAddressBits));
  m.Output("s_axil_rvalid_o").Input("s_axil_rready_i").Output("s_axil_rdata_o", "32");
  m.Output("s_axil_rresp_o", "2");
  m.Group("Command pulses");
  m.Output("start_o").Output("abort_o").Output("load_o");
  m.Group("Configuration");
  for (const spec::Register& r : spec::kRegisters) {
    if (r.access == Access::kReadWrite) m.Output(LowerCase(r.name) + "_o", "32");
  }
  m.Group("State");
  m.Input("busy_i").Input("done_i").Input("error_i").Input("aborted_i").Input("loaded_i");
  m.Input("resident_i");
  m.Input("done_event_i").Input("error_event_i").Input("aborted_event_i");
  m.Input("error_code_i", "8").Input("error_detail_i", "24");
  m.Input("exit_layer_i", "16").Input("prediction_i", "8");
  m.Input("entropy_i", std::to_string(spec::kEntropyBits)).Input("saturated_i");
  m.Group("Logits; the address is that of a read while logit_read_o");
  m.Output("logit_read_o").Output("logit_addr_o", "8");
  m.InputSigned("logit_i", std::to_string(spec::kFixedBits));
  m.Group("Counters: clear, run, and the events of a cycle");
  m.Input("counters_clear_i").Input("counters_run_i");
  for (const spec::Counter& c : spec::kCounters) {
    m.Input("count_" + LowerCase(c.name) + "_i", CounterEventWidth(c.name));
  }
  m.Group("Interrupt, level");
  m.Output("irq_o");
}

void AddAddresses(vlog::Module& m) {
  m.Local("IDENTITY", fmt::format("32'h{:08X}", spec::kIdentity));
  m.Local("VERSION", fmt::format("32'd{}", spec::kRegisterMapVersion));
  for (const spec::Register& r : spec::kRegisters) {
    m.Local(fmt::format("ADDR_{}", r.name), fmt::format("{}'h{:03X}", kAddressBits, r.offset));
  }
  for (size_t c = 0; c < spec::kCounters.size(); ++c) {
    m.Local(fmt::format("ADDR_COUNT_{}", spec::kCounters[c].name),
            fmt::format("{}'h{:03X}", kAddressBits, spec::kCounterBase + 8 * c));
  }
  m.Local("ADDR_LOGITS", fmt::format("{}'h{:03X}", kAddressBits, spec::kLogitBase));
  m.Local("FIXED_W", spec::kFixedBits);
  m.Local("OKAY", "2'b00");
  m.Local("SLVERR", "2'b10");
}

constexpr const char* kWriteChannel = R"(
  // Write: address and data are taken in any order; the write happens when both are there and the
  // response register is free.
  reg                aw_valid_q, aw_valid_d;
  reg [ADDR_W-1:0]   aw_addr_q;
  reg                w_valid_q, w_valid_d;
  reg [31:0]         w_data_q;
  reg [3:0]          w_strb_q;
  reg                b_valid_q, b_valid_d;
  reg [1:0]          b_resp_q;
  reg                wr_legal;

  // Low in reset: nothing may be taken that the reset would lose.
  reg released_q;
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) released_q <= 1'b0;
    else         released_q <= 1'b1;
  end

  wire              aw_take = s_axil_awvalid_i && s_axil_awready_o;
  wire              w_take  = s_axil_wvalid_i && s_axil_wready_o;
  wire              wr      = aw_valid_q && w_valid_q && (!b_valid_q);
  wire              wr_ok   = wr && wr_legal;
  wire [ADDR_W-1:0] wr_addr = {aw_addr_q[ADDR_W-1:2], 2'b00};
  wire [31:0]       wr_mask = {{8{w_strb_q[3]}}, {8{w_strb_q[2]}}, {8{w_strb_q[1]}},
                               {8{w_strb_q[0]}}};
  wire [31:0]       wr_bits = w_data_q & wr_mask;

  always @* begin
    aw_valid_d = aw_take || (aw_valid_q && (!wr));
    w_valid_d  = w_take || (w_valid_q && (!wr));
    b_valid_d  = wr || (b_valid_q && (!s_axil_bready_i));
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_valid_q <= 1'b0;
      w_valid_q  <= 1'b0;
      b_valid_q  <= 1'b0;
      b_resp_q   <= OKAY;
    end else begin
      aw_valid_q <= aw_valid_d;
      w_valid_q  <= w_valid_d;
      b_valid_q  <= b_valid_d;
      if (wr) b_resp_q <= wr_legal ? OKAY : SLVERR;
    end
  end

  always @(posedge clk_i) begin
    if (aw_take) aw_addr_q <= s_axil_awaddr_i;
    if (w_take) begin
      w_data_q <= s_axil_wdata_i;
      w_strb_q <= s_axil_wstrb_i;
    end
  end

  assign s_axil_awready_o = released_q && (!aw_valid_q);
  assign s_axil_wready_o  = released_q && (!w_valid_q);
  assign s_axil_bvalid_o  = b_valid_q;
  assign s_axil_bresp_o   = b_resp_q;

  // CONTROL takes one command at a time; START and LOAD only when idle.
  wire [2:0] command = wr_bits[2:0];
  wire       control = wr && (wr_addr == ADDR_CONTROL);
  reg        command_ok;

  always @* begin
    case (command)
      3'b000:  command_ok = 1'b1;
      3'b001:  command_ok = !busy_i;
      3'b010:  command_ok = 1'b1;
      3'b100:  command_ok = !busy_i;
      default: command_ok = 1'b0;
    endcase
  end

  assign start_o = control && command_ok && command[0];
  assign abort_o = control && command_ok && command[1];
  assign load_o  = control && command_ok && command[2];
)";

constexpr const char* kReadChannel = R"(
  // Read: the address register selects, the data register answers.
  reg              ar_valid_q, ar_valid_d;
  reg [ADDR_W-1:0] ar_addr_q;
  reg              r_valid_q, r_valid_d;
  reg [1:0]        r_resp_q;
  reg [31:0]       r_data_q;

  wire              ar_take  = s_axil_arvalid_i && s_axil_arready_o;
  wire              rd       = ar_valid_q && (!r_valid_q);
  wire [ADDR_W-1:0] rd_addr  = {ar_addr_q[ADDR_W-1:2], 2'b00};
  wire              is_logit = (rd_addr >= ADDR_LOGITS) && ({24'd0, rd_addr[9:2]} < MaxClasses);

  always @* begin
    ar_valid_d = ar_take || (ar_valid_q && (!rd));
    r_valid_d  = rd || (r_valid_q && (!s_axil_rready_i));
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ar_valid_q <= 1'b0;
      r_valid_q  <= 1'b0;
      r_resp_q   <= OKAY;
    end else begin
      ar_valid_q <= ar_valid_d;
      r_valid_q  <= r_valid_d;
      if (rd) r_resp_q <= rd_legal ? OKAY : SLVERR;
    end
  end

  always @(posedge clk_i) begin
    if (ar_take) ar_addr_q <= s_axil_araddr_i;
    if (rd) r_data_q <= rd_data;
  end

  assign s_axil_arready_o = released_q && (!ar_valid_q);
  assign s_axil_rvalid_o  = r_valid_q;
  assign s_axil_rresp_o   = r_resp_q;
  assign s_axil_rdata_o   = r_data_q;
  assign logit_read_o     = rd && is_logit;
  assign logit_addr_o     = rd_addr[9:2];

  wire unused_ok = &{1'b0, aw_addr_q[1:0], ar_addr_q[1:0]};
)";

/// Which addresses accept a write now.
std::string WriteLegality() {
  std::string text = R"(
  always @* begin
    case (wr_addr)
)";
  std::string configuration;
  std::string always;
  for (const spec::Register& r : spec::kRegisters) {
    std::string* list = nullptr;
    if (r.access == Access::kReadWrite) list = &configuration;
    if (r.access == Access::kAlwaysWritable || r.access == Access::kWriteOneClear) list = &always;
    if (list == nullptr) continue;
    if (!list->empty()) *list += ",\n      ";
    *list += fmt::format("ADDR_{}", r.name);
  }
  text += "      ADDR_CONTROL: wr_legal = command_ok;\n";
  text += fmt::format("      {}: wr_legal = 1'b1;\n", always);
  text += fmt::format("      {}: wr_legal = !busy_i;\n", configuration);
  text += R"(      default: wr_legal = 1'b0;
    endcase
  end
)";
  return text;
}

/// The registers that software writes.
std::string StoredRegisters() {
  std::string declarations = "\n  // Registers that software writes.\n";
  std::string resets;
  std::string writes;
  std::string outputs;
  for (const spec::Register& r : spec::kRegisters) {
    if (!IsStored(r)) continue;
    const std::string name = LowerCase(r.name);
    declarations += fmt::format("  reg [31:0] {}_q;\n", name);
    resets += fmt::format("      {:<19} <= 32'd0;\n", name + "_q");
    writes +=
        fmt::format("        ADDR_{}: {}_q <= ({}_q & ~wr_mask) | wr_bits;\n", r.name, name, name);
    if (r.access == Access::kReadWrite)
      outputs += fmt::format("  assign {}_o = {}_q;\n", name, name);
  }
  return declarations +
         "\n  always @(posedge clk_i or negedge rst_ni) begin\n    if (!rst_ni) begin\n" + resets +
         "    end else if (wr_ok) begin\n      case (wr_addr)\n" + writes +
         "        default: ;\n      endcase\n    end\n  end\n\n" + outputs;
}

constexpr const char* kStatus = R"(
  // Watchdog: counts from a command down to its end. It knows nothing of what runs, so that it also
  // tells of a unit, or of a bus, that never answers.
  reg  [31:0] watchdog_left_q;
  wire        ended   = done_event_i || error_event_i || aborted_event_i;
  wire        timeout = (watchdog_left_q == 32'd1) && (!ended);

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)                       watchdog_left_q <= 32'd0;
    else if (start_o || load_o)        watchdog_left_q <= watchdog_q;
    else if (ended)                    watchdog_left_q <= 32'd0;
    else if (watchdog_left_q != 32'd0) watchdog_left_q <= watchdog_left_q - 32'd1;
  end

  // Interrupts: an event sets its bit, writing 1 clears it, an event in the same cycle wins.
  reg  [3:0] irq_status_q;
  wire [3:0] irq_event = {timeout, aborted_event_i, error_event_i, done_event_i};
  wire [3:0] irq_clear = (wr_ok && (wr_addr == ADDR_IRQ_STATUS)) ? wr_bits[3:0] : 4'd0;
  reg        saturated_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      irq_status_q <= 4'd0;
      saturated_q  <= 1'b0;
    end else begin
      irq_status_q <= (irq_status_q & ~irq_clear) | irq_event;
      saturated_q  <= (saturated_q && (!counters_clear_i)) || (saturated_i && counters_run_i);
    end
  end

  assign irq_o = ((irq_status_q & irq_enable_q[3:0]) != 4'd0);
)";

std::string Counters() {
  std::string text = "\n  // Performance counters.\n";
  for (const spec::Counter& c : spec::kCounters) {
    const std::string name = LowerCase(c.name);
    const std::string width = CounterEventWidth(c.name);
    text += fmt::format(R"(  wire [31:0] {0}_low;
  wire [31:0] {0}_high;
  eb_counter #(
    .EventW({1})
  ) u_{0} (
    .clk_i(clk_i),
    .rst_ni(rst_ni),
    .clear_i(counters_clear_i),
    .run_i(counters_run_i),
    .events_i(count_{0}_i),
    .low_o({0}_low),
    .high_o({0}_high)
  );
)",
                        name, width.empty() ? "1" : width);
  }
  return text;
}

std::string ReadMultiplexer() {
  std::string text = R"(
  // What a read answers.
  reg        rd_legal;
  reg [31:0] rd_data;

  always @* begin
    rd_legal = 1'b1;
    case (rd_addr)
)";
  for (const spec::Register& r : spec::kRegisters) {
    text += fmt::format("      ADDR_{}: rd_data = {};\n", r.name, ReadValue(r));
  }
  for (const spec::Counter& c : spec::kCounters) {
    const std::string name = LowerCase(c.name);
    text += fmt::format("      ADDR_COUNT_{}: rd_data = {}_low;\n", c.name, name);
    text += fmt::format("      ADDR_COUNT_{} + {}'d4: rd_data = {}_high;\n", c.name, kAddressBits,
                        name);
  }
  text += R"(      default: begin
        rd_legal = is_logit;
        rd_data  = is_logit ? {{(32 - FIXED_W){logit_i[FIXED_W-1]}}, logit_i} : 32'd0;
      end
    endcase
  end
)";
  return text;
}

}  // namespace

std::string LowerCase(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string CounterEventWidth(std::string_view counter_name) {
  if (counter_name == "WINDOW_ROWS_SKIPPED") return "10";
  if (counter_name == "WEIGHT_NONZEROS") return "NonzeroW";
  return "";
}

vlog::Module EmitRegisters() {
  vlog::Module m("eb_registers", "generator/units/registers.cc");
  m.Describe(R"(
eb_registers: the AXI4-Lite slave: identity, configuration, commands, state, counters, logits.

Reads and writes take two cycles. SLVERR answers an access to an address without a register, a
write to a read-only register, a write to a configuration register while busy, and a command that
is not possible now; such a write changes nothing. The low two bits of an address are ignored. A
counter is 64 bits in two words, low word first; read it when it stands still.)");
  m.Param("ConfigHash", "32'd0", "CONFIG_HASH register");
  m.Param("Lanes", "4", "n");
  m.Param("CodeW", "8", "W");
  m.Param("ExpW", "3", "E");
  m.Param("MaxRows", "16", "tokens of the longest sentence");
  m.Param("MaxClasses", "4", "logits that can be read");
  m.Param("NonzeroW", "3", "bits of the count of non-zero weights of a cycle");
  AddPorts(m);
  m.Local("ADDR_W", kAddressBits);
  AddAddresses(m);
  m.Body(kWriteChannel).Body(WriteLegality()).Body(StoredRegisters()).Body(kStatus);
  m.Uses(EmitCounter());
  m.Body(Counters()).Body(ReadMultiplexer()).Body(kReadChannel);
  return m;
}

}  // namespace edgebert::gen
