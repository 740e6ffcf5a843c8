// The emitted Verilog in a second simulator: Icarus Verilog, which shares no code with Verilator
// and has unknown values, runs whole sentences in a test bench written in Verilog, and must agree
// with the golden machine in every write-back, register, counter and byte of memory.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "cosim/program/workload.h"
#include "cosim/system/accelerator.h"
#include "generator/emit_all.h"
#include "golden/model/machine.h"
#include "golden/spec/formats.h"
#include "golden/spec/register_map.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tool_runner.h"

namespace edgebert {
namespace {

using cosim::RegisterOffset;
using cosim::Workload;

constexpr const char* kModelSeed = "27";
constexpr const char* kLength = "11";  // an odd number of words: half a beat behind the last token
constexpr int kRunSeconds = 3400;      // of gates
constexpr size_t kCycleLimit = 30'000;

constexpr uint32_t kWrite = 1, kRead = 2, kWait = 3;                  // script
constexpr uint32_t kStart = 1, kLoad = 4;                             // CONTROL
constexpr uint32_t kStatusDone = 2, kStatusLoaded = 8, kIrqDone = 1;  // STATUS, IRQ_STATUS
constexpr uint32_t kFirstAddress = 0x1000;

/// What the programs under test would run with these arguments.
Workload TinyWorkload(const char* length) {
  const std::array arguments = {"edgebert-cosim", "--config", EDGEBERT_CONFIGS "/tiny.cfg",
                                "--random-model", kModelSeed, "--length",
                                length,           "--limit",  "1"};
  auto options = cosim::Options::Parse(static_cast<int>(arguments.size()), arguments.data());
  EB_CHECK(options.ok(), "{}", options.error().Format());
  auto workload = cosim::PrepareWorkload(**options);
  EB_CHECK(workload.ok(), "{}", workload.error().Format());
  return *std::move(workload);
}

/// Memory as the test bench has it: beats from address 0, unknown where nothing was put.
class Memory {
 public:
  explicit Memory(int beat_bytes) : beat_bytes_(static_cast<size_t>(beat_bytes)) {}

  /// Puts bytes on the next beat and returns their address.
  uint32_t Append(std::span<const uint8_t> bytes) {
    const size_t address = (bytes_.size() + beat_bytes_ - 1) / beat_bytes_ * beat_bytes_;
    bytes_.resize(address, kUnknown);
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return static_cast<uint32_t>(address);
  }
  uint32_t Append(std::span<const uint32_t> words) {
    std::vector<uint8_t> bytes;
    for (const uint32_t word : words) {
      for (int b = 0; b < 4; ++b) bytes.push_back(static_cast<uint8_t>(word >> (8 * b)));
    }
    return Append(bytes);
  }
  /// Leaves room; unknown.
  uint32_t Reserve(size_t bytes) {
    const uint32_t address = Append(std::span<const uint8_t>());
    bytes_.resize(address + bytes, kUnknown);
    return address;
  }
  void SetWord(uint32_t address, uint32_t word) {
    for (size_t b = 0; b < 4; ++b) bytes_[address + b] = static_cast<uint8_t>(word >> (8 * b));
  }
  void FlipBits(uint32_t address, int bits) { bytes_[address] ^= bits; }

  /// One beat a line, as $writememh has them.
  [[nodiscard]] std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (size_t beat = 0; beat < bytes_.size(); beat += beat_bytes_) {
      std::string line;
      for (size_t b = beat_bytes_; b-- > 0;) {
        const int byte = beat + b < bytes_.size() ? bytes_[beat + b] : kUnknown;
        line += byte == kUnknown ? "xx" : fmt::format("{:02x}", byte);
      }
      lines.push_back(line);
    }
    return lines;
  }

 private:
  static constexpr int kUnknown = -1;
  size_t beat_bytes_;
  std::vector<int> bytes_;
};

std::string Join(const std::vector<std::string>& lines) {
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

std::vector<std::string> ReadLines(const std::string& path) {
  std::ifstream file(path);
  EB_CHECK(file.good(), "cannot read {}", path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("//")) lines.push_back(line);  // $writememh numbers the lines
  }
  return lines;
}

/// Lanes as `%h` prints a vector: the highest first.
std::string Hex(std::span<const int32_t> lanes, int bits) {
  std::string binary;
  for (size_t lane = lanes.size(); lane-- > 0;) {
    for (int bit = bits; bit-- > 0;) binary += ((lanes[lane] >> bit) & 1) != 0 ? '1' : '0';
  }
  binary.insert(0, (4 - binary.size() % 4) % 4, '0');
  std::string hex;
  for (size_t i = 0; i < binary.size(); i += 4) {
    hex += fmt::format("{:x}", std::stoi(binary.substr(i, 4), nullptr, 2));
  }
  return hex;
}

using UnitLog = std::map<std::string, std::vector<std::string>>;  // events of "0" .. "4" and "read"

/// The write-backs of the golden machine, as the test bench writes them.
class Recorder : public model::MachineObserver {
 public:
  Recorder(const spec::AcceleratorConfig& config, UnitLog* log) : config_(config), log_(*log) {}

