// edgebert-train: data to a checkpoint.
//
// Exit status: 0 done, 2 bad input or output, 3 a loss that is no number.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <csignal>
#include <iostream>
#include <string>

#include "golden/train/options.h"
#include "golden/train/trainer.h"

namespace edgebert::train {
namespace {

/// On a terminal, passing lines share one.
class Speaker {
 public:
  ~Speaker() { EndLine(); }
  void Say(const std::string& line, bool passing) {
    if (!terminal_ || !passing) {
      EndLine();
      fmt::print("{}\n", line);
    } else {
      fmt::print("\r{}\x1b[K", line);
      open_ = true;
    }
    std::fflush(stdout);
  }

 private:
  void EndLine() {
    if (open_) fmt::print("\n");
    open_ = false;
  }
  bool terminal_ = isatty(STDOUT_FILENO) != 0;
  bool open_ = false;
};

int Main(int argc, const char* const* argv) {
  namespace po = boost::program_options;
  std::string config;
  Run run;
  po::options_description options("edgebert-train --config FILE.cfg --out DIR [--section.key V ..]",
                                  100, 40);
  options.add_options()("help", "print this text")("config", po::value(&config)->value_name("FILE"),
                                                   "options, as [section] and key = value")(
      "out", po::value(&run.out)->value_name("DIR")->required(),
      "folder for the checkpoint; a run that was interrupted there goes on")(
      "restart", po::bool_switch(&run.restart), "begin anew where a run was interrupted");
  po::options_description table(
      "Options of the run, over those of --config. 'EdgeBERT' is what its "
      "published code used for SST-2",
      100, 40);
  AddOptions(table);
  options.add(table);
  const auto fail = [](const Error& error) {
    fmt::print(stderr, "{}\n", error.Format());
    return error.diagnostics().front().rule == "train-loss" ? 3 : 2;
  };
  po::variables_map values;
  try {
    po::store(po::command_line_parser(argc, argv).options(options).positional({}).run(), values);
    if (values.contains("help")) {
      std::cout << options;
      return 0;
    }
    po::notify(values);
  } catch (const po::error& error) {
    return fail(Error({.file = "command line"}, error.what(), "train-value"));
  }
  Result<Options> read = ReadOptions(config, values);
  if (!read.ok()) return fail(read.error());
  run.options = std::move(read).value();
  Speaker speaker;
  run.say = [&](const std::string& line, bool passing) { speaker.Say(line, passing); };
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of its write
  const Status status = Train(run);
  return status.ok() ? 0 : fail(status.error());
}

}  // namespace
}  // namespace edgebert::train

int main(int argc, char** argv) { return edgebert::train::Main(argc, argv); }
