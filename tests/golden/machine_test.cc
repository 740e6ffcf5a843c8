// The machine against real arithmetic, instruction by instruction: each result is compared with the
// function of golden/reference applied to what the machine itself read, so that the allowed error
// is that of one operation, derived from the format.
#include "golden/model/machine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <string>

#include "golden/checkpoint/image_builder.h"
#include "golden/reference/albert.h"
#include "golden/reference/functions.h"
#include "tests/golden/random_model.h"

namespace edgebert {
namespace {

using checkpoint::LinearWeights;
using model::Counts;
using model::Image;
using model::Machine;
using model::SentenceResult;
using model::Step;
using model::WriteBack;
using model::WriteKind;

using Row = std::vector<double>;
using Rows = std::vector<Row>;

/// Keeps the results of the present layer as real numbers, by name ("query 2" is that of head 2),
/// and calls `check` after each instruction.
class Recorder : public model::MachineObserver {
 public:
  Recorder(const checkpoint::CodeFormat& format, int lanes,
           std::function<void(const Step&, Recorder&)> check)
      : format_(format), lanes_(lanes), check_(std::move(check)) {}

  void OnInstruction(const Step& step) override {
    bias_ = OutputBias(*step.instruction);
    tensor_ = &tensors_[Key(step.name->text, step.name->head)];
    tensor_->clear();
  }
  void OnWriteBack(const Step& /*step*/, const WriteBack& write) override {
    if (write.kind == WriteKind::kEntropy) entropy = std::ldexp(write.lanes[0], -16);
    if (write.kind == WriteKind::kPrediction) prediction = write.lanes[0];
    if (write.kind == WriteKind::kEntropy || write.kind == WriteKind::kPrediction) return;
    if (tensor_->size() <= size_t(write.row)) tensor_->resize(size_t(write.row) + 1);
    Row& row = (*tensor_)[size_t(write.row)];
    const size_t first = size_t(write.tile * lanes_);
    if (row.size() < first + size_t(lanes_)) row.resize(first + size_t(lanes_));
    for (size_t lane = 0; lane < size_t(lanes_); ++lane) {
      const int32_t value = write.lanes[lane];
      row[first + lane] = write.kind == WriteKind::kActivation
                              ? checkpoint::Dequantize(static_cast<uint8_t>(value), bias_, format_)
                              : std::ldexp(value, write.kind == WriteKind::kScore ? -9 : -16);
    }
  }
  void OnDone(const Step& step, const Counts& /*counts*/) override { check_(step, *this); }

  const Rows& Tensor(const std::string& name, int head = -1) {
    return tensors_.at(Key(name, head));
  }
  [[nodiscard]] int bias() const { return bias_; }

  double entropy = 0;
  int prediction = 0;

 private:
  static std::string Key(const std::string& name, int head) {
    return head < 0 ? name : fmt::format("{} {}", name, head);
  }
  static int OutputBias(const spec::Instruction& instruction) {
    switch (static_cast<spec::Opcode>(instruction.Get(spec::kOpcode))) {
      case spec::Opcode::kEmbed:
        return instruction.GetInt(spec::kEmbedBiasOut);
      case spec::Opcode::kMatmul:
        return instruction.GetInt(spec::kMatmulBiasOut);
      case spec::Opcode::kSoftmax:
        return instruction.GetInt(spec::kSoftmaxBiasOut);
      case spec::Opcode::kLayerNorm:
        return instruction.GetInt(spec::kLayerNormBiasOut);
      default:
        return 0;
    }
  }

  checkpoint::CodeFormat format_;
  int lanes_;
  std::function<void(const Step&, Recorder&)> check_;
  std::map<std::string, Rows> tensors_;
  Rows* tensor_ = nullptr;
  int bias_ = 0;
};

/// Runs sentences and collects every result that is off by more than its operation may be.
class OperationChecker {
 public:
  OperationChecker(const RandomCase& random, const spec::AcceleratorConfig& config)
      : config_(config),
        shape_(random.model.config),
        weights_(random.model.weights),
        format_(checkpoint::FormatOf(config)) {}

  std::vector<std::string> Run(const Image& image, const checkpoint::Tokens& tokens) {
    tokens_ = &tokens;
    mistakes_.clear();
    checked_ = 0;
    Recorder recorder(format_, config_.vmac.n,
                      [this](const Step& step, Recorder& r) { Check(step, r); });
    Machine machine(config_, image);
    const SentenceResult& result = machine.Run(checkpoint::TokenWords(tokens), 0, &recorder);
    if (result.error != spec::ErrorCode::kNone) {
      mistakes_.push_back(fmt::format("error {}", static_cast<int>(result.error)));
    }
    return mistakes_;
  }
  [[nodiscard]] size_t checked() const { return checked_; }

 private:
  void Check(const Step& step, Recorder& recorder);

  /// `error` is what the operation may add before its result is encoded.
  void Codes(const Step& step, const Recorder& recorder, const Rows& got, const Rows& expected,
             double error, size_t first_column = 0) {
    const double smallest =
        std::ldexp(1 + std::ldexp(1.0, -format_.MantissaBits()), recorder.bias());
    const double largest = std::ldexp(2 - std::ldexp(1.0, -format_.MantissaBits()),
                                      recorder.bias() + format_.ExponentMax());
    for (size_t row = 0; row < expected.size(); ++row) {
      for (size_t column = 0; column < expected[row].size(); ++column) {
        const double y = std::clamp(expected[row][column], -largest, largest);
        // Half a step, or half of the smallest number.
        const double rounding =
            std::max(std::fabs(y) * std::ldexp(1.0, -format_.MantissaBits() - 1), smallest / 2);
        Compare(step, row, column, got[row][first_column + column], y,
                rounding * 1.001 + error * 1.1);
      }
    }
  }
  void Compare(const Step& step, size_t row, size_t column, double got, double expected,
               double tolerance) {
    ++checked_;
    if (std::fabs(got - expected) <= tolerance) return;
    mistakes_.push_back(fmt::format("{} [{}, {}]: {} instead of {} +- {}", step.Describe(), row,
                                    column, got, expected, tolerance));
  }

