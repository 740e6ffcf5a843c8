// The program edgebert-convert, run on the shipped model.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>

#include "golden/checkpoint/file.h"
#include "golden/checkpoint/safetensors.h"
#include "tests/support/temporary_folder.h"

namespace edgebert::checkpoint {
namespace {

constexpr const char* kShipped = EDGEBERT_SHIPPED_MODEL;

class Convert : public testing::Test {
 protected:
  /// Exit status; what the program says goes to `messages()`.
  [[nodiscard]] int Run(const std::string& arguments) const {
    const std::string command = std::string("'" EDGEBERT_CONVERT "' ") + arguments + " > '" +
                                folder_.File("messages") + "' 2>&1";
    return WEXITSTATUS(std::system(command.c_str()));
  }
  [[nodiscard]] int Run(const std::string& model, const std::string& out,
                        const std::string& dtype) const {
    return Run("--model '" + model + "' --out '" + out + "' --dtype " + dtype);
  }
  [[nodiscard]] std::string Messages() const { return Text(folder_.File("messages")); }
  static std::string Text(const std::string& path) { return ReadTextFile(path, "test").value(); }

  TemporaryFolder folder_;
};

// Every half is a float, and vectors stay FP32, so the way to FP32 and back changes nothing.
TEST_F(Convert, ThereAndBackIsTheSameFile) {
  const std::string wide = folder_.File("wide");
  const std::string back = folder_.File("back");
  ASSERT_EQ(Run(kShipped, wide, "f32"), 0) << Messages();
  ASSERT_EQ(Run(wide, back, "f16"), 0) << Messages();
  EXPECT_EQ(Messages(),
            "48 tensors, 1507236 values, 3025992 bytes; largest change 0; 0 non-zero values became "
            "0\n");
  for (const char* file : {"/config.json", "/tokenizer.model", "/model.safetensors"}) {
    EXPECT_EQ(Text(back + file), Text(std::string(kShipped) + file)) << file;
  }
}

// Beside all halves, sorted: to odd, a value between two of them becomes the one with an odd code.
TEST_F(Convert, RoundsToOdd) {
  std::map<float, int> halves;  // of one sign, with their codes
  for (int code = 0; code < 0x7c00; ++code) {
    const int exponent = code >> 10;
    const int mantissa = code & 0x3ff;
    halves[exponent == 0 ? std::ldexp(float(mantissa), -24)
                         : std::ldexp(float(1024 + mantissa), exponent - 25)] = code;
  }
  const std::string wide = folder_.File("wide");
  ASSERT_EQ(Run(kShipped, wide, "f32"), 0) << Messages();
  const std::string path = wide + "/model.safetensors";
  const auto file = SafetensorsFile::Read(path);
  ASSERT_TRUE(file.ok());
  const std::string matrix = "albert.encoder.embedding_hidden_mapping_in.weight";
  std::mt19937 random(1);
  SafetensorsWriter writer;
  std::vector<float> before;
  for (const TensorInfo& tensor : file->tensors()) {
    std::vector<float> values = file->Floats(tensor.name)->values;
    if (tensor.name == matrix) {
      for (size_t i = 0; i < values.size(); ++i) {
        if (i % 4 == 0) continue;  // halves already
        values[i] = std::ldexp(std::uniform_real_distribution<float>(-1, 1)(random),
                               static_cast<int>(random() % 45) - 28);
      }
      values[1] = 1e-30F;
      values[2] = -65519.0F;
      before = values;
    }
    writer.AddFloats(tensor.name, DType::kF32, tensor.shape, values);
  }
  ASSERT_TRUE(writer.Write(path).ok());
  ASSERT_EQ(Run("--model '" + wide + "' --out '" + folder_.File("odd") + "' --to-odd"), 0)
      << Messages();
  const auto after = SafetensorsFile::Read(folder_.File("odd") + "/model.safetensors");
  const std::vector<float> odd = after->Floats(matrix)->values;
  for (size_t i = 0; i < before.size(); ++i) {
    const float size = std::fabs(before[i]);
    auto at = halves.lower_bound(size);  // not below
    if (at == halves.end() || (at->first != size && at->second % 2 == 0)) --at;
    EXPECT_EQ(odd[i], std::copysign(at->first, before[i])) << before[i];
  }
}

// A task on the tables of the shipped model: they are stored once, and written out again on demand.
TEST_F(Convert, SharesEmbeddingTables) {
  const std::string wide = folder_.File("wide");
  ASSERT_EQ(Run(kShipped, wide, "f32"), 0) << Messages();
  // Another table of positions, another projection: neither is shared.
  const std::string path = wide + "/model.safetensors";
  const auto file = SafetensorsFile::Read(path);
  ASSERT_TRUE(file.ok());
  const std::string positions = "albert.embeddings.position_embeddings.weight";
  const std::string projection = "albert.encoder.embedding_hidden_mapping_in.bias";
  SafetensorsWriter writer;
  for (const TensorInfo& tensor : file->tensors()) {
    std::vector<float> values = file->Floats(tensor.name)->values;
    if (tensor.name == positions || tensor.name == projection) values[3] = 0.75F;
    writer.AddFloats(tensor.name, DType::kF32, tensor.shape, values);
  }
  ASSERT_TRUE(writer.Write(path).ok());

  const std::string shared = folder_.File("shared");
  ASSERT_EQ(Run("--model '" + wide + "' --out '" + shared + "' --share '" + kShipped + "'"), 0)
      << Messages();
  const auto small = SafetensorsFile::Read(shared + "/model.safetensors");
  ASSERT_TRUE(small.ok()) << small.error().Format();
  EXPECT_EQ(small->tensors().size(), 48U - 4);  // words, types, gamma and beta of the LayerNorm
  const std::string words = "albert.embeddings.word_embeddings.weight";
  EXPECT_EQ(small->Find(words), nullptr);
  EXPECT_EQ(small->Floats(positions)->values[3], 0.75F);
  EXPECT_EQ(small->Floats(projection)->values[3], 0.75F);
  for (const TensorInfo& tensor : file->tensors()) {
    if (tensor.name == positions || tensor.name == projection) continue;
    EXPECT_EQ(small->Floats(tensor.name, tensor.shape)->values, file->Floats(tensor.name)->values)
        << tensor.name;
  }

  const std::string whole = folder_.File("whole");
  ASSERT_EQ(Run(shared, whole, "f32"), 0) << Messages();
  const auto again = SafetensorsFile::Read(whole + "/model.safetensors");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->embeddings(), nullptr);
  EXPECT_EQ(again->tensors().size(), 48U);
  EXPECT_EQ(again->Floats(words)->values, file->Floats(words)->values);

