#!/usr/bin/env bash
# Draws accuracy against the rate of faulty ReRAM cells, mean and worst of the maps.
#   scripts/faults_picture.sh POINTS.tsv PICTURE.png
# POINTS.tsv is what edgebert-faults-bench writes: faulty part, rate, mean, worst.
set -euo pipefail
if [ $# -ne 2 ] || [ ! -f "$1" ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
plots() { # column of the accuracy
  cut -f 1 "$1" | sort -u | while read -r part; do
    printf '"< grep -F \x27%s\x27 %s | sort -g -t \x27\t\x27 -k 2" using 2:%d title "%s" \
with linespoints pointtype 7, ' "$part" "$1" "$2" "$part"
  done
}
gnuplot <<END
set terminal pngcairo size 1000,460 font "sans,10"
set output "$2"
set datafile separator "\t"
set logscale x
set format x "10^{%L}"
set xlabel "rate of faulty cells"
set ylabel "accuracy, %"
set yrange [0:100]
set grid
set key bottom left
set multiplot layout 1,2
set title "Mean of the maps"
plot $(plots "$1" 3) 1/0 notitle
set title "Worst of the maps"
plot $(plots "$1" 4) 1/0 notitle
unset multiplot
END
echo "$2"
