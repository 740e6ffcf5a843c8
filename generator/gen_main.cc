// edgebert-gen: makes the accelerator of a configuration.
//
// Exit status: 0 done, 2 bad input, 3 the output cannot be written.
#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "generator/emit_all.h"
#include "golden/base/result.h"
#include "golden/spec/config.h"

namespace edgebert {
namespace {

namespace po = boost::program_options;

constexpr int kBadInput = 2;
constexpr int kNotWritten = 3;
constexpr unsigned kHelpColumns = 100;

struct Arguments {
  std::string config;
  std::string out;
  std::string name;
  po::variables_map values;
};

Status Parse(int argc, char** argv, const po::options_description& options, Arguments* arguments) {
  const SourceSpan command_line{"command line", 0, 0};
  try {
    po::store(
        po::command_line_parser(argc, argv)
            .options(options)
            .positional({})
            .style(po::command_line_style::default_style & ~po::command_line_style::allow_guessing)
            .run(),
        arguments->values);
    po::notify(arguments->values);
  } catch (const po::error& error) {
    return Error(command_line, error.what(), "option");
  }
  if (arguments->values.count("help") != 0) return Ok();
  Error error;
  if (arguments->config.empty()) error.Add(command_line, "'--config' is missing", "option");
  if (arguments->out.empty()) error.Add(command_line, "'--out' is missing", "option");
  const bool plain = std::ranges::all_of(arguments->name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  });
  if (!plain || arguments->name == "common" || arguments->name == "waves") {
    error.Add(command_line,
              "'--name' must be of letters, digits, '_' and '-', and not 'common' or 'waves'",
              "option");
  }
  if (!error.empty()) return error;
  return Ok();
}

/// The folder of the configuration: that of its file, or `config` when options changed it.
std::string Name(const Arguments& arguments, const spec::AcceleratorConfig& file,
                 const spec::AcceleratorConfig& config) {
  if (!arguments.name.empty()) return arguments.name;
  if (spec::ToConfigText(file) != spec::ToConfigText(config)) return "config";
  return std::filesystem::path(arguments.config).stem().string();
}

int Fail(const Error& error, int status) {
  std::cerr << error.Format() << '\n';
  return status;
}

int Run(int argc, char** argv) {
  Arguments arguments;
  po::options_description general("edgebert-gen --config FILE --out DIR [--section.key V ...]",
                                  kHelpColumns);
  general.add_options()("help,h", "this text")(
      "config", po::value(&arguments.config)->value_name("FILE"), "configuration, a .cfg file")(
      "out", po::value(&arguments.out)->value_name("DIR"),
      "directory to write: common/ and a folder of the configuration")(
      "name", po::value(&arguments.name)->value_name("NAME"),
      "name of that folder; default: the name of the file, or 'config' when options change it");
  po::options_description keys("Keys of the configuration, over those of the file", kHelpColumns);
  spec::AddConfigOptions(keys);
  po::options_description options("", kHelpColumns);
  options.add(general).add(keys);

  const Status parsed = Parse(argc, argv, options, &arguments);
  if (!parsed.ok()) return Fail(parsed.error(), kBadInput);
  if (arguments.values.count("help") != 0) {
    std::cout << options;
    return 0;
  }
  const Result<spec::AcceleratorConfig> file = spec::LoadConfig(arguments.config);
  if (!file.ok()) return Fail(file.error(), kBadInput);
  const Result<spec::AcceleratorConfig> config = spec::ApplyConfigOptions(*file, arguments.values);
  if (!config.ok()) return Fail(config.error(), kBadInput);

  const std::string name = Name(arguments, *file, *config);
  const gen::FileSet files = gen::EmitAll(*config, name);
  const Status written = files.WriteTo(arguments.out);
  if (!written.ok()) return Fail(written.error(), kNotWritten);
  fmt::print("{}: {} files, configuration {:08x}\n",
             (std::filesystem::path(arguments.out) / name).string(), files.files().size(),
             spec::ConfigHash(*config));
  return 0;
}

}  // namespace
}  // namespace edgebert

int main(int argc, char** argv) { return edgebert::Run(argc, argv); }
