#!/usr/bin/env bash
# Fuzzes, and writes the outcome into its section of docs/results/fuzzing.md.
#   scripts/fuzz.sh readers [MINUTES]        each file reader, under ASan and UBSan; default 10 each
#   scripts/fuzz.sh accelerators [FIRST CONFIGURATIONS RUNS [MINUTES]]
#                                            random accelerators; default 1 25 40: 1,000 cases
#   scripts/fuzz.sh golden DATA.tsv          the golden machine on a data set, under ASan and UBSan
# Inputs that break a reader are left in out/fuzz.
set -euo pipefail
cd "$(dirname "$0")/.."
page=docs/results/fuzzing.md
build=build-fuzz
out=out/fuzz
mkdir -p "$out"

sanitized_build() {
  if [ ! -f "$build/build.ninja" ]; then
    CXX="ccache clang++" meson setup "$build" --buildtype=debugoptimized -Dfuzz=true \
      -Dtrain=disabled -Db_sanitize=address,undefined -Db_lundef=false
  fi
  ninja -C "$build" "$@"
}

# Puts standard input under a heading of the page, up to the next one.
write_section() {
  awk -v heading="## $1" -v text="$(cat)" '
    $0 == heading { print heading "\n\n" text "\n"; skip = 1; next }
    /^## / { skip = 0 }
    !skip' "$page" > "$out/page.md"
  mv "$out/page.md" "$page"
  echo "wrote $page"
}

readers() {
  local minutes=${1:-10} failed=0
  sanitized_build tests/fuzz/reader_fuzzer
  echo "| reader | files tried | code edges | minutes | broken by |" > "$out/table"
  echo "|---|---:|---:|---:|---|" >> "$out/table"
  for folder in tests/fuzz/corpus/*/; do
    local reader log result
    reader=$(basename "$folder")
    log=$out/$reader.log
    mkdir -p "$out/$reader"
    result=nothing
    UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
      "$build"/tests/fuzz/reader_fuzzer --reader="$reader" -max_total_time=$((minutes * 60)) \
      -timeout=20 -print_final_stats=1 -artifact_prefix="$out/$reader-" \
      "$out/$reader" "$folder" > "$log" 2>&1 || { result="a file in $out, see $log"; failed=1; }
    awk -v reader="$reader" -v minutes="$minutes" -v result="$result" '
      /^stat::number_of_executed_units/ { files = $2 }
      match($0, / cov: [0-9]+/) { edges = substr($0, RSTART + 6, RLENGTH - 6) }
      END { printf "| %s | %d | %d | %s | %s |\n", reader, files, edges, minutes, result }
    ' "$log" | tee -a "$out/table"
  done
  write_section "File readers" < "$out/table"
  return $failed
}

accelerators() {
  if [ $# -eq 0 ]; then set -- 1 25 40; fi
  scripts/build.sh tests/fuzz/accelerator_fuzz
  local status=0
  "${BUILD:-build}"/tests/fuzz/accelerator_fuzz "$@" | tee "$out/accelerators.log" || status=1
  {
    echo "| configurations | cases exact | failed | refused | sentences | write-backs | cycles | cycle model, largest error % |"
    echo "|---|---:|---:|---:|---:|---:|---:|---:|"
    grep '^| ' "$out/accelerators.log"
  } | write_section "Random accelerators"
  return $status
}

golden() {
  sanitized_build golden/edgebert-golden
  local status=0
  UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
    "$build"/golden/edgebert-golden --model models/sst2 --data "$1" > "$out/golden.log" 2>&1 ||
    status=$?
  tail -n 20 "$out/golden.log"
  {
    echo '```'
    echo "edgebert-golden --model models/sst2 --data $(basename "$1"): exit status $status"
    tail -n 20 "$out/golden.log"
    echo '```'
  } | write_section "The golden machine on a data set"
  return $status
}

scripts/install.sh
case "${1:-}" in
  readers | accelerators | golden) "$@" ;;
  *)
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
