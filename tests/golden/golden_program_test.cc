// The program edgebert-golden, run on the shipped model and on a random one. EDGEBERT_GOLDEN is its
// path.
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "golden/checkpoint/file.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/model/image.h"
#include "tests/golden/random_model.h"
#include "tests/support/temporary_folder.h"

namespace edgebert {
namespace {

constexpr const char* kShipped = EDGEBERT_SHIPPED_MODEL;
constexpr const char* kData =
    "sentence\tlabel\n"
    "a lovely, gripping film\t1\n"
    "a dreadful waste of time\t0\n";

class GoldenProgram : public testing::Test {
 protected:
  /// Exit status.
  [[nodiscard]] int Run(const std::string& arguments) const {
    const std::string command = std::string("'") + EDGEBERT_GOLDEN + "' " + arguments + " > '" +
                                folder_.File("out") + "' 2> '" + folder_.File("err") + "'";
    return WEXITSTATUS(std::system(command.c_str()));
  }
  [[nodiscard]] int RunShipped(const std::string& arguments) const {
    return Run(std::string("--model '") + kShipped + "' " + arguments);
  }
  [[nodiscard]] std::string Output() const { return Text("out"); }
  [[nodiscard]] std::string Messages() const { return Text("err"); }
  [[nodiscard]] std::string Text(const std::string& name) const {
    return checkpoint::ReadTextFile(folder_.File(name), "test").value();
  }

