// How fast the golden machine is: its matrix product beside OpenBLAS, and whole data sets. Prints
// tables and writes them. All times are those of the processor, on one thread.
#include <cblas.h>
#include <hwy/highway.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <random>

#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/checkpoint/sentences.h"
#include "golden/model/exact_matmul.h"
#include "golden/model/machine.h"
#include "golden/spec/formats.h"
#include "tests/bench/page.h"
#include "tests/bench/value.h"

namespace edgebert {
namespace {

template <typename Function>
double Seconds(const Function& function) {
  const std::clock_t before = std::clock();
  function();
  return static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
}

struct Shape {
  int rows = 0;
  int k = 0;
  int columns = 0;
};

/// The golden product of a shape on strips of n columns, and the OpenBLAS one, in turn, so that
/// whatever else the processor does is the same for both.
void CompareProducts(Page& page, const Shape& shape, int lanes) {
  constexpr int kLargest = 3968;  // of AdaptivFloat<8,3>
  constexpr ptrdiff_t kExactPairs = INT32_MAX / (2 * kLargest * kLargest);
  std::mt19937 random(1);
  const auto fill = [&](auto& values, size_t size) {
    values.resize(size);
    for (auto& v : values) {
      v = static_cast<std::decay_t<decltype(v)>>(static_cast<int>(random() % (2 * kLargest + 1)) -
                                                 kLargest);
    }
  };
  const size_t source = size_t(shape.rows) * size_t(shape.k);
  const size_t weights = size_t(shape.columns) * size_t(shape.k);
  const size_t strip_sums = size_t(shape.rows) * size_t(lanes);
  std::vector<int16_t> a;
  std::vector<int16_t> w;
  std::vector<float> a_real;
  std::vector<float> w_real;
  fill(a, source);
  fill(w, weights);
  fill(a_real, source);
  fill(w_real, weights);
  std::vector<int64_t> sums(strip_sums);
  std::vector<float> c(size_t(shape.rows) * size_t(shape.columns));
  const auto golden = [&] {
    for (int strip = 0; strip < shape.columns / lanes; ++strip) {
      std::fill(sums.begin(), sums.end(), 0);
      model::AddProducts(a.data(), shape.k, shape.rows,
                         &w[size_t(strip) * size_t(lanes) * size_t(shape.k)], shape.k / 2, lanes,
                         kExactPairs, sums.data());
    }
  };
  const auto blas = [&] {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, shape.rows, shape.columns, shape.k, 1,
                a_real.data(), shape.k, w_real.data(), shape.k, 0, c.data(), shape.columns);
  };
  const double macs = double(shape.rows) * shape.k * shape.columns;
  const int calls = std::max(1, static_cast<int>(2e9 / macs));
  const auto repeat = [&](const auto& function) {
    return Seconds([&] {
             for (int i = 0; i < calls; ++i) function();
           }) /
           calls;
  };
  double golden_time = 1e9;
  double blas_time = 1e9;
  for (int i = 0; i < 10; ++i) {
    golden_time = std::min(golden_time, repeat(golden));
    blas_time = std::min(blas_time, repeat(blas));
  }
  page.Line(fmt::format("| {} x {} x {} | {} | {:.1f} | {:.1f} | **{:.2f}** |", shape.rows, shape.k,
                        shape.columns, lanes, macs / golden_time / 1e9, macs / blas_time / 1e9,
                        blas_time / golden_time));
}

void Products(Page& page) {
  openblas_set_num_threads(1);
  page.Line(fmt::format(
      "## Matrix product against OpenBLAS sgemm\n\nRows x K x columns; highway's {} "
      "against OpenBLAS's {}. Best of ten runs of each, in turn.\n",
      hwy::TargetName(hwy::SupportedAndGeneratedTargets().front()), openblas_get_corename()));
  page.Line("| shape | n | golden, GMAC/s | OpenBLAS, GMAC/s | ratio |\n|---|---|---|---|---|");
  for (const Shape& shape : {Shape{128, 768, 768}, {128, 768, 3072}, {64, 192, 768}}) {
    for (const int lanes : {8, 16, 32}) CompareProducts(page, shape, lanes);
  }
}

void DataRow(Page& page, const std::string& name, size_t tokens, size_t sentences, double layers,
             double seconds) {
  constexpr double kDataSet = 872;  // SST-2's dev set
  const double each = seconds / static_cast<double>(sentences);
  page.Line(fmt::format("| {} | {} | {:.1f} | {:.2f} | {:.4g} | {:.1f} s |", name, sentences,
                        static_cast<double>(tokens) / static_cast<double>(sentences), layers,
                        1 / each, kDataSet * each));
}

void DataSet(Page& page, const std::string& folder, const std::string& data) {
  const checkpoint::Model model = Value(checkpoint::LoadModel(folder));
  const spec::AcceleratorConfig config = Value(checkpoint::FitConfig(model.config, {}));
  const checkpoint::Tokenizer tokenizer =
      Value(checkpoint::Tokenizer::Load(folder + "/tokenizer.model", model.config));
  const std::vector<checkpoint::Sentence> sentences = Value(checkpoint::ReadSentences(
      {.texts = {}, .pair = {}, .data = data}, model.config, tokenizer, config.model.seq_len));
  for (const double threshold : {model.config.entropy_threshold, 0.0}) {
    size_t tokens = 0;
    double layers = 0;
    const double seconds = Seconds([&] {
      const model::Image image = Value(checkpoint::BuildImage(
          model.config, model.weights, Value(checkpoint::ReadActivationBiases(folder)), config));
      model::Machine machine(config, image);
      for (const checkpoint::Sentence& sentence : sentences) {
        tokens += sentence.tokens.ids.size();
        layers += machine
                      .Run(checkpoint::TokenWords(sentence.tokens),
                           static_cast<uint32_t>(threshold * (1 << spec::kEntropyFraction)))
                      .exit_layer;
      }
    });
    DataRow(page, fmt::format("shipped model, threshold {:.4g}", threshold), tokens,
            sentences.size(), layers / static_cast<double>(sentences.size()), seconds);
  }
}

/// A random dense model of the configuration's size, on sentences of its longest length.
void FullSize(Page& page, const std::string& preset) {
  const spec::AcceleratorConfig config = Value(spec::LoadConfig(preset));
  const checkpoint::ModelConfig shape = checkpoint::LargestModelConfig(config);
  const checkpoint::Model model{
      shape, checkpoint::RandomModelWeights(shape, config.vmac.n, 1,
                                            {.elements = 0, .tiles = 0, .tile_rows = 0})};
  std::vector<checkpoint::Tokens> sentences = checkpoint::RandomSentences(shape, 16, 2, 1);
  const checkpoint::ActivationBiases biases =
      checkpoint::Calibrate(model, sentences, checkpoint::FormatOf(config));
  const model::Image image =
      Value(checkpoint::BuildImage(model.config, model.weights, biases, config));
  model::Machine machine(config, image);
  constexpr size_t kSentences = 6;
  std::vector<uint32_t> words(size_t(config.model.seq_len));
  std::mt19937 random(1);
  size_t layers = 0;
  const auto run = [&] {
    for (uint32_t& word : words)
      word = static_cast<uint32_t>(random() % unsigned(shape.vocab_size));
    layers = static_cast<size_t>(machine.Run(words, 0).exit_layer);
  };
  run();  // decodes the weights, once for all sentences
  const double seconds = Seconds([&] {
    for (size_t i = 0; i < kSentences; ++i) run();
  });
  DataRow(page, "ALBERT-base size, random, dense", kSentences * words.size(), kSentences,
          static_cast<double>(layers), seconds);
}

int Main(int argc, const char* const* argv) {
  if (argc != 5) {
    fmt::print(stderr, "usage: {} CONFIGS MODEL DATA.tsv PAGE.md\n", argv[0]);
    return 2;
  }
  Page page;
  page.Line(
      "# Speed of the golden machine\n\nMeasured by `scripts/bench.sh DATA.tsv golden_speed`; "
      "processor "
      "time of one thread.\n");
  Products(page);
  page.Line(
      "\n## Data sets\n\nBit-exact, one thread; `edgebert-golden --threads 2` halves the time on "
      "two processors.\n");
  page.Line(
      "| | sentences | tokens each | layers each | sentences/s | 872 sentences |\n"
      "|---|---|---|---|---|---|");
  DataSet(page, argv[2], argv[3]);
  FullSize(page, std::string(argv[1]) + "/albert_base.cfg");
  std::ofstream(argv[4]) << page.text();
  return 0;
}

}  // namespace
}  // namespace edgebert

int main(int argc, char** argv) { return edgebert::Main(argc, argv); }
