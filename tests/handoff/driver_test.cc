// The C driver of the bundle runs sentences on eb_top through its registers alone, and every field
// of the register description is read and written on the same design.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cosim/axi/axi_lite_master.h"
#include "cosim/axi/axi_memory.h"
#include "cosim/system/accelerator.h"
#include "golden/checkpoint/calibration.h"
#include "golden/checkpoint/image_builder.h"
#include "golden/checkpoint/quantizer.h"
#include "golden/checkpoint/random_checkpoint.h"
#include "golden/model/machine.h"
#include "tests/emit/presets.h"
#include "tests/handoff/ipxact_reader.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tool_runner.h"

extern "C" {
#include "rtl/tiny/integration/eb_driver.h"
}

namespace edgebert {
namespace {

constexpr uint32_t kPolls = 1'000'000;
constexpr uint64_t kProgram = 0x1'0000, kTokens = 0x10'0000, kResults = 0x11'0000;
constexpr uint64_t kWeights = 0x20'0000;
constexpr double kStalls = 0.2;

/// The bundle of `tiny`, with its driver compiled by a C compiler and loaded.
class Software {
 public:
  Software() {
    const auto run = [this](const std::vector<std::string>& command) {
      const test::ToolResult result = test::RunTool(command, folder_.path());
      EB_CHECK(result.ok(), "{}", result.output);
    };
    run({EDGEBERT_GEN, "--config", (test::SourceRoot() / "generator/configs/tiny.cfg").string(),
         "--out", "bundle"});
    run({"gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC", "-o",
         "eb_driver.so", "bundle/tiny/integration/eb_driver.c"});
    library_ = dlopen(folder_.File("eb_driver.so").c_str(), RTLD_NOW);
    EB_CHECK(library_ != nullptr, "{}", dlerror());
    load = reinterpret_cast<decltype(load)>(dlsym(library_, "eb_load"));
    run_sentence = reinterpret_cast<decltype(run_sentence)>(dlsym(library_, "eb_run"));
    logit = reinterpret_cast<decltype(logit)>(dlsym(library_, "eb_logit"));
    defines = test::ReadDefines(test::ReadFile(folder_.path() / "bundle/tiny/eb_registers.h"));
    registers = test::ReadIpXact(test::ReadFile(folder_.path() / "bundle/tiny/eb_top.ipxact.xml"));
  }
  Software(const Software&) = delete;
  Software& operator=(const Software&) = delete;
  ~Software() { dlclose(library_); }

  decltype(&eb_load) load = nullptr;
  decltype(&eb_run) run_sentence = nullptr;
  decltype(&eb_logit) logit = nullptr;
  std::map<std::string, uint32_t> defines;
  std::map<std::string, test::IpXactRegister> registers;

 private:
  TemporaryFolder folder_;
  void* library_ = nullptr;
};

/// eb_top in reset's wake, a random model in its ReRAM, and a host at its registers.
class Driver : public testing::Test {
 public:
  Driver() {
    const auto config =
        spec::LoadConfig((test::SourceRoot() / "generator/configs/tiny.cfg").string());
    EB_CHECK(config.ok(), "{}", config.error().Format());
    config_ = *config;
    constexpr uint64_t kSeed = 11;
    const auto model = checkpoint::RandomModelConfig(config_, kSeed);
    const auto weights = checkpoint::RandomModelWeights(model, config_.vmac.n, kSeed);
    const auto tokens = checkpoint::RandomSentences(model, config_.model.seq_len, 3, kSeed);
    const auto biases =
        checkpoint::Calibrate({model, weights}, tokens, checkpoint::FormatOf(config_));
    auto image = checkpoint::BuildImage(model, weights, biases, config_, {.name = "random"});
    EB_CHECK(image.ok(), "{}", image.error().Format());
    image_ = *std::move(image);
    for (const auto& sentence : tokens) sentences_.push_back(checkpoint::TokenWords(sentence));

    auto built = cosim::Accelerator::Build(config_, cosim::EmitVerilog(config_),
                                           {.optimize = cosim::Optimize::kQuick});
    EB_CHECK(built.ok(), "{}", built.error().Format());
    accelerator_ = std::move(built).value();
    // For the ReRAM, which keeps its cells in the reset that follows.
    EB_CHECK(accelerator_->Load(image_, 1).ok(), "the image does not load");
    cosim::Dut& dut = accelerator_->dut();
    memory_ = std::make_unique<cosim::AxiMemory>(
        cosim::AxiPorts::Bind(dut), cosim::AxiMemoryOptions{.stalls = kStalls, .latency = 5});
    host_ = std::make_unique<cosim::AxiLiteMaster>(cosim::AxiLitePorts::Bind(dut),
                                                   cosim::AxiLiteOptions{.stalls = kStalls});
    bench_ = std::make_unique<cosim::Bench>(dut);
    bench_->Add(*memory_);
    bench_->Add(*host_);
    memory_->Reset();
    host_->Reset();
    dut.Reset(4);

    for (const spec::Instruction& instruction : image_.program) {
      for (const uint32_t word : instruction.words) Append(&program_, word);
    }
    tokens_.resize(4 * static_cast<size_t>(config_.model.seq_len) + 64);
    results_.resize(4096);
    memory_->AddReadOnlyRegion(kProgram, program_);
    memory_->AddReadOnlyRegion(kTokens, tokens_);
    memory_->AddRegion(kResults, results_);
    memory_->AddReadOnlyRegion(kWeights, image_.weights);
    bus_ = {this,
            [](void* self, uint32_t offset) { return static_cast<Driver*>(self)->Read(offset); },
            [](void* self, uint32_t offset, uint32_t value) {
              static_cast<Driver*>(self)->Write(offset, value);
            }};
  }

