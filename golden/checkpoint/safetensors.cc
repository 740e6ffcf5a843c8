#include "golden/checkpoint/safetensors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>

#include "golden/checkpoint/file.h"
#include "golden/checkpoint/json_text.h"

namespace edgebert::checkpoint {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the format's own reader

struct DTypeFacts {
  std::string_view name;
  int bytes;
};
constexpr DTypeFacts kDTypes[] = {  // in the order of DType
    {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"U16", 2},  {"I16", 2}, {"U32", 4}, {"I32", 4},
    {"U64", 8},  {"I64", 8}, {"F16", 2}, {"BF16", 2}, {"F32", 4}, {"F64", 8}};

std::optional<DType> DTypeOf(std::string_view name) {
  for (size_t i = 0; i < std::size(kDTypes); ++i) {
    if (kDTypes[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

/// Nothing when the product does not fit.
std::optional<uint64_t> BytesOf(std::span<const int64_t> shape, DType dtype) {
  auto bytes = static_cast<uint64_t>(DTypeBytes(dtype));
  for (const int64_t dimension : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(dimension), &bytes)) return {};
  }
  return bytes;
}

/// "[1, 5]" for the sixth element of the second row.
std::string FormatIndex(size_t flat, std::span<const int64_t> shape) {
  std::vector<int64_t> index(shape.size());
  for (size_t i = shape.size(); i-- > 0;) {
    index[i] = static_cast<int64_t>(flat % static_cast<size_t>(shape[i]));
    flat /= static_cast<size_t>(shape[i]);
  }
  return FormatShape(index);
}

/// Reads the JSON header of one file.
class HeaderReader {
 public:
  HeaderReader(const std::string& file, std::string_view header, uint64_t data_bytes)
      : file_(file), header_(header), data_bytes_(data_bytes) {}

  Result<std::vector<TensorInfo>> Read(std::map<std::string, std::string>* metadata) {
    nlohmann::json json;
    if (const auto mistake = ParseJson(header_, &json)) {
      Fail(mistake->byte, mistake->message,
           mistake->duplicate_key ? "safetensors-duplicate" : "safetensors-json");
      return error_;
    }
    if (!json.is_object()) {
      Fail(0, "the header is not a JSON object", "safetensors-json");
      return error_;
    }
    std::vector<TensorInfo> tensors;
    for (const auto& [name, entry] : json.items()) {
      if (name == "__metadata__") {
        ReadMetadata(entry, metadata);
      } else if (auto tensor = ReadEntry(name, entry)) {
        tensors.push_back(*std::move(tensor));
      }
    }
    if (!error_.empty()) return error_;
    std::sort(tensors.begin(), tensors.end(), [](const TensorInfo& a, const TensorInfo& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    CheckLayout(tensors);
    if (!error_.empty()) return error_;
    return tensors;
  }

 private:
  /// `at` counts from the start of the header.
  void Fail(uint64_t at, const std::string& message, const char* rule) {
    error_.Add({.file = file_}, fmt::format("byte {}: {}", kLengthBytes + at, message), rule);
  }

  uint64_t EntryOffset(const std::string& name) const {
    const size_t at = FindKey(header_, name);
    return at == header_.npos ? 0 : at;
  }

  void ReadMetadata(const nlohmann::json& entry, std::map<std::string, std::string>* metadata) {
    const uint64_t at = EntryOffset("__metadata__");
    if (!entry.is_object()) {
      Fail(at, "'__metadata__' is not an object", "safetensors-json");
      return;
    }
    for (const auto& [key, value] : entry.items()) {
      if (value.is_string()) {
        metadata->emplace(key, value.get<std::string>());
      } else {
        Fail(at, fmt::format("metadata '{}' is not a string", key), "safetensors-json");
      }
    }
  }

  std::optional<TensorInfo> ReadEntry(const std::string& name, const nlohmann::json& entry) {
    const uint64_t at = EntryOffset(name);
    const auto fail = [&](const std::string& message, const char* rule) {
      Fail(at, fmt::format("tensor '{}' {}", name, message), rule);
      return std::nullopt;
    };
    if (!entry.is_object()) return fail("is not described by an object", "safetensors-json");
    for (const char* key : {"dtype", "shape", "data_offsets"}) {
      if (!entry.contains(key)) return fail(fmt::format("has no {}", key), "safetensors-json");
    }
    const nlohmann::json& type = entry["dtype"];
    const auto dtype =
        type.is_string() ? DTypeOf(type.get_ref<const std::string&>()) : std::nullopt;
    if (!dtype) {
      return fail(fmt::format("has the unknown dtype {}", type.dump()), "safetensors-dtype");
    }

    TensorInfo tensor{.name = name, .dtype = *dtype, .shape = {}, .begin = 0, .end = 0};
    const nlohmann::json& shape = entry["shape"];
    const auto is_size = [](const nlohmann::json& value) {
      return value.is_number_unsigned() &&
             value.get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()};
    };
    if (!shape.is_array() || !std::all_of(shape.begin(), shape.end(), is_size)) {
      return fail(fmt::format("has the shape {}, not a list of sizes", shape.dump()),
                  "safetensors-shape");
    }
    for (const nlohmann::json& size : shape) tensor.shape.push_back(size.get<int64_t>());

    const nlohmann::json& offsets = entry["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 ||
        !std::all_of(offsets.begin(), offsets.end(), is_size)) {
      return fail(fmt::format("has the data_offsets {}, not [begin, end]", offsets.dump()),
                  "safetensors-offsets");
    }
    tensor.begin = offsets[0].get<uint64_t>();
    tensor.end = offsets[1].get<uint64_t>();
    if (tensor.begin > tensor.end || tensor.end > data_bytes_) {
      return fail(fmt::format("has the data_offsets [{}, {}] outside the {} bytes of data",
                              tensor.begin, tensor.end, data_bytes_),
                  "safetensors-offsets");
    }
    const auto bytes = BytesOf(tensor.shape, tensor.dtype);
    if (!bytes || *bytes != tensor.end - tensor.begin) {
      return fail(
          fmt::format("has {} bytes, but {} of shape {} needs {}", tensor.end - tensor.begin,
                      DTypeName(tensor.dtype), FormatShape(tensor.shape),
                      bytes ? fmt::format("{}", *bytes) : "more than 2^64"),
          "safetensors-shape");
    }
    return tensor;
  }

  /// The tensors, in the order of the data, cover it without overlap or hole.
  void CheckLayout(const std::vector<TensorInfo>& tensors) {
    uint64_t covered = 0;
    for (const TensorInfo& tensor : tensors) {
      if (tensor.begin != covered) {
        Fail(EntryOffset(tensor.name),
             fmt::format("tensor '{}' begins at data offset {}, {} the previous tensor's end at {}",
                         tensor.name, tensor.begin,
                         tensor.begin < covered ? "overlapping" : "leaving a hole after", covered),
             "safetensors-offsets");
      }
      covered = std::max(covered, tensor.end);
    }
    if (covered != data_bytes_ && error_.empty()) {
      Fail(header_.size() + covered,
           fmt::format("{} bytes of data belong to no tensor", data_bytes_ - covered),
           "safetensors-offsets");
    }
  }

  const std::string& file_;
  std::string_view header_;
  uint64_t data_bytes_;
  Error error_;
};

}  // namespace

std::string_view DTypeName(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].name; }
int DTypeBytes(DType dtype) { return kDTypes[static_cast<size_t>(dtype)].bytes; }

uint16_t FloatToHalf(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  uint32_t half = 0;
  if (magnitude > 0x7f800000) {
    half = 0x7e00;  // NaN
  } else if (magnitude >= 0x477ff000) {
    half = 0x7c00;  // 65520, which rounds to 2^16, and above: infinity
  } else if (magnitude < 0x38800000) {
    // Below 2^-14, a multiple of 2^-24; a carry to 2^-14 has the right code by itself.
    half = static_cast<uint32_t>(std::nearbyint(std::fabs(value) * 0x1p24F));
  } else {
    half = (magnitude + 0xfff + (magnitude >> 13 & 1) - 0x38000000) >> 13;
  }
  return static_cast<uint16_t>(sign | half);
}

float HalfToFloat(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 0x3ff;
  float magnitude = 0;
  if (exponent == 31) {
    magnitude = mantissa != 0 ? std::numeric_limits<float>::quiet_NaN()
                              : std::numeric_limits<float>::infinity();
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(mantissa), -24);
  } else {
    magnitude = std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

uint16_t FloatToBfloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float Bfloat16ToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

std::string FormatShape(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Result<SafetensorsFile> SafetensorsFile::Read(const std::string& path) {
  EB_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, ReadFile(path, "safetensors-io"));
  EB_ASSIGN_OR_RETURN(SafetensorsFile file, Parse(path, std::move(bytes)));
  const auto key = file.metadata_.find(kEmbeddingsFileKey);
  if (key == file.metadata_.end()) return file;
  const std::string other = std::filesystem::path(path).parent_path() / key->second;
  EB_ASSIGN_OR_RETURN(std::vector<uint8_t> other_bytes, ReadFile(other, "safetensors-io"));
  EB_ASSIGN_OR_RETURN(SafetensorsFile embeddings, Parse(other, std::move(other_bytes)));
  file.embeddings_ = std::make_shared<const SafetensorsFile>(std::move(embeddings));
  return file;
}

Result<SafetensorsFile> SafetensorsFile::Parse(std::string name, std::vector<uint8_t> bytes) {
  const auto fail = [&](const std::string& message) {
    return Error({.file = name}, message, "safetensors-header");
  };
  if (bytes.size() < kLengthBytes) {
    return fail(fmt::format("byte 0: the file has {} bytes, too few for the header's length",
                            bytes.size()));
  }
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), kLengthBytes);
  if (header_bytes > kMaxHeaderBytes) {
    return fail(fmt::format("byte 0: the header's length is {}, more than the format's limit of {}",
                            header_bytes, kMaxHeaderBytes));
  }
  if (header_bytes > bytes.size() - kLengthBytes) {
    return fail(fmt::format("byte 0: the header's length is {}, but only {} bytes follow",
                            header_bytes, bytes.size() - kLengthBytes));
  }
  SafetensorsFile file;
  file.name_ = std::move(name);
  file.bytes_ = std::move(bytes);
  file.data_begin_ = kLengthBytes + header_bytes;
  const std::string_view header(reinterpret_cast<const char*>(file.bytes_.data()) + kLengthBytes,
                                header_bytes);
  HeaderReader reader(file.name_, header, file.bytes_.size() - file.data_begin_);
  EB_ASSIGN_OR_RETURN(file.tensors_, reader.Read(&file.metadata_));
  return file;
}

const TensorInfo* SafetensorsFile::Find(std::string_view tensor) const {
  for (const TensorInfo& info : tensors_) {
    if (info.name == tensor) return &info;
  }
  return nullptr;
}

std::span<const uint8_t> SafetensorsFile::Bytes(const TensorInfo& tensor) const {
  return std::span(bytes_).subspan(data_begin_ + tensor.begin, tensor.end - tensor.begin);
}

Error SafetensorsFile::Missing(std::string_view tensor) const {
  return Error({.file = name_}, fmt::format("there is no tensor '{}'", tensor),
               "safetensors-missing");
}

Result<FloatTensor> SafetensorsFile::Floats(std::string_view tensor) const {
  const TensorInfo* info = Find(tensor);
  if (info == nullptr) return embeddings_ ? embeddings_->Floats(tensor) : Missing(tensor);
  return Floats(*info);
}

Result<FloatTensor> SafetensorsFile::Floats(std::string_view tensor,
                                            std::span<const int64_t> shape) const {
  const TensorInfo* info = Find(tensor);
  if (info == nullptr) return embeddings_ ? embeddings_->Floats(tensor, shape) : Missing(tensor);
  if (!std::equal(shape.begin(), shape.end(), info->shape.begin(), info->shape.end())) {
    return Error(
        {.file = name_},
        fmt::format("byte {}: tensor '{}' has the shape {}, expected {}", data_begin_ + info->begin,
                    tensor, FormatShape(info->shape), FormatShape(shape)),
        "safetensors-shape");
  }
  return Floats(*info);
}

Result<FloatTensor> SafetensorsFile::Floats(const TensorInfo& tensor) const {
  const std::span<const uint8_t> bytes = Bytes(tensor);
  FloatTensor result{.shape = tensor.shape, .values = {}};
  const auto element_bytes = static_cast<size_t>(DTypeBytes(tensor.dtype));
  result.values.resize(bytes.size() / element_bytes);
  if (tensor.dtype == DType::kF32) {
    if (!bytes.empty()) std::memcpy(result.values.data(), bytes.data(), bytes.size());
  } else if (tensor.dtype == DType::kF16 || tensor.dtype == DType::kBf16) {
    for (size_t i = 0; i < result.values.size(); ++i) {
      const auto word = static_cast<uint16_t>(bytes[2 * i] | bytes[2 * i + 1] << 8);
      result.values[i] = tensor.dtype == DType::kF16 ? HalfToFloat(word) : Bfloat16ToFloat(word);
    }
  } else {
    return Error({.file = name_},
                 fmt::format("byte {}: tensor '{}' has the dtype {}, expected F32, F16 or BF16",
                             data_begin_ + tensor.begin, tensor.name, DTypeName(tensor.dtype)),
                 "safetensors-dtype");
  }
  for (size_t i = 0; i < result.values.size(); ++i) {
    if (!std::isfinite(result.values[i])) {
      return Error({.file = name_},
                   fmt::format("byte {}: tensor '{}' is {} at {}",
                               data_begin_ + tensor.begin + i * element_bytes, tensor.name,
                               result.values[i], FormatIndex(i, tensor.shape)),
                   "safetensors-value");
    }
  }
  return result;
}

void SafetensorsWriter::SetMetadata(const std::string& key, const std::string& value) {
  metadata_[key] = value;
}

void SafetensorsWriter::Add(const std::string& name, DType dtype, std::vector<int64_t> shape,
                            std::vector<uint8_t> bytes) {
  EB_CHECK(BytesOf(shape, dtype) == bytes.size(), "tensor '{}' of shape {} has {} bytes", name,
           FormatShape(shape), bytes.size());
  EB_CHECK(std::none_of(entries_.begin(), entries_.end(),
                        [&](const Entry& entry) { return entry.name == name; }),
           "tensor '{}' was added before", name);
  entries_.push_back({name, dtype, std::move(shape), std::move(bytes)});
}

void SafetensorsWriter::AddFloats(const std::string& name, DType dtype, std::vector<int64_t> shape,
                                  std::span<const float> values) {
  std::vector<uint8_t> bytes(values.size() * static_cast<size_t>(DTypeBytes(dtype)));
  if (dtype == DType::kF32) {
    if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  } else {
    EB_CHECK(dtype == DType::kF16 || dtype == DType::kBf16, "floats as {}", DTypeName(dtype));
    for (size_t i = 0; i < values.size(); ++i) {
      const uint16_t word =
          dtype == DType::kF16 ? FloatToHalf(values[i]) : FloatToBfloat16(values[i]);
      bytes[2 * i] = static_cast<uint8_t>(word);
      bytes[2 * i + 1] = static_cast<uint8_t>(word >> 8);
    }
  }
  Add(name, dtype, std::move(shape), std::move(bytes));
}

std::vector<uint8_t> SafetensorsWriter::Serialize() const {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!metadata_.empty()) json["__metadata__"] = metadata_;
  uint64_t offset = 0;
  for (const Entry& entry : entries_) {
    json[entry.name] = {{"dtype", DTypeName(entry.dtype)},
                        {"shape", entry.shape},
                        {"data_offsets", {offset, offset + entry.bytes.size()}}};
    offset += entry.bytes.size();
  }
  std::string header = json.dump();
  header.resize((header.size() + 7) / 8 * 8, ' ');  // the data starts aligned

  const uint64_t header_bytes = header.size();
  std::vector<uint8_t> bytes(kLengthBytes);
  std::memcpy(bytes.data(), &header_bytes, kLengthBytes);
  bytes.insert(bytes.end(), header.begin(), header.end());
  for (const Entry& entry : entries_) {
    bytes.insert(bytes.end(), entry.bytes.begin(), entry.bytes.end());
  }
  return bytes;
}

Status SafetensorsWriter::Write(const std::string& path) const {
  return WriteFileAtomically(path, Serialize(), "safetensors-io");
}

}  // namespace edgebert::checkpoint
