#!/usr/bin/env bash
# Runs tests with simulators that count which lines of the design run and which bits toggle, and
# writes the table of docs/results/coverage.md.
#   scripts/coverage.sh [TEST..]   names or `--suite ..` of `meson test`; default: the suite cosim but
#                                  its mutation tests, which run designs with bugs
# What is not reached is listed in out/coverage/holes. Counts add up until that folder is removed.
# Exit status 1: tests failed, and the table is of what ran.
set -euo pipefail
cd "$(dirname "$0")/.."
page=docs/results/coverage.md
out=$PWD/out/coverage
mkdir -p "$out/counts"

scripts/install.sh
scripts/build.sh
if [ $# -eq 0 ]; then
  set -- $(meson test -C "${BUILD:-build}" --list --suite cosim | sed 's/.* //' | grep -v mutation)
fi
status=0
# Simulators with counters take several times longer to build.
EDGEBERT_COVERAGE=$out/counts EDGEBERT_CACHE=$out/cache \
  meson test -C "${BUILD:-build}" --no-rebuild --timeout-multiplier 10 \
  --num-processes "$(nproc)" "$@" || { echo "error: tests failed" >&2; status=1; }

scripts/coverage_table.sh "$out/counts" "$out/holes" > "$out/table"
awk -v table="$out/table" '
  /^<!-- table -->/ { print; while ((getline line < table) > 0) print line; skip = 1; next }
  /^<!-- end -->/ { skip = 0 }
  !skip' "$page" > "$out/page.md"
mv "$out/page.md" "$page"
echo "wrote $page"
exit $status
