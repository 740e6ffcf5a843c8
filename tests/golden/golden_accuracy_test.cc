// The shipped model on the bit-exact machine against the double-precision reference: on sentences
// written for this test, and (suite slow) on SST-2.
//
// EDGEBERT_DATA is a folder with sst2/dev.tsv, which is not part of this repository; EDGEBERT_MODEL
// may name another model folder than the shipped one.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "golden/checkpoint/dataset.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/model/machine.h"
#include "golden/reference/albert.h"
#include "golden/reference/functions.h"
#include "golden/spec/formats.h"

namespace edgebert {
namespace {

// 0 negative, 1 positive, as their author meant them.
constexpr std::pair<const char*, int> kSentences[] = {
    {"a warm and generous story with a cast to match", 1},
    {"the plot runs in circles and never finds a reason to stop", 0},
    {"every joke lands, and the last ten minutes are quietly devastating", 1},
    {"two hours of people shouting at furniture", 0},
    {"I would gladly watch it again tomorrow", 1},
    {"the dialogue is as flat as the lighting", 0},
    {"not a masterpiece, but an honest and often funny film", 1},
    {"there is nothing here that was not better the first time", 0},
    {"clever, strange and beautifully shot", 1},
    {"a dull thriller without a single surprise", 0},
    {"the young lead is a wonder to behold", 1},
    {"badly paced, badly acted and far too long", 0},
    {"it should not work, yet it does", 1},
    {"an empty exercise in style", 0},
    {"heartfelt", 1},
    {"unfunny", 0},
    {"the director trusts her actors and the film repays that trust in nearly every scene", 1},
    {"if boredom were a crime, the writers of this film would be serving a long sentence by now",
     0},
};

struct Agreement {
  size_t sentences = 0;
  size_t same_answer = 0;
  size_t correct = 0;
  size_t reference_correct = 0;
  double exit_layers = 0;
  double reference_exit_layers = 0;
  double largest_logit_difference = 0;
};

class GoldenAccuracy : public testing::Test {
 protected:
  void SetUp() override {
    const char* other_model = std::getenv("EDGEBERT_MODEL");
    folder_ = other_model != nullptr ? other_model : EDGEBERT_SHIPPED_MODEL;
    auto model = checkpoint::LoadModel(folder_);
    ASSERT_TRUE(model.ok()) << model.error().Format();
    model_ = std::move(*model);
    auto config = checkpoint::FitConfig(model_.config, {});
    ASSERT_TRUE(config.ok()) << config.error().Format();
    config_ = *config;
    const auto biases = checkpoint::ReadActivationBiases(folder_);
    ASSERT_TRUE(biases.ok()) << biases.error().Format();
    biases_ = *biases;
  }

  [[nodiscard]] model::Image Build() const {
    return checkpoint::BuildImage(model_.config, model_.weights, biases_, config_).value();
  }

  /// The machine and the reference at several thresholds.
  [[nodiscard]] std::vector<Agreement> Compare(
      const model::Image& image, const std::vector<std::pair<checkpoint::Tokens, int>>& sentences,
      const std::vector<double>& thresholds) const {
    const reference::Albert albert(model_);
    model::Machine machine(config_, image);
    std::vector<Agreement> agreements(thresholds.size());
    for (const auto& [tokens, label] : sentences) {
      const reference::ForwardResult forward = albert.Forward(tokens.ids, tokens.types);
      for (size_t i = 0; i < thresholds.size(); ++i) {
        const model::SentenceResult& result =
            machine.Run(checkpoint::TokenWords(tokens),
                        static_cast<uint32_t>(std::lround(thresholds[i] * 65536)));
        EXPECT_EQ(result.error, spec::ErrorCode::kNone);
        size_t layer = 0;
        while (layer + 1 < forward.layers.size() &&
               !(forward.layers[layer].entropy < thresholds[i])) {
          ++layer;
        }
        const int predicted = reference::Predict(forward.layers[layer].logits);
        Agreement& agreement = agreements[i];
        ++agreement.sentences;
        agreement.same_answer += predicted == result.prediction ? 1 : 0;
        agreement.correct += result.prediction == label ? 1 : 0;
        agreement.reference_correct += predicted == label ? 1 : 0;
        agreement.exit_layers += result.exit_layer;
        agreement.reference_exit_layers += static_cast<double>(layer) + 1;
        const std::vector<double>& logits = forward.layers[size_t(result.exit_layer - 1)].logits;
        for (size_t c = 0; c < logits.size(); ++c) {
          agreement.largest_logit_difference =
              std::max(agreement.largest_logit_difference,
                       std::fabs(logits[c] - std::ldexp(result.logits[c], -spec::kFixedFraction)));
        }
      }
    }
    return agreements;
  }