  /// W x + b of every row, on outputs `first` .. `first + count - 1`.
  static Rows Linear(const LinearWeights& linear, const Rows& input, size_t first, size_t count) {
    Rows output;
    for (const Row& row : input) {
      Row& y = output.emplace_back();
      for (size_t o = first; o < first + count; ++o) {
        const auto w = linear.weight.Row(static_cast<int>(o));
        double sum = linear.bias[o];
        for (size_t k = 0; k < w.size(); ++k) sum += double{w[k]} * row[k];
        y.push_back(sum);
      }
    }
    return output;
  }
  static Rows Linear(const LinearWeights& linear, const Rows& input) {
    return Linear(linear, input, 0, size_t(linear.weight.rows));
  }
  static Rows Sum(Rows a, const Rows& b) {
    for (size_t row = 0; row < a.size(); ++row) {
      for (size_t i = 0; i < a[row].size(); ++i) a[row][i] += b[row][i];
    }
    return a;
  }
  [[nodiscard]] Rows Norm(const checkpoint::LayerNormWeights& norm, const Rows& input) const {
    const Row gamma(norm.gamma.begin(), norm.gamma.end());
    const Row beta(norm.beta.begin(), norm.beta.end());
    Rows output;
    for (Row row : input) {
      row.resize(gamma.size());
      output.push_back(reference::LayerNorm(row, gamma, beta, shape_.layer_norm_eps));
    }
    return output;
  }
  [[nodiscard]] double Mask(int head, size_t i, size_t j) const {
    if (weights_.attention_span.empty()) return 1;
    return reference::SpanMask(double{weights_.attention_span[size_t(head)]},
                               shape_.attention_span_ramp,
                               std::fabs(static_cast<double>(i) - static_cast<double>(j)));
  }
  /// The input of the present layer: of its inner part `inner`.
  const Rows& Input(const Step& step, Recorder& recorder, int inner) const {
    if (step.layer == 0 && inner == 0) return recorder.Tensor("embedding projection");
    const int last = shape_.inner_group_num - 1;
    return recorder.Tensor(Name("output norm", inner == 0 ? last : inner - 1));
  }
  [[nodiscard]] std::string Name(const std::string& name, int inner) const {
    return shape_.inner_group_num == 1 ? name : fmt::format("inner {} {}", inner, name);
  }

