#!/usr/bin/env bash
# Synthesises the units of an accelerator one by one (Yosys) and times them (OpenSTA): cells, area, and the
# clock period of the slowest path between registers and of the slowest one to or from a port.
#   scripts/synth.sh [--config FILE.cfg] [--liberty FILE.lib] [--depths "1 2 3 4"] [--report FILE.md] [UNIT...]
#     --config   accelerator; generator/configs/default.cfg when not given
#     --liberty  cells; Debian's OSU018, typical corner, when not given
#     --depths   the array also at these settings of vmac.pipeline
#     --report   writes the tables there, as Markdown
#     UNIT       modules such as eb_softmax; all that eb_top instantiates when none is given
# Wires have no delay; memories and clock gates are stand-ins (scripts/synth/stand_ins.v). Exit status 3: a tool failed.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
command="scripts/synth.sh $*"
config=generator/configs/default.cfg
liberty=/usr/share/qflow/tech/osu018/osu018_stdcells.lib
depths=
report=
units=()
while [ $# -gt 0 ]; do
  case $1 in
    --config) config=$2; shift 2 ;;
    --liberty) liberty=$2; shift 2 ;;
    --depths) depths=$2; shift 2 ;;
    --report) report=$2; shift 2 ;;
    eb_*) units+=("$1"); shift ;;
    *) sed -n '2,11s/^# \?//p' "$0" >&2; exit 2 ;;
  esac
done
for file in "$config" "$liberty"; do
  [ -f "$file" ] || { echo "error: no file '$file'" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
corrected=$(scripts/synth/lef_areas.sh "$liberty" "$work")
liberty=$work/$(basename "$liberty")

# Elaborates the accelerator and saves it with every module under the name that its parameters give it.
#   elaborate NAME [OPTION...]: options of edgebert-gen beside the configuration
elaborate() {
  local out=$work/$1
  shift
  "$build/generator/edgebert-gen" --config "$config" --memory.backend macro "$@" --out "$out" > /dev/null
  {
    echo "read_verilog scripts/synth/stand_ins.v"
    find "$out"/common "$out"/*/eb_top.v -name '*.v' ! -name 'eb_clock_gate.v' ! -name 'eb_sram_1r1w_macro.v' ! -name 'eb_reram_array_macro.v' |
      sort | sed 's/^/read_verilog /'
    echo "hierarchy -check -top eb_top"
    echo "proc"
    echo "write_rtlil $out/top.il"
  } > "$out/elaborate.ys"
  yosys -q "$out/elaborate.ys" > "$out/elaborate.log" 2>&1 || { cat "$out/elaborate.log" >&2; exit 3; }
}

# The name of a unit's module: "\eb_unit" or "$paramod...\eb_unit..."; the first, if there are several.
#   module_of NAME UNIT
module_of() {
  awk -v unit="$2" '
    $1 == "module" && ($2 == "\\" unit || index($2 "\\", "\\" unit "\\")) { print $2; exit }' \
    "$work/$1/top.il"
}

# Prints "unit,cells,area,register period,port period,start,end" of a module.
#   synthesise NAME UNIT
synthesise() {
  local out=$work/$1/$2
  local module abc
  mkdir -p "$out"
  module=$(module_of "$1" "$2")
  [ -n "$module" ] || { echo "error: no module '$2' in this accelerator" >&2; exit 2; }
  # As the emitted script maps it.
  abc=$(sed -n 's/^yosys abc .* -script {\(.*\)}$/\1/p' "$work/$1"/*/synthesis/synth.tcl)
  sed -e "s|@IN@|$work/$1/top.il|; s|@MODULE@|${module//\\/\\\\}|; s|@UNIT@|$2|; s|@OUT@|$out|" \
    -e "s|@LIBERTY@|$liberty|; s|@ABC@|${abc//&/\\&}|" scripts/synth/unit.ys > "$out/unit.ys"
  yosys -q -l "$out/yosys.log" "$out/unit.ys" > /dev/null 2> "$out/errors" || { cat "$out/errors" >&2; exit 3; }
  UNIT=$2 LIBERTY=$liberty OUT=$out sta -no_splash -exit scripts/synth/unit.tcl > "$out/sta.log" 2>&1
  if grep -q '^Error' "$out/sta.log"; then cat "$out/sta.log" >&2; exit 3; fi
  awk -v unit="$2" -f scripts/synth/unit.awk "$out/netlist.v" "$out/stat.txt" "$out/sta.log"
}

table() {
  printf '| unit | cells | mm2 | register to register, ns | ports, ns | slowest register path |\n'
  printf '|---|---|---|---|---|---|\n'
}
row() { awk -F, '{ printf "| %s | %d | %.3f | %.2f | %.2f | %s to %s |\n", $1, $2, $3 / 1e6, $4, $5, $6, $7 }'; }

elaborate base
if [ ${#units[@]} -eq 0 ]; then
  # Those that the parameters leave out are not elaborated.
  mapfile -t named < <(grep -ho '^ \+eb_[a-z0-9_]* #(\|^  eb_[a-z0-9_]* u_' "$work"/base/*/eb_top.v |
    grep -o 'eb_[a-z0-9_]*' | grep -v 'eb_sram_1r1w\|eb_reram_macro\|eb_reset_sync\|eb_unit_clock' | sort -u)
  for unit in "${named[@]}"; do
    if [ -n "$(module_of base "$unit")" ]; then units+=("$unit"); fi
  done
fi
tables=$work/tables.md
{
  table
  for unit in "${units[@]}"; do synthesise base "$unit" | row; done
} | tee "$tables"
if [ -n "$depths" ]; then
  {
    printf '\n| vmac.pipeline | array: register to register, ns | to the accumulator, ns | clock, MHz | mm2 |\n|---|---|---|---|---|\n'
    for depth in $depths; do
      elaborate "depth$depth" --vmac.pipeline "$depth"
      synthesise "depth$depth" eb_vmac_array |
        awk -F, -v depth="$depth" '{
          slowest = $4 > $5 ? $4 : $5
          printf "| %d | %.2f | %.2f | %.0f | %.3f |\n", depth, $4, $5, 1000 / slowest, $3 / 1e6 }'
    done
  } | tee -a "$tables"
fi
if [ -n "$report" ]; then
  {
    printf '# Area and clock\n\n'
    printf 'Written by `%s`.\n' "$command"
    printf '%s; OpenSTA %s; %s. ' "$(yosys -V | cut -d' ' -f1,2)" \
      "$(dpkg-query -W -f='${Version}' opensta 2> /dev/null || echo '?')" "$(basename "$liberty")"
    printf 'Typical corner, no wires, memories as registers, clock gates with the whole cycle for their enable: figures to compare with each other.\n'
    if [ -n "$corrected" ]; then printf 'Areas are those of the LEF where the liberty file differs (%s).\n' "$corrected"; fi
    echo
    cat "$tables"
  } > "$work/report.md"
  mv "$work/report.md" "$report"
fi
