#!/usr/bin/env bash
# Trains a checkpoint: installs LibTorch if it is missing, builds edgebert-train and runs it with the
# arguments given (docs/training.md).
#   scripts/train.sh --config golden/train/configs/snips.cfg --out out/snips \
#     --data.train snips_train.tsv --data.valid snips_valid.tsv
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install.sh libtorch-dev libopenblas0-pthread
build=${BUILD:-build}
# A folder that was configured without LibTorch does not know the program.
if [ -f "$build/build.ninja" ] &&
  ! ninja -C "$build" -t query golden/train/edgebert-train > /dev/null 2>&1; then
  meson setup --reconfigure -Dtrain=enabled "$build" > /dev/null
fi
scripts/build.sh golden/train/edgebert-train
exec "$build/golden/train/edgebert-train" "$@"
