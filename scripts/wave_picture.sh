#!/usr/bin/env bash
# Renders a GTKWave view to a PNG, without a display.
#   scripts/wave_picture.sh VIEW.gtkw PICTURE.png
# The view names its own trace, as the views do that edgebert-cosim writes.
set -euo pipefail
if [ $# -ne 2 ]; then
  echo "usage: $0 VIEW.gtkw PICTURE.png" >&2
  exit 2
fi
view=$1
picture=$2
[ -f "$view" ] || { echo "$view: error: no such file" >&2; exit 2; }

# The screen is as large as the view's window (its [size] line).
export PICTURE=$picture VIEW=$view
xvfb-run --auto-servernum --server-args="-screen 0 1600x1200x24" bash -c '
  set -euo pipefail
  gtkwave --rcfile=/dev/null "$VIEW" >/dev/null 2>&1 &
  gtkwave=$!
  trap "kill $gtkwave 2>/dev/null || true" EXIT
  # GTKWave does not say when it has drawn: wait until the screen holds many colours and rests.
  last=
  for _ in $(seq 60); do
    sleep 1
    kill -0 $gtkwave 2>/dev/null || { echo "$VIEW: error: GTKWave cannot open it" >&2; exit 3; }
    import -window root -depth 8 "$PICTURE.tmp.png"
    now=$(identify -format "%k %#" "$PICTURE.tmp.png")
    if [ "${now%% *}" -gt 16 ] && [ "$now" = "$last" ]; then break; fi
    last=$now
  done
  # Without the window title and tool bar.
  convert "$PICTURE.tmp.png" -gravity north -chop 0x98 -colors 64 "$PICTURE"
  rm "$PICTURE.tmp.png"
'
echo "$picture"
