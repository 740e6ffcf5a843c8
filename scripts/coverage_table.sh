#!/usr/bin/env bash
# Merges the counts that simulators left in a folder into a table of modules, and lists what no
# count reached.
#   scripts/coverage_table.sh COUNTS_FOLDER HOLES_FILE
# Points of a module are joined over its instances and parameters: a line or bit is reached when it
# is in any of them. Only emitted modules count. The lines of functions are left out: Verilator 5.006
# counts every look-up of a table as one of its first entry, and no `else`.
set -euo pipefail
rtl=$(dirname "$0")/../rtl
source=$(mktemp)
trap 'rm -f "$source"' EXIT
for file in "$rtl"/common/*.v "$rtl"/tiny/eb_top.v; do
  awk -v module="$(basename "$file" .v)" '
    BEGIN { print module }
    /^ *function / { inside = 1 }
    inside { print module, FNR }
    /endfunction/ { inside = 0 }' "$file"
done > "$source"
find "$1" -name '*.dat' -print0 | xargs -0 cat | awk -v holes="$2" -v source="$source" '
  BEGIN {
    while ((getline entry < source) > 0) {
      if (split(entry, part, " ") == 1) emitted[entry] = 1
      else functions[part[1], part[2]] = 1
    }
    FS = "\001"
  }
  !/^C / { next }
  {
    file = line = column = comment = kind = ""
    for (i = 2; i <= NF; ++i) {
      key = substr($i, 1, index($i, "\002") - 1)
      value = substr($i, index($i, "\002") + 1)
      if (key == "f") { sub(/.*\//, "", value); sub(/\.v$/, "", value); file = value }
      else if (key == "l") line = value
      else if (key == "n") column = value
      else if (key == "page") { kind = value; sub(/\/.*/, "", kind); sub(/^v_/, "", kind) }
      else if (key == "o") comment = value
    }
    if (!(file in emitted) || (kind != "toggle" && (file, line) in functions)) next
    count = $0
    sub(/.* /, "", count)
    id = file SUBSEP kind SUBSEP line SUBSEP column SUBSEP comment
    reached[id] += count
  }
  END {
    for (id in reached) {
      split(id, part, SUBSEP)
      kind = part[2] == "toggle" ? "toggle" : "line"
      modules[part[1]] = 1
      ++points[part[1], kind]
      ++points["all", kind]
      if (reached[id] > 0) { ++hit[part[1], kind]; ++hit["all", kind] }
      else print part[1] " " kind " " part[3] ":" part[4] " " part[5] | "sort > " holes
    }
    print "| module | line points | reached % | toggle points | reached % |"
    print "|---|---:|---:|---:|---:|"
    for (module in modules) print text(module) | "sort"
    close("sort")
    print text("all")
  }
  function percent(module, kind) {
    if (points[module, kind] == 0) return "-"
    return sprintf("%.1f", 100 * hit[module, kind] / points[module, kind])
  }
  function text(module) {
    return sprintf("| `%s` | %d | %s | %d | %s |", module, points[module, "line"],
                   percent(module, "line"), points[module, "toggle"], percent(module, "toggle"))
  }
'
