// Whole runs of the trainer on a small generated task. EDGEBERT_TRAIN is the program's path.
#include "golden/train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/dataset.h"
#include "golden/checkpoint/file.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/model_weights.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/checkpoint/safetensors.h"
#include "golden/checkpoint/tokenizer.h"
#include "golden/model/machine.h"
#include "tests/golden/random_model.h"
#include "tests/support/temporary_folder.h"

namespace edgebert::train {
namespace {

std::string Text(const std::string& path) { return checkpoint::ReadTextFile(path, "test").value(); }

/// Sentences that ask for light or for music, by one word of each.
std::string Task(int count, uint32_t seed) {
  const std::vector<std::vector<std::string>> asks = {{"lamp", "light", "bulb"},
                                                      {"song", "music", "tune"}};
  const std::vector<std::string> others = {"the",    "please", "now", "my",  "in", "kitchen",
                                           "bright", "loud",   "one", "for", "me", "more"};
  std::mt19937 random(seed);
  std::string text = "sentence\tlabel\n";
  for (int i = 0; i < count; ++i) {
    const size_t label = random() % 2;
    const size_t words = 2 + random() % 6;
    const size_t where = random() % words;
    for (size_t w = 0; w < words; ++w) {
      const auto& from = w == where ? asks[label] : others;
      text += (w == 0 ? "" : " ") + from[random() % from.size()];
    }
    text += label == 0 ? "\tlight\n" : "\tmusic\n";
  }
  return text;
}

class Trainer : public testing::Test {
 protected:
  Trainer() {
    options_.data.train = folder_.Write("train.tsv", Task(240, 1));
    options_.data.valid = folder_.Write("valid.tsv", Task(60, 2));
    options_.tokenizer.pieces = 80;
    options_.model.layers = 3;
    options_.model.hidden = 32;
    options_.model.heads = 4;
    options_.model.ffn = 64;
    options_.model.embedding = 16;
    options_.model.positions = 16;
    options_.train.epochs = 6;
    options_.train.batch_tokens = 256;
    options_.train.learning_rate = 5e-3;
    options_.train.depth = "1:0.3";
    options_.off_ramp.epochs = 2;
    options_.format.sentences = 20;
  }

  [[nodiscard]] std::string Out(const std::string& name) const { return folder_.File(name); }

  Status Run(const std::string& out, int64_t stop_after = -1, bool restart = false) {
    lines_.clear();
    train::Run run{.options = options_, .out = Out(out)};
    run.restart = restart;
    run.stop_after = stop_after;
    run.say = [this](const std::string& line, bool) { lines_ += line + "\n"; };
    return Train(run);
  }
  std::string ErrorOf(const std::string& out) {
    const Status status = Run(out);
    return status.ok() ? "" : status.error().Format();
  }

  void UseEverything() {
    options_.span.ramp = 4;
    options_.span.start = 6;
    options_.span.end = 0.5;
    options_.span.off_reach = 0;
    options_.span.least_off = 2;
    options_.prune.method = "movement";
    options_.prune.sparsity = 0.6;
    options_.prune.embedding_sparsity = 0.4;
    options_.train.dropout = 0.1;
    options_.format.aware = 0.4;
  }

  /// The program's exit status; what it says goes to `messages`.
  [[nodiscard]] int Program(const std::string& before, const std::string& arguments) const {
    const std::string config = folder_.Write("run.cfg", ToText(options_));
    const std::string command = before + "'" EDGEBERT_TRAIN "' --config '" + config + "' " +
                                arguments + " > '" + folder_.File("messages") + "' 2>&1";
    return WEXITSTATUS(std::system(command.c_str()));
  }

