#!/usr/bin/env bash
# Writes rtl/ anew: the common modules and one folder for each preset in generator/configs.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh >/dev/null
gen=${BUILD:-build}/generator/edgebert-gen
find rtl -mindepth 1 -maxdepth 1 -type d -exec rm -r {} +
for config in generator/configs/*.cfg; do
  "$gen" --config "$config" --out rtl
done
