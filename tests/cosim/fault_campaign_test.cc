// Faults of every kind at random moments of a sentence: flipped bits in memories, ReRAM and
// registers, error responses, slaves that answer late or never, aborts and resets. The accelerator
// ends in a state that it reports, or the watchdog tells, and a host brings it back; the
// next sentence is bit-exact after the recovery that docs/architecture.md names.
//
// A case is a kind and a seed: EDGEBERT_FAULT="register-bit 17" runs that one alone (Replay.Case).
// With $EDGEBERT_REPORT the long form writes faults.md into that folder.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cosim/sim/random.h"
#include "golden/spec/isa.h"
#include "tests/cosim/host_rig.h"
#include "tests/cosim/system_support.h"

namespace edgebert {
namespace {

using cosim::AxiResponse;

enum class Kind : uint8_t {
  kMemoryBit,
  kReramBit,
  kRegisterBit,
  kReadError,
  kLoadError,
  kWriteError,
  kLateSlave,
  kDeadSlave,
  kAbort,
  kReset,
};
constexpr std::array kKinds = {"memory-bit", "reram-bit",   "register-bit", "read-error",
                               "load-error", "write-error", "late-slave",   "dead-slave",
                               "abort",      "reset"};

/// How the command with the fault ended.
enum class Ending : uint8_t {
  kRight,     ///< done, and everything as without the fault
  kWrong,     ///< done, with another result
  kError,     ///< with an error code
  kWatchdog,  ///< with the interrupt of the watchdog
  kAborted,   ///< by the host's abort
  kReset,     ///< by the host's reset
  kNothing,   ///< without a word within the host's own limit
};
constexpr std::array kEndings = {"right result", "wrong result", "error code", "watchdog",
                                 "aborted",      "reset",        "nothing"};

/// The first thing a host does that makes the next sentence right.
enum class Recovery : uint8_t { kNothing, kAbort, kLoad, kReset, kReram, kNone };
constexpr std::array kRecoveries = {"next sentence right", "after ABORT",       "after LOAD",
                                    "after reset",         "after a new ReRAM", "never"};

struct Outcome {
  std::string place;  ///< for a row of the table
  std::string detail;
  Ending ending = Ending::kRight;
  uint32_t error = 0;
  Recovery recovery = Recovery::kNone;
  std::string violations;
};

/// Every register and memory of the design.
std::vector<cosim::PublicSignal> AllState() {
  const auto config = spec::LoadConfig(EDGEBERT_CONFIGS "/tiny.cfg");
  EB_CHECK(config.ok(), "{}", config.error().Format());
  static const std::regex kDeclaration(R"(\n *reg\b[^;]*;)");
  static const std::regex kName(R"(\b(\w+_q)\b)");
  std::vector<cosim::PublicSignal> signals = {{"eb_sram_1r1w", "mem", true}};
  for (const auto& [path, text] : cosim::EmitVerilog(*config)) {
    const size_t slash = path.find_last_of('/') + 1;
    const std::string module = path.substr(slash, path.size() - slash - 2);
    std::set<std::string> names;
    for (std::sregex_iterator line(text.begin(), text.end(), kDeclaration), end; line != end;
         ++line) {
      const std::string declaration = line->str();
      for (std::sregex_iterator name(declaration.begin(), declaration.end(), kName); name != end;
           ++name) {
        names.insert(name->str());
      }
    }
    for (const std::string& name : names) signals.push_back({module, name, true});
  }
  return signals;
}

class FaultRig : private HostRig {
 public:
  FaultRig() : HostRig(AllState(), /*stalls=*/0.1) {
    for (const std::string& name : dut_.Names()) {
      if (name.find('.') == std::string::npos) continue;  // a port
      if (name.ends_with("g_array.mem")) memories_.push_back(name);
      if (name.ends_with("_q")) registers_[name.substr(0, name.find('.'))].push_back(name);
    }
    EB_CHECK(memories_.size() > 5 && registers_.size() > 10, "{} memories, registers in {} units",
             memories_.size(), registers_.size());
    // How long a sentence is, and what it moves.
    ColdStart(1);
    const cosim::AxiTraffic before = memory_.traffic();
    const uint64_t start = dut_.cycles();
    EB_CHECK(RunsRight(kFaulty) && RunsRight(kNext), "the design fails without faults");
    cycles_ = (dut_.cycles() - start) / 2;
    write_bursts_ = (memory_.traffic().write_bursts - before.write_bursts) / 2;
  }

