#!/usr/bin/env bash
# Measures what each step of the recipe costs: trains its variants with several seeds, asks
# edgebert-golden for the accuracy of each, and writes docs/results/recipe.md and its pictures.
#   scripts/recipe.sh DATA_DIR [STUDY ..]
# DATA_DIR holds snips/{snips_train,snips_valid}.tsv, banking77/{train,test}.csv,
# clinc150/data_full.json and sst2/{train,dev}.tsv. STUDY is ablation, pruning, embedding, formats,
# weights, shipped (formats of models/sst2), operands (of both shipped models) or report; without one,
# all of them. Runs stay in out/recipe, and what is finished there is not done again: an interrupted
# study goes on. SEEDS="1 2 3", TASKS="snips banking77 clinc150" (of the ablation) and
# SWEEPS="banking77 snips" (of pruning, embedding, formats and weights) choose others.
# The trainer must be built (scripts/train.sh does it).
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -lt 1 ] || [ ! -d "$1" ]; then
  sed -n '4,11s/^# //p' "$0" >&2
  exit 2
fi
data=$1
shift
studies=${*:-ablation pruning embedding formats weights shipped operands report}
seeds=${SEEDS:-1 2 3}
tasks=${TASKS:-snips banking77 clinc150}
sweeps=${SWEEPS:-banking77 snips}
build=${BUILD:-build}
out=out/recipe
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

# Shorter than the configurations of the tasks, so that there can be many runs: fewer epochs, in
# smaller batches; the sweeps on two layers, whose weights are as many, as layers share them.
declare -A epochs_of=([snips]=1 [banking77]=4 [clinc150]=3)
short=(--train.batch_tokens 512 --off_ramp.sentences 4000)
no_ramps=(--off_ramp.epochs 0)
shallow=("${no_ramps[@]}" --model.layers 2)
no_spans=(--span.ramp 0)
no_pruning=(--prune.method none)
whole_embeddings=(--prune.embedding_sparsity 0)
prune_methods="movement magnitude block"
prune_sparsities="0.5 0.7 0.9"
embedding_densities="5 20 60"
formats="8,3 7,3 6,3 5,2 4,2"
# Those of docs/results/formats.md: NAME;KIND WIDTH EXPONENT-BITS
operand_formats='AdaptivFloat<8,3>;adaptivfloat 8 3
AdaptivFloat<8,4>;adaptivfloat 8 4
AdaptivFloat<6,2>;adaptivfloat 6 2
AdaptivFloat<4,2>;adaptivfloat 4 2
INT8;integer 8 3
FP8 E4M3;minifloat 8 4
FP8 E5M2;minifloat 8 5'

options_of() { # TASK
  local config="--config golden/train/configs/$1.cfg"
  case $1 in
    snips)
      echo "$config $(options_of shared)"
      ;;
    shared)
      echo "--data.train $data/snips/snips_train.tsv --data.valid $data/snips/snips_valid.tsv"
      ;;
    banking77)
      echo "$config --data.train $data/banking77/train.csv --data.valid $data/banking77/test.csv"
      ;;
    clinc150)
      echo "$config --data.train $data/clinc150/data_full.json --data.valid $data/clinc150/data_full.json"
      ;;
    sst2) echo "--data.train $data/sst2/train.tsv --data.valid $data/sst2/dev.tsv" ;;
    *)
      echo "unknown task '$1'" >&2
      exit 2
      ;;
  esac
}

folder() { echo "$out/$1/$2-$3"; } # TASK VARIANT SEED

# DIR NAME OPTION ..: what the golden model says of it goes to DIR/NAME.txt.
ask() {
  "$build/golden/edgebert-golden" --model "$1" --data "$1/valid.tsv" --threads 1 "${@:3}" \
    > "$1/$2.part" 2> /dev/null
  mv "$1/$2.part" "$1/$2.txt"
}

# TASK VARIANT SEED EPOCHS OPTION ..
train() {
  local dir
  dir=$(folder "$1" "$2" "$3")
  mkdir -p "$dir"
  echo "$dir"
  # shellcheck disable=SC2046
  "$build/golden/train/edgebert-train" $(options_of "$1") --out "$dir" "${short[@]}" \
    --train.seed "$3" --train.epochs "$4" "${@:5}" > "$dir/train.txt"
  rm -f "$dir/teacher-logits.safetensors"
}

