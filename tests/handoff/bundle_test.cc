// What edgebert-gen writes is enough: a bundle is moved to another place, and every tool runs from
// there on the files it holds, with an environment that names nothing else.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "golden/spec/config.h"
#include "tests/emit/presets.h"
#include "tests/handoff/ipxact_reader.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tool_runner.h"

namespace edgebert {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::HasSubstr;

constexpr int kToolSeconds = 250;
constexpr int kSynthesisSeconds = 3000;

class Bundle : public testing::Test {
 public:
  /// Generates `tiny`, with further options, and moves it.
  explicit Bundle(const std::vector<std::string>& options = {}) {
    std::vector<std::string> command = {EDGEBERT_GEN, "--config", Tiny(),    "--name",
                                        "tiny",       "--out",    "delivery"};
    command.insert(command.end(), options.begin(), options.end());
    const test::ToolResult made = test::RunTool(command, folder_.path());
    EXPECT_TRUE(made.ok()) << made.output;
    fs::rename(folder_.path() / "delivery", folder_.path() / "taken elsewhere");
  }

  static std::string Tiny() { return (test::SourceRoot() / "generator/configs/tiny.cfg").string(); }
  [[nodiscard]] fs::path root() const { return folder_.path() / "taken elsewhere"; }
  [[nodiscard]] fs::path top() const { return root() / "tiny"; }
  [[nodiscard]] std::string Read(const std::string& name) const {
    return test::ReadFile(top() / name);
  }
  /// In the folder of eb_top.v, with nothing in the environment but PATH, HOME and `settings`.
  [[nodiscard]] test::ToolResult Run(std::vector<std::string> command,
                                     const std::vector<std::string>& settings = {},
                                     int seconds = kToolSeconds) const {
    std::vector<std::string> words = {"env", "-i", "PATH=/usr/bin:/bin",
                                      "HOME=" + folder_.path().string()};
    words.insert(words.end(), settings.begin(), settings.end());
    words.insert(words.end(), command.begin(), command.end());
    return test::RunTool(words, top().string(), seconds);
  }
  void ExpectSilent(const std::vector<std::string>& command) const {
    const test::ToolResult result = Run(command);
    EXPECT_TRUE(result.ok()) << command[0];
    EXPECT_EQ(result.output, "") << command[0];
  }

  /// Columns of memories.csv by instance.
  struct Memory {
    std::string wrapper, macro;
    int words, word_bits, write_enables;
  };
  [[nodiscard]] std::map<std::string, Memory> Memories() const {
    std::map<std::string, Memory> memories;
    std::istringstream lines(Read("memories.csv"));
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line, "instance,wrapper,macro,words,word_bits,write_enables,bits,use");
    while (std::getline(lines, line)) {
      std::vector<std::string> cells;
      std::istringstream cell(line);
      for (std::string text; std::getline(cell, text, ',');) cells.push_back(text);
      memories[cells[0]] = {cells[1], cells[2], std::stoi(cells[3]), std::stoi(cells[4]),
                            std::stoi(cells[5])};
    }
    return memories;
  }

  /// A cell of the elaborated design.
  struct Cell {
    std::string type;
    std::map<std::string, int> parameters;
  };
  /// Cells below eb_top whose type starts with one of `prefixes`, by path. `files` are read by
  /// Yosys and `boxes` left as they are.
  [[nodiscard]] std::map<std::string, Cell> Elaborate(
      const std::vector<std::string>& files, const std::vector<std::string>& boxes,
      const std::vector<std::string>& prefixes) const {
    std::string script;
    for (const std::string& file : files) script += "read_verilog -defer " + file + "\n";
    // Stubs come after the files, and take the place of the modules in them.
    for (const std::string& box : boxes) script += "read_verilog -overwrite -lib " + box + "\n";
    script += "hierarchy -check -top eb_top\nproc\nwrite_json design.json\n";
    folder_.Write("elaborate.ys", script);
    const test::ToolResult run = Run({"yosys", "-q", folder_.File("elaborate.ys")});
    EXPECT_TRUE(run.ok()) << run.output;
    std::map<std::string, Cell> found;
    if (run.ok()) Walk(Json::parse(Read("design.json"))["modules"], "eb_top", "", prefixes, &found);
    return found;
  }

