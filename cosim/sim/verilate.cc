#include "cosim/sim/verilate.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

#include "cosim/dut_abi_text.h"
#include "cosim/sim/process.h"

namespace edgebert::cosim {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kLibrary = "dut.so";
constexpr const char* kManifest = "manifest";
constexpr double kProgressAfterSeconds = 2.0;
/// A folder: simulators count what of the design is reached, and leave their counts there
/// (scripts/coverage.sh).
constexpr const char* kCoverageVariable = "EDGEBERT_COVERAGE";

/// For the wrapper: the counts of one simulator, in a file of their own.
constexpr std::string_view kCoverageText = R"(#include <stdlib.h>
#include <unistd.h>
#include "verilated_cov.h"

static void WriteCoverage(VerilatedContext& context) {
  const char* folder = getenv("EDGEBERT_COVERAGE");
  std::string path = std::string(folder == nullptr ? "." : folder) + "/XXXXXX.dat";
  const int file = mkstemps(&path[0], 4);
  if (file < 0) return;
  close(file);
  context.coveragep()->write(path.c_str());
}

)";

bool MeasuresCoverage() { return std::getenv(kCoverageVariable) != nullptr; }

/// FNV-1a. Names cache folders; equality of keys is checked on the whole text.
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

std::optional<std::string> ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

Status WriteText(const fs::path& path, const std::string& text) {
  std::error_code code;
  fs::create_directories(path.parent_path(), code);
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.flush();
  if (!file) return Error({path.string()}, "cannot write the file", "cache-io");
  return Ok();
}

/// A command that must succeed, its output part of the error when it does not.
class Toolchain {
 public:
  explicit Toolchain(Progress progress) : progress_(std::move(progress)) {}

  Result<std::string> Run(const std::string& stage, const std::vector<std::string>& arguments,
                          const fs::path& directory, const std::string& rule) {
    auto report = [&] {
      const auto now = Clock::now();
      const double seconds = std::chrono::duration<double>(now - start_).count();
      if (!progress_ || seconds < kProgressAfterSeconds || now < next_report_) return;
      next_report_ = now + std::chrono::seconds(1);
      progress_(stage, seconds);
    };
    EB_ASSIGN_OR_RETURN(ProcessResult result, RunProcess(arguments, directory.string(), report));
    if (result.exit_code != 0) {
      return Error({}, fmt::format("{} failed:\n{}", stage, result.output), rule);
    }
    return std::move(result.output);
  }

 private:
  Progress progress_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_report_{};
};

struct Compiler {
  std::vector<std::string> command;  ///< with ccache in front when there is one
};

Compiler FindCompiler() {
  Compiler compiler;
  if (FindProgram("ccache")) compiler.command.emplace_back("ccache");
  compiler.command.emplace_back(FindProgram("clang++") ? "clang++" : "g++");
  return compiler;
}

/// Changes when the tool does, without asking it: a process for that takes longer than everything
/// else that a cached build does. All programs of that name count, since the first may be a script
/// or a link that runs a later one.
std::string ToolIdentity(const std::string& tool) {
  std::string text;
  for (const std::string& program : FindPrograms(tool)) {
    std::error_code ignored;
    const fs::path file = fs::canonical(program, ignored);
    text += fmt::format("{} {} {}\n", file.string(), fs::file_size(file, ignored),
                        fs::last_write_time(file, ignored).time_since_epoch().count());
  }
  return text;
}

/// Verilator is a script that runs a program, which these variables may choose.
std::string VerilatorIdentity() {
  std::string text = ToolIdentity("verilator") + ToolIdentity("verilator_bin");
  for (const char* name : {"VERILATOR_ROOT", "VERILATOR_BIN"}) {
    const char* value = std::getenv(name);
    text += fmt::format("{}={}\n", name, value == nullptr ? "" : value);
  }
  return text;
}

