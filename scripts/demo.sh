#!/usr/bin/env bash
# Installs what is missing, builds, generates the default accelerator and runs real sentences through
# its RTL and the golden model side by side.
#   scripts/demo.sh                          the sentences of scripts/demo_sentences.tsv
#   scripts/demo.sh "one sentence" "another" your own
#   scripts/demo.sh file.tsv                 sentence<TAB>label, with a header line
# Results in out/demo: results.json, rtl (the generated accelerator), attention.fst and attention.gtkw
# (waves of one attention head of the first sentence, for GTKWave).
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
  "${sentences[@]}" --json out/demo/results.json \
  --trace=out/demo/attention.fst --trace-from op:10 --trace-to op:13