  const spec::AcceleratorConfig& config_;
  const checkpoint::ModelConfig& shape_;
  const checkpoint::ModelWeights& weights_;
  checkpoint::CodeFormat format_;
  const checkpoint::Tokens* tokens_ = nullptr;
  std::vector<std::string> mistakes_;
  size_t checked_ = 0;
};

// What an operation may be off before it encodes: a Fixed has 16 fraction bits, so one rounding is
// 2^-17; a matrix product makes up to three (shift, bias, residual).
constexpr double kLinearError = 3 * 0x1p-17;
// Chord over a segment of 1/16 of a function whose second derivative is below 1: (1/16)^2 / 8.
constexpr double kActivationError = 1.0 / 16 / 16 / 8 + 0x1p-15;

void OperationChecker::Check(const Step& step, Recorder& recorder) {
  std::string name = step.name->text;
  int inner = 0;
  if (name.starts_with("inner ")) {
    inner = name[6] - '0';
    name = name.substr(8);
  }
  const int head = step.name->head;
  const size_t tokens = tokens_->ids.size();
  const size_t head_size = size_t(shape_.HeadSize());
  const checkpoint::LayerWeights& layer = weights_.groups[size_t(
      shape_.GroupOfLayer(std::min(step.layer, shape_.num_hidden_layers - 1)))][size_t(inner)];
  const Rows& got = recorder.Tensor(step.name->text, head);
  const auto tensor = [&](const char* text, int h = -1) -> const Rows& {
    return recorder.Tensor(Name(text, inner), h);
  };
  const auto one_head = [&](const LinearWeights& linear, double scale) {
    Rows rows = Linear(linear, Input(step, recorder, inner), size_t(head) * head_size, head_size);
    for (Row& row : rows) {
      for (double& y : row) y *= scale;
    }
    return rows;
  };

  if (name == "embedding") {
    Rows expected(tokens);
    for (size_t i = 0; i < tokens; ++i) {
      const auto word = weights_.word_embeddings.Row(tokens_->ids[i]);
      const auto position = weights_.position_embeddings.Row(static_cast<int>(i));
      const auto type = weights_.type_embeddings.Row(tokens_->types[i]);
      for (size_t e = 0; e < word.size(); ++e) {
        expected[i].push_back(double{word[e]} + position[e] + type[e]);
      }
    }
    Codes(step, recorder, got, expected, 3 * 0x1p-17);
  } else if (name == "embedding projection") {
    Codes(step, recorder, got,
          Linear(weights_.embedding_projection, recorder.Tensor("embedding norm")), kLinearError);
  } else if (name.ends_with("norm")) {
    const auto& norm = name == "embedding norm"   ? weights_.embedding_norm
                       : name == "attention norm" ? layer.attention_norm
                                                  : layer.output_norm;
    const Rows& input = name == "embedding norm"   ? recorder.Tensor("embedding")
                        : name == "attention norm" ? tensor("attention output")
                                                   : tensor("ffn output");
    // The normalised value: 2^-13, and 1/sqrt (chords over 1/64 of [1, 2), second derivative below
    // 3/4) off by 2^-16 of itself, so of at most sqrt(H) of it; then gamma, which is below 2.
    const double z_error = 0x1p-13 + 0x1p-15 * std::sqrt(static_cast<double>(input[0].size()));
    Codes(step, recorder, got, Norm(norm, input), 2 * z_error + 0x1p-16);
  } else if (name == "query") {
    Codes(step, recorder, got, one_head(layer.query, 1 / std::sqrt(double(head_size))),
          kLinearError);
  } else if (name == "key") {
    Codes(step, recorder, got, one_head(layer.key, 1), kLinearError);
  } else if (name == "value") {
    Codes(step, recorder, got, one_head(layer.value, 1), kLinearError);
  } else if (name == "scores") {
    const Rows& queries = tensor("query", head);
    const Rows& keys = tensor("key", head);
    for (size_t i = 0; i < tokens; ++i) {
      for (size_t j = 0; j < tokens; ++j) {
        if (Mask(head, i, j) == 0) continue;
        double score = 0;
        for (size_t k = 0; k < queries[i].size(); ++k) score += queries[i][k] * keys[j][k];
        Compare(step, i, j, got[i][j], std::clamp(score, -64.0, 64 - 0x1p-9), 0x1p-10 + 0x1p-16);
      }
    }
  } else if (name == "softmax") {
    const Rows& scores = tensor("scores", head);
    Rows expected(tokens);
    for (size_t i = 0; i < tokens; ++i) {
      Row visible_scores;
      Row masks;
      for (size_t j = 0; j < tokens; ++j) {
        masks.push_back(Mask(head, i, j));
        // A key that is not visible need not have a score.
        visible_scores.push_back(masks.back() > 0 ? scores[i][j] : 0);
      }
      expected[i] = reference::MaskedSoftmax(visible_scores, masks);
    }
    // Keys have weights with 16 fraction bits, masks 15, of a sum of at least the mask of the best
    // key; relative errors of exp2 and 1/S are below 2^-12.
    Rows written = got;
    for (Row& row : written) row.resize(std::max(row.size(), tokens));
    Codes(step, recorder, written, expected, 0x1p-11);
  } else if (name == "context") {
    const Rows& probabilities = tensor("softmax", head);
    const Rows& values = tensor("value", head);
    Rows expected(tokens, Row(head_size));
    for (size_t i = 0; i < tokens; ++i) {
      for (size_t j = 0; j < std::min(tokens, probabilities[i].size()); ++j) {
        for (size_t k = 0; k < head_size; ++k) {
          expected[i][k] += probabilities[i][j] * values[j][k];
        }
      }
    }
    Codes(step, recorder, got, expected, kLinearError);
  } else if (name == "attention output") {
    Rows context(tokens, Row(size_t(shape_.hidden_size)));
    for (int h = 0; h < shape_.num_attention_heads; ++h) {
      if (!weights_.attention_span.empty() &&
          double{weights_.attention_span[size_t(h)]} + shape_.attention_span_ramp <= 0) {
        continue;
      }
      const Rows& part = tensor("context", h);
      for (size_t i = 0; i < tokens; ++i) {
        std::copy_n(part[i].begin(), head_size,
                    context[i].begin() + std::ptrdiff_t(size_t(h) * head_size));
      }
    }
    Codes(step, recorder, got,
          Sum(Linear(layer.attention_output, context), Input(step, recorder, inner)), kLinearError);
  } else if (name == "ffn") {
    Rows expected = Linear(layer.ffn, tensor("attention norm"));
    for (Row& row : expected) {
      for (double& y : row) y = reference::Activate(shape_.hidden_act, y);
    }
    Codes(step, recorder, got, expected, kLinearError + kActivationError);
  } else if (name == "ffn output") {
    Codes(step, recorder, got,
          Sum(Linear(layer.ffn_output, tensor("ffn")), tensor("attention norm")), kLinearError);
  } else if (name == "pooler" || name == "classifier") {
    const checkpoint::OffRampWeights& ramp = weights_.OffRamp(step.layer);
    const Rows& input = name == "classifier" && ramp.pooler
                            ? recorder.Tensor("pooler")
                            : recorder.Tensor(Name("output norm", shape_.inner_group_num - 1));
    const Rows first_token = {input[0]};
    if (name == "pooler") {
      Rows expected = Linear(*ramp.pooler, first_token);
      for (double& y : expected[0]) y = std::tanh(y);
      Codes(step, recorder, got, expected, kLinearError + kActivationError);
    } else {
      const Rows expected = Linear(ramp.classifier, first_token);
      for (size_t c = 0; c < expected[0].size(); ++c) {
        Compare(step, 0, c, got[0][c], expected[0][c], kLinearError);
      }
    }
  } else if (name == "exit") {
    Row logits = recorder.Tensor("classifier")[0];
    logits.resize(size_t(shape_.num_labels()));
    Compare(step, 0, 0, recorder.entropy, reference::Entropy(logits), 2e-3);
    Compare(step, 0, 1, recorder.prediction, reference::Predict(logits), 0);
  }
}

Image Build(const RandomCase& random, const spec::AcceleratorConfig& config) {
  auto image = checkpoint::BuildImage(random.model.config, random.model.weights, random.biases,
                                      config, {.name = "random"});
  EXPECT_TRUE(image.ok()) << image.error().Format();
  return std::move(image).value();
}

struct Shape {
  int lanes;
  int width;
  int exponent;
};

class MachineShapes : public testing::TestWithParam<Shape> {};

TEST_P(MachineShapes, EveryOperationAgreesWithRealArithmetic) {
  const auto [lanes, width, exponent] = GetParam();
  const spec::AcceleratorConfig config = SmallConfig(lanes, width, exponent);
  size_t checked = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const RandomCase random = MakeRandomCase(config, seed);
    const Image image = Build(random, config);
    OperationChecker checker(random, config);
    for (const checkpoint::Tokens& tokens : random.sentences) {
      const std::vector<std::string> mistakes = checker.Run(image, tokens);
      ASSERT_TRUE(mistakes.empty())
          << "seed " << seed << ", " << tokens.ids.size() << " tokens, " << mistakes.size()
          << " wrong of " << checker.checked() << "; first: " << mistakes[0];
      checked += checker.checked();
    }
  }
  EXPECT_GT(checked, 100000U);
}

INSTANTIATE_TEST_SUITE_P(Shapes, MachineShapes,
                         testing::Values(Shape{4, 8, 3}, Shape{8, 8, 3}, Shape{16, 8, 3},
                                         Shape{32, 8, 3}, Shape{8, 8, 4}, Shape{8, 8, 2},
                                         Shape{16, 6, 3}, Shape{4, 5, 2}),
                         [](const auto& shape) {
                           return fmt::format("n{}_w{}_e{}", shape.param.lanes, shape.param.width,
                                              shape.param.exponent);
                         });

bool Has(const Image& image, const std::string& name) {
  return std::any_of(image.names.begin(), image.names.end(),
                     [&](const model::InstructionName& n) { return n.text == name; });
}

/// The first instruction of a name.
size_t Find(const Image& image, const std::string& name) {
  for (size_t pc = 0; pc < image.names.size(); ++pc) {
    if (image.names[pc].text == name) return pc;
  }
  ADD_FAILURE() << "no instruction " << name;
  return 0;
}

TEST(Machine, TheCheckSeesABrokenProgramOrWeight) {
  const spec::AcceleratorConfig config = SmallConfig(8);
  // The first model with a head that is not off.
  uint64_t seed = 1;
  while (!Has(Build(MakeRandomCase(config, seed), config), "softmax")) ++seed;
  const RandomCase random = MakeRandomCase(config, seed);
  const Image image = Build(random, config);
  OperationChecker checker(random, config);
  const checkpoint::Tokens& tokens = random.sentences[0];
  ASSERT_TRUE(checker.Run(image, tokens).empty());

  for (const char* name : {"embedding projection", "key", "scores", "context", "ffn output"}) {
    Image broken = image;
    spec::Instruction& matmul = broken.program[Find(image, name)];
    matmul.Set(spec::kMatmulShift, matmul.Get(spec::kMatmulShift) + 1);
    EXPECT_FALSE(checker.Run(broken, tokens).empty()) << name;
  }
  {
    Image broken = image;
    spec::Instruction& softmax = broken.program[Find(image, "softmax")];
    softmax.Set(spec::kSoftmaxMaskC, softmax.Get(spec::kSoftmaxMaskC) * 7 / 8);
    softmax.Set(spec::kSoftmaxMaskR, 1 << 17);
    EXPECT_FALSE(checker.Run(broken, tokens).empty());
  }
  {
    Image broken = image;
    spec::Instruction& norm = broken.program[Find(image, "attention norm")];
    norm.Set(spec::kLayerNormHidden, norm.Get(spec::kLayerNormHidden) + 1);
    EXPECT_FALSE(checker.Run(broken, tokens).empty());
  }
  {
    // The sign of a code of the last tile of the embedding projection.
    Image broken = image;
    const spec::Instruction& stream = broken.program[0];
    broken.weights[size_t(stream.Get(spec::kStreamBeats)) * 8 - 8] ^= 0x80;
    EXPECT_FALSE(checker.Run(broken, tokens).empty());
  }
}

/// Root mean square of a - b over that of b.
double RelativeDistance(const Row& a, const std::vector<double>& b) {
  double difference = 0;
  double size = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference / size);
}

