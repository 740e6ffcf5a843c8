#include "golden/model/image.h"

#include <array>
#include <boost/crc.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace edgebert::model {
namespace {

using nlohmann::json;

// File: magic, u32 version, u32 header bytes, header (JSON), program, weights, SLC, MLC, u32 CRC-32
// of all bytes before it. Little-endian; the header holds the byte counts of the blobs.
constexpr std::array<char, 8> kMagic = {'E', 'B', 'I', 'M', 'A', 'G', 'E', '\n'};
constexpr size_t kPreambleBytes = kMagic.size() + 8;
constexpr size_t kChecksumBytes = 4;
constexpr size_t kInstructionBytes = spec::kInstructionBits / 8;

uint32_t Crc32(const uint8_t* data, size_t size) {
  boost::crc_32_type crc;
  crc.process_bytes(data, size);
  return crc.checksum();
}

void AppendWord(std::vector<uint8_t>& bytes, uint32_t word) {
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<uint8_t>(word >> shift));
}

uint32_t ReadWord(const uint8_t* bytes) {
  uint32_t word = 0;
  for (int i = 3; i >= 0; --i) word = word << 8 | bytes[i];
  return word;
}

json HeaderOf(const Image& image) {
  json names = json::array();
  for (const InstructionName& name : image.names) {
    names.push_back({{"text", name.text}, {"head", name.head}, {"in_layer", name.in_layer}});
  }
  return {
      {"format",
       {{"lanes", image.format.lanes},
        {"code_bits", image.format.code_bits},
        {"exponent_bits", image.format.exponent_bits},
        {"axi_data_bits", image.format.axi_data_bits},
        {"reram_word_bits", image.format.reram_word_bits},
        {"reram_check_bits", image.format.reram_check_bits}}},
      {"model",
       {{"name", image.facts.name},
        {"layers", image.facts.layers},
        {"classes", image.facts.classes},
        {"vocabulary", image.facts.vocabulary},
        {"types", image.facts.types},
        {"max_tokens", image.facts.max_tokens},
        {"labels", image.facts.labels}}},
      {"default_threshold", image.default_threshold},
      {"names", std::move(names)},
      {"blobs",
       {{"program", image.program.size() * kInstructionBytes},
        {"weights", image.weights.size()},
        {"slc", image.reram.slc.size()},
        {"mlc", image.reram.mlc.size()}}},
  };
}

/// False when the member is no whole number from `low` to the largest T.
template <typename T>
bool ReadWhole(const json& object, const char* key, T low, T* value) {
  const json& number = object.at(key);
  const bool fits = number.is_number_unsigned()
                        ? std::in_range<T>(number.get<uint64_t>())
                        : number.is_number_integer() && std::in_range<T>(number.get<int64_t>());
  if (fits) *value = number.get<T>();
  return fits && *value >= low;
}

/// Byte counts of program, weights, SLC and MLC.
using BlobSizes = std::array<size_t, 4>;

/// Fills everything but the blobs. False, or throws what nlohmann::json throws, on a wrong key or
/// value.
bool ReadHeader(const json& header, Image& image, BlobSizes& sizes) {
  const json& format = header.at("format");
  const json& model = header.at("model");
  const json& blobs = header.at("blobs");
  image.facts.name = model.at("name");
  image.facts.labels = model.at("labels").get<std::vector<std::string>>();
  for (const json& name : header.at("names")) {
    InstructionName& read = image.names.emplace_back();
    read.text = name.at("text");
    read.in_layer = name.at("in_layer");
    if (!ReadWhole(name, "head", -1, &read.head)) return false;
  }
  return ReadWhole(format, "lanes", 0, &image.format.lanes) &&
         ReadWhole(format, "code_bits", 0, &image.format.code_bits) &&
         ReadWhole(format, "exponent_bits", 0, &image.format.exponent_bits) &&
         ReadWhole(format, "axi_data_bits", 0, &image.format.axi_data_bits) &&
         ReadWhole(format, "reram_word_bits", 0, &image.format.reram_word_bits) &&
         (!format.contains("reram_check_bits") ||
          ReadWhole(format, "reram_check_bits", 0, &image.format.reram_check_bits)) &&
         ReadWhole(model, "layers", 0, &image.facts.layers) &&
         ReadWhole(model, "classes", 0, &image.facts.classes) &&
         ReadWhole(model, "vocabulary", 0, &image.facts.vocabulary) &&
         ReadWhole(model, "types", 0, &image.facts.types) &&
         ReadWhole(model, "max_tokens", 0, &image.facts.max_tokens) &&
         ReadWhole(header, "default_threshold", 0U, &image.default_threshold) &&
         ReadWhole(blobs, "program", size_t{0}, &sizes[0]) &&
         ReadWhole(blobs, "weights", size_t{0}, &sizes[1]) &&
         ReadWhole(blobs, "slc", size_t{0}, &sizes[2]) &&
         ReadWhole(blobs, "mlc", size_t{0}, &sizes[3]);
}

}  // namespace

