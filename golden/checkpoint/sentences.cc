#include "golden/checkpoint/sentences.h"

#include <algorithm>
#include <limits>

#include "golden/checkpoint/dataset.h"

namespace edgebert::checkpoint {

Result<std::vector<Sentence>> ReadSentences(const SentenceSource& source, const ModelConfig& config,
                                            const Tokenizer& tokenizer, int max_tokens) {
  std::vector<Sentence> sentences;
  Error error;
  const auto add = [&](Sentence sentence, const Result<Tokens>& tokens, const SourceSpan& where) {
    if (!tokens.ok()) {
      for (const Diagnostic& diagnostic : tokens.error().diagnostics()) {
        error.Add(where, diagnostic.message, diagnostic.rule);
      }
      return;
    }
    const auto length = static_cast<int>(tokens->ids.size());
    if (max_tokens != 0 && length > max_tokens) {
      error.Add(where,
                fmt::format("the sentence has {} tokens, the accelerator takes {} "
                            "('model.seq_len')",
                            length, max_tokens),
                "sentence-length");
      return;
    }
    sentence.tokens = *tokens;
    sentences.push_back(std::move(sentence));
  };
  const int64_t end =
      source.limit == 0 ? std::numeric_limits<int>::max() : int64_t{source.first} + source.limit;

  if (!source.texts.empty()) {
    for (int i = source.first; i < std::ssize(source.texts) && i < end; ++i) {
      const std::string& text = source.texts[static_cast<size_t>(i)];
      add({.number = i, .text = text},
          source.pair.empty() ? tokenizer.Encode(text) : tokenizer.EncodePair(text, source.pair),
          {.file = "command line"});
    }
  } else {
    const auto last = static_cast<int>(std::min<int64_t>(end, std::numeric_limits<int>::max()));
    EB_ASSIGN_OR_RETURN(const std::vector<Example> examples,
                        ReadDataset(source.data, config.labels, last));
    for (size_t i = static_cast<size_t>(source.first); i < examples.size(); ++i) {
      const Example& example = examples[i];
      add({.number = static_cast<int>(i), .text = example.sentence, .label = example.label},
          example.pair.empty()
              ? tokenizer.Encode(example.sentence, Overflow::kTruncate)
              : tokenizer.EncodePair(example.sentence, example.pair, Overflow::kTruncate),
          {.file = source.data, .line = example.line});
    }
  }
  if (!error.empty()) return error;
  if (sentences.empty()) {
    return Error({source.texts.empty() ? source.data : "command line"},
                 fmt::format("no sentence after the first {}", source.first), "sentence-none");
  }
  return sentences;
}

}  // namespace edgebert::checkpoint
