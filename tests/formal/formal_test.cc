// Proofs about emitted units. A checker, tests/formal/NAME_formal.v, drives a unit with free inputs
// and asserts what it promises; Yosys makes a circuit of both, and ABC's property-directed
// reachability proves that no assertion fails in any state that can be reached, or searches a
// stated number of cycles. Bugs seeded one at a time into the unit must fail the assertion named.
//
// Each proof prints a row of docs/results/formal.md (scripts/formal.sh).

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"
#include "tests/support/tool_runner.h"

namespace edgebert {
namespace {

constexpr int kSeconds = 600;
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
              {"eb_axi_writer", "assign wr_ready_o = (!aw_valid_q) &&", "assign wr_ready_o =",
               "aw_once"},
              {"eb_axi_writer", "(!w_valid_q) && (count_q", "(count_q", "w_once"},
              {"eb_axi_writer", "m_axi_bvalid_i && m_axi_bresp_i[1]", "m_axi_bresp_i[1]", "errors"},
              {"eb_axi_writer", "addr_q[31:0] >> 2", "addr_q[31:0] >> 3", "w_lanes"},
              {"eb_axi_writer", "count_q != Outstanding", "count_q <= Outstanding", "outstanding"},
              {"eb_axi_writer", "m_axi_wlast_o   = 1'b1", "m_axi_wlast_o   = w_valid_q && (!aw_valid_q)", "w_last"}}},
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
    {.name = "ResetSync",
     .checker = "reset_sync",
     .parameters = "",
     .modules = {"eb_reset_sync"},
     .bugs = {{"eb_reset_sync", "{release_q[0], 1'b1}", "2'b11", "released"},
              {"eb_reset_sync", " or negedge rst_ni", "", "at_once"}}},
};

const std::vector<Proof> kSlow = {
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
               "errors"},
              {"eb_axi_reader", "error_q     <= push &&", "error_q     <= m_axi_rvalid_i &&",
               "errors"},
              {"eb_axi_reader", "(level_q != {LEVEL_W{1'b0}}) && ((!out", "((!out", "beats_held"}}},
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
           "; proc; flatten; tee -q -o assertions select -list t:$assert; opt -nodffe -nosdff; "
           "memory -nordff; opt -nodffe -nosdff; async2sync; dffunmap; techmap; "
           "setundef -undriven -anyseq; opt -nodffe -nosdff; dffunmap; aigmap; opt_clean; "
           "tee -q -o outputs select -list t:$assert; write_aiger -I -B -zinit circuit.aig"},
      folder.path(), kSeconds);
  verdict.log = yosys.output;
  EXPECT_TRUE(yosys.ok()) << yosys.output;
  if (!yosys.ok()) return verdict;
  verdict.assertions = Names(ReadFile(folder.File("assertions")));
  const std::vector<std::string> outputs = Names(ReadFile(folder.File("outputs")));

  const std::string engine = proof.cycles == 0 ? "pdr" : "bmc3 -F " + std::to_string(proof.cycles);
  const test::ToolResult abc =
      test::RunTool({"yosys-abc", "-c", "read_aiger circuit.aig; fold; strash; " + engine},
                    folder.path(), kSeconds);
  verdict.log += abc.output;
  const std::regex proved(proof.cycles == 0 ? "Property proved\\."
                                            : "No output asserted in " +
                                                  std::to_string(proof.cycles) + " frames");
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
