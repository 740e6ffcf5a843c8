// JSON with places: parsing that reports where it failed and refuses duplicate keys, and finding a
// key again in the text. Private to golden/checkpoint.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace edgebert::checkpoint {

struct JsonMistake {
  size_t byte = 0;  ///< 0-based offset in the text
  std::string message;
  bool duplicate_key = false;
};

/// Parses `text` into `*json`, or says what is wrong with it.
std::optional<JsonMistake> ParseJson(std::string_view text, nlohmann::json* json);

/// Offset of the first `"key":` at or after `from`; npos when there is none.
size_t FindKey(std::string_view text, std::string_view key, size_t from = 0);

/// 1-based line of an offset.
int LineOf(std::string_view text, size_t offset);

}  // namespace edgebert::checkpoint
