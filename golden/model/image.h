// The image: everything the accelerator needs to run one model (docs/architecture.md). It is built
// by golden/checkpoint, executed by `Machine`, and loaded into memory by the co-simulation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "golden/base/result.h"
#include "golden/spec/isa.h"

namespace edgebert::model {

/// The data format an image was built for: it runs only on a configuration with the same one.
struct ImageFormat {
  int lanes = 0;             ///< n
  int code_bits = 0;         ///< W
  int exponent_bits = 0;     ///< E
  int axi_data_bits = 0;     ///< width of a beat of the weight stream
  int reram_word_bits = 0;   ///< data bits of an SLC or MLC word
  int reram_check_bits = 0;  ///< check bits above them, 0 without ECC

  friend bool operator==(const ImageFormat&, const ImageFormat&) = default;
};

/// What a host needs to know of the model.
struct ModelFacts {
  std::string name;                 ///< for reports
  int layers = 0;                   ///< full depth
  int classes = 0;                  ///< logits
  int vocabulary = 0;               ///< token ids are below this
  int types = 0;                    ///< token types are below this
  int max_tokens = 0;               ///< longest sentence, special tokens included
  std::vector<std::string> labels;  ///< one a class

  friend bool operator==(const ModelFacts&, const ModelFacts&) = default;
};

/// The place of one instruction in the model, for reports.
struct InstructionName {
  std::string text;       ///< e.g. "query", "ffn1"
  int head = -1;          ///< -1: not of one head
  bool in_layer = false;  ///< runs once a layer

  friend bool operator==(const InstructionName&, const InstructionName&) = default;
};

/// Contents of the ReRAM. Words are packed little-endian, each padded to whole bytes.
struct ReramImage {
  std::vector<uint8_t> slc;
  std::vector<uint8_t> mlc;

  friend bool operator==(const ReramImage&, const ReramImage&) = default;
};

struct Image {
  ImageFormat format;
  ModelFacts facts;
  uint32_t default_threshold = 0;  ///< unsigned Q16.16, nats
  std::vector<spec::Instruction> program;
  std::vector<InstructionName> names;  ///< one an instruction
  std::vector<uint8_t> weights;        ///< what WEIGHT_BASE points to; whole beats
  ReramImage reram;

  friend bool operator==(const Image&, const Image&) = default;
};

/// Version of the file format.
inline constexpr int kImageVersion = 2;

/// Writes the image to one file: magic, version, JSON header, blobs, CRC-32. The file appears whole
/// or not at all. Rule on failure: "image-write".
Status SaveImage(const Image& image, const std::string& path);

/// Reads a file of `SaveImage`. Rules: "image-open", "image-format", "image-version",
/// "image-checksum".
Result<Image> LoadImage(const std::string& path);

}  // namespace edgebert::model