TEST(Machine, WholeModelsStayNearTheReference) {
  // A code of <8,3> is off by 2^-5 / sqrt(3) = 1.8 % of its size; a layer encodes nine times in a
  // row, and LayerNorm keeps the sum from growing: a few per cent a layer at most.
  const spec::AcceleratorConfig config = SmallConfig(8);
  for (uint64_t seed = 11; seed <= 16; ++seed) {
    const RandomCase random = MakeRandomCase(config, seed);
    const Image image = Build(random, config);
    const reference::Albert albert(random.model);
    for (const checkpoint::Tokens& tokens : random.sentences) {
      const reference::ForwardResult expected =
          albert.Forward(tokens.ids, tokens.types, {.keep_tensors = true});
      double largest = 0;
      Recorder recorder(
          checkpoint::FormatOf(config), config.vmac.n, [&](const Step& step, Recorder& r) {
            const int last = random.model.config.inner_group_num - 1;
            const std::string inner = last > 0 ? fmt::format("inner {} ", last) : "";
            if (step.name->text != inner + "output norm") return;
            const reference::NamedTensor& tensor = expected.Tensor(
                last > 0 ? fmt::format("layer.{}.inner.{}.output_norm", step.layer, last)
                         : fmt::format("layer.{}.output_norm", step.layer));
            Row got;
            for (const Row& row : r.Tensor(step.name->text)) {
              got.insert(got.end(), row.begin(), row.begin() + tensor.columns);
            }
            largest = std::max(largest, RelativeDistance(got, tensor.values));
          });
      Machine machine(config, image);
      machine.Run(checkpoint::TokenWords(tokens), 0, &recorder);
      EXPECT_GT(largest, 0.005);
      EXPECT_LT(largest, 0.15) << "seed " << seed;
    }
  }
}

