#!/usr/bin/env bash
# Proves what tests/formal says of the emitted units, seeds its bugs, and writes
# docs/results/formal.md.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

scripts/install.sh
scripts/build.sh tests/formal/formal_test
"$build"/tests/formal/formal_test | tee "$log"

cat > docs/results/formal.md <<EOF
# What is proved of the emitted units

Each row is a checker of \`tests/formal\` with free inputs around a unit of \`rtl/common\`. *cycles* is how far its
assertions were searched from reset; "every": they hold in every state that can be reached (Yosys makes the circuit, ABC's property-directed
reachability proves it). *bugs* were seeded into the unit one at a time, and each failed the assertion it was meant for.
In the proofs of \`eb_registers\`, \`eb_counter\` and \`eb_sequencer\`, registers that no reset sets begin at 0, and bugs are searched for 50 cycles; the counters in
\`eb_registers\` are stand-ins that show their inputs.
Around \`eb_sequencer\` is any program, and units, reader and writer that answer or end at will, or never. With Fair=1 they wait for at most one
cycle, and something then happens at least every 20 cycles (no_deadlock): so an abort, which clears in the next cycle, ends in idle.
Seconds are of one proof, on a busy machine. Made by \`scripts/formal.sh\`.

| unit | parameters | assertions | cycles | bugs | s |
|---|---|---|---:|---:|---:|
$(grep '^| ' "$log")
EOF
echo "wrote docs/results/formal.md"
