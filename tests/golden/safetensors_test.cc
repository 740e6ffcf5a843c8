#include "golden/checkpoint/safetensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "tests/support/temporary_folder.h"

namespace edgebert::checkpoint {
namespace {

/// A file of this header and these bytes of data.
std::vector<uint8_t> File(const std::string& header, std::vector<uint8_t> data) {
  std::vector<uint8_t> bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<uint8_t>(header.size() >> 8 * i));
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

std::string ErrorOf(const std::vector<uint8_t>& bytes) {
  const auto file = SafetensorsFile::Parse("m", bytes);
  return file.ok() ? "" : file.error().Format();
}

std::string ErrorOf(const std::string& header, size_t data_bytes) {
  return ErrorOf(File(header, std::vector<uint8_t>(data_bytes)));
}

const std::string kTwoFloats = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";

TEST(Safetensors, ReadsEveryFloatType) {
  // 1.5 and -2 in each type, from the definitions of the types.
  const auto file = SafetensorsFile::Parse(
      "m", File(R"({"__metadata__":{"format":"pt"},)"
                R"("h":{"dtype":"F16","shape":[2],"data_offsets":[8,12]},)"
                R"("b":{"dtype":"BF16","shape":[1,2],"data_offsets":[12,16]},)"
                R"("f":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}   )",
                {0x00, 0x00, 0xc0, 0x3f, 0x00, 0x00, 0x00, 0xc0,  // F32
                 0x00, 0x3e, 0x00, 0xc0,                          // F16
                 0xc0, 0x3f, 0x00, 0xc0}));                       // BF16
  ASSERT_TRUE(file.ok()) << file.error().Format();
  const std::vector<float> expected = {1.5F, -2.0F};
  for (const char* name : {"f", "h", "b"}) {
    const auto tensor = file->Floats(name);
    ASSERT_TRUE(tensor.ok());
    EXPECT_EQ(tensor->values, expected) << name;
  }
  EXPECT_EQ(file->Floats("b")->shape, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(file->metadata().at("format"), "pt");
  // In the order of the data, not of the header.
  EXPECT_EQ(file->tensors()[0].name, "f");
  EXPECT_EQ(file->tensors()[2].name, "b");
}

TEST(Safetensors, GivesIntegersAsBytes) {
  const auto file = SafetensorsFile::Parse(
      "m", File(R"({"q":{"dtype":"I8","shape":[3],"data_offsets":[0,3]}})", {1, 0xff, 0x80}));
  ASSERT_TRUE(file.ok());
  const TensorInfo* info = file->Find("q");
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info->dtype, DType::kI8);
  const auto bytes = file->Bytes(*info);
  EXPECT_EQ(std::vector<uint8_t>(bytes.begin(), bytes.end()),
            (std::vector<uint8_t>{1, 0xff, 0x80}));
  EXPECT_EQ(file->Floats("q").error().Format(),
            "m: error: byte 61: tensor 'q' has the dtype I8, expected F32, F16 or BF16 "
            "[safetensors-dtype]");
}

TEST(Safetensors, RefusesMalformedLengths) {
  EXPECT_EQ(ErrorOf(std::vector<uint8_t>{1, 2, 3}),
            "m: error: byte 0: the file has 3 bytes, too few for the header's length "
            "[safetensors-header]");
  EXPECT_EQ(ErrorOf(std::vector<uint8_t>(8, 0xff)),
            "m: error: byte 0: the header's length is 18446744073709551615, more than the format's "
            "limit of 100000000 [safetensors-header]");
  EXPECT_EQ(ErrorOf(std::vector<uint8_t>{9, 0, 0, 0, 0, 0, 0, 0, '{', '}'}),
            "m: error: byte 0: the header's length is 9, but only 2 bytes follow "
            "[safetensors-header]");
}

TEST(Safetensors, RefusesMalformedJson) {
  EXPECT_EQ(ErrorOf(R"({"a":})", 0),
            "m: error: byte 13: syntax error while parsing value - unexpected '}'; expected '[', "
            "'{', or a literal [safetensors-json]");
  EXPECT_EQ(ErrorOf("", 0).substr(0, 20), "m: error: byte 8: sy");
  EXPECT_EQ(ErrorOf("[]", 0),
            "m: error: byte 8: the header is not a JSON object [safetensors-json]");
  EXPECT_EQ(ErrorOf(R"({"a":3})", 0),
            "m: error: byte 9: tensor 'a' is not described by an object [safetensors-json]");
  EXPECT_EQ(ErrorOf(R"({"a":{"dtype":"F32","shape":[]}})", 0),
            "m: error: byte 9: tensor 'a' has no data_offsets [safetensors-json]");
  EXPECT_EQ(ErrorOf(R"({"__metadata__":{"n":1}})", 0),
            "m: error: byte 9: metadata 'n' is not a string [safetensors-json]");
}

TEST(Safetensors, RefusesDuplicateNames) {
  EXPECT_EQ(ErrorOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                    R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                    2),
            "m: error: byte 61: duplicate key 'a' [safetensors-duplicate]");
}

TEST(Safetensors, RefusesUnknownTypesAndShapes) {
  EXPECT_EQ(ErrorOf(R"({"a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}})", 1),
            "m: error: byte 9: tensor 'a' has the unknown dtype \"F8\" [safetensors-dtype]");
  EXPECT_EQ(ErrorOf(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", 1),
            "m: error: byte 9: tensor 'a' has the shape [-1], not a list of sizes "
            "[safetensors-shape]");
  EXPECT_EQ(ErrorOf(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8),
            "m: error: byte 9: tensor 'a' has 8 bytes, but F32 of shape [3] needs 12 "
            "[safetensors-shape]");
  // 2^62 * 4 wraps to 0 in 64 bits.
  EXPECT_EQ(
      ErrorOf(R"({"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})", 0),
      "m: error: byte 9: tensor 'a' has 0 bytes, but F32 of shape [4611686018427387904] needs more "
      "than 2^64 [safetensors-shape]");
}