/// The instruction set extensions of this processor: the library is compiled for them.
std::string ProcessorFlags() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("flags") || line.starts_with("Features")) return line;
  }
  return {};
}

std::vector<std::string> VerilatorFlags(const BuildOptions& options) {
  const std::string unknowns = options.unknowns == Unknowns::kRandom ? "unique" : "fast";
  std::vector<std::string> flags = {
      "--cc",   "-Wall",          "-O3",      "--x-assign",     unknowns,   "--x-initial",
      unknowns, "--unroll-count", "4096",     "--unroll-stmts", "10000000", "--output-split",
      "0",      "--timescale",    "1ns/1ns",  "--prefix",       "Vdut",     "--Mdir",
      "obj",    "--top-module",   options.top};
  if (options.trace) {
    flags.insert(flags.end(),
                 {"--trace-fst", "--trace-max-width", "8192", "--trace-max-array", "64"});
  }
  if (MeasuresCoverage()) flags.insert(flags.end(), {"--coverage-line", "--coverage-toggle"});
  for (const auto& [name, value] : options.parameters) {
    flags.push_back(fmt::format("-G{}={}", name, value));
  }
  return flags;
}

std::vector<std::string> CompilerFlags(const BuildOptions& options, const Compiler& compiler) {
  std::vector<std::string> flags = {"-std=c++17",
                                    "-fPIC",
                                    "-fvisibility=hidden",
                                    "-fno-strict-aliasing",
                                    "-fcf-protection=none",
                                    "-march=native",
                                    "-w"};
  if (MeasuresCoverage()) {
    flags.emplace_back("-O0");  // a counter for every bit is much code, and runs briefly
  } else {
    flags.push_back(options.optimize == Optimize::kSpeed ? "-O2" : "-O1");
  }
  if (compiler.command.back() == "clang++") {
    // Verilator has unrolled the loops; what is left to vectorise are its arrays of trigger flags,
    // which are written one by one: wide loads would wait for those stores. Lanes lie apart, so
    // that wider vectors cost more gathering than they save.
    flags.insert(flags.end(), {"-fbracket-depth=4096", "-fno-vectorize"});
#if defined(__x86_64__)
    flags.emplace_back("-mprefer-vector-width=128");
#endif
  } else {
    flags.push_back("-fno-gnu-unique");
  }
  flags.push_back(fmt::format("-DVM_COVERAGE={}", MeasuresCoverage() ? 1 : 0));
  for (const char* define : {"VM_SC=0", "VM_TRACE_VCD=0"}) {
    flags.push_back(fmt::format("-D{}", define));
  }
  flags.push_back(fmt::format("-DVM_TRACE={}", options.trace ? 1 : 0));
  flags.push_back(fmt::format("-DVM_TRACE_FST={}", options.trace ? 1 : 0));
  return flags;
}

std::vector<std::string> LinkerFlags(const BuildOptions& options) {
  std::vector<std::string> flags = {"-pthread", "-Wl,-Bsymbolic", "-Wl,-z,defs", "-latomic"};
  if (options.trace) flags.emplace_back("-lz");
  return flags;
}

std::string PublicSignalRules(const BuildOptions& options) {
  std::string text = "`verilator_config\n";
  for (const PublicSignal& signal : options.public_signals) {
    text += fmt::format("public_flat_{} -module \"{}\" -var \"{}\"\n",
                        signal.writable ? "rw" : "rd", signal.module, signal.variable);
  }
  return text;
}

