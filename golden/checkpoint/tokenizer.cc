#include "golden/checkpoint/tokenizer.h"

#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include <exception>

#include "golden/checkpoint/character_map.h"
#include "golden/checkpoint/file.h"

namespace edgebert::checkpoint {
namespace {

/// The lower-case letter of a capital between U+0080 and U+07FF; other characters are unchanged.
uint32_t LowerLetter(uint32_t c) {
  const auto in = [c](uint32_t first, uint32_t last) { return c >= first && c <= last; };
  if (in(0xc0, 0xde) && c != 0xd7) return c + 32;                          // Latin-1
  if (c == 0x130) return c;                                                // dotted capital I
  if ((in(0x100, 0x137) || in(0x14a, 0x177)) && c % 2 == 0) return c + 1;  // Latin Extended-A
  if ((in(0x139, 0x148) || in(0x179, 0x17e)) && c % 2 == 1) return c + 1;
  if (c == 0x178) return 0xff;
  if (c == 0x386) return 0x3ac;  // Greek
  if (in(0x388, 0x38a)) return c + 37;
  if (c == 0x38c) return 0x3cc;
  if (in(0x38e, 0x38f)) return c + 63;
  if (in(0x391, 0x3ab) && c != 0x3a2) return c + 32;
  if (in(0x400, 0x40f)) return c + 80;  // Cyrillic
  if (in(0x410, 0x42f)) return c + 32;
  return c;
}

bool LoadProcessor(const std::string& bytes, sentencepiece::SentencePieceProcessor* processor) {
  if (bytes.empty() || !HasSoundCharacterMaps(bytes)) return false;
  try {
    return processor->LoadFromSerializedProto(bytes).ok();
  } catch (const std::exception&) {
    return false;  // the library's trie throws, for one at a piece that begins with a zero
  }
}

Error Failure(const std::string& message, const char* rule) { return Error({}, message, rule); }

}  // namespace

struct Tokenizer::State {
  sentencepiece::SentencePieceProcessor processor;
  int cls = 0;
  int sep = 0;
  size_t max_tokens = 0;
  bool lowercase = false;
};

Tokenizer::Tokenizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Result<Tokenizer> Tokenizer::Load(const std::string& path, const ModelConfig& config) {
  const auto fail = [&](const std::string& message) {
    return Error({.file = path}, message, "tokenizer-model");
  };
  EB_ASSIGN_OR_RETURN(const std::string bytes, ReadTextFile(path, "tokenizer-io"));
  auto state = std::make_unique<State>();
  if (!LoadProcessor(bytes, &state->processor)) {
    return fail("the file is not a SentencePiece model");
  }
  const int pieces = state->processor.GetPieceSize();
  if (pieces > config.vocab_size) {
    return fail(fmt::format("the tokeniser has {} pieces, but 'vocab_size' is {}", pieces,
                            config.vocab_size));
  }
  for (const int id : {config.cls_token_id, config.sep_token_id}) {
    if (id < pieces && !state->processor.IsControl(id)) {
      return fail(fmt::format("token {} of config.json is the piece '{}', not a control symbol", id,
                              state->processor.IdToPiece(id)));
    }
  }
  state->cls = config.cls_token_id;
  state->sep = config.sep_token_id;
  state->max_tokens = static_cast<size_t>(config.max_position_embeddings);
  state->lowercase = config.lowercase;
  return Tokenizer(std::move(state));
}

Result<std::vector<int>> Tokenizer::Pieces(std::string_view sentence) const {
  if (const auto column = FindInvalidUtf8(sentence)) {
    return Failure(fmt::format("the sentence is not UTF-8 at its byte {}", *column),
                   "tokenizer-utf8");
  }
  std::vector<int> ids;
  const auto status = state_->processor.Encode(
      state_->lowercase ? LowerCase(sentence) : std::string(sentence), &ids);
  if (!status.ok()) return Failure(status.ToString(), "tokenizer-model");
  if (ids.empty()) return Failure("the sentence is empty", "tokenizer-empty");
  return ids;
}

Result<Tokens> Tokenizer::Encode(std::string_view sentence, Overflow overflow) const {
  EB_ASSIGN_OR_RETURN(std::vector<int> pieces, Pieces(sentence));
  const size_t room = state_->max_tokens - 2;
  if (pieces.size() > room) {
    if (overflow == Overflow::kError) {
      return Failure(fmt::format("the sentence has {} tokens; the model takes at most {}",
                                 pieces.size() + 2, state_->max_tokens),
                     "tokenizer-length");
    }
    pieces.resize(room);
  }
  Tokens tokens;
  tokens.ids.push_back(state_->cls);
  tokens.ids.insert(tokens.ids.end(), pieces.begin(), pieces.end());
  tokens.ids.push_back(state_->sep);
  tokens.types.assign(tokens.ids.size(), 0);
  return tokens;
}

Result<Tokens> Tokenizer::EncodePair(std::string_view first, std::string_view second,
                                     Overflow overflow) const {
  EB_ASSIGN_OR_RETURN(std::vector<int> a, Pieces(first));
  EB_ASSIGN_OR_RETURN(std::vector<int> b, Pieces(second));
  if (a.size() + b.size() + 3 > state_->max_tokens) {
    if (overflow == Overflow::kError || state_->max_tokens < 5) {
      return Failure(fmt::format("the sentence pair has {} tokens; the model takes at most {}",
                                 a.size() + b.size() + 3, state_->max_tokens),
                     "tokenizer-length");
    }
    while (a.size() + b.size() + 3 > state_->max_tokens) {
      (a.size() > b.size() ? a : b).pop_back();
    }
  }
  Tokens tokens;
  tokens.ids.push_back(state_->cls);
  tokens.ids.insert(tokens.ids.end(), a.begin(), a.end());
  tokens.ids.push_back(state_->sep);
  tokens.types.assign(tokens.ids.size(), 0);
  tokens.ids.insert(tokens.ids.end(), b.begin(), b.end());
  tokens.ids.push_back(state_->sep);
  tokens.types.resize(tokens.ids.size(), 1);
  return tokens;
}

std::string Tokenizer::Piece(int id) const {
  if (id == state_->cls) return "[CLS]";
  if (id == state_->sep) return "[SEP]";
  if (id < 0 || id >= state_->processor.GetPieceSize()) return fmt::format("<{}>", id);
  return state_->processor.IdToPiece(id);
}

std::optional<size_t> FindInvalidUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t at) { return at < text.size() ? uint8_t(text[at]) : uint8_t{0}; };
    const uint8_t lead = byte(i);
    size_t length = 1;
    uint8_t low = 0x80;  // range of the second byte
    uint8_t high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
      length = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      length = 3;
      if (lead == 0xe0) low = 0xa0;   // overlong
      if (lead == 0xed) high = 0x9f;  // surrogates
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      length = 4;
      if (lead == 0xf0) low = 0x90;   // overlong
      if (lead == 0xf4) high = 0x8f;  // above U+10FFFF
    } else if (lead >= 0x80) {
      return i + 1;
    }
    for (size_t k = 1; k < length; ++k) {
      if (byte(i + k) < low || byte(i + k) > high) return i + 1;
      low = 0x80;
      high = 0xbf;
    }
    i += length;
  }
  return std::nullopt;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (size_t i = 0; i < lower.size(); ++i) {
    const auto byte = static_cast<uint8_t>(lower[i]);
    if (byte >= 'A' && byte <= 'Z') {
      lower[i] = static_cast<char>(byte + ('a' - 'A'));
    } else if (byte >= 0xc2 && byte <= 0xdf && i + 1 < lower.size()) {
      const uint32_t letter = LowerLetter((byte & 0x1fU) << 6 | (uint8_t(lower[i + 1]) & 0x3fU));
      lower[i] = static_cast<char>(0xc0 | letter >> 6);
      lower[++i] = static_cast<char>(0x80 | (letter & 0x3f));
    }
  }
  return lower;
}

}  // namespace edgebert::checkpoint
