// Reader and writer of .safetensors files (the format of huggingface/safetensors): an 8-byte
// little-endian header length, a JSON header {name: {dtype, shape, data_offsets}}, then the data,
// little-endian and row-major, without holes.
//
// Diagnostics name the file and the byte the rule is broken at. Rules: "safetensors-io",
// "safetensors-header" (length), "safetensors-json", "safetensors-duplicate", "safetensors-dtype",
// "safetensors-shape", "safetensors-offsets", "safetensors-missing", "safetensors-value" (a NaN or
// an infinity).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "golden/base/result.h"

namespace edgebert::checkpoint {

enum class DType : uint8_t {
  kBool,
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kU64,
  kI64,
  kF16,
  kBf16,
  kF32,
  kF64
};

/// The name in a file, e.g. "BF16".
std::string_view DTypeName(DType dtype);
/// Bytes of one element.
int DTypeBytes(DType dtype);

/// IEEE 754 binary16 and bfloat16, as their bit patterns. Narrowing rounds to nearest, ties to
/// even, and overflows to infinity; widening is exact.
uint16_t FloatToHalf(float value);
float HalfToFloat(uint16_t bits);
uint16_t FloatToBfloat16(float value);
float Bfloat16ToFloat(uint16_t bits);

/// "[2, 192]"
std::string FormatShape(std::span<const int64_t> shape);

struct TensorInfo {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;  ///< empty: a scalar
  uint64_t begin = 0;          ///< bytes from the start of the data
  uint64_t end = 0;
};

struct FloatTensor {
  std::vector<int64_t> shape;
  std::vector<float> values;  ///< row-major
};

/// Metadata of a model that leaves its embedding tables in the file of another one: the path of
/// that file, from the folder of this one.
inline constexpr const char* kEmbeddingsFileKey = "edgebert.embeddings_file";

/// A whole file in memory. Its header is valid; values are checked when they are asked for.
class SafetensorsFile {
 public:
  /// With the file of its embedding tables, if it names one.
  static Result<SafetensorsFile> Read(const std::string& path);
  /// The same from memory; `name` stands for the file in diagnostics.
  static Result<SafetensorsFile> Parse(std::string name, std::vector<uint8_t> bytes);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// In the order of the data.
  [[nodiscard]] const std::vector<TensorInfo>& tensors() const { return tensors_; }
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }

  /// Where `Floats` looks for a tensor that this file does not have; null: nowhere.
  [[nodiscard]] const SafetensorsFile* embeddings() const { return embeddings_.get(); }

  /// Null when the file has no such tensor.
  [[nodiscard]] const TensorInfo* Find(std::string_view tensor) const;
  /// The bytes of a tensor of this file.
  [[nodiscard]] std::span<const uint8_t> Bytes(const TensorInfo& tensor) const;

  /// A tensor of type F32, F16 or BF16 as floats, all of them finite.
  [[nodiscard]] Result<FloatTensor> Floats(std::string_view tensor) const;
  /// The same, of exactly this shape.
  [[nodiscard]] Result<FloatTensor> Floats(std::string_view tensor,
                                           std::span<const int64_t> shape) const;

 private:
  [[nodiscard]] Error Missing(std::string_view tensor) const;
  [[nodiscard]] Result<FloatTensor> Floats(const TensorInfo& tensor) const;

  std::string name_;
  std::vector<uint8_t> bytes_;
  uint64_t data_begin_ = 0;
  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
  std::shared_ptr<const SafetensorsFile> embeddings_;
};

/// Collects tensors and writes them in the order they were added.
class SafetensorsWriter {
 public:
  void SetMetadata(const std::string& key, const std::string& value);
  /// `bytes` is little-endian and as long as shape and type say; a name is added once.
  void Add(const std::string& name, DType dtype, std::vector<int64_t> shape,
           std::vector<uint8_t> bytes);
  /// Stores floats as kF32, kF16 or kBf16.
  void AddFloats(const std::string& name, DType dtype, std::vector<int64_t> shape,
                 std::span<const float> values);

  [[nodiscard]] std::vector<uint8_t> Serialize() const;
  /// The file appears whole or not at all.
  [[nodiscard]] Status Write(const std::string& path) const;

 private:
  struct Entry {
    std::string name;
    DType dtype = DType::kF32;
    std::vector<int64_t> shape;
    std::vector<uint8_t> bytes;
  };
  std::vector<Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace edgebert::checkpoint