// --- The rest of the machine ---------------------------------------------------------------------

class MachineTest : public testing::Test {
 protected:
  MachineTest()
      : config_(SmallConfig(8)),
        random_(MakeRandomCase(config_, 3)),
        image_(Build(random_, config_)) {}

  [[nodiscard]] std::vector<uint32_t> Words(size_t sentence = 0) const {
    return checkpoint::TokenWords(random_.sentences[sentence]);
  }
  [[nodiscard]] spec::ErrorCode ErrorOf(const Image& image, uint32_t* detail = nullptr) const {
    Machine machine(config_, image);
    const SentenceResult& result = machine.Run(Words(), 0);
    if (detail != nullptr) *detail = result.error_detail;
    return result.error;
  }

  spec::AcceleratorConfig config_;
  RandomCase random_;
  Image image_;
};

/// What a run wrote, in order.
class WriteLog : public model::MachineObserver {
 public:
  void OnWriteBack(const Step& step, const WriteBack& write) override {
    entries.push_back(fmt::format("{} {} {} {} {} {}: {}", step.sequence,
                                  static_cast<int>(write.kind), write.address, write.row,
                                  write.tile, step.Describe(), fmt::join(write.lanes, " ")));
  }
  std::vector<std::string> entries;
};

TEST_F(MachineTest, TheWideArithmeticGivesTheSameBits) {
  // An accumulator of 48 bits never saturates here, but is summed step by step.
  spec::AcceleratorConfig wide = config_;
  wide.vmac.accumulator_bits = 48;
  for (size_t i = 0; i < random_.sentences.size(); ++i) {
    WriteLog fast_log;
    WriteLog slow_log;
    Machine fast(config_, image_);
    Machine slow(wide, image_);
    fast.Run(Words(i), 0, &fast_log);
    slow.Run(Words(i), 0, &slow_log);
    EXPECT_EQ(fast_log.entries, slow_log.entries);
    EXPECT_EQ(fast.result().counts, slow.result().counts);
    EXPECT_FALSE(slow.result().saturated);
  }
}

TEST_F(MachineTest, ANarrowAccumulatorSaturatesAndSaysSo) {
  spec::AcceleratorConfig narrow = config_;
  narrow.vmac.accumulator_bits = 20;
  Machine machine(narrow, image_);
  EXPECT_TRUE(machine.Run(Words(), 0).saturated);
}

TEST_F(MachineTest, StateMovesBetweenMachines) {
  WriteLog whole;
  Machine one(config_, image_);
  one.Run(Words(), 0, &whole);
  const SentenceResult expected = one.result();

  WriteLog parts;
  Machine first(config_, image_);
  first.Start(Words(), 0);
  const uint64_t middle = 20;
  first.RunUntil(middle, &parts);
  EXPECT_EQ(first.state().sequence, middle);
  Machine second(config_, image_);
  second.set_state(first.state());
  while (second.StepOnce(&parts)) {
  }
  EXPECT_EQ(parts.entries, whole.entries);
  EXPECT_EQ(second.result().logits, expected.logits);
  EXPECT_EQ(second.result().entropies, expected.entropies);
  EXPECT_EQ(second.result().counts, expected.counts);
}

TEST_F(MachineTest, ExitsStrictlyBelowTheThreshold) {
  Machine machine(config_, image_);
  const SentenceResult full = machine.Run(Words(), 0);
  EXPECT_EQ(full.exit_layer, random_.model.config.num_hidden_layers);
  EXPECT_EQ(full.entropies.size(), size_t(full.exit_layer));
  const uint32_t first = full.entropies[0];
  EXPECT_EQ(machine.Run(Words(), first + 1).exit_layer, 1);
  EXPECT_EQ(machine.result().entropies, std::vector<uint32_t>{first});
  ASSERT_GT(full.exit_layer, 1);
  EXPECT_GT(machine.Run(Words(), first).exit_layer, 1);
}

