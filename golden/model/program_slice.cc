#include "golden/model/program_slice.h"

#include <algorithm>
#include <vector>

#include "golden/spec/isa.h"

namespace edgebert::model {
namespace {

using spec::Instruction;
using spec::Opcode;

constexpr uint32_t kAllUnits = (1U << spec::kUnits) - 1;

Opcode OpcodeOf(const Instruction& instruction) {
  return static_cast<Opcode>(instruction.Get(spec::kOpcode));
}

/// Every operation that the sentence executes.
class Recorder : public MachineObserver {
 public:
  void OnInstruction(const Step& step) override { steps.push_back(step); }
  std::vector<Step> steps;
};

Instruction StreamOf(uint64_t offset, uint64_t beats) {
  Instruction stream;
  stream.Set(spec::kOpcode, static_cast<int64_t>(Opcode::kStream));
  stream.Set(spec::kStreamOffset, static_cast<int64_t>(offset));
  stream.Set(spec::kStreamBeats, static_cast<int64_t>(beats));
  return stream;
}

}  // namespace

Result<ProgramSlice> SliceProgram(const spec::AcceleratorConfig& config, const Image& image,
                                  std::span<const uint32_t> tokens, uint32_t threshold,
                                  const SlicePoint& from, const SlicePoint& to) {
  Machine machine(config, image);
  Recorder recorder;
  machine.Run(tokens, threshold, &recorder);
  const std::vector<Step>& steps = recorder.steps;
  const auto at = [](const SlicePoint& point) {
    return [point](const Step& step) {
      if (!point.is_layer) return step.sequence == point.number;
      return step.name->in_layer && static_cast<uint64_t>(step.layer) == point.number;
    };
  };
  const auto first = std::ranges::find_if(steps, at(from));
  const auto last = std::find_if(steps.rbegin(), steps.rend(), at(to)).base();
  if (first == steps.end() || last == steps.begin() || first >= last) {
    return Error(
        {},
        fmt::format("the sentence executes {} operations, in {} layers: there are none "
                    "from {} {} to {} {}",
                    steps.size(), machine.result().exit_layer, from.is_layer ? "layer" : "op",
                    from.number, to.is_layer ? "layer" : "op", to.number),
        "slice-range");
  }

  ProgramSlice slice{image, {}};
  slice.image.program.clear();
  slice.image.names.clear();
  const auto add = [&](const Instruction& instruction, const std::string& name) {
    slice.image.program.push_back(instruction);
    slice.image.names.push_back({.text = name});
  };
  machine.Start(tokens, threshold);
  machine.RunUntil(first->sequence);
  const uint64_t beat_bytes = static_cast<uint64_t>(image.format.axi_data_bits) / 8;
  for (const MachineState::Segment& segment : machine.state().stream) {
    if (segment.bytes == 0) continue;
    add(StreamOf(segment.offset, segment.bytes / beat_bytes), "rest of the weight stream");
  }
  for (auto step = first; step != last; ++step) {
    const Opcode opcode = OpcodeOf(*step->instruction);
    if (opcode == Opcode::kLoop || opcode == Opcode::kEnd) continue;
    Instruction instruction = *step->instruction;
    if (opcode == Opcode::kStream) {
      const int64_t offset = instruction.Get(spec::kStreamOffset) +
                             step->iteration * instruction.Get(spec::kStreamIterationStride);
      instruction.Set(spec::kStreamOffset, offset);
      instruction.Set(spec::kStreamIterationStride, 0);
    }
    add(instruction, fmt::format("op {} {}", step->sequence, step->Describe()));
  }
  const auto exit = std::ranges::find(image.program, Opcode::kExit, OpcodeOf);
  EB_CHECK(exit != image.program.end(), "a program without EXIT passed Machine::Check");
  if (OpcodeOf(slice.image.program.back()) != Opcode::kExit) {
    add(*exit, "exit of the slice");
    slice.image.program.back().Set(spec::kWaitMask, kAllUnits);
  }
  Instruction end;
  end.Set(spec::kOpcode, static_cast<int64_t>(Opcode::kEnd));
  end.Set(spec::kWaitMask, kAllUnits);
  add(end, "end of the slice");
  if (slice.image.program.size() > static_cast<size_t>(config.memory.program_words)) {
    return Error({},
                 fmt::format("{} operations are more than the {} of the program memory "
                             "('memory.program_words')",
                             slice.image.program.size(), config.memory.program_words),
                 "slice-size");
  }

  slice.start = machine.state();
  slice.start.stream.clear();
  slice.start.pc = 0;
  slice.start.iteration = 0;
  slice.start.sequence = 0;
  slice.start.result = {};
  return slice;
}

}  // namespace edgebert::model
