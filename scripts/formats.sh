#!/usr/bin/env bash
# Compares number formats in one column of the array: 16 products a cycle, summed with a partial sum, exactly (bfloat16:
# in single precision), around the multiplier of each format: area, clock, and energy of a real sentence.
#   scripts/formats.sh --check        only the functional tests of the multipliers and columns
#   scripts/formats.sh --windows      energy of AdaptivFloat<8,3> at several places of the sentence
#   scripts/formats.sh [REPORT.md]    the tables alone of docs/results/formats.md
# FORMATS: another folder than scripts/synth/formats. TRACE: a VCD of the array's ports recorded before. Exit status 1: a unit is wrong; 3: a tool failed.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
formats=${FORMATS:-scripts/synth/formats}
multiplier=rtl/common/eb_af_multiplier.v
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# name;module parameters: kind, bits, exponent bits, bits of a product, bits of an exact sum (K = 3072)
units='AdaptivFloat<8,3>;af 8 3 25 37
AdaptivFloat<8,4>;af 8 4 39 51
AdaptivFloat<6,2>;af 6 2 15 27
AdaptivFloat<4,2>;af 4 2 11 22
INT8 Baugh-Wooley, 32 bits;int8_baugh_wooley 8 0 16 32
INT8 Baugh-Wooley, exact;int8_baugh_wooley 8 0 16 27
INT8 of Yosys, 32 bits;int8_tool 8 0 16 32
INT8 sign and magnitude, 32 bits;int8_magnitude 8 0 15 32
FP8 E4M3;minifloat 8 4 37 49
FP8 E5M2;minifloat 8 5 67 77'

if [ "${1:-}" = --check ]; then
  check() { # NAME FILE...
    iverilog -g2005 -Wall -o "$work/test" "${@:2}" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 3; }
    vvp -n "$work/test" > "$work/log"
    printf '%-34s%s\n' "$1" "$(cat "$work/log")"
    grep -qx PASS "$work/log" || exit 1
  }
  while IFS=';' read -r name parameters; do
    read -r kind bits exponent product sum <<< "$parameters"
    check "$name" -P "formats_test.Kind=\"$kind\"" -P "formats_test.CodeW=$bits" -P "formats_test.ExpW=$exponent" \
      -P "formats_test.ProdW=$product" -P "formats_test.AccW=$sum" "$formats/formats_test.v" "$formats/format_dot.v" \
      "$formats/multipliers.v" "$multiplier"
  done <<< "$units"
  check bfloat16 "$formats/bf16_test.v" "$formats/bf16_dot.v"
  exit 0
fi

report=${1:-}
config=generator/configs/default.cfg
text='a gorgeous , witty , seductive movie .'
rows=200       # cycles replayed, of the array's busy ones
skip=4000      # of them before
liberty=/usr/share/qflow/tech/osu018/osu018_stdcells.lib
cells=${liberty%.lib}.v
scripts/synth/lef_areas.sh "$liberty" "$work" > "$work/corrected"
liberty=$work/$(basename "$liberty")
if [ -n "${TRACE:-}" ]; then
  cp "$TRACE" "$work/array.vcd"
else
  "$build/cosim/edgebert-cosim" --config $config --model models/sst2 --text "$text" --trace="$work/array.fst" \
    --trace-scope u_matmul.u_vmac_array --trace-depth 1 --trace-from 0 --trace-to 40000 > "$work/cosim.log" 2>&1 ||
    { cat "$work/cosim.log" >&2; exit 3; }
  fst2vcd -f "$work/array.fst" -o "$work/array.vcd" > /dev/null
fi
ours=$(sed -n 's/^yosys abc .* -script {\(.*\)}$/\1/p' rtl/default/synthesis/synth.tcl)
default='+strash;&get,-n;&fraig,-x;&put;scorr;dc2;strash;&get,-n;&dch,-f;&nf,{D};&put;buffer,-c;upsize,{D};dnsize,{D};stime,-p'

# "cells,area,ns" of a unit in $work/NUMBER.
#   synthesise NUMBER PARAMETERS DELAY ABC
synthesise() {
  local out=$work/$1 unit=format_dot kind bits exponent product sum
  read -r kind bits exponent product sum <<< "$2"
  mkdir -p "$out"
  if [ "$kind" = bf16 ]; then
    unit=bf16_dot
    printf 'read_verilog %s\nprep -top %s\n' "$formats/bf16_dot.v" $unit > "$out/elaborate.ys"
  else
    printf 'read_verilog %s %s %s\nchparam -set Kind "%s" -set CodeW %d -set ExpW %d -set ProdW %d -set AccW %d %s\n' \
      "$formats/format_dot.v" "$formats/multipliers.v" "$multiplier" "$kind" "$bits" "$exponent" "$product" "$sum" $unit \
      > "$out/elaborate.ys"
    printf 'hierarchy -check -top %s\nproc\n' $unit >> "$out/elaborate.ys"
  fi
  printf 'write_rtlil %s/top.il\n' "$out" >> "$out/elaborate.ys"
  sed -e "s|@IN@|$out/top.il|; s|@MODULE@|$unit|; s|@UNIT@|$unit|; s|@OUT@|$out|; s|@LIBERTY@|$liberty|" \
    -e "s|-D 3000|-D $3|; s|@ABC@|${4//&/\\&}|; /^rename/d" scripts/synth/unit.ys > "$out/unit.ys"
  yosys -q "$out/elaborate.ys" > "$out/log" 2>&1 && yosys -q "$out/unit.ys" > "$out/log" 2>&1 ||
    { cat "$out/log" >&2; exit 3; }
  UNIT=$unit LIBERTY=$liberty OUT=$out sta -no_splash -exit scripts/synth/unit.tcl > "$out/sta.log" 2>&1
  awk -v unit=$unit -f scripts/synth/unit.awk "$out/netlist.v" "$out/stat.txt" "$out/sta.log" | cut -d, -f2-4
}