TEST_F(MachineTest, ReportsTheErrorsOfTheHardware) {
  uint32_t detail = 0;
  {
    Machine machine(config_, image_);
    EXPECT_EQ(machine.Run({}, 0).error, spec::ErrorCode::kLength);
    const std::vector<uint32_t> too_long(size_t(config_.model.seq_len) + 1, 0);
    EXPECT_EQ(machine.Run(too_long, 0).error, spec::ErrorCode::kLength);
    std::vector<uint32_t> words = {0, static_cast<uint32_t>(image_.facts.vocabulary)};
    EXPECT_EQ(machine.Run(words, 0).error, spec::ErrorCode::kTokenRange);
    EXPECT_EQ(machine.result().error_detail, 1U);
    words = {0, 0, static_cast<uint32_t>(image_.facts.types) << spec::kTokenTypeBit};
    EXPECT_EQ(machine.Run(words, 0).error, spec::ErrorCode::kTypeRange);
    EXPECT_EQ(machine.result().error_detail, 2U);
  }
  {
    Image broken = image_;
    broken.program[2].Set(spec::kOpcode, 0x7F);
    EXPECT_EQ(ErrorOf(broken, &detail), spec::ErrorCode::kBadOpcode);
    EXPECT_EQ(detail, 2U);
  }
  {
    Image broken = image_;
    broken.program.pop_back();
    broken.names.pop_back();
    EXPECT_EQ(ErrorOf(broken, &detail), spec::ErrorCode::kProgramOverrun);
    EXPECT_EQ(detail, broken.program.size());
  }
  {
    Image broken = image_;
    broken.program[0] = {};  // END
    EXPECT_EQ(ErrorOf(broken), spec::ErrorCode::kNoExit);
  }
  {
    // The marker of the first tile lies after gamma and beta and the biases of a strip.
    Image broken = image_;
    const size_t norm_bytes =
        size_t(2 * spec::CeilDiv(random_.model.config.embedding_size, 8)) * 32;
    broken.weights[norm_bytes + 32 + 3] ^= 1;
    EXPECT_EQ(ErrorOf(broken), spec::ErrorCode::kStreamFormat);
  }
  {
    // The same tile, beyond those of its MATMUL.
    Image broken = image_;
    const size_t record =
        size_t(2 * spec::CeilDiv(random_.model.config.embedding_size, 8)) * 32 + 32;
    broken.weights[record] =
        static_cast<uint8_t>(spec::CeilDiv(random_.model.config.embedding_size, 8));
    EXPECT_EQ(ErrorOf(broken), spec::ErrorCode::kStreamFormat);
  }
  struct Operand {
    spec::Opcode opcode;
    spec::Field field;
    int value;
  };
  const int longest =
      spec::CeilDiv(std::max(config_.model.hidden, config_.model.embedding), config_.vmac.n);
  const int embedding = spec::CeilDiv(config_.model.embedding, config_.vmac.n);
  for (const Operand& bad :
       {Operand{spec::Opcode::kEmbed, spec::kEmbedVectors, 0},
        Operand{spec::Opcode::kEmbed, spec::kEmbedVectors, embedding + 1},
        Operand{spec::Opcode::kLayerNorm, spec::kLayerNormVectors, 0},
        Operand{spec::Opcode::kLayerNorm, spec::kLayerNormVectors, longest + 1},
        Operand{spec::Opcode::kMatmul, spec::kMatmulStrips, 0},
        Operand{spec::Opcode::kMatmul, spec::kMatmulKTiles, 0}}) {
    SCOPED_TRACE(fmt::format("{} {}", bad.field.name, bad.value));
    Image broken = image_;
    size_t pc = 0;
    while (broken.program[pc].Get(spec::kOpcode) != static_cast<int64_t>(bad.opcode)) ++pc;
    broken.program[pc].Set(bad.field, bad.value);
    EXPECT_EQ(ErrorOf(broken, &detail), spec::ErrorCode::kBadOperand);
    EXPECT_EQ(detail, pc);
  }
  {
    // The same tile, called empty though its mask is not.
    Image broken = image_;
    const size_t record =
        size_t(2 * spec::CeilDiv(random_.model.config.embedding_size, 8)) * 32 + 32;
    broken.weights[record + spec::kTileEmptyBit / 8] |= 1 << (spec::kTileEmptyBit % 8);
    broken.weights[record + spec::kTilePrefixBits / 8] |= 1;
    EXPECT_EQ(ErrorOf(broken), spec::ErrorCode::kStreamFormat);
  }
}

TEST_F(MachineTest, CorrectsTheReramOrFails) {
  spec::AcceleratorConfig config = config_;
  config.reram.ecc = spec::ReramEcc::kSecded;
  const Image sound = Build(random_, config);
  EXPECT_FALSE(Machine::Check(config_, sound).ok());
  ASSERT_TRUE(Machine::Check(config, sound).ok());
  const std::vector<uint32_t> words = Words();
  const SentenceResult plain = Machine(config_, image_).Run(words, 0);
  const auto run = [&](const Image& image) { return Machine(config, image).Run(words, 0); };
  const SentenceResult right = run(sound);
  EXPECT_EQ(right.logits, plain.logits);
  EXPECT_EQ(right.counts, plain.counts);

  // One wrong bit in every word, of 64 bits and 8 check bits: every word that is read is corrected.
  Image faulty = sound;
  for (auto* region : {&faulty.reram.slc, &faulty.reram.mlc}) {
    ASSERT_EQ(region->size() % 9, 0U);
    for (size_t word = 0; word < region->size() / 9; ++word) {
      const size_t bit = word * 31 % 72;
      (*region)[9 * word + bit / 8] ^= static_cast<uint8_t>(1U << bit % 8);
    }
  }
  const SentenceResult corrected = run(faulty);
  EXPECT_EQ(corrected.error, spec::ErrorCode::kNone);
  EXPECT_EQ(corrected.logits, plain.logits);
  EXPECT_EQ(corrected.counts.reram_corrected, right.counts.reram_words);
  EXPECT_EQ(right.counts.reram_corrected, 0U);

  // Two in the index entry of the second token's word (two entries a word), and of its position.
  const auto broken_row = [&](uint32_t row) {
    Image broken = sound;
    broken.reram.slc[9 * (row / 2) + 5] ^= 0x81;
    return run(broken);
  };
  const uint32_t id = words[1] & ((1U << spec::kTokenTypeBit) - 1);
  const SentenceResult word = broken_row(id);
  EXPECT_EQ(word.error, spec::ErrorCode::kReramWord);
  EXPECT_TRUE(word.error_detail / 2 == id / 2) << word.error_detail;
  const auto position = static_cast<uint32_t>(image_.facts.vocabulary) + 1;
  const SentenceResult second = broken_row(position);
  EXPECT_EQ(second.error, spec::ErrorCode::kReramWord);
  EXPECT_EQ(second.error_detail / 2, position / 2);
}

