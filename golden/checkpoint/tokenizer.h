// Sentences to token ids with a SentencePiece model (tokenizer.model), as ALBERT does:
// [CLS] a [SEP], or [CLS] a [SEP] b [SEP] with token type 1 for b and its [SEP].
//
// With ModelConfig::lowercase the input is lowered first, as ALBERT's uncased models expect: ASCII,
// Latin-1, Latin Extended-A, Greek and Cyrillic letters; accents stay. All other normalisation is
// the SentencePiece model's own.
//
// Rules: "tokenizer-io", "tokenizer-model", "tokenizer-utf8", "tokenizer-empty",
// "tokenizer-length". The place of a diagnostic about a sentence is for the caller to add.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "golden/base/result.h"
#include "golden/checkpoint/model_config.h"

namespace edgebert::checkpoint {

struct Tokens {
  std::vector<int> ids;
  std::vector<int> types;  ///< as long as ids
};

/// What to do with a sentence of more than max_position_embeddings tokens.
enum class Overflow : uint8_t {
  kError,
  kTruncate,  ///< drop the last pieces; of a pair, of the longer sentence (the second on a tie)
};

class Tokenizer {
 public:
  /// `path` is a SentencePiece model whose pieces are ids below config.vocab_size.
  static Result<Tokenizer> Load(const std::string& path, const ModelConfig& config);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  [[nodiscard]] Result<Tokens> Encode(std::string_view sentence,
                                      Overflow overflow = Overflow::kError) const;
  [[nodiscard]] Result<Tokens> EncodePair(std::string_view first, std::string_view second,
                                          Overflow overflow = Overflow::kError) const;

  /// The text of a token, e.g. "▁film" or "[CLS]".
  [[nodiscard]] std::string Piece(int id) const;

 private:
  struct State;  // keeps SentencePiece's headers out of this one
  explicit Tokenizer(std::unique_ptr<State> state);
  [[nodiscard]] Result<std::vector<int>> Pieces(std::string_view sentence) const;
  std::unique_ptr<State> state_;
};

/// The 1-based column (in bytes) of the first byte that is not UTF-8.
std::optional<size_t> FindInvalidUtf8(std::string_view text);

/// The lowering described above. `text` is UTF-8.
std::string LowerCase(std::string_view text);

}  // namespace edgebert::checkpoint
