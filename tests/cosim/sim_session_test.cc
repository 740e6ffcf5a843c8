// The program edgebert-cosim: command line, exit status, JSON, traces, and the replay of a
// divergence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cosim/program/session.h"
#include "cosim/sim/process.h"
#include "tests/support/temporary_folder.h"

namespace edgebert::cosim {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kConfig = EDGEBERT_CONFIGS "/tiny.cfg";

Result<std::optional<Options>> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "edgebert-cosim");
  return Options::Parse(static_cast<int>(arguments.size()), arguments.data());
}

Options MustParse(const std::vector<const char*>& arguments) {
  auto parsed = Parse(arguments);
  EB_CHECK(parsed.ok() && parsed->has_value(), "{}", parsed.error().Format());
  return **parsed;
}

ProcessResult RunProgram(std::vector<std::string> arguments, const TemporaryFolder& folder,
                         std::vector<std::string> before = {}) {
  before.push_back(EDGEBERT_COSIM);
  before.insert(before.end(), arguments.begin(), arguments.end());
  auto result = RunProcess(before, folder.path().string());
  EB_CHECK(result.ok(), "{}", result.error().Format());
  return *result;
}

/// The cycles of a trace: times of its first and last change, in clock periods.
std::pair<uint64_t, uint64_t> TracedCycles(const std::string& file) {
  const auto vcd = RunProcess({"fst2vcd", file}, "/");
  EB_CHECK(vcd.ok() && vcd->exit_code == 0, "fst2vcd fails");
  std::istringstream lines(vcd->output);
  uint64_t first = 0;
  uint64_t last = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("#")) continue;
    last = std::stoull(line.substr(1));
    if (first == 0) first = last;
  }
  return {first / 10, last / 10};
}

TEST(Options, RefusesWhatDoesNotFitTogether) {
  for (const auto& arguments : std::vector<std::vector<const char*>>{
           {},
           {"--model", "x"},
           {"--model", "x", "--text", "a", "--data", "b"},
           {"--text", "a"},
           {"--random-model", "1"},
           {"--random-model", "1", "--config", "c", "--text", "a"},
           {"--random-model", "x", "--config", "c"},
           {"--model", "x", "--data", "b", "--pair", "c"},
           {"--model", "x", "--data", "b", "--stalls", "1"},
           {"--model", "x", "--data", "b", "--stalls", "nan"},
           {"--model", "x", "--data", "b", "--limit", "-1"},
           {"--model", "x", "--data", "b", "--reram-faults", "1.5"},
           {"--model", "x", "--data", "b", "--trace-from", "3"},
           {"--model", "x", "--data", "b", "--trace", "--trace-from", "op"},
           {"--model", "x", "--data", "b", "--trace", "--trace-to", "12x"},
           {"--model", "x", "--data", "b", "--unknown"},
           {"--model", "x", "--data", "b", "stray"}}) {
    EXPECT_FALSE(Parse(arguments).ok()) << testing::PrintToString(arguments);
  }
}

TEST(Options, ReadsTracePoints) {
  const Options options = MustParse(
      {"--model", "x", "--data", "b", "--trace", "--trace-from", "op:12", "--trace-to", "3456"});
  EXPECT_EQ(options.trace, "edgebert.fst");
  EXPECT_TRUE(options.trace_from->is_op);
  EXPECT_EQ(options.trace_from->number, 12U);
  EXPECT_FALSE(options.trace_to->is_op);
  EXPECT_EQ(options.trace_to->number, 3456U);
  EXPECT_EQ(MustParse({"--model", "x", "--data", "b", "--trace=my.fst"}).trace, "my.fst");
}

TEST(Options, RepeatsItselfForAReplay) {
  const Options options = MustParse({"--model", "a dir", "--data", "b", "--seed", "4", "--vmac.n",
                                     "8", "--limit", "9", "--json", "j"});
  EXPECT_EQ(options.ReplayLine(3, 1, "d.fst", 10, 20),
            "edgebert-cosim --model 'a dir' --data b --seed 4 --vmac.n 8 --first 3 --limit 1 "
            "--trace=d.fst --trace-from 10 --trace-to 20");
  EXPECT_EQ(MustParse({"--model", "m", "--text", "it's"}).ReplayLine(0, 1, "d.fst", 1, 2),
            "edgebert-cosim --model m --text 'it'\\''s' --trace=d.fst --trace-from 1 "
            "--trace-to 2");
}

