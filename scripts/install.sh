#!/usr/bin/env bash
# Installs what is missing from Debian 12, and the packages named (needs root or sudo only when
# something is missing).
set -euo pipefail

packages=(
  meson ninja-build pkg-config g++ clang ccache make git ca-certificates
  verilator yosys iverilog opensta qflow-tech-osu018 z3
  gtkwave xvfb xauth imagemagick gnuplot-nox libxml2-utils
  libboost-program-options-dev libfmt-dev nlohmann-json3-dev libsentencepiece-dev
  libgtest-dev libgmock-dev libeigen3-dev libhwy-dev zlib1g-dev
  "$@"
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "error: need root (or sudo) to install: ${missing[*]}" >&2; exit 3; }
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends "${missing[@]}"
