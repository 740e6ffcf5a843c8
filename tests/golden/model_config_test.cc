#include "golden/checkpoint/model_config.h"

#include <gtest/gtest.h>

namespace edgebert::checkpoint {
namespace {

/// One member a line: member i of this list is on line i + 2.
std::string Config(const std::vector<std::string>& members) {
  std::string text = "{\n";
  for (size_t i = 0; i < members.size(); ++i) {
    text += members[i] + (i + 1 < members.size() ? ",\n" : "\n");
  }
  return text + "}\n";
}

const std::vector<std::string> kMinimal = {R"("vocab_size": 100)",
                                           R"("embedding_size": 8)",
                                           R"("hidden_size": 12)",
                                           R"("num_hidden_layers": 6)",
                                           R"("num_attention_heads": 3)",
                                           R"("intermediate_size": 24)",
                                           R"("max_position_embeddings": 16)"};

/// kMinimal with members after it (on line 9 and on) and some of its own replaced.
std::string With(const std::vector<std::string>& more,
                 const std::vector<std::pair<size_t, std::string>>& replaced = {}) {
  std::vector<std::string> members = kMinimal;
  for (const auto& [index, text] : replaced) members[index] = text;
  members.insert(members.end(), more.begin(), more.end());
  return Config(members);
}

std::string ErrorOf(const std::string& text) {
  const auto config = ParseModelConfig("c", text);
  return config.ok() ? "" : config.error().Format();
}

TEST(ModelConfig, DefaultsAreThoseOfAlbert) {
  const auto config = ParseModelConfig("c", With({}));
  ASSERT_TRUE(config.ok()) << config.error().Format();
  EXPECT_EQ(config->vocab_size, 100);
  EXPECT_EQ(config->HeadSize(), 4);
  EXPECT_EQ(config->num_hidden_groups, 1);
  EXPECT_EQ(config->inner_group_num, 1);
  EXPECT_EQ(config->hidden_act, Activation::kGeluNew);
  EXPECT_EQ(config->type_vocab_size, 2);
  EXPECT_EQ(config->layer_norm_eps, 1e-12);
  EXPECT_EQ(config->cls_token_id, 2);
  EXPECT_EQ(config->sep_token_id, 3);
  EXPECT_EQ(config->labels, (std::vector<std::string>{"LABEL_0", "LABEL_1"}));
  EXPECT_EQ(config->attention_span_ramp, 0);
  EXPECT_TRUE(config->off_ramp_pooler);
  EXPECT_TRUE(config->off_ramp_shared);
  EXPECT_EQ(config->entropy_threshold, 0);
  EXPECT_EQ(config->adaptivfloat_bits, 8);
  EXPECT_EQ(config->adaptivfloat_exponent, 3);
  EXPECT_TRUE(config->lowercase);
}

TEST(ModelConfig, ReadsEverything) {
  const auto config = ParseModelConfig(
      "c", With({R"("model_type": "albert", "architectures": ["x"])", R"("num_hidden_groups": 2)",
                 R"("inner_group_num": 3)", R"("hidden_act": "relu")", R"("type_vocab_size": 1)",
                 R"("layer_norm_eps": 1e-5, "cls_token_id": 7, "eos_token_id": 8)",
                 R"("pad_token_id": 9, "unk_token_id": 10)",
                 R"("id2label": {"1": "b", "0": "a", "2": "c"})",
                 R"("edgebert": {"attention_span_ramp": 8, "off_ramp_pooler": false,
                    "off_ramp_shared": false, "entropy_threshold": 0.25, "adaptivfloat": [6, 2],
                    "lowercase": false})"}));
  ASSERT_TRUE(config.ok()) << config.error().Format();
  EXPECT_EQ(config->num_hidden_groups, 2);
  EXPECT_EQ(config->inner_group_num, 3);
  EXPECT_EQ(config->hidden_act, Activation::kRelu);
  EXPECT_EQ(ActivationName(config->hidden_act), "relu");
  EXPECT_EQ(config->type_vocab_size, 1);
  EXPECT_EQ(config->layer_norm_eps, 1e-5);
  EXPECT_EQ(config->cls_token_id, 7);
  EXPECT_EQ(config->sep_token_id, 8);
  EXPECT_EQ(config->pad_token_id, 9);
  EXPECT_EQ(config->unk_token_id, 10);
  EXPECT_EQ(config->labels, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(config->attention_span_ramp, 8);
  EXPECT_FALSE(config->off_ramp_pooler);
  EXPECT_FALSE(config->off_ramp_shared);
  EXPECT_EQ(config->entropy_threshold, 0.25);
  EXPECT_EQ(config->adaptivfloat_bits, 6);
  EXPECT_EQ(config->adaptivfloat_exponent, 2);
  EXPECT_FALSE(config->lowercase);
}

TEST(ModelConfig, LayersShareGroupsInOrder) {
  const auto config = ParseModelConfig("c", With({R"("num_hidden_groups": 3)"}));
  ASSERT_TRUE(config.ok());
  const int groups[] = {0, 0, 1, 1, 2, 2};
  for (int layer = 0; layer < 6; ++layer) EXPECT_EQ(config->GroupOfLayer(layer), groups[layer]);
}

TEST(ModelConfig, RefusesMalformedFiles) {
  EXPECT_EQ(ErrorOf("{\n\"a\": 1,\n}"),
            "c:3: error: syntax error while parsing object key - unexpected '}'; expected string "
            "literal [model-config-json]");
  const auto nested = [](size_t depth) {
    return R"("text": "[[\"[{", "deep":)" "\n" + std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(ErrorOf(With({nested(63)})), "");  // and the object itself
  EXPECT_EQ(ErrorOf(With({nested(64)})),
            "c:10: error: nested deeper than 64 [model-config-json]");
  EXPECT_EQ(ErrorOf("[]"), "c:1: error: the file is not a JSON object [model-config-json]");
  EXPECT_EQ(ErrorOf(With({R"("vocab_size": 5)"})),
            "c:9: error: duplicate key 'vocab_size' [model-config-json]");
  EXPECT_EQ(ReadModelConfig("/nonexistent/c").error().Format(),
            "/nonexistent/c: error: cannot open the file: No such file or directory "
            "[model-config-io]");
}

TEST(ModelConfig, ReportsEveryMistakeAtItsLine) {
  EXPECT_EQ(ErrorOf("{}"),
            "c:1: error: 'vocab_size' is missing [model-config-missing]\n"
            "c:1: error: 'embedding_size' is missing [model-config-missing]\n"
            "c:1: error: 'hidden_size' is missing [model-config-missing]\n"
            "c:1: error: 'num_hidden_layers' is missing [model-config-missing]\n"
            "c:1: error: 'num_attention_heads' is missing [model-config-missing]\n"
            "c:1: error: 'intermediate_size' is missing [model-config-missing]\n"
            "c:1: error: 'max_position_embeddings' is missing [model-config-missing]");
  EXPECT_EQ(
      ErrorOf(With({}, {{0, R"("vocab_size": "many")"}, {5, R"("intermediate_size": 0)"}})),
      "c:2: error: 'vocab_size' is \"many\", not an integer [model-config-type]\n"
      "c:7: error: 'intermediate_size' is 0; it must be from 1 to 65536 [model-config-range]");
}

TEST(ModelConfig, ChecksRangesAndConsistency) {
  EXPECT_EQ(ErrorOf(With({}, {{2, R"("hidden_size": 13)"}})),
            "c:4: error: 'hidden_size' is 13, not a multiple of 'num_attention_heads' = 3 "
            "[model-config-range]");
  EXPECT_EQ(ErrorOf(With({R"("num_hidden_groups": 4)"})),
            "c:5: error: 'num_hidden_layers' is 6, not a multiple of 'num_hidden_groups' = 4 "
            "[model-config-range]");
  EXPECT_EQ(ErrorOf(With({R"("cls_token_id": 100)"})),
            "c:9: error: 'cls_token_id' is 100; it must be from 0 to 99 [model-config-range]");
  EXPECT_EQ(ErrorOf(With({R"("layer_norm_eps": 0)"})),
            "c:9: error: 'layer_norm_eps' is 0; it must be from 1e-15 to 1 [model-config-range]");
  EXPECT_EQ(ErrorOf(With({R"("hidden_act": "swish")"})),
            "c:9: error: 'hidden_act' is \"swish\"; it must be \"gelu\", \"gelu_new\" or \"relu\" "
            "[model-config-range]");
  EXPECT_EQ(ErrorOf(With({R"("model_type": "bert")"})),
            "c:9: error: 'model_type' is \"bert\"; only \"albert\" is supported "
            "[model-config-range]");
  EXPECT_EQ(ErrorOf(With({R"("position_embedding_type": "relative_key")"})),
            "c:9: error: 'position_embedding_type' is \"relative_key\"; only \"absolute\" is "
            "supported [model-config-range]");
}

TEST(ModelConfig, ChecksLabels) {
  EXPECT_EQ(ErrorOf(With({R"("num_labels": 1)"})),
            "c:9: error: 'num_labels' is 1; it must be from 2 to 4096 [model-config-range]");
  EXPECT_EQ(ErrorOf(With({R"("num_labels": 3)", R"("id2label": {"0": "a", "1": "b"})"})),
            "c:10: error: 'id2label' has 2 labels, but 'num_labels' is 3 [model-config-range]");
  EXPECT_EQ(ErrorOf(With({R"("id2label": {"0": "a", "2": "b"})"})),
            "c:9: error: 'id2label' has no name for label 1 [model-config-range]");
  EXPECT_EQ(ErrorOf(With({R"("id2label": ["a", "b"])"})),
            "c:9: error: 'id2label' is not an object of 2 to 4096 labels [model-config-range]");
}

TEST(ModelConfig, ChecksTheEdgebertObject) {
  const auto error = [](const std::string& member) {
    return ErrorOf(With({"\"edgebert\": {\n" + member + "}"}));
  };
  EXPECT_EQ(error(R"("entropy_treshold": 1)"),
            "c:10: error: unknown key 'entropy_treshold' in 'edgebert' [model-config-unknown]");
  EXPECT_EQ(error(R"("attention_span_ramp": 0.5)"),
            "c:10: error: 'attention_span_ramp' is 0.5; it must be from 1 to 65536 "
            "[model-config-range]");
  EXPECT_EQ(error(R"("off_ramp_pooler": 1)"),
            "c:10: error: 'off_ramp_pooler' is 1, not true or false [model-config-type]");
  EXPECT_EQ(error(R"("entropy_threshold": "low")"),
            "c:10: error: 'entropy_threshold' is \"low\", not a number [model-config-type]");
  // W = 5 with E = 4 leaves no mantissa bit.
  for (const char* format : {"[9,3]", "[8,5]", "[5,4]", "[8]", "8"}) {
    EXPECT_EQ(error(std::string(R"("adaptivfloat": )") + format),
              std::string("c:10: error: 'adaptivfloat' is ") + format +
                  "; it must be [W, E] with W from 4 to 8, E from 2 to 4 and E <= W - 2 "
                  "[model-config-range]");
  }
  EXPECT_EQ(ErrorOf(With({R"("edgebert": 1)"})),
            "c:9: error: 'edgebert' is not an object [model-config-type]");
}

}  // namespace
}  // namespace edgebert::checkpoint
