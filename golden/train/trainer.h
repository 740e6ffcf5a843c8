// A training run: data to a checkpoint that the accelerator takes, in the folder `out`:
//   config.json, model.safetensors, tokenizer.model   the checkpoint, at the end
//   log.tsv             the learning curve
//   exits.tsv           mean exit layer and accuracy of entropy thresholds on the validation data, by
//                       the golden model, and by the FP32 network
//   spans.tsv           tokens that each head reaches to either side
//   valid.tsv           the validation sentences in the layout of edgebert-golden
//   training-state.safetensors   where an interrupted run goes on; gone when the run is done
//
// Rules: those of options.h, data.h, vocabulary.h and of golden/checkpoint; "train-out",
// "train-state" (a state of another run), "train-init" (a checkpoint that does not fit),
// "train-loss" (a loss that is no number), "train-golden" (the golden model stopped).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "golden/base/result.h"
#include "golden/train/options.h"

namespace edgebert::train {

struct Run {
  Options options;
  std::string out;
  bool restart = false;     ///< ignore the state of an interrupted run
  int64_t stop_after = -1;  ///< steps of this process after which it stops as if killed; -1: none
  /// Takes a line for the user; `passing` ones are overwritten by the next on a terminal.
  std::function<void(const std::string& line, bool passing)> say = [](const auto&, bool) {};
};

Status Train(const Run& run);

}  // namespace edgebert::train