# "pJ,glitch": energy of a cycle with the delays of the cells, over that without.
#   energy NUMBER PARAMETERS
energy() {
  local out=$work/$1 unit=format_dot kind bits exponent product sum flag ports='.clk_i(clk_i),.load_i(load_i),.row_i(row_i)'
  local i results=()
  read -r kind bits exponent product sum <<< "$2"
  [ "$kind" != bf16 ] || unit=bf16_dot
  awk -v kind="$kind" -v bits="$bits" -v expbits="$exponent" -f "$formats/stimulus.awk" "$work/array.vcd" |
    awk -v rows=$rows -v skip=$skip 'substr($0, 2, 1) == 1 && ++n > skip && n <= skip + rows' > "$out/stimulus.hex"
  for ((i = 0; i < 16 * bits; ++i)); do ports+=",.\\a_i[$i] (a_i[$i]),.\\b_i[$i] (b_i[$i])"; done
  for ((i = 0; i < sum; ++i)); do ports+=",.\\old_i[$i] (old_i[$i]),.\\new_o[$i] (new_o[$i])"; done
  printf '`define UNIT %s\n`define PORTS %s\n' $unit "$ports" > "$out/ports.v"
  UNIT=$unit LIBERTY=$liberty OUT=$out sta -no_splash -exit scripts/synth/power.tcl > "$out/power.log" 2>&1
  for flag in -gspecify -gno-specify; do
    iverilog -g2005 $flag -o "$out/replay" -P "replay.CodeW=$bits" -P "replay.AccW=$sum" -P replay.Rows=$rows \
      "$out/ports.v" "$formats/replay.v" "$out/netlist.v" "$cells" > "$out/log" 2>&1 || { cat "$out/log" >&2; exit 3; }
    (cd "$out" && vvp -n replay) > "$out/log"
    if grep -q FAIL "$out/log"; then cat "$out/log" >&2; exit 3; fi
    results+=("$(awk -v from=33000 -v cycles=$rows -f scripts/synth/power.awk "$out/power.log" "$out/netlist.v" "$out/activity.vcd")")
  done
  echo "${results[*]}" | awk '{ printf "%.2f,%.2f,%.2f\n", $1 / 16, $4 / 16, $3 / $6 }'
}

if [ "${1:-}" = --windows ]; then
  synthesise 1 'af 8 3 25 37' 3000 "$ours" > /dev/null
  printf '| busy cycles from | pJ a MAC | without glitches |\n|---|---|---|\n'
  for skip in 1000 4000 8000 12000 16000 20000 24000; do
    energy 1 'af 8 3 25 37' | awk -F, -v skip=$skip '{ printf "| %d | %.2f | %.2f |\n", skip, $1, $2 }'
  done
  exit 0
fi

number=0
{
  printf '| format | bits of the sum | cells | um2 | ns | pJ a MAC | pJ without glitches | transitions, with and without |\n|---|---|---|---|---|---|---|---|\n'
  while IFS=';' read -r name parameters; do
    number=$((number + 1))
    IFS=, read -r count area period <<< "$(synthesise $number "$parameters" 3000 "$ours")"
    IFS=, read -r joules quiet glitch <<< "$(energy $number "$parameters")"
    printf '| %s | %d | %d | %d | %.2f | %.2f | %.2f | %.2f |\n' "$name" "${parameters##* }" "$count" "$area" "$period" \
      "$joules" "$quiet" "$glitch"
  done <<< "$units
bfloat16, single precision;bf16 16 8 0 32"
  printf '\n| abc | AdaptivFloat<8,3> um2 | ns | INT8 Baugh-Wooley um2 | ns | E4M3 um2 | ns | over INT8: um2 | ns | over E4M3: um2 |\n|---|---|---|---|---|---|---|---|---|---|\n'
  for variant in "ours, 3 ns;3000;$ours" "ours, 2 ns;2000;$ours" "ours, 4 ns;4000;$ours" "with dc2;3000;$default"; do
    IFS=';' read -r label delay _ <<< "$variant"
    abc=${variant#*;*;}
    line=
    for parameters in 'af 8 3 25 37' 'int8_baugh_wooley 8 0 16 32' 'minifloat 8 4 37 49'; do
      line+=$(synthesise variant "$parameters" "$delay" "$abc"),
    done
    awk -F, -v label="$label" '{
      printf "| %s | %d | %.2f | %d | %.2f | %d | %.2f | %.2f | %.2f | %.2f |\n", label, $2, $3, $5, $6, $8, $9, $2 / $5, $3 / $6, $2 / $8
    }' <<< "$line"
  done
} | tee "$work/table.md"
if [ -n "$report" ]; then cp "$work/table.md" "$report"; fi
