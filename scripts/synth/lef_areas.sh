#!/usr/bin/env bash
# Copies a liberty file to a folder, corrected, and prints the cells that have another area there.
#   lef_areas.sh FILE.lib FOLDER
# Cells of the OSU libraries have another area in the liberty file than in the LEF, which draws the mapping to one of
# them: where there is a LEF beside it, its sizes hold. Pads in the same file would be taken for strong buffers.
set -euo pipefail
lef=${1%.lib}.lef
if [ -f "$lef" ]; then
  awk -v list="$2/corrected" '
    NR == FNR {
      if ($1 == "MACRO") macro = $2
      if ($1 == "SIZE") size[macro] = $2 * $4
      if ($1 == "CLASS" && $2 == "PAD") pad[macro] = 1
      next
    }
    /^ *cell *\(/ {
      cell = $0
      sub(/^[^(]*\( */, "", cell)
      sub(/ *\).*/, "", cell)
      if (cell in pad) $0 = $0 "\n  dont_use : true;"
    }
    /^ *area *:/ && cell in size {
      area = $0
      gsub(/[^0-9.]/, "", area)
      if (area != size[cell] && !(cell in pad)) print cell > list
      sub(/:.*/, ": " size[cell] ";")
    }
    { print }' "$lef" "$1" > "$2/$(basename "$1")"
  if [ -f "$2/corrected" ]; then paste -sd' ' "$2/corrected" | sed 's/ /, /g'; fi
else
  cp "$1" "$2"
fi
