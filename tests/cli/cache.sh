#!/bin/sh
# The cache of decoded images as a user meets it: whatever becomes of it, the weights are those of a
# training without one.
set -eu
. tests/cli/lib/checks.sh

quiet "$n" synth --kind images --patients 80 --images-per-patient 1 --size 40 -o images.npz
quiet "$n" index images.npz -o cohort.csv --positive 1
quiet "$n" split cohort.csv
cat >recipe.yaml <<RECIPE
cohort: cohort.csv
split: split.json
input: {size: [24, 24]}
network: {name: cnn, channels: [4]}
epochs: 2
RECIPE
sleep 0.2 # files younger than a tick are decoded again

quiet "$n" train recipe.yaml -o run_none --cache none
[ ! -e .nodule-cache ] || fail "--cache none left a cache"
weights run_none >want.txt
[ -s want.txt ] || fail "no weights"

# same NAME OPTION...: trains into run_NAME; the weights are those without a cache.
same() {
    name=run_$1
    shift
    rm -rf "$name"
    quiet "$n" train recipe.yaml -o "$name" "$@"
    weights "$name" | cmp -s - want.txt || fail "other weights: $name $*"
}

same cold
says "images were decoded and are kept"
same warm --threads 1
! grep -q "are kept" out.txt || fail "a warm cache was filled again"

# A cache of its own place; damage; a full disk; a folder that is a file.
same place --cache place
pack=$(echo place/*.pack)
size=$(stat -c %s "$pack")
printf 'damage' | dd of="$pack" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
same damaged --cache place
head -c $((size / 3)) "$pack" >cut && cat cut >"$pack"
same cut --cache place
echo "another file" >"$pack"
same foreign --cache place
says "not of this program, or damaged"
same whole --cache place
! grep -q "are kept\|made anew" out.txt || { cat out.txt; fail "a mended cache is not whole"; }
same nowhere --cache recipe.yaml
says "not kept for the next time"

# Killed while it is filled, and two at once.
for i in 1 2 3 4 5 6; do
    "$n" train recipe.yaml -o "killed_$i" --cache killed --threads 1 >/dev/null 2>&1 &
    pid=$!
    sleep "0.0$((i * 13))"
    kill -KILL $pid 2>/dev/null || true
    wait $pid || true
done
same killed --cache killed
"$n" train recipe.yaml -o run_first --cache both >/dev/null 2>&1 &
pid=$!
same second --cache both
wait $pid || fail "the first of two failed"
weights run_first | cmp -s - want.txt || fail "other weights of the first of two"

# The look at the test part goes the same way: cold, and with the images that it has left.
quiet "$n" test run_none --cache none
quiet "$n" test run_cold --again "with a cache"
says "are kept"
quiet "$n" test run_warm --again "with a warm cache"
! grep -q "are kept" out.txt || fail "test images were decoded twice"
for r in cold warm; do
    cmp run_none/test/predictions.csv run_$r/test/predictions.csv || fail "other predictions of run_$r"
done

# A changed file is an error, whatever the cache holds.
quiet "$n" synth --kind images --patients 80 --images-per-patient 1 --size 40 --seed 9 -o images.npz
refused 9 "not those that were indexed" "$n" train recipe.yaml -o run_changed
