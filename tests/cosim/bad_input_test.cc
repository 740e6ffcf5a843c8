// What a user can get wrong, on the programs themselves: each mistake ends with its exit status and
// with messages that name the place and the rule, and leaves every file as it was.
//
// Mistakes on the buses are elsewhere, in top_recovery_cosim_test.cc: error responses
// (ReadErrorsAnywhere, WriteErrors), an abort in the middle (AbortAtAnyMoment), register writes
// while busy (BusyRefusesAndCountersStandStill), weights and tokens that do not belong to the
// program (WeightsOfAnotherProgram, TokensOutsideTheTables).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/checkpoint/safetensors.h"
#include "golden/spec/config.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tool_runner.h"

namespace edgebert {
namespace {

namespace fs = std::filesystem;
using checkpoint::DType;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr int kBadInput = 2;
constexpr int kRunSeconds = 240;

const std::string kWeights = "model/model.safetensors";
const std::string kModelConfig = "model/config.json";
const std::string kTokenizer = "model/tokenizer.model";
const std::string kWords = "albert.embeddings.word_embeddings.weight";

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Relative path and contents of every file and folder.
std::map<std::string, std::string> Snapshot(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    files[fs::relative(entry.path(), folder)] =
        entry.is_directory() ? "a folder" : ReadFile(entry.path());
  }
  return files;
}

void Replace(std::string* text, const std::string& from, const std::string& to) {
  const size_t at = text->find(from);
  EB_CHECK(at != std::string::npos, "no '{}'", from);
  text->replace(at, from.size(), to);
}

/// Files of one run; paths in options are relative to it.
struct Place {
  const TemporaryFolder& folder;

  void Write(const std::string& name, std::string_view text) const { folder.Write(name, text); }
  void Edit(const std::string& name, const std::function<void(std::string&)>& change) const {
    std::string text = ReadFile(folder.File(name));
    change(text);
    Write(name, text);
  }
  void Replace(const std::string& name, const std::string& from, const std::string& to) const {
    Edit(name, [&](std::string& text) { edgebert::Replace(&text, from, to); });
  }
  /// Writes the weights again, with one tensor changed by `change`.
  void EditTensor(
      const std::function<void(checkpoint::TensorInfo&, std::vector<uint8_t>&)>& change) const {
    const auto file = checkpoint::SafetensorsFile::Read(folder.File(kWeights));
    EB_CHECK(file.ok(), "{}", file.error().Format());
    checkpoint::SafetensorsWriter writer;
    for (checkpoint::TensorInfo info : file->tensors()) {
      const auto span = file->Bytes(info);
      std::vector<uint8_t> bytes(span.begin(), span.end());
      if (info.name == kWords) change(info, bytes);
      writer.Add(info.name, info.dtype, info.shape, std::move(bytes));
    }
    EB_CHECK(writer.Write(folder.File(kWeights)).ok(), "cannot write the weights");
  }
  /// Overwrites the sixth word embedding number; a row has 4.
  void SetWeight(float value) const {
    EditTensor([&](checkpoint::TensorInfo&, std::vector<uint8_t>& bytes) {
      std::memcpy(&bytes[5 * sizeof value], &value, sizeof value);
    });
  }
};

using Options = std::map<std::string, std::string>;

struct Mistake {
  std::string name;
  std::vector<std::string> programs;
  std::function<void(const Place&)> make;
  Options options;        ///< over those that are right
  std::string where;      ///< place of the first message
  std::string line_with;  ///< if given, the line that has it belongs to the place
  std::string says;       ///< part of it
  std::string rule;