TEST(Session, ReplaysADivergenceWithWaves) {
  // The exit unit sees the complement of the threshold: the first EXIT decides otherwise.
  const Options options = MustParse(
      {"--config", kConfig, "--random-model", "9", "--threshold", "0", "--stalls", "0.2"});
  const auto workload = PrepareWorkload(options);
  ASSERT_TRUE(workload.ok()) << workload.error().Format();
  VerilogFiles files = EmitVerilog(workload->config);
  const std::string sound = "(threshold)";
  for (auto& [name, text] : files) {
    if (!name.ends_with("eb_top.v")) continue;
    const size_t place = text.find(sound, text.find("u_exit ("));
    ASSERT_NE(place, std::string::npos);
    text.replace(place, sound.size(), "(~threshold)");
  }
  Session session(options, *workload, files, {}, {});
  const Status built = session.Build();
  ASSERT_TRUE(built.ok()) << built.error().Format();
  const SentenceOutcome outcome = session.Run(0);
  ASSERT_TRUE(outcome.divergence.has_value());
  EXPECT_EQ(outcome.divergence->kind, "program");
  EXPECT_THAT(outcome.divergence->place, HasSubstr("layer 0"));

  const TemporaryFolder folder;
  const std::string trace = folder.File("divergence.fst");
  const auto replay = session.Replay(0, trace);
  ASSERT_TRUE(replay.ok()) << replay.error().Format();
  EXPECT_EQ(replay->failure, "");
  const uint64_t cycle = outcome.divergence->cycle;
  EXPECT_THAT(replay->command,
              HasSubstr(fmt::format("--first 0 --limit 1 --trace={} --trace-from {} --trace-to {}",
                                    trace, cycle - 5000, cycle + 50)));
  const auto [first, last] = TracedCycles(trace);
  EXPECT_EQ(first, cycle - 5000);
  EXPECT_GE(last, cycle);
  EXPECT_LE(last, cycle + 52);
}

TEST(Program, RunsARandomModelAndWritesJson) {
  const TemporaryFolder folder;
  const auto result =
      RunProgram({"--config", kConfig, "--random-model", "3", "--limit", "2", "--stalls", "0.1",
                  "--random-init", "--threshold", "0", "--json", "out.json"},
                 folder);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("2 of 2 sentences"));
  const auto json = nlohmann::json::parse(std::ifstream(folder.File("out.json")));
  EXPECT_TRUE(json["summary"]["bit_exact"]);
  ASSERT_EQ(json["sentences"].size(), 2U);
  for (const auto& sentence : json["sentences"]) {
    const auto& counters = sentence["counters"];
    EXPECT_EQ(sentence["bit_exact"], true);
    EXPECT_EQ(sentence["cycles"], counters["CYCLES"]);
    EXPECT_EQ(sentence["mac_cycles"], counters["MAC_CYCLES"]);
    EXPECT_EQ(sentence["entropy"].size(), sentence["exit_layer"].get<size_t>());
    const auto& logits = sentence["logits"];
    const auto largest = std::max_element(logits.begin(), logits.end());
    EXPECT_EQ(sentence["predicted"], largest - logits.begin());
    EXPECT_GT(counters["MAC_CYCLES"].get<int>(), 0);
    EXPECT_FALSE(sentence.contains("label"));
  }
  // The second of the random sentences has one token.
  EXPECT_EQ(json["sentences"][1]["tokens"].size(), 1U);
}

TEST(Program, PackedWeightsGiveTheSameAnswersInFewerCycles) {
  const TemporaryFolder folder;
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"--config", kConfig,      "--random-model", "5",
                                          "--limit",  "1",          "--threshold",    "0",
                                          "--json",   "result.json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = RunProgram(arguments, folder);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return nlohmann::json::parse(std::ifstream(folder.File("result.json")))["sentences"][0];
  };
  const auto plain = run({});
  const auto packed = run({"--pack-weights"});
  EXPECT_EQ(packed["logits"], plain["logits"]);
  EXPECT_EQ(packed["entropy"], plain["entropy"]);
  EXPECT_LT(packed["mac_cycles"], plain["mac_cycles"]);
  EXPECT_LT(packed["cycles"], plain["cycles"]);
}