  TemporaryFolder folder_;
};

TEST_F(GoldenProgram, RunsADataSetAndWritesJson) {
  const std::string data = folder_.Write("data.tsv", kData);
  ASSERT_EQ(RunShipped("--data " + data + " --threshold 0 --reference --json " +
                       folder_.File("result.json")),
            0)
      << Messages();
  EXPECT_EQ(Messages(), "");
  EXPECT_NE(Output().find("accuracy                     100.00 %"), std::string::npos) << Output();
  EXPECT_NE(Output().find("same answer                  100.00 %"), std::string::npos) << Output();
  const auto json = nlohmann::json::parse(Text("result.json"));
  ASSERT_EQ(json["sentences"].size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    const auto& sentence = json["sentences"][i];
    EXPECT_EQ(sentence["label"], 1 - static_cast<int>(i));
    EXPECT_EQ(sentence["predicted"], sentence["label"]);
    EXPECT_EQ(sentence["exit_layer"], 12);
    EXPECT_EQ(sentence["entropy"].size(), 12U);
    EXPECT_EQ(sentence["logits"].size(), 2U);
    EXPECT_EQ(sentence["tokens"].front(), 3);  // [CLS]
    EXPECT_EQ(sentence["tokens"].back(), 4);   // [SEP]
  }
  EXPECT_EQ(json["sentences"][0]["text"], "a lovely, gripping film");
  double predicted = 0;
  for (const auto& sentence : json["sentences"]) {
    EXPECT_GT(sentence["predicted_cycles"], sentence["mac_cycles"]);
    predicted += sentence["predicted_cycles"].get<double>() / 2;
  }
  EXPECT_EQ(json["summary"]["mean_predicted_cycles"], predicted);
  EXPECT_EQ(json["summary"]["sentences"], 2);
  EXPECT_EQ(json["summary"]["accuracy"], 1.0);
  EXPECT_EQ(json["summary"]["mean_exit_layer"], 12.0);
  EXPECT_EQ(json["summary"]["reference"]["same_answer"], 1.0);

  ASSERT_EQ(RunShipped("--data " + data + " --limit 1"), 0) << Messages();
  EXPECT_NE(Output().find("sentences                    1, "), std::string::npos) << Output();
  // An entropy of two classes is at most ln 2.
  ASSERT_EQ(RunShipped("--data " + data + " --threshold 0.7"), 0) << Messages();
  EXPECT_NE(Output().find("mean exit layer              1.000"), std::string::npos) << Output();
}

TEST_F(GoldenProgram, RunsOneSentenceOrAPairOnAnyConfiguration) {
  ASSERT_EQ(RunShipped("--text 'a lovely film' --vmac.n 8 --axi.data_width 128"), 0) << Messages();
  EXPECT_NE(Output().find("answer                       positive (class 1)"), std::string::npos)
      << Output();
  EXPECT_NE(Output().find("n = 8, AdaptivFloat<8,3>, 128-bit weight stream"), std::string::npos);
  EXPECT_EQ(RunShipped("--text 'a lovely film' --pair 'truly' --format.exponent 4"), 0)
      << Messages();
}

/// The first number of the output's line that begins with `name`.
double NumberOf(const std::string& name, const std::string& output) {
  const size_t line = output.find("\n" + name);
  return line == std::string::npos ? -1 : std::stod(output.substr(line + 1 + name.size()));
}

TEST_F(GoldenProgram, PredictsCyclesOfEveryArraySize) {
  ASSERT_EQ(RunShipped("--text 'a lovely film' --cycles --sweep-n --threads 2"), 0) << Messages();
  const double cycles = NumberOf("predicted cycles", Output());
  EXPECT_GT(cycles, 0) << Output();
  EXPECT_EQ(NumberOf("  16", Output()), cycles) << Output();
  EXPECT_GT(NumberOf("   4", Output()), NumberOf("   8", Output()));
  EXPECT_GT(NumberOf("   8", Output()), cycles);
  EXPECT_EQ(NumberOf("all", Output()), NumberOf("ideal MAC cycles", Output()));
  ASSERT_EQ(RunShipped("--text 'a lovely film' --latency 200"), 0) << Messages();
  EXPECT_GT(NumberOf("predicted cycles", Output()), cycles);
}

TEST_F(GoldenProgram, PredictsTheCyclesOfAModelThatIsNotThere) {
  const std::string full = "--full-size --model.layers 2 --model.vocab 50 ";
  ASSERT_EQ(Run(full + "--length 20 --sweep-n"), 0) << Messages();
  const double cycles = NumberOf("predicted cycles", Output());
  EXPECT_GT(cycles, 0) << Output();
  EXPECT_EQ(NumberOf("  16", Output()), cycles) << Output();
  ASSERT_EQ(Run(full + "--cycles"), 0) << Messages();  // 64 tokens
  EXPECT_GT(NumberOf("predicted cycles", Output()), cycles) << Output();
}

TEST_F(GoldenProgram, ThreadsChangeNothing) {
  std::string rows = "sentence\tlabel\n";
  for (const char* word :
       {"good", "bad", "slow", "a fine film", "dull", "no", "yes", "very dull"}) {
    rows += std::string(word) + "\t0\n";
  }
  const std::string data = folder_.Write("data.tsv", rows);
  ASSERT_EQ(RunShipped("--threads 1 --data " + data + " --json " + folder_.File("one")), 0);
  ASSERT_EQ(RunShipped("--threads 5 --data " + data + " --json " + folder_.File("five")), 0);
  EXPECT_EQ(Text("one"), Text("five"));
  EXPECT_NE(Text("one").find("very dull"), std::string::npos);
}

TEST_F(GoldenProgram, CalibratesAndWritesAnImage) {
  const spec::AcceleratorConfig config = SmallConfig(8);
  checkpoint::Model model;
  model.config = checkpoint::RandomModelConfig(config, 5);
  model.weights = checkpoint::RandomModelWeights(model.config, 8, 5);
  const std::string plain = folder_.File("plain");
  ASSERT_TRUE(checkpoint::WriteCheckpoint(model.config, model.weights, plain).ok());
  const std::string data = folder_.Write("data.tsv", "sentence\tlabel\nt5 t4 t9\t0\nt7\t1\n");
  EXPECT_EQ(Run("--model " + plain + " --data " + data), 2);
  EXPECT_NE(Messages().find("[calibration-missing]"), std::string::npos) << Messages();

  const std::string calibrated = folder_.File("calibrated");
  ASSERT_EQ(Run("--model " + plain + " --calibrate " + data + " --out " + calibrated), 0)
      << Messages();
  const std::string image = folder_.File("model.image");
  ASSERT_EQ(Run("--model " + calibrated + " --data " + data + " --image " + image), 0)
      << Messages();
  const auto loaded = model::LoadImage(image);
  ASSERT_TRUE(loaded.ok()) << loaded.error().Format();
  EXPECT_EQ(loaded->facts.name, "calibrated");
  EXPECT_EQ(loaded->facts.layers, model.config.num_hidden_layers);
}

TEST_F(GoldenProgram, RefusesBadInputWithStatus2) {
  const std::string data = folder_.Write("data.tsv", kData);
  const auto expect = [&](const std::string& arguments, const std::string& message) {
    EXPECT_EQ(Run(arguments), 2) << arguments;
    EXPECT_EQ(Messages(), message + "\n") << arguments;
    EXPECT_EQ(Output(), "") << arguments;
  };
  const std::string model = std::string("--model '") + kShipped + "' ";
  expect("", "command line: error: the option '--model' is required but missing [golden-option]");
  expect(model,
         "command line: error: nothing to do: give --data, --text, --image or --calibrate "
         "[golden-option]");
  expect(model + "--data x --text y",
         "command line: error: both --data and --text given [golden-option]");
  expect(model + "--data x --pair y", "command line: error: --pair needs --text [golden-option]");
  expect(model + "--text x --out y",
         "command line: error: --out needs --calibrate [golden-option]");
  expect(model + "--calibrate x", "command line: error: --calibrate needs --out [golden-option]");
  expect(model + "--text x --limit -1",
         "command line: error: --limit must not be negative [golden-option]");
  expect(model + "--text x --threshold -1",
         "command line: error: --threshold must be from 0 to 65535 [golden-option]");
  expect(model + "--text x --latency 0",
         "command line: error: --latency must be from 1 to 10000 [golden-option]");
  expect(model + "--text x --length 5",
         "command line: error: --length is for --full-size [golden-option]");
  for (const char* of_sentences : {"--text x", "--data x", "--json x", "--reference"}) {
    expect(std::string("--full-size ") + of_sentences,
           "command line: error: --full-size runs no sentences: give it only a configuration, "
           "--length, --latency, --cycles and --sweep-n [golden-option]");
  }
  expect("--full-size --length 65",
         "command line: error: --length must be at most 64 [golden-option]");
  expect(model + "--text x --threads 0",
         "command line: error: --threads must be from 1 to 1024 [golden-option]");
  expect(model + "--text ''",
         "command line: error: nothing to do: give --data, --text, --image or --calibrate "
         "[golden-option]");
  expect(model + "--text ' '", "command line: error: the sentence is empty [tokenizer-empty]");
  expect(model + "--data /nowhere",
         "/nowhere: error: cannot open the file: No such file or directory [dataset-io]");
  expect("--model /nowhere --text x",
         "/nowhere/config.json: error: cannot open the file: No such file or directory "
         "[model-config-io]");
  expect(model + "--text x --vmac.n 5",
         "command line: error: 'vmac.n' must be one of 4, 8, 16, 32, got 5 [config-range]");
  expect(model + "--text x --model.layers 11",
         std::string(kShipped) + "/config.json: error: the model needs layers = 12; " +
             "'model.layers' is 11 [image-limit]");
  expect(model + "--text x --json /nowhere/x",
         "/nowhere/x: error: cannot create the file: No such file or directory [golden-json]");
}

}  // namespace
}  // namespace edgebert