 private:
  static void Walk(const Json& modules, const std::string& module, const std::string& path,
                   const std::vector<std::string>& prefixes, std::map<std::string, Cell>* found) {
    for (const auto& [name, cell] : modules.at(module).at("cells").items()) {
      const std::string type = cell.at("type");
      const std::string place = path.empty() ? name : path + "." + name;
      const auto named = [&type](const std::string& prefix) { return type.starts_with(prefix); };
      if (std::ranges::any_of(prefixes, named)) {
        Cell& entry = (*found)[place];
        entry.type = type;
        for (const auto& [key, value] : cell.at("parameters").items()) {
          entry.parameters[key] = std::stoi(value.get<std::string>(), nullptr, 2);
        }
      } else if (modules.contains(type)) {
        Walk(modules, type, place, prefixes, found);
      }
    }
  }

  void TestBody() override {}

 public:
  TemporaryFolder folder_;
};

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with("//") && !line.starts_with("--")) lines.push_back(line);
  }
  return lines;
}

TEST_F(Bundle, EveryPathStaysInside) {
  int lists = 0;
  for (const char* name : {"verilator.f", "icarus.f", "commercial.f", "synthesis.f"}) {
    const std::vector<std::string> files = Lines(Read(name));
    EXPECT_GT(files.size(), 40U) << name;
    for (const std::string& file : files) {
      const fs::path path = fs::weakly_canonical(top() / file);
      EXPECT_TRUE(fs::is_regular_file(path)) << name << ": " << file;
      EXPECT_TRUE(path.string().starts_with(fs::canonical(root()).string()))
          << name << ": " << file;
    }
    ++lists;
  }
  EXPECT_EQ(lists, 4);
  const Json manifest = Json::parse(Read("manifest.json"));
  for (const auto& file : manifest["files"]) {
    EXPECT_TRUE(fs::is_regular_file(top() / file.get<std::string>())) << file;
  }
  // Every file beside eb_top.v is in the manifest, but for the manifest.
  size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(top()))
    files += entry.is_regular_file();
  size_t listed = 1;
  for (const auto& file : manifest["files"]) {
    listed += !file.get<std::string>().starts_with("../");
  }
  EXPECT_EQ(files, listed);
}

TEST_F(Bundle, ToolsReadTheirLists) {
  ExpectSilent({"verilator", "--lint-only", "-Wall", "-F", "verilator.f"});
  ExpectSilent(
      {"verilator", "--lint-only", "-Wall", "--top-module", "eb_top", "-F", "commercial.f"});
  ExpectSilent({"iverilog", "-g2005", "-Wall", "-s", "eb_top", "-o", "top.vvp", "-c", "icarus.f"});
  ExpectSilent({"yosys", "-q", "yosys.ys"});
}

std::string SmokeHash() {
  const auto config =
      spec::LoadConfig((test::SourceRoot() / "generator/configs/tiny.cfg").string());
  EB_CHECK(config.ok(), "{}", config.error().Format());
  return std::to_string(spec::ConfigHash(*config));
}

TEST_F(Bundle, SmokeSimulationInIcarus) {
  ExpectSilent({"iverilog", "-g2005", "-Wall", "-s", "smoke", "-Psmoke.Hash=" + SmokeHash(), "-o",
                "smoke.vvp", "-c", "icarus.f", EDGEBERT_SMOKE});
  const test::ToolResult run = Run({"vvp", "-n", "smoke.vvp"});
  EXPECT_TRUE(run.ok());
  EXPECT_EQ(run.output, "smoke passed\n");
}