# The same, and asks the golden model at full depth.
run() {
  local dir
  dir=$(folder "$1" "$2" "$3")
  [ -f "$dir/full.txt" ] && return
  train "$@"
  ask "$dir" full --threshold 0
}

ablation() { # TASK SEED
  local epochs=${epochs_of[$1]} student=(--distil.teacher "$(folder "$1" dense "$2")")
  run "$1" dense "$2" "$epochs" "${no_ramps[@]}" "${no_spans[@]}" "${no_pruning[@]}" \
    "${whole_embeddings[@]}"
  run "$1" spans "$2" "$epochs" "${no_ramps[@]}" "${student[@]}" "${no_pruning[@]}" \
    "${whole_embeddings[@]}"
  run "$1" pruned "$2" "$epochs" "${no_ramps[@]}" "${student[@]}" "${whole_embeddings[@]}"
  run "$1" all "$2" "$epochs" "${student[@]}"
  [ -f "$(folder "$1" all "$2")/exit.txt" ] || ask "$(folder "$1" all "$2")" exit
}

pruning() { # TASK SEED
  local method sparsity
  local common=("${epochs_of[$1]}" "${shallow[@]}" "${no_spans[@]}" "${whole_embeddings[@]}")
  run "$1" sweep "$2" "${common[@]}" "${no_pruning[@]}"
  for sparsity in $prune_sparsities; do
    for method in $prune_methods; do
      run "$1" "$method-$sparsity" "$2" "${common[@]}" --prune.method "$method" \
        --prune.sparsity "$sparsity"
    done
  done
}

embedding() { # TASK SEED
  local density
  for density in $embedding_densities; do
    run "$1" "embedding-$density" "$2" "${epochs_of[$1]}" "${shallow[@]}" "${no_spans[@]}" \
      "${no_pruning[@]}" --prune.embedding_sparsity "$(awk "BEGIN { print 1 - $density / 100 }")"
  done
}

# Rounds a finished model to other formats: no training, the activations calibrated anew.
in_formats() { # TASK SEED MODEL
  local format
  for format in $formats; do
    run "$1" "format-$format" "$2" 0 "${no_ramps[@]}" --model.init "$3" \
      --format.width "${format%,*}" --format.exponent "${format#*,}"
  done
}
formats() { in_formats "$1" "$2" "$(folder "$1" all "$2")"; } # TASK SEED

# Its weights alone rounded to AdaptivFloat and to what others use, by the trainer, in FP32.
weights() { # TASK SEED
  local format kind
  for format in $formats; do
    for kind in adaptivfloat minifloat integer; do
      run "$1" "$kind-$format" "$2" 0 "${no_ramps[@]}" --model.init "$(folder "$1" all "$2")" \
        --format.aware 0 --format.kind "$kind" --format.width "${format%,*}" \
        --format.exponent "${format#*,}"
    done
  done
}
shipped() { in_formats sst2 1 models/sst2; }

# A shipped model with all operands of products rounded.
operands() { # TASK MODEL
  local kind width exponent run
  while read -r kind width exponent; do
    run=operands-$kind-$width-$exponent
    ! grep -q '^full depth' "$(folder "$1" "$run" 1)/train.txt" 2> /dev/null || continue
    train "$1" "$run" 1 0 "${no_ramps[@]}" --model.init "$2" --format.aware 0 \
      --format.activations true --format.kind "$kind" --format.width "$width" \
      --format.exponent "$exponent"
  done <<< "$(cut -d";" -f2 <<< "$operand_formats")"
}

# --- The report ----------------------------------------------------------------------------------