/// The C++ between the Verilated class and EbDutApi. Ports are read from the class's header, which
/// declares each as VL_IN8(&name, msb, lsb); inner signals come at run time from the scope table
/// that Verilator keeps for public variables.
std::string WrapperText(const std::string& header, const BuildOptions& options) {
  std::string ports;
  static const std::regex kPort(R"(VL_(IN|OUT|INOUT)(?:8|16|64|W)?\(&(\w+),(\d+),(\d+))");
  for (auto match = std::sregex_iterator(header.begin(), header.end(), kPort);
       match != std::sregex_iterator(); ++match) {
    ports += fmt::format("  Visit(\"{0}\", dut->model.{0}, {1} - {2} + 1, {3}, visitor, user);\n",
                         (*match)[2].str(), (*match)[3].str(), (*match)[4].str(),
                         (*match)[1] == "OUT" ? 0 : 1);
  }
  std::string text = R"(#include "dut_abi.h"

#include <cstring>
#include <memory>
#include <string>
#include "Vdut.h"
#include "verilated_syms.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif

namespace {
struct Dut {
  explicit Dut(uint32_t seed) : model((Prepare(context, seed), &context), "") {}
  ~Dut() { model.final(); }
  // The run-time library finds seed, scopes and error handling through the thread's context.
  void Select() { Verilated::threadContextp(&context); }
  static void Prepare(VerilatedContext& context, uint32_t seed) {
    Verilated::threadContextp(&context);
    context.randReset(2);
    context.randSeed(static_cast<int>(seed & 0x7fffffff));
#if VM_TRACE_FST
    context.traceEverOn(true);
#endif
  }
  VerilatedContext context;
  Vdut model;
#if VM_TRACE_FST
  std::unique_ptr<VerilatedFstC> trace;
#endif
};

template <typename T>
void Visit(const char* name, T& data, uint32_t bits, uint32_t writable, EbSignalVisitor visitor,
           void* user) {
  const EbSignal signal{name, &data, bits, sizeof(T), 1, writable};
  visitor(user, &signal);
}

void VisitPorts(Dut* dut, EbSignalVisitor visitor, void* user) {
)" + ports + R"(}

uint32_t ElementBytes(VerilatedVarType type, uint32_t bits) {
  switch (type) {
    case VLVT_UINT8: return 1;
    case VLVT_UINT16: return 2;
    case VLVT_UINT32: return 4;
    case VLVT_UINT64: return 8;
    case VLVT_WDATA: return (bits + 31) / 32 * 4;
    default: return 0;
  }
}

void VisitSignals(Dut* dut, EbSignalVisitor visitor, void* user) {
  const VerilatedScopeNameMap* scopes = dut->context.scopeNameMap();
  if (scopes == nullptr) return;
  const std::string top = "TOP_NAME";
  for (const auto& scope : *scopes) {
    if (scope.second->varsp() == nullptr) continue;
    std::string path = scope.second->name();
    if (path.compare(0, top.size(), top) != 0) continue;
    path.erase(0, path.size() == top.size() ? top.size() : top.size() + 1);
    for (const auto& entry : *scope.second->varsp()) {
      const VerilatedVar& var = entry.second;
      if (var.isParam()) continue;
      const std::string name = (path.empty() ? "" : path + ".") + var.name();
      const uint32_t bits = static_cast<uint32_t>(var.packed().elements());
      uint32_t elements = 1;
      for (int dimension = 1; dimension <= var.udims(); ++dimension) {
        elements *= static_cast<uint32_t>(var.elements(dimension));
      }
      const EbSignal signal{name.c_str(), var.datap(), bits, ElementBytes(var.vltype(), bits),
                            elements, var.isPublicRW() ? 1u : 0u};
      if (signal.element_bytes != 0) visitor(user, &signal);
    }
  }
}

void* Create(uint32_t seed) { return new Dut(seed); }
void Destroy(void* dut) {
  static_cast<Dut*>(dut)->Select();
  delete static_cast<Dut*>(dut);
}
void Eval(void* dut) {
  static_cast<Dut*>(dut)->Select();
  static_cast<Dut*>(dut)->model.eval();
}
void VisitAll(void* dut, EbSignalVisitor visitor, void* user) {
  VisitPorts(static_cast<Dut*>(dut), visitor, user);
  VisitSignals(static_cast<Dut*>(dut), visitor, user);
}
#if VM_TRACE_FST
int TraceOpen(void* opaque, const char* path, const char* scope, int depth) {
  Dut* dut = static_cast<Dut*>(opaque);
  dut->trace = std::make_unique<VerilatedFstC>();
  if (depth != 0) dut->trace->dumpvars(depth, scope);
  dut->model.trace(dut->trace.get(), 99);
  dut->trace->open(path);
  return dut->trace->isOpen() ? 1 : 0;
}
void TraceDump(void* dut, uint64_t time) { static_cast<Dut*>(dut)->trace->dump(time); }
void TraceClose(void* opaque) {
  Dut* dut = static_cast<Dut*>(opaque);
  dut->trace->close();
  dut->trace.reset();
}
#else
constexpr int (*TraceOpen)(void*, const char*, const char*, int) = nullptr;
constexpr void (*TraceDump)(void*, uint64_t) = nullptr;
constexpr void (*TraceClose)(void*) = nullptr;
#endif
}  // namespace

extern "C" __attribute__((visibility("default"))) const EbDutApi* eb_dut_api() {
  static const EbDutApi api{Create, Destroy, Eval, VisitAll, TraceOpen, TraceDump, TraceClose};
  return &api;
}
)";
  constexpr std::string_view kTopName = "TOP_NAME";
  text.replace(text.find(kTopName), kTopName.size(), options.top);
  if (MeasuresCoverage()) {
    constexpr std::string_view kFinal = "model.final();";
    text.replace(text.find(kFinal), kFinal.size(), "model.final(); WriteCoverage(context);");
    text.insert(text.find("namespace {"), kCoverageText);
  }
  return text;
}

