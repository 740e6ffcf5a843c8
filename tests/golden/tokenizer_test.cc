#include "golden/checkpoint/tokenizer.h"

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace edgebert::checkpoint {
namespace {

const std::string kModel = EDGEBERT_SHIPPED_MODEL;

Tokenizer LoadShipped(int max_tokens = 64, bool lowercase = true) {
  auto config = ReadModelConfig(kModel + "/config.json");
  config->max_position_embeddings = max_tokens;
  config->lowercase = lowercase;
  return Tokenizer::Load(kModel + "/tokenizer.model", *config).value();
}

std::vector<int> Ids(const Tokenizer& tokenizer, const std::string& sentence) {
  return tokenizer.Encode(sentence)->ids;
}

// Expected ids: the most probable segmentation, found by a separate Viterbi search over the pieces
// and scores of the file. 3 is [CLS], 4 is [SEP], 0 is an unknown piece.
TEST(Tokenizer, FindsTheMostProbablePieces) {
  const Tokenizer tokenizer = LoadShipped();
  EXPECT_EQ(Ids(tokenizer, "a gripping, well-acted film."),
            (std::vector<int>{3, 11, 7199, 1629, 8, 185, 24, 1770, 26, 722, 6, 4}));
  EXPECT_EQ(Ids(tokenizer, "it's not good"), (std::vector<int>{3, 21, 13, 7, 35, 129, 4}));
  EXPECT_EQ(Ids(tokenizer, "unbelievably disappointing"),
            (std::vector<int>{3, 228, 2681, 349, 278, 1642, 3992, 23, 4}));
  EXPECT_EQ(Ids(tokenizer, "crème brûlée"),
            (std::vector<int>{3, 2266, 5016, 329, 464, 93, 0, 139, 1133, 59, 4}));
  EXPECT_EQ(tokenizer.Encode("it's not good")->types, std::vector<int>(7, 0));
}

// SentencePiece joins neighbouring unknown characters and drops spare spaces.
TEST(Tokenizer, JoinsUnknownCharactersAndSpaces) {
  EXPECT_EQ(Ids(LoadShipped(), "  日本   film "), (std::vector<int>{3, 30, 0, 722, 4}));
}

TEST(Tokenizer, NamesPieces) {
  const Tokenizer tokenizer = LoadShipped();
  EXPECT_EQ(tokenizer.Piece(722), "▁film");
  EXPECT_EQ(tokenizer.Piece(3), "[CLS]");
  EXPECT_EQ(tokenizer.Piece(4), "[SEP]");
  EXPECT_EQ(tokenizer.Piece(8001), "<8001>");
}

TEST(Tokenizer, EncodesPairs) {
  const auto tokens = LoadShipped().EncodePair("it's not good", "film");
  ASSERT_TRUE(tokens.ok());
  EXPECT_EQ(tokens->ids, (std::vector<int>{3, 21, 13, 7, 35, 129, 4, 722, 4}));
  EXPECT_EQ(tokens->types, (std::vector<int>{0, 0, 0, 0, 0, 0, 0, 1, 1}));
}

TEST(Tokenizer, LowersOnlyWhenToldTo) {
  EXPECT_EQ(Ids(LoadShipped(), "IT's Not GOOD"), Ids(LoadShipped(), "it's not good"));
  EXPECT_NE(Ids(LoadShipped(64, false), "IT's Not GOOD"), Ids(LoadShipped(), "it's not good"));
  EXPECT_EQ(LowerCase("AZ az @[ 09"), "az az @[ 09");
  EXPECT_EQ(LowerCase("ÀÖØÞ × ß ÷"), "àöøþ × ß ÷");
  EXPECT_EQ(LowerCase("ĀĶ ĹŇ ŊŶ Ÿ ŹŽ ſ ĸ ŉ"), "āķ ĺň ŋŷ ÿ źž ſ ĸ ŉ");
  EXPECT_EQ(LowerCase("ΆΈΉΊΌΎΏ ΑΩΪΫ αω"), "άέήίόύώ αωϊϋ αω");
  EXPECT_EQ(LowerCase("ЀЏ АЯ ая"), "ѐџ ая ая");
  EXPECT_EQ(LowerCase("日本 😀"), "日本 😀");
}

TEST(Tokenizer, RefusesOrCutsLongSentences) {
  const Tokenizer tokenizer = LoadShipped(6);  // room for 4 pieces; the sentence has 5
  EXPECT_EQ(tokenizer.Encode("it's not good").error().Format(),
            "error: the sentence has 7 tokens; the model takes at most 6 [tokenizer-length]");
  EXPECT_EQ(tokenizer.Encode("it's not good", Overflow::kTruncate)->ids,
            (std::vector<int>{3, 21, 13, 7, 35, 4}));
  EXPECT_EQ(LoadShipped(7).Encode("it's not good")->ids.size(), 7);
}

TEST(Tokenizer, RefusesOrCutsLongPairs) {
  const Tokenizer tokenizer = LoadShipped(8);  // room for 5 pieces of 5 + 2
  EXPECT_EQ(tokenizer.EncodePair("it's not good", "good film").error().Format(),
            "error: the sentence pair has 10 tokens; the model takes at most 8 [tokenizer-length]");
  EXPECT_EQ(tokenizer.EncodePair("it's not good", "good film", Overflow::kTruncate)->ids,
            (std::vector<int>{3, 21, 13, 7, 4, 129, 722, 4}));
  EXPECT_EQ(LoadShipped(7).EncodePair("good film", "good film", Overflow::kTruncate)->ids,
            (std::vector<int>{3, 129, 722, 4, 129, 722, 4}));
  EXPECT_EQ(LoadShipped(6).EncodePair("good film", "good film", Overflow::kTruncate)->ids,
            (std::vector<int>{3, 129, 722, 4, 129, 4}));
  EXPECT_EQ(LoadShipped(4).EncodePair("good", "film", Overflow::kTruncate).error().Format(),
            "error: the sentence pair has 5 tokens; the model takes at most 4 [tokenizer-length]");
}

TEST(Tokenizer, RefusesEmptyAndMalformedSentences) {
  const Tokenizer tokenizer = LoadShipped();
  EXPECT_EQ(tokenizer.Encode("").error().Format(),
            "error: the sentence is empty [tokenizer-empty]");
  EXPECT_EQ(tokenizer.Encode("   ").error().Format(),
            "error: the sentence is empty [tokenizer-empty]");
  EXPECT_EQ(tokenizer.EncodePair("good", "").error().Format(),
            "error: the sentence is empty [tokenizer-empty]");
  EXPECT_EQ(tokenizer.Encode("good \xff film").error().Format(),
            "error: the sentence is not UTF-8 at its byte 6 [tokenizer-utf8]");
}

TEST(Tokenizer, ChecksUtf8) {
  for (const char* good : {"", "a", "é", "日", "😀", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(FindInvalidUtf8(good), std::nullopt) << good;
  }
  for (const char* bad : {"\x80", "\xc1\x81", "\xc3", "\xe0\x9f\xbf", "\xe6\x97", "\xed\xa0\x80",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    EXPECT_EQ(FindInvalidUtf8(std::string("ab") + bad), 3) << testing::PrintToString(bad);
  }
}

TEST(Tokenizer, RefusesModelsThatDoNotFit) {
  ModelConfig config = ReadModelConfig(kModel + "/config.json").value();
  const auto error = [&](const std::string& path) {
    return Tokenizer::Load(path, config).error().Format();
  };
  const std::string model = kModel + "/tokenizer.model";
  EXPECT_EQ(error("/nonexistent/t"),
            "/nonexistent/t: error: cannot open the file: No such file or directory "
            "[tokenizer-io]");
  const TemporaryFolder folder;
  const std::string garbage = folder.Write("t", "not a model");
  EXPECT_EQ(error(garbage),
            garbage + ": error: the file is not a SentencePiece model [tokenizer-model]");
  const std::string empty = folder.Write("e", "");
  EXPECT_EQ(error(empty),
            empty + ": error: the file is not a SentencePiece model [tokenizer-model]");
  config.cls_token_id = 722;
  EXPECT_EQ(error(model), model +
                              ": error: token 722 of config.json is the piece '▁film', not a "
                              "control symbol [tokenizer-model]");
  config.vocab_size = 100;
  EXPECT_EQ(error(model), model +
                              ": error: the tokeniser has 8000 pieces, but 'vocab_size' is 100 "
                              "[tokenizer-model]");
}

}  // namespace
}  // namespace edgebert::checkpoint