TEST_F(MachineTest, RefusesAnImageOfAnotherFormat) {
  spec::AcceleratorConfig other = config_;
  other.vmac.n = 16;
  other.axi.data_width = 32;
  const Status status = Machine::Check(other, image_);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().Format(),
            "error: the image is for vmac.n = 8; the configuration has 16 [image-mismatch]\n"
            "error: the image is for axi.data_width = 128; the configuration has 32 "
            "[image-mismatch]");
  EXPECT_TRUE(Machine::Check(config_, image_).ok());
}

TEST(MachineCounts, FollowFromTheShape) {
  // Dense weights without spans, so that every number follows from the shape.
  spec::AcceleratorConfig config = SmallConfig(8);
  RandomCase random = MakeRandomCase(config, 1);
  checkpoint::ModelConfig& shape = random.model.config;
  shape = {};
  shape.vocab_size = 10;
  shape.embedding_size = 12;      // 2 vectors
  shape.hidden_size = 40;         // 5
  shape.num_attention_heads = 4;  // of 10: 2
  shape.intermediate_size = 20;   // 3
  shape.num_hidden_layers = 3;
  shape.max_position_embeddings = 30;
  shape.labels = {"a", "b", "c"};
  shape.off_ramp_pooler = true;
  random.model.weights = checkpoint::RandomModelWeights(shape, 8, 1);
  checkpoint::ModelWeights& weights = random.model.weights;
  const auto fill = [](std::vector<float>& values) {
    std::fill(values.begin(), values.end(), 0.1F);
  };
  checkpoint::LayerWeights& layer = weights.groups[0][0];
  for (LinearWeights* linear :
       {&weights.embedding_projection, &layer.query, &layer.key, &layer.value,
        &layer.attention_output, &layer.ffn, &layer.ffn_output, &*weights.off_ramps[0].pooler,
        &weights.off_ramps[0].classifier}) {
    fill(linear->weight.values);
  }
  const Image image = Build(random, config);
  Machine machine(config, image);
  const std::vector<uint32_t> tokens(19, 1);  // 3 key tiles
  const Counts& counts = machine.Run(tokens, 0).counts;

  const uint64_t rows = 19;
  const uint64_t projection_tiles = 5 * 2;
  // A head: 2 x 5 tiles for each of Q, K and V; scores 3 strips x 2; context 2 strips x 3.
  const uint64_t head_tiles = 3 * 2 * 5 + 3 * 2 + 2 * 3;
  // Output: 5 strips x 4 heads x 2; FFN: 3 x 5 and 5 x 3.
  const uint64_t layer_tiles = 4 * head_tiles + 5 * 8 + 3 * 5 + 5 * 3;
  const uint64_t ramp_tiles = 5 * 5 + 1 * 5;
  EXPECT_EQ(counts.tiles, projection_tiles + 3 * (layer_tiles + ramp_tiles));
  EXPECT_EQ(counts.mac_rows, rows * (projection_tiles + 3 * layer_tiles) + 3 * ramp_tiles);
  EXPECT_EQ(counts.source_reads, counts.mac_rows);
  EXPECT_EQ(counts.skipped_rows, 0U);
  // K for each strip of the scores: a tile row a token, twice (2 K tiles); V likewise.
  EXPECT_EQ(counts.held_reads, 3 * 4 * (rows * 2 + rows * 2));
  EXPECT_EQ(counts.residual_reads, 3 * 2 * rows * 5);
  EXPECT_EQ(counts.softmax_tiles, 3 * 4 * rows * 3);
  EXPECT_EQ(counts.norm_vectors, rows * 2 + 3 * 2 * rows * 5);
  EXPECT_EQ(counts.score_writes, 3 * 4 * rows * 3);
  const uint64_t layer_writes = 4 * (4 * 2 + 3) + 5 + 5 + 3 + 5 + 5;
  EXPECT_EQ(counts.activation_writes, rows * (2 + 2 + 5) + 3 * (rows * layer_writes + 5));
  const uint64_t layer_weights = 4 * 40 * 40 + 2 * 20 * 40;
  EXPECT_EQ(counts.weight_nonzeros, 40 * 12 + 3 * (layer_weights + 40 * 40 + 3 * 40));
  EXPECT_EQ(counts.weight_beats,
            image.weights.size() / 16 * 1 +
                2 * (static_cast<uint64_t>(
                         image.program[Find(image, "stream layer")].Get(spec::kStreamBeats)) +
                     static_cast<uint64_t>(
                         image.program[Find(image, "stream off-ramp")].Get(spec::kStreamBeats))));
  // stream, embedding, norm, projection; of a layer two streams, 4 x 6, 5, pooler, classifier,
  // exit and loop; end.
  EXPECT_EQ(counts.instructions, 4 + 3 * (2 + 4 * 6 + 5 + 4) + 1);
}