Status SaveImage(const Image& image, const std::string& path) {
  EB_CHECK(image.names.size() == image.program.size(), "{} names for {} instructions",
           image.names.size(), image.program.size());
  const std::string header = HeaderOf(image).dump();
  std::vector<uint8_t> bytes(kMagic.begin(), kMagic.end());
  AppendWord(bytes, kImageVersion);
  AppendWord(bytes, static_cast<uint32_t>(header.size()));
  bytes.insert(bytes.end(), header.begin(), header.end());
  for (const spec::Instruction& instruction : image.program) {
    for (const uint32_t word : instruction.words) AppendWord(bytes, word);
  }
  for (const auto* blob : {&image.weights, &image.reram.slc, &image.reram.mlc}) {
    bytes.insert(bytes.end(), blob->begin(), blob->end());
  }
  AppendWord(bytes, Crc32(bytes.data(), bytes.size()));

  const std::string temporary = path + ".partial";
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const std::string reason = std::strerror(errno);
    std::remove(temporary.c_str());
    return Error({path}, fmt::format("cannot write the image: {}", reason), "image-write");
  }
  return Ok();
}

Result<Image> LoadImage(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Error({path}, fmt::format("cannot open the image: {}", std::strerror(errno)),
                 "image-open");
  }
  const std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(file)),
                                   std::istreambuf_iterator<char>());
  if (bytes.size() < kPreambleBytes + kChecksumBytes ||
      !std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) {
    return Error({path}, "not an image file", "image-format");
  }
  const uint32_t version = ReadWord(&bytes[kMagic.size()]);
  if (version != kImageVersion) {
    return Error(
        {path},
        fmt::format("image version {}; this program reads version {}", version, kImageVersion),
        "image-version");
  }
  const size_t body = bytes.size() - kChecksumBytes;
  if (Crc32(bytes.data(), body) != ReadWord(&bytes[body])) {
    return Error({path}, "checksum of the image does not match: the file is damaged",
                 "image-checksum");
  }

  const Error malformed({path}, "malformed header of the image", "image-format");
  const size_t header_bytes = ReadWord(&bytes[kMagic.size() + 4]);
  if (header_bytes > body - kPreambleBytes) return malformed;
  const auto header_begin = bytes.begin() + kPreambleBytes;
  Image image;
  BlobSizes sizes{};
  try {
    const json header = json::parse(header_begin, header_begin + header_bytes);
    if (!ReadHeader(header, image, sizes)) return malformed;
  } catch (const json::exception&) {
    return malformed;
  }
  size_t position = kPreambleBytes + header_bytes;
  for (const size_t size : sizes) {
    if (size > body - position) return malformed;
    position += size;
  }
  if (position != body || sizes[0] != image.names.size() * kInstructionBytes) return malformed;

  position = kPreambleBytes + header_bytes;
  image.program.resize(image.names.size());
  for (spec::Instruction& instruction : image.program) {
    for (uint32_t& word : instruction.words) {
      word = ReadWord(&bytes[position]);
      position += 4;
    }
  }
  std::array<std::vector<uint8_t>*, 3> blobs = {&image.weights, &image.reram.slc, &image.reram.mlc};
  for (size_t i = 0; i < blobs.size(); ++i) {
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(position);
    blobs[i]->assign(begin, begin + static_cast<std::ptrdiff_t>(sizes[i + 1]));
    position += sizes[i + 1];
  }
  return image;
}

}  // namespace edgebert::model