TEST_F(Bundle, SynthesisFindsAMacroForEveryMemory) {
  std::map<std::string, std::string> expected;
  std::set<std::string> names;
  for (const auto& [path, memory] : Memories()) {
    const std::string instance = path.substr(0, path.find(':'));
    const std::string scope =
        memory.wrapper == "eb_sram_1r1w" ? ".g_" + memory.macro.substr(3) : "";
    expected[instance + scope + ".u_macro"] = memory.macro;
    names.insert(memory.macro);
  }
  std::map<std::string, std::string> found;
  for (const auto& [path, cell] :
       Elaborate(Lines(Read("synthesis.f")), {}, {names.begin(), names.end()})) {
    found[path] = cell.type;
  }
  EXPECT_GE(found.size(), 17U);
  EXPECT_EQ(found, expected);

  // The black boxes and the placeholder liberty file know the same macros.
  for (const auto& [file, pattern] :
       std::map<std::string, std::string>{{"synthesis/macros.v", R"(\nmodule (\w+) \()"},
                                          {"synthesis/macros.lib", R"(\n  cell \((\w+)\))"}}) {
    const std::string text = Read(file);
    const std::regex name(pattern);
    std::set<std::string> defined;
    for (std::sregex_iterator m(text.begin(), text.end(), name), end; m != end; ++m) {
      defined.insert((*m)[1]);
    }
    EXPECT_EQ(defined, names) << file;
  }
}

TEST_F(Bundle, IpXactAgreesWithTheHeader) {
  const test::ToolResult lint = Run({"xmllint", "--noout", "eb_top.ipxact.xml"});
  EXPECT_TRUE(lint.ok()) << lint.output;
  const auto registers = test::ReadIpXact(Read("eb_top.ipxact.xml"));
  std::map<std::string, uint32_t> defines = test::ReadDefines(Read("eb_registers.h"));
  const std::map<std::string, std::string> accesses = {{"read", "read-only"},
                                                       {"read, write when idle", "read-write"},
                                                       {"read, write", "read-write"},
                                                       {"write, reads 0", "write-only"},
                                                       {"read, write 1 to clear", "read-write"}};
  const std::string document = Read("registers.md");

  // From the component to the header and the page.
  std::set<std::string> used;
  for (const auto& [name, entry] : registers) {
    const bool high = name.ends_with("_HIGH") && name.starts_with("COUNTER_");
    const std::string define = high ? name.substr(0, name.size() - 5) : name;
    ASSERT_TRUE(defines.contains(define)) << name;
    EXPECT_EQ(entry.offset, defines[define] + (high ? 4 : 0)) << name;
    used.insert(define);
    const std::regex row(fmt::format(R"(\| 0x{:03X} \| {} \| ([^|]+) \|)", entry.offset, name));
    std::smatch match;
    if (std::regex_search(document, match, row) && !name.starts_with("COUNTER_")) {
      EXPECT_EQ(entry.access, accesses.at(match[1])) << name;
    } else {
      EXPECT_TRUE(name.starts_with("COUNTER_") || name == "LOGITS") << name;
      EXPECT_EQ(entry.access, "read-only") << name;
    }
    uint32_t covered = 0;
    for (const test::IpXactField& field : entry.fields) {
      EXPECT_EQ(field.access, entry.access) << name;
      EXPECT_EQ(covered & field.Mask(), 0U) << name << "." << field.name << " overlaps";
      covered |= field.Mask();
      if (field.name == "VALUE") continue;
      const std::string mask = name + "_" + field.name + (field.width == 1 ? "" : "_MASK");
      ASSERT_TRUE(defines.contains(mask)) << mask;
      EXPECT_EQ(field.Mask(), defines[mask]) << mask;
      used.insert(mask);
      if (field.width == 1) continue;
      EXPECT_EQ(field.offset, defines[name + "_" + field.name + "_SHIFT"]) << name;
      used.insert(name + "_" + field.name + "_SHIFT");
    }
    const bool clears = name == "IRQ_STATUS";
    EXPECT_EQ(entry.fields[0].modified_write, clears ? "oneToClear" : "") << name;
  }
  // And back: what is left of the header are values and error codes.
  for (const auto& [name, value] : defines) {
    if (name.ends_with("_VALUE") || name == "WINDOW_BYTES") continue;
    if (name.starts_with("ERROR_") && value < 256) continue;
    EXPECT_TRUE(used.contains(name)) << name;
  }
  EXPECT_EQ(registers.at("LOGITS").count, defines.at("CLASSES_VALUE"));
  EXPECT_EQ(registers.at("IDENTITY").fields[0].reset, defines.at("IDENTITY_VALUE"));
  EXPECT_EQ(registers.at("CONFIG_HASH").fields[0].reset, defines.at("CONFIG_HASH_VALUE"));
  EXPECT_EQ(std::to_string(defines.at("CONFIG_HASH_VALUE")), SmokeHash());
  EXPECT_EQ(registers.at("VERSION").fields[0].reset, defines.at("VERSION_VALUE"));
}