TEST(MachineCounts, ProductsByTheirZeroOperands) {
  static constexpr int kLanes = 4;
  const spec::AcceleratorConfig config = SmallConfig(kLanes);
  RandomCase random;
  checkpoint::ModelConfig& shape = random.model.config;
  shape.vocab_size = 10;
  shape.embedding_size = 8;
  shape.hidden_size = 8;
  shape.num_attention_heads = 1;
  shape.intermediate_size = 12;
  shape.num_hidden_layers = 1;
  shape.max_position_embeddings = 40;
  shape.labels = {"a", "b"};
  shape.off_ramp_pooler = false;
  shape.hidden_act = checkpoint::Activation::kRelu;  // plenty of zeros
  shape.attention_span_ramp = 4;
  random.model.weights = checkpoint::RandomModelWeights(
      shape, kLanes, 1, {.elements = 0.5, .tiles = 0, .tile_rows = 0});
  random.model.weights.attention_span = {1};  // sees 4 tokens to either side
  SnapWeights(random.model, checkpoint::FormatOf(config));
  random.biases = checkpoint::Calibrate(random.model, checkpoint::RandomSentences(shape, 18, 2, 1),
                                        checkpoint::FormatOf(config));
  const Image image = Build(random, config);
  Machine machine(config, image);
  static constexpr int kRows = 18;

  // One product after the other, from what the machine is about to read.
  class Products : public model::MachineObserver {
   public:
    Products(const Machine& machine, const checkpoint::ModelWeights& weights)
        : machine_(machine), weights_(weights) {}
    void OnInstruction(const Step& step) override {
      expected_ = {};
      name_ = step.name->text;
      if (name_ == "ffn output") {
        const checkpoint::Matrix& weight = weights_.groups[0][0].ffn_output.weight;
        for (int j = 0; j < weight.rows; ++j) {
          for (int row = 0; row < kRows; ++row) {
            for (int k = 0; k < weight.columns; ++k) {
              Add(Live(step, spec::kMatmulSrcBase, spec::kMatmulSrcStride, row, k),
                  weight.Row(j)[size_t(k)] != 0);
            }
          }
        }
      } else if (name_ == "scores") {
        const int keys = spec::CeilDiv(kRows, kLanes) * kLanes;
        for (int j = 0; j < keys; ++j) {
          const int tile = j / kLanes * kLanes;
          for (int row = std::max(0, tile - 4); row < std::min(kRows, tile + kLanes + 4); ++row) {
            for (int k = 0; k < 8; ++k) {
              Add(Live(step, spec::kMatmulSrcBase, spec::kMatmulSrcStride, row, k),
                  j < kRows && Live(step, spec::kMatmulHeldBase, spec::kMatmulHeldStride, j, k));
            }
          }
        }
      }
    }
    void OnDone(const Step& /*step*/, const Counts& counts) override {
      if (expected_.mac_rows == 0) return;
      ++checked;
      EXPECT_EQ(counts.mac_rows * kLanes * kLanes, expected_.mac_rows) << name_;
      EXPECT_EQ(counts.source_products, expected_.source_products) << name_;
      EXPECT_EQ(counts.held_products, expected_.held_products) << name_;
      EXPECT_EQ(counts.live_products, expected_.live_products) << name_;
      EXPECT_LT(counts.live_products, expected_.mac_rows) << name_;
    }

    int checked = 0;

   private:
    [[nodiscard]] bool Live(const Step& step, const spec::Field& base, const spec::Field& stride,
                            int row, int lane) const {
      const int64_t vector =
          step.instruction->Get(base) + row * step.instruction->Get(stride) + lane / kLanes;
      return machine_.state().activations[size_t(vector * kLanes + lane % kLanes)] != 0;
    }
    void Add(bool source, bool held) {
      ++expected_.mac_rows;  // here: products
      expected_.source_products += source ? 1 : 0;
      expected_.held_products += held ? 1 : 0;
      expected_.live_products += source && held ? 1 : 0;
    }

    const Machine& machine_;
    const checkpoint::ModelWeights& weights_;
    Counts expected_;
    std::string name_;
  } products(machine, random.model.weights);
  std::vector<uint32_t> tokens;
  for (int i = 0; i < kRows; ++i) tokens.push_back(static_cast<uint32_t>(i % 10));
  machine.Run(tokens, 0, &products);
  EXPECT_EQ(products.checked, 2);
}

TEST(MachineCounts, WindowsSkipRows) {
  spec::AcceleratorConfig config = SmallConfig(8);
  RandomCase random;
  checkpoint::ModelConfig& shape = random.model.config;
  shape.vocab_size = 10;
  shape.embedding_size = 8;
  shape.hidden_size = 8;
  shape.num_attention_heads = 1;
  shape.intermediate_size = 8;
  shape.num_hidden_layers = 1;
  shape.max_position_embeddings = 40;
  shape.labels = {"a", "b"};
  shape.off_ramp_pooler = false;
  shape.attention_span_ramp = 4;
  random.model.weights = checkpoint::RandomModelWeights(shape, 8, 1);
  random.model.weights.attention_span = {1};  // (4 + 1 - x) / 4 > 0 up to x = 4
  const Image image = Build(random, config);
  EXPECT_EQ(image.program[Find(image, "softmax")].Get(spec::kSoftmaxReach), 4);
  Machine machine(config, image);
  std::map<std::string, uint64_t> skipped;
  class Skips : public model::MachineObserver {
   public:
    explicit Skips(std::map<std::string, uint64_t>* s) : skipped_(s) {}
    void OnDone(const Step& step, const Counts& counts) override {
      (*skipped_)[step.name->text] = counts.skipped_rows;
    }

   private:
    std::map<std::string, uint64_t>* skipped_;
  } skips(&skipped);
  machine.Run(std::vector<uint32_t>(30, 1), 0, &skips);
  // Key tiles 0-7, 8-15, 16-23, 24-29 see the rows 0-11, 4-19, 12-27, 20-29: 12, 16, 16 and 10 of
  // 30.
  EXPECT_EQ(skipped.at("scores"), 4 * 30 - (12U + 16 + 16 + 10));
  EXPECT_EQ(skipped.at("context"), 4 * 30 - (12U + 16 + 16 + 10));
  EXPECT_EQ(skipped.at("ffn"), 0U);
}

}  // namespace
}  // namespace edgebert
