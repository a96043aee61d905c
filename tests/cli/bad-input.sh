#!/bin/sh
# Bad input, one row after the other: each is refused with the file, the place in it and what to do, in
# one line and with its exit code (docs/exit-codes.md); nothing that was there is changed, nothing is
# left half made.
set -eu
. tests/cli/lib/checks.sh
golden=$OLDPWD/tests/golden/images

# The cache of decoded images is no part of it: it may grow whatever becomes of a training.
snapshot() { (cd world && find . -name .nodule-cache -prune -o -type f -exec sha256sum {} + | sort); }

# row CODE WORDS... -- COMMAND...: refused in one line with all these words; the world stays as it was.
row() {
    code=$1 words=
    shift
    while [ "$1" != -- ]; do
        words="$words$1
"
        shift
    done
    shift
    status=0
    (cd world && "$@") >out.txt 2>err.txt || status=$?
    line=$(grep ': error: ' err.txt || true)
    [ "$status" = "$code" ] || { cat out.txt err.txt; fail "exit $status, not $code: $*"; }
    [ "$(printf '%s\n' "$line" | wc -l)" = 1 ] && [ -n "$line" ] || { cat err.txt; fail "not one line of error: $*"; }
    printf '%s' "$words" | while IFS= read -r word; do
        case $line in
        *"$word"*) ;;
        *) fail "no '$word' in: $line" ;;
        esac
    done
    snapshot >now.txt
    cmp -s before.txt now.txt || { diff before.txt now.txt; fail "something was lost or left behind: $*"; }
    rows=$((rows + 1))
}
rows=0

# --- what is there before ------------------------------------------------------------------------
mkdir world
cd world
quiet "$n" synth --kind images --patients 60 --images-per-patient 1 --size 12 -o good.npz
quiet "$n" index good.npz -o cohort.csv --positive 1
quiet "$n" split cohort.csv
cat >recipe.yaml <<RECIPE
cohort: cohort.csv
split: split.json
input: {size: [12, 12]}
network: {name: mlp}
epochs: 3
RECIPE
quiet "$n" train recipe.yaml -o run
cp -r run unfinished
sed -i '/"event":"end"/d' unfinished/seed_0/log.jsonl
rm unfinished/seed_0/model.safetensors

# The bad files.
head -c 3000 good.npz >cut.npz
cp good.npz flipped.npz
printf '\377' | dd of=flipped.npz bs=1 seek=1000 conv=notrunc 2>/dev/null
"$FORGE" npz pixels.npz images:f64:8x6x6 labels:u8:8:0,1
"$FORGE" npz labels.npz images:u8:8x6x6 labels:f32:8:0,1
"$FORGE" npz fewer.npz images:u8:8x6x6 labels:u8:7:0,1
"$FORGE" npz one-class.npz images:u8:8x6x6 labels:u8:8:1
mkdir -p folders/no folders/yes hollow/no hollow/yes
cp "$golden/grey8.png" folders/no/a.png
cp "$golden/grey16.png" folders/yes/b.png
cp "$golden"/grey*.png hollow/no/
: >zero.png
head -c 100 "$golden/grey8.png" >cut.png
cat >unlabelled.csv <<LIST
path,label
folders/no/a.png,no
folders/yes/b.png,
LIST
sed '$s/,$/,yes/; s/b.png/zzz.png/' unlabelled.csv >missing-file.csv
"$FORGE" npz part.npz train_images:u8:20x6x7 train_labels:u8:20:0,1 \
    val_images:u8:6x7x6 val_labels:u8:6:1 test_images:u8:8x5x6 test_labels:u8:8:0,1
quiet "$n" index part.npz -o part.csv --positive 1
quiet "$n" split part.csv -o part.json --ledger part.sqlite --allow-one-class
cat >by-auc.yaml <<RECIPE
cohort: part.csv
split: part.json
input: {size: [6, 6]}
network: {name: mlp}
validation: {monitor: auc}
RECIPE
"$FORGE" npz bare.npz train_images:u8:20x6x7 train_labels:u8:20:1 \
    val_images:u8:6x7x6 val_labels:u8:6:0,1 test_images:u8:8x5x6 test_labels:u8:8:0,1
