// Whole files in and out, with failures as diagnostics of the caller's rule.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "golden/base/result.h"

namespace edgebert::checkpoint {

Result<std::vector<uint8_t>> ReadFile(const std::string& path, const std::string& rule);
Result<std::string> ReadTextFile(const std::string& path, const std::string& rule);

/// Writes to a temporary file beside `path` and renames it: the file appears whole or not at all.
Status WriteFileAtomically(const std::string& path, std::span<const uint8_t> bytes,
                           const std::string& rule);

/// Whether `path` can be written, before the work whose result goes there.
Status CheckWritable(const std::string& path, const std::string& rule);

}  // namespace edgebert::checkpoint
