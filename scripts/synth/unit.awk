# netlist.v stat.txt sta.log: "unit,cells,area,register period,port period,start,end".
FNR == 1 { file++ }
# The name of the net that a register of the unit itself drives.
file == 1 && /^module / { inside = $2 == unit || $2 == "\\" unit || $2 == unit "(" || index($2, unit "(") == 1 }
file == 1 && inside && /^  DFF[A-Z0-9]* / { cell = $2 }
file == 1 && inside && /^    \.Q\(/ {
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
# A register by that net; one inside an instance by the path of the instance.
function name(pin) {
  if (pin in driven) return driven[pin]
  sub(/\/_[0-9]+_$/, "", pin)
  return pin
}
END { printf "%s,%d,%.0f,%.2f,%.2f,%s,%s\n", unit, cells, area, registers, ports, name(start), name(end) }
