#include "golden/checkpoint/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

namespace edgebert::checkpoint {
namespace {

constexpr int kMaxDepth = 64;  // the library prints values by recursion

/// Offset of the first bracket that is nested too deep; npos when there is none.
size_t FindTooDeep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted) {
      if (text[i] == '\\') {
        ++i;
      } else {
        quoted = text[i] != '"';
      }
    } else if (text[i] == '"') {
      quoted = true;
    } else if (text[i] == '[' || text[i] == '{') {
      if (++depth > kMaxDepth) return i;
    } else if (text[i] == ']' || text[i] == '}') {
      --depth;
    }
  }
  return text.npos;
}

}  // namespace

std::optional<JsonMistake> ParseJson(std::string_view text, nlohmann::json* json) {
  if (const size_t at = FindTooDeep(text); at != text.npos) {
    return JsonMistake{.byte = at, .message = fmt::format("nested deeper than {}", kMaxDepth)};
  }
  std::optional<JsonMistake> duplicate;
  std::vector<std::set<std::string>> keys;  // of each object that is open
  const auto on_event = [&](int, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (event == Event::object_start) {
      keys.emplace_back();
    } else if (event == Event::object_end) {
      keys.pop_back();
    } else if (event == Event::key) {
      const std::string& key = parsed.get_ref<const std::string&>();
      if (!keys.back().insert(key).second && !duplicate) {
        const size_t first = FindKey(text, key);
        const size_t second = FindKey(text, key, first == text.npos ? first : first + 1);
        duplicate = JsonMistake{.byte = second == text.npos ? 0 : second,
                                .message = fmt::format("duplicate key '{}'", key),
                                .duplicate_key = true};
      }
    }
    return true;
  };
  try {
    *json = nlohmann::json::parse(text, on_event);
  } catch (const nlohmann::json::parse_error& error) {
    // The library's text is "[id] parse error at line L, column C: reason".
    std::string reason = error.what();
    const size_t colon = reason.find(": ");
    if (colon != reason.npos) reason.erase(0, colon + 2);
    return JsonMistake{.byte = error.byte > 0 ? error.byte - 1 : 0, .message = reason};
  } catch (const nlohmann::json::exception& error) {
    return JsonMistake{.message = error.what()};
  }
  return duplicate;
}

size_t FindKey(std::string_view text, std::string_view key, size_t from) {
  const std::string quoted = nlohmann::json(key).dump();
  for (size_t at = text.find(quoted, from); at != text.npos; at = text.find(quoted, at + 1)) {
    const size_t next = text.find_first_not_of(" \t\r\n", at + quoted.size());
    if (next != text.npos && text[next] == ':') return at;
  }
  return text.npos;
}

int LineOf(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  return static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
}

}  // namespace edgebert::checkpoint
