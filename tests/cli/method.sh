#!/bin/sh
# The whole method on phantoms: synth, index, split, init, train, test, predict, explain. Small enough
# for seconds, so the figures themselves mean nothing here.
set -eu

. tests/cli/lib/checks.sh

"$n" -q synth --patients 60 --images-per-patient 2 --size 24 -o images >/dev/null 2>&1 ||
    "$n" synth --patients 60 --images-per-patient 2 --size 24 -o images >/dev/null 2>&1
"$n" synth --patients 60 --images-per-patient 2 --size 24 -o again >/dev/null 2>&1
diff -r images again || fail "synth differs from itself"

"$n" index images/manifest.csv -o cohort.csv >/dev/null
"$n" split cohort.csv --seed 1 >split.txt 2>&1
grep -q "grouping: declared" split.txt || fail "grouping"
grep -q "intervals to expect" split.txt || fail "no width to expect"
"$n" init cohort.csv >/dev/null
refused 2 "there already" "$n" init cohort.csv
cat >small.yaml <<END
cohort: cohort.csv
split: split.json
input: {size: [24, 24]}
network: {name: cnn, channels: [8, 8]}
epochs: 2
END
"$n" summary small.yaml >/dev/null
"$n" train small.yaml -o run >/dev/null 2>&1
refused 2 "holds a run already" "$n" train small.yaml -o run
[ -s run/seed_0/model.safetensors ] || fail "no model"
[ "$(grep -c '"event":"epoch"' run/seed_0/log.jsonl)" = 2 ] || fail "log"

# the same weights from the same recipe, and on one thread
"$n" train small.yaml -o run2 --threads 1 >/dev/null 2>&1
cmp run/seed_0/validation.csv run2/seed_0/validation.csv || fail "not reproducible"

# kernels: of this machine's table where it has a word, chosen once, kept for whoever goes on
grep -q '"c/f32/layout": "plain"' run/kernels.json && fail "kernels of another backend"
grep -q '/precision": "' run/kernels.json || fail "no precision in kernels.json"
grep -q '"format": "nodule-kernels"' run/kernels.json || fail "kernels.json"
isa=$(sed -n 's|.*"\([a-z0-9_]*\)/precision".*|\1|p' run/kernels.json)
cat >plain.json <<END
{"format": "nodule-kernels", "format_version": 1,
 "kernels": {"$isa/precision": "f32", "$isa/f32/layout": "plain"}}
END
NODULE_KERNELS=plain.json "$n" train small.yaml -o tuned >/dev/null 2>&1
grep -q '/f32/layout": "plain"' tuned/kernels.json || fail "the machine's table is not asked"
mv tuned/seed_0 tuned_seed
"$n" train --resume -o tuned >/dev/null 2>&1
cmp tuned/seed_0/validation.csv tuned_seed/validation.csv || fail "--resume chooses anew"
rm -r tuned/seed_0
echo "{" >tuned/kernels.json
refused 5 "tuned/kernels.json" "$n" train --resume -o tuned
echo "[]" >broken.json
refused 5 "bench --tune" env NODULE_KERNELS=broken.json "$n" train small.yaml -o run5
[ ! -e run5 ] || fail "a refused training leaves a folder"

# a recipe in another place, on the cohort at hand
mkdir -p elsewhere/recipes moved
cp small.yaml elsewhere/recipes/
refused 3 "another one: --cohort FILE" "$n" train elsewhere/recipes/small.yaml -o run3
refused 3 "none.csv" "$n" train elsewhere/recipes/small.yaml --cohort none.csv -o run3
"$n" train elsewhere/recipes/small.yaml --cohort cohort.csv -o run3 >/dev/null 2>&1
cmp run/seed_0/validation.csv run3/seed_0/validation.csv || fail "--cohort trains something else"
cmp run/recipe.yaml run3/recipe.yaml || fail "--cohort: the run does not name its cohort"
refused 2 "leave out --cohort" "$n" train --resume -o run3 --cohort cohort.csv
cp split.json moved/other.json
refused 3 "moved/none.json" "$n" train elsewhere/recipes/small.yaml --cohort cohort.csv \
    --split moved/none.json -o run4
"$n" train small.yaml --split moved/other.json -o run4 >/dev/null 2>&1
grep -q "split: ../moved/other.json" run4/recipe.yaml || fail "--split is not in the run's recipe"
cmp run/seed_0/validation.csv run4/seed_0/validation.csv || fail "--split trains something else"
mv run3/seed_0 kept_seed
"$n" train --resume -o run3 >/dev/null 2>&1
cmp run3/seed_0/validation.csv kept_seed/validation.csv || fail "--resume forgets --cohort"

# the seal
"$n" test run >results.txt 2>&1 || { cat results.txt; fail "test"; }
grep -q "look 1" results.txt || { cat results.txt; fail "the look is not stamped"; }
refused 11 "again" "$n" test run
refused 11 "again" "$n" test run2
"$n" test run run2 --again "to see that a reason is kept" >results.txt 2>&1
grep -q "to see that a reason is kept" results.txt || fail "the reason is not printed"
refused 11 "again" "$n" split cohort.csv --seed 2 -o other.json
cp ledger.sqlite kept.sqlite
rm ledger.sqlite
refused 3 "ledger" "$n" test run --again x
cp kept.sqlite ledger.sqlite

# prediction and explanation
image=$(ls images/tumor/*.png | head -n 1)
"$n" predict run -i "$image" | grep -q tumor || fail "predict"
"$n" explain run -i "$image" --node output:1 --truth tumor | grep -q "d error/d weight" || fail "explain"

echo "method: all of it"
