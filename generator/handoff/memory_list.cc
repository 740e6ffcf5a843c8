#include "generator/handoff/memory_list.h"

#include <fmt/format.h>

#include <algorithm>

#include "generator/units/layer_norm.h"
#include "generator/units/softmax.h"
#include "generator/units/top.h"
#include "golden/spec/formats.h"
#include "golden/spec/isa.h"

namespace edgebert::gen {

std::vector<MemoryInstance> MemoryList(const spec::AcceleratorConfig& config) {
  constexpr const char* kWrapper = "eb_sram_1r1w";
  constexpr int kWeightBits = spec::kExpOutputFraction + 1;  // docs/numerics.md section 5
  constexpr int kMaskBits = spec::kMaskFraction + 1;
  const int n = config.vmac.n;
  const int rows = config.model.seq_len;
  const int ring =
      1 << spec::IndexBits(spec::SeqTiles(config) + kSoftmaxPassCycles + spec::IndexBits(n));
  const int norm_row = spec::NormVectors(config);
  const int norm_vectors = 1 << spec::IndexBits(norm_row);
  const int accumulators = n * spec::AccumulatorBits(config);
  const int reram_bits = config.reram.word_bits + spec::ReramCheckBits(config);
  std::vector<MemoryInstance> list = {
      {"u_activation_memory.u_codes", kWrapper, spec::ActivationVectors(config),
       n * config.format.width, n, "vectors of codes"},
      {"u_activation_memory.u_mask", kWrapper, spec::ActivationVectors(config), n, 1,
       "non-zero mask of each vector"},
      {"u_axi_reader.u_beats", kWrapper, config.memory.stream_fifo_beats, config.axi.data_width, 1,
       "beats read ahead"},
      {"u_embedding.u_position_row", kWrapper, std::max(2, spec::EmbeddingVectors(config)),
       n * config.format.width, 1, "position row of a token"},
      {"u_embedding.u_type_row", kWrapper, std::max(2, spec::EmbeddingVectors(config)),
       n * config.format.width, 1, "token type row of the last type"},
      {"u_layer_norm.u_beta", kWrapper, norm_vectors, n * spec::kFixedBits, 1, "beta"},
      {"u_layer_norm.u_gamma", kWrapper, norm_vectors, n * spec::kNormBits, 1, "gamma"},
      {"u_layer_norm.u_row_buffer", kWrapper,
       1 << spec::IndexBits(norm_row + kNormStatisticsCycles + spec::IndexBits(n)),
       n * config.format.width, 1, "rows whose statistics are being made"},
      {"u_matmul.u_accumulator.g_bank[0].u_sram", kWrapper, rows, accumulators, 1,
       "partial sums of a strip"},
      {"u_matmul.u_accumulator.g_bank[1].u_sram", kWrapper, rows, accumulators, 1,
       "partial sums of a strip"},
      {"u_score_memory", kWrapper, rows * spec::SeqTiles(config), n * spec::kScoreBits, 1,
       "attention scores of a head"},
      {"u_sequencer.u_program_memory.u_program", kWrapper, config.memory.program_words,
       spec::kInstructionBits, 1, "program"},
      {"u_sequencer.u_token_memory.u_tokens", kWrapper, rows, 32, 1, "tokens of the sentence"},
      {"u_softmax.u_mask_ring", kWrapper, ring, n * kMaskBits, 1, "span masks of key tiles"},
      {"u_softmax.u_score_ring", kWrapper, ring, n * spec::kScoreBits, 1,
       "scores of key tiles until the largest of the row is known"},
      {"u_softmax.u_weight_ring", kWrapper, ring, n * kWeightBits, 1,
       "softmax weights until the sum of the row is known"},
      {"u_reram_macro:slc", "eb_reram_macro", ReramSlcWords(config), reram_bits, 0,
       "row index and masks of the embeddings, read-only, 1 bit a cell"},
      {"u_reram_macro:mlc", "eb_reram_macro", ReramMlcWords(config), reram_bits, 0,
       fmt::format("codes of the embeddings, read-only, {} bits a cell",
                   config.reram.bits_per_cell)},
  };
  if (config.memory.resident_kib > 0) {
    list.push_back({"g_resident.u_resident_weights.u_weights", kWrapper,
                    spec::ResidentBeats(config), config.axi.data_width, 1,
                    "weight stream kept on chip"});
  }
  std::sort(list.begin(), list.end(),
            [](const MemoryInstance& a, const MemoryInstance& b) { return a.path < b.path; });
  for (MemoryInstance& m : list) {
    m.macro = m.write_enables > 0
                  ? fmt::format("eb_sram_{}x{}_w{}", m.words, m.word_bits, m.write_enables)
                  : fmt::format("eb_reram_{}_{}x{}", ReramSlcWords(config), ReramMlcWords(config),
                                m.word_bits);
  }
  return list;
}

std::string MemoryListText(const spec::AcceleratorConfig& config) {
  std::string text = "instance,wrapper,macro,words,word_bits,write_enables,bits,use\n";
  for (const MemoryInstance& m : MemoryList(config)) {
    text += fmt::format("{},{},{},{},{},{},{},\"{}\"\n", m.path, m.wrapper, m.macro, m.words,
                        m.word_bits, m.write_enables, m.Bits(), m.use);
  }
  return text;
}

}  // namespace edgebert::gen
