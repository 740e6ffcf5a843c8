#!/usr/bin/env bash
# Configures and builds into build/ (or $BUILD). Installs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
if [ ! -f "$build/build.ninja" ]; then
  CXX="${CXX:-ccache clang++}" meson setup "$build" >"/tmp/edgebert-setup.$$" 2>&1 ||
    { cat "/tmp/edgebert-setup.$$" >&2; rm -f "/tmp/edgebert-setup.$$"; exit 3; }
  rm -f "/tmp/edgebert-setup.$$"
fi
ninja -C "$build"
