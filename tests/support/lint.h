// Lint of emitted modules by the three tools, all of which must stay silent.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "generator/vlog/module.h"

namespace edgebert::test {

/// (name, Verilog literal) of the top module's parameters.
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// Succeeds when `verilator --lint-only -Wall`, `iverilog -g2005 -Wall` and Yosys
/// `hierarchy -check; proc; opt; check -assert` accept the design and print nothing. `modules` must
/// hold `top` and everything it instantiates. `EXPECT_TRUE(LintsClean({EmitFifo()}, "eb_fifo"));`
[[nodiscard]] ::testing::AssertionResult LintsClean(const std::vector<vlog::Module>& modules,
                                                    const std::string& top,
                                                    const Parameters& parameters = {});

/// The same for files on disk.
[[nodiscard]] ::testing::AssertionResult FilesLintClean(const std::vector<std::string>& paths,
                                                        const std::string& top,
                                                        const Parameters& parameters = {});

}  // namespace edgebert::test
