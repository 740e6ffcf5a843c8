// Proofs about emitted units. A checker, tests/formal/NAME_formal.v, drives a unit with free inputs
// and asserts what it promises; Yosys makes a circuit of both, and ABC's property-directed
// reachability proves that no assertion fails in any state that can be reached, or searches a
// stated number of cycles. Bugs seeded one at a time into the unit must fail the assertion named.
//
// Each proof prints a row of docs/results/formal.md (scripts/formal.sh).

#include <gtest/gtest.h>

#include <cctype>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "golden/spec/register_map.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tool_runner.h"

namespace edgebert {
namespace {

constexpr int kSeconds = 600;
constexpr int kBugCycles = 50;  // searched for a bug where a proof needs copies to be found
const std::string kRoot = EDGEBERT_SOURCE_ROOT;

struct Bug {
  const char* module;
  const char* good;  ///< stands exactly once in the module
  const char* bad;
  const char* assertion;  ///< that fails
};

struct Proof {
  const char* name;        ///< of the test
  const char* checker;     ///< NAME of NAME_formal.v
  const char* parameters;  ///< of the checker, "Width=2 Depth=3"
  std::vector<std::string> modules;
  std::vector<Bug> bugs;
  int cycles = 0;  ///< searched; 0: proved for every number of cycles
  /// The checker keeps copies of registers of the unit, which ABC first finds to be the same. So
  /// that they are from the start, registers without a reset begin at zero.
  bool copies = false;
};

void PrintTo(const Proof& proof, std::ostream* out) { *out << proof.name; }

const std::vector<std::string> kAxiReader = {"eb_axi_reader", "eb_sram_1r1w", "eb_sram_1r1w_macro"};

const std::vector<Proof> kQuick = {
    {.name = "FifoOfOneWord", .checker = "fifo", .parameters = "Depth=1", .modules = {"eb_fifo"}},
    {.name = "Fifo",
     .checker = "fifo",
     .parameters = "Depth=3",
     .modules = {"eb_fifo"},
     .bugs = {{"eb_fifo", "if (push && !pop) count_q", "if (push) count_q", "level"},
              {"eb_fifo", "in_ready_o  = count_q != Depth", "in_ready_o  = count_q <= Depth",
               "full"},
              {"eb_fifo", "count_q != {COUNT_W{1'b0}};", "count_q > 1'b1;", "empty"},
              {"eb_fifo", "(index == LAST[INDEX_W-1:0])", "1'b0", "order"},
              {"eb_fifo", "mem_q[head_q];", "mem_q[out_ready_i ? head_q : tail_q];", "order"}}},
    {.name = "AxiReaderFromReset",
     .checker = "axi_reader",
     .parameters = "MaxBurst=2 Outstanding=2 FifoDepth=3 MaxBeats=3",
     .modules = kAxiReader,
     .cycles = 8},
    {.name = "AxiWriter",
     .checker = "axi_writer",
     .parameters = "AxiDataW=64 Outstanding=2",
     .modules = {"eb_axi_writer"},
     .bugs = {{"eb_axi_writer", "aw_valid_q && (!m_axi_awready_i)", "1'b0", "aw_once"},
              {"eb_axi_writer", "assign wr_ready_o = (!aw_valid_q) &&",
               "assign wr_ready_o =", "aw_once"},
              {"eb_axi_writer", "(!w_valid_q) && (count_q", "(count_q", "w_once"},
              {"eb_axi_writer", "m_axi_bvalid_i && m_axi_bresp_i[1]", "m_axi_bresp_i[1]", "errors"},
              {"eb_axi_writer", "addr_q[31:0] >> 2", "addr_q[31:0] >> 3", "w_lanes"},
              {"eb_axi_writer", "count_q != Outstanding", "count_q <= Outstanding", "outstanding"},
              {"eb_axi_writer", "m_axi_wlast_o   = 1'b1",
               "m_axi_wlast_o   = w_valid_q && (!aw_valid_q)", "w_last"}}},
    {.name = "BitmaskRoundTrip",
     .checker = "bitmask",
     .parameters = "Lanes=4 CodeW=2 InCodes=2",
     .modules = {"eb_bitmask_decoder", "eb_bitmask_encoder"},
     .bugs = {{"eb_bitmask_encoder", "|code[CodeW-2:0]", "|code", "masks_right"},
              {"eb_bitmask_decoder", "kept <= Lanes[COUNT_W-1:0]", "1'b1", "never_stuck"},
              {"eb_bitmask_decoder", "mask_last_i ? {COUNT_W{1'b0}} : count_q - need",
               "count_q - (mask_last_i ? need : need - 1'b1)", "round_trip"},
              {"eb_bitmask_decoder", "count_q >= need", "count_q > need", "never_stuck"},
              {"eb_bitmask_decoder", "enough && (!vec_valid_q || vec_ready_i)", "enough",
               "one_a_mask"}}},
    {.name = "Counter",
     .checker = "counter",
     .parameters = "EventW=32",
     .modules = {"eb_counter"},
     .bugs = {{"eb_counter", "if (sum[32]) high_q", "if (&sum[31:0]) high_q", "high"},
              {"eb_counter", "run_i && (|events_i)", "|events_i", "low"},
              {"eb_counter", "end else if (clear_i) begin\n      low_q  <= 32'd0;",
               "end else if (clear_i) begin", "low"}},
     .copies = true},
    {.name = "Secded",
     .checker = "secded",
     .parameters = "DataBits=16 CheckBits=6",
     .modules = {"eb_secded_decoder"},
     .bugs = {{"eb_secded_decoder", "word_i[DataBits-1:0] ^ wrong", "word_i[DataBits-1:0]",
               "data_right"},
              {"eb_secded_decoder", "128'h66CCCCCCCCCCCCCCCD9999999B33366D",
               "128'h66CCCCCCCCCCCCCCCD9999999B33366C", "data_right"},
              {"eb_secded_decoder", "odd ? !corrected_o : (|syndrome)", "odd && !corrected_o",
               "two_said"},
              {"eb_secded_decoder", "(is_check || (|wrong))", "(|wrong)", "one_said"}}},
    {.name = "ResetSync",
     .checker = "reset_sync",
     .parameters = "",
     .modules = {"eb_reset_sync"},
     .bugs = {{"eb_reset_sync", "{release_q[0], 1'b1}", "2'b11", "released"},
              {"eb_reset_sync", " or negedge rst_ni", "", "at_once"}}},
};

const std::vector<Proof> kSlow = {
    {.name = "Registers",
     .checker = "registers",
     .parameters = "MaxClasses=5",
     .modules = {"eb_registers"},
     .bugs = {{"eb_registers", "b_valid_d  = wr || (b_valid_q && (!s_axil_bready_i))",
               "b_valid_d  = wr", "b_stable"},
              {"eb_registers", "if (rd) r_data_q <=", "if (ar_valid_q) r_data_q <=", "r_stable"},
              {"eb_registers", "aw_valid_q && w_valid_q && (!b", "aw_valid_q && (!b", "b_answer"},
              {"eb_registers", "released_q && (!ar_valid_q)", "released_q", "logit_asked"},
              {"eb_registers", "ADDR_RESIDENT_BYTES: wr_legal = !busy_i",
               "ADDR_RESIDENT_BYTES: wr_legal = 1'b1", "b_answer"},
              {"eb_registers", "3'b001:  command_ok = !busy_i;", "3'b001:  command_ok = 1'b1;",
               "b_answer"},
              {"eb_registers", "rd_legal = is_logit;", "rd_legal = 1'b1;", "r_answer"},
              {"eb_registers", "is_logit ? {{(32 - FIXED_W){logit_i[FIXED_W-1]}}, logit_i} : 32'd0",
               "{{(32 - FIXED_W){logit_i[FIXED_W-1]}}, logit_i}", "r_none"},
              {"eb_registers", "{12'd0, entropy_i}", "{12'd0, entropy_i & 20'h7FFFF}", "r_driven"},
              {"eb_registers", "rd_data = tiles_high", "rd_data = tiles_low", "r_driven"},
              {"eb_registers", ".events_i(count_embed_cycles_i)", ".events_i(count_exit_cycles_i)",
               "r_driven"},
              {"eb_registers", "(watchdog_q & ~wr_mask) | wr_bits", "wr_bits", "r_stored"},
              {"eb_registers", "threshold_q         <= 32'd0", "threshold_q         <= 32'd1",
               "written_out"},
              {"eb_registers", "(token_base_low_q & ~wr_mask) | wr_bits", "wr_bits", "written_out"},
              {"eb_registers", "else if (wr_ok) begin", "else if (wr) begin", "written_out"},
              {"eb_registers", "start_o = control && command_ok && command[0]",
               "start_o = control && command[0]", "commands"},
              {"eb_registers", "logit_read_o     = rd && is_logit", "logit_read_o     = is_logit",
               "logit_asked"},
              {"eb_registers", "(irq_status_q & ~irq_clear) | irq_event",
               "(irq_status_q | irq_event) & ~irq_clear", "r_driven"},
              {"eb_registers", "irq_clear = (wr_ok && (wr_addr == ADDR_IRQ_STATUS)) ? wr_bits[3:0]",
               "irq_clear = (wr_ok && (wr_addr == ADDR_IRQ_STATUS)) ? ~wr_bits[3:0]", "r_driven"},
              {"eb_registers", "(watchdog_left_q == 32'd1) && (!ended)",
               "(watchdog_left_q == 32'd2) && (!ended)", "interrupt"}},
     .copies = true},
    {.name = "Sequencer",
     .checker = "sequencer",
     .parameters = "Fair=0",
     .modules = {"eb_sequencer", "eb_segment_address", "eb_result_writer"},
     .bugs = {{"eb_sequencer", "wait_mask & {matmul_older_busy_i, unit_busy_i}",
               "wait_mask & {1'b0, unit_busy_i}", "waits"},
              {"eb_sequencer", "OP_SOFTMAX:    unit[UNIT_SOFTMAX] ",
               "OP_SOFTMAX:    unit[UNIT_LAYER_NORM] ", "one_unit"},
              {"eb_sequencer", "restart_pc  = {1'b0, target};", "restart_pc  = {1'b0, count};",
               "in_order"},
              {"eb_sequencer", "(iteration_next < count)", "(iteration_next <= count)", "in_order"},
              {"eb_sequencer", "fetch_valid && (!restart) &&", "fetch_valid &&", "in_order"},
              {"eb_sequencer", "if (dispatched) state_d = ST_EXIT;",
               "if (dispatched && exit_i) state_d = ST_EXIT;", "once"},
              {"eb_sequencer", "advance     = dispatched;", "advance     = 1'b1;", "none_lost"},
              {"eb_sequencer", "(!error_q) && (!aborted_q)) begin", "(!error_q)) begin", "one_end"},
              {"eb_sequencer", "state_d = ST_RESULT;", "state_d = ST_RUN;", "end_is_last"},
              {"eb_sequencer", "if (abort_i) begin",
               "if (abort_i && (state_q != ST_RECEIVE)) begin", "abort_now"},
              {"eb_sequencer", "reader_idle_i && writer_idle_i;", "reader_idle_i;", "idle_means"},
              {"eb_sequencer", "quiet = units_idle && record_idle", "quiet = units_idle",
               "idle_means"},
              {"eb_sequencer", "(state_d == ST_IDLE) && done_d", "(state_d == ST_IDLE)",
               "events_are"},
              {"eb_sequencer", "done_d     = (!error_q) && (!aborted_q)", "done_d     = (!error_q)",
               "one_outcome"}},
     .copies = true},
    {.name = "SequencerNeverStops",
     .checker = "sequencer",
     .parameters = "Fair=1 Bound=20",
     .modules = {"eb_sequencer", "eb_segment_address", "eb_result_writer"},
     .bugs = {{"eb_sequencer", "if (result_valid_i) state_d",
               "if (result_valid_i && exit_i) state_d", "no_deadlock"}},
     .copies = true},
    // Without waiting, both vectors are out in the eighth cycle; the other three are for waiting.
    {.name = "BitmaskRoundTripOfEight",
     .checker = "bitmask",
     .parameters = "Lanes=8 CodeW=2 InCodes=4",
     .modules = {"eb_bitmask_decoder", "eb_bitmask_encoder"},
     .bugs = {{"eb_bitmask_encoder", "|code[CodeW-2:0]", "|code", "masks_right"},
              {"eb_bitmask_decoder", "mask_last_i ? {COUNT_W{1'b0}} : count_q - need",
               "count_q - (mask_last_i ? need : need - 1'b1)", "round_trip"},
              {"eb_bitmask_decoder", "count_q >= need", "count_q > need", "never_stuck"}},
     .cycles = 11},
    {.name = "AxiReader",
     .checker = "axi_reader",
     .parameters = "MaxBurst=2 Outstanding=2 FifoDepth=3 MaxBeats=3",
     .modules = kAxiReader,
     .bugs = {{"eb_axi_reader", "PAGE_BEATS = 4096 * 8", "PAGE_BEATS = 8192 * 8", "ar_page"},
              {"eb_axi_reader", "(page_beats < MaxBurst) ?", "(page_beats <= MaxBurst + 1) ?",
               "ar_length"},
              {"eb_axi_reader", "(!ar_valid_q) || m_axi_arready_i", "1'b1", "ar_stable"},
              {"eb_axi_reader", "ar_valid_d = ar_valid_q && (!m_axi_arready_i);",
               "ar_valid_d = ar_valid_q && (!m_axi_arready_i) && (!clear_i);", "ar_stable"},
              {"eb_axi_reader", "bursts_q != Outstanding", "bursts_q <= Outstanding",
               "outstanding"},
              {"eb_axi_reader", "reserved_after <= FifoDepth", "reserved_after <= FifoDepth + 1",
               "beats_held"},
              {"eb_axi_reader", "(clear_i || discard_q) && (bursts_d", "clear_i && (bursts_d",
               "no_request"},
              {"eb_axi_reader", "error_q     <= push &&", "error_q     <= m_axi_rvalid_i &&",
               "errors"},
              {"eb_axi_reader", "(level_q != {LEVEL_W{1'b0}}) && ((!out", "((!out", "beats_held"}}},
    {.name = "SecdedOfAReramWord",
     .checker = "secded",
     .parameters = "DataBits=32 CheckBits=7",
     .modules = {"eb_secded_decoder"}},
    {.name = "AxiReaderEndsAfterClear",
     .checker = "axi_reader",
     .parameters = "MaxBurst=2 Outstanding=2 FifoDepth=3 MaxBeats=3 Fair=1",
     .modules = kAxiReader,
     .bugs = {{"eb_axi_reader", "reserved_d  = {LEVEL_W{1'b0}};", "reserved_d  = reserved_q;",
               "clear_ends"}}},
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << "cannot read '" << path << "'";
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// What registers_formal.v includes: the register map as Verilog.
std::string RegisterMap() {
  static constexpr const char* kAccess[] = {"READ_ONLY", "READ_WRITE", "ALWAYS_WRITABLE",
                                            "WRITE_ONLY", "WRITE_ONE_CLEAR"};
  std::ostringstream offsets, access, stored, ports, counters;
  std::string stored_offsets;
  int count = 0;
  for (const spec::Register& reg : spec::kRegisters) {
    const std::string name = reg.name;
    std::string port = name;
    for (char& c : port) c = static_cast<char>(std::tolower(c));
    offsets << "localparam [10:0] " << name << " = " << reg.offset << ";\n";
    access << "    if (offset == " << name
           << ") access_of = " << kAccess[static_cast<size_t>(reg.access)] << ";\n";
    const bool configures = reg.access == spec::Access::kReadWrite;
    if (!configures && reg.access != spec::Access::kAlwaysWritable) continue;
    stored << "localparam " << name << "_AT = " << count++ << ";\n";
    stored_offsets.insert(0, (stored_offsets.empty() ? name : name + ", "));
    if (configures) ports << " ." << port << "_o(written_ports[32*" << name << "_AT+:32]),";
  }
  for (size_t c = 0; c < spec::kCounters.size(); ++c) {
    std::string port = spec::kCounters[c].name;
    for (char& letter : port) letter = static_cast<char>(std::tolower(letter));
    counters << " .count_" << port << "_i(count_i[" << c << "]),";
  }
  std::ostringstream text;
  text << "localparam [2:0] NONE = 0, READ_ONLY = 1, READ_WRITE = 2, ALWAYS_WRITABLE = 3,\n"
          "  WRITE_ONLY = 4, WRITE_ONE_CLEAR = 5;\n"
       << offsets.str() << "localparam [10:0] COUNTERS = " << spec::kCounterBase
       << ", COUNTERS_END = COUNTERS + " << 8 * spec::kCounters.size()
       << ",\n  LOGITS = " << spec::kLogitBase << ", LOGITS_END = LOGITS + 4 * MaxClasses;\n"
       << "localparam [31:0] MAP_VERSION = " << spec::kRegisterMapVersion
       << ", MAP_IDENTITY = " << spec::kIdentity << ";\n"
       << "function [2:0] access_of;\n"
          "  input [10:0] offset;\n"
          "  begin\n"
          "    access_of = NONE;\n"
       << access.str()
       << "    if (offset >= COUNTERS && offset < COUNTERS_END) access_of = READ_ONLY;\n"
          "    if (offset >= LOGITS && offset < LOGITS_END) access_of = READ_ONLY;\n"
          "  end\n"
          "endfunction\n"
       << "localparam STORED = " << count << ";\n"
       << stored.str() << "localparam [11*STORED-1:0] STORED_OFFSETS = {" << stored_offsets
       << "};\n"
          "wire [32*STORED-1:0] written_ports;\n"
          "`define WRITTEN_PORTS"
       << ports.str() << "\n`define COUNTER_PORTS" << counters.str() << "\n";
  return text.str();
}

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// Of cells that `select` listed as MODULE/NAME.
std::vector<std::string> Names(const std::string& cells) {
  std::vector<std::string> names = Words(cells);
  for (std::string& name : names) name.erase(0, name.find('/') + 1);
  return names;
}

struct Verdict {
  bool proved = false;
  std::string failed;                   ///< assertion that does not hold
  std::vector<std::string> assertions;  ///< of the checker
  double seconds = 0;
  std::string log;
};

/// `bug` is seeded into its module unless it is null.
Verdict Prove(const Proof& proof, const Bug* bug) {
  const auto begin = std::chrono::steady_clock::now();
  const TemporaryFolder folder;
  Verdict verdict;

  const std::string checker = std::string(proof.checker) + "_formal";
  std::string files = kRoot + "/tests/formal/" + checker + ".v";
  for (const std::string& module : proof.modules) {
    std::string text = ReadFile(kRoot + "/rtl/common/" + module + ".v");
    if (bug != nullptr && module == bug->module) {
      const std::string good = bug->good;
      const size_t at = text.find(good);
      if (at == std::string::npos || text.find(good, at + 1) != std::string::npos) {
        ADD_FAILURE() << "'" << good << "' does not stand exactly once in " << module;
        return verdict;
      }
      text.replace(at, good.size(), bug->bad);
    }
    files += " " + folder.Write(module + ".v", text);
  }
  folder.Write("registers_map.v", RegisterMap());
  std::string parameters;
  for (const std::string& parameter : Words(proof.parameters)) {
    const size_t equals = parameter.find('=');
    parameters += " -chparam " + parameter.substr(0, equals) + " " + parameter.substr(equals + 1);
  }

  // The outputs of the circuit are the assertions in the order in which `select` lists them, but
  // for those that Yosys saw to be always true, which are gone.
  const test::ToolResult yosys = test::RunTool(
      {"yosys", "-q", "-p",
       "read_verilog -formal " + files + "; hierarchy -check -top " + checker + parameters +
           "; proc; flatten; " + (proof.copies ? "setundef -init -zero; " : "") +
           "tee -q -o assertions select -list t:$assert; opt -nodffe -nosdff; "
           "memory -nordff; opt -nodffe -nosdff; async2sync; dffunmap; techmap; "
           "setundef -undriven -anyseq; opt -nodffe -nosdff; dffunmap; aigmap; opt_clean; "
           "tee -q -o outputs select -list t:$assert; write_aiger -I -B -zinit circuit.aig"},
      folder.path(), kSeconds);
  verdict.log = yosys.output;
  EXPECT_TRUE(yosys.ok()) << yosys.output;
  if (!yosys.ok()) return verdict;
  verdict.assertions = Names(ReadFile(folder.File("assertions")));
  const std::vector<std::string> outputs = Names(ReadFile(folder.File("outputs")));

  const int cycles = bug != nullptr && proof.copies ? kBugCycles : proof.cycles;
  const std::string engine = cycles == 0 ? (proof.copies ? "scorr; dc2; scorr; pdr" : "pdr")
                                         : "bmc3 -F " + std::to_string(cycles);
  const test::ToolResult abc =
      test::RunTool({"yosys-abc", "-c", "read_aiger circuit.aig; fold; strash; " + engine},
                    folder.path(), kSeconds);
  verdict.log += abc.output;
  const std::regex proved(cycles == 0
                              ? "Property proved\\."
                              : "No output asserted in " + std::to_string(cycles) + " frames");
  verdict.proved = std::regex_search(abc.output, proved);
  std::smatch match;
  if (std::regex_search(abc.output, match, std::regex("Output (\\d+) of miter .* was asserted"))) {
    verdict.failed = outputs.at(std::stoul(match[1]));
  }
  verdict.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return verdict;
}

class Formal : public testing::TestWithParam<Proof> {};

TEST_P(Formal, Holds) {
  const Proof& proof = GetParam();
  const Verdict verdict = Prove(proof, nullptr);
  EXPECT_TRUE(verdict.proved) << verdict.log;
  EXPECT_EQ(verdict.failed, "") << verdict.log;
  ASSERT_FALSE(verdict.assertions.empty());
  std::cout << "| `" << proof.modules.front() << "` | " << proof.parameters << " |";
  for (const std::string& assertion : verdict.assertions) std::cout << ' ' << assertion;
  std::cout << " | " << (proof.cycles == 0 ? "every" : std::to_string(proof.cycles)) << " | "
            << proof.bugs.size() << " | " << std::lround(verdict.seconds) << " |\n";
}

TEST_P(Formal, FindsSeededBugs) {
  for (const Bug& bug : GetParam().bugs) {
    const Verdict verdict = Prove(GetParam(), &bug);
    EXPECT_FALSE(verdict.proved) << bug.bad;
    EXPECT_EQ(verdict.failed, bug.assertion) << bug.bad << '\n' << verdict.log;
  }
}

std::string Name(const testing::TestParamInfo<Proof>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Quick, Formal, testing::ValuesIn(kQuick), Name);
INSTANTIATE_TEST_SUITE_P(Slow, Formal, testing::ValuesIn(kSlow), Name);

}  // namespace
}  // namespace edgebert
