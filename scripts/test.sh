#!/usr/bin/env bash
# Installs what is missing, builds, and passes every test but the `slow` suite.
#   scripts/test.sh                 all suites but slow
#   scripts/test.sh --suite golden  one suite (any `meson test` arguments)
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install.sh
scripts/build.sh
if [ $# -eq 0 ]; then set -- --no-suite slow; fi
# The tests bound their own work; the multiplier only forgives a slow or busy machine.
meson test -C "${BUILD:-build}" --print-errorlogs --timeout-multiplier 4 \
  --num-processes "$(nproc)" "$@"
