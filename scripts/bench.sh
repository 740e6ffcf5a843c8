#!/usr/bin/env bash
# Measures, and writes the tables to docs/results:
#   buffers       memories in KiB; latency of the DRAM against what the weight stream reads ahead
#   cycles        on the RTL, over shapes, array sizes and each of EdgeBERT's savings
#   ecc           accuracy over maps of faulty ReRAM cells without and with ECC (SENTENCES, default 40)
#   faults        accuracy over maps of faulty ReRAM cells (SENTENCES, default 40, of them golden)
#   gating        toggles of the array against the density of weights, with and without operand gating
#   golden_speed  the golden machine beside OpenBLAS, and on whole data sets
#   shapes        array sizes, and ALBERT-base with spans, sparsities and exits, as the cycle model says
#   simulation    how fast edgebert-cosim simulates and how soon it starts
#   skipping      cycles saved against work left out, of every kind
#   sparsity      empty tiles and vectors, packed weights, and products with a zero operand
#   task_switch   two shipped models in turn on one RTL (SENTENCES of each, default 16); reads the second
#                 one's from $EDGEBERT_DATA/snips/snips_valid.tsv
# Usage: scripts/bench.sh DATA.tsv [all|PAGE [SENTENCES]]
#   DATA.tsv: sentence<TAB>label, with a header line; SENTENCES: those that the RTL runs, default 8
set -euo pipefail
cd "$(dirname "$0")/.."
page=${2:-all}
if [ $# -lt 1 ] || [ ! -f "$1" ] || [[ ! $page =~ ^(all|buffers|cycles|ecc|faults|gating|golden_speed|shapes|simulation|skipping|sparsity|task_switch)$ ]]; then
  sed -n '2,16s/^# //p' "$0" >&2
  exit 2
fi
wants() { [ "$page" = all ] || [ "$page" = "$1" ]; }
build=${BUILD:-build}
results=docs/results
mkdir -p $results

if wants buffers; then
  scripts/install.sh
  scripts/build.sh tests/bench/edgebert-buffers-bench
  "$build/tests/bench/edgebert-buffers-bench" generator/configs $results/buffers.md
fi
if wants cycles; then
  scripts/install.sh
  scripts/build.sh tests/bench/edgebert-bench
  "$build/tests/bench/edgebert-bench" generator/configs models/sst2 "$1" "${3:-8}" $results/cycles.md
fi
if wants ecc; then
  scripts/install.sh
  scripts/build.sh tests/bench/edgebert-faults-bench
  "$build/tests/bench/edgebert-faults-bench" generator/configs/default.cfg models/sst2 "$1" \
    "${3:-40}" 20 $results/reram_ecc.md
fi
if wants faults; then
  scripts/install.sh gnuplot-nox
  scripts/build.sh tests/bench/edgebert-faults-bench
  points=$build/faults_points.tsv  # a run that was stopped goes on
  "$build/tests/bench/edgebert-faults-bench" generator/configs/default.cfg models/sst2 "$1" \
    "${3:-40}" 100 $results/reram_faults.md "$points"
  scripts/faults_picture.sh "$points" $results/reram_faults.png
  rm "$points"
fi
if wants gating; then
  scripts/install.sh
  scripts/build.sh tests/bench/edgebert-gating-bench
  work=$(mktemp -d)
  mkdir "$work/bin" "$work/counts"
  cp tests/gate/gates.sh "$work/bin/verilator"
  PATH=$work/bin:$PATH GATES_SYNTH=$PWD/rtl/tiny/synthesis/synth.tcl \
    EDGEBERT_COVERAGE=$work/counts EDGEBERT_CACHE=$work/cache \
    "$build/tests/bench/edgebert-gating-bench" models/sst2 $results/gating.md
  rm -r "$work"
fi
if wants golden_speed; then
  scripts/install.sh libopenblas-dev
  [ ! -f "$build/build.ninja" ] || meson setup --reconfigure "$build" > /dev/null  # finds OpenBLAS
  scripts/build.sh tests/bench/edgebert-golden-bench
  # OpenBLAS chooses its kernel, whatever the environment says.
  env -u OPENBLAS_CORETYPE "$build/tests/bench/edgebert-golden-bench" generator/configs \
    models/sst2 "$1" $results/golden_speed.md
fi
if wants shapes; then
  scripts/install.sh
  scripts/build.sh tests/bench/edgebert-shapes-bench
  "$build/tests/bench/edgebert-shapes-bench" generator/configs $results/array_sizes.md \
    $results/albert_base.md
fi
if wants simulation; then
  scripts/install.sh
  scripts/build.sh tests/bench/edgebert-simulation-bench
  "$build/tests/bench/edgebert-simulation-bench" generator/configs $results/simulation_speed.md
fi
if wants skipping; then
  scripts/install.sh
  scripts/build.sh tests/bench/edgebert-skipping-bench
  "$build/tests/bench/edgebert-skipping-bench" generator/configs $results/skipping.md
fi
if wants sparsity; then
  scripts/install.sh
  scripts/build.sh tests/bench/edgebert-sparsity-bench
  "$build/tests/bench/edgebert-sparsity-bench" models/sst2 "$1" $results/sparsity.md
fi
if wants task_switch; then
  scripts/install.sh
  scripts/build.sh tests/bench/edgebert-task-switch-bench
  "$build/tests/bench/edgebert-task-switch-bench" generator/configs/default.cfg models/sst2 "$1" \
    models/snips "${EDGEBERT_DATA:?names the folder of the data sets}/snips/snips_valid.tsv" \
    "${3:-16}" $results/task_switch.md
fi
