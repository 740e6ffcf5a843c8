#include "golden/train/vocabulary.h"

#include <fmt/format.h>
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include "golden/checkpoint/tokenizer.h"

namespace edgebert::train {
namespace {

class Sentences : public sentencepiece::SentenceIterator {
 public:
  Sentences(std::span<const std::string> texts, bool lowercase)
      : texts_(texts), lowercase_(lowercase) {
    Load();
  }
  bool done() const override { return at_ == texts_.size(); }
  void Next() override {
    ++at_;
    Load();
  }
  const std::string& value() const override { return text_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  void Load() {
    if (at_ < texts_.size()) text_ = lowercase_ ? checkpoint::LowerCase(texts_[at_]) : texts_[at_];
  }
  std::span<const std::string> texts_;
  bool lowercase_;
  size_t at_ = 0;
  std::string text_;
};

}  // namespace

Result<std::vector<uint8_t>> TrainTokenizer(std::span<const std::string> sentences, int pieces,
                                            bool lowercase) {
  Sentences iterator(sentences, lowercase);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      {{"model_type", "unigram"},
       {"vocab_size", std::to_string(pieces)},
       {"hard_vocab_limit", "false"},
       {"character_coverage", "1.0"},
       {"num_threads", "1"},  // the same model from the same sentences
       {"pad_id", "0"},
       {"unk_id", "1"},
       {"bos_id", "2"},
       {"eos_id", "3"},
       {"bos_piece", "[CLS]"},
       {"eos_piece", "[SEP]"},
       {"minloglevel", "2"}},
      &iterator, &model);
  if (!status.ok()) {
    return Error({}, fmt::format("no tokeniser can be trained: {}", status.ToString()),
                 "train-vocabulary");
  }
  return std::vector<uint8_t>(model.begin(), model.end());
}

Status DescribeTokenizer(std::span<const uint8_t> tokenizer, checkpoint::ModelConfig* config) {
  sentencepiece::SentencePieceProcessor processor;
  const std::string bytes(tokenizer.begin(), tokenizer.end());
  if (bytes.empty() || !processor.LoadFromSerializedProto(bytes).ok()) {
    return Error({}, "the file is not a SentencePiece model", "train-vocabulary");
  }
  config->vocab_size = processor.GetPieceSize();
  config->unk_token_id = processor.unk_id();
  const auto find = [&](std::initializer_list<const char*> names, int other) {
    for (const char* name : names) {
      const int id = processor.PieceToId(name);
      if (processor.IsControl(id)) return id;
    }
    return other;
  };
  config->cls_token_id = find({"[CLS]", "<s>"}, -1);
  config->sep_token_id = find({"[SEP]", "</s>"}, -1);
  config->pad_token_id = find({"<pad>", "[PAD]"}, config->unk_token_id);
  if (config->cls_token_id < 0 || config->sep_token_id < 0) {
    return Error({}, "the tokeniser has no control pieces [CLS] and [SEP]", "train-vocabulary");
  }
  return Ok();
}

}  // namespace edgebert::train