TEST(Program, AgreesUnderFaultsOfTheReram) {
  const TemporaryFolder folder;
  const auto run = [&](const std::string& rate, const std::string& map,
                       const std::string& cell_bits) {
    const auto result =
        RunProgram({"--config", kConfig, "--random-model", "9", "--limit", "2", "--threshold", "0",
                    "--random-init", "--reram-faults", rate, "--fault-map", map,
                    "--reram.bits_per_cell", cell_bits, "--json", "result.json"},
                   folder);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    const auto json = nlohmann::json::parse(std::ifstream(folder.File("result.json")));
    for (const auto& sentence : json["sentences"]) {
      // Masks lose and gain ones; the cycles are still those of the model.
      EXPECT_EQ(sentence["predicted_cycles"], sentence["cycles"]);
    }
    return json["sentences"][0]["logits"];
  };
  const auto sound = run("0", "1", "2");
  // At 0.05 most index entries lead elsewhere, some beyond the memory.
  std::vector<nlohmann::json> answers = {sound};
  for (const char* cell_bits : {"1", "2", "3"}) {
    for (const char* map : {"1", "2"}) {
      const auto logits = run("0.05", map, cell_bits);
      for (const auto& other : answers) EXPECT_NE(logits, other);
      answers.push_back(logits);
    }
  }
}

TEST(Program, CorrectsFaultsOfTheReram) {
  const TemporaryFolder folder;
  std::string output;
  const auto run = [&](const std::string& rate, const std::string& map,
                       const std::string& word_bits, int exit_code) {
    const auto result =
        RunProgram({"--config", kConfig, "--random-model", "9", "--limit", "2", "--threshold", "0",
                    "--random-init", "--reram-faults", rate, "--fault-map", map, "--reram.ecc",
                    "secded", "--reram.word_bits", word_bits, "--json", "result.json"},
                   folder);
    EXPECT_EQ(result.exit_code, exit_code) << result.output;
    output = result.output;
    return nlohmann::json::parse(std::ifstream(folder.File("result.json")))["sentences"];
  };
  for (const char* word_bits : {"32", "64", "128"}) {
    const auto sound = run("0", "1", word_bits, 0);
    EXPECT_EQ(sound[0]["counters"]["RERAM_CORRECTED"], 0);
    // Words with a wrong bit, and in these maps none that is read with two.
    const auto corrected = run("0.002", "2", word_bits, 0);
    ASSERT_EQ(corrected.size(), sound.size());
    int count = 0;
    for (size_t i = 0; i < sound.size(); ++i) {
      EXPECT_EQ(corrected[i]["logits"], sound[i]["logits"]);
      EXPECT_EQ(corrected[i]["cycles"], sound[i]["cycles"]);
      EXPECT_EQ(corrected[i]["predicted_cycles"], corrected[i]["cycles"]);
      count += corrected[i]["counters"]["RERAM_CORRECTED"].get<int>();
    }
    EXPECT_GT(count, 0) << word_bits;
    // Most words have several.
    const auto failed = run("0.05", "1", word_bits, 2);
    EXPECT_EQ(failed[0]["bit_exact"], true);
    EXPECT_THAT(output, HasSubstr("error 14")) << word_bits;
  }
}

TEST(Program, RunsAPartOfASentence) {
  const TemporaryFolder folder;
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"--config", kConfig,       "--random-model", "3",
                                          "--limit",  "1",           "--threshold",    "0",
                                          "--json",   "result.json", "--stalls",       "0.2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = RunProgram(arguments, folder);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return nlohmann::json::parse(std::ifstream(folder.File("result.json")))["sentences"][0];
  };
  const auto whole = run({});
  ASSERT_EQ(whole["exit_layer"], 2);
  const auto first = run({"--rtl-from", "op:0", "--rtl-to", "layer:0"});
  const auto second = run({"--rtl-from", "layer:1"});
  EXPECT_EQ(first["entropy"][0], whole["entropy"][0]);
  EXPECT_EQ(second["entropy"][0], whole["entropy"][1]);
  EXPECT_EQ(second["logits"], whole["logits"]);
  const auto count = [](const nlohmann::json& json) {
    return json["counters"]["ACTIVATION_WRITES"].get<int>();
  };
  EXPECT_EQ(count(first) + count(second), count(whole));
  // Every operation alone, the weight stream anywhere in its segments.
  const int operations = whole["counters"]["INSTRUCTIONS"];
  for (int op = 0; op < operations; op += 5) {
    run({"--rtl-from", fmt::format("op:{}", op), "--rtl-to", fmt::format("op:{}", op + 1)});
  }
}

