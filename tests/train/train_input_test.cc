// What a run reads and decides before LibTorch comes in: options, data, tokeniser, batches,
// schedule.
#include <gtest/gtest.h>

#include <boost/program_options.hpp>
#include <cmath>
#include <set>

#include "golden/train/batches.h"
#include "golden/train/data.h"
#include "golden/train/options.h"
#include "golden/train/schedule.h"
#include "golden/train/vocabulary.h"
#include "tests/support/temporary_folder.h"

namespace edgebert::train {
namespace {

// Options

TEST(TrainOptions, CommandLineIsOverTheFile) {
  const TemporaryFolder folder;
  const std::string file = folder.Write("a.cfg",
                                        "# a run\n[train]\nepochs = 2.5  # short\nseed=7\n"
                                        "[model]\nfreeze_embeddings = true\n");
  boost::program_options::options_description table;
  AddOptions(table);
  const char* const argv[] = {"x", "--train.seed", "8", "--data.format", "qnli"};
  boost::program_options::variables_map values;
  boost::program_options::store(boost::program_options::parse_command_line(5, argv, table), values);
  const Result<Options> options = ReadOptions(file, values);
  ASSERT_TRUE(options.ok()) << options.error().Format();
  EXPECT_EQ(options->train.epochs, 2.5);
  EXPECT_EQ(options->train.seed, 8);
  EXPECT_TRUE(options->model.freeze_embeddings);
  EXPECT_EQ(options->data.format, "qnli");
  EXPECT_EQ(options->model.hidden, 192);  // a default
}

TEST(TrainOptions, AFileOfAllOptionsReadsBack) {
  Options options;
  options.train.epochs = 0.125;
  options.train.learning_rate = 1e-5;
  options.train.depth = "2:0.5";
  options.data.labels = "no,yes";
  options.model.pooler = true;
  const std::string text = ToText(options);
  const Result<Options> back = ParseOptions("f", text);
  ASSERT_TRUE(back.ok()) << back.error().Format();
  EXPECT_EQ(ToText(*back), text);
  EXPECT_EQ(back->train.learning_rate, 1e-5);
}

TEST(TrainOptions, ReportsEveryMistake) {
  const Result<Options> options = ParseOptions("f.cfg",
                                               "[train]\nepochs = many\nepochs = 2\nspeed = 1\n"
                                               "[prune]\nmethod = random\nsparsity = 1.5\n"
                                               "[model]\nlayers = 2.5\npooler = yes\nhidden\n");
  ASSERT_FALSE(options.ok());
  EXPECT_EQ(options.error().Format(),
            "f.cfg:2: error: 'train.epochs' must be a number from 0 to 10000, got 'many' "
            "[train-value]\n"
            "f.cfg:3: error: 'train.epochs' is already set in line 2 [train-duplicate]\n"
            "f.cfg:4: error: unknown key 'train.speed' [train-key]\n"
            "f.cfg:6: error: 'prune.method' must be one of none, magnitude, movement, block, got "
            "'random' [train-value]\n"
            "f.cfg:7: error: 'prune.sparsity' must be a number from 0 to 0.99, got '1.5' "
            "[train-value]\n"
            "f.cfg:9: error: 'model.layers' must be a whole number from 1 to 64, got '2.5' "
            "[train-value]\n"
            "f.cfg:10: error: 'model.pooler' must be true or false, got 'yes' [train-value]\n"
            "f.cfg:11: error: expected 'key = value', got 'hidden' [config-syntax]");
  EXPECT_EQ(ParseOptions("f", "[model]\nhidden = 100\nheads = 12\n").error().Format(),
            "f: error: 'model.heads' must divide 'model.hidden', got 12 and 100 [train-value]");
  EXPECT_EQ(ParseOptions("f", "[format]\nexponent = 5\n").error().Format(),
            "f: error: 'format.exponent' must be at most 4 for AdaptivFloat [train-value]");
  EXPECT_TRUE(ParseOptions("f", "[format]\nexponent = 5\nkind = minifloat\n").ok());
}

TEST(TrainOptions, DepthGrows) {
  const auto depth = ParseDepth("2:0.3,4:0.5", 12);
  ASSERT_TRUE(depth.ok());
  ASSERT_EQ(depth->size(), 2);
  EXPECT_EQ((*depth)[1].layers, 4);
  EXPECT_EQ((*depth)[1].until, 0.5);
  EXPECT_TRUE(ParseDepth("", 12)->empty());
  for (const char* wrong : {"2", "2:x", "13:0.5", "0:0.5", "2:0.5,4:0.5", "2:1.5", "2:0.5,"}) {
    EXPECT_FALSE(ParseDepth(wrong, 12).ok()) << wrong;
  }
}

// Data

Options Table(const std::string& path) {
  Options options;
  options.data.train = path;
  options.data.valid = path;
  return options;
}

std::string Shown(const Result<std::vector<Row>>& rows) {
  if (!rows.ok()) return rows.error().Format();
  std::string text;
  for (const Row& row : *rows) {
    text += std::to_string(row.line) + "|" + row.text + "|" + row.pair + "|" + row.label + "\n";
  }
  return text;
}

TEST(TrainData, ReadsTabsByColumnName) {
  Options options = Table("d.tsv");
  options.data.text_column = "what";
  options.data.label_column = "class";
  EXPECT_EQ(Shown(ParseRows(options, Part::kTrain,
                            "class\tid\twhat\r\nb\t1\tsay \"it\"\r\na\t2\tagain, please")),
            "2|say \"it\"||b\n3|again, please||a\n");
}

TEST(TrainData, ReadsQuotedCommas) {
  Options options = Table("d.csv");
  options.data.text_column = "text";
  options.data.label_column = "category";
  EXPECT_EQ(
      Shown(ParseRows(options, Part::kTrain,
                      "text,category\n\"one, \"\"two\"\"\",x\n\"over\nlines\",y\nplain,\"z\"\n")),
      "2|one, \"two\"||x\n3|over\nlines||y\n5|plain||z\n");
  EXPECT_EQ(Shown(ParseRows(options, Part::kTrain, "text,category\n\"open,x\n")),
            "d.csv:2: error: a quoted column does not end in a quote before its separator "
            "[train-data-quote]");
  EXPECT_EQ(Shown(ParseRows(options, Part::kTrain, "text,category\n\"a\"b,x\n")),
            "d.csv:2: error: a quoted column does not end in a quote before its separator "
            "[train-data-quote]");
}

// The layouts of GLUE, on sentences of our own.
TEST(TrainData, ReadsGlue) {
  Options options = Table("train.tsv");
  options.data.format = "qnli";
  EXPECT_EQ(Shown(ParseRows(options, Part::kTrain,
                            "index\tquestion\tsentence\tlabel\n"
                            "0\tWho left?\tThe \"cook\" left.\tentailment\n")),
            "2|Who left?|The \"cook\" left.|entailment\n");
  options.data.format = "qqp";
  EXPECT_EQ(Shown(ParseRows(options, Part::kTrain,
                            "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
                            "7\t1\t2\tHow old?\tWhat age?\t1\n")),
            "2|How old?|What age?|1\n");
  options.data.format = "mnli";
  EXPECT_EQ(Shown(ParseRows(options, Part::kTrain,
                            "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\t"
                            "sentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\t"
                            "sentence2\tlabel1\tgold_label\n"
                            "0\t1\t1n\ttalk\tx\tx\tx\tx\tIt rains.\tIt is dry.\tneutral\t"
                            "contradiction\n")),
            "2|It rains.|It is dry.|contradiction\n");
  options.data.format = "sst2";
  EXPECT_EQ(Shown(ParseRows(options, Part::kTrain, "sentence\tlabel\na fine film \t1\n")),
            "2|a fine film ||1\n");
}

TEST(TrainData, ReadsClinc) {
  Options options = Table("d.json");
  options.data.format = "clinc";
  const std::string text =
      "{\"val\": [[\"when\", \"time\"]],\n\"train\": [[\"hi\", \"greeting\"]],\n"
      "\"oos_train\": [[\"why\", \"oos\"]]}";
  EXPECT_EQ(Shown(ParseRows(options, Part::kTrain, text)), "2|hi||greeting\n3|why||oos\n");
  EXPECT_EQ(Shown(ParseRows(options, Part::kValid, text)), "1|when||time\n");
  EXPECT_EQ(Shown(ParseRows(options, Part::kTrain, "{\"val\": []}")),
            "d.json: error: there is no 'train' [train-data-json]");
  EXPECT_EQ(Shown(ParseRows(options, Part::kTrain, "{\"train\":\n[[\"hi\"]]}")),
            "d.json:1: error: entry 0 of 'train' is not [text, intent] [train-data-json]");
  EXPECT_NE(Shown(ParseRows(options, Part::kTrain, "{\"train\":\n[")).find("d.json:2: error:"),
            std::string::npos);
}

TEST(TrainData, ReportsEveryBadLine) {
  const Options options = Table("d.tsv");
  EXPECT_EQ(Shown(ParseRows(options, Part::kTrain,
                            "sentence\tlabel\nno label\na\tb\tc\n\n \tx\nok\t\na \xff b\tx\n")),
            "d.tsv:2: error: the line has 1 columns, the header 2 [train-data-columns]\n"
            "d.tsv:3: error: the line has 3 columns, the header 2 [train-data-columns]\n"
            "d.tsv:4: error: the line is empty [train-data-empty]\n"
            "d.tsv:5: error: the sentence is empty [train-data-empty]\n"
            "d.tsv:6: error: the label is empty [train-data-label]\n"
            "d.tsv:7: error: the line is not UTF-8 [train-data-utf8]");
  EXPECT_EQ(Shown(ParseRows(options, Part::kTrain, "text\tlabel\na\tb\n")),
            "d.tsv:1: error: no column 'sentence' in the header: 'text', 'label' "
            "[train-data-header]");
  EXPECT_EQ(Shown(ParseRows(options, Part::kTrain, "")),
            "d.tsv: error: the file has no sentences [train-data-empty]");
  EXPECT_EQ(Shown(ReadRows(Table("/nonexistent/d.tsv"), Part::kTrain)),
            "/nonexistent/d.tsv: error: cannot open the file: No such file or directory "
            "[train-data-io]");
  std::string many = "sentence\tlabel\n";
  for (int i = 0; i < 100; ++i) many += "bad\n";
  EXPECT_EQ(ParseRows(options, Part::kTrain, many).error().diagnostics().size(), 20);
}

TEST(TrainData, FindsClasses) {
  const auto rows = [](std::initializer_list<const char*> labels) {
    std::vector<Row> result;
    for (const char* label : labels) result.push_back({.text = "t", .pair = "", .label = label});
    return result;
  };
  const Options options = Table("d.tsv");
  EXPECT_EQ(*FindLabels(options, rows({"b", "a", "b"})), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(*FindLabels(options, rows({"10", "9"})), (std::vector<std::string>{"9", "10"}));
  EXPECT_EQ(FindLabels(options, rows({"a", "a"})).error().Format(),
            "d.tsv: error: a task has at least 2 classes, got 1 [train-data-label]");
  Options named = options;
  named.data.labels = "yes,no";
  const std::vector<std::string> labels = *FindLabels(named, rows({"no"}));
  EXPECT_EQ(labels, (std::vector<std::string>{"yes", "no"}));
  EXPECT_EQ(*LabelRows("d", rows({"no", "yes", "0"}), labels), (std::vector<int>{1, 0, 0}));
  EXPECT_FALSE(LabelRows("d", rows({"2"}), labels).ok());
  EXPECT_FALSE(LabelRows("d", rows({"-1"}), labels).ok());
  EXPECT_EQ(LabelRows("d", rows({"no", "maybe"}), labels).error().Format(),
            "d: error: label 'maybe' is neither one of the 2 classes nor a number below "
            "[train-data-label]");
}

TEST(TrainData, ReadsATeachersAnswers) {
  const TemporaryFolder folder;
  const std::vector<std::string> labels = {"no", "yes"};
  const auto read = [&](const std::string& text) {
    return ReadAnswers(folder.Write("a.tsv", text), labels, 2);
  };
  EXPECT_EQ(*read("no\tyes\n-1.5\t2\n0\t1e-3\n"), (std::vector<float>{-1.5F, 2, 0, 1e-3F}));
  const auto error = [&](const std::string& text) {
    return read(text).error().Format().substr(folder.File("a.tsv").size());
  };
  EXPECT_EQ(error("yes\tno\n1\t2\n1\t2\n"),
            ":1: error: the header must be the classes of the task: 'no', 'yes' "
            "[train-data-answers]");
  EXPECT_EQ(error("no\tyes\n1\t2\n1\tnan\n"),
            ":3: error: 'nan' is not a number [train-data-answers]");
  EXPECT_EQ(error("no\tyes\n1\n1\t2\n"),
            ":2: error: the line has 1 logits, the task 2 classes [train-data-answers]");
  EXPECT_EQ(error("no\tyes\n1\t2\n"),
            ":2: error: the file answers 1 sentences, there are 2 to train on "
            "[train-data-answers]");
}

// Tokeniser

TEST(TrainVocabulary, IsTheSameFromTheSameSentences) {
  std::vector<std::string> texts;
  for (int i = 0; i < 50; ++i) texts.push_back("The lamp in room " + std::to_string(i) + " is on");
  const auto tokenizer = TrainTokenizer(texts, 64, true);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().Format();
  EXPECT_EQ(*tokenizer, *TrainTokenizer(texts, 64, true));
  checkpoint::ModelConfig config;
  ASSERT_TRUE(DescribeTokenizer(*tokenizer, &config).ok());
  EXPECT_EQ(config.pad_token_id, 0);
  EXPECT_EQ(config.unk_token_id, 1);
  EXPECT_EQ(config.cls_token_id, 2);
  EXPECT_EQ(config.sep_token_id, 3);
  EXPECT_GT(config.vocab_size, 20);
  EXPECT_LE(config.vocab_size, 64);
  const TemporaryFolder folder;
  config.max_position_embeddings = 64;
  const auto loaded = checkpoint::Tokenizer::Load(
      folder.Write("t", {reinterpret_cast<const char*>(tokenizer->data()), tokenizer->size()}),
      config);
  ASSERT_TRUE(loaded.ok()) << loaded.error().Format();
  // Every letter is known, in capitals too.
  const checkpoint::Tokens tokens = loaded->Encode("THE LAMP").value();
  EXPECT_EQ(std::count(tokens.ids.begin(), tokens.ids.end(), config.unk_token_id), 0);
  EXPECT_FALSE(DescribeTokenizer({}, &config).ok());
}

// Batches

std::vector<Example> Examples(int count) {
  std::vector<Example> examples;
  for (int i = 0; i < count; ++i) {
    Example example;
    example.tokens.ids.assign(size_t(3 + i * 7 % 11), 100 + i);
    example.tokens.ids.front() = 2;
    example.tokens.ids.back() = 3;
    example.tokens.types.assign(example.tokens.ids.size(), i % 2);
    example.label = i % 3;
    examples.push_back(example);
  }
  return examples;
}

TEST(TrainBatches, HoldEveryExampleOnceWithinTheBudget) {
  const std::vector<Example> examples = Examples(500);
  const auto batches = ShuffledBatches(examples, 64, 1, 0);
  std::multiset<int> seen;
  for (const auto& indices : batches) {
    seen.insert(indices.begin(), indices.end());
    const Batch batch = MakeBatch(examples, indices, 0);
    EXPECT_LE(batch.sentences * batch.length, 64);
    ASSERT_EQ(batch.ids.size(), size_t(batch.sentences * batch.length));
    for (int row = 0; row < batch.sentences; ++row) {
      const Example& example = examples[size_t(indices[size_t(row)])];
      EXPECT_EQ(batch.lengths[size_t(row)], std::ssize(example.tokens.ids));
      EXPECT_EQ(batch.labels[size_t(row)], example.label);
      for (int i = 0; i < batch.length; ++i) {
        const bool real = i < std::ssize(example.tokens.ids);
        const size_t at = size_t(row * batch.length + i);
        EXPECT_EQ(batch.ids[at], real ? example.tokens.ids[size_t(i)] : 0);
        EXPECT_EQ(batch.types[at], real ? example.tokens.types[size_t(i)] : 0);
      }
    }
  }
  EXPECT_EQ(seen.size(), 500);
  EXPECT_EQ(std::set<int>(seen.begin(), seen.end()).size(), 500);
  EXPECT_EQ(ShuffledBatches(examples, 64, 1, 0), batches);
  EXPECT_NE(ShuffledBatches(examples, 64, 1, 1), batches);
  EXPECT_NE(ShuffledBatches(examples, 64, 2, 0), batches);
}

TEST(TrainBatches, DropWordsButNoSpecialTokens) {
  const std::vector<Example> examples = Examples(300);
  std::vector<int> all(300);
  for (int i = 0; i < 300; ++i) all[size_t(i)] = i;
  const WordDropout dropout{.rate = 0.25, .unknown = 1, .cls = 2, .sep = 3, .seed = 5};
  const Batch batch = MakeBatch(examples, all, 0, {}, dropout);
  EXPECT_EQ(batch.ids, MakeBatch(examples, all, 0, {}, dropout).ids);
  int words = 0;
  int dropped = 0;
  for (int row = 0; row < batch.sentences; ++row) {
    const auto length = batch.lengths[size_t(row)];
    const auto* ids = &batch.ids[size_t(row * batch.length)];
    EXPECT_EQ(ids[0], 2);
    EXPECT_EQ(ids[length - 1], 3);
    for (int i = 1; i < length - 1; ++i) {
      ++words;
      dropped += ids[i] == 1 ? 1 : 0;
    }
  }
  // Four standard deviations of a binomial.
  EXPECT_NEAR(dropped, 0.25 * words, 4 * std::sqrt(words * 0.25 * 0.75));
}

TEST(TrainBatches, CarryTheTeachersLogits) {
  const std::vector<Example> examples = Examples(3);
  const std::vector<float> logits = {0, 1, 10, 11, 20, 21};
  const std::vector<int> indices = {2, 0};
  EXPECT_EQ(MakeBatch(examples, indices, 0, logits).teacher, (std::vector<float>{20, 21, 0, 1}));
}

// Schedule

TEST(TrainSchedule, FollowsTheRun) {
  EXPECT_EQ(CubicSparsity(0.0, 0.1, 0.6, 0.8), 0);
  EXPECT_NEAR(CubicSparsity(0.35, 0.1, 0.6, 0.8), 0.8 * (1 - 0.125), 1e-12);  // half-way
  EXPECT_EQ(CubicSparsity(0.7, 0.1, 0.6, 0.8), 0.8);

  Options options;
  options.train.learning_rate = 0.01;
  options.train.warmup = 0.2;
  options.prune.method = "movement";
  options.prune.sparsity = 0.8;
  options.prune.begin = 0.1;
  options.prune.end = 0.6;
  options.span.ramp = 8;
  options.span.end = 0.5;
  const Schedule schedule(options, 12, *ParseDepth("2:0.3,4:0.5", 12));
  EXPECT_NEAR(schedule.At(0.1).learning_rate, 0.005, 1e-12);
  EXPECT_NEAR(schedule.At(0.2).learning_rate, 0.01, 1e-12);
  EXPECT_NEAR(schedule.At(0.6).learning_rate, 0.005, 1e-12);
  EXPECT_EQ(schedule.At(0).depth, 2);
  EXPECT_EQ(schedule.At(0.3).depth, 4);
  EXPECT_EQ(schedule.At(0.5).depth, 12);
  EXPECT_GT(schedule.At(0.49).span_learning_rate, 0);
  EXPECT_EQ(schedule.At(0.5).span_learning_rate, 0);
  EXPECT_FALSE(schedule.At(0.59).masks_fixed);
  EXPECT_TRUE(schedule.At(0.6).masks_fixed);
  EXPECT_NEAR(schedule.At(0.35).sparsity, 0.7, 1e-12);
  options.prune.method = "none";
  EXPECT_EQ(Schedule(options, 12, {}).At(0.9).sparsity, 0);
}

}  // namespace
}  // namespace edgebert::train