  void OnWriteBack(const model::Step& step, const model::WriteBack& write) override {
    switch (write.kind) {
      case model::WriteKind::kActivation:
        Add(step, fmt::format("activation {:05x} {}", write.address,
                              Hex(write.lanes, config_.format.width)));
        break;
      case model::WriteKind::kScore:
        Add(step,
            fmt::format("score {:05x} {}", write.address, Hex(write.lanes, spec::kScoreBits)));
        break;
      case model::WriteKind::kLogit:
        Add(step,
            fmt::format("logit {:04x} {}", write.address, Hex(write.lanes, spec::kFixedBits)));
        break;
      case model::WriteKind::kEntropy:
        entropy_ = Hex(write.lanes, spec::kEntropyBits);
        break;
      case model::WriteKind::kPrediction:
        Add(step, fmt::format("exit {} {}", entropy_, Hex(write.lanes, 8)));
        break;
    }
  }

 private:
  void Add(const model::Step& step, const std::string& event) {
    log_[UnitOf(step)].push_back(event);
  }
  static std::string UnitOf(const model::Step& step) {
    switch (static_cast<spec::Opcode>(step.instruction->Get(spec::kOpcode))) {
      case spec::Opcode::kMatmul:
        return "0";
      case spec::Opcode::kSoftmax:
        return "1";
      case spec::Opcode::kLayerNorm:
        return "2";
      case spec::Opcode::kEmbed:
        return "3";
      default:
        return "4";
    }
  }

  const spec::AcceleratorConfig& config_;
  UnitLog& log_;
  std::string entropy_;
};

/// Sentences on one load of the program, which exit after given layers.
class IcarusSentence : public testing::Test {
 protected:
  explicit IcarusSentence(const char* length = kLength)
      : workload_(TinyWorkload(length)),
        config_(workload_.config),
        memory_(config_.axi.data_width / 8),
        beats_(0) {}

  /// Fills memory, writes the script, and collects from the golden machine what must come of it.
  void Prepare(const std::vector<int>& exit_layers = {2, 3}) {
    const model::Image& image = workload_.image;
    const std::vector<uint32_t>& tokens = workload_.sentences[0].tokens;
    std::vector<uint32_t> program;
    for (const spec::Instruction& instruction : image.program) {
      program.insert(program.end(), instruction.words.begin(), instruction.words.end());
    }
    memory_.Reserve(kFirstAddress);
    WriteAddress("PROGRAM_BASE", memory_.Append(program));
    weights_ = memory_.Append(image.weights);
    WriteAddress("WEIGHT_BASE", weights_);
    WriteAddress("TOKEN_BASE", memory_.Append(tokens));
    Write("IRQ_ENABLE", kIrqDone);
    Write("PROGRAM_LENGTH", static_cast<uint32_t>(image.program.size()));
    Write("LENGTH", static_cast<uint32_t>(tokens.size()));
    Command(kLoad);
    after_ = memory_;

    model::Machine machine(config_, image);
    const std::vector<uint32_t> entropies = machine.Run(tokens, 0).entropies;
    ASSERT_EQ(entropies.size(), 3U);
    ASSERT_LT(entropies[1], entropies[0])
        << "this model has no threshold for an exit after layer 2";
    const std::array<uint32_t, 3> thresholds = {entropies[0] + 1, entropies[0], 0};
    for (const int exit_layer : exit_layers) {
      const uint32_t threshold = thresholds[static_cast<size_t>(exit_layer) - 1];
      Recorder recorder(config_, &expected_);
      const model::SentenceResult& golden = machine.Run(tokens, threshold, &recorder);
      ASSERT_EQ(golden.error, spec::ErrorCode::kNone);
      ASSERT_EQ(golden.exit_layer, exit_layer);
      Write("THRESHOLD", threshold);
      const size_t words = spec::kResultLogitsWord + golden.logits.size();
      const uint32_t record = memory_.Reserve(4 * words);
      ASSERT_EQ(after_.Reserve(4 * words), record);
      WriteAddress("RESULT_BASE", record);
      Command(kStart);
      ExpectResult(golden, record);
    }
    beats_ = memory_.Lines().size();
  }

