#include "golden/model/embedding.h"

namespace edgebert::model {

void EmbedRow(const EmbeddingRow& word, const EmbeddingRow& position, const EmbeddingRow& type,
              const AdaptivFloat& format, int bias_out, std::span<uint8_t> out) {
  const auto fixed = [&](const EmbeddingRow& row, size_t i) {
    return format.ToFixed(row.codes[i], row.bias);
  };
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t sum = SatFixed(fixed(word, i) + fixed(position, i) + fixed(type, i));
    out[i] = static_cast<uint8_t>(format.Encode(sum, bias_out));
  }
}

}  // namespace edgebert::model
