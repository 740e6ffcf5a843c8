#!/usr/bin/env bash
# Runs a long proof of robustness on the RTL of tiny and writes its page to docs/results:
#   fault_campaign  thousands of faults: flipped bits, bus errors, slaves that do not answer, aborts, resets
#   long_run        10,000 sentences through one instance
# Usage: scripts/robustness.sh fault_campaign|long_run
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
if [ $# -ne 1 ] || [[ ! $1 =~ ^(fault_campaign|long_run)$ ]]; then
  sed -n '2,5s/^# //p' "$0" >&2
  exit 2
fi
scripts/install.sh
scripts/build.sh "tests/cosim/$1_test"
EDGEBERT_REPORT=docs/results "$build/tests/cosim/$1_test" --gtest_filter='*Slow.*'
