#!/bin/sh
# Sites: a test part of another site, a cohort from elsewhere with a seal of its own and one look, what
# is refused before the look is spent, and results by group.
set -eu
. tests/cli/lib/checks.sh
rows() { "$FORGE" rows "$1"; }

# Two sites of 30 patients each; of_site SITE FOLDER: a cohort of one of them.
quiet "$n" synth --kind slices --patients 60 --images-per-patient 2 --sites 2 --size 16 -o both
of_site() {
    sed -n "1p; /,$1,/p" both/manifest.csv >"both/$2.csv"
    mkdir "$2"
    quiet "$n" index "both/$2.csv" -o "$2/cohort.csv" --positive tumor
}
recipe() {
    cat >"$1/small.yaml" <<RECIPE
cohort: cohort.csv
split: split.json
input: {size: [12, 12]}
network: {name: mlp}
epochs: 1
RECIPE
}
# groups FILE BY: "GROUP IMAGES" of each group, from results.json.
groups() {
    tr -d '\n' <"$1" | sed 's/  */ /g' | sed "s/.*\"by\": \"$2\"//; s/\"by\".*//" |
        grep -o '"group": "[^"]*", "images": [0-9]*' | sed 's/"group": "//; s/", "images": / /'
}

# --- one cohort, divided by site ------------------------------------------------------------------
quiet "$n" index both/manifest.csv -o cohort.csv --positive tumor
recipe .
quiet "$n" split cohort.csv --by site --hold-out "Site B"
says "divided by site: the test part is 'Site B'"
n_b=$(grep -c ",Site B," both/manifest.csv)
says "^test  *$n_b "
quiet "$n" train small.yaml -o run
quiet "$n" test run
says "note: divided by site: the test part is 'Site B'"
says "every case has the site 'Site B'"
says "  sex  *images patients  ROC AUC  *sensitivity  *specificity"
[ "$(groups run/test/results.json site)" = "Site B $n_b" ] || fail "groups by site are wrong"
women=$(grep ",Site B," both/manifest.csv | grep -c ",F,") men=$((n_b - women))
[ "$(groups run/test/results.json sex)" = "F $women
M $men" ] || fail "groups by sex are wrong"
old=$(grep ",Site B," both/manifest.csv | awk -F, '$7 >= 80' | wc -l)
groups run/test/results.json age | grep -q "^80+ $old\$" || fail "groups by age are wrong"
refused 9 "did you mean 'Site A'" "$n" split cohort.csv --by site --hold-out "Site a"
refused 9 "no case says its date" "$n" split cohort.csv --by date
refused 2 "did you mean 'site'" "$n" split cohort.csv --by sites

# --- another site as a cohort from elsewhere --------------------------------------------------------
of_site "Site A" here
of_site "Site B" there
recipe here
cd here
quiet "$n" split cohort.csv
quiet "$n" train small.yaml -o a
quiet "$n" train small.yaml -o b --seeds 2
before=$(rows ledger.sqlite)
cp ledger.sqlite kept.sqlite

# What cannot be tested is found out before a look is spent.
refused 9 "cases are known to run a: .* (same pixels as .* of the train part)" \
    "$n" test a --external cohort.csv
refused 9 "known to run a" "$n" test a --external ../cohort.csv
sed 's/,tumor,/,lesion,/' ../both/there.csv >../both/renamed.csv
quiet "$n" index ../both/renamed.csv -o renamed.csv --layout manifest --positive lesion
refused 9 "class 'lesion' of the cohort (normal, lesion\|class 'lesion' of the cohort (lesion" \
    "$n" test a --external renamed.csv
refused 3 "nowhere.csv" "$n" test a --external nowhere.csv
refused 2 "cannot be the name" "$n" test a --external ../there/cohort.csv --name ../out
refused 2 "of --external" "$n" test a --name there
# Other people of the same numbers are told apart by who gave the numbers.
quiet "$n" synth --kind slices --patients 20 --images-per-patient 1 --seed 7 --size 16 -o ../far
refused 9 "same patient as .*ISSUER^ID" sh -c \
    "'$n' index ../far/manifest.csv -o far.csv --positive tumor && '$n' test a --external far.csv"
cmp ledger.sqlite kept.sqlite || fail "a refused test changed the ledger"
sed 's/,p0/,FAR^p0/' ../far/manifest.csv >../far/named.csv
quiet "$n" index ../far/named.csv -o far.csv --layout manifest --positive tumor

# A seal, a look, a result; the second look is refused, also for another run or under another name.
quiet "$n" test a b --external ../there/cohort.csv --name there
says "external cohort there: none of its cases is known to the run by pixels, study or patient"
says "look 1"
[ "$(rows ledger.sqlite)" = $((before + 3)) ] || fail "an external look is not seal, look and result"
cmp a/external/there/split.json b/external/there/split.json || fail "the seals of the runs differ"
for run in a b; do
    [ -s $run/external/there/results.txt ] || fail "no results of $run"
    [ "$(groups $run/external/there/results.json site)" = "Site B $n_b" ] || fail "groups of $run"
done
cp ledger.sqlite kept.sqlite
refused 11 "look 1 " "$n" test a --external ../there/cohort.csv --name there
refused 11 "look 1 " "$n" test b --external ../there/cohort.csv --name elsewhere
sed '$d' ../both/there.csv >../both/fewer.csv
quiet "$n" index ../both/fewer.csv -o fewer.csv --positive tumor
refused 11 "another look at them needs --again" "$n" test a --external fewer.csv
cmp ledger.sqlite kept.sqlite || fail "a refused look changed the ledger"
quiet "$n" test a --external fewer.csv --again "the last row was wrong"
says "look 2; again: the last row was wrong"
quiet "$n" train small.yaml -o later
quiet "$n" test later --external ../there/cohort.csv --again "a new model"
says "look 3; again: a new model; .*trained after look 2"
refused 2 "results of another cohort.*take another --name" \
    "$n" test a --external far.csv --name there
# Another cohort from elsewhere and the test part of the runs themselves are looked at a first time.
quiet "$n" test a --external far.csv
says "look 1\$"
quiet "$n" test a b
says "look 1\$"

# A kill between the row of the look and its result, while the program waits for who reads a pipe: the look
# goes on with the seal that is there.
mkdir -p b/external/pipe
mkfifo b/external/pipe/predictions.csv
quiet "$n" synth --kind slices --patients 20 --images-per-patient 1 --seed 8 --size 16 -o ../next
sed 's/,p0/,NEXT^p0/' ../next/manifest.csv >../next/named.csv
quiet "$n" index ../next/named.csv -o next.csv --layout manifest --positive tumor
before=$(rows ledger.sqlite)
"$n" test b --external next.csv --name pipe >out.txt 2>&1 &
pid=$!
tries=0
while [ ! -s b/external/pipe/results.txt ]; do
    tries=$((tries + 1))
    [ $tries -lt 600 ] || fail "no results"
    kill -0 $pid 2>/dev/null || { cat out.txt; fail "the look did not wait for its results"; }
    sleep 0.05
done
kill -9 $pid
wait $pid 2>/dev/null || true
rm b/external/pipe/predictions.csv
[ "$(rows ledger.sqlite)" = $((before + 2)) ] || fail "more than the rows of seal and look"
refused 11 "without a result" "$n" test a --external next.csv
quiet "$n" test b --external next.csv --name pipe
says "look 1 (resumed)"
[ "$(rows ledger.sqlite)" = $((before + 4)) ] || fail "a resumed look sealed anew"

# The results are moored: a ledger from before the external look is refused.
cp ledger.sqlite whole.sqlite
cp kept.sqlite ledger.sqlite
refused 11 "rolled back" "$n" test a --external far.csv --again "no reason is enough"
cp whole.sqlite ledger.sqlite
cd ..

# --- images of another kind -----------------------------------------------------------------------
for size in 32 64; do
    quiet "$n" synth --kind xray --patients 24 --images-per-patient 1 --sites 1 --seed $size \
        --size $size -o x$size
    quiet "$n" index x$size/dicom --labels x$size/labels.csv -o x$size/cohort.csv --positive nodule
done
recipe x32
quiet "$n" split x32/cohort.csv --allow-one-class
quiet "$n" train x32/small.yaml -o x32/run
# Equal PatientIDs without an issuer are one patient: these are two.
sed -i 's/,\(p00[0-9]*\),2.25/,FAR^\1,2.25/' x64/cohort.csv
refused 9 "24 of 24 images are of another kind, the first is case .*spacing 5.625 mm.*--force" \
    "$n" test x32/run --external x64/cohort.csv
quiet "$n" test x32/run --external x64/cohort.csv --force "the detector was changed"
says "forced: the detector was changed (24 of 24 images"
echo "$test_name: sites apart, a cohort from elsewhere, groups"