quiet "$n" index bare.npz -o bare.csv --positive 1
recipe() { sed "$1" recipe.yaml >"$2.yaml"; }
recipe 's/epochs/epoch/' unknown-key
recipe 's/\[12, 12\]/[12, wide]/' wrong-type
recipe 's/epochs: 3/epochs: -3/' out-of-range
recipe 's/mlp/mpl/' unknown-network
recipe 's/{name: mlp}/{name: mlp/' not-yaml
recipe 's/{name: mlp}/{name: mlp, hidden: [2000000000]}/' no-shape
recipe 's/\[12, 12\]/[12, 12, 12]/' other-dims
recipe 's/cohort.csv/nowhere.csv/' no-cohort
recipe 's/{name: mlp}/{name: mlp, hidden: [2000000]}/' too-wide
recipe 's/{name: mlp}/{name: resnet50}/; s/12, 12/1024, 1024/; $a batch_size: 16384' too-large
recipe 's/mlp/cnn/' cnn
quiet "$n" train cnn.yaml -o cnn
cp -r unfinished other-checkpoint
cp cnn/seed_0/checkpoint.safetensors other-checkpoint/seed_0/
cp -r unfinished cut-checkpoint
head -c 3000 run/seed_0/checkpoint.safetensors >cut-checkpoint/seed_0/checkpoint.safetensors
cp -r run cut-model
head -c 3500 run/seed_0/model.safetensors >cut-model/seed_0/model.safetensors
cp -r run flipped-model
size=$(wc -c <run/seed_0/model.safetensors)
printf '\377' |
    dd of=flipped-model/seed_0/model.safetensors bs=1 seek=$((size - 9)) conv=notrunc 2>/dev/null
mkdir moved
cp good.npz cohort.csv cohort.csv.json split.json recipe.yaml ledger.sqlite moved/
head -c 3000 good.npz >moved/good.npz
cd ..
snapshot >before.txt

# --- data -----------------------------------------------------------------------------------------
row 5 "cut.npz" "cut off" "fetch it again" -- "$n" index cut.npz -o cohort.csv
row 5 "flipped.npz" "train_images" "CRC" "fetch it again" -- "$n" index flipped.npz -o cohort.csv
row 5 "case train-0" "nodule where" "fetch it again" -- "$n" train moved/recipe.yaml -o new
row 7 "pixels.npz" "images" "f64" "astype" -- "$n" index pixels.npz -o cohort.csv
row 9 "labels.npz" "labels" "f32" "whole numbers" -- "$n" index labels.npz -o cohort.csv
row 9 "fewer.npz" "labels has 7 rows, images has 8" -- "$n" index fewer.npz -o cohort.csv
row 9 "unlabelled.csv:3" "label is empty" -- "$n" index unlabelled.csv -o cohort.csv
row 9 "one-class.npz" "this has 1" "name at least two" -- "$n" index one-class.npz -o cohort.csv
row 9 "hollow" "class 'yes' has no case" "add images" -- "$n" index hollow -o cohort.csv
row 9 "train part" "no case of class '0'" "--ignore-official" -- "$n" split bare.csv -o split.json
row 9 "val part" "no case of class '0'" "--allow-one-class" -- "$n" split part.csv -o split.json
row 9 "by-auc.yaml" "validation.monitor" "one class" "monitor: loss" -- \
    "$n" train by-auc.yaml -o new --ledger part.sqlite
row 9 "line 3 of the table" "--max-unreadable" "mend or remove" -- "$n" index missing-file.csv -o cohort.csv
row 9 "zzz.png" -- "$n" index missing-file.csv -o cohort.csv --show-ids
row 3 "nowhere" -- "$n" index nowhere -o cohort.csv
row 5 "input 1: the file is empty" -- "$n" predict run -i zero.png
row 5 "zero.png: the file is empty" -- "$n" predict run -i zero.png --show-ids
row 5 "cut.png" -- "$n" predict run -i cut.png --show-ids
row 3 "input 1" "No such file" -- "$n" predict run -i nowhere.png

# --- recipes --------------------------------------------------------------------------------------
row 8 "unknown-key.yaml:5:1" "epoch" "did you mean 'epochs'" -- "$n" train unknown-key.yaml -o new
row 8 "wrong-type.yaml:3" "input.size" "whole number" -- "$n" train wrong-type.yaml -o new
row 8 "out-of-range.yaml:5" "epochs: -3" "between 1 and" -- "$n" train out-of-range.yaml -o new
row 8 "unknown-network.yaml:4" "did you mean 'mlp'" -- "$n" train unknown-network.yaml -o new
row 8 "not-yaml.yaml:5" -- "$n" train not-yaml.yaml -o new
row 7 "no-shape.yaml" "layer 'hidden1.dense.weight'" "[2000000000, 144]" -- "$n" train no-shape.yaml -o new
row 9 "case train-0" "wants volumes" -- "$n" train other-dims.yaml -o new
row 3 "nowhere.yaml" -- "$n" train nowhere.yaml -o new
row 3 "no-cohort.yaml" "nowhere.csv" "--cohort FILE" -- "$n" train no-cohort.yaml -o new
row 3 "nowhere" "nodule train -o" -- "$n" test nowhere

