#!/bin/sh
# The seal of the test part, against the program itself: a second look, a new split, and a ledger that
# was edited, computed anew, rolled back or deleted; a kill between the ledger's row and the result;
# and that what `init` and `train` choose does not depend on the pixels of validation and test.
set -eu
. tests/cli/lib/checks.sh

# What each world needs: a cohort of 40 patients, its split, and runs a and b.
make_world() {
    mkdir "$1"
    cd "$1"
    quiet "$n" index ../images.npz -o cohort.csv --positive 1
    quiet "$n" split cohort.csv
    cat >small.yaml <<RECIPE
cohort: cohort.csv
split: split.json
input: {size: [12, 12]}
network: {name: mlp}
epochs: 1
RECIPE
    quiet "$n" train small.yaml -o a
    quiet "$n" train small.yaml -o b --seeds 2
    cd ..
}
rows() { "$FORGE" rows "$1"; }

quiet "$n" synth --kind images --patients 40 --images-per-patient 1 --size 12 -o images.npz
make_world sealed

# --- a second look ---------------------------------------------------------------------------
cp -r sealed looked
cd looked
before=$(rows ledger.sqlite)
quiet "$n" test a
says "look 1"
[ "$(rows ledger.sqlite)" = $((before + 2)) ] || fail "a look is not two rows: its own, its result's"
cp ledger.sqlite kept.sqlite
refused 11 "look 1 " "$n" test a
says "--again"
refused 11 "look 1 " "$n" test b
refused 11 "look 1 " "$n" test a b
cmp ledger.sqlite kept.sqlite || fail "a refused look changed the ledger"
quiet "$n" test b --again "the labels were wrong"
says "look 2; again: the labels were wrong"
grep -q "the labels were wrong" b/test/results.json || fail "the reason is not in the results"
# every later result says it too, also that of what was trained since
quiet "$n" train small.yaml -o later
quiet "$n" test later --again "one more"
says "look 3; again: one more; look 2 was again: the labels were wrong; trained after look 2"

# --- a new split of cases that were looked at --------------------------------------------------
cp ledger.sqlite kept.sqlite
cp split.json kept.json
refused 11 "--again" "$n" split cohort.csv --ignore-official --seed 5
cmp ledger.sqlite kept.sqlite || fail "a refused split changed the ledger"
cmp split.json kept.json || fail "a refused split changed the old one"
# under another name of the cohort too: cases are known by their pixels
quiet "$n" index ../images.npz -o renamed.csv --positive 1
refused 11 "--again" "$n" split renamed.csv --ignore-official --seed 5 -o renamed.json
quiet "$n" split cohort.csv --ignore-official --seed 5 --again "a better division" -o second.json
quiet "$n" train small.yaml --split second.json -o second
quiet "$n" test second
says "split anew after look 3, again: a better division"
cd ..

# --- a ledger that was tampered with -------------------------------------------------------------
# tampered NAME WORDS COMMAND...: after the look, COMMAND alters the ledger; every verb that asks it
# refuses, and leaves it as it is.
tampered() {
    name=$1 words=$2
    shift 2
    cp -r sealed "$name"
    cd "$name"
    cp ledger.sqlite before-look.sqlite
    quiet "$n" test a
    quiet "$@"
    [ ! -f ledger.sqlite ] || cp ledger.sqlite kept.sqlite
    code=11
    [ -f ledger.sqlite ] || code=3
    refused $code "$words" "$n" test a
    refused $code "$words" "$n" test a --again "no reason is enough"
    [ ! -f ledger.sqlite ] || cmp ledger.sqlite kept.sqlite || fail "$name: the ledger was changed"
    [ -f ledger.sqlite ] || [ ! -f kept.sqlite ] || fail "$name: the ledger is gone"
    cd ..
}
# The name of a run, in the row of the look.
edit="UPDATE ledger SET payload = replace(payload, '\"name\":\"a\"', '\"name\":\"z\"') WHERE kind = 'look'"
recase="UPDATE ledger SET time = '2020-01-01T00:00:00Z' WHERE kind = 'split'"
tampered edited "was edited" "$FORGE" sql ledger.sqlite "$edit"
refused 11 "was edited" "$n" train edited/small.yaml -o edited/c
refused 11 "was edited" "$n" split edited/cohort.csv -o edited/other.json
tampered cut "is missing\|does not follow\|rolled back" \
    "$FORGE" sql ledger.sqlite "DELETE FROM ledger WHERE kind = 'look'"
