// edgebert-convert: copies a model folder with its weights in another floating-point type, without
// the embedding tables that another model has already if it is to share them.
//
// Exit status: 0 done, 2 bad input or output.
#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "golden/base/result.h"
#include "golden/checkpoint/file.h"
#include "golden/checkpoint/model_weights.h"
#include "golden/checkpoint/safetensors.h"
#include "golden/checkpoint/tokenizer.h"

namespace edgebert::checkpoint {
namespace {

struct ConvertReport {
  size_t tensors = 0;
  size_t values = 0;
  size_t flushed = 0;         ///< non-zero values that became zero
  double largest_change = 0;  ///< |new - old|
  size_t bytes = 0;           ///< of the new file
};

bool IsFloat(DType dtype) {
  return dtype == DType::kF16 || dtype == DType::kBf16 || dtype == DType::kF32;
}

/// Where FP16 is not exact, the neighbour whose last bit is 1: a narrower format then has the value
/// that it would have had without FP16. Not to infinity.
uint16_t FloatToOddHalf(float value) {
  uint16_t half = FloatToHalf(value);
  const float nearest = HalfToFloat(half);
  if (nearest == value || !std::isfinite(nearest)) return half;
  if (std::fabs(nearest) > std::fabs(value)) --half;
  return half | 1;
}

/// How a value is stored.
struct Storage {
  DType dtype = DType::kF32;
  bool to_odd = false;  ///< FP16
};

float RoundTo(const Storage& storage, float value) {
  const DType dtype = storage.dtype;
  if (dtype == DType::kF16) {
    return HalfToFloat(storage.to_odd ? FloatToOddHalf(value) : FloatToHalf(value));
  }
  if (dtype == DType::kBf16) return Bfloat16ToFloat(FloatToBfloat16(value));
  return value;
}

bool IsEmbedding(const TensorInfo& info) { return info.name.starts_with("albert.embeddings."); }

/// Whether another file has just this tensor.
bool Has(const SafetensorsFile& other, const TensorInfo& info, DType dtype,
         std::span<const float> values) {
  const TensorInfo* found = other.Find(info.name);
  if (found == nullptr || found->dtype != dtype || found->shape != info.shape) return false;
  const auto theirs = other.Floats(info.name);
  return theirs.ok() && std::ranges::equal(theirs->values, values);
}

/// Floating-point matrices change their type. Biases, LayerNorm and spans become FP32: they are
/// few, and rounding them costs accuracy. Other tensors are copied. Embedding tables that are those
/// of the file `share`, if given, stay there.
Result<ConvertReport> ConvertWeights(const SafetensorsFile& file, const Storage& storage,
                                     const std::string& share, const std::string& path) {
  ConvertReport report;
  SafetensorsWriter writer;
  std::optional<SafetensorsFile> other;
  for (const auto& [key, value] : file.metadata()) {
    if (key != kEmbeddingsFileKey) writer.SetMetadata(key, value);
  }
  if (!share.empty()) {
    EB_ASSIGN_OR_RETURN(other, SafetensorsFile::Read(share));
    const auto folder = std::filesystem::path(path).parent_path();
    writer.SetMetadata(kEmbeddingsFileKey, std::filesystem::relative(share, folder));
  }
  std::vector<TensorInfo> tensors = file.tensors();
  if (file.embeddings() != nullptr) {
    std::ranges::copy_if(
        file.embeddings()->tensors(), std::back_inserter(tensors),
        [&](const TensorInfo& t) { return IsEmbedding(t) && file.Find(t.name) == nullptr; });
  }
  for (const TensorInfo& info : tensors) {
    if (!IsFloat(info.dtype)) {
      ++report.tensors;
      const auto bytes = file.Bytes(info);
      writer.Add(info.name, info.dtype, info.shape, {bytes.begin(), bytes.end()});
      continue;
    }
    EB_ASSIGN_OR_RETURN(const FloatTensor tensor, file.Floats(info.name));
    const Storage stored = info.shape.size() > 1 ? storage : Storage();
    std::vector<float> values = tensor.values;
    for (float& value : values) value = RoundTo(stored, value);
    if (other && IsEmbedding(info) && Has(*other, info, stored.dtype, values)) continue;
    ++report.tensors;
    for (size_t i = 0; i < values.size(); ++i) {
      const float value = tensor.values[i];
      const float rounded = values[i];
      if (!std::isfinite(rounded)) {
        return Error({.file = file.name()},
                     fmt::format("tensor '{}' holds {}, which does not fit {}", info.name, value,
                                 DTypeName(stored.dtype)),
                     "convert-range");
      }
      ++report.values;
      report.flushed += value != 0 && rounded == 0 ? 1 : 0;
      report.largest_change = std::max(report.largest_change, std::fabs(double{rounded} - value));
    }
    writer.AddFloats(info.name, stored.dtype, info.shape, values);
  }
  report.bytes = writer.Serialize().size();
  EB_RETURN_IF_ERROR(writer.Write(path));
  return report;
}

Status CopyFile(const std::string& from, const std::string& to) {
  EB_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(from, "convert-input"));
  return WriteFileAtomically(to, bytes, "convert-output");
}

Result<ConvertReport> Convert(const std::string& model, const std::string& out,
                              const Storage& storage, const std::string& share) {
  // A folder that cannot be used is not worth converting.
  EB_ASSIGN_OR_RETURN(const ModelConfig config, ReadModelConfig(model + "/config.json"));
  EB_RETURN_IF_ERROR(Tokenizer::Load(model + "/tokenizer.model", config));
  EB_ASSIGN_OR_RETURN(const SafetensorsFile file,
                      SafetensorsFile::Read(model + "/model.safetensors"));
  EB_RETURN_IF_ERROR(LoadModelWeights(file, config));

  std::error_code code;
  std::filesystem::create_directories(out, code);
  if (code) {
    return Error({.file = out}, "cannot create the folder: " + code.message(), "convert-output");
  }
  if (std::filesystem::equivalent(model, out, code)) {
    return Error({.file = out}, "--out is the folder of --model", "convert-output");
  }
  EB_RETURN_IF_ERROR(CopyFile(model + "/config.json", out + "/config.json"));
  EB_RETURN_IF_ERROR(CopyFile(model + "/tokenizer.model", out + "/tokenizer.model"));
  return ConvertWeights(file, storage, share.empty() ? share : share + "/model.safetensors",
                        out + "/model.safetensors");
}

Result<DType> ParseFloatType(const std::string& name) {
  if (name == "f16") return DType::kF16;
  if (name == "bf16") return DType::kBf16;
  if (name == "f32") return DType::kF32;
  return Error({.file = "command line"},
               fmt::format("--dtype is '{}'; it must be f16, bf16 or f32", name), "convert-option");
}

int Main(int argc, const char* const* argv) {
  namespace po = boost::program_options;
  std::string model;
  std::string out;
  std::string dtype_name;
  std::string share;
  bool to_odd = false;
  po::options_description options(
      "edgebert-convert --model DIR --out DIR [--dtype TYPE] [--to-odd] [--share DIR]");
  options.add_options()("help", "print this text")(
      "model", po::value(&model)->required(),
      "folder with config.json, model.safetensors and tokenizer.model")(
      "out", po::value(&out)->required(), "folder to write, created if need be")(
      "dtype", po::value(&dtype_name)->default_value("f16"),
      "type of the matrices: f16, bf16, f32")(
      "to-odd", po::bool_switch(&to_odd),
      "round to FP16 so that rounding to a narrower format later is as without FP16")(
      "share", po::value(&share),
      "leave out the embedding tables that this model folder has too, and name it instead");
  try {
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(options).positional({}).run(), values);
    if (values.contains("help")) {
      std::cout << options;
      return 0;
    }
    po::notify(values);
  } catch (const po::error& error) {
    fmt::print(stderr, "{}\n",
               Error({.file = "command line"}, error.what(), "convert-option").Format());
    return 2;
  }

  const auto convert = [&]() -> Result<ConvertReport> {
    EB_ASSIGN_OR_RETURN(const DType dtype, ParseFloatType(dtype_name));
    if (to_odd && dtype != DType::kF16) {
      return Error({.file = "command line"}, "--to-odd needs --dtype f16", "convert-option");
    }
    return Convert(model, out, {dtype, to_odd}, share);
  };
  const Result<ConvertReport> report = convert();
  if (!report.ok()) {
    fmt::print(stderr, "{}\n", report.error().Format());
    return 2;
  }
  fmt::print(
      "{} tensors, {} values, {} bytes; largest change {:.3g}; {} non-zero values became 0\n",
      report->tensors, report->values, report->bytes, report->largest_change, report->flushed);
  return 0;
}

}  // namespace
}  // namespace edgebert::checkpoint

int main(int argc, char** argv) { return edgebert::checkpoint::Main(argc, argv); }
