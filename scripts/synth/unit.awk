# netlist.v stat.txt sta.log: "unit,cells,area,register period,port period,start,end".
FNR == 1 { file++ }
# The name of the net that a register drives.
file == 1 && /^  DFF[A-Z0-9]* / {
  cell = $2
  sub(/^\\/, "", cell)
}
file == 1 && /^    \.Q\(/ {
  net = $0
  sub(/^ *\.Q\(\\?/, "", net)
  sub(/ *\),?$/, "", net)
  driven[cell] = net
}
file == 2 && /Number of cells:/ { cells = $NF }
file == 2 && /Chip area for (top )?module/ { area = $NF }
file == 3 && /^=== / { section = $2 " " $3 }
file == 3 && /^Startpoint/ && section ~ /^registers/ { start = $2 }
file == 3 && /^Endpoint/ && section ~ /^registers/ { end = $2 }
file == 3 && / slack / {
  period = 100 - $1
  if (section ~ /^registers/) { registers = period } else if (period > ports) { ports = period }
}
function name(register) {
  gsub(/\\/, "", register)
  return register in driven ? driven[register] : register
}
END { printf "%s,%d,%.0f,%.2f,%.2f,%s,%s\n", unit, cells, area, registers, ports, name(start), name(end) }
