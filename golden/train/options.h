// Everything a training run is told, in one table that serves the configuration file, the command
// line and --help: `[train]` / `epochs = 6` in a file is `--train.epochs 6` on the command line.
//
// Rules: "config-syntax", "train-key", "train-duplicate", "train-value", "train-file".
#pragma once

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>
#include <string>
#include <vector>

#include "golden/base/result.h"

namespace edgebert::train {

struct Options {
  struct {
    std::string train;
    std::string valid;
    std::string format = "table";
    std::string text_column = "sentence";
    std::string pair_column;
    std::string label_column = "label";
    std::string labels;
    int limit = 0;
  } data;
  struct {
    std::string model;
    int pieces = 2000;
    bool lowercase = true;
  } tokenizer;
  struct {
    std::string init;
    std::string embeddings;
    bool freeze_embeddings = false;
    int layers = 4;
    int hidden = 192;
    int heads = 12;
    int ffn = 768;
    int embedding = 128;
    int positions = 64;
    std::string activation = "gelu";
    double layer_norm_eps = 1e-6;
    bool pooler = false;
    bool shared_off_ramp = false;
    double residual_init = 0.2;
  } model;
  struct {
    double epochs = 6;
    int batch_tokens = 1024;
    double learning_rate = 7e-4;
    double warmup = 0.05;
    double weight_decay = 0.01;
    double clip = 1.0;
    double word_dropout = 0.1;
    double dropout = 0.0;
    double label_smoothing = 0.0;
    std::string depth;
    bool every_layer = false;
    double average = 0;
    int seed = 1;
  } train;
  struct {
    int ramp = 0;
    double start = 20;
    double penalty = 3e-3;
    double learning_rate = 0.1;
    double end = 0.6;
    double off_reach = 4;
    int least_off = 0;
    std::string off;
  } span;
  struct {
    std::string method = "none";
    double sparsity = 0.55;
    int block = 16;
    double begin = 0.05;
    double end = 0.6;
    double learning_rate = 2e-3;
    double embedding_sparsity = 0;
    bool keep_zeros = false;
  } prune;
  struct {
    std::string teacher;
    std::string answers;
    double alpha = 0.9;
    double temperature = 2;
  } distil;
  struct {
    int epochs = 6;
    double learning_rate = 2e-3;
    int sentences = 20'000;
  } off_ramp;
  struct {
    double loss = 1.0;
  } exit;
  struct {
    std::string kind = "adaptivfloat";
    int width = 8;
    int exponent = 3;
    double aware = 1;
    bool activations = false;
    int sentences = 500;
  } format;
  struct {
    int seconds = 30;
  } save;
};

/// Adds `--section.key` of every option, with its meaning, range, default and what the paper's
/// published code used.
void AddOptions(boost::program_options::options_description& options);

/// The defaults, under those of the file (empty: none), under those of the command line.
Result<Options> ReadOptions(const std::string& file,
                            const boost::program_options::variables_map& command_line);
/// A file in memory; `name` stands for it in diagnostics.
Result<Options> ParseOptions(const std::string& name, const std::string& text);

/// All options as a file that ReadOptions takes.
std::string ToText(const Options& options);

/// "2:0.3,4:0.5": 2 layers until 0.3 of the run, 4 until 0.5, then all.
struct DepthStep {
  int layers = 0;
  double until = 0;
};
Result<std::vector<DepthStep>> ParseDepth(const std::string& text, int layers);

/// "9,11": numbers of heads, from 1 to `heads`.
Result<std::vector<int>> ParseHeads(const std::string& text, int heads);

}  // namespace edgebert::train
