#include "golden/base/key_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sstream>

namespace edgebert {
namespace {

std::string Trim(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

bool ParseKeyValues(const std::string& text, const std::string& file_name, Error* error,
                    const KeyValueSink& sink) {
  std::istringstream in(text);
  std::string section;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const auto fail = [&](std::string message) {
      error->Add({file_name, number, 0}, std::move(message), "config-syntax");
    };
    const auto is_text = [](char c) {
      return c == '\t' || c == '\r' || std::iscntrl(static_cast<unsigned char>(c)) == 0;
    };
    if (!std::ranges::all_of(line, is_text)) {
      fail("not a text file");
      return false;
    }
    line = Trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    if (line.front() == '[') {
      if (line.back() != ']') {
        fail(fmt::format("section header '{}' lacks its ']'", line));
        continue;
      }
      section = Trim(line.substr(1, line.size() - 2));
      continue;
    }
    const size_t equals = line.find('=');
    if (equals == std::string::npos) {
      fail(fmt::format("expected 'key = value', got '{}'", line));
      continue;
    }
    std::string key = Trim(line.substr(0, equals));
    if (!section.empty()) key = fmt::format("{}.{}", section, key);
    sink(key, Trim(line.substr(equals + 1)), number);
  }
  return true;
}

}  // namespace edgebert