# What a finished run measured; empty where it is not finished.
golden() { # DIR full|exit: accuracy of the golden model
  [ -f "$1/$2.txt" ] && sed -n 's/^accuracy  *\([0-9.]*\) %.*/\1/p' "$1/$2.txt"
}
fp32() { # DIR: the trainer's own, at full depth
  [ -f "$1/full.txt" ] && sed -n 's/.*(FP32: \([0-9.]*\) %).*/\1/p' "$1/train.txt"
}
layers() { # DIR
  [ -f "$1/exit.txt" ] && sed -n 's/^mean exit layer  *//p' "$1/exit.txt"
}
weight_kib() { # DIR
  [ -f "$1/full.txt" ] && awk '/^image / { print $2 / 1024 }' "$1/full.txt"
}
reram_kib() { # DIR
  [ -f "$1/full.txt" ] && awk '/^image / { print $6 / 1024 }' "$1/full.txt"
}
reaches() { # DIR: tokens that each head reaches
  [ -f "$1/full.txt" ] && awk 'NR > 1 { printf("%s%.0f", NR > 2 ? " " : "", $2) }' "$1/spans.tsv"
}

# TASK VARIANT METRIC ..: "mean ± standard deviation (seeds)" of the metric over the seeds.
mean() {
  local seed
  for seed in 1 2 3; do
    "${@:3:1}" "$(folder "$1" "$2" "$seed")" "${@:4}" || true
  done | awk '{ n++; sum += $1; squares += $1 * $1 }
    END {
      if (n == 0) { print "not yet measured"; exit }
      mean = sum / n
      if (n == 1) { printf "%.2f (1)\n", mean; exit }
      variance = (squares - n * mean * mean) / (n - 1)
      printf "%.2f ± %.2f (%d)\n", mean, sqrt(variance > 0 ? variance : 0), n
    }'
}

operand_accuracy() { # TASK FORMAT 1|2: of the golden model, of the trainer
  local accuracy
  accuracy=$(sed -nE "s/^full depth: accuracy ([0-9.]*) % \(FP32: ([0-9.]*) %\).*/\\$3/p" \
    "$(folder "$1" "operands-$2" 1)/train.txt" 2> /dev/null) || true
  echo "${accuracy:-not yet measured}"
}

# TASK FORMAT-OF-VARIANTS VALUE ..: "value mean lowest highest" lines of the golden accuracy.
points() {
  local value seed
  for value in "${@:3}"; do
    for seed in 1 2 3; do
      # shellcheck disable=SC2059
      golden "$(folder "$1" "$(printf "$2" "$value")" "$seed")" full || true
    done | awk -v x="$value" '
      { n++; sum += $1; low = n == 1 || $1 < low ? $1 : low; high = $1 > high ? $1 : high }
      END { if (n > 0) print x, sum / n, low, high }'
  done
}

pictures() {
  local plots="" method task curves=$out/curves
  mkdir -p "$curves"
  for task in $tasks; do
    for seed in 1 2 3; do
      [ -f "$(folder "$task" all "$seed")/exit.txt" ] || continue
      plots+="'$(folder "$task" all "$seed")/exits.tsv' using 2:(100*\$3) with linespoints title '$task, seed $seed', "
    done
  done
  if [ -n "$plots" ]; then
    gnuplot <<END
set terminal pngcairo size 720,480 font "sans,11"
set output "docs/results/recipe_exit.png"
set title "Early exit: entropy thresholds from 0 (right) up, golden model"
set xlabel "mean exit layer"
set ylabel "validation accuracy [%]"
set key bottom right
set grid
set offsets 0, 0, 1, 1
plot ${plots%, }
END
  fi
  for task in $sweeps; do
    plots=""
    for method in $prune_methods; do
      # shellcheck disable=SC2086
      points "$task" "$method-%s" $prune_sparsities > "$curves/$method"
      [ ! -s "$curves/$method" ] ||
        plots+="'$curves/$method' using (100*\$1):2:3:4 with yerrorlines title '$method', "
    done
    [ -z "$plots" ] ||
      sparsity_picture "$task" pruning "zeros in the encoder [%]" "${plots%, }"
    # shellcheck disable=SC2086
    points "$task" "embedding-%s" $embedding_densities > "$curves/embedding"
    [ ! -s "$curves/embedding" ] ||
      sparsity_picture "$task" embedding "density of the word embeddings [%]" \
        "'$curves/embedding' using 1:2:3:4 with yerrorlines notitle"
  done
}

sparsity_picture() { # TASK NAME X-AXIS PLOTS
  gnuplot <<END
set terminal pngcairo size 640,440 font "sans,11"
set output "docs/results/recipe_$2_$1.png"
set title "$1, golden model"
set xlabel "$3"
set ylabel "validation accuracy [%]"
set key bottom left
set grid
set offsets 5, 5, 1, 1
plot $4
END
}

