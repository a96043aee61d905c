#!/bin/sh
# The shortcut audit of `split`: about .5 where metadata tells nothing of the label, near 1 where the site
# goes with it; then `split` warns, and the result of `test` says so. And what became of the cases.
set -eu
. tests/cli/lib/checks.sh

quiet "$n" synth --kind slices --patients 60 --images-per-patient 1 --size 16 -o slices
# Sites that go with the label, and sites that do not.
awk -F, 'NR == 1 { print $0 ",site"; next } { print $0 "," ($2 == "tumor" ? "A" : "B") }' \
    slices/manifest.csv >slices/by-label.csv
awk -F, 'NR == 1 { print $0 ",site"; next } { print $0 "," (NR % 2 ? "A" : "B") }' \
    slices/manifest.csv >slices/by-turns.csv

quiet "$n" index slices/by-turns.csv -o turns.csv --positive tumor
quiet "$n" split turns.csv -o turns.json --ledger turns.sqlite
says "shortcut audit of the training part"
grep -q "where images come from" out.txt && fail "a warning without a shortcut"
grep -q '"audit": {' turns.json || fail "the audit is not in the split"

# One image of the second cohort cannot be read.
echo "not a picture" >slices/broken.png
echo "broken.png,normal,p9999,B" >>slices/by-label.csv
quiet "$n" index slices/by-label.csv -o label.csv --max-unreadable 0.1 --positive tumor
"$n" split label.csv -o label.json --json >label.out 2>label.err
grep -q '"auc": 1' label.out || fail "a site that is the label is not found"
grep -q '"factor": "site"' label.out || fail "the site is not named"
grep -q "most by site: a model may have learned where images come from" label.err ||
    fail "no warning"
"$n" split label.csv --dry-run >dry.txt 2>&1
grep -q "label from metadata alone, AUC 1.000 (0.[89]" dry.txt || fail "not shown by --dry-run"

grep -q "cases: 61 found; 1 excluded (1 unreadable); train 40, val 10, test 10" dry.txt ||
    { cat dry.txt; fail "the flow is not shown"; }

cat >small.yaml <<RECIPE
cohort: label.csv
split: label.json
input: {size: [16, 16]}
network: {name: mlp}
epochs: 1
RECIPE
quiet "$n" train small.yaml -o run
quiet "$n" test run
says "note: metadata alone tells the label of the training part with AUC 1.000"
says "cases: 61 found; 1 excluded (1 unreadable); train 40, val 10, test 10"
grep -q '"found": 61' run/test/results.json || fail "the flow is not in results.json"
grep -q '"metadata alone tells the label' run/test/results.json || fail "not in results.json"

# What the audit says cannot be edited away.
sed 's/"factor": "site"/"factor": "age"/' label.json >edited.json
sed 's/label.json/edited.json/' small.yaml >edited.yaml
refused 11 "was edited" "$n" train edited.yaml -o edited
