#!/usr/bin/env bash
# Scales the measured energy of a product to sentences by what was counted on the RTL: each saving, array sizes, and
# embeddings in ReRAM or DRAM.
#   scripts/energy.sh [REPORT.md]   writes docs/results/energy.md, or REPORT.md
#   scripts/energy.sh --check       only the arithmetic, on a netlist and counts computed by hand
# Exit status 1: the arithmetic is wrong; 3: an input is not there.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
memory=scripts/synth/memory_energy.tsv

# Rows of "label;cycles;MACs;stream bytes;activation vectors;scores;ReRAM words" to a Markdown table in uJ.
#   savings MEMORY PJ_A_MAC DENSE_OVER_PRUNED
savings() {
  awk -F'[;\t]' -v pruned="$2" -v ratio="$3" '
    FNR == 1 { file++ }
    file == 1 && !/^#/ { bit[$1] = $2 }
    file == 2 {
      mac = $3 * pruned * ($1 ~ /pruned|^all/ ? 1 : ratio) / 1e6
      dram = $4 * 8 * bit["dram_read"] / 1e6
      sram = ($5 * 128 + $6 * 256) * bit["sram_read"] / 1e6
      reram = $7 * 64 * bit["reram_read"] / 1e6
      sum = mac + dram + sram + reram
      if (!first) first = sum
      printf "| %s | %d | %.1f | %.1f | %.2f | %.3f | %.1f | %.2fx |\n", $1, $2, mac, dram, sram, reram, sum, first / sum
    }' "$1" -
}

if [ "${1:-}" = --check ]; then
  # An inverter of 1 pW still and 3 pW at a transition a cycle, a register of 2 pW and 6 pW, four cycles of 10 ns: the
  # inverter moves four times, the register twice. (1 + 2) + (4 * 2 + 2 * 4) / 4 = 7 pW.
  printf '=== activity 0.0\n 0 0 0 1e-12 u1\n 0 0 0 2e-12 u2\n=== activity 1.0\n 0 0 0 3e-12 u1\n 0 0 0 6e-12 u2\n' > "$work/power"
  printf '  INVX1 u1 (\n    .Y(a)\n  );\n  DFFPOSX1 u2 (\n    .Q(b)\n  );\n' > "$work/netlist"
  printf '$var wire 1 ! a $end\n$var wire 1 " b $end\n#0\n0!\n0"\n#10\n1!\n1"\n#20\n0!\n#30\n1!\n0"\n#40\n0!\n' > "$work/vcd"
  got=$(awk -v from=5 -v cycles=4 -f scripts/synth/power.awk "$work/power" "$work/netlist" "$work/vcd")
  [ "$got" = '7e-08 3e-08 1.5' ] || { echo "FAIL: power.awk says '$got'"; exit 1; }
  # 1000 MACs of 2 pJ, dense at 3 times: 6 nJ; 10 bytes of 5 pJ a bit: 400 pJ; a vector and a score at 1 pJ a bit:
  # 384 pJ; a word at 2 pJ a bit: 128 pJ.
  printf 'sram_read\t1\tx\nreram_read\t2\tx\ndram_read\t5\tx\n' > "$work/memory"
  got=$(printf 'dense;7;1e9;1e7;1e6;1e6;1e6\nall;7;1e9;0;0;0;0\n' | savings "$work/memory" 2 3)
  expected='| dense | 7 | 6000.0 | 400.0 | 384.00 | 128.000 | 6912.0 | 1.00x |
| all | 7 | 2000.0 | 0.0 | 0.00 | 0.000 | 2000.0 | 3.46x |'
  [ "$got" = "$expected" ] || { echo "FAIL: savings says '$got'"; exit 1; }
  echo PASS
  exit 0
fi

report=${1:-docs/results/energy.md}
golden=${BUILD:-build}/golden/edgebert-golden
text='a gorgeous , witty , seductive movie .'
# Mean, least and most of the windows of a sentence.
read -r product least most <<< "$(awk -F' *[|] *' '
  $2 == "busy cycles from" { on = 1 }
  /^$/ { on = 0 }
  on && $3 + 0 > 0 { n++; sum += $3; if (n == 1 || $3 < least) least = $3; if ($3 > most) most = $3 }
  END { if (n) printf "%.2f %.2f %.2f", sum / n, least, most }' docs/results/formats.md)"
