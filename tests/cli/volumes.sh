#!/bin/sh
# Volumes with a place in the patient through the method: what is proposed for them, and what a model
# refuses to answer: another spacing, orientation, field of view; by force, said so. Failed images keep
# their row.
set -eu

. tests/cli/lib/checks.sh

mkdir -p images/dark images/bright
i=0
while [ $i -lt 24 ]; do
    "$FORGE" volume images/dark/$i.nii.gz 20x24x10 1x1x2 LPS $((i * 100 + 3))
    "$FORGE" volume images/bright/$i.nii.gz 20x24x10 1x1x2 LPS $((i * 100 + 90))
    i=$((i + 1))
done
"$n" index images -o cohort.csv >/dev/null 2>&1
"$n" split cohort.csv --seed 1 >/dev/null 2>&1
cat >volumes.yaml <<END
cohort: cohort.csv
split: split.json
input: {size: [10, 12, 12], fit: crop, spacing: [null, 2, 2], scaling: stored, normalisation: image}
network: {name: cnn, channels: [4]}
epochs: 1
END
"$n" train volumes.yaml -o run >/dev/null 2>&1 || fail "train"
grep -q "orientation: \[LPS\]\|orientation:" run/recipe.yaml || fail "what is accepted is not in the run"

"$FORGE" volume like.nii 20x24x10 1x1x2 LPS 77
"$FORGE" volume turned.nii 20x24x10 1x1x2 RAS 77
"$FORGE" volume thick.nii 20x24x10 1x1x6 LPS 77
"$n" predict run -i like.nii >out.csv || fail "a volume like the others is refused"
head -n 1 out.csv | grep -q "^input,case,bright,dark,decision,note$\|^input,case,dark,bright,decision,note$" ||
    fail "header of the table"
refused 9 "orientation RAS, made for LPS" "$n" predict run -i turned.nii
refused 9 "spacing 6 mm along k, made for 1.6 to 2.5 mm" "$n" predict run -i thick.nii
refused 9 "\--force answers all the same" "$n" predict run -i thick.nii
"$n" predict run -i thick.nii --force >out.csv || fail "--force"
grep -q "forced: not like the images" out.csv || fail "force is not recorded"
"$n" predict run -i thick.nii --force --json | grep -q '"forced": "not like the images' || fail "force in JSON"

# several: each has a row
refused 9 "2 of 3 images have no answer; the first: input 1: not like the images" \
    "$n" predict run -i turned.nii -i like.nii -i nowhere.nii -o several.csv
[ "$(wc -l <several.csv)" = 4 ] || fail "a failed image lost its row"
grep -q '^1,,,,,.*failed: input 1: not like the images' several.csv || fail "why it failed is not in its row"
grep -q '^2,[0-9a-f]\{12\},0' several.csv || fail "the good one has no answer"
grep -q '^3,,,,,.*failed: input 3: .*No such file' several.csv || fail "a missing file has no row"
# files are named where that is wanted, and not otherwise
if grep -q '[.]nii' several.csv out.txt; then fail "a file is named"; fi
refused 9 "the first: turned.nii: not like" "$n" predict run -i turned.nii -i like.nii --show-ids -o named.csv
grep -q '^2,[0-9a-f]*,like.nii,0' named.csv || fail "--show-ids does not name the file"

# a contract that turns takes any orientation, and gives the same answer
sed 's/fit: crop/orientation: LPS, fit: crop/' volumes.yaml >turning.yaml
"$n" train turning.yaml -o run2 >/dev/null 2>&1 || fail "train with orientation"
"$n" predict run2 -i like.nii | tail -n 1 | cut -d, -f3- >a.txt
"$n" predict run2 -i turned.nii | tail -n 1 | cut -d, -f3- >b.txt
cmp a.txt b.txt || fail "a turned volume is another one"

# resuming knows the same contract
mv run2/seed_0 kept
"$n" train --resume -o run2 >/dev/null 2>&1 || fail "resume"
cmp run2/seed_0/validation.csv kept/validation.csv || fail "resume trains something else"

echo "volumes: all of it"
