// What faulty ReRAM cells cost: accuracy of a model over seeded fault maps, by the golden machine
// at the scale of a data set, and some of the maps on the RTL. Prints tables and writes them, and
// the points of the plot. Or the same without and with the ECC of the configuration.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "cosim/program/session.h"
#include "golden/checkpoint/reram_faults.h"
#include "golden/model/machine.h"
#include "golden/model/reram.h"
#include "golden/spec/formats.h"
#include "tests/bench/page.h"
#include "tests/bench/value.h"

namespace edgebert::cosim {
namespace {

constexpr double kRates[] = {1e-5, 1e-4, 1e-3, 1e-2, 3e-2};

/// Parts of the image with faults, and the bits of their cells.
struct Case {
  std::string name;
  int index_bits = 0;
  int mask_bits = 0;
  int code_bits = 0;
};

Options Parse(std::vector<std::string> arguments) {
  std::vector<const char*> words = {"edgebert-cosim"};
  for (const std::string& argument : arguments) words.push_back(argument.c_str());
  return *Value(Options::Parse(static_cast<int>(words.size()), words.data()));
}

/// The golden machine over the sentences, under one fault map after another. A sentence whose rows
/// read as without faults has the answer that it has without faults, and is not run again.
class FaultStudy {
 public:
  FaultStudy(const Workload& workload, size_t sentences)
      : workload_(workload), image_(workload.image), machine_(workload.config, image_) {
    const size_t step = std::max<size_t>(1, workload.sentences.size() / sentences);
    for (size_t i = 0; i < workload.sentences.size() && sentences_.size() < sentences; i += step) {
      sentences_.push_back(&workload.sentences[i]);
    }
    for (const spec::Instruction& instruction : image_.program) {
      if (instruction.Get(spec::kOpcode) == static_cast<int64_t>(spec::Opcode::kEmbed)) {
        embed_ = &instruction;
      }
    }
    layout_ = {.word_bits = workload.config.reram.word_bits,
               .code_bits = workload.config.format.width,
               .elements = embed_->GetInt(spec::kEmbedVectors) * workload.config.vmac.n,
               .mask_base = static_cast<uint32_t>(embed_->Get(spec::kEmbedMaskBase)),
               .check_bits = image_.format.reram_check_bits};
    const size_t rows =
        static_cast<size_t>(image_.facts.vocabulary + image_.facts.max_tokens + image_.facts.types);
    used_.resize(rows);
    for (const Sentence* sentence : sentences_) {
      for (const uint32_t row : Rows(*sentence)) used_[row] = 1;
    }
    sound_rows_ = ReadRows();
    for (const Sentence* sentence : sentences_) sound_.push_back(RunSentence(*sentence));
  }

  [[nodiscard]] size_t sentences() const { return sentences_.size(); }
  [[nodiscard]] double Sound() const { return Mean(sound_, kRight); }

  /// Shares of the sentences.
  struct Shares {
    double right;
    double unanswered;  ///< a word could not be corrected
  };
  Shares Run(const checkpoint::ReramFaults& faults) {
    image_.reram = workload_.image.reram;
    checkpoint::InjectFaults(faults, &image_);
    const std::vector<std::vector<uint8_t>> rows = ReadRows();
    std::vector<Score> scores;
    for (size_t i = 0; i < sentences_.size(); ++i) {
      const bool same = std::ranges::all_of(
          Rows(*sentences_[i]), [&](uint32_t row) { return rows[row] == sound_rows_[row]; });
      scores.push_back(same ? sound_[i] : RunSentence(*sentences_[i]));
    }
    return {Mean(scores, kRight), Mean(scores, kUnanswered)};
  }

 private:
  enum Score : uint8_t { kWrong, kRight, kUnanswered };

