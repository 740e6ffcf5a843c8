#include "golden/train/options.h"

#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <variant>

#include "golden/base/key_values.h"
#include "golden/checkpoint/file.h"

namespace edgebert::train {
namespace {

namespace po = boost::program_options;

using Field = std::variant<std::string*, int*, double*, bool*>;

/// One key: where it lives, what it may hold, and what it means.
struct Entry {
  const char* key;  // section.name
  std::function<Field(Options&)> field;
  double low;
  double high;
  const char* choices;  // of a text, separated by '|'; empty: any text
  const char* meaning;
  const char* paper;  // what EdgeBERT's published code used for SST-2; empty: nothing alike
};

Entry Text(const char* key, std::function<std::string*(Options&)> field, const char* choices,
           const char* meaning, const char* paper = "") {
  return {key, std::move(field), 0, 0, choices, meaning, paper};
}
Entry Whole(const char* key, std::function<int*(Options&)> field, int low, int high,
            const char* meaning, const char* paper = "") {
  return {key, std::move(field), double(low), double(high), "", meaning, paper};
}
Entry Real(const char* key, std::function<double*(Options&)> field, double low, double high,
           const char* meaning, const char* paper = "") {
  return {key, std::move(field), low, high, "", meaning, paper};
}
Entry Switch(const char* key, std::function<bool*(Options&)> field, const char* meaning,
             const char* paper = "") {
  return {key, std::move(field), 0, 0, "", meaning, paper};
}

#define EB_FIELD(member) [](Options& o) { return &o.member; }

const std::vector<Entry>& Table() {
  static const std::vector<Entry> table = {
      Text("data.train", EB_FIELD(data.train), "", "file to train on"),
      Text("data.valid", EB_FIELD(data.valid), "",
           "file to validate on; may be that of data.train "
           "for 'clinc', which holds both"),
      Text("data.format", EB_FIELD(data.format), "table|sst2|qnli|qqp|mnli|clinc",
           "'table': columns by the names below, commas in a .csv, else tabs; GLUE's tasks name "
           "their own; 'clinc': JSON"),
      Text("data.text_column", EB_FIELD(data.text_column), "", "header of the sentence"),
      Text("data.pair_column", EB_FIELD(data.pair_column), "",
           "header of a second sentence; empty: there is none"),
      Text("data.label_column", EB_FIELD(data.label_column), "", "header of the label"),
      Text(
          "data.labels", EB_FIELD(data.labels), "",
          "classes in order, separated by commas; empty: those of model.init, else of the training "
          "data, sorted"),
      Whole("data.limit", EB_FIELD(data.limit), 0, 100'000'000,
            "sentences of each file to read; 0: all"),

      Text("tokenizer.model", EB_FIELD(tokenizer.model), "",
           "SentencePiece model to use; empty: that of model.init or model.embeddings, else one is "
           "trained on the training data",
           "ALBERT's, 30,000 pieces"),
      Whole("tokenizer.pieces", EB_FIELD(tokenizer.pieces), 32, 1'000'000,
            "pieces of a tokeniser that is trained", "30000"),
      Switch("tokenizer.lowercase", EB_FIELD(tokenizer.lowercase), "lower the input", "true"),

      Text(
          "model.init", EB_FIELD(model.init), "",
          "checkpoint folder to start from: its shape, tokeniser and weights; off-ramps only if it "
          "has the same classes",
          "albert-base-v2, then its fine-tuned teacher"),
      Text("model.embeddings", EB_FIELD(model.embeddings), "",
           "checkpoint folder to take the embedding tables and the tokeniser from"),
      Switch("model.freeze_embeddings", EB_FIELD(model.freeze_embeddings),
             "leave the embedding tables as they are, so that tasks can share them"),
      Whole("model.layers", EB_FIELD(model.layers), 1, 64, "encoder layers, which share weights",
            "12"),
      Whole("model.hidden", EB_FIELD(model.hidden), 4, 4096, "width of the encoder", "768"),
      Whole("model.heads", EB_FIELD(model.heads), 1, 64, "attention heads; divides model.hidden",
            "12"),
      Whole("model.ffn", EB_FIELD(model.ffn), 4, 16384, "width of the feed-forward network",
            "3072"),
      Whole("model.embedding", EB_FIELD(model.embedding), 4, 4096, "width of the embeddings",
            "128"),
      Whole("model.positions", EB_FIELD(model.positions), 8, 512,
            "longest sentence in tokens, [CLS] and [SEP] included; longer ones are cut", "128"),
      Text("model.activation", EB_FIELD(model.activation), "gelu|gelu_new|relu",
           "of the feed-forward network", "gelu_new"),
      Real("model.layer_norm_eps", EB_FIELD(model.layer_norm_eps), 1e-12, 1e-3,
           "epsilon of LayerNorm", "1e-12"),
      Switch("model.pooler", EB_FIELD(model.pooler), "off-ramps have a tanh pooler", "true"),
      Switch("model.shared_off_ramp", EB_FIELD(model.shared_off_ramp),
             "one off-ramp for all layers", "false"),
      Real("model.residual_init", EB_FIELD(model.residual_init), 0, 1,
           "scale of the initial attention output and second feed-forward weights: small ones let "
           "deep post-norm models start"),

      Real("train.epochs", EB_FIELD(train.epochs), 0, 10'000, "passes over the training data",
           "3 of the teacher, 30 of the student"),
      Whole("train.batch_tokens", EB_FIELD(train.batch_tokens), 8, 1'000'000,
            "tokens of a batch, padding included", "64 sentences of 128 tokens"),
      Real("train.learning_rate", EB_FIELD(train.learning_rate), 0, 1, "peak, of AdamW",
           "3e-5, on a pretrained encoder"),
      Real("train.warmup", EB_FIELD(train.warmup), 0, 1,
           "part of the run in which the learning rate rises; then it falls linearly to 0",
           "1000 steps"),
      Real("train.weight_decay", EB_FIELD(train.weight_decay), 0, 1, "of weight matrices"),
      Real("train.clip", EB_FIELD(train.clip), 1e-6, 1e6, "largest norm of the gradient"),
      Real("train.word_dropout", EB_FIELD(train.word_dropout), 0, 0.9,
           "part of the pieces that become unknown"),
      Real("train.dropout", EB_FIELD(train.dropout), 0, 0.9,
           "of the embeddings and of what each sub-layer adds", "0"),
      Real("train.label_smoothing", EB_FIELD(train.label_smoothing), 0, 0.9,
           "part of a label's weight that goes to all classes"),
      Text("train.depth", EB_FIELD(train.depth), "",
           "growth of the depth, LAYERS:UNTIL,..: '2:0.3,4:0.5' runs 2 layers in the first 0.3 of "
           "the run, 4 until 0.5, then all"),
      Switch("train.every_layer", EB_FIELD(train.every_layer),
             "every layer answers through the last off-ramp, and its loss counts as much as its "
             "number says: early layers become better"),
      Real(
          "train.average", EB_FIELD(train.average), 0, 1,
          "part of the weights of the start in those of the end, before the off-ramps are trained: "
          "at 0.5 the mean of model.init and what it became; spans do not take part"),
      Whole("train.seed", EB_FIELD(train.seed), 0, 2'000'000'000, "the same seed, the same model",
            "42"),

      Whole("span.ramp", EB_FIELD(span.ramp), 0, 512,
            "tokens R over which a learnt span fades; 0: no spans", "256"),
      Real("span.start", EB_FIELD(span.start), 0, 512, "initial span [tokens]"),
      Real("span.penalty", EB_FIELD(span.penalty), 0, 100,
           "loss for each token of the mean reach of the heads", "5e-6"),
      Real("span.learning_rate", EB_FIELD(span.learning_rate), 0, 10, "of the spans"),
      Real("span.end", EB_FIELD(span.end), 0, 1,
           "part of the run after which spans are fixed and short heads switched off"),
      Real("span.off_reach", EB_FIELD(span.off_reach), 0, 512,
           "heads that see fewer tokens than this are switched off at span.end"),
      Whole("span.least_off", EB_FIELD(span.least_off), 0, 63,
            "heads to switch off in any case, those of the shortest reach"),
      Text("span.off", EB_FIELD(span.off), "",
           "heads that are off from the start, counted from 1, separated by commas"),

      Text("prune.method", EB_FIELD(prune.method), "none|magnitude|movement|block",
           "of the encoder: by size of a weight, by learnt score (movement), or learnt scores of "
           "blocks as large as a weight tile",
           "magnitude for SST-2, movement for MNLI and QQP"),
      Real("prune.sparsity", EB_FIELD(prune.sparsity), 0, 0.99, "zeros in the encoder's matrices",
           "0.5"),
      Whole("prune.block", EB_FIELD(prune.block), 1, 64,
            "rows and columns of a block; the accelerator's vmac.n saves cycles"),
      Real("prune.begin", EB_FIELD(prune.begin), 0, 1,
           "part of the run before pruning begins; then sparsity grows, cubic, until prune.end"),
      Real("prune.end", EB_FIELD(prune.end), 0, 1, "part of the run after which masks are fixed"),
      Real("prune.learning_rate", EB_FIELD(prune.learning_rate), 0, 1, "of the scores", "1e-2"),
      Real("prune.embedding_sparsity", EB_FIELD(prune.embedding_sparsity), 0, 0.99,
           "zeros in the word embeddings, by magnitude", "0.6"),
      Switch("prune.keep_zeros", EB_FIELD(prune.keep_zeros),
             "weights that are zero in model.init stay zero"),

      Text("distil.teacher", EB_FIELD(distil.teacher), "",
           "checkpoint folder of a teacher with the same classes; empty: none",
           "fine-tuned ALBERT"),
      Text("distil.answers", EB_FIELD(distil.answers), "",
           "file of the answers of a teacher of any kind: a header of the classes in order, then "
           "for each training sentence its logits, separated by tabs; in place of distil.teacher"),
      Real("distil.alpha", EB_FIELD(distil.alpha), 0, 1,
           "weight of the teacher's answer; the label has the rest", "0.9"),
      Real("distil.temperature", EB_FIELD(distil.temperature), 0.1, 100,
           "both answers are divided by this", "2"),

      Whole("off_ramp.epochs", EB_FIELD(off_ramp.epochs), 0, 10'000,
            "passes that train the off-ramps, with the encoder frozen"),
      Real("off_ramp.learning_rate", EB_FIELD(off_ramp.learning_rate), 0, 1, "of the off-ramps"),
      Whole("off_ramp.sentences", EB_FIELD(off_ramp.sentences), 1, 100'000'000,
            "most sentences to train them on"),

      Real("exit.loss", EB_FIELD(exit.loss), 0, 100,
           "accuracy that early exit may cost [percentage points]: chooses the entropy threshold",
           "1"),

      Text("format.kind", EB_FIELD(format.kind), "adaptivfloat|minifloat|integer",
           "what format.aware rounds weights to; the accelerator takes AdaptivFloat only (<8,3> "
           "with another kind), the others are there to compare it with"),
      Whole("format.width", EB_FIELD(format.width), 4, 8, "bits of a code", "8"),
      Whole("format.exponent", EB_FIELD(format.exponent), 2, 5,
            "exponent bits of a code, of AdaptivFloat at most 4", "3"),
      Real("format.aware", EB_FIELD(format.aware), 0, 1,
           "part of the run after which weights are rounded to the format as they learn; 1: never. "
           "8 bits need it not, 4 do"),
      Switch("format.activations", EB_FIELD(format.activations),
             "round with the weights what they are multiplied with, and the operands of attention; "
             "the scale of each is by its largest value in a batch"),
      Whole("format.sentences", EB_FIELD(format.sentences), 1, 1'000'000,
            "training sentences that calibrate the activation biases"),

      Whole("save.seconds", EB_FIELD(save.seconds), 0, 3600,
            "between saves of the state, from which an interrupted run goes on"),
  };
  return table;
}

const Entry* Find(const std::string& key) {
  for (const Entry& entry : Table()) {
    if (key == entry.key) return &entry;
  }
  return nullptr;
}

std::string ValueText(const Field& field) {
  return std::visit([](const auto* value) { return fmt::format("{}", *value); }, field);
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

template <typename T>
bool ParseNumber(const std::string& text, T* number) {
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, *number);
  return status == std::errc() && stop == end;
}

std::string Legal(const Entry& entry, const Field& field) {
  if (std::holds_alternative<bool*>(field)) return "true or false";
  if (std::holds_alternative<std::string*>(field)) {
    return *entry.choices == '\0'
               ? "text"
               : fmt::format("one of {}", fmt::join(Split(entry.choices, '|'), ", "));
  }
  const char* const kind = std::holds_alternative<int*>(field) ? "a whole number" : "a number";
  return fmt::format("{} from {} to {}", kind, entry.low, entry.high);
}

bool Set(const Entry& entry, const std::string& text, const Field& field) {
  if (bool* const* flag = std::get_if<bool*>(&field)) {
    **flag = text == "true";
    return text == "true" || text == "false";
  }
  if (std::string* const* value = std::get_if<std::string*>(&field)) {
    **value = text;
    const std::vector<std::string> choices = Split(entry.choices, '|');
    return *entry.choices == '\0' ||
           std::find(choices.begin(), choices.end(), text) != choices.end();
  }
  const auto in_range = [&](double value) { return value >= entry.low && value <= entry.high; };
  if (int* const* number = std::get_if<int*>(&field)) {
    return ParseNumber(text, *number) && in_range(**number);
  }
  double* const number = std::get<double*>(field);
  return ParseNumber(text, number) && in_range(*number);
}

void SetFromText(const Entry& entry, const std::string& text, const SourceSpan& where,
                 Options* options, Error* error) {
  const Field field = entry.field(*options);
  if (!Set(entry, text, field)) {
    error->Add(where,
               fmt::format("'{}' must be {}, got '{}'", entry.key, Legal(entry, field), text),
               "train-value");
  }
}

void ReadText(const std::string& name, const std::string& text, Options* options, Error* error) {
  std::map<std::string, int> lines;
  ParseKeyValues(
      text, name, error, [&](const std::string& key, const std::string& value, int line) {
        const SourceSpan where{name, line, 0};
        const Entry* entry = Find(key);
        if (entry == nullptr) {
          error->Add(where, fmt::format("unknown key '{}'", key), "train-key");
          return;
        }
        const auto [first, is_new] = lines.emplace(key, line);
        if (!is_new) {
          error->Add(where, fmt::format("'{}' is already set in line {}", key, first->second),
                     "train-duplicate");
          return;
        }
        SetFromText(*entry, value, where, options, error);
      });
}

/// Rules between options.
void CheckRules(const Options& options, const std::string& where, Error* error) {
  const auto fail = [&](const std::string& message) {
    error->Add({.file = where}, message, "train-value");
  };
  if (options.model.hidden % options.model.heads != 0) {
    fail(fmt::format("'model.heads' must divide 'model.hidden', got {} and {}", options.model.heads,
                     options.model.hidden));
  }
  if (options.format.exponent > options.format.width - 2) {
    fail("'format.exponent' must leave a mantissa bit");
  }
  if (options.format.kind == "adaptivfloat" && options.format.exponent > 4) {
    fail("'format.exponent' must be at most 4 for AdaptivFloat");
  }
  if (options.prune.begin > options.prune.end) {
    fail("'prune.begin' must not be after 'prune.end'");
  }
  if (options.train.batch_tokens < options.model.positions) {
    fail("'train.batch_tokens' must hold a sentence of 'model.positions' tokens");
  }
  if (options.span.least_off >= options.model.heads) {
    fail("'span.least_off' must leave a head");
  }
  if (!options.distil.teacher.empty() && !options.distil.answers.empty()) {
    fail("'distil.teacher' and 'distil.answers' exclude each other");
  }
  const auto depth = ParseDepth(options.train.depth, options.model.layers);
  if (!depth.ok()) error->Append(depth.error().Placed({.file = where}));
}

}  // namespace

void AddOptions(po::options_description& options) {
  Options defaults;
  for (const Entry& entry : Table()) {
    const Field field = entry.field(defaults);
    std::string text = fmt::format("{}; {}; default: {}", entry.meaning, Legal(entry, field),
                                   ValueText(field).empty() ? "none" : ValueText(field));
    if (*entry.paper != '\0') text += fmt::format("; EdgeBERT: {}", entry.paper);
    options.add_options()(entry.key, po::value<std::string>()->value_name("V"), text.c_str());
  }
}

Result<Options> ReadOptions(const std::string& file, const po::variables_map& command_line) {
  Options options;
  Error error;
  if (!file.empty()) {
    EB_ASSIGN_OR_RETURN(const std::string text, checkpoint::ReadTextFile(file, "train-file"));
    ReadText(file, text, &options, &error);
  }
  for (const Entry& entry : Table()) {
    if (command_line.count(entry.key) == 0) continue;
    SetFromText(entry, command_line[entry.key].as<std::string>(), {.file = "command line"},
                &options, &error);
  }
  if (error.empty()) CheckRules(options, file.empty() ? "command line" : file, &error);
  if (!error.empty()) return error;
  return options;
}

Result<Options> ParseOptions(const std::string& name, const std::string& text) {
  Options options;
  Error error;
  ReadText(name, text, &options, &error);
  if (error.empty()) CheckRules(options, name, &error);
  if (!error.empty()) return error;
  return options;
}

std::string ToText(const Options& options) {
  Options copy = options;
  std::string text;
  std::string section;
  for (const Entry& entry : Table()) {
    const std::string key = entry.key;
    const size_t dot = key.find('.');
    if (key.substr(0, dot) != section) {
      section = key.substr(0, dot);
      text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", section);
    }
    text += fmt::format("{} = {}\n", key.substr(dot + 1), ValueText(entry.field(copy)));
  }
  return text;
}

Result<std::vector<int>> ParseHeads(const std::string& text, int heads) {
  std::vector<int> numbers;
  if (text.empty()) return numbers;
  for (const std::string& part : Split(text, ',')) {
    int number = 0;
    if (!ParseNumber(part, &number) || number < 1 || number > heads) {
      return Error({},
                   fmt::format("'span.off' must be numbers from 1 to {} of heads with a span, "
                               "separated by commas, got '{}'",
                               heads, text),
                   "train-value");
    }
    numbers.push_back(number);
  }
  return numbers;
}

Result<std::vector<DepthStep>> ParseDepth(const std::string& text, int layers) {
  std::vector<DepthStep> steps;
  if (text.empty()) return steps;
  for (const std::string& part : Split(text, ',')) {
    const size_t colon = part.find(':');
    DepthStep step;
    const double begin = steps.empty() ? 0 : steps.back().until;
    if (colon == part.npos || !ParseNumber(part.substr(0, colon), &step.layers) ||
        !ParseNumber(part.substr(colon + 1), &step.until) || step.layers < 1 ||
        step.layers > layers || !(step.until > begin) || step.until > 1) {
      return Error({},
                   fmt::format("'train.depth' must be LAYERS:UNTIL,.. with up to {} layers and "
                               "rising parts of the run up to 1, got '{}'",
                               layers, text),
                   "train-value");
    }
    steps.push_back(step);
  }
  return steps;
}

}  // namespace edgebert::train