  /// One case, from a reset on.
  Outcome Run(Kind kind, uint64_t seed) {
    cosim::Random random(seed * kKinds.size() + static_cast<uint64_t>(kind));
    ColdStart(random.Next());
    Outcome outcome;
    outcome.place = kKinds[static_cast<size_t>(kind)];
    if (kind == Kind::kReramBit) FlipReram(random, &outcome);
    if (kind == Kind::kReadError || kind == Kind::kLoadError) AddReadError(kind, random, &outcome);
    if (kind == Kind::kWriteError) {
      memory_.AddFault(
          {.write = true,
           .burst = memory_.traffic().write_bursts + random.Below(write_bursts_),
           .response = random.Chance(0.5) ? AxiResponse::kSlaveError : AxiResponse::kDecodeError});
    }
    const bool loads = kind == Kind::kLoadError;
    const bool started = loads ? TryWrite("CONTROL", kLoad) : TryStart(sentences_[kFaulty]);
    EB_CHECK(started, "the registers refuse the command");
    const uint64_t moment = random.Below(cycles_);
    if (kind == Kind::kMemoryBit || kind == Kind::kRegisterBit || kind == Kind::kAbort ||
        kind == Kind::kReset || kind == Kind::kDeadSlave || kind == Kind::kLateSlave) {
      outcome.detail += fmt::format("cycle {}", moment);
      for (uint64_t cycle = 0; cycle < moment; ++cycle) bench_.Cycle();
    }
    if (kind == Kind::kMemoryBit) FlipMemory(random, &outcome);
    if (kind == Kind::kRegisterBit) FlipRegister(random, &outcome);
    if (kind == Kind::kDeadSlave || kind == Kind::kLateSlave) memory_.SetStalls(1, 0);
    if (kind == Kind::kLateSlave) {
      for (uint64_t cycle = 0; cycle < cycles_; ++cycle) bench_.Cycle();
      memory_.SetStalls(kStalls, 0);
    }
    if (kind == Kind::kReset) {
      outcome.ending = Ending::kReset;  // which is how the recovery begins
    } else if (kind == Kind::kAbort && !TryWrite("CONTROL", kAbort)) {
      outcome.ending = Ending::kNothing;
    } else {
      End(loads, &outcome);
    }
    outcome.violations =
        test::Format(axi_checker_.violations()) + test::Format(axil_checker_.violations());
    memory_.ClearFaults();
    Recover(&outcome);
    return outcome;
  }

 private:
  static constexpr size_t kFaulty = 1, kNext = 2;  // of sentences_
  static constexpr double kStalls = 0.1;

  /// A design and a ReRAM that know nothing of the case before.
  void ColdStart(uint64_t seed) {
    memory_.ClearFaults();
    memory_.SetStalls(kStalls, 8);
    memory_.Reseed(seed);
    host_.Reseed(seed);
    ProgramReram();
    Reset();
    EB_CHECK(Prepares(), "the design does not start");
  }