/// Class names in one list of Verilator's Vdut_classes.mk.
std::vector<std::string> ClassList(const std::string& makefile, const std::string& list) {
  std::vector<std::string> names;
  std::istringstream lines(makefile);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(list + " +=")) {
      inside = true;
      continue;
    }
    if (!inside) continue;
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word.empty() || word == "\\") {
      if (word.empty()) inside = false;
      continue;
    }
    names.push_back(word);
  }
  return names;
}

/// A translation unit that includes one list of generated classes.
std::string IncludeAll(const std::string& makefile, const std::vector<std::string>& lists) {
  std::string text;
  for (const std::string& list : lists) {
    for (const std::string& name : ClassList(makefile, list)) {
      text += fmt::format("#include \"obj/{}.cpp\"\n", name);
    }
  }
  return text;
}

class LibraryBuild {
 public:
  LibraryBuild(const BuildOptions& options, Toolchain& tools) : options_(options), tools_(tools) {}

  /// Finds the tools and reads the sources.
  Status Prepare() {
    if (!FindProgram("verilator")) {
      return Error({"verilator"}, "'verilator' is not installed", "tool-missing");
    }
    compiler_ = FindCompiler();
    Error error;
    std::set<std::string> names;
    auto add = [&](const std::string& name, std::string text) {
      const std::string stem = fs::path(name).filename().string();
      if (!names.insert(stem).second) {
        error.Add({name}, fmt::format("two files are called '{}'", stem), "verilog-read");
      }
      files_.emplace_back(stem, std::move(text));
    };
    for (const auto& [name, text] : options_.files) add(name, text);
    for (const std::string& path : options_.paths) {
      auto text = ReadText(path);
      if (text) {
        add(path, *std::move(text));
      } else {
        error.Add({path}, "cannot read the file", "verilog-read");
      }
    }
    if (!error.empty()) return error;
    return Ok();
  }

  /// Everything the library depends on.
  [[nodiscard]] std::string Key() const {
    std::string key = VerilatorIdentity() + ToolIdentity(compiler_.command.back());
    key += ProcessorFlags() + "\n";
    for (const auto& flag : VerilatorFlags(options_)) key += flag + "\n";
    for (const auto& flag : CompilerFlags(options_, compiler_)) key += flag + "\n";
    for (const auto& flag : LinkerFlags(options_)) key += flag + "\n";
    key += PublicSignalRules(options_);
    key += WrapperText("", options_) + kDutAbiText;
    for (const auto& [name, text] : files_)
      key += fmt::format("{} {}\n{}", name, text.size(), text);
    return key;
  }