/// Also with resident weights, a unit more.
TEST_F(Bundle, PowerDomainsCoverTheUnits) {
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{}, {"--memory.resident_kib", "4"}}) {
    const Bundle bundle(options);
    std::set<std::string> units;
    for (const auto& [path, cell] : bundle.Elaborate(Lines(bundle.Read("icarus.f")), {}, {""})) {
      if (cell.type.find("eb_") != std::string::npos) units.insert(path);
    }
    EXPECT_EQ(units.size(), options.empty() ? 19U : 20U);
    // The file as Tcl: every command must be known, and domains print their elements.
    bundle.folder_.Write("upf.tcl", R"(
foreach command {upf_version set_design_top create_supply_port create_supply_net connect_supply_net
    create_supply_set create_logic_port create_logic_net connect_logic_net create_power_switch
    set_isolation} { proc $command {args} {} }
proc create_power_domain {name args} {
  foreach {option value} [string map {-include_scope {}} $args] {
    if {$option eq "-elements"} { foreach element $value { puts "element $name $element" } }
  }
}
source eb_top.upf
)");
    const test::ToolResult run = bundle.Run({"yosys", "-q", "-c", bundle.folder_.File("upf.tcl")});
    ASSERT_TRUE(run.ok()) << run.output;
    std::set<std::string> domains;
    std::istringstream words(run.output);
    for (std::string word, domain, element; words >> word >> domain >> element;) {
      ASSERT_EQ(word, "element");
      EXPECT_EQ(units.erase(element), 1U) << element << " is no unit, or has two domains";
      domains.insert(domain);
    }
    EXPECT_EQ(domains, (std::set<std::string>{"PD_ARRAY", "PD_MEMORY", "PD_RERAM", "PD_SFU"}));
    EXPECT_EQ(units, (std::set<std::string>{"u_axi_reader", "u_axi_writer", "u_clock_embedding",
                                            "u_clock_exit", "u_clock_layer_norm", "u_clock_softmax",
                                            "u_registers", "u_reset_sync", "u_sequencer",
                                            "u_weight_stream"}))
        << "what is always on";
  }
}

std::set<std::string> Documented(const std::string& flow) {
  std::set<std::string> names;
  std::istringstream lines(test::ReadFile(EDGEBERT_FLOW_VARIABLES));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(flow + " ")) names.insert(line.substr(flow.size() + 1));
  }
  EXPECT_GT(names.size(), 10U);
  return names;
}

