#!/usr/bin/env bash
# Draws a training run: learning curve, accuracy against mean exit layer, and the reach of each head.
#   scripts/train_picture.sh DIR
# DIR is a folder that edgebert-train wrote; the picture is DIR/run.png.
set -euo pipefail
if [ $# -ne 1 ] || [ ! -f "$1/log.tsv" ]; then
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
fi
gnuplot <<END
set terminal pngcairo size 1500,420 font "sans,10"
set output "$1/run.png"
set datafile separator "\t"
set key autotitle columnhead
set key bottom right
set grid
set multiplot layout 1,3
set title "Learning curve"
set xlabel "step"
set ylabel "accuracy, sparsity"
set yrange [0:1.02]
plot "$1/log.tsv" using 1:5 with lines title "training accuracy", \
     "" using 1:6 with linespoints pointtype 7 title "validation accuracy", \
     "" using 1:9 with lines title "encoder zeros", \
     "" using 1:10 with lines title "embedding zeros"
set title "Early exit"
set xlabel "mean exit layer"
set ylabel "validation accuracy"
set autoscale y
plot "$1/exits.tsv" using 2:3 with linespoints pointtype 7 notitle
set title "Attention spans"
set xlabel "head"
set ylabel "reach in tokens"
set style fill solid 0.6
set boxwidth 0.7
set yrange [0:*]
$([ "$(wc -l < "$1/spans.tsv")" -lt 2 ] && echo 'set label "no learnt spans" at graph 0.3,0.5
plot [0:1][0:1] -1 notitle' || echo "plot '$1/spans.tsv' using 1:2 with boxes notitle")
unset multiplot
END
echo "$1/run.png"
