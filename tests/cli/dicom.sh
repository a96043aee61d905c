#!/bin/sh
# The method on a tree of DICOM series: phantoms with several studies a patient, labels from a table,
# a recipe for volumes in millimetres, training, the sealed test, prediction of one series; series with
# a fourth axis; and what is wrong with a tree. Small enough for seconds, so the figures mean nothing.
set -eu
. tests/cli/lib/checks.sh

quiet "$n" synth --kind mr --patients 60 --size 16 -o heads
quiet "$n" inspect heads/dicom
says "16x16x6"
if grep -q "PHANTOM" out.txt; then fail "inspect tells names"; fi
quiet "$n" index heads/dicom --labels heads/labels.csv -o cohort.csv
says "2 classes (normal, tumor)"
says "positive class: tumor"
quiet "$n" split cohort.csv --seed 1
says "grouping: declared"
quiet "$n" init cohort.csv -o recipe.yaml
for key in "modality: .MR" "orientation: LPS" "fit: crop" "statistics: foreground" "global_pool: max"; do
    grep -q "$key" recipe.yaml || { cat recipe.yaml; fail "no '$key' in the recipe"; }
done
grep -q "spacing: \[\(.*\), \1, \1\]" recipe.yaml || fail "voxels are no cubes"
sed -i 's/^epochs: .*/epochs: 2/; s/channels: \[16, 32, 64\]/channels: [4, 4]/' recipe.yaml
quiet "$n" train recipe.yaml -o run
quiet "$n" test run
says "look 1"
quiet "$n" predict run -i heads/dicom/p0001/1/brain
says "tumor"
if grep -rq "PHANTOM" cohort.csv cohort.csv.json run; then fail "a patient's name left its files"; fi

# Frames are channels where all have as many.
mkdir dce
quiet "$n" synth --kind dce --patients 40 --size 16 -o dce/breasts
quiet "$n" index dce/breasts/dicom --labels dce/breasts/labels.csv -o dce/cohort.csv
quiet "$n" split dce/cohort.csv
quiet "$n" init dce/cohort.csv -o dce/recipe.yaml
grep -q "frames: all" dce/recipe.yaml || { cat dce/recipe.yaml; fail "phases are not taken"; }
grep -q "^  channels: 5" dce/recipe.yaml || fail "phases are not channels"
sed -i 's/^epochs: .*/epochs: 1/; s/channels: \[16, 32, 64\]/channels: [4]/' dce/recipe.yaml
quiet "$n" train dce/recipe.yaml -o dce/run

# What is wrong with a tree is named; equal pixels under two ids are one group.
quiet "$n" synth --kind mr --patients 20 --size 16 --defect gap -o gaps
quiet "$n" index gaps/dicom --labels gaps/labels.csv -o gaps.csv
says "left out: .*: gap: 1 of 6 slices are missing"
says "patients: 19"
quiet "$n" index gaps/dicom --labels gaps/labels.csv --policy gap=resample -o gaps.csv
says "patients: 20"
quiet "$n" synth --kind mr --patients 20 --size 16 --defect leak -o leaks
quiet "$n" index leaks/dicom --labels leaks/labels.csv -o leaks.csv
says "equal pixels: 8 cases in 4 groups, kept together by split"

echo "dicom: all of it"
