// The reference on SST-2, against the figures that an independent implementation found for the
// shipped model.
//
// EDGEBERT_DATA is a folder with sst2/dev.tsv and sst2/test.tsv, which are not part of this
// repository; EDGEBERT_MODEL may name another model folder than the shipped one.
#include <gtest/gtest.h>

#include <cstdlib>

#include "golden/checkpoint/dataset.h"
#include "golden/checkpoint/model_weights.h"
#include "golden/checkpoint/tokenizer.h"
#include "golden/reference/evaluate.h"

namespace edgebert::reference {
namespace {

struct Figures {
  const char* file;
  size_t sentences;
  size_t cut;  ///< longer than 64 tokens
  double mean_exit_layer[4];
  double accuracy[4];
};
constexpr double kThresholds[] = {0, 0.20, 0.35, 0.45};

class ReferenceFigures : public testing::TestWithParam<Figures> {};

TEST_P(ReferenceFigures, AreThoseOfTheModel) {
  const char* data = std::getenv("EDGEBERT_DATA");
  ASSERT_NE(data, nullptr) << "EDGEBERT_DATA must name the folder of the data sets";
  const char* other_model = std::getenv("EDGEBERT_MODEL");
  const std::string folder = other_model != nullptr ? other_model : EDGEBERT_SHIPPED_MODEL;
  const auto model = checkpoint::LoadModel(folder);
  ASSERT_TRUE(model.ok()) << model.error().Format();
  const auto tokenizer = checkpoint::Tokenizer::Load(folder + "/tokenizer.model", model->config);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().Format();
  const auto examples =
      checkpoint::ReadDataset(std::string(data) + "/" + GetParam().file, model->config.labels);
  ASSERT_TRUE(examples.ok()) << examples.error().Format();
  ASSERT_EQ(examples->size(), GetParam().sentences);

  std::vector<LabelledTokens> sentences;
  size_t cut = 0;
  for (const checkpoint::Example& example : *examples) {
    cut += tokenizer->Encode(example.sentence).ok() ? 0 : 1;
    sentences.push_back(
        {tokenizer->Encode(example.sentence, checkpoint::Overflow::kTruncate).value(),
         example.label});
  }
  EXPECT_EQ(cut, GetParam().cut);

  const auto results = EvaluateReference(Albert(*model), sentences, kThresholds);
  // One sentence may change its answer by rounding, a few their exit.
  const double one_sentence = 1.0 / static_cast<double>(sentences.size());
  for (size_t i = 0; i < results.size(); ++i) {
    EXPECT_NEAR(results[i].accuracy, GetParam().accuracy[i], one_sentence + 5e-5) << kThresholds[i];
    EXPECT_NEAR(results[i].mean_exit_layer, GetParam().mean_exit_layer[i], 0.005) << kThresholds[i];
  }
}

INSTANTIATE_TEST_SUITE_P(Sst2, ReferenceFigures,
                         testing::Values(Figures{"sst2/dev.tsv",
                                                 872,
                                                 2,
                                                 {12, 6.625, 4.432, 3.470},
                                                 {0.8211, 0.8177, 0.8188, 0.8222}},
                                         Figures{"sst2/test.tsv",
                                                 1821,
                                                 17,
                                                 {12, 6.777, 4.667, 3.509},
                                                 {0.8314, 0.8309, 0.8276, 0.8248}}));

}  // namespace
}  // namespace edgebert::reference
