// The sentences that a user names: on the command line, or in a data set.
//
// Rules: those of Tokenizer and ReadDataset, "sentence-length" (more tokens than the accelerator
// takes) and "sentence-none" (nothing left to run).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "golden/base/result.h"
#include "golden/checkpoint/model_config.h"
#include "golden/checkpoint/tokenizer.h"

namespace edgebert::checkpoint {

struct SentenceSource {
  std::vector<std::string> texts;  ///< of the command line
  std::string pair;                ///< second sentence of the only text; empty: none
  std::string data;                ///< a file of ReadDataset, when there are no texts
  int first = 0;                   ///< sentences to leave out
  int limit = 0;                   ///< sentences to take; 0: all
};

struct Sentence {
  int number = 0;  ///< in its source, from 0
  std::string text;
  std::optional<int> label;
  Tokens tokens;
};

/// Sentences of a data set that are longer than the model takes are truncated, others refused;
/// none may have more than `max_tokens` tokens, which the accelerator takes (0: any number). Every
/// mistake is reported, with its place.
Result<std::vector<Sentence>> ReadSentences(const SentenceSource& source, const ModelConfig& config,
                                            const Tokenizer& tokenizer, int max_tokens);

}  // namespace edgebert::checkpoint
