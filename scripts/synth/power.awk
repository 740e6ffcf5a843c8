# power.log netlist.v activity.vcd, with -v from=TIME -v cycles=N: "pJ a cycle", of it "at no activity", and "toggles of
# cell outputs a cycle", of what the VCD has from `from` on. 10 ns are the cycle of power.tcl.
FNR == 1 { file++ }
file == 1 && /^===/ { run++ }
file == 1 && NF == 5 && $1 ~ /^[0-9]/ { power[run, $5] = $4; if (run == 1) still += $4 }
file == 2 && /^  [A-Z][A-Z0-9]* / { cell = $2; sub(/^\\/, "", cell) }
file == 2 && /^    \.(Y|Q)\(/ {
  net = $0
  sub(/^ *\.[YQ]\(\\?/, "", net)
  sub(/ *\),?$/, "", net)
  slope[net] = power[2, cell] - power[1, cell]
}
file == 3 && $1 == "$var" { net = $5; sub(/^\\/, "", net); if (net in slope) weight[$4] = slope[net] }
file == 3 && /^#/ { now = substr($0, 2) + 0 }
file == 3 && now >= from && /^[01]/ {
  code = substr($0, 2)
  if (code in weight) { toggles++; moved += weight[code] }
}
END { printf "%.6g %.6g %.6g\n", (still + moved / cycles) * 1e4, still * 1e4, toggles / cycles }