  [[nodiscard]] uint64_t Limit() const { return cycles_ == 0 ? 200'000 : 4 * cycles_; }
  [[nodiscard]] bool Silent(Ending ending) const {
    return ending == Ending::kWatchdog || ending == Ending::kNothing;
  }

  bool ClearInterrupt() { return TryWrite("IRQ_STATUS", 15) && irq_.Get() == 0; }

  bool Prepares() {
    return Configure() && TryWrite("WATCHDOG", static_cast<uint32_t>(3 * cycles_)) && Loads();
  }

  bool Loads() {
    return TryWrite("CONTROL", kLoad) && WaitForInterrupt(Limit()) &&
           TryRead("STATUS") == (kDone | kLoaded) && ClearInterrupt();
  }

  /// Whether the registers and the record are those of the golden machine.
  bool IsRight(size_t sentence) {
    auto& expected = golden_[sentence];
    if (expected.empty()) expected = GoldenRecord(sentences_[sentence]);
    return record_ == cosim::WordBytes(expected) && TryRead("EXIT_LAYER") == expected[1] &&
           TryRead("PREDICTION") == expected[2] &&
           TryRead("ENTROPY") == expected[spec::kResultEntropyWord + expected[1] - 1];
  }

  bool RunsRight(size_t sentence) {
    return TryStart(sentences_[sentence]) && WaitForInterrupt(Limit()) &&
           TryRead("STATUS") == (kDone | kLoaded) && TryRead("ERROR") == 0U && IsRight(sentence) &&
           ClearInterrupt();
  }

  /// Waits as a host does: for the interrupt, no longer than the limit.
  void End(bool loads, Outcome* outcome) {
    outcome->ending = Ending::kNothing;
    if (!WaitForInterrupt(Limit())) return;
    const std::optional<uint32_t> events = TryRead("IRQ_STATUS");
    const std::optional<uint32_t> status = TryRead("STATUS");
    const std::optional<uint32_t> error = TryRead("ERROR");
    if (!events || !status || !error) return;
    if ((*events & kTimeout) != 0) {
      outcome->ending = Ending::kWatchdog;
    } else if ((*status & kError) != 0) {
      outcome->ending = Ending::kError;
      outcome->error = *error & 0xff;
    } else if ((*status & kAborted) != 0) {
      outcome->ending = Ending::kAborted;
    } else if ((*status & kDone) != 0) {
      outcome->ending = loads || IsRight(kFaulty) ? Ending::kRight : Ending::kWrong;
    } else {
      return;
    }
    if (!ClearInterrupt()) outcome->ending = Ending::kNothing;
  }

  /// Tries what costs a host least first.
  void Recover(Outcome* outcome) {
    if (!Silent(outcome->ending) && outcome->ending != Ending::kReset && RunsRight(kNext)) {
      outcome->recovery = Recovery::kNothing;
      return;
    }
    if (Silent(outcome->ending) && TryWrite("CONTROL", kAbort) && WaitForInterrupt(Limit()) &&
        ClearInterrupt() && RunsRight(kNext)) {
      outcome->recovery = Recovery::kAbort;
      return;
    }
    if (outcome->ending != Ending::kReset && ClearInterrupt() && Prepares() && RunsRight(kNext)) {
      outcome->recovery = Recovery::kLoad;
      return;
    }
    memory_.SetStalls(kStalls, 8);
    for (const Recovery recovery : {Recovery::kReset, Recovery::kReram}) {
      if (recovery == Recovery::kReram) ProgramReram();
      Reset();
      if (!Prepares() || !RunsRight(kNext)) continue;
      outcome->recovery = recovery;
      return;
    }
  }

  void FlipMemory(cosim::Random& random, Outcome* outcome) {
    const std::string& name = memories_[random.Below(memories_.size())];
    const cosim::Memory memory = dut_.GetMemory(name);
    const size_t word = random.Below(static_cast<uint64_t>(memory.depth()));
    const int bit = static_cast<int>(random.Below(static_cast<uint64_t>(memory.bits())));
    Flip(memory[word], bit);
    outcome->place += ": " + name.substr(0, name.find(".g_array"));
    outcome->detail += fmt::format(", {}[{}] bit {}", name, word, bit);
  }

  void FlipReram(cosim::Random& random, Outcome* outcome) {
    const bool mlc = random.Chance(0.5);
    const size_t bytes = mlc ? image_.reram.mlc.size() : image_.reram.slc.size();
    const char* name = mlc ? "mlc_mem" : "slc_mem";
    const cosim::Memory memory = dut_.GetMemory(std::string("u_reram_macro.g_array.") + name);
    const size_t bit = random.Below(8 * bytes);
    const auto bits = static_cast<size_t>(memory.bits());
    Flip(memory[bit / bits], static_cast<int>(bit % bits));
    outcome->place += mlc ? ": codes" : ": index and masks";
    outcome->detail += fmt::format("{} bit {}", name, bit);
  }

  void FlipRegister(cosim::Random& random, Outcome* outcome) {
    const auto unit =
        std::next(registers_.begin(), static_cast<std::ptrdiff_t>(random.Below(registers_.size())));
    const std::string& name = unit->second[random.Below(unit->second.size())];
    const cosim::Memory words = dut_.GetMemory(name);
    const size_t word = random.Below(static_cast<uint64_t>(words.depth()));
    const int bit = static_cast<int>(random.Below(static_cast<uint64_t>(words.bits())));
    Flip(words[word], bit);
    outcome->place += ": " + unit->first;
    outcome->detail += fmt::format(", {}[{}] bit {}", name, word, bit);
  }

  static void Flip(cosim::Port word, int bit) { word.SetBits(bit, 1, word.GetBits(bit, 1) ^ 1); }

  /// An error response to one beat of what the command reads.
  void AddReadError(Kind kind, cosim::Random& random, Outcome* outcome) {
    const uint64_t beat = static_cast<uint64_t>(config_.axi.data_width) / 8;
    const bool tokens = kind == Kind::kReadError && random.Chance(0.2);
    const uint64_t base = kind == Kind::kLoadError ? kProgramBase
                          : tokens                 ? kTokenBase
                                                   : kWeightBase;
    const uint64_t bytes = kind == Kind::kLoadError ? program_.size()
                           : tokens                 ? 4 * sentences_[kFaulty].size()
                                                    : weights_.size();
    const uint64_t address = base + random.Below(bytes) / beat * beat;
    memory_.AddFault(
        {.first_address = address,
         .last_address = address + beat - 1,
         .response = random.Chance(0.5) ? AxiResponse::kSlaveError : AxiResponse::kDecodeError});
    outcome->detail += fmt::format("address {:#x}", address);
  }

  std::vector<std::string> memories_;
  std::map<std::string, std::vector<std::string>> registers_;  ///< by unit
  uint64_t cycles_ = 0, write_bursts_ = 0;
  std::map<size_t, std::vector<uint32_t>> golden_;
};

/// What must hold of a case. Bits that flip in data may change a result without notice: no memory
/// has parity. Nothing else may.
void ExpectLegal(Kind kind, const Outcome& outcome) {
  const bool flips =
      kind == Kind::kMemoryBit || kind == Kind::kRegisterBit || kind == Kind::kReramBit;
  EXPECT_NE(outcome.recovery, Recovery::kNone);
  if (kind != Kind::kReramBit) EXPECT_NE(outcome.recovery, Recovery::kReram);
  if (kind != Kind::kRegisterBit) {
    EXPECT_NE(outcome.ending, Ending::kNothing);
    EXPECT_EQ(outcome.violations, "");
  }
  if (flips) return;
  EXPECT_NE(outcome.ending, Ending::kWrong);
  switch (kind) {
    case Kind::kReadError:
      // A beat that nobody asked for has no error.
      EXPECT_TRUE(outcome.ending == Ending::kRight || outcome.error == 1U);
      EXPECT_EQ(outcome.recovery, Recovery::kNothing);
      break;
    case Kind::kLoadError:
      EXPECT_EQ(outcome.error, 1U);
      EXPECT_EQ(outcome.recovery, Recovery::kLoad);
      break;
    case Kind::kWriteError:
      EXPECT_EQ(outcome.error, 2U);
      EXPECT_EQ(outcome.recovery, Recovery::kNothing);
      break;
    case Kind::kAbort:
      EXPECT_TRUE(outcome.ending == Ending::kRight || outcome.ending == Ending::kAborted);
      EXPECT_EQ(outcome.recovery, Recovery::kNothing);
      break;
    case Kind::kLateSlave:
      EXPECT_EQ(outcome.ending, Ending::kRight);
      EXPECT_EQ(outcome.recovery, Recovery::kNothing);
      break;
    case Kind::kDeadSlave:
      EXPECT_TRUE(outcome.ending == Ending::kRight || outcome.ending == Ending::kWatchdog);
      break;
    default:
      EXPECT_EQ(outcome.recovery, Recovery::kReset);
  }
}

std::string Describe(Kind kind, uint64_t seed, const Outcome& outcome) {
  return fmt::format("EDGEBERT_FAULT=\"{} {}\": {}, {}{}, {}", kKinds[static_cast<size_t>(kind)],
                     seed, outcome.detail, kEndings[static_cast<size_t>(outcome.ending)],
                     outcome.error == 0 ? "" : fmt::format(" {}", outcome.error),
                     kRecoveries[static_cast<size_t>(outcome.recovery)]);
}

/// Cases by place, ending and recovery.
struct Row {
  int cases = 0;
  std::array<int, kEndings.size()> endings{};
  std::array<int, kRecoveries.size()> recoveries{};
};
using Table = std::map<std::string, Row>;

Table RunCampaign(uint64_t first_seed, const std::map<Kind, int>& cases) {
  FaultRig rig;
  Table table;
  for (const auto& [kind, count] : cases) {
    for (uint64_t seed = first_seed; seed < first_seed + static_cast<uint64_t>(count); ++seed) {
      const Outcome outcome = rig.Run(kind, seed);
      const std::string text = Describe(kind, seed, outcome);
      SCOPED_TRACE(text);
      ExpectLegal(kind, outcome);
      Row& row = table[outcome.place];
      ++row.cases;
      ++row.endings[static_cast<size_t>(outcome.ending)];
      ++row.recoveries[static_cast<size_t>(outcome.recovery)];
    }
  }
  return table;
}

std::string Format(const Table& table) {
  std::string text =
      fmt::format("| fault | cases | {} | {} |\n|---|{}\n", fmt::join(kEndings, " | "),
                  fmt::join(kRecoveries, " | "), [] {
                    std::string rule;
                    for (size_t i = 0; i <= kEndings.size() + kRecoveries.size(); ++i) {
                      rule += "---:|";
                    }
                    return rule;
                  }());
  for (const auto& [place, row] : table) {
    text += fmt::format("| {} | {} | {} | {} |\n", place, row.cases, fmt::join(row.endings, " | "),
                        fmt::join(row.recoveries, " | "));
  }
  return text;
}

TEST(Faults, EndReportedAndAreRecoveredFrom) {
  std::map<Kind, int> cases;
  for (size_t kind = 0; kind < kKinds.size(); ++kind) cases[static_cast<Kind>(kind)] = 8;
  cases[Kind::kRegisterBit] = 40;
  cases[Kind::kMemoryBit] = 20;
  const Table table = RunCampaign(1, cases);
  fmt::print("{}", Format(table));
  // The flips reach the design.
  int wrong = 0;
  for (const auto& [place, row] : table) wrong += row.endings[static_cast<size_t>(Ending::kWrong)];
  EXPECT_GT(wrong, 0);
}

constexpr const char* kReport = R"(# Faults

Written by `scripts/robustness.sh fault_campaign`: a fault a case, at a random moment of a sentence on the RTL of tiny, with
stalls. How the command ended, and the first thing a host does that makes the next sentence bit-exact
(docs/architecture.md, "Recovery"). WATCHDOG is three times the cycles of a sentence; "nothing": no interrupt
within four times. Memories, ReRAM and registers have neither parity nor ECC: a bit that flips in data changes the
result and nobody notices. Only flips may end with a wrong result, and only those of registers with nothing (the flip is in
the watchdog, the interrupt or the reset itself); bus errors, late and dead slaves, aborts and resets never do: the
test says so.

)";

void WriteReport(const char* folder, const Table& table) {
  std::ofstream(std::string(folder) + "/faults.md") << kReport << Format(table);
}

TEST(FaultsSlow, Thousands) {
  std::map<Kind, int> cases;
  for (size_t kind = 0; kind < kKinds.size(); ++kind) cases[static_cast<Kind>(kind)] = 100;
  cases[Kind::kRegisterBit] = 1000;
  cases[Kind::kMemoryBit] = 500;
  const Table table = RunCampaign(1000, cases);
  const std::string text = Format(table);
  fmt::print("{}", text);
  const char* folder = std::getenv("EDGEBERT_REPORT");
  if (folder != nullptr && !testing::Test::HasFailure()) WriteReport(folder, table);
}

TEST(Replay, Case) {
  const char* text = std::getenv("EDGEBERT_FAULT");
  if (text == nullptr) return;
  std::istringstream words(text);
  std::string name;
  uint64_t seed = 0;
  ASSERT_TRUE(words >> name >> seed) << text;
  const auto found = std::ranges::find(kKinds, name);
  ASSERT_NE(found, kKinds.end()) << name;
  const auto kind = static_cast<Kind>(found - kKinds.begin());
  const Outcome outcome = FaultRig().Run(kind, seed);
  fmt::print("{}\n{}", Describe(kind, seed, outcome), outcome.violations);
  ExpectLegal(kind, outcome);
}

}  // namespace
}  // namespace edgebert