TEST_F(Bundle, FlowsFindTheirFiles) {
  const std::set<std::string> openroad = Documented("openroad");
  const std::string text = Read("openroad/config.mk");
  const std::regex variable(R"(\nexport (\w+))");
  int set = 0;
  for (std::sregex_iterator m(text.begin(), text.end(), variable), end; m != end; ++m, ++set) {
    EXPECT_TRUE(openroad.contains((*m)[1])) << (*m)[1];
  }
  EXPECT_GE(set, 8);
  folder_.Write("show.mk",
                "include openroad/config.mk\nall:\n\t@for f in $(VERILOG_FILES) "
                "$(SDC_FILE) $(ADDITIONAL_LIBS); do ls -d \"$$f\"; done\n");
  // make splits paths at blanks.
  const fs::path plain = folder_.path() / "plain";
  fs::copy(root(), plain, fs::copy_options::recursive);
  const test::ToolResult make =
      test::RunTool({"make", "-s", "-f", folder_.File("show.mk")}, (plain / "tiny").string());
  EXPECT_TRUE(make.ok()) << make.output;
  EXPECT_EQ(Lines(make.output).size(), Lines(Read("synthesis.f")).size() + 2);

  const std::set<std::string> librelane = Documented("librelane");
  const Json config = Json::parse(Read("librelane/config.json"));
  size_t files = 0;
  for (const auto& [key, value] : config.items()) {
    EXPECT_TRUE(librelane.contains(key)) << key;
    const Json list = value.is_array() ? value : Json::array({value});
    for (const Json& entry : list) {
      if (!entry.is_string() || !entry.get<std::string>().starts_with("dir::")) continue;
      const std::string file = entry.get<std::string>().substr(5);
      EXPECT_TRUE(fs::is_regular_file(top() / "librelane" / file)) << file;
      ++files;
    }
  }
  EXPECT_EQ(files, Lines(Read("synthesis.f")).size() + 3);
}

TEST_F(Bundle, TemplateAndDriverCompile) {
  ExpectSilent({"verilator", "--lint-only", "-Wall", "--top-module", "eb_top_template", "-F",
                "commercial.f", "integration/eb_top_template.v"});
  ExpectSilent({"iverilog", "-g2005", "-Wall", "-s", "eb_top_template", "-o", "top.vvp", "-c",
                "commercial.f", "integration/eb_top_template.v"});
  for (const char* compiler : {"gcc", "clang"}) {
    ExpectSilent({compiler, "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic",
                  "-c", "integration/eb_driver.c", "-o", "eb_driver.o"});
  }
}

class MacroBundle : public Bundle {
 protected:
  MacroBundle() : Bundle({"--memory.backend", "macro", "--reram.ecc", "secded"}) {}
};

TEST_F(MacroBundle, TheMacroBackEndHasWhatTheListSays) {
  ExpectSilent({"verilator", "--lint-only", "-Wall", "-F", "verilator.f"});
  const std::map<std::string, Cell> found =
      Elaborate(Lines(Read("icarus.f")),
                {"../common/eb_sram_1r1w_macro.v", "../common/eb_reram_array_macro.v"},
                {"eb_sram_1r1w_macro", "eb_reram_array_macro"});
  std::map<std::string, Memory> listed = Memories();
  ASSERT_TRUE(listed.contains("u_reram_macro:slc"));
  const std::string reram = "u_reram_macro.g_macro.u_macro";
  ASSERT_TRUE(found.contains(reram));
  EXPECT_EQ(found.at(reram).parameters.at("SlcWords"), listed["u_reram_macro:slc"].words);
  EXPECT_EQ(found.at(reram).parameters.at("MlcWords"), listed["u_reram_macro:mlc"].words);
  EXPECT_EQ(found.at(reram).parameters.at("WordBits"), listed["u_reram_macro:mlc"].word_bits);
  EXPECT_EQ(listed["u_reram_macro:slc"].word_bits, 64 + 8);
  EXPECT_EQ(found.size() + 1, listed.size()) << "the ReRAM has two lines";
  for (const auto& [path, memory] : listed) {
    if (path.starts_with("u_reram_macro:")) continue;
    const auto cell = found.find(path + ".g_macro.u_macro");
    ASSERT_NE(cell, found.end()) << path;
    const auto& values = cell->second.parameters;
    EXPECT_EQ(values.at("Depth"), memory.words) << path;
    EXPECT_EQ(values.at("Lanes"), memory.write_enables) << path;
    EXPECT_EQ(values.at("Lanes") * values.at("LaneW"), memory.word_bits) << path;
  }
}