  friend std::ostream& operator<<(std::ostream& out, const Mistake& mistake) {
    return out << mistake.name;
  }
};

const std::vector<std::string> kAll = {"gen", "golden", "cosim"};
const std::vector<std::string> kRuns = {"golden", "cosim"};  // those that run a model

class BadInput : public testing::TestWithParam<Mistake> {
 protected:
  /// The smallest preset and a random model for it.
  BadInput() {
    folder_.Write("tiny.cfg", ReadFile(EDGEBERT_CONFIGS "/tiny.cfg"));
    const auto config = spec::LoadConfig(folder_.File("tiny.cfg"));
    EB_CHECK(config.ok(), "{}", config.error().Format());
    constexpr uint64_t kSeed = 27;
    checkpoint::Model model;
    model.config = checkpoint::RandomModelConfig(*config, kSeed);
    model.weights = checkpoint::RandomModelWeights(model.config, config->vmac.n, kSeed);
    const auto biases = checkpoint::Calibrate(
        model, checkpoint::RandomSentences(model.config, config->model.seq_len, 2, kSeed),
        checkpoint::FormatOf(*config));
    const std::string path = folder_.File("model");
    EB_CHECK(checkpoint::WriteCheckpoint(model.config, model.weights, path).ok(), "");
    EB_CHECK(checkpoint::WriteCalibratedModel(path, biases, path).ok(), "");
    folder_.Write("data.tsv", "sentence\tlabel\nt5 t4 t9\t0\nt7\t1\n");
    folder_.Write("file", "in the way\n");
    // What an earlier run has left.
    folder_.Write("old.json", "old\n");
    fs::create_directories(folder_.path() / "old/tiny");
    folder_.Write("old/tiny/eb_top.v", "old\n");
  }

  /// `output` is "new" or "old": what the program writes does not exist, or does.
  [[nodiscard]] test::ToolResult Run(const std::string& program, const Options& options,
                                     const std::string& output) const {
    Options all = {{"--config", "tiny.cfg"}};
    if (program == "gen") {
      all["--out"] = output;
    } else {
      all["--model"] = "model";
      all["--json"] = output + ".json";
      if (!options.contains("--data") && !options.contains("--calibrate")) {
        all["--text"] = "t5 t4 t9";
      }
    }
    for (const auto& [option, value] : options) all[option] = value;
    static const std::map<std::string, std::string> kPrograms = {
        {"gen", EDGEBERT_GEN}, {"golden", EDGEBERT_GOLDEN}, {"cosim", EDGEBERT_COSIM}};
    std::vector<std::string> command = {kPrograms.at(program)};
    for (const auto& [option, value] : all) {
      command.push_back(option);
      if (!value.empty()) command.push_back(value);
    }
    return test::RunTool(command, folder_.path(), kRunSeconds);
  }