  /// Leaves the library in `folder`.
  Status Run(const fs::path& folder) {
    std::error_code code;
    fs::create_directories(folder, code);
    std::vector<std::string> verilate = {"verilator"};
    for (const auto& flag : VerilatorFlags(options_)) verilate.push_back(flag);
    EB_RETURN_IF_ERROR(WriteText(folder / "public.vlt", PublicSignalRules(options_)));
    verilate.push_back("public.vlt");
    for (const auto& [name, text] : files_) {
      EB_RETURN_IF_ERROR(WriteText(folder / "rtl" / name, text));
      verilate.push_back("rtl/" + name);
    }
    EB_RETURN_IF_ERROR(tools_.Run("verilating " + options_.top, verilate, folder, "verilate"));
    const auto header = ReadText(folder / "obj/Vdut.h");
    const auto makefile = ReadText(folder / "obj/Vdut_classes.mk");
    EB_CHECK(header && makefile, "Verilator left no header or makefile in {}", folder.string());
    const std::string include = IncludeFolder(folder);

    EB_RETURN_IF_ERROR(WriteText(folder / "dut_abi.h", kDutAbiText));
    EB_RETURN_IF_ERROR(WriteText(folder / "fast.cpp",
                                 IncludeAll(*makefile, {"VM_CLASSES_FAST", "VM_SUPPORT_FAST"})));
    EB_RETURN_IF_ERROR(WriteText(folder / "slow.cpp",
                                 IncludeAll(*makefile, {"VM_CLASSES_SLOW", "VM_SUPPORT_SLOW"})));
    EB_RETURN_IF_ERROR(WriteText(folder / "wrapper.cpp", WrapperText(*header, options_)));

    // The code of every cycle takes as long to compile as everything else together.
    std::vector<std::pair<std::string, std::string>> others = {{"slow.cpp", "slow.o"},
                                                               {"wrapper.cpp", "wrapper.o"}};
    for (const std::string& unit : ClassList(*makefile, "VM_GLOBAL_FAST")) {
      others.emplace_back(fmt::format("{}/{}.cpp", include, unit), unit + ".o");
    }
    auto beside = std::async(std::launch::async, [&]() -> Status {
      Toolchain tools({});
      for (const auto& [source, object] : others) {
        EB_RETURN_IF_ERROR(Compile(tools, folder, source, object, include));
      }
      return Ok();
    });
    const Status fast = Compile(tools_, folder, "fast.cpp", "fast.o", include);
    const Status rest = beside.get();
    EB_RETURN_IF_ERROR(fast);
    EB_RETURN_IF_ERROR(rest);
    std::vector<std::string> link = {compiler_.command.back(), "-shared", "-o", kLibrary, "fast.o"};
    for (const auto& [source, object] : others) link.push_back(object);
    for (const auto& flag : LinkerFlags(options_)) link.push_back(flag);
    EB_RETURN_IF_ERROR(tools_.Run("linking " + options_.top, link, folder, "compile"));

    fs::remove_all(folder / "obj", code);
    for (const auto& entry : fs::directory_iterator(folder, code)) {
      if (entry.path().extension() == ".o") fs::remove(entry.path(), code);
    }
    return Ok();
  }

 private:
  /// The folder of Verilator's run-time library, from the makefile it generates.
  static std::string IncludeFolder(const fs::path& folder) {
    const auto makefile = ReadText(folder / "obj/Vdut.mk");
    EB_CHECK(makefile.has_value(), "Verilator left no makefile in {}", folder.string());
    std::smatch match;
    static const std::regex kRoot(R"(\nVERILATOR_ROOT = (.*)\n)");
    EB_CHECK(std::regex_search(*makefile, match, kRoot), "VERILATOR_ROOT not in the makefile");
    return match[1].str() + "/include";
  }

