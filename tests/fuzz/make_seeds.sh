#!/bin/sh
# make_seeds.sh NODULE: makes the corpus files that are the program's own work: models, a checkpoint
# for the fixed training of fuzz_checkpoint.c, a log, a ledger, slices of phantoms. Run once; anew
# where a format changes.
set -eu

program=$(realpath "${1:?usage: make_seeds.sh NODULE}")
corpus=$(dirname "$(realpath "$0")")/corpus
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
ln -s "$program" nodule
PATH=$dir:$PATH # so that files name the program as `nodule`

nodule synth --patients 60 --images-per-patient 1 --size 24 -o images >/dev/null
nodule index images/manifest.csv -o cohort.csv >/dev/null
nodule split cohort.csv --seed 1 >/dev/null

# train NAME RECIPE: 40 training cases
train() {
    printf 'cohort: cohort.csv\nsplit: split.json\n%s\n' "$2" >"$1.yaml"
    nodule train "$1.yaml" -o "$1" --threads 1 >/dev/null
}
train mlp 'input: {size: [2, 2]}
batch_size: 20
epochs: 3
network: {name: mlp, hidden: [2]}
optimiser: {name: adam, lr: 0.01, ema: 0.5}
schedule: {name: plateau}'
train patches 'input: {size: [6, 6]}
patches: {size: [4, 4], stride: [2, 2], aggregate: top_k, k: 2}
epochs: 1
network: {name: cnn, channels: [2], norm: instance}'
train layers 'input: {size: [4, 4], normalisation: none}
epochs: 1
network:
  name: layers
  layers:
    - {type: conv, channels: 2, kernel: 3, name: a}
    - {type: batch_norm, activation: relu}
    - {type: conv, channels: 2, kernel: 3}
    - {type: add, with: a}
    - {type: global_average_pool}
    - {type: dense}'
nodule test mlp >/dev/null
nodule test layers --again "another network" >/dev/null

for name in mlp patches layers; do
    cp "$name/seed_0/model.safetensors" "$corpus/model/$name.safetensors"
done
# The target's training has these words for its identity; its hash it puts right itself.
name_it='s/"recipe":"[0-9a-f]*","network":"[0-9a-f]*","data":"[0-9a-f]*"/"recipe":"recipe","network":"network","data":"data"/'
LC_ALL=C sed "$name_it" mlp/seed_0/checkpoint.safetensors >"$corpus/checkpoint/finished.safetensors"
LC_ALL=C sed "$name_it"';s/epochs_done\\":3,/epochs_done\\":1,/;s/step\\":6,/step\\":2,/g;s/best_epoch\\":[0-9]*/best_epoch\\":1/;s/bad_epochs\\":[0-9]*/bad_epochs\\":0/g' \
    mlp/seed_0/checkpoint.safetensors >"$corpus/checkpoint/first_epoch.safetensors"
{ printf '\002'; cat mlp/seed_0/log.jsonl; } >"$corpus/run_log/ended.jsonl"
cp ledger.sqlite "$corpus/ledger/two_looks.sqlite"
# Its rows as lines: each sealed split with few identities.
sqlite3 -separator "$(printf '\t')" ledger.sqlite \
    "SELECT kind, payload, CASE kind WHEN 'split' THEN 'abc' END, CASE kind WHEN 'split' THEN 'def' END
     FROM ledger ORDER BY seq" >"$corpus/ledger/two_looks.rows"

# The last three records of a cache: planes of 3x4.
printf 'cohort: cohort.csv\nsplit: split.json\ninput: {size: [3, 4]}\nepochs: 1\nnetwork: {name: mlp}\n' >small.yaml
nodule train small.yaml -o small --cache small.cache >/dev/null
tail -c 960 small.cache/*.pack >"$corpus/cache/three.pack"

# The first slice of a kind each.
for kind in cine dce mammo; do
    nodule synth --kind "$kind" --patients 2 --size 32 -o "$kind" >/dev/null
    cp "$(find "$kind/dicom" -type f | sort | head -n 1)" "$corpus/series/$kind.dcm"
done
