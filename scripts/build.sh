#!/usr/bin/env bash
# Configures and builds into build/ (or $BUILD): everything, or the targets named. Installs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
if [ ! -f "$build/build.ninja" ]; then
  CXX="${CXX:-ccache clang++}" meson setup "$build"
fi
ninja -C "$build" "$@"
