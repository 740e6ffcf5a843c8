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

data=scripts/demo_sentences.tsv
if [ $# -eq 1 ] && [ -f "$1" ]; then
  data=$1
elif [ $# -gt 0 ]; then
  data=out/demo/sentences.tsv
  { printf 'sentence\tlabel\n'; for sentence in "$@"; do printf '%s\t0\n' "$sentence"; done; } >"$data"
fi

"$build/generator/edgebert-gen" --config generator/configs/default.cfg --out out/demo/rtl
"$build/cosim/edgebert-cosim" --config generator/configs/default.cfg --model models/sst2 \
  --data "$data" --json out/demo/results.json