  void ExpectResult(const model::SentenceResult& golden, uint32_t record) {
    const auto set = [&](size_t word, uint32_t value) {
      after_.SetWord(record + 4 * static_cast<uint32_t>(word), value);
    };
    set(0, spec::kResultMarker);
    set(1, static_cast<uint32_t>(golden.exit_layer));
    set(2, static_cast<uint32_t>(golden.prediction));
    set(3, static_cast<uint32_t>(golden.logits.size()));
    for (size_t layer = 0; layer < golden.entropies.size(); ++layer) {
      set(spec::kResultEntropyWord + layer, golden.entropies[layer]);
    }
    for (size_t c = 0; c < golden.logits.size(); ++c) {
      const auto logit = static_cast<uint32_t>(golden.logits[c]);
      set(spec::kResultLogitsWord + c, logit);
      Expect(spec::kLogitBase + 4 * static_cast<uint32_t>(c), logit);
    }
    Expect(RegisterOffset("EXIT_LAYER"), static_cast<uint32_t>(golden.exit_layer));
    Expect(RegisterOffset("PREDICTION"), static_cast<uint32_t>(golden.prediction));
    Expect(RegisterOffset("ENTROPY"), golden.entropies.back());
    Expect(RegisterOffset("SATURATION"), golden.saturated ? 1 : 0);
    const model::Counts& counts = golden.counts;
    const std::vector<std::pair<const char*, uint64_t>> counters = {
        {"MAC_CYCLES", counts.mac_rows},
        {"GATED_ROWS", counts.gated_rows},
        {"TILES", counts.tiles},
        {"WINDOW_ROWS_SKIPPED", counts.skipped_rows},
        {"ACTIVATION_READS",
         counts.source_reads + counts.residual_reads + counts.held_reads + counts.norm_vectors},
        {"ACTIVATION_WRITES", counts.activation_writes},
        {"SCORE_READS", counts.softmax_tiles},
        {"SCORE_WRITES", counts.score_writes},
        {"INSTRUCTIONS", counts.instructions}};
    for (const auto& [name, value] : counters) ExpectCounter(name, value);
    // An early exit drops what the weight stream has taken for the next layer.
    if (golden.exit_layer != workload_.image.facts.layers) return;
    ExpectCounter("WEIGHT_BEATS", counts.weight_beats);
    ExpectCounter("WEIGHT_NONZEROS", counts.weight_nonzeros);
  }

  void Script(uint32_t operation, uint32_t address = 0, uint32_t data = 0) {
    script_.push_back(fmt::format("{:08x}{:08x}{:08x}", operation, address, data));
  }
  void Write(const char* name, uint32_t value) { Script(kWrite, RegisterOffset(name), value); }
  void WriteAddress(const std::string& name, uint32_t address) {
    Write((name + "_LOW").c_str(), address);
    Write((name + "_HIGH").c_str(), 0);
  }
  void Expect(uint32_t offset, uint32_t value) {
    Script(kRead, offset);
    expected_["read"].push_back(fmt::format("{:08x} {:08x}", offset, value));
  }
  void ExpectCounter(const char* name, uint64_t value) {
    const auto offset = static_cast<uint32_t>(spec::kCounterBase + 8 * cosim::CounterIndex(name));
    Expect(offset, static_cast<uint32_t>(value));
    Expect(offset + 4, static_cast<uint32_t>(value >> 32));
  }
  /// Gives a command, waits, and expects it to end well.
  void Command(uint32_t command) {
    Write("CONTROL", command);
    Script(kWait);
    Expect(RegisterOffset("STATUS"), kStatusDone | kStatusLoaded);
    Expect(RegisterOffset("ERROR"), 0);
    Write("IRQ_STATUS", kIrqDone);
  }

  /// Emits the Verilog, compiles it with the test bench and runs both; neither may complain.
  void Simulate() {
    const Status written = gen::EmitAll(config_, "tiny").WriteTo(folder_.File("rtl"));
    ASSERT_TRUE(written.ok()) << written.error().Format();
    ASSERT_NO_FATAL_FAILURE(Compile());
    ASSERT_EQ(RunCompiled(), "done\n");
    ReadResults();
  }