  [[nodiscard]] std::vector<uint32_t> Rows(const Sentence& sentence) const {
    std::vector<uint32_t> rows;
    for (size_t i = 0; i < sentence.tokens.size(); ++i) {
      const uint32_t token = sentence.tokens[i];
      rows.push_back(token & ((1U << spec::kTokenTypeBit) - 1));
      rows.push_back(static_cast<uint32_t>(embed_->Get(spec::kEmbedPositionRow)) +
                     static_cast<uint32_t>(i));
      rows.push_back(static_cast<uint32_t>(embed_->Get(spec::kEmbedTypeRow)) +
                     (token >> spec::kTokenTypeBit));
    }
    return rows;
  }
  /// Of the rows in use; nothing of one with a word that cannot be corrected.
  [[nodiscard]] std::vector<std::vector<uint8_t>> ReadRows() const {
    std::vector<std::vector<uint8_t>> rows(used_.size());
    for (size_t row = 0; row < rows.size(); ++row) {
      if (used_[row] != 0) {
        model::ReramRow read =
            model::ReadReramRow(image_.reram, layout_, static_cast<uint32_t>(row));
        if (!read.uncorrectable) rows[row] = std::move(read.codes);
      }
    }
    return rows;
  }
  Score RunSentence(const Sentence& sentence) {
    const model::SentenceResult result =
        machine_.Run(sentence.tokens, workload_.threshold_register);
    if (result.error == spec::ErrorCode::kReramWord) return kUnanswered;
    EB_CHECK(result.error == spec::ErrorCode::kNone && sentence.label, "sentence {}",
             sentence.number);
    return result.prediction == *sentence.label ? kRight : kWrong;
  }
  [[nodiscard]] static double Mean(const std::vector<Score>& scores, Score score) {
    return static_cast<double>(std::ranges::count(scores, score)) /
           static_cast<double>(scores.size());
  }