  TemporaryFolder folder_;
  Options options_;
  std::string lines_;
};

TEST_F(Trainer, LearnsTheTaskAndWritesACheckpoint) {
  const Status status = Run("out");
  ASSERT_TRUE(status.ok()) << status.error().Format();
  // The learning curve falls.
  const std::string log = Text(Out("out/log.tsv"));
  std::vector<double> losses;
  for (size_t line = log.find('\n') + 1; line < log.size(); line = log.find('\n', line) + 1) {
    double loss = 0;
    ASSERT_EQ(std::sscanf(log.c_str() + line, "%*d\t%*d\t%*d\t%lf", &loss), 1);
    losses.push_back(loss);
  }
  ASSERT_GE(losses.size(), 6);
  EXPECT_GT(losses.front(), 0.3);
  EXPECT_LT(losses.back(), 0.1);
  EXPECT_NE(lines_.find("full depth: accuracy 100.00 %"), std::string::npos) << lines_;

  const auto model = checkpoint::LoadModel(Out("out"));
  ASSERT_TRUE(model.ok()) << model.error().Format();
  EXPECT_EQ(model->config.labels, (std::vector<std::string>{"light", "music"}));
  EXPECT_EQ(model->weights.off_ramps.size(), 3);
  EXPECT_TRUE(checkpoint::ReadActivationBiases(Out("out")).ok());
  EXPECT_TRUE(checkpoint::Tokenizer::Load(Out("out/tokenizer.model"), model->config).ok());
  EXPECT_EQ(Text(Out("out/valid.tsv")), Text(options_.data.valid));
  EXPECT_FALSE(std::filesystem::exists(Out("out/training-state.safetensors")));
}

TEST_F(Trainer, GoesOnAsIfItHadNotStopped) {
  UseEverything();
  options_.save.seconds = 0;  // save before every step
  ASSERT_TRUE(Run("whole").ok());
  ASSERT_TRUE(Run("parts", 7).ok());
  EXPECT_FALSE(std::filesystem::exists(Out("parts/model.safetensors")));
  ASSERT_TRUE(Run("parts", 20).ok());
  EXPECT_NE(lines_.find("going on from step 7"), std::string::npos) << lines_;
  ASSERT_TRUE(Run("parts").ok());
  EXPECT_NE(lines_.find("going on from step 27"), std::string::npos) << lines_;
  for (const char* file :
       {"/model.safetensors", "/config.json", "/tokenizer.model", "/exits.tsv"}) {
    EXPECT_TRUE(Text(Out("parts") + file) == Text(Out("whole") + file)) << file;
  }
  options_.train.seed = 2;
  ASSERT_TRUE(Run("other").ok());
  EXPECT_FALSE(Text(Out("other/model.safetensors")) == Text(Out("whole/model.safetensors")));
}

TEST_F(Trainer, RefusesTheStateOfAnotherRun) {
  options_.save.seconds = 0;
  ASSERT_TRUE(Run("out", 5).ok());
  options_.train.learning_rate = 1e-3;
  EXPECT_EQ(ErrorOf("out"),
            Out("out/training-state.safetensors") +
                ": error: an interrupted run of other options or files is here ('learning_rate = "
                "0.005', now 'learning_rate = 0.001'); --restart gives it up [train-state]");
  EXPECT_TRUE(Run("out", -1, true).ok());
  EXPECT_EQ(lines_.find("going on"), std::string::npos);
}

TEST_F(Trainer, RefusesToGoOnFromOtherWeights) {
  options_.save.seconds = 0;
  ASSERT_TRUE(Run("first").ok());
  const std::string before = Text(Out("first/model.safetensors"));
  Options first = options_;
  options_.model.init = Out("first");
  ASSERT_TRUE(Run("out", 5).ok());
  std::swap(first, options_);
  options_.train.seed = 2;
  ASSERT_TRUE(Run("first").ok());  // another model in the same folder
  std::swap(first, options_);
  const std::string error = ErrorOf("out");
  EXPECT_NE(error.find("other options or files is here ('weights of model.init and "
                       "model.embeddings "),
            std::string::npos)
      << error;
  folder_.Write("first/model.safetensors", before);
  EXPECT_TRUE(Run("out", 5).ok());
  EXPECT_NE(lines_.find("going on from step 5"), std::string::npos) << lines_;
}

// Of four bits, so that the golden model and FP32 differ; the expected curve comes from sentences
// that do leave early.
TEST_F(Trainer, ChoosesTheThresholdWithTheGoldenModel) {
  options_.format.width = 4;
  options_.format.exponent = 2;
  options_.train.epochs = 2;
  options_.off_ramp.epochs = 1;
  options_.exit.loss = 5;
  ASSERT_TRUE(Run("out").ok());
  const auto model = checkpoint::LoadModel(Out("out"));
  ASSERT_TRUE(model.ok());
  const auto tokenizer = checkpoint::Tokenizer::Load(Out("out/tokenizer.model"), model->config);
  const auto valid = checkpoint::ReadDataset(Out("out/valid.tsv"), model->config.labels);
  spec::AcceleratorConfig config;
  config.format = {4, 2};
  config = checkpoint::FitConfig(model->config, config).value();
  const auto image = checkpoint::BuildImage(
      model->config, model->weights, checkpoint::ReadActivationBiases(Out("out")).value(), config);
  ASSERT_TRUE(image.ok());
  model::Machine machine(config, *image);

  const std::string table = Text(Out("out/exits.tsv"));
  double chosen = -1;
  double full = 0;
  bool lost = false;
  int unlike_fp32 = 0;
  int rows = 0;
  for (size_t at = table.find('\n') + 1; at < table.size(); at = table.find('\n', at) + 1, ++rows) {
    double threshold = 0;
    double layers = 0;
    double accuracy = 0;
    double fp32_layers = 0;
    double fp32_accuracy = 0;
    ASSERT_EQ(std::sscanf(table.c_str() + at, "%lf\t%lf\t%lf\t%lf\t%lf", &threshold, &layers,
                          &accuracy, &fp32_layers, &fp32_accuracy),
              5);
    double exits = 0;
    double right = 0;
    for (const checkpoint::Example& example : *valid) {
      const auto tokens = tokenizer->Encode(example.sentence);
      const model::SentenceResult& result = machine.Run(
          checkpoint::TokenWords(*tokens), static_cast<uint32_t>(std::lround(threshold * 65536)));
      exits += result.exit_layer;
      right += result.prediction == example.label ? 1 : 0;
    }
    EXPECT_NEAR(layers, exits / 60, 1e-4) << threshold;
    EXPECT_NEAR(accuracy, right / 60, 1e-4) << threshold;
    unlike_fp32 += layers != fp32_layers ? 1 : 0;
    if (rows == 0) full = right;
    lost = lost || right < full - 3;  // 5 points of 60 sentences
    if (!lost) chosen = threshold;
  }
  EXPECT_EQ(rows, 100);
  EXPECT_EQ(model->config.entropy_threshold, chosen);
  EXPECT_GT(unlike_fp32, 10);
}

TEST_F(Trainer, PrunesAndSwitchesHeadsOff) {
  UseEverything();
  for (const char* method : {"movement", "magnitude"}) {
    options_.prune.method = method;
    ASSERT_TRUE(Run(method).ok());
    const auto model = checkpoint::LoadModel(Out(method));
    ASSERT_TRUE(model.ok());
    const checkpoint::LayerWeights& layer = model->weights.groups[0][0];
    double zeros = 0;
    double all = 0;
    for (const auto* linear : {&layer.query, &layer.key, &layer.value, &layer.attention_output,
                               &layer.ffn, &layer.ffn_output}) {
      for (const float value : linear->weight.values) zeros += value == 0 ? 1 : 0;
      all += static_cast<double>(linear->weight.values.size());
    }
    EXPECT_NEAR(zeros / all, 0.6, 0.001) << method;
    double words = 0;
    for (const float value : model->weights.word_embeddings.values) words += value == 0 ? 1 : 0;
    EXPECT_NEAR(words / double(model->weights.word_embeddings.values.size()), 0.4, 0.001);
    int off = 0;
    for (const float span : model->weights.attention_span) off += span == -4 ? 1 : 0;
    EXPECT_EQ(off, 2);
  }
}

TEST_F(Trainer, SwitchesNamedHeadsOff) {
  options_.span.ramp = 4;
  options_.span.start = 6;
  options_.span.off_reach = 0;
  options_.span.off = "4,2";
  ASSERT_TRUE(Run("out").ok());
  const auto model = checkpoint::LoadModel(Out("out"));
  const std::vector<float>& spans = model->weights.attention_span;
  for (size_t head = 0; head < 4; ++head) EXPECT_EQ(spans[head] == -4, head % 2 == 1) << head;

  options_.span.off = "1,2,3,4";
  EXPECT_EQ(ErrorOf("other"), "error: 'span.off' must leave a head [train-value]");
  const std::string message =
      "error: 'span.off' must be numbers from 1 to 4 of heads with a span, separated by commas, "
      "got '";
  for (const char* wrong : {"0", "5", "1,", "1 2"}) {
    options_.span.off = wrong;
    EXPECT_EQ(ErrorOf("other"), message + wrong + "' [train-value]");
  }
}

TEST_F(Trainer, AveragesWithTheStart) {
  UseEverything();
  ASSERT_TRUE(Run("first").ok());
  options_.model.init = Out("first");
  options_.prune.keep_zeros = true;
  options_.train.epochs = 1;
  options_.span.end = 0;
  options_.span.least_off = 3;
  options_.off_ramp.epochs = 0;
  std::vector<checkpoint::Model> models;
  for (const double part : {0.0, 0.25, 1.0}) {
    options_.train.average = part;
    const std::string out = std::to_string(part);
    ASSERT_TRUE(Run(out).ok());
    models.push_back(checkpoint::LoadModel(Out(out)).value());
  }
  const auto first = checkpoint::LoadModel(Out("first"));
  const auto ffn = [](const checkpoint::Model& model) -> const std::vector<float>& {
    return model.weights.groups[0][0].ffn.weight.values;
  };
  EXPECT_NE(ffn(models[0]), ffn(*first));
  EXPECT_EQ(ffn(models[2]), ffn(*first));
  for (size_t i = 0; i < ffn(*first).size(); ++i) {
    EXPECT_NEAR(ffn(models[1])[i], 0.75 * ffn(models[0])[i] + 0.25 * ffn(*first)[i], 1e-6);
  }
  // The heads that the run switched off stay off.
  EXPECT_NE(models[0].weights.attention_span, first->weights.attention_span);
  EXPECT_EQ(models[2].weights.attention_span, models[0].weights.attention_span);
}

TEST_F(Trainer, SharesFrozenEmbeddings) {
  options_.prune.embedding_sparsity = 0.5;
  ASSERT_TRUE(Run("first").ok());
  options_.prune.embedding_sparsity = 0;
  options_.model.embeddings = Out("first");
  options_.model.freeze_embeddings = true;
  options_.model.hidden = 16;
  options_.model.embedding = 8;  // not that of the tables
  ASSERT_TRUE(Run("second").ok());
  const auto first = checkpoint::LoadModel(Out("first"));
  const auto second = checkpoint::LoadModel(Out("second"));
  EXPECT_EQ(first->weights.word_embeddings.values, second->weights.word_embeddings.values);
  EXPECT_EQ(first->weights.position_embeddings.values, second->weights.position_embeddings.values);
  EXPECT_EQ(first->weights.type_embeddings.values, second->weights.type_embeddings.values);
  EXPECT_EQ(second->config.hidden_size, 16);
  EXPECT_EQ(Text(Out("first/tokenizer.model")), Text(Out("second/tokenizer.model")));
}

TEST_F(Trainer, StartsFromACheckpoint) {
  UseEverything();
  ASSERT_TRUE(Run("first").ok());
  options_.model.init = Out("first");
  options_.train.epochs = 0;
  options_.off_ramp.epochs = 0;
  options_.prune.method = "none";
  options_.prune.embedding_sparsity = 0;
  options_.span.ramp = 0;  // the spans stay as they are
  ASSERT_TRUE(Run("second").ok());
  const auto first = checkpoint::LoadModel(Out("first"));
  const auto second = checkpoint::LoadModel(Out("second"));
  EXPECT_EQ(first->weights.groups[0][0].ffn.weight.values,
            second->weights.groups[0][0].ffn.weight.values);
  EXPECT_EQ(first->weights.attention_span, second->weights.attention_span);
  EXPECT_EQ(first->weights.OffRamp(2).classifier.weight.values,
            second->weights.OffRamp(2).classifier.weight.values);
  // Zeros stay where they are while the rest learns.
  options_.train.epochs = 1;
  options_.prune.keep_zeros = true;
  ASSERT_TRUE(Run("third").ok());
  const auto third = checkpoint::LoadModel(Out("third"));
  const auto& before = first->weights.groups[0][0].ffn.weight.values;
  const auto& after = third->weights.groups[0][0].ffn.weight.values;
  EXPECT_NE(before, after);
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(before[i] == 0, after[i] == 0);
}

TEST_F(Trainer, ComparesFormatsThatTheAcceleratorDoesNotTake) {
  ASSERT_TRUE(Run("first").ok());
  options_.model.init = Out("first");
  options_.train.epochs = 0;
  options_.off_ramp.epochs = 0;
  options_.format.aware = 0;
  options_.format.kind = "minifloat";
  options_.format.width = 5;
  const auto fp32 = [&](const char* out) {  // mean exit layers and accuracies over thresholds
    EXPECT_TRUE(Run(out).ok());
    std::string column;
    std::istringstream lines(Text(Out(std::string(out) + "/exits.tsv")));
    for (std::string line; std::getline(lines, line);) {
      column += line.substr(line.rfind('\t', line.rfind('\t') - 1));
    }
    return column;
  };
  const std::string weights = fp32("weights");
  options_.format.activations = true;
  EXPECT_NE(fp32("all"), weights);
  const auto model = checkpoint::LoadModel(Out("all"));
  EXPECT_EQ(model->config.adaptivfloat_bits, 8);
  EXPECT_EQ(model->config.adaptivfloat_exponent, 3);
  EXPECT_EQ(model->weights.groups[0][0].ffn.weight.values,
            checkpoint::LoadModel(Out("first"))->weights.groups[0][0].ffn.weight.values);
}

// config.json without "edgebert", one off-ramp under Hugging Face's names, spiece.model.
TEST_F(Trainer, StartsFromAHuggingFaceFolder) {
  options_.model.pooler = true;
  options_.model.shared_off_ramp = true;
  options_.tokenizer.lowercase = true;
  ASSERT_TRUE(Run("first").ok());
  const auto file = checkpoint::SafetensorsFile::Read(Out("first/model.safetensors"));
  ASSERT_TRUE(file.ok());
  checkpoint::SafetensorsWriter writer;
  for (const checkpoint::TensorInfo& info : file->tensors()) {
    std::string name = info.name;
    const std::string ramp = "edgebert.off_ramps.0.";
    if (name.starts_with(ramp)) {
      name = (name.find("pooler") != name.npos ? "albert." : "") + name.substr(ramp.size());
    }
    const auto tensor = file->Floats(info.name);
    writer.AddFloats(name, checkpoint::DType::kF32, tensor->shape, tensor->values);
  }
  std::filesystem::create_directories(Out("hf"));
  ASSERT_TRUE(writer.Write(Out("hf/model.safetensors")).ok());
  auto json = nlohmann::json::parse(Text(Out("first/config.json")));
  json.erase("edgebert");
  folder_.Write("hf/config.json", json.dump());
  folder_.Write("hf/spiece.model", Text(Out("first/tokenizer.model")));

  options_.model.init = Out("hf");
  options_.train.epochs = 0;
  options_.off_ramp.epochs = 0;
  const Status status = Run("second");
  ASSERT_TRUE(status.ok()) << status.error().Format();
  EXPECT_TRUE(Text(Out("second/model.safetensors")) == Text(Out("first/model.safetensors")));
  EXPECT_EQ(Text(Out("second/config.json")), Text(Out("first/config.json")));
}

// MNLI's layout on sentences of our own: the second sentence decides, the first never does.
TEST_F(Trainer, LearnsFromPairs) {
  const auto pairs = [&](const char* name, int count, uint32_t seed) {
    std::string text = "index\tsentence1\tsentence2\tgold_label\n";
    const std::string first = Task(count, seed + 10);
    const std::string second = Task(count, seed);
    size_t a = first.find('\n') + 1;
    size_t b = second.find('\n') + 1;
    for (int i = 0; i < count; ++i) {
      text += std::to_string(i) + "\t" + first.substr(a, first.find('\t', a) - a) + "\t" +
              second.substr(b, second.find('\n', b) + 1 - b);
      a = first.find('\n', a) + 1;
      b = second.find('\n', b) + 1;
    }
    return folder_.Write(name, text);
  };
  options_.data.format = "mnli";
  options_.data.train = pairs("train.tsv", 400, 1);
  options_.data.valid = pairs("valid.tsv", 60, 2);
  options_.model.positions = 32;
  options_.train.epochs = 10;
  const Status status = Run("out");
  ASSERT_TRUE(status.ok()) << status.error().Format();
  // Without the token types the two sentences could hardly be told apart.
  double accuracy = 0;
  const size_t at = lines_.find("full depth: accuracy ");
  ASSERT_NE(at, lines_.npos);
  ASSERT_EQ(std::sscanf(lines_.c_str() + at, "full depth: accuracy %lf", &accuracy), 1);
  EXPECT_GT(accuracy, 90) << lines_;
  const auto model = checkpoint::LoadModel(Out("out"));
  const auto valid = checkpoint::ReadDataset(Out("out/valid.tsv"), model->config.labels);
  ASSERT_TRUE(valid.ok()) << valid.error().Format();
  EXPECT_EQ(valid->size(), 60);
  EXPECT_FALSE((*valid)[0].pair.empty());
}

TEST_F(Trainer, AsksATeacher) {
  ASSERT_TRUE(Run("teacher").ok());
  options_.distil.teacher = Out("teacher");
  options_.distil.alpha = 1;  // labels say nothing
  std::string swapped = Text(options_.data.train);
  for (size_t at = 0; (at = swapped.find("\tlight", at)) != swapped.npos; ++at) {
    swapped.replace(at, 6, "\tmusic");
  }
  swapped += "the lamp\tlight\n";  // both classes are there
  options_.data.train = folder_.Write("wrong.tsv", swapped);
  ASSERT_TRUE(Run("student").ok());
  EXPECT_NE(lines_.find("full depth: accuracy 100.00 %"), std::string::npos) << lines_;
  EXPECT_TRUE(std::filesystem::exists(Out("student/teacher-logits.safetensors")));

  options_.data.labels = "music,light";
  EXPECT_EQ(ErrorOf("other"), Out("teacher/config.json") +
                                  ": error: the teacher's classes 'light,music' are not those of "
                                  "the task, 'music,light' [train-init]");
}

// The answers of a teacher of any kind; the labels are all but one the same and count nothing.
TEST_F(Trainer, LearnsFromAnswersInAFile) {
  const std::string right = Text(options_.data.train);
  std::string wrong = "sentence\tlabel\n";
  std::string answers = "light\tmusic\n";
  for (size_t at = right.find('\n') + 1; at < right.size(); at = right.find('\n', at) + 1) {
    const size_t tab = right.find('\t', at);
    wrong += right.substr(at, tab - at) + "\tmusic\n";
    answers += right.compare(tab, 6, "\tlight") == 0 ? "3\t-3\n" : "-3\t3\n";
  }
  options_.data.train = folder_.Write("wrong.tsv", wrong + "the lamp\tlight\n");
  options_.distil.answers = folder_.Write("answers.tsv", answers + "3\t-3\n");
  options_.distil.alpha = 1;
  options_.train.every_layer = true;
  ASSERT_TRUE(Run("student").ok());
  EXPECT_NE(lines_.find("full depth: accuracy 100.00 %"), std::string::npos) << lines_;

  options_.distil.answers = folder_.Write("short.tsv", answers);
  EXPECT_EQ(ErrorOf("other"), options_.distil.answers +
                                  ":241: error: the file answers 240 sentences, there are 241 to "
                                  "train on [train-data-answers]");
}

TEST_F(Trainer, RefusesWhatDoesNotFit) {
  Options good = options_;
  options_.data.train = "";
  EXPECT_EQ(ErrorOf("out"),
            "command line: error: 'data.train' is required but missing [train-value]");
  options_ = good;
  options_.data.valid = folder_.Write("v.tsv", "sentence\tlabel\nthe lamp\tlight\nrun\tsport\n");
  EXPECT_EQ(ErrorOf("out"), options_.data.valid +
                                ":3: error: label 'sport' is neither one of the 2 classes nor a "
                                "number below [train-data-label]");
  options_ = good;
  options_.model.init = folder_.File("nothing");
  EXPECT_EQ(ErrorOf("out"), options_.model.init +
                                "/config.json: error: cannot open the file: No such file or "
                                "directory [model-config-io]");
  // Another shape than its config.json says.
  const spec::AcceleratorConfig small = SmallConfig(4);
  checkpoint::Model random;
  random.config = checkpoint::RandomModelConfig(small, 3);
  random.weights = checkpoint::RandomModelWeights(random.config, 4, 3);
  random.weights.word_embeddings.rows -= 1;
  random.weights.word_embeddings.values.resize(random.weights.word_embeddings.values.size() -
                                               static_cast<size_t>(random.config.embedding_size));
  ASSERT_TRUE(checkpoint::WriteCheckpoint(random.config, random.weights, Out("bad")).ok());
  options_.model.init = Out("bad");
  EXPECT_NE(ErrorOf("out").find("[safetensors-shape]"), std::string::npos) << ErrorOf("out");
}

TEST_F(Trainer, StopsAtALossThatIsNoNumber) {
  ASSERT_TRUE(Run("first").ok());
  auto model = checkpoint::LoadModel(Out("first"));
  for (checkpoint::OffRampWeights& ramp : model->weights.off_ramps) {
    for (float& value : ramp.classifier.weight.values) value = 3e38F;
  }
  const std::string tokenizer = Text(Out("first/tokenizer.model"));
  ASSERT_TRUE(checkpoint::WriteCheckpoint(model->config, model->weights, Out("huge")).ok());
  folder_.Write("huge/tokenizer.model", tokenizer);
  const std::string before = Text(Out("first/model.safetensors"));
  options_.model.init = Out("huge");
  EXPECT_EQ(Program("", "--out '" + Out("first") + "'"), 3);
  const std::string messages = Text(folder_.File("messages"));
  EXPECT_NE(messages.find("the loss or its gradient is not a number in step 1 (epoch 1), on lines"),
            std::string::npos)
      << messages;
  EXPECT_TRUE(Text(Out("first/model.safetensors")) == before);
}

TEST_F(Trainer, KeepsTheOldCheckpointWhenTheDiskIsFull) {
  ASSERT_TRUE(Run("out").ok());
  const std::string model = Text(Out("out/model.safetensors"));
  const std::string config = Text(Out("out/config.json"));
  options_.train.seed = 9;
  // Files of at most 16 KiB: the state does not fit.
  EXPECT_EQ(Program("ulimit -f 32; ", "--out '" + Out("out") + "'"), 2);
  EXPECT_NE(Text(folder_.File("messages")).find("cannot write the file: File too large"),
            std::string::npos)
      << Text(folder_.File("messages"));
  EXPECT_TRUE(Text(Out("out/model.safetensors")) == model);
  EXPECT_EQ(Text(Out("out/config.json")), config);
  EXPECT_FALSE(std::filesystem::exists(Out("out/checkpoint.new")));
}

// The disk becomes full at the very end, when the new checkpoint is written beside the old one:
// the state fits, but not the longest file of the checkpoint.
TEST_F(Trainer, KeepsTheOldCheckpointWhenItsReplacementDoesNotFit) {
  ASSERT_TRUE(Run("out").ok());
  const std::vector<std::string> files = {"model.safetensors", "config.json", "tokenizer.model",
                                          "exits.tsv",         "spans.tsv",   "valid.tsv"};
  std::map<std::string, std::string> old;
  for (const std::string& file : files) old[file] = Text(Out("out/" + file));
  options_.train.seed = 9;
  std::string valid = "sentence\tlabel\n";  // sentences are cut to 16 tokens, lines are not
  for (int i = 0; i < 60; ++i) {
    for (int word = 0; word < 4000; ++word) valid += "the ";
    valid += i % 2 == 0 ? "lamp\tlight\n" : "song\tmusic\n";
  }
  options_.data.valid = folder_.Write("long.tsv", valid);
  ASSERT_GT(valid.size(), 900'000);
  EXPECT_EQ(Program("ulimit -f 1536; ", "--out '" + Out("out") + "'"), 2);  // 768 KiB a file
  const std::string messages = Text(folder_.File("messages"));
  EXPECT_NE(messages.find("checkpoint.new/valid.tsv: error: cannot write the file: File too large"),
            std::string::npos)
      << messages;
  for (const std::string& file : files) EXPECT_TRUE(Text(Out("out/" + file)) == old[file]) << file;
  EXPECT_FALSE(std::filesystem::exists(Out("out/checkpoint.new")));
  // With room again the same command ends the run from its last state.
  EXPECT_EQ(Program("", "--out '" + Out("out") + "'"), 0);
  EXPECT_NE(Text(folder_.File("messages")).find("going on from step"), std::string::npos);
  EXPECT_FALSE(Text(Out("out/model.safetensors")) == old["model.safetensors"]);
}

TEST_F(Trainer, ProgramTellsWhatIsWrong) {
  EXPECT_EQ(Program("", "--help"), 0);
  const std::string help = Text(folder_.File("messages"));
  EXPECT_NE(help.find("--train.learning_rate"), std::string::npos);
  EXPECT_NE(help.find("EdgeBERT:"), std::string::npos);
  EXPECT_EQ(Program("", "--out x --train.epochs many"), 2);
  EXPECT_EQ(Text(folder_.File("messages")),
            "command line: error: 'train.epochs' must be a number from 0 to 10000, got 'many' "
            "[train-value]\n");
  EXPECT_EQ(Program("", "--out x --speed 1"), 2);
}

}  // namespace
}  // namespace edgebert::train