  /// Compiles what is in the folder.
  void Compile() {
    const std::string rtl = folder_.File("rtl/tiny");
    const model::ReramImage& reram = workload_.image.reram;
    const int word_bytes = config_.reram.word_bits / 8;
    const auto save = [&](const char* name, const std::vector<std::string>& lines) {
      folder_.Write(std::string("rtl/tiny/") + name, Join(lines));
      return lines.size();
    };
    Memory slc(word_bytes);
    slc.Append(reram.slc);
    Memory mlc(word_bytes);
    mlc.Append(reram.mlc);
    save("memory.hex", memory_.Lines());
    const std::vector<std::pair<std::string, size_t>> parameters = {
        {"Lanes", config_.vmac.n},
        {"CodeW", config_.format.width},
        {"AddrW", spec::kAddressBits},
        {"AxiAddrW", config_.axi.addr_width},
        {"AxiDataW", config_.axi.data_width},
        {"AxiIdW", config_.axi.id_width},
        {"MemoryBeats", beats_},
        {"SlcWords", save("slc.hex", slc.Lines())},
        {"MlcWords", save("mlc.hex", mlc.Lines())},
        {"Commands", save("script.hex", script_)},
        {"CycleLimit", kCycleLimit}};
    std::vector<std::string> compile = {"iverilog",        "-g2005", "-Wall",       "-s",
                                        "icarus_sentence", "-o",     "sentence.vvp"};
    for (const auto& [name, value] : parameters) {
      compile.push_back(fmt::format("-Picarus_sentence.{}={}", name, value));
    }
    compile.insert(compile.end(), {"-c", "icarus.f", EDGEBERT_ICARUS_BENCH});
    const test::ToolResult compiled = test::RunTool(compile, rtl, kRunSeconds);
    ASSERT_EQ(compiled.exit_code, 0) << compiled.output;
    ASSERT_EQ(compiled.output, "");
  }

  /// What the test bench prints.
  [[nodiscard]] std::string RunCompiled() const {
    const test::ToolResult run =
        test::RunTool({"vvp", "-n", "sentence.vvp"}, folder_.File("rtl/tiny"), kRunSeconds);
    EXPECT_EQ(run.exit_code, 0) << run.output;
    return run.output;
  }

  void ReadResults() {
    const std::string rtl = folder_.File("rtl/tiny");
    got_.clear();
    for (const std::string& line : ReadLines(rtl + "/log.txt")) {
      const size_t space = line.find(' ');
      got_[line.substr(0, space)].push_back(line.substr(space + 1));
    }
    memory_after_ = ReadLines(rtl + "/memory_after.hex");
  }

  /// The first thing that differs, and where; empty when nothing does.
  [[nodiscard]] std::string FirstDifference() {
    for (const char* unit : {"0", "1", "2", "3", "4", "read"}) {
      const std::string difference = FirstDifference(expected_[unit], got_[unit]);
      if (!difference.empty()) return fmt::format("unit {}, {}", unit, difference);
    }
    const std::string difference = FirstDifference(after_.Lines(), memory_after_);
    return difference.empty() ? "" : "memory, " + difference;
  }

  /// Everything is as the golden machine has it, and there is something of every unit.
  void ExpectEqual() {
    size_t write_backs = 0;
    for (const char* unit : {"0", "1", "2", "3", "4", "read"}) {
      EXPECT_FALSE(expected_[unit].empty()) << unit;
      write_backs += expected_[unit].size();
    }
    write_backs -= expected_["read"].size();
    EXPECT_EQ(got_.size(), expected_.size());
    EXPECT_EQ(FirstDifference(), "");
    fmt::print("{} write-backs, {} register reads, {} beats of memory compared\n", write_backs,
               expected_["read"].size(), memory_after_.size());
  }

  /// The first line that differs; empty when none does.
  static std::string FirstDifference(const std::vector<std::string>& expected,
                                     const std::vector<std::string>& got) {
    for (size_t i = 0; i < std::max(expected.size(), got.size()); ++i) {
      const std::string want = i < expected.size() ? expected[i] : "nothing";
      const std::string have = i < got.size() ? got[i] : "nothing";
      if (want != have) return fmt::format("line {}: expected {}, got {}", i, want, have);
    }
    return "";
  }

