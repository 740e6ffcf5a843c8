#!/usr/bin/env bash
# Writes rtl/ anew, the common modules and one folder for each preset in generator/configs, and the
# GTKWave views in waves/.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
[ -f "$build/build.ninja" ] || scripts/build.sh
ninja -C "$build" generator/edgebert-gen
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
for config in generator/configs/*.cfg; do
  "$build/generator/edgebert-gen" --config "$config" --out "$new"
done
find rtl -mindepth 1 -maxdepth 1 -type d -exec rm -r {} +
rm -rf waves/filters waves/*.gtkw
mkdir -p waves
cp -r "$new"/waves/* waves/
rm -r "$new/waves"
cp -r "$new"/* rtl/