  Status Compile(Toolchain& tools, const fs::path& folder, const std::string& source,
                 const std::string& object, const std::string& include) const {
    std::vector<std::string> command = compiler_.command;
    for (const auto& flag : CompilerFlags(options_, compiler_)) command.push_back(flag);
    if (source == "slow.cpp") command.emplace_back("-O0");  // runs once
    for (const std::string& argument :
         {std::string("-isystem"), include, std::string("-isystem"), include + "/vltstd",
          std::string("-I."), std::string("-Iobj"), std::string("-c"), source, std::string("-o"),
          object}) {
      command.push_back(argument);
    }
    EB_RETURN_IF_ERROR(
        tools.Run(fmt::format("compiling {}", options_.top), command, folder, "compile"));
    return Ok();
  }

  const BuildOptions& options_;
  Toolchain& tools_;
  Compiler compiler_;
  std::vector<std::pair<std::string, std::string>> files_;
};

Result<fs::path> CacheFolder(const BuildOptions& options) {
  fs::path folder = options.cache_dir;
  if (folder.empty()) {
    if (const char* variable = std::getenv("EDGEBERT_CACHE"); variable != nullptr) {
      folder = variable;
    } else if (const char* home = std::getenv("HOME"); home != nullptr) {
      folder = fs::path(home) / ".cache/edgebert-rtl";
    } else {
      return Error({}, "neither EDGEBERT_CACHE nor HOME is set", "cache-io");
    }
  }
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) {
    return Error({folder.string()},
                 fmt::format("cannot create the cache folder: {}", code.message()), "cache-io");
  }
  return fs::absolute(folder);
}

std::string LibraryDigest(const fs::path& entry) {
  const auto library = ReadText(entry / kLibrary);
  return library ? fmt::format("{} {:016x}", library->size(), Hash(*library)) : "";
}

/// True when the entry is whole and was built for `key`.
bool EntryIsGood(const fs::path& entry, const std::string& key) {
  const std::string digest = LibraryDigest(entry);
  return !digest.empty() && ReadText(entry / kManifest) == digest + "\n" + key;
}

/// Makes a folder that no other build uses.
Result<fs::path> UniqueFolder(const fs::path& cache) {
  std::string name = (cache / "build-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    return Error({cache.string()}, "cannot make a folder in the cache", "cache-io");
  }
  return fs::path(name);
}

}  // namespace

Result<std::string> BuildLibrary(const BuildOptions& options) {
  Toolchain tools(options.progress);
  LibraryBuild build(options, tools);
  EB_RETURN_IF_ERROR(build.Prepare());
  EB_ASSIGN_OR_RETURN(const fs::path cache, CacheFolder(options));
  const std::string key = build.Key();
  const fs::path entry = cache / fmt::format("{}-{:016x}", options.top, Hash(key));
  if (EntryIsGood(entry, key)) return (entry / kLibrary).string();

  EB_ASSIGN_OR_RETURN(const fs::path work, UniqueFolder(cache));
  std::error_code code;
  const fs::path built = work / "built";
  Status status = build.Run(built);
  if (status.ok()) status = WriteText(built / kManifest, LibraryDigest(built) + "\n" + key);
  if (status.ok()) {
    fs::rename(built, entry, code);
    if (code && !EntryIsGood(entry, key)) {
      // A damaged entry is in the way. (A good one came from a build that ran beside this one.)
      fs::rename(entry, work / "damaged", code);
      fs::rename(built, entry, code);
    }
    if (!EntryIsGood(entry, key)) {
      status = Error({entry.string()}, fmt::format("cannot install the build: {}", code.message()),
                     "cache-io");
    }
  }
  std::error_code ignored;
  fs::remove_all(work, ignored);
  if (!status.ok()) return status.error();
  return (entry / kLibrary).string();
}

}  // namespace edgebert::cosim