ablation_table() { # TASK
  local row variant name
  if [ "$(mean "$1" dense golden full)" = "not yet measured" ]; then
    echo "$1: not yet measured."
    return
  fi
  echo "| $1 | FP32 | golden, 8 bits | mean exit layer of 4 | weights [KiB] | ReRAM [KiB] |"
  echo "|---|---|---|---|---|---|"
  for row in "dense:teacher" "spans:+ spans (half of the heads off), taught by it" \
    "pruned:+ 60 % of the encoder pruned (movement)" "all:+ 60 % of the embeddings pruned"; do
    variant=${row%%:*}
    name=${row#*:}
    echo "| $name | $(mean "$1" "$variant" fp32) | $(mean "$1" "$variant" golden full) | 4 |" \
      "$(mean "$1" "$variant" weight_kib) | $(mean "$1" "$variant" reram_kib) |"
  done
  echo "| + off-ramps and exit: all combined | | $(mean "$1" all golden exit) |" \
    "$(mean "$1" all layers) | $(mean "$1" all weight_kib) | $(mean "$1" all reram_kib) |"
}

picture() { # NAME TITLE
  [ ! -f "docs/results/recipe_$1.png" ] || printf '\n![%s](recipe_%s.png)\n' "$2" "$1"
}

report() {
  local task reach method sparsity density format
  cat <<END
# What the recipe costs

Written by \`scripts/recipe.sh\`. Every accuracy is that of the bit-exact golden model on the validation sentences, in
percent; columns named FP32 are the trainer's own. "98.10 ± 0.20 (3)" is mean, standard deviation and number of seeds.
These are small models trained from nothing in a minute or two, not ALBERT-base. The standard error of an accuracy of
98 % is 0.5 points on the 700 sentences of SNIPS: smaller differences are noise.

The runs are shorter than those of \`golden/train/configs\`: batches of 512 tokens, off-ramps on 4,000 sentences;
epochs: ${epochs_of[snips]} of SNIPS, ${epochs_of[banking77]} of Banking77, ${epochs_of[clinc150]} of CLINC150. They tell what a step costs, not what the recipe reaches
([training.md](../training.md) has that).

## Step by step

4 layers, hidden 128, 8 heads. Each row adds to the one above; a student learns from the teacher of its seed.
AdaptivFloat<8,3> is the step from the FP32 column to the golden one. The threshold of the last row is chosen on the
validation sentences themselves, to cost no sentence of SNIPS, one point of the others.
END
  for task in $tasks; do
    echo
    ablation_table "$task"
    reach=$(reaches "$(folder "$task" all 1)" || true)
    [ -z "$reach" ] || printf '\nTokens that the heads reach, all combined, seed 1: %s.\n' "$reach"
  done
  picture exit "Accuracy against mean exit layer"
  cat <<END

## Pruning the encoder

Nothing else pruned, no spans, no teacher; 2 layers, which share their weights, so these are as many as above. Blocks
are 16 x 16.
END
  for task in $sweeps; do
    cat <<END

| $task, zeros | movement | magnitude | block movement |
|---|---|---|---|
| none | $(mean "$task" sweep golden full) | | |
END
    for sparsity in $prune_sparsities; do
      echo -n "| $(awk "BEGIN { print 100 * $sparsity }") % |"
      for method in $prune_methods; do
        echo -n " $(mean "$task" "$method-$sparsity" golden full) |"
      done
      echo
    done
    picture "pruning_$task" "Accuracy against zeros in the encoder"
  done
  cat <<END

## Pruning the word embeddings

The same models, only their word embeddings pruned, by magnitude.
END
  for task in $sweeps; do
    cat <<END

| $task, density | accuracy | ReRAM [KiB] |
|---|---|---|
| 100 % | $(mean "$task" sweep golden full) | $(mean "$task" sweep reram_kib) |
END
    for density in $embedding_densities; do
      echo "| $density % | $(mean "$task" "embedding-$density" golden full) |" \
        "$(mean "$task" "embedding-$density" reram_kib) |"
    done
    picture "embedding_$task" "Accuracy against the density of the embeddings"
  done
  cat <<END

## Formats

Finished models rounded to AdaptivFloat<width, exponent bits>, weights and activations, without training; full depth.
SST-2 is \`models/sst2\`, 12 layers, on the 872 sentences of its dev set; the others are "all combined" of above.

| | SST-2 |$(for task in $sweeps; do echo -n " $task |"; done)
|---|---|$(for task in $sweeps; do echo -n "---|"; done)
| FP32 | $(mean sst2 format-8,3 fp32) |$(for task in $sweeps; do echo -n " $(mean "$task" format-8,3 fp32) |"; done)
END
  for format in $formats; do
    echo -n "| <$format> | $(mean sst2 "format-$format" golden full) |"
    for task in $sweeps; do echo -n " $(mean "$task" "format-$format" golden full) |"; done
    echo
  done
  cat <<END

The shipped models in the formats of [formats.md](formats.md), without training: once by the golden machine, whose
biases of activations are calibrated on 500 training sentences, and once by the trainer in FP32 with both operands of every
matrix product rounded (\`format.activations\`), a scale a tensor and batch for AdaptivFloat and INT8, the bias of the FP8
formats fixed and none of their codes spent on infinities or NaN. Embedding tables are rounded too; sums, softmax, GELU and
LayerNorm are not. SST-2 on 872 sentences of dev, standard error 1.3 points; SNIPS on 700, 0.5 points.

| | SST-2, golden | SST-2, operands | SNIPS, golden | SNIPS, operands |
|---|---|---|---|---|
END
  while IFS=';' read -r format kind; do
    echo -n "| $format |"
    for task in sst2 shared; do
      case $kind in
        adaptivfloat*) echo -n " $(operand_accuracy $task "${kind// /-}" 1) |" ;;
        *) echo -n " |" ;;
      esac
      echo -n " $(operand_accuracy $task "${kind// /-}" 2) |"
    done
    echo
  done <<< "$operand_formats"
  cat <<END

The weights alone, rounded after training by the trainer; the rest in FP32, so **not** the golden model. A minifloat is
an IEEE float of as many bits, without infinities, its bias fixed; an integer is symmetric with one scale a tensor.
END
  for task in $sweeps; do
    cat <<END

| $task, width, exponent bits | AdaptivFloat | minifloat | integer of this width |
|---|---|---|---|
END
    for format in $formats; do
      echo "| <$format> | $(mean "$task" "adaptivfloat-$format" fp32) |" \
        "$(mean "$task" "minifloat-$format" fp32) | $(mean "$task" "integer-$format" fp32) |"
    done
  done
  cat <<'END'

## Beside the paper

EdgeBERT's figures are of ALBERT-base on GLUE; its tables were not at hand, these are from its abstract and a published
walk-through, and not comparable with the small models above.

| | EdgeBERT, as published |
|---|---|
| all combined, against ALBERT | under 1 point of accuracy, up to 2.4 x less latency, 13.4 x less memory |
| early exit alone, at 1 point | 30, 45, 54, 36 % less run time on MNLI, QQP, SST-2, QNLI |
| spans | more than half of the heads off at 0.5 point |
| pruning the encoder | movement better at high sparsity, magnitude otherwise |
| pruning the embeddings | 95 % pruned keep at least 95 % of the accuracy on all four tasks |
| 8-bit AdaptivFloat | as good as FP32 or better on all four tasks |
END
}

for study in $studies; do
  case $study in
    ablation | pruning | embedding | formats | weights | shipped | operands | report) ;;
    *)
      echo "unknown study '$study'" >&2
      exit 2
      ;;
  esac
done
for seed in $seeds; do
  for study in $studies; do
    case $study in
      ablation) for task in $tasks; do ablation "$task" "$seed"; done ;;
      pruning | embedding | formats | weights) for task in $sweeps; do "$study" "$task" "$seed"; done ;;
      shipped) shipped ;;
      operands)
        operands sst2 models/sst2
        operands shared models/snips
        ;;
    esac
  done
done
if [[ " $studies " == *" report "* ]]; then
  pictures
  report > "$out/recipe.md"
  mv "$out/recipe.md" docs/results/recipe.md
fi