TEST(Session, FindsABugOnlyInThePartOnTheRtl) {
  const auto divergence = [](const char* from, const char* to) {
    const Options options = MustParse({"--config", kConfig, "--random-model", "3", "--limit", "1",
                                       "--threshold", "0", "--rtl-from", from, "--rtl-to", to});
    const auto workload = PrepareWorkload(options);
    EB_CHECK(workload.ok(), "{}", workload.error().Format());
    VerilogFiles files = EmitVerilog(workload->config);
    const std::string sound = ".wr_data_i(mask),";
    for (auto& [name, text] : files) {
      if (!name.ends_with("eb_softmax.v")) continue;
      text.replace(text.find(sound), sound.size(), ".wr_data_i(~mask),");
    }
    Session session(options, *workload, files, {}, {});
    const Status built = session.Build();
    EB_CHECK(built.ok(), "{}", built.error().Format());
    return session.Run(0).divergence;
  };
  const auto found = divergence("layer:1", "layer:1");
  ASSERT_TRUE(found.has_value());
  EXPECT_THAT(found->place, HasSubstr("layer 1 head 0"));
  EXPECT_THAT(found->place, HasSubstr("softmax"));
  EXPECT_FALSE(divergence("op:0", "op:3").has_value());
}

TEST(Program, RefusesAPartThatIsNotThere) {
  const TemporaryFolder folder;
  const std::vector<std::string> sentence = {"--config", kConfig, "--random-model", "3"};
  for (const auto& [more, message] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--limit", "1", "--rtl-from", "layer:9"},
            "none from layer 9 to layer 9 [slice-range]"},
           {{"--limit", "1", "--rtl-from", "op:9", "--rtl-to", "op:8"}, "[slice-range]"},
           {{"--limit", "2", "--rtl-from", "op:9"}, "--rtl-from is for one sentence"},
           {{"--rtl-from", "9"}, "'--rtl-from' is op:N or layer:N, not '9'"},
           {{"--rtl-to", "op:9"}, "--rtl-to needs --rtl-from"}}) {
    std::vector<std::string> arguments = sentence;
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto result = RunProgram(arguments, folder);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_THAT(result.output, HasSubstr(message));
  }
}

TEST(Program, TracesAWindowOfInstructions) {
  const TemporaryFolder folder;
  const auto result =
      RunProgram({"--config", kConfig, "--random-model", "3", "--limit", "1", "--length", "5",
                  "--trace=ops.fst", "--trace-from", "op:4", "--trace-to", "op:6"},
                 folder);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const auto [first, last] = TracedCycles(folder.File("ops.fst"));
  EXPECT_THAT(result.output, HasSubstr(fmt::format("ops.fst, cycles {} to {}", first, last)));
  EXPECT_GT(first, 100U);
  EXPECT_LT(last - first, 2000U);
}

TEST(Program, ExitStatus) {
  const TemporaryFolder folder;
  EXPECT_EQ(RunProgram({"--help"}, folder).exit_code, 0);
  EXPECT_EQ(RunProgram({"--model", "nowhere", "--text", "a"}, folder).exit_code, 2);
  EXPECT_EQ(
      RunProgram({"--config", kConfig, "--random-model", "1", "--length", "17"}, folder).exit_code,
      2);
  EXPECT_EQ(
      RunProgram({"--config", kConfig, "--random-model", "1", "--json", "no/such/file"}, folder)
          .exit_code,
      2);
  const auto no_tools = RunProgram({"--config", kConfig, "--random-model", "1"}, folder,
                                   {"env", "PATH=/nonexistent"});
  EXPECT_EQ(no_tools.exit_code, 3);
  EXPECT_THAT(no_tools.output, HasSubstr("'verilator' is not installed [tool-missing]"));
}

}  // namespace
}  // namespace edgebert::cosim