  std::filesystem::create_directory(folder_.File("elsewhere"));
  std::filesystem::rename(shared, folder_.File("elsewhere") + "/model");
  EXPECT_EQ(Run(folder_.File("elsewhere") + "/model", whole, "f32"), 2);
  EXPECT_NE(Messages().find("cannot open the file"), std::string::npos) << Messages();
}

TEST_F(Convert, RefusesValuesThatDoNotFit) {
  const std::string wide = folder_.File("wide");
  ASSERT_EQ(Run(kShipped, wide, "f32"), 0) << Messages();
  const std::string path = wide + "/model.safetensors";
  const auto file = SafetensorsFile::Read(path);
  ASSERT_TRUE(file.ok());
  SafetensorsWriter writer;
  for (const TensorInfo& tensor : file->tensors()) {
    std::vector<float> values = file->Floats(tensor.name)->values;
    if (tensor.name == "edgebert.off_ramps.3.classifier.weight") values[0] = 1e6F;
    writer.AddFloats(tensor.name, DType::kF32, tensor.shape, values);
  }
  ASSERT_TRUE(writer.Write(path).ok());
  EXPECT_EQ(Run(wide, folder_.File("half"), "f16"), 2);
  EXPECT_EQ(Messages(), path +
                            ": error: tensor 'edgebert.off_ramps.3.classifier.weight' holds "
                            "1000000, which does not fit F16 [convert-range]\n");
  EXPECT_EQ(Run(wide, folder_.File("half"), "bf16"), 0) << Messages();
}

TEST_F(Convert, RefusesBadArguments) {
  EXPECT_EQ(Run("--model x"), 2);
  EXPECT_EQ(Messages(),
            "command line: error: the option '--out' is required but missing "
            "[convert-option]\n");
  EXPECT_EQ(Run(kShipped, folder_.File("out"), "int8"), 2);
  EXPECT_EQ(Messages(),
            "command line: error: --dtype is 'int8'; it must be f16, bf16 or f32 "
            "[convert-option]\n");
  EXPECT_EQ(Run(kShipped, folder_.File("out"), "bf16 --to-odd"), 2);
  EXPECT_EQ(Messages(), "command line: error: --to-odd needs --dtype f16 [convert-option]\n");
  EXPECT_EQ(Run("/nonexistent", folder_.File("out"), "f16"), 2);
  EXPECT_EQ(Messages(),
            "/nonexistent/config.json: error: cannot open the file: No such file or "
            "directory [model-config-io]\n");
  EXPECT_EQ(Run(kShipped, kShipped, "f16"), 2);
  EXPECT_EQ(Messages(),
            std::string(kShipped) + ": error: --out is the folder of --model [convert-output]\n");
}

}  // namespace
}  // namespace edgebert::checkpoint