  const Workload& workload_;
  model::Image image_;  ///< with the faults of the map
  model::Machine machine_;
  const spec::Instruction* embed_ = nullptr;
  model::ReramLayout layout_;
  std::vector<const Sentence*> sentences_;
  std::vector<uint8_t> used_;  ///< of each row: whether a sentence reads it
  std::vector<std::vector<uint8_t>> sound_rows_;
  std::vector<Score> sound_;
};

/// Mean and worst accuracy of the maps of a case at a rate, in %, as a row of the points has them.
std::string MeasureCase(FaultStudy& study, const Case& test, double rate, int maps) {
  double mean = 0;
  double worst = 1;
  for (int map = 1; map <= maps; ++map) {
    const double accuracy = study
                                .Run({.rate = rate,
                                      .seed = static_cast<uint64_t>(map),
                                      .index_bits = test.index_bits,
                                      .mask_bits = test.mask_bits,
                                      .code_bits = test.code_bits})
                                .right;
    mean += accuracy / maps;
    worst = std::min(worst, accuracy);
  }
  return fmt::format("{:.1f}\t{:.1f}", 100 * mean, 100 * worst);
}

/// `points` has a line a case and rate: name, rate, mean, worst. What a run that was stopped has
/// left in it is not measured again.
void Study(Page& page, const std::string& points, FaultStudy& study, int maps) {
  const std::vector<Case> cases = {
      {.name = "all, codes in 2 bits a cell", .index_bits = 1, .mask_bits = 1, .code_bits = 2},
      {.name = "index entries, 1 bit a cell", .index_bits = 1},
      {.name = "masks, 1 bit a cell", .mask_bits = 1},
      {.name = "codes, 1 bit a cell (SLC)", .code_bits = 1},
      {.name = "codes, 2 bits a cell (MLC)", .code_bits = 2},
      {.name = "codes, 3 bits a cell (MLC)", .code_bits = 3},
  };
  std::map<std::string, std::string> measured;
  std::ifstream before(points);
  for (std::string line; std::getline(before, line);) {
    const size_t rate = line.find('\t');
    const size_t accuracy = line.find('\t', rate + 1);
    if (accuracy != line.npos) measured[line.substr(0, accuracy)] = line.substr(accuracy + 1);
  }
  std::string head = "| faulty part |";
  std::string rule = "|---|";
  for (const double rate : kRates) {
    head += fmt::format(" {:g} |", rate);
    rule += "---|";
  }
  page.Line(
      fmt::format("## Accuracy\n\nIn %, mean and (worst) of {} maps, by the rate of faulty cells. "
                  "Without faults: {:.1f}.\n",
                  maps, 100 * study.Sound()));
  page.Line(head + "\n" + rule);
  for (const Case& test : cases) {
    std::string row = fmt::format("| {} |", test.name);
    for (const double rate : kRates) {
      const std::string key = fmt::format("{}\t{:g}", test.name, rate);
      if (!measured.contains(key)) {
        measured[key] = MeasureCase(study, test, rate, maps);
        std::ofstream(points, std::ios::app) << key << "\t" << measured[key] << std::endl;
      }
      std::string accuracy = measured[key];
      row += " " + accuracy.replace(accuracy.find('\t'), 1, " (") + ") |";
    }
    page.Line(row);
  }
  page.Line(
      "\nThe losses compare the same sentences; an accuracy of so few has a standard error of some "
      "points. One wrong\nindex entry of a position, or of the token types, changes every sentence "
      "that reads that row: hence the worst maps\nat low rates. At one rate codes lose less in "
      "more "
      "bits a cell: the cells are fewer, and each still has one wrong\nbit; but such cells are "
      "faulty more often.");
}

void OnRtl(Page& page, const std::vector<std::string>& arguments) {
  page.Line(
      "\n## On the RTL\n\nThe same maps, all parts, as `edgebert-cosim --reram-faults RATE "
      "--fault-map N --reram.bits_per_cell B` makes\nthem: four sentences each, every write-back "
      "compared with the golden machine.\n");
  page.Line(
      "| rate | map | bits a cell of the codes | write-backs | bit-exact | cycles as predicted |");
  page.Line("|---|---|---|---|---|---|");
  std::vector<std::string> words = arguments;
  words.insert(words.end(), {"--limit", "4"});
  const Options options = Parse(words);
  const Workload sound = Value(PrepareWorkload(options));
  for (const auto& [rate, map, cell_bits] : {std::tuple{1e-4, 1, 2},
                                             {1e-3, 2, 2},
                                             {1e-3, 3, 3},
                                             {1e-2, 4, 1},
                                             {1e-2, 5, 2},
                                             {3e-2, 6, 3}}) {
    Workload workload = sound;
    checkpoint::InjectFaults(
        {.rate = rate, .seed = static_cast<uint64_t>(map), .code_bits = cell_bits},
        &workload.image);
    Session session(options, workload, EmitVerilog(workload.config), {}, {});
    Value(session.Build());
    uint64_t compared = 0;
    bool exact = true;
    bool predicted = true;
    for (size_t i = 0; i < workload.sentences.size(); ++i) {
      const SentenceOutcome outcome = session.Run(i);
      compared += outcome.compared;
      exact = exact && !outcome.divergence;
      predicted = predicted && outcome.predicted &&
                  outcome.predicted->cycles == outcome.hardware.Counter("CYCLES");
    }
    page.Line(fmt::format("| {:g} | {} | {} | {} | {} | {} |", rate, map, cell_bits, compared,
                          exact ? "yes" : "NO", predicted ? "yes" : "NO"));
  }
}

/// Writes the page that compares no ECC with SECDED, in words of every width.
void WithEcc(const std::string& page_file, const std::vector<std::string>& arguments,
             size_t sentences, int maps) {
  Page page;
  page.Line(
      "# ECC of the ReRAM\n\nMeasured by `scripts/bench.sh DATA.tsv ecc`, as the page on "
      "[faulty cells](reram_faults.md): every cell that the image uses, check\nbits too, is faulty "
      "with the same probability; codes have 2 bits a cell. A sentence that reads a word with two "
      "wrong bits\nends with an error: it has no answer.\n");
  bool is_first = true;
  for (const char* word_bits : {"64", "32", "128"}) {
    for (const char* ecc : {"none", "secded"}) {
      const bool secded = std::string(ecc) == "secded";
      if (!secded && !is_first) continue;  // without ECC the width of words does not matter
      std::vector<std::string> words = arguments;
      words.insert(words.end(), {"--reram.word_bits", word_bits, "--reram.ecc", ecc});
      const Workload workload = Value(PrepareWorkload(Parse(words)));
      FaultStudy study(workload, sentences);
      if (is_first) {
        page.Line(fmt::format(
            "{} on {} of the {} sentences, exit below {} nats; {} maps a rate. In %, means of "
            "the maps: right answers, (the same of the\nworst map), and sentences without an "
            "answer. Without faults {:.1f} are right.\n",
            workload.image.facts.name, study.sentences(), workload.sentences.size(),
            workload.threshold, maps, 100 * study.Sound()));
        std::string head = "| ECC | image [KiB] |";
        std::string rule = "|---|---:|";
        for (const double rate : kRates) {
          head += fmt::format(" {:g} |", rate);
          rule += "---|";
        }
        page.Line(head + "\n" + rule);
        is_first = false;
      }
      const model::ReramImage& reram = workload.image.reram;
      const double bits = workload.config.reram.word_bits;
      const double stored = bits + workload.image.format.reram_check_bits;
      const double bytes = static_cast<double>(reram.slc.size() + reram.mlc.size());
      // Words are padded to whole bytes in the image alone.
      std::string row = fmt::format("| {} | {:.0f} |",
                                    secded ? fmt::format("({:.0f},{})", stored, word_bits) : "none",
                                    bytes / std::ceil(stored / 8) * stored / 8 / 1024);
      for (const double rate : kRates) {
        double right = 0;
        double unanswered = 0;
        double worst = 1;
        for (int map = 1; map <= maps; ++map) {
          const FaultStudy::Shares shares =
              study.Run({.rate = rate, .seed = static_cast<uint64_t>(map)});
          right += shares.right / maps;
          unanswered += shares.unanswered / maps;
          worst = std::min(worst, shares.right);
        }
        row +=
            fmt::format(" {:.1f} ({:.1f}), {:.1f} |", 100 * right, 100 * worst, 100 * unanswered);
      }
      page.Line(row);
    }
  }
  page.Line(
      "\nOf faults, every word with one wrong bit is put right. A sentence reads hundreds of "
      "words: "
      "where many of those have two, most\nsentences end with an error, which is worse than what "
      "the model makes of the faults without ECC, but not silent.");
  std::ofstream(page_file) << page.text();
}

int Main(int argc, const char* const* argv) {
  if (argc != 7 && argc != 8) {
    fmt::print(stderr,
               "usage: {} CONFIG MODEL DATA.tsv SENTENCES MAPS PAGE.md [POINTS.tsv]\n"
               "without POINTS the page compares no ECC with SECDED\n",
               argv[0]);
    return 2;
  }
  const std::string data = argv[3];
  const std::vector<std::string> arguments = {"--config", argv[1],  "--model",
                                              argv[2],    "--data", data};
  if (argc == 7) {
    WithEcc(argv[6], arguments, std::stoul(argv[4]), std::stoi(argv[5]));
    return 0;
  }
  const Workload workload = Value(PrepareWorkload(Parse(arguments)));
  FaultStudy study(workload, std::stoul(argv[4]));
  const model::ReramImage& reram = workload.image.reram;
  Page page;
  page.Line(fmt::format(
      "# Faulty ReRAM cells\n\nMeasured by `scripts/bench.sh DATA.tsv faults`: {} on {} of the {} "
      "sentences of {}, evenly spread, exit below\n{} nats, every answer by the bit-exact golden "
      "machine.\n\nA faulty cell always reads as a neighbour of its level, up or down alike; "
      "levels "
      "are Gray-coded, so one bit is\nwrong. Every cell that the image uses ({} bytes of index and "
      "masks, {} of codes) is faulty with the same\nprobability. There is no ECC here ([with "
      "it](reram_ecc.md)): the "
      "rows \"codes\" are what a perfect\nprotection of index and masks would leave.\n",
      workload.image.facts.name, study.sentences(), workload.sentences.size(),
      data.substr(data.rfind('/') + 1), workload.threshold, reram.slc.size(), reram.mlc.size()));
  Study(page, argv[7], study, std::stoi(argv[5]));
  OnRtl(page, arguments);
  std::ofstream(argv[6]) << page.text();
  return 0;
}

}  // namespace
}  // namespace edgebert::cosim

int main(int argc, char** argv) { return edgebert::cosim::Main(argc, argv); }
