// Sum of the three embeddings of a token (docs/numerics.md section 8; Devlin et al., NAACL 2019).
#pragma once

#include <cstdint>
#include <span>

#include "golden/model/adaptivfloat.h"

namespace edgebert::model {

/// A row of one embedding table: codes, and the bias of the table.
struct EmbeddingRow {
  std::span<const uint8_t> codes;
  int bias = 0;
};

/// Adds equally long rows as Fixed and writes the codes of the sums with `bias_out`.
void EmbedRow(const EmbeddingRow& word, const EmbeddingRow& position, const EmbeddingRow& type,
              const AdaptivFloat& format, int bias_out, std::span<uint8_t> out);

}  // namespace edgebert::model
