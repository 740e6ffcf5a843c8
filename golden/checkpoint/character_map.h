// The character map of a SentencePiece model: a trie that the library follows without looking
// whether it leads outside of itself.
#pragma once

#include <string_view>

namespace edgebert::checkpoint {

/// Whether every map in the serialised model can be followed with any text.
bool HasSoundCharacterMaps(std::string_view model);

}  // namespace edgebert::checkpoint