/// The text between two headings of sta.tcl.
std::string Section(const std::string& text, const std::string& name) {
  const size_t from = text.find("=== " + name);
  if (from == std::string::npos) return "";
  const size_t to = text.find("===", from + 4);
  return text.substr(from, to == std::string::npos ? to : to - from);
}

/// The number behind `word` in a report.
double Figure(const std::string& text, const std::string& word) {
  const std::regex pattern(word + R"(\s+(-?\d+\.\d+))");
  std::smatch match;
  EXPECT_TRUE(std::regex_search(text, match, pattern)) << word << " in\n" << text;
  return match.empty() ? 0 : std::stod(match[1]);
}

/// What synth.tcl and sta.tcl make of eb_top, with some units left out.
void SynthesiseAndTime(const Bundle& bundle, const std::string& left_out) {
  const test::ToolResult synthesis = bundle.Run({"yosys", "-q", "-c", "synthesis/synth.tcl"},
                                                {"BLACKBOX=" + left_out}, kSynthesisSeconds);
  ASSERT_TRUE(synthesis.ok()) << synthesis.output;
  EXPECT_THAT(bundle.Read("out/stat.txt"), HasSubstr("design hierarchy"));
  EXPECT_THAT(bundle.Read("out/netlist.v"), HasSubstr("eb_sram_16x64_w1 \\g_sram_16x64_w1.u_macro"))
      << "a black box";
  const std::vector<std::string> sta = {"sta", "-no_splash", "-exit", "synthesis/sta.tcl"};
  const test::ToolResult timing = bundle.Run(sta);
  ASSERT_TRUE(timing.ok());
  // Every pattern of the constraints has found its ports, and nothing is missing but what was left
  // out.
  for (const char* wrong : {"Error", "missing set_input_delay", "missing set_output_delay"}) {
    EXPECT_EQ(timing.output.find(wrong), std::string::npos) << timing.output;
  }
  for (const std::string& line : Lines(timing.output)) {
    if (line.find("not found") == std::string::npos) continue;
    EXPECT_FALSE(left_out.empty()) << line;
    EXPECT_THAT(line, HasSubstr("Creating black box for u_"));
  }
  EXPECT_GE(Figure(Section(timing.output, "summary"), "worst slack"), 0) << timing.output;
  // The constraints bind: no such netlist runs at a gigahertz.
  const test::ToolResult tight = bundle.Run(sta, {"CLOCK_PERIOD=1.0"});
  EXPECT_LT(Figure(Section(tight.output, "summary"), "worst slack"), -1) << tight.output;
}

/// The bus masters alone, with the memory of the reader as a macro.
TEST_F(Bundle, SynthesisAndTimingOfAPart) {
  SynthesiseAndTime(*this,
                    "eb_matmul eb_softmax eb_layer_norm eb_exit eb_embedding eb_reram_ctrl "
                    "eb_weight_stream eb_activation_memory eb_sequencer eb_registers");
}

/// Minutes of processor time: whole eb_top.
class SlowBundle : public Bundle {};

TEST_F(SlowBundle, SynthesisAndTiming) { SynthesiseAndTime(*this, ""); }

TEST_F(SlowBundle, SmokeSimulationInVerilator) {
  // make refuses folders with a blank.
  const std::string folder = folder_.File("obj");
  const test::ToolResult built =
      Run({"verilator", "--binary", "-Wno-PINMISSING", "--top-module", "smoke",
           "-GHash=" + SmokeHash(), "--Mdir", folder, "-F", "commercial.f", EDGEBERT_SMOKE},
          {}, kSynthesisSeconds);
  ASSERT_TRUE(built.ok()) << built.output;
  const test::ToolResult run = Run({folder + "/Vsmoke"});
  EXPECT_TRUE(run.ok()) << run.output;
  EXPECT_THAT(run.output, HasSubstr("smoke passed\n"));
}

}  // namespace
}  // namespace edgebert