  [[nodiscard]] std::vector<std::pair<checkpoint::Tokens, int>> OwnSentences() const {
    const auto tokenizer =
        checkpoint::Tokenizer::Load(folder_ + "/tokenizer.model", model_.config).value();
    std::vector<std::pair<checkpoint::Tokens, int>> sentences;
    for (const auto& [text, label] : kSentences) {
      sentences.emplace_back(tokenizer.Encode(text).value(), label);
    }
    return sentences;
  }

  std::string folder_;
  checkpoint::Model model_;
  spec::AcceleratorConfig config_;
  checkpoint::ActivationBiases biases_;
};

TEST_F(GoldenAccuracy, OwnSentencesAreAnsweredAsByTheReference) {
  for (const Agreement& agreement : Compare(Build(), OwnSentences(), {0, 0.35})) {
    EXPECT_EQ(agreement.same_answer, agreement.sentences);
    EXPECT_LT(agreement.largest_logit_difference, 0.25);
    EXPECT_GE(agreement.correct, agreement.sentences * 3 / 4);
  }
}

// A scale that is two powers of two too small must not pass.
TEST_F(GoldenAccuracy, AWrongScaleIsSeen) {
  biases_.attention_sum -= 2;
  const Agreement agreement = Compare(Build(), OwnSentences(), {0})[0];
  EXPECT_GT(agreement.largest_logit_difference, 0.25);
}

// Sums are exact, so the shape of the array must not change a bit.
TEST_F(GoldenAccuracy, LogitsDoNotDependOnTheArray) {
  const model::Image image = Build();
  model::Machine machine(config_, image);
  for (const int lanes : {4, 8, 32}) {
    spec::AcceleratorConfig other = config_;
    other.vmac.n = lanes;
    other.axi.data_width = 32 * lanes / 4;
    const model::Image other_image =
        checkpoint::BuildImage(model_.config, model_.weights, biases_, other).value();
    model::Machine other_machine(other, other_image);
    for (const auto& [tokens, label] : OwnSentences()) {
      const std::vector<uint32_t> words = checkpoint::TokenWords(tokens);
      EXPECT_EQ(other_machine.Run(words, 0).entropies, machine.Run(words, 0).entropies);
      EXPECT_EQ(other_machine.result().logits, machine.result().logits) << lanes << " lanes";
    }
  }
}

class GoldenFigures : public GoldenAccuracy {};

TEST_F(GoldenFigures, Sst2StaysWithinHalfAPoint) {
  const char* data = std::getenv("EDGEBERT_DATA");
  ASSERT_NE(data, nullptr) << "EDGEBERT_DATA must name the folder of the data sets";
  const auto examples =
      checkpoint::ReadDataset(std::string(data) + "/sst2/dev.tsv", model_.config.labels);
  ASSERT_TRUE(examples.ok()) << examples.error().Format();
  const auto tokenizer =
      checkpoint::Tokenizer::Load(folder_ + "/tokenizer.model", model_.config).value();
  std::vector<std::pair<checkpoint::Tokens, int>> sentences;
  for (const checkpoint::Example& example : *examples) {
    sentences.emplace_back(
        tokenizer.Encode(example.sentence, checkpoint::Overflow::kTruncate).value(), example.label);
  }
  for (const Agreement& agreement : Compare(Build(), sentences, {0, 0.20, 0.35, 0.45})) {
    const double n = static_cast<double>(agreement.sentences);
    EXPECT_NEAR(static_cast<double>(agreement.correct) / n,
                static_cast<double>(agreement.reference_correct) / n, 0.005);
    EXPECT_NEAR(agreement.exit_layers / n, agreement.reference_exit_layers / n, 0.15);
    EXPECT_GE(static_cast<double>(agreement.same_answer) / n, 0.985);
  }
}

}  // namespace
}  // namespace edgebert