  Workload workload_;
  const spec::AcceleratorConfig& config_;
  TemporaryFolder folder_;
  Memory memory_;
  Memory after_{1};
  size_t beats_;
  uint32_t weights_ = 0;
  std::vector<std::string> script_, memory_after_;
  UnitLog expected_, got_;
};

TEST_F(IcarusSentence, AgreesWithTheGoldenMachine) {
  ASSERT_NO_FATAL_FAILURE(Prepare());
  ASSERT_NO_FATAL_FAILURE(Simulate());
  ExpectEqual();
}

/// Two tokens and one layer: what a simulation of gates can do (tests/gate).
class ShortIcarusSentence : public IcarusSentence {
 protected:
  ShortIcarusSentence() : IcarusSentence("2") {}
};

TEST_F(ShortIcarusSentence, AgreesWithTheGoldenMachine) {
  ASSERT_NO_FATAL_FAILURE(Prepare({1}));
  ASSERT_NO_FATAL_FAILURE(Simulate());
  ExpectEqual();
}

TEST_F(IcarusSentence, FindsAChangedWeight) {
  ASSERT_NO_FATAL_FAILURE(Prepare());
  memory_.FlipBits(weights_ + 1, 0x7f);  // gamma of the embedding's LayerNorm, lane 0
  ASSERT_NO_FATAL_FAILURE(Simulate());
  EXPECT_EQ(FirstDifference(expected_["3"], got_["3"]), "");
  EXPECT_NE(FirstDifference(expected_["2"], got_["2"]), "");
}

// ---- Registers without their reset
// ----------------------------------------------------------------

/// A register that is set in a branch `if (!rst_ni)`.
struct Reset {
  std::string file;  ///< path in the folder of the test
  size_t line;       ///< of the assignment, from 0
  std::string name;  ///< "eb_fifo.count_q"
};

class MissingReset : public IcarusSentence {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(Prepare());
    const Status written = gen::EmitAll(config_, "tiny").WriteTo(folder_.File("rtl"));
    ASSERT_TRUE(written.ok()) << written.error().Format();
    ASSERT_NO_FATAL_FAILURE(Compile());
  }

  /// All of the design, but for those of modules that this configuration leaves out.
  [[nodiscard]] std::vector<Reset> Resets() const {
    static const std::regex kBranch(R"(if \(!rst_ni\)( begin)?)");
    static const std::regex kAssignment(R"((\w+)\s*<=)");
    std::vector<Reset> resets;
    const std::vector<std::string> design = ReadLines(folder_.File("rtl/tiny/icarus.f"));
    for (const std::string& entry : design) {
      if (!entry.ends_with(".v")) continue;
      const std::string path = folder_.File("rtl/tiny/" + entry);
      const std::string module = std::filesystem::path(path).stem().string();
      if (module == "eb_resident_weights" || module == "eb_reset_sync") continue;
      const std::vector<std::string> lines = ReadLinesWithComments(path);
      bool in_branch = false;
      for (size_t i = 0; i < lines.size(); ++i) {
        std::smatch match;
        const bool branch = std::regex_search(lines[i], match, kBranch);
        in_branch =
            in_branch ? lines[i].find("end") == std::string::npos : branch && match[1].matched;
        const bool single = branch && !match[1].matched;
        if ((in_branch || single) && std::regex_search(lines[i], match, kAssignment)) {
          resets.push_back({path, i, fmt::format("{}.{}", module, match[1].str())});
        }
      }
    }
    return resets;
  }

  /// What is wrong with the design that has all resets but this one; empty when nothing is.
  std::string Without(const Reset& reset) {
    const std::vector<std::string> lines = ReadLinesWithComments(reset.file);
    std::vector<std::string> edited = lines;
    static const std::regex kStatement(R"(\w+\s*<=.*;)");
    edited[reset.line] = std::regex_replace(lines[reset.line], kStatement, ";");
    EXPECT_NE(edited[reset.line], lines[reset.line]);
    Save(reset.file, edited);
    Compile();
    std::string wrong = RunCompiled();
    if (wrong == "done\n") {
      ReadResults();
      wrong = FirstDifference();
    }
    Save(reset.file, lines);
    return wrong;
  }

 private:
  static std::vector<std::string> ReadLinesWithComments(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  static void Save(const std::string& path, const std::vector<std::string>& lines) {
    std::ofstream(path) << Join(lines);
  }
};

TEST_F(MissingReset, IsSeen) {
  const std::vector<Reset> resets = Resets();
  const auto reset = std::ranges::find(resets, "eb_accumulator.filled_q", &Reset::name);
  ASSERT_NE(reset, resets.end());
  const std::string wrong = Without(*reset);
  fmt::print("{}\n", wrong);
  EXPECT_THAT(wrong, testing::HasSubstr("unknown"));
}

}  // namespace
}  // namespace edgebert