  static void Append(std::vector<uint8_t>* bytes, uint32_t word) {
    for (int b = 0; b < 4; ++b) bytes->push_back(static_cast<uint8_t>(word >> (8 * b)));
  }
  uint32_t Read(uint32_t offset) {
    const cosim::AxiLiteReply reply = host_->Read(*bench_, offset);
    EXPECT_TRUE(reply.Okay()) << std::hex << offset;
    return reply.data;
  }
  /// Whether it was accepted.
  bool Write(uint32_t offset, uint32_t value) {
    const cosim::AxiLiteReply reply = host_->Write(*bench_, offset, value);
    EXPECT_TRUE(reply.finished) << std::hex << offset;
    return reply.Okay();
  }
  [[nodiscard]] eb_image Image() const {
    return {.program = kProgram,
            .weights = kWeights,
            .instructions = static_cast<uint32_t>(image_.program.size()),
            .resident_bytes = 0};
  }
  eb_sentence Sentence(const std::vector<uint32_t>& words, uint32_t threshold) {
    std::vector<uint8_t> bytes;
    for (const uint32_t word : words) Append(&bytes, word);
    std::ranges::copy(bytes, tokens_.begin());
    return {.tokens = kTokens,
            .results = kResults,
            .length = static_cast<uint32_t>(words.size()),
            .threshold = threshold};
  }