TEST(Safetensors, RefusesOffsetsThatDoNotCoverTheData) {
  EXPECT_EQ(ErrorOf(kTwoFloats, 7),
            "m: error: byte 9: tensor 'a' has the data_offsets [0, 8] outside the 7 bytes of data "
            "[safetensors-offsets]");
  EXPECT_EQ(ErrorOf(kTwoFloats, 9),
            "m: error: byte 70: 1 bytes of data belong to no tensor [safetensors-offsets]");
  EXPECT_EQ(ErrorOf(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[2,1]}})", 2),
            "m: error: byte 9: tensor 'a' has the data_offsets [2, 1] outside the 2 bytes of data "
            "[safetensors-offsets]");
  EXPECT_EQ(ErrorOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1),
            "m: error: byte 9: tensor 'a' has the data_offsets [0], not [begin, end] "
            "[safetensors-offsets]");
  EXPECT_EQ(ErrorOf(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                    R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                    3),
            "m: error: byte 61: tensor 'b' begins at data offset 1, overlapping the previous "
            "tensor's end at 2 [safetensors-offsets]");
  EXPECT_EQ(
      ErrorOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})", 2),
      "m: error: byte 9: tensor 'a' begins at data offset 1, leaving a hole after the previous "
      "tensor's end at 0 [safetensors-offsets]");
}

TEST(Safetensors, RefusesMissingTensorsAndWrongShapes) {
  const auto file = SafetensorsFile::Parse("m", File(kTwoFloats, std::vector<uint8_t>(8)));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->Floats("b").error().Format(),
            "m: error: there is no tensor 'b' [safetensors-missing]");
  const int64_t shape[] = {1, 2};
  EXPECT_EQ(file->Floats("a", shape).error().Format(),
            "m: error: byte 62: tensor 'a' has the shape [2], expected [1, 2] [safetensors-shape]");
  const int64_t right[] = {2};
  EXPECT_TRUE(file->Floats("a", right).ok());
}

TEST(Safetensors, RefusesValuesThatAreNotFinite) {
  const std::string header = R"({"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]}})";
  std::vector<uint8_t> data(12);
  data[11] = 0x7c;  // infinity in element 5
  EXPECT_EQ(SafetensorsFile::Parse("m", File(header, data))->Floats("a").error().Format(),
            "m: error: byte 75: tensor 'a' is inf at [1, 2] [safetensors-value]");
  data[9] = 0x7e;  // NaN in element 4
  EXPECT_EQ(SafetensorsFile::Parse("m", File(header, data))->Floats("a").error().Format(),
            "m: error: byte 73: tensor 'a' is nan at [1, 1] [safetensors-value]");
}

