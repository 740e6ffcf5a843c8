#include "golden/model/timing/embedding.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "golden/spec/formats.h"

namespace edgebert::model::timing {

namespace {

// eb_embedding.
constexpr Cycle kEmbedStart = 1;    // command register
constexpr Cycle kEmbedToken = 2;    // token memory; check
constexpr Cycle kEmbedToWrite = 5;  // row buffers, decoder, sum, encoder (2)
constexpr Cycle kEmbedIdle = 2;     // pipeline seen empty; state

// eb_reram_ctrl.
constexpr Cycle kRowToIndex = 1;     // row register
constexpr Cycle kRowToMask = 4;      // their number; address of the masks (3)
constexpr Cycle kAskToRequest = 1;   // request register
constexpr Cycle kResponseKnown = 1;  // index register, count of codes, queues
constexpr Cycle kCorrection = 1;     // the register after the decoder of ECC
constexpr int kReramMaskDepth = 4;   // mask words asked for or held
constexpr int kReramCodeDepth = 8;   // code words asked for or held

}  // namespace

Embedding::Embedding(const spec::AcceleratorConfig& config, const Image& image)
    : image_(image),
      lanes_(config.vmac.n),
      layout_{.word_bits = config.reram.word_bits,
              .code_bits = config.format.width,
              .check_bits = spec::ReramCheckBits(config)},
      latency_(config.reram.read_latency + (layout_.check_bits != 0 ? kCorrection : 0)),
      code_word_(spec::CodesPerReramWord(config)),
      decoder_(lanes_, code_word_) {}

Cycle Embedding::Run(const spec::Instruction& command, std::span<const uint32_t> tokens,
                     Cycle start) {
  const int vectors = command.GetInt(spec::kEmbedVectors);
  const auto row = [&](int64_t number, Cycle from) {
    return Row(static_cast<size_t>(number), static_cast<size_t>(command.Get(spec::kEmbedMaskBase)),
               vectors, from);
  };
  std::optional<uint32_t> held_type;
  Cycle next = start + kEmbedStart;
  Cycle taken = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const uint32_t type = tokens[i] >> spec::kTokenTypeBit;
    const uint32_t id = tokens[i] & ((uint32_t{1} << spec::kTokenTypeBit) - 1);
    next += kEmbedToken;
    if (type != held_type) next = row(command.Get(spec::kEmbedTypeRow) + type, next) + 1;
    held_type = type;
    next = row(command.Get(spec::kEmbedPositionRow) + static_cast<int64_t>(i), next) + 1;
    taken = row(id, next);
    next = taken + 1;
  }
  return taken + kEmbedToWrite + kEmbedIdle;
}

Cycle Embedding::Row(size_t number, size_t mask_base, int vectors, Cycle from) {
  const int word_vectors = layout_.word_bits / lanes_;
  const size_t mask_words = static_cast<size_t>(spec::CeilDiv(vectors, word_vectors));
  std::vector<ReramWord> masks;
  for (size_t word = 0; word < mask_words; ++word) {
    masks.push_back(
        ReadReramWord(image_.reram.slc, layout_, mask_base + number * mask_words + word));
  }
  const Cycle response = kAskToRequest + latency_ + kResponseKnown;
  const Cycle index_known = from + kRowToIndex + response;
  std::vector<Cycle> mask_asked;
  std::vector<Cycle> mask_popped;
  std::vector<int> ones_known;  // of all mask words up to this one
  std::vector<Cycle> code_asked;
  std::vector<Cycle> code_popped;
  const auto vector_ones = [&](int vector) {
    return Ones(masks[static_cast<size_t>(vector / word_vectors)].bytes,
                static_cast<size_t>(vector % word_vectors * lanes_), lanes_);
  };
  const auto ask_masks = [&] {
    while (mask_asked.size() < mask_words) {
      const size_t word = mask_asked.size();
      Cycle asked = word == 0 ? from + kRowToMask : mask_asked.back() + 1;
      if (word >= kReramMaskDepth) {
        if (mask_popped.size() <= word - kReramMaskDepth) return;
        asked = std::max(asked, mask_popped[word - kReramMaskDepth] + 1);
      }
      int ones = word == 0 ? 0 : ones_known.back();
      const int begin = static_cast<int>(word) * word_vectors;
      for (int v = begin; v < std::min(vectors, begin + word_vectors); ++v) ones += vector_ones(v);
      mask_asked.push_back(asked);
      ones_known.push_back(ones);
    }
  };
  const auto enter = [&](int word, Cycle room) {
    const auto index = static_cast<size_t>(word);
    size_t mask = 0;  // the first whose ones make this word due
    while (ones_known[mask] <= word * code_word_) ++mask;
    Cycle asked = std::max(index_known, mask_asked[mask] + response);
    if (index > 0) asked = std::max(asked, code_asked.back() + 1);
    if (index >= kReramCodeDepth) {
      asked = std::max(asked, code_popped[index - kReramCodeDepth] + 1);
    }
    for (const Cycle taken : mask_asked) asked += asked == taken ? 1 : 0;  // masks go first
    code_asked.push_back(asked);
    Cycle popped = std::max(asked + response, room);
    if (index > 0) popped = std::max(popped, code_popped.back() + 1);
    code_popped.push_back(popped);
    return popped;
  };
  ask_masks();
  decoder_.Begin();
  Cycle mask = 0;
  Cycle taken = 0;
  for (int v = 0; v < vectors; ++v) {
    const auto word = static_cast<size_t>(v / word_vectors);
    const Cycle offered = std::max({mask_asked[word] + response, mask + 1, taken});
    mask = decoder_.TakeMask(vector_ones(v), offered, enter);
    taken = mask + kMaskToRow;
    if ((v + 1) % word_vectors == 0) {
      mask_popped.push_back(mask);
      ask_masks();
    }
  }
  return taken;
}

}  // namespace edgebert::model::timing
