#!/usr/bin/env bash
# Stands in front of Verilator (as the first `verilator` in PATH): whatever design it is asked for, it
# synthesises it with Yosys, module by module, and passes on the netlist and the cells instead.
# So every test of an RTL unit runs on gates as it is.
#   GATES_LIBERTY  cells; their Verilog is what the liberty file says of their functions
#   GATES_BUG      "CELL=OTHER": every CELL behaves like OTHER, as a seeded bug
#   GATES_MARKER   file that gets the number of cells
# Memories (eb_sram_1r1w, eb_reram_macro) and clock gates stay as they are: a macro replaces them. Names of
# modules and of the variables in public.vlt are kept.
set -euo pipefail
PATH=${PATH#*:}
[ "$1" != --version ] || exec verilator "$@"
liberty=${GATES_LIBERTY:-/usr/share/qflow/tech/osu018/osu018_stdcells.lib}
flags=()
files=()
parameters=()
top=
while [ $# -gt 0 ]; do
  case $1 in
    --top-module) top=$2; flags+=("$1" "$2"); shift ;;
    -G*) parameter=${1#-G}; parameters+=(-chparam "${parameter%%=*}" "${parameter#*=}") ;;
    -Wall) ;;
    --coverage-toggle) flags+=("$1" --coverage-underscore) ;;
    *.v) files+=("$1") ;;
    *) flags+=("$1") ;;
  esac
  shift
done

kept=()
{
  for file in "${files[@]}"; do
    case $(basename "$file") in
      eb_sram_1r1w.v | eb_reram_macro.v | eb_clock_gate.v)
        kept+=("$file")
        echo "read_verilog -lib $file" ;;
      *) echo "read_verilog -defer $file" ;;
    esac
  done
  echo "hierarchy -check -top $top ${parameters[*]}"
  # Public variables keep their names.
  sed -n 's/.*-module "\([^"]*\)" -var "\([^"]*\)".*/\1 \2/p' public.vlt | while read -r module variable; do
    echo "setattr -set keep 1 $module/w:$variable *\\\\$module/w:$variable *\\\\$module\\\\*/w:$variable"
  done
  cat << END
synth -nofsm -noabc -top $top
dfflegalize -cell \$_DFF_P_ x -cell \$_DFF_PN0_ x -cell \$_DFF_PN1_ x
dfflibmap -liberty $liberty
abc -liberty $liberty -D 3000 -script +strash;&get,-n;&fraig,-x;&put;scorr;strash;&get,-n;&dch,-f;&nf,{D};&put;buffer,-c;upsize,{D};dnsize,{D};stime,-p
setundef -zero
opt_clean
tee -o stat.txt stat
write_verilog -noattr -noexpr -nohex -nodec netlist.v
design -reset
read_liberty $liberty
write_verilog -noattr cells.v
END
} > gates.ys
yosys -q -l yosys.log gates.ys > yosys.out 2>&1 || { tail -5 yosys.out >&2; exit 96; }

# "\$paramod$hash\eb_unit " is eb_unit where it is the only one.
awk '
  function plain(name) { sub(/^\\\$paramod(\$[0-9a-f]+)?\\/, "", name); sub(/\\.*/, "", name); return name }
  NR == FNR { if ($1 == "module" && index($2, "$paramod")) ++count[plain($2)]; next }
  match($0, /\\\$paramod[^ ]* /) {
    name = substr($0, RSTART, RLENGTH - 1)
    if (count[plain(name)] == 1) $0 = substr($0, 1, RSTART - 1) plain(name) " " substr($0, RSTART + RLENGTH)
  }
  { print }' netlist.v netlist.v > named.v
if [ -n "${GATES_BUG:-}" ]; then
  sed -i "s/^  ${GATES_BUG%=*} /  ${GATES_BUG#*=} /" named.v
fi
[ -z "${GATES_MARKER:-}" ] || awk '/Number of cells/ { n = $NF } END { print n }' stat.txt > "$GATES_MARKER"
printf '`verilator_config\ncoverage_off -file "cells.v"\n' > cells.vlt
exec verilator "${flags[@]}" -Wno-lint -Wno-fatal cells.vlt named.v cells.v "${kept[@]}"