  TemporaryFolder folder_;
};

using SoundInput = BadInput;

/// Without this, a program that refuses everything would pass.
TEST_F(SoundInput, IsTaken) {
  for (const std::string& program : kAll) {
    const test::ToolResult result = Run(program, {}, "new");
    EXPECT_EQ(result.exit_code, 0) << program << ": " << result.output;
  }
  EXPECT_TRUE(fs::exists(folder_.path() / "new/tiny/eb_top.v"));
  EXPECT_TRUE(fs::exists(folder_.path() / "new.json"));
}

TEST_P(BadInput, IsRefused) {
  const Mistake& mistake = GetParam();
  if (mistake.make) mistake.make(Place{folder_});
  std::string place = mistake.where;
  if (!mistake.line_with.empty()) {
    const std::string text = ReadFile(folder_.File(mistake.where));
    const auto end = text.begin() + static_cast<int64_t>(text.find(mistake.line_with));
    place += fmt::format(":{}", 1 + std::count(text.begin(), end, '\n'));
  }
  if (!place.empty()) place += ": ";
  const auto before = Snapshot(folder_.path());
  for (const std::string& program : mistake.programs) {
    for (const char* output : {"new", "old"}) {
      SCOPED_TRACE(fmt::format("edgebert-{}, output '{}'", program, output));
      const test::ToolResult result = Run(program, mistake.options, output);
      EXPECT_EQ(result.exit_code, kBadInput);
      std::istringstream lines(result.output);
      std::string line;
      for (int number = 0; std::getline(lines, line); ++number) {
        if (number == 0) {
          EXPECT_THAT(line, StartsWith(place + "error: "));
          EXPECT_THAT(line, HasSubstr(mistake.says));
          EXPECT_THAT(line, EndsWith(fmt::format("[{}]", mistake.rule)));
        }
        EXPECT_THAT(line, testing::ContainsRegex("error: .* \\[[a-z0-9-]+\\]$"));
      }
      EXPECT_FALSE(result.output.empty());
      EXPECT_EQ(Snapshot(folder_.path()), before) << "files have changed";
    }
  }
}

/// A configuration of its own in place of tiny.cfg.
Mistake Config(const std::string& name, const std::string& text, int line, const std::string& says,
               const std::string& rule) {
  return {.name = name,
          .programs = kAll,
          .make = [text](const Place& place) { place.Write("tiny.cfg", text); },
          .where = fmt::format("tiny.cfg:{}", line),
          .says = says,
          .rule = rule};
}

std::vector<Mistake> Configurations() {
  return {
      Config("NotAText", "[vmac]\n\x01\x02n = 4\n", 2, "not a text file", "config-syntax"),
      Config("UnknownKey", "[vmac]\nn = 4\nlanes = 3\n", 3, "unknown key 'vmac.lanes'",
             "config-key"),
      Config("ValueOutOfRange", "# a comment\n\n[vmac]\nn = 5\n", 4,
             "'vmac.n' must be one of 4, 8, 16, 32, got 5", "config-range"),
      Config("NotANumber", "[vmac]\nn = many\n", 2, "'vmac.n' must be a whole number, got 'many'",
             "config-number"),
      Config("HugeNumber", "[model]\nhidden = 99999999999999999999\n", 2, "'model.hidden' must be",
             "config-range"),
      Config("KeyTwice", "[vmac]\nn = 4\n[vmac]\nn = 8\n", 4, "'vmac.n' is already set in line 2",
             "config-duplicate"),
      Config("NoEquals", "[vmac]\nn 4\n", 2, "expected 'key = value', got 'n 4'", "config-syntax"),
      Config("KeysThatContradict", "[model]\nhidden = 24\nheads = 5\n", 3,
             "'model.heads' must divide 'model.hidden', got 5 and 24", "config-rule"),
      {.name = "MissingConfig",
       .programs = kAll,
       .options = {{"--config", "nowhere.cfg"}},
       .where = "nowhere.cfg",
       .says = "cannot read the file",
       .rule = "config-file"},
      {.name = "FolderAsConfig",
       .programs = kAll,
       .options = {{"--config", "model"}},
       .where = "model",
       .says = "cannot read the file",
       .rule = "config-file"},
      {.name = "OptionOutOfRange",
       .programs = kAll,
       .options = {{"--axi.data_width", "48"}},
       .where = "command line",
       .says = "'axi.data_width' must be",
       .rule = "config-range"},
  };
}

/// The model needs more than the accelerator has.
Mistake Larger(const std::string& name, const std::string& key, const std::string& value,
               const std::string& says) {
  return {.name = name,
          .programs = kRuns,
          .options = {{"--" + key, value}},
          .where = "model/config.json",
          .says = says,
          .rule = "image-limit"};
}

std::vector<Mistake> Models() {
  const auto weights = [](const std::string& name, std::function<void(const Place&)> make,
                          const std::string& says, const std::string& rule) {
    return Mistake{.name = name,
                   .programs = kRuns,
                   .make = std::move(make),
                   .where = kWeights,
                   .says = says,
                   .rule = rule};
  };
  const auto truncate = [](size_t keep) {
    return [keep](const Place& place) {
      place.Edit(kWeights, [&](std::string& bytes) { bytes.resize(keep); });
    };
  };
  const auto tensor = [](std::function<void(checkpoint::TensorInfo&, std::vector<uint8_t>&)> edit) {
    return [edit](const Place& place) { place.EditTensor(edit); };
  };
  const auto config = [](const std::string& name, const std::string& from, const std::string& to,
                         const std::string& says, const std::string& rule) {
    return Mistake{.name = name,
                   .programs = kRuns,
                   .make = [=](const Place& place) { place.Replace(kModelConfig, from, to); },
                   .where = kModelConfig,
                   .line_with = to,
                   .says = says,
                   .rule = rule};
  };
  return {
      Larger("LayersAboveConfig", "model.layers", "2", "'model.layers' is 2"),
      Larger("VocabularyAboveConfig", "model.vocab", "8", "'model.vocab' is 8"),
      Larger("ClassesAboveConfig", "model.classes", "2", "'model.classes' is 2"),
      weights("EmptyWeights", truncate(0), "the file has 0 bytes", "safetensors-header"),
      weights("WeightsCutInTheLength", truncate(7), "the file has 7 bytes", "safetensors-header"),
      weights("WeightsCutInTheHeader", truncate(100), "but only 92 bytes follow",
              "safetensors-header"),
      weights(
          "WeightsCutInTheData",
          [](const Place& place) {
            place.Edit(kWeights, [](std::string& bytes) { bytes.pop_back(); });
          },
          "outside the", "safetensors-offsets"),
      weights(
          "WeightsTooLong",
          [](const Place& place) { place.Edit(kWeights, [](std::string& b) { b += "more"; }); },
          "4 bytes of data belong to no tensor", "safetensors-offsets"),
      weights(
          "HugeHeader",
          [](const Place& place) { place.Edit(kWeights, [](std::string& b) { b[7] = '\x7f'; }); },
          "more than the format's limit", "safetensors-header"),
      weights("IntegerWeights",
              tensor([](checkpoint::TensorInfo& info, auto&) { info.dtype = DType::kI32; }),
              "'" + kWords + "'", "safetensors-dtype"),
      weights(
          "MislabelledType",
          [](const Place& place) { place.Replace(kWeights, "\"F32\"", "\"F16\""); },
          "but F16 of shape", "safetensors-shape"),
      weights(
          "UnknownType", [](const Place& place) { place.Replace(kWeights, "\"F32\"", "\"F31\""); },
          "has the unknown dtype \"F31\"", "safetensors-dtype"),
      weights("TransposedTensor", tensor([](checkpoint::TensorInfo& info, auto&) {
                std::swap(info.shape[0], info.shape[1]);
              }),
              "'" + kWords + "'", "safetensors-shape"),
      weights("RenamedTensor",
              tensor([](checkpoint::TensorInfo& info, auto&) { info.name += "s"; }),
              "'" + kWords + "'", "safetensors-missing"),
      weights(
          "NanWeight",
          [](const Place& place) { place.SetWeight(std::numeric_limits<float>::quiet_NaN()); },
          "at [1, 1]", "safetensors-value"),
      weights(
          "InfiniteWeight",
          [](const Place& place) { place.SetWeight(-std::numeric_limits<float>::infinity()); },
          "at [1, 1]", "safetensors-value"),
      weights(
          "MissingWeights", [](const Place& place) { fs::remove(place.folder.File(kWeights)); },
          "No such file or directory", "safetensors-io"),
      config("KeyOfAnotherType", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": \"3\"",
             "'num_hidden_layers' is \"3\", not an integer", "model-config-type"),
      config("KeyOutOfRange", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 0",
             "'num_hidden_layers' is 0", "model-config-range"),
      config("TokenOutsideTheVocabulary", "\"cls_token_id\": 2", "\"cls_token_id\": 54",
             "'cls_token_id' is 54", "model-config-range"),
      config("UnknownModelKey", "\"entropy_threshold\"", "\"entropy_thresholds\"",
             "unknown key 'entropy_thresholds' in 'edgebert'", "model-config-unknown"),
      config("NotJson", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": three", "syntax error",
             "model-config-json"),
      {.name = "MissingKey",
       .programs = kRuns,
       .make =
           [](const Place& place) {
             place.Replace(kModelConfig, "\"hidden_size\"", "\"hidden_sizes\"");
           },
       .where = kModelConfig + ":1",
       .says = "'hidden_size' is missing",
       .rule = "model-config-missing"},
      {.name = "NoCalibration",
       .programs = kRuns,
       .make =
           [](const Place& place) {
             place.Edit(kModelConfig, [](std::string& text) {
               const size_t key = text.find("\"activation_bias\"");
               const size_t comma = text.rfind(',', key);
               text.erase(comma, text.find('}', key) + 1 - comma);
             });
           },
       .where = kModelConfig,
       .says = "activation_bias",
       .rule = "calibration-missing"},
      // Its pieces would be token ids beyond the embedding.
      {.name = "TokenizerBeyondTheVocabulary",
       .programs = kRuns,
       .make =
           [](const Place& place) {
             // A message of a tag, a length, and what begins with the tag of the text.
             place.Edit(kTokenizer, [](std::string& model) {
               std::string piece = model.substr(model.rfind('\n') - 2);
               edgebert::Replace(&piece, "t53", "tax");
               model += piece;
             });
           },
       .where = kTokenizer,
       .says = "the tokeniser has 55 pieces, but 'vocab_size' is 54",
       .rule = "tokenizer-model"},
      {.name = "MissingModel",
       .programs = kRuns,
       .options = {{"--model", "nowhere"}},
       .where = "nowhere/config.json",
       .says = "No such file or directory",
       .rule = "model-config-io"},
      {.name = "MissingTokenizer",
       .programs = kRuns,
       .make = [](const Place& place) { fs::remove(place.folder.File(kTokenizer)); },
       .where = kTokenizer,
       .says = "No such file or directory",
       .rule = "tokenizer-io"},
      {.name = "NoTokenizer",
       .programs = kRuns,
       .make = [](const Place& place) { place.Write(kTokenizer, "not a model"); },
       .where = kTokenizer,
       .says = "not a SentencePiece model",
       .rule = "tokenizer-model"},
  };
}

std::vector<Mistake> CommandLines() {
  const auto mistake = [](const std::string& name, const std::string& program,
                          const Options& options, const std::string& says,
                          const std::string& rule) {
    return Mistake{.name = name,
                   .programs = {program},
                   .options = options,
                   .where = "command line",
                   .says = says,
                   .rule = rule};
  };
  const std::string name_rule = "'--name' must be of letters, digits";
  return {
      mistake("NegativeThreshold", "cosim", {{"--threshold", "-5"}}, "from 0 to 65535",
              "cosim-option"),
      mistake("GoldenNegativeThreshold", "golden", {{"--threshold", "-5"}}, "from 0 to 65535",
              "golden-option"),
      mistake("NegativeSeed", "cosim", {{"--seed", "-1"}}, "'--seed'", "cosim-option"),
      mistake("FirstBeyondTheLast", "cosim", {{"--first", "2147483647"}}, "no sentence after",
              "sentence-none"),
      mistake("NameElsewhere", "gen", {{"--name", "../../up"}}, name_rule, "option"),
      mistake("NameAbsolute", "gen", {{"--name", "/abs"}}, name_rule, "option"),
      mistake("NameOfAFolderOfOurs", "gen", {{"--name", "common"}}, name_rule, "option"),
  };
}

std::vector<Mistake> Sentences() {
  const auto text = [](const std::string& name, const Options& options, const std::string& says,
                       const std::string& rule) {
    return Mistake{.name = name,
                   .programs = kRuns,
                   .options = options,
                   .where = "command line",
                   .says = says,
                   .rule = rule};
  };
  const auto data = [](const std::string& name, const std::string& rows, const std::string& line,
                       const std::string& says, const std::string& rule) {
    return Mistake{.name = name,
                   .programs = kRuns,
                   .make = [rows](const Place& place) { place.Write("data.tsv", rows); },
                   .options = {{"--data", "data.tsv"}},
                   .where = "data.tsv" + line,
                   .says = says,
                   .rule = rule};
  };
  const std::string header = "sentence\tlabel\n";
  std::string sixty = "t5";
  for (int i = 1; i < 60; ++i) sixty += " t5";
  return {
      text("EmptySentence", {{"--text", " "}}, "the sentence is empty", "tokenizer-empty"),
      text("EmptySecondSentence", {{"--pair", " "}}, "the sentence is empty", "tokenizer-empty"),
      text("SentenceTooLong", {{"--text", sixty}}, "the sentence has 62 tokens; the model takes",
           "tokenizer-length"),
      text("PairTooLong", {{"--pair", sixty}}, "the sentence pair has 66 tokens; the model takes",
           "tokenizer-length"),
      text("SentenceNotUtf8", {{"--text", "t5 \xff"}}, "not UTF-8 at its byte 4", "tokenizer-utf8"),
      data("NoHeader", "t5 t4\t0\n", ":1", "must be 'sentence<TAB>label'", "dataset-header"),
      data("EmptyFile", "", "", "the file has no sentences", "dataset-sentence"),
      data("HeaderOnly", header, "", "the file has no sentences", "dataset-sentence"),
      data("OneColumn", header + "t5\t0\nt4\n", ":3", "the line has 1 columns, expected 2",
           "dataset-columns"),
      data("ThreeColumns", header + "t5\t0\t1\n", ":2", "the line has 3 columns, expected 2",
           "dataset-columns"),
      data("EmptyRow", header + " \t0\n", ":2", "the sentence is empty", "dataset-sentence"),
      data("LabelOutOfRange", header + "t5\t0\nt4\t17\n", ":3:4", "label '17'", "dataset-label"),
      data("LabelOfNoClass", header + "t5\tgood\n", ":2:4", "label 'good'", "dataset-label"),
      data("RowNotUtf8", header + "t5 \xff\t0\n", ":2:4", "not UTF-8", "dataset-utf8"),
      text("SentenceTooLongForTheAccelerator", {{"--model.seq_len", "4"}},
           "the sentence has 5 tokens, the accelerator takes 4", "sentence-length"),
      {.name = "RowTooLongForTheAccelerator",
       .programs = kRuns,
       .options = {{"--model.seq_len", "4"}, {"--data", "data.tsv"}},
       .where = "data.tsv:2",
       .says = "the sentence has 5 tokens, the accelerator takes 4",
       .rule = "sentence-length"},
      {.name = "NoSentenceForTheImage",
       .programs = {"golden"},
       .options = {{"--text", " "}, {"--image", "new.img"}},
       .where = "command line",
       .says = "the sentence is empty",
       .rule = "tokenizer-empty"},
      {.name = "MissingData",
       .programs = kRuns,
       .options = {{"--data", "nowhere.tsv"}},
       .where = "nowhere.tsv",
       .says = "No such file or directory",
       .rule = "dataset-io"},
      {.name = "FolderAsData",
       .programs = kRuns,
       .options = {{"--data", "model"}},
       .where = "model",
       .says = "Is a directory",
       .rule = "dataset-io"},
  };
}

/// What is to be written cannot be: below a file, below nothing, in place of a folder, and where
/// nobody may write.
std::vector<Mistake> Outputs() {
  std::vector<Mistake> mistakes;
  const auto add = [&](const std::string& name, const std::string& program, const Options& options,
                       const std::string& path, const std::string& rule) {
    mistakes.push_back({.name = name,
                        .programs = {program},
                        .options = options,
                        .where = path,
                        .says = "cannot",
                        .rule = rule});
  };
  const std::vector<std::pair<std::string, std::string>> places = {{"BelowAFile", "file/x"},
                                                                   {"BelowNothing", "nowhere/x"},
                                                                   {"OnAFolder", "model"},
                                                                   {"InProc", "/proc/edgebert"}};
  for (const auto& [name, path] : places) {
    add("GoldenJson" + name, "golden", {{"--json", path}}, path, "golden-json");
    add("CosimJson" + name, "cosim", {{"--json", path}}, path, "cosim-output");
    // As one word, or the file would be a sentence of its own.
    add("CosimTrace" + name, "cosim", {{"--trace=" + path, ""}}, path, "cosim-output");
    add("GoldenImage" + name, "golden", {{"--image", path}}, path, "image-write");
    // Calibration makes the folder it writes, or takes the one that is there.
    if (name != "BelowAFile" && name != "InProc") continue;
    add("GoldenCalibration" + name, "golden", {{"--calibrate", "data.tsv"}, {"--out", path}}, path,
        "calibration-io");
  }
  return mistakes;
}

INSTANTIATE_TEST_SUITE_P(Configuration, BadInput, testing::ValuesIn(Configurations()),
                         testing::PrintToStringParamName());
INSTANTIATE_TEST_SUITE_P(Model, BadInput, testing::ValuesIn(Models()),
                         testing::PrintToStringParamName());
INSTANTIATE_TEST_SUITE_P(CommandLine, BadInput, testing::ValuesIn(CommandLines()),
                         testing::PrintToStringParamName());
INSTANTIATE_TEST_SUITE_P(Sentence, BadInput, testing::ValuesIn(Sentences()),
                         testing::PrintToStringParamName());
INSTANTIATE_TEST_SUITE_P(Output, BadInput, testing::ValuesIn(Outputs()),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace edgebert
