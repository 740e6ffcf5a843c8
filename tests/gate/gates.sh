#!/usr/bin/env bash
# Stands in front of Verilator or Icarus (as the first `verilator` or `iverilog` in PATH): whatever design
# it is asked for, it synthesises it with Yosys, module by module, and passes on the netlist and the
# cells instead. So every test of an RTL unit runs on gates as it is. Icarus gets the design in a list of
# files (-c), and what is on its command line, a test bench, stays as it is.
#   GATES_SYNTH    the emitted synth.tcl, whose mapping to cells is used
#   GATES_LIBERTY  cells; their Verilog is what the liberty file says of their functions
#   GATES_BUG      "CELL=OTHER": every CELL behaves like OTHER, as a seeded bug
#   GATES_SEED     of what registers and SRAMs hold before reset in Icarus; 1 when not set
#   GATES_MARKER   file that gets the number of cells
# Memories (eb_sram_1r1w, eb_reram_macro) and clock gates stay as they are: a macro replaces them. Names of
# modules and of the variables in public.vlt are kept.
set -euo pipefail
PATH=${PATH#*:}
simulator=$(basename "$0")
[ "$1" != --version ] || exec "$simulator" "$@"
liberty=${GATES_LIBERTY:-/usr/share/qflow/tech/osu018/osu018_stdcells.lib}
flags=()
files=()
parameters=()
top=eb_top
while [ $# -gt 0 ]; do
  case $1 in
    --top-module) top=$2; flags+=("$1" "$2"); shift ;;
    -G*) parameter=${1#-G}; parameters+=(-chparam "${parameter%%=*}" "${parameter#*=}") ;;
    -Wall) ;;
    -c) mapfile -t files < <(grep '\.v$' "$2"); shift ;;
    --coverage-toggle) flags+=("$1" --coverage-underscore) ;;
    *.v) if [ "$simulator" = iverilog ]; then flags+=("$1"); else files+=("$1"); fi ;;
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
  [ ! -f public.vlt ] || sed -n 's/.*-module "\([^"]*\)" -var "\([^"]*\)".*/\1 \2/p' public.vlt | while read -r module variable; do
    echo "setattr -set keep 1 $module/w:$variable *\\\\$module/w:$variable *\\\\$module\\\\*/w:$variable"
  done
  cat << END
synth -nofsm -noabc -top $top
END
  sed -n -E '/^yosys (dfflegalize|dfflibmap|abc) / {
    s/^yosys //; s/ -constr [^ ]*//; s/\$cells/'"${liberty//\//\\/}"'/
    s/-cell \{([^}]*)\}/-cell \1/g; s/-script \{(.*)\}$/-script \1/; p }' "$GATES_SYNTH"
  cat << END
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
if [ "$simulator" = iverilog ]; then
  # Gates as assignments of the functions that the liberty file has of them, and the flip-flops of a
  # module that share clock and reset as one register: cell by cell, Icarus would take hours.
  awk '
    BEGIN { srand('"${GATES_SEED:-1}"') }
    function flush_registers(key, pins, condition, value, i) {
      for (key in bits) {
        split(key, pins, SUBSEP)
        condition = "posedge " pins[1] (pins[2] == "" ? "" : " or negedge " pins[2])
        value = ""
        for (i = 0; i < bits[key]; ++i) value = value (rand() < 0.5 ? 0 : 1)
        print "  reg [" bits[key] - 1 ":0] \\flops" ++registers " = " bits[key] "'\''b" value ";"
        print "  always @(" condition ")"
        if (pins[2] != "") print "    if (!" pins[2] ") \\flops" registers "  <= {" bits[key] "{" pins[3] "}}; else"
        print "    \\flops" registers "  <= {" inputs[key] "};"
        print "  assign {" outputs_of[key] "} = \\flops" registers " ;"
      }
      split("", bits); split("", inputs); split("", outputs_of)
    }
    NR == FNR {
      if ($1 == "cell") { cell = $2; gsub(/[()]/, "", cell) }
      if (match($0, /function : "[^"]*"/)) {
        text = substr($0, RSTART + 12, RLENGTH - 13)
        gsub(/ *\+ */, "|", text); gsub(/ /, "\\&", text); gsub(/!/, "~", text)
        function_of[cell] = ++outputs[cell] == 1 ? text : ""
      }
      next
    }
    $2 ~ /^_[0-9]+_$/ && ($1 ~ /^DFF(POSX1|SR)$/ || function_of[$1] ~ /^[ABCDS()&|^~]+$/) {
      kind = $1
      split("", net)
      next
    }
    kind != "" && $1 == ");" {
      text = ""
      for (i = 1; i <= length(function_of[kind]); ++i) {
        letter = substr(function_of[kind], i, 1)
        text = text (letter ~ /[A-Z]/ ? net[letter] : letter)
      }
      if (kind !~ /^DFF/) {
        print "  assign " net["Y"] " = " text ";"
      } else {
        # One of R and S is the reset, the other is off.
        if (kind == "DFFSR" && (net["R"] == "1'\''b1") == (net["S"] == "1'\''b1")) exit 1
        key = kind == "DFFPOSX1" ? net["CLK"] SUBSEP SUBSEP : net["S"] == "1'\''b1" ? \
              net["CLK"] SUBSEP net["R"] SUBSEP "1'\''b0" : net["CLK"] SUBSEP net["S"] SUBSEP "1'\''b1"
        inputs[key] = inputs[key] (bits[key] ? ",\n    " : "") net["D"]
        outputs_of[key] = outputs_of[key] (bits[key] ? ",\n    " : "") net["Q"]
        ++bits[key]
      }
      kind = ""
      next
    }
    kind != "" {
      sub(/,$/, "")
      pin = substr($1, 2, index($1, "(") - 2)
      net[pin] = substr($0, index($0, "(") + 1, length($0) - index($0, "(") - 1)
      next
    }
    /^endmodule/ { flush_registers() }
    { print }' "$liberty" named.v > assigned.v
  # Registers and memories start with random values: gates pass an unknown one on where they ignore it.
  for i in "${!kept[@]}"; do
    sed -E '
      s/^ *reg +\[(.*)-1:0\] +mem +\[0:(.*)-1\];/&\n integer n;\n initial for (n = 0; n < \2; n = n + 1) mem[n] = {(\1)\/32+1{$random}};/
      s/^ *reg +\[(.*)-1:0\] +(rd_data_q|data_q);/&\n initial \2 = {(\1)\/32+1{$random}};/' \
      "${kept[i]}" > "started_$(basename "${kept[i]}")"
    kept[i]=started_$(basename "${kept[i]}")
  done
  exec iverilog "${flags[@]}" assigned.v "${kept[@]}"
fi
printf '`verilator_config\ncoverage_off -file "cells.v"\n' > cells.vlt
exec verilator "${flags[@]}" -Wno-lint -Wno-fatal cells.vlt named.v cells.v "${kept[@]}"