TEST(Safetensors, WriterAndReaderAgree) {
  SafetensorsWriter writer;
  writer.SetMetadata("format", "pt");
  const std::vector<float> values = {0.0F, 0.1F, -3.0F, 65504.0F, 1e-7F, -0.0F};
  writer.AddFloats("single", DType::kF32, {2, 3}, values);
  writer.AddFloats("half", DType::kF16, {6}, values);
  writer.Add("codes", DType::kU8, {3}, {7, 8, 9});
  writer.AddFloats("scalar", DType::kBf16, {}, std::vector<float>{1.0F});

  const TemporaryFolder folder;
  const std::string path = folder.File("m.safetensors");
  ASSERT_TRUE(writer.Write(path).ok());
  const auto file = SafetensorsFile::Read(path);
  ASSERT_TRUE(file.ok()) << file.error().Format();
  EXPECT_EQ(file->Floats("single")->values, values);
  EXPECT_EQ(file->Floats("single")->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(file->Floats("half")->values[3], 65504.0F);
  EXPECT_EQ(file->Floats("half")->values[1], 1638.0F / 16384);  // the half nearest to 0.1
  EXPECT_EQ(file->Floats("scalar")->values, std::vector<float>{1.0F});
  EXPECT_EQ(file->Bytes(*file->Find("codes"))[2], 9);
  EXPECT_EQ(file->metadata().at("format"), "pt");
  // Nothing but the file is left behind.
  const std::filesystem::directory_iterator entries(folder.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST(Safetensors, ReportsFilesThatCannotBeUsed) {
  EXPECT_EQ(SafetensorsFile::Read("/nonexistent/m").error().Format(),
            "/nonexistent/m: error: cannot open the file: No such file or directory "
            "[safetensors-io]");
  EXPECT_EQ(SafetensorsWriter().Write("/nonexistent/m").error().Format(),
            "/nonexistent/m: error: cannot create the file: No such file or directory "
            "[safetensors-io]");
}

// Every half is the float it stands for, and rounds back to itself.
TEST(Safetensors, HalfRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const int exponent = half >> 10 & 31;
    const int mantissa = half & 1023;
    const float value = HalfToFloat(half);
    if (exponent == 31) {
      EXPECT_EQ(std::isnan(value), mantissa != 0);
      if (mantissa != 0) continue;
      EXPECT_TRUE(std::isinf(value));
    } else {
      const double magnitude = exponent == 0 ? mantissa * std::exp2(-24)
                                             : (1 + mantissa / 1024.0) * std::exp2(exponent - 15);
      ASSERT_EQ(value, (half & 0x8000) != 0 ? -magnitude : magnitude) << bits;
    }
    ASSERT_EQ(FloatToHalf(value), half) << bits;
  }
}

// Between two neighbouring halves: below the middle the lower, above it the upper, on it the even.
TEST(Safetensors, HalfRoundsToNearestEven) {
  for (uint16_t half = 0; half < 0x7bff; ++half) {
    const auto upper = static_cast<uint16_t>(half + 1);
    const float middle = (HalfToFloat(half) + HalfToFloat(upper)) / 2;  // exact
    ASSERT_EQ(FloatToHalf(middle), half % 2 == 0 ? half : upper) << half;
    ASSERT_EQ(FloatToHalf(std::nextafter(middle, 0.0F)), half) << half;
    ASSERT_EQ(FloatToHalf(std::nextafter(middle, 1e9F)), upper) << half;
    ASSERT_EQ(FloatToHalf(-middle), FloatToHalf(middle) | 0x8000) << half;
  }
  EXPECT_EQ(FloatToHalf(65519.99F), 0x7bff);
  EXPECT_EQ(FloatToHalf(65520.0F), 0x7c00);
  EXPECT_TRUE(std::isnan(HalfToFloat(FloatToHalf(std::nanf("")))));
}

TEST(Safetensors, Bfloat16RoundsToNearestEven) {
  EXPECT_EQ(FloatToBfloat16(1.0F), 0x3f80);
  EXPECT_EQ(FloatToBfloat16(1.0F + 0x1p-8F), 0x3f80);             // tie, even below
  EXPECT_EQ(FloatToBfloat16(1.0F + 0x1p-8F + 0x1p-20F), 0x3f81);  // above the tie
  EXPECT_EQ(FloatToBfloat16(1.0F + 3 * 0x1p-8F), 0x3f82);         // tie, even above
  EXPECT_EQ(FloatToBfloat16(-2.0F), 0xc000);
  EXPECT_TRUE(std::isnan(Bfloat16ToFloat(FloatToBfloat16(std::nanf("")))));
  EXPECT_TRUE(std::isinf(Bfloat16ToFloat(FloatToBfloat16(std::numeric_limits<float>::max()))));
}

}  // namespace
}  // namespace edgebert::checkpoint