ratio=$(awk -F' *[|] *' '$2 == "100 %" { dense = $4 } $2 == "45 %" { pruned = $4 } END { print dense / pruned }' docs/results/gating.md)
[ -n "$product" ] && [ -x "$golden" ] || { echo "error: no docs/results/formats.md or no $golden" >&2; exit 3; }
exit_alone=$(awk -F' *[|] *' '$2 ~ /^only early exit/ { gsub(/[*]/, "", $4); print $4 }' docs/results/cycles.md)
words=$(awk -F' *[|] *' '$2 == "all" { print $9 }' docs/results/cycles.md)
[ -n "$exit_alone" ] && [ -n "$words" ] || { echo "error: docs/results/cycles.md has other rows" >&2; exit 3; }
pj() { awk -F'\t' -v name="$1" '$1 == name { print $2 }' $memory; }
"$golden" --model models/sst2 --text "$text" --config generator/configs/default.cfg --json "$work/run.json" --sweep-n > "$work/run"
number() { sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p" "$work/run.json" | tail -1; }
{
  cat << END
# Energy

Written by \`scripts/energy.sh\`, of [formats.md](formats.md), [gating.md](gating.md), [cycles.md](cycles.md) and
[task_switch.md](task_switch.md), which name their tools and runs. OSU018, 180 nm, typical corner, no wires: take ratios.

**Measured**: transitions of one column of the array on a sentence of the SST-2 model shipped before, glitches
included: $product pJ a product with its part of sum and registers, the mean of windows between $least and $most ("Over a
sentence" in formats.md); cycles, bytes, vectors and words counted on the RTL. **Modelled**: energy of a transition
(liberty file); dense weights at $(printf %.2f "$ratio") times a product of pruned ones (toggles of gating.md, 100 % against 45 % density).
**Assumed**: memories, without a source, $(awk -F'\t' '!/^#/ { printf "%s%s %s", n++ ? ", " : "", $1, $2 }' $memory) pJ a bit
(\`$memory\`, to be replaced). **Absent**: clock tree, leakage, waiting cycles, writes to memories,
and all units but the array's columns: softmax, layer norm, exit, embedding, stream and control.

## Each saving

Means of the 8 sentences of cycles.md; uJ. A row of padding is taken to cost what another row costs, which favours the savings.

| | cycles | products | weights from DRAM | activation and score memory | ReRAM | sum | against dense |
|---|---|---|---|---|---|---|---|
END
  awk -F' *[|] *' '/^## What each/ { on = 1 } on && NF > 9 && $5 + 0 > 0 {
    label = $2
    printf "%s;%d;%.0f;%d;%d;%d;%d\n", label, $3, $3 * ($5 / 100) * 256, $6, $7, $8, $9 }' docs/results/cycles.md |
    savings $memory "$product" "$ratio"
  cat << END

The row "only early exit" of cycles.md has cycles alone ($exit_alone). The paper has 5.2x less energy for all its savings ([ABS-v1])
and up to 7x against inference without early stopping, with voltage scaling ([ABS-v5]); their base is another. This accelerator has one voltage.

## Array size

The sentence "$text", exits after layer $(number mean_exit_layer); cycles by the exact model, products as above, uJ. A vector of n codes is
read for n x n products.

| n | cycles | products | weights from DRAM | activation memory | sum |
|---|---|---|---|---|---|
END
  awk -v macs="$(awk -v c="$(number mean_mac_cycles)" 'BEGIN { print c * 256 }')" -v product="$product" -v beats="$(number mean_weight_beats)" \
    -v dram="$(pj dram_read)" -v sram="$(pj sram_read)" '
    /^ +n +cycles/ { on = 1; next }
    on && NF > 3 {
      a = macs * product / 1e6; d = beats * 128 * dram / 1e6; s = macs * 8 / $1 * sram / 1e6
      printf "| %d | %d | %.1f | %.1f | %.2f | %.1f |\n", $1, $2, a, d, s, a + d + s }' "$work/run"
  slc=$(number slc_bytes) mlc=$(number mlc_bytes)
  cat << END

Nothing here grows with n, so no optimum shows; clock tree and idle power, which would, are absent. On this sentence
the weight stream limits n = 32. That the paper found n = 16 best is [UNVERIFIED].

## Embeddings in ReRAM or in DRAM and SRAM

Same compact image; uJ, by the assumed energies.

| | ReRAM | DRAM and SRAM |
|---|---|---|
END
  awk -v words="$words" -v bytes=$((slc + mlc)) -v dram="$(pj dram_read)" -v write="$(pj sram_write)" -v read="$(pj sram_read)" -v reram="$(pj reram_read)" \
    -v switch="$(awk -F' *[|] *' '/^[|] everything again.*compact/ { print $3 }' docs/results/task_switch.md)" \
    -v program="$(awk -F' *[|] *' '/^[|] embeddings in ReRAM, weights stay/ { print $3 }' docs/results/task_switch.md)" '
    BEGIN {
      printf "| power-on, %d bytes of embeddings | 0 | %.1f |\n", bytes, bytes * 8 * (dram + write) / 1e6
      printf "| a sentence, %d words of 64 bits (cycles.md) | %.3f | %.3f |\n", words, words * 64 * reram / 1e6, words * 64 * read / 1e6
      printf "| change to sst2, program against everything | %.2f | %.1f |\n", program * 8 * dram / 1e6, switch * 8 * (dram + write) / 1e6
    }'
  printf '\nThat everything is loaded again at a change is the case of an accelerator that keeps nothing; one that keeps SRAM powered loads the\nprogram alone, too.\n'
} > "$work/report.md"
mv "$work/report.md" "$report"
