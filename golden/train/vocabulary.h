// A SentencePiece tokeniser from a task's own sentences.
//
// Rule: "train-vocabulary".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "golden/base/result.h"
#include "golden/checkpoint/model_config.h"

namespace edgebert::train {

/// A unigram model of about `pieces` pieces (fewer when the sentences hold fewer), with padding,
/// unknown, [CLS] and [SEP] as ids 0 to 3. The sentences are lowered first if `lowercase`.
Result<std::vector<uint8_t>> TrainTokenizer(std::span<const std::string> sentences, int pieces,
                                            bool lowercase);

/// Sets vocab_size and the special tokens of a model with such a tokeniser.
Status DescribeTokenizer(std::span<const uint8_t> tokenizer, checkpoint::ModelConfig* config);

}  // namespace edgebert::train
