#include "generator/emit_all.h"

#include <algorithm>

#include "generator/blocks/clock_gate.h"
#include "generator/blocks/counter.h"
#include "generator/blocks/fifo.h"
#include "generator/blocks/reset_sync.h"
#include "generator/blocks/round_shift.h"
#include "generator/blocks/sram.h"
#include "generator/blocks/tree.h"
#include "generator/handoff/file_lists.h"
#include "generator/handoff/integration.h"
#include "generator/handoff/manifest.h"
#include "generator/handoff/memory_list.h"
#include "generator/handoff/register_documents.h"
#include "generator/handoff/synthesis.h"
#include "generator/handoff/waves.h"
#include "generator/units/accumulator.h"
#include "generator/units/activation.h"
#include "generator/units/activation_memory.h"
#include "generator/units/af_decoder.h"
#include "generator/units/af_encoder.h"
#include "generator/units/af_multiplier.h"
#include "generator/units/axi_reader.h"
#include "generator/units/axi_writer.h"
#include "generator/units/bitmask_decoder.h"
#include "generator/units/bitmask_encoder.h"
#include "generator/units/embedding.h"
#include "generator/units/exit.h"
#include "generator/units/exp.h"
#include "generator/units/layer_norm.h"
#include "generator/units/ln.h"
#include "generator/units/matmul.h"
#include "generator/units/post_processor.h"
#include "generator/units/program_memory.h"
#include "generator/units/reciprocal.h"
#include "generator/units/registers.h"
#include "generator/units/reram_ctrl.h"
#include "generator/units/reram_macro.h"
#include "generator/units/resident_weights.h"
#include "generator/units/result_writer.h"
#include "generator/units/rsqrt.h"
#include "generator/units/scale_lane.h"
#include "generator/units/secded_decoder.h"
#include "generator/units/segment_address.h"
#include "generator/units/sequencer.h"
#include "generator/units/softmax.h"
#include "generator/units/span_mask.h"
#include "generator/units/tile_walk.h"
#include "generator/units/token_memory.h"
#include "generator/units/top.h"
#include "generator/units/vmac_array.h"
#include "generator/units/weight_lane.h"
#include "generator/units/weight_stream.h"

namespace edgebert::gen {

std::vector<vlog::Module> CommonModules() {
  std::vector<vlog::Module> modules = {EmitAccumulator(),
                                       EmitActivation(),
                                       EmitActivationMemory(),
                                       EmitAfDecoder(),
                                       EmitAfEncoder(),
                                       EmitAfMultiplier(),
                                       EmitAxiReader(),
                                       EmitAxiWriter(),
                                       EmitBitmaskDecoder(),
                                       EmitBitmaskEncoder(),
                                       EmitClockGate(),
                                       EmitCounter(),
                                       EmitEmbedding(),
                                       EmitEntropy(),
                                       EmitExit(),
                                       EmitExp(),
                                       EmitFifo(),
                                       EmitLayerNorm(),
                                       EmitLn(),
                                       EmitMatmul(),
                                       EmitMaxTree(),
                                       EmitNormLane(),
                                       EmitPostLane(),
                                       EmitPostProcessor(),
                                       EmitProgramMemory(),
                                       EmitRSqrt(),
                                       EmitReciprocal(),
                                       EmitRegisters(),
                                       EmitReramArrayMacro(),
                                       EmitReramCtrl(),
                                       EmitReramMacro(),
                                       EmitResetSync(),
                                       EmitResidentWeights(),
                                       EmitResultWriter(),
                                       EmitRoundShift(),
                                       EmitRowWindow(),
                                       EmitScaleLane(),
                                       EmitSecdedDecoder(),
                                       EmitSegmentAddress(),
                                       EmitSequencer(),
                                       EmitSoftmax(),
                                       EmitSpanMask(),
                                       EmitSram1r1w(),
                                       EmitSram1r1wMacro(),
                                       EmitSumTree(),
                                       EmitTileWalk(),
                                       EmitTokenMemory(),
                                       EmitUnitClock(),
                                       EmitVmacArray(),
                                       EmitWeightLane(),
                                       EmitWeightStream()};
  std::sort(modules.begin(), modules.end(),
            [](const vlog::Module& a, const vlog::Module& b) { return a.name() < b.name(); });
  return modules;
}

FileSet EmitCommon() {
  FileSet files;
  for (const vlog::Module& module : CommonModules()) {
    files.Add("common/" + module.name() + ".v", module.Emit());
  }
  return files;
}

FileSet EmitConfiguration(const spec::AcceleratorConfig& config, const std::string& name) {
  std::vector<std::string> verilog;
  for (const vlog::Module& module : CommonModules()) {
    verilog.push_back("../common/" + module.name() + ".v");
  }
  verilog.emplace_back("eb_top.v");

  FileSet files;
  const std::string folder = name + "/";
  files.Add(folder + "eb_top.v", EmitTop(config).Emit());
  files.Add(folder + "verilator.f", VerilatorFileList(verilog));
  files.Add(folder + "icarus.f", IcarusFileList(verilog));
  files.Add(folder + "yosys.ys", YosysScript(verilog));
  files.Add(folder + "commercial.f",
            CommercialFileList(verilog, "simulation and for synthesis with memory.backend = flop"));
  files.Add(folder + "registers.md", RegisterMarkdown(config));
  files.Add(folder + "eb_registers.h", RegisterHeader(config));
  files.Add(folder + "memories.csv", MemoryListText(config));
  files.Add(folder + "config.cfg", spec::ToConfigText(config));
  for (const FileSet& set : {EmitSynthesis(config, verilog),
                             EmitIntegration(config, SynthesisFiles(config, verilog))}) {
    for (const auto& [path, text] : set.files()) files.Add(folder + path, text);
  }
  std::vector<std::string> paths = verilog;
  for (const auto& [path, text] : files.files()) {
    const std::string file = path.substr(folder.size());
    if (file != "eb_top.v") paths.push_back(file);
  }
  files.Add(folder + "manifest.json", Manifest(config, paths));
  return files;
}

FileSet EmitAll(const spec::AcceleratorConfig& config, const std::string& name) {
  FileSet files = EmitCommon();
  const FileSet configuration = EmitConfiguration(config, name);
  for (const auto& [path, text] : configuration.files()) files.Add(path, text);
  const FileSet waves = EmitWaves(config, name);
  for (const auto& [path, text] : waves.files()) files.Add(path, text);
  return files;
}

}  // namespace edgebert::gen