tampered rolled-back "rolled back" cp before-look.sqlite ledger.sqlite
tampered deleted "ledger" rm ledger.sqlite
refused 3 "ledger" "$n" train deleted/small.yaml -o deleted/c
tampered exchanged "deleted\|another ledger" sh -c \
    "rm ledger.sqlite && '$n' split cohort.csv -o other.json"
tampered rechained "rewritten" sh -c \
    "'$FORGE' sql ledger.sqlite \"$recase\" && '$FORGE' rechain ledger.sqlite"
tampered rechained-look "rewritten" sh -c \
    "'$FORGE' sql ledger.sqlite \"\$1\" && '$FORGE' rechain ledger.sqlite" sh "$edit"

# A run that was begun after a look does not go on with a ledger from before it.
cp -r sealed resumed
cd resumed
cp ledger.sqlite before-look.sqlite
quiet "$n" test a
quiet "$n" train small.yaml -o begun
sed -i '/"event":"end"/d' begun/seed_0/log.jsonl
cp before-look.sqlite ledger.sqlite
refused 11 "rolled back" "$n" train --resume -o begun
cd ..

# --- a kill between the ledger's row and the result ----------------------------------------------
# The first or the last file of the results is a pipe that nobody reads: the program waits there, after
# the row of the look is written and the labels are read.
for waits_at in results.json predictions.csv; do
    cp -r sealed "killed-$waits_at"
    cd "killed-$waits_at"
    mkdir -p a/test
    mkfifo a/test/$waits_at
    before=$(rows ledger.sqlite)
    "$n" test a >out.txt 2>&1 &
    pid=$!
    tries=0
    while [ "$(rows ledger.sqlite)" = "$before" ] ||
        { [ $waits_at = predictions.csv ] && [ ! -s a/test/results.txt ]; }; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "no row of a look"
        kill -0 $pid 2>/dev/null || { cat out.txt; fail "the look did not wait for its results"; }
        sleep 0.05
    done
    kill -9 $pid
    status=0
    wait $pid || status=$?
    [ $status = 137 ] || fail "the look was over ($status) before it was killed"
    rm a/test/$waits_at
    [ "$(rows ledger.sqlite)" = $((before + 1)) ] || fail "more than the row of the look"
    refused 11 "without a result" "$n" test b
    quiet "$n" test a
    says "look 1 (resumed)"
    refused 11 "look 1 " "$n" test a
    cd ..
done

# --- pixels that nothing may depend on -------------------------------------------------------------
# A cohort with an official split; then the same with the pixels of its validation and test images
# permuted, and with quite other ones in their place.
quiet "$n" synth --kind images --patients 60 --images-per-patient 1 --size 14 -o parts.npz
quiet "$n" synth --kind images --patients 60 --images-per-patient 1 --size 21 --seed 9 -o others.npz
mkdir official permuted replaced
cp parts.npz official/
"$FORGE" refill parts.npz parts.npz permuted/parts.npz
"$FORGE" refill parts.npz others.npz replaced/parts.npz
for world in official permuted replaced; do
    quiet "$n" index $world/parts.npz -o $world/cohort.csv --positive 1
    quiet "$n" split $world/cohort.csv
    quiet "$n" init $world/cohort.csv
    sed 's/^epochs: .*/epochs: 1/' $world/recipe.yaml >$world/short.yaml
    quiet "$n" train $world/short.yaml -o $world/run
done
cmp -s official/cohort.csv permuted/cohort.csv && fail "nothing was permuted"
for world in permuted replaced; do
    cmp official/recipe.yaml $world/recipe.yaml || fail "init depends on the pixels of $world"
    cmp official/run/recipe.yaml $world/run/recipe.yaml || fail "train fits to the pixels of $world"
done
echo "$test_name: the seal holds"
