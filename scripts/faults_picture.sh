#!/usr/bin/env bash
# Draws accuracy against the rate of faulty ReRAM cells, mean and worst of the maps.
#   scripts/faults_picture.sh POINTS.tsv PICTURE.png
# POINTS.tsv is what edgebert-faults-bench writes: one block a faulty part.
set -euo pipefail
if [ $# -ne 2 ] || [ ! -f "$1" ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
gnuplot <<END
set terminal pngcairo size 1000,480 font "sans,10"
set output "$2"
set datafile separator "\t"
set logscale x
set format x "10^{%L}"
set xlabel "rate of faulty cells"
set yrange [40:100]
set grid
set key outside right top
stats "$1" using 2:3 nooutput
parts = STATS_blocks
set multiplot layout 1,2
set ylabel "accuracy, %"
set title "Mean of the maps"
set key off
plot for [i=0:parts-1] "$1" index i using 2:3 with linespoints pointtype 7 linetype i+1
set title "Worst of the maps"
set key bottom left inside
plot for [i=0:parts-1] "$1" index i using 2:4 with linespoints pointtype 7 linetype i+1 \
  title word(system(sprintf("awk -F '\\t' -v RS='\\n\\n\\n' 'NR==%d{gsub(/ /,\"_\",\$1);print \$1}' $1", i+1)),1) noenhanced
unset multiplot
END
echo "$2"
