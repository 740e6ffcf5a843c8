// memories.csv against the memories that Verilator finds in the elaborated design.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <tuple>

#include "generator/emit_all.h"
#include "generator/handoff/memory_list.h"
#include "tests/emit/presets.h"
#include "tests/support/tool_runner.h"

namespace edgebert {
namespace {

namespace fs = std::filesystem;

using Instance = std::tuple<std::string, int, int, int>;  // path, words, word bits, write enables

int Literal(const std::string& text) {
  const size_t hex = text.find('h');
  return std::stoi(text.substr(hex + 1), nullptr, 16);
}

/// Every instance of a memory wrapper below eb_top. Verilator leaves generate scopes out of paths.
std::multiset<Instance> Elaborated(const std::string& xml) {
  std::map<std::string, std::map<std::string, int>> parameters;  // specialised module -> values
  const std::regex module(R"re(<module [^>]*name="(\w+)"[^>]*origName="eb_sram_1r1w")re");
  const std::regex parameter(
      R"re(origName="(\w+)" param="true">\s*<const [^>]*name="32&apos;(s?h[0-9a-f]+)")re");
  for (std::sregex_iterator m(xml.begin(), xml.end(), module), end; m != end; ++m) {
    const auto from = xml.begin() + m->position();
    const std::string body(from,
                           xml.begin() + static_cast<long>(xml.find("</module>", m->position())));
    for (std::sregex_iterator p(body.begin(), body.end(), parameter); p != end; ++p) {
      parameters[(*m)[1]][(*p)[1]] = Literal((*p)[2]);
    }
  }
  std::multiset<Instance> instances;
  const std::regex cell(R"re(<cell [^>]*submodname="(\w+)" hier="eb_top\.([^"]+)")re");
  for (std::sregex_iterator c(xml.begin(), xml.end(), cell), end; c != end; ++c) {
    const auto found = parameters.find((*c)[1]);
    if (found == parameters.end()) continue;
    auto& values = found->second;
    instances.insert(
        {(*c)[2], values["Depth"], values["Lanes"] * values["LaneW"], values["Lanes"]});
  }
  return instances;
}

TEST(MemoryList, NamesEveryMemoryOfTheDesign) {
  const fs::path folder = fs::path(testing::TempDir()) / "edgebert_memory_list";
  for (const test::Preset& preset : test::Presets()) {
    fs::remove_all(folder);
    ASSERT_TRUE(gen::EmitAll(preset.config, preset.name).WriteTo(folder.string()).ok());
    const fs::path place = folder / preset.name;
    const auto run = test::RunTool({"verilator", "--xml-only", "--xml-output", "eb_top.xml",
                                    "--Mdir", "obj", "-F", "verilator.f"},
                                   place.string(), 300);
    ASSERT_TRUE(run.ok()) << run.output;

    std::multiset<Instance> listed;
    const std::regex scope(R"(g_\w+\[\d+\]\.)");
    for (const gen::MemoryInstance& memory : gen::MemoryList(preset.config)) {
      if (memory.wrapper != "eb_sram_1r1w") continue;
      listed.insert({std::regex_replace(memory.path, scope, ""), memory.words, memory.word_bits,
                     memory.write_enables});
    }
    const std::multiset<Instance> found = Elaborated(test::ReadFile(place / "eb_top.xml"));
    EXPECT_GT(found.size(), 10U);
    EXPECT_EQ(listed, found) << preset.name;
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace edgebert
