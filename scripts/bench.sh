#!/usr/bin/env bash
# Measures cycles on the RTL over shapes, array sizes and each of EdgeBERT's savings, and writes the
# tables to docs/results/cycles.md.
#   scripts/bench.sh DATA.tsv [SENTENCES]   sentence<TAB>label, with a header line; default 8
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -lt 1 ] || [ ! -f "$1" ]; then
  echo "usage: $0 DATA.tsv [SENTENCES]" >&2
  exit 2
fi
scripts/install.sh
scripts/build.sh tests/bench/edgebert-bench
mkdir -p docs/results
"${BUILD:-build}/tests/bench/edgebert-bench" generator/configs models/sst2 "$1" "${2:-8}" \
  docs/results/cycles.md