  Software software_;
  spec::AcceleratorConfig config_;
  model::Image image_;
  std::vector<std::vector<uint32_t>> sentences_;
  std::unique_ptr<cosim::Accelerator> accelerator_;
  std::unique_ptr<cosim::AxiMemory> memory_;
  std::unique_ptr<cosim::AxiLiteMaster> host_;
  std::unique_ptr<cosim::Bench> bench_;
  std::vector<uint8_t> program_, tokens_, results_;
  eb_bus bus_{};
};

TEST_F(Driver, RunsSentences) {
  const eb_image image = Image();
  ASSERT_EQ(software_.load(&bus_, &image, kPolls), EB_DRIVER_OK);
  model::Machine machine(config_, image_);
  std::set<int> exits;
  for (const std::vector<uint32_t>& tokens : sentences_) {
    // At full depth, and leaving after the first layer.
    for (const uint32_t threshold : {0U, 0xffffffffU}) {
      const model::SentenceResult golden = machine.Run(tokens, threshold);
      const eb_sentence sentence = Sentence(tokens, threshold);
      eb_result result{};
      ASSERT_EQ(software_.run_sentence(&bus_, &sentence, kPolls, &result), EB_DRIVER_OK);
      EXPECT_EQ(static_cast<int>(result.exit_layer), golden.exit_layer);
      EXPECT_EQ(static_cast<int>(result.prediction), golden.prediction);
      EXPECT_EQ(result.entropy, golden.entropies.back());
      EXPECT_GT(result.cycles, golden.counts.mac_rows);
      for (size_t c = 0; c < golden.logits.size(); ++c) {
        EXPECT_EQ(software_.logit(&bus_, static_cast<uint32_t>(c)), golden.logits[c]) << c;
      }
      exits.insert(golden.exit_layer);
    }
  }
  EXPECT_EQ(exits, (std::set<int>{1, image_.facts.layers}));
}

TEST_F(Driver, SaysWhatFailed) {
  eb_image image = Image();
  const eb_sentence sentence = Sentence(sentences_[0], 0);
  eb_result result{};
  const auto code = [this](const char* name) {
    return static_cast<int>(software_.defines.at(name));
  };
  EXPECT_EQ(software_.run_sentence(&bus_, &sentence, kPolls, &result), code("ERROR_NO_PROGRAM"));
  image.instructions = 0;
  EXPECT_EQ(software_.load(&bus_, &image, kPolls), code("ERROR_PROGRAM_LENGTH"));
  image = Image();
  EXPECT_EQ(software_.load(&bus_, &image, 0), EB_DRIVER_TIMEOUT);
  for (int i = 0; i < 2000; ++i) bench_->Cycle();
  ASSERT_EQ(software_.load(&bus_, &image, kPolls), EB_DRIVER_OK) << "after the abort";
  eb_sentence empty = sentence;
  empty.length = 0;
  EXPECT_EQ(software_.run_sentence(&bus_, &empty, kPolls, &result), code("ERROR_LENGTH"));
  EXPECT_EQ(software_.run_sentence(&bus_, &sentence, kPolls, &result), EB_DRIVER_OK);

  eb_bus other = bus_;
  other.read = [](void* self, uint32_t offset) {
    return static_cast<Driver*>(self)->Read(offset) ^ 1;
  };
  EXPECT_EQ(software_.load(&other, &image, kPolls), EB_DRIVER_NOT_OURS);
}

TEST_F(Driver, EveryFieldIsAsDescribed) {
  std::set<uint32_t> mapped;
  for (const auto& [name, entry] : software_.registers) {
    for (uint32_t i = 0; i < entry.count; ++i) {
      const uint32_t offset = entry.offset + 4 * i;
      mapped.insert(offset);
      const uint32_t before = Read(offset);
      for (const test::IpXactField& field : entry.fields) {
        if (field.reset) {
          EXPECT_EQ((before & field.Mask()) >> field.offset, *field.reset) << name << field.name;
        }
      }
      if (entry.access == "read-only") {
        EXPECT_FALSE(Write(offset, ~before)) << name;
        EXPECT_EQ(Read(offset), before) << name;
      } else if (entry.access == "read-write" && entry.fields[0].modified_write.empty()) {
        for (const test::IpXactField& field : entry.fields) {
          for (const uint32_t pattern : {~0U, 0x55555555U, 0xaaaaaaaaU, 0U}) {
            EXPECT_TRUE(Write(offset, pattern & field.Mask())) << name;
            EXPECT_EQ(Read(offset), pattern & field.Mask()) << name << "." << field.name;
          }
        }
      }
    }
  }
  for (uint32_t offset = 0; offset < software_.defines.at("WINDOW_BYTES"); offset += 4) {
    if (mapped.contains(offset)) continue;
    EXPECT_FALSE(host_->Read(*bench_, offset).Okay()) << std::hex << offset;
    EXPECT_FALSE(Write(offset, 0)) << std::hex << offset;
  }

  // Commands and what they leave: every field of STATUS and IRQ_STATUS is seen to rise, and those
  // of IRQ_STATUS to be cleared by a one and by nothing else. Resident weights are no part of
  // `tiny`.
  const auto at = [this](const std::string& name) { return software_.registers.at(name).offset; };
  std::map<std::string, uint32_t> seen;
  const auto look = [&](const char* name) {
    const uint32_t value = Read(at(name));
    seen[name] |= value;
    return value;
  };
  const auto clear = [&] {
    for (const test::IpXactField& field : software_.registers.at("IRQ_STATUS").fields) {
      EXPECT_EQ(field.modified_write, "oneToClear");
      const uint32_t raised = look("IRQ_STATUS");
      EXPECT_TRUE(Write(at("IRQ_STATUS"), 0));
      EXPECT_EQ(look("IRQ_STATUS"), raised);
      EXPECT_TRUE(Write(at("IRQ_STATUS"), field.Mask()));
      EXPECT_EQ(look("IRQ_STATUS"), raised & ~field.Mask());
    }
  };
  const auto control = [&](const char* command) {
    EXPECT_EQ(Read(at("CONTROL")), 0U);
    EXPECT_TRUE(Write(at("CONTROL"), software_.defines.at(std::string("CONTROL_") + command)));
    look("STATUS");
  };
  const auto wait = [&] {
    while ((look("STATUS") & software_.defines.at("STATUS_BUSY")) != 0) bench_->Cycle();
    clear();
  };
  control("START");
  wait();
  EXPECT_EQ(look("ERROR") & software_.defines.at("ERROR_CODE_MASK"),
            software_.defines.at("ERROR_NO_PROGRAM"));
  const eb_image image = Image();
  ASSERT_EQ(software_.load(&bus_, &image, kPolls), EB_DRIVER_OK);
  const eb_sentence sentence = Sentence(sentences_[0], 0);
  eb_result result{};
  ASSERT_EQ(software_.run_sentence(&bus_, &sentence, kPolls, &result), EB_DRIVER_OK);
  control("START");
  EXPECT_FALSE(Write(at("LENGTH"), 1)) << "busy";
  wait();
  control("START");
  control("ABORT");
  wait();
  control("LOAD");
  wait();
  EXPECT_TRUE(Write(at("WATCHDOG"), 100));
  control("START");
  wait();
  for (const char* name : {"STATUS", "IRQ_STATUS"}) {
    for (const test::IpXactField& field : software_.registers.at(name).fields) {
      if (field.name == "RESIDENT") continue;
      EXPECT_NE(seen[name] & field.Mask(), 0U) << name << "." << field.name;
    }
  }
}

}  // namespace
}  // namespace edgebert
