// The text of a configuration file: `[section]` and `key = value` lines, with # comments.
//
// Rule: "config-syntax".
#pragma once

#include <functional>
#include <string>

#include "golden/base/diagnostics.h"

namespace edgebert {

/// Called for every assignment, in order, with the key as section.key and its 1-based line.
using KeyValueSink =
    std::function<void(const std::string& key, const std::string& value, int line)>;

/// False when `text` is no text at all: the rest of it is not read. Lines of another form are
/// reported, and the next is read.
bool ParseKeyValues(const std::string& text, const std::string& file_name, Error* error,
                    const KeyValueSink& sink);

}  // namespace edgebert