# --- checkpoints and models ---------------------------------------------------------------------
row 2 "other-checkpoint/seed_0/checkpoint.safetensors" "another recipe" "new folder" -- \
    "$n" train --resume -o other-checkpoint
row 5 "cut-checkpoint/seed_0/checkpoint.safetensors" "cut after writing" "begins anew" -- \
    "$n" train --resume -o cut-checkpoint
row 5 "cut-model/seed_0/model.safetensors" "cut" -- "$n" predict cut-model -i folders/no/a.png
row 5 "cut-model/seed_0/model.safetensors" "cut" -- "$n" test cut-model
row 5 "flipped-model/seed_0/model.safetensors" "changed or cut" "from its source" -- \
    "$n" predict flipped-model -i folders/no/a.png
row 5 "flipped-model/seed_0/model.safetensors" "changed or cut" -- "$n" test flipped-model
row 3 "unfinished/seed_0/model.safetensors" "nodule train --resume -o unfinished" -- "$n" test unfinished

# --- too little memory ----------------------------------------------------------------------------
row 6 "too-large.yaml" "smaller batch_size" "free" -- "$n" train too-large.yaml -o new
if (ulimit -v 800000 && "$n" version) >/dev/null 2>&1; then
    row 6 "too-wide.yaml" "parameters" "smaller network" -- \
        sh -c "ulimit -v 800000; exec '$n' train too-wide.yaml -o new --threads 1"
else
    echo "$test_name: skipped: memory that is refused (this build itself needs more: sanitizers)"
fi

# --- no room --------------------------------------------------------------------------------------
# Files of 512 bytes at most (ulimit -f), then a disk that is always full.
row 4 "cohort.csv" "limited in size" -- sh -c "ulimit -f 1; exec '$n' index good.npz -o cohort.csv --positive 1"
row 4 "recipe.yaml" "limited in size" -- sh -c "ulimit -f 1; exec '$n' init cohort.csv --force"
row 4 "ledger.sqlite" -- sh -c "ulimit -f 1; exec '$n' test run"
row 4 "/dev/full" "No space left" "make room" -- "$n" index good.npz -o /dev/full --positive 1
row 4 "standard output" "No space left" -- sh -c "exec '$n' summary recipe.yaml >/dev/full"

# A training whose checkpoints find no room goes on when there is some, with the same weights.
cp -r world roomy
cd roomy
refused 4 "checkpoint.safetensors.*limited in size" sh -c "ulimit -f 8; exec '$n' train recipe.yaml -o new"
quiet "$n" train --resume -o new
[ "$(weights new)" = "$(weights run)" ] || fail "other weights after a full disk"
cd ..

# mounted OPTIONS COMMAND...: with world seen through a mount of its own.
mounted() { unshare -m sh -c "$1"; }
if mounted "mount --bind world world" 2>/dev/null; then
    read_only="mount --bind . . && mount -o remount,ro,bind . && cd \"\$PWD\" &&"
    row 4 "new" "Read-only file system" "write to another folder" -- \
        unshare -m sh -c "$read_only exec '$n' train recipe.yaml -o new"
    row 4 "cohort.csv" "Read-only file system" -- \
        unshare -m sh -c "$read_only exec '$n' index good.npz -o cohort.csv --positive 1"
    row 4 "ledger.sqlite" "read-only" -- unshare -m sh -c "$read_only exec '$n' test run"
    small="mount -t tmpfs -o size=16k none moved && exec '$n' train recipe.yaml -o moved/new"
    row 4 "moved/new" "No space left on device" "make room" -- unshare -m sh -c "$small"
elif [ "$(id -u)" != 0 ]; then
    chmod a-w world
    row 4 "new" "Permission denied" -- "$n" train recipe.yaml -o new
    chmod u+w world
else
    echo "$test_name: no read-only and no small disk here: those rows are skipped"
fi

# Whatever was refused, the look is still the first.
cd world
quiet "$n" test run
says "look 1"
echo "$test_name: $rows rows"
