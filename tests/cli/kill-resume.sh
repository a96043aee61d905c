#!/bin/sh
# A training that is killed again and again, at random moments, ends as one that never stopped: the
# same weights, validation predictions and log. Twenty kill -9 count, each after the epochs of a
# process have begun and before the last seed has ended; some of them tear the log's last line, as a
# lost write would. Every fourth stop is SIGTERM, which keeps the epoch at hand, so that later kills
# hit what goes on within one.
# NODULE_TEST_SEED repeats the moments (as far as the machine does).
set -eu
. tests/cli/lib/checks.sh

seed=${NODULE_TEST_SEED:-$(date +%s)}
echo "$test_name: seed $seed"

# Everything that has a state: momentum, averages, plateau, dropout, sampling, two seeds.
quiet "$n" synth --kind images --patients 70 --images-per-patient 1 --size 27 -o images.npz
quiet "$n" index images.npz -o cohort.csv --positive 1
quiet "$n" split cohort.csv
cat >small.yaml <<RECIPE
cohort: cohort.csv
split: split.json
input: {size: [27, 27]}
network: {name: cnn, channels: [24, 24], dropout: 0.2}
sampling: balanced
batch_size: 4
epochs: 5
optimiser: {name: adamw, lr: 0.003, ema: 0.9, clip_norm: 1}
schedule: {name: plateau, patience: 1}
RECIPE
now_ms() { echo $(($(date +%s%N) / 1000000)); }
begun=$(now_ms)
quiet "$n" train small.yaml -o whole --seeds 2 --threads 1
whole_ms=$(($(now_ms) - begun))
weights whole >whole.txt
[ "$(sort -u whole.txt | wc -l)" = 2 ] || fail "two seeds, not two weights"

# The epochs of a log, each with all that does not depend on the clock.
epochs() { grep '"event":"epoch"' "$1" | sed 's/,"time_s":[^}]*//'; }

same_as_whole() {
    weights run | cmp -s - whole.txt || fail "other weights after ${kills}th kill (seed $seed)"
    for s in seed_0 seed_1; do
        cmp "run/$s/validation.csv" "whole/$s/validation.csv" || fail "other predictions (seed $seed)"
        epochs "whole/$s/log.jsonl" >a.txt
        epochs "run/$s/log.jsonl" >b.txt
        cmp a.txt b.txt || { cat "run/$s/log.jsonl"; fail "$s: other epochs in the log (seed $seed)"; }
        if grep -vq '^{"event":".*}$' "run/$s/log.jsonl"; then
            cat "run/$s/log.jsonl"
            fail "$s: a torn line in the log (seed $seed)"
        fi
    done
    [ -z "$(find run -name '.*.tmp.*')" ] || fail "temporary files were left: $(find run)"
}

# How often a process has begun with the epochs of a seed.
beginnings() { cat run/seed_*/log.jsonl 2>/dev/null | grep -c '"event":"\(start\|resume\)"' || true; }

# A line torn in the middle, in the log that is being written.
tear_log() {
    for log in run/seed_0/log.jsonl run/seed_1/log.jsonl; do
        if [ -s $log ] && ! grep -q '"event":"end"' $log; then
            printf '{"event":"epoch","epoch":3,"lr":0.00' >>$log
        fi
    done
}

# Moments up to a third of the whole training.
awk -v seed="$seed" -v most="$whole_ms" \
    'BEGIN { srand(seed); for (i = 0; i < 400; i++) printf "%.3f\n", 0.005 + rand() * most / 3000 }' >moments.txt

kills=0 stops=0 ends=0
while read -r moment <&3; do
    [ $kills -lt 20 ] || break
    stops=$((stops + 1))
    signal=KILL before=$(beginnings)
    [ $((stops % 4)) != 0 ] || signal=TERM
    go_on="small.yaml --seeds 2"
    [ ! -f run/recipe.yaml ] || go_on=--resume
    # shellcheck disable=SC2086
    "$n" train $go_on -o run --threads 1 >out.txt 2>&1 &
    pid=$!
    sleep "$moment"
    kill -$signal $pid 2>/dev/null || true
    status=0
    wait $pid || status=$?
    case $signal$status in
    KILL137)
        if [ "$(beginnings)" -gt "$before" ] && ! grep -qs '"event":"end"' run/seed_1/log.jsonl; then
            kills=$((kills + 1))
            [ $((kills % 3)) != 0 ] || tear_log
        fi
        ;;
    TERM130 | TERM143) ;;
    KILL0 | TERM0)
        same_as_whole
        ends=$((ends + 1))
        rm -r run
        ;;
    *) cat out.txt && fail "exit $status after $signal (seed $seed)" ;;
    esac
done 3<moments.txt
[ $kills = 20 ] || fail "only $kills of 20 kills hit a training of $whole_ms ms (seed $seed)"
if [ -f run/recipe.yaml ]; then
    quiet "$n" train --resume -o run
    same_as_whole
    ends=$((ends + 1))
fi
echo "$test_name: $kills kills in $ends trainings of $whole_ms ms: the same weights as never stopped"
