#!/usr/bin/env bash
# Installs what is missing, builds, generates the default accelerator and runs real sentences through
# its RTL and the golden model side by side.
#   scripts/demo.sh                          the sentences of scripts/demo_sentences.tsv
#   scripts/demo.sh "one sentence" "another" your own
#   scripts/demo.sh file.tsv                 sentence<TAB>label, with a header line
# Results: out/demo/results.json, and out/demo/rtl, the generated accelerator.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install.sh
scripts/build.sh generator/edgebert-gen cosim/edgebert-cosim
build=${BUILD:-build}
mkdir -p out/demo

sentences=(--data scripts/demo_sentences.tsv)
if [ $# -eq 1 ] && [ -f "$1" ]; then
  sentences=(--data "$1")
elif [ $# -gt 0 ]; then
  sentences=()
  for sentence in "$@"; do sentences+=(--text "$sentence"); done
fi

"$build/generator/edgebert-gen" --config generator/configs/default.cfg --out out/demo/rtl
"$build/cosim/edgebert-cosim" --config generator/configs/default.cfg --model models/sst2 \
  "${sentences[@]}" --json out/demo/results.json
