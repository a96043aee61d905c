#!/bin/sh
# What is judged: patients and studies of several images. Everything that the program says of units is
# computed once more from the rows of their images, by awk: the joined logits, the counts of the split, the
# accuracy, the area under the curve over pairs of units, the number that intervals are made of.
set -eu

. tests/cli/lib/checks.sh

cat >recipe.yaml <<END
cohort: cohort.csv
split: split.json
input: {size: [24, 24]}
network: {name: cnn, channels: [8, 8]}
epochs: 2
END

# number KEY: of the results' JSON, outside of its lists.
number() { sed -n 's/^  "'"$1"'": \([^,]*\),*$/\1/p' run/test/results.json; }

# value METRIC POINT: of the printed results; the two last columns are units and patients.
row() { awk -v m="$1" -v at="$2" '$0 ~ "^at |^from" {on = $0 ~ at} on && $1 == m' run/test/results.txt; }

# check_units RULE: joins the images of each unit anew.
check_units() {
    awk -F, -v rule="$1" '
        FNR == 1 { delete at; for (i = 1; i <= NF; i++) at[$i] = i; next }
        FILENAME ~ /images/ {
            u = $at["unit"]; n[u]++; images++
            a = $at["logit_normal"]; b = $at["logit_tumor"]
            if (rule == "mean") { x[u] += a; y[u] += b }
            else if (n[u] == 1 || b - a > y[u] - x[u]) { x[u] = a; y[u] = b }
            next
        }
        {
            u = $at["id"]; units++
            if (rule == "mean") { x[u] /= n[u]; y[u] /= n[u] }
            if (!(u in n)) bad = "no images of " u
            d = x[u] - $at["logit_normal"]; e = y[u] - $at["logit_tumor"]
            if (d * d + e * e > 1e-20) bad = u " has other logits: " x[u] " " y[u]
            positive[units] = $at["truth"] == "tumor"; p[units] = $at["probability"]
            right += $at["truth"] == $at["decision"]
        }
        END {
            for (u in n) seen++
            if (seen != units) bad = seen " units of images, " units " judged"
            for (i = 1; i <= units; i++)
                for (j = 1; j <= units; j++)
                    if (positive[i] && !positive[j]) {
                        pairs++; wins += p[i] > p[j] ? 1 : p[i] == p[j] ? .5 : 0
                    }
            if (bad) { print bad; exit 1 }
            printf "%d %d %.4f %.4f\n", units, images, right / units, wins / pairs
        }' run/test/predictions-images.csv run/test/predictions.csv >again.txt ||
        { cat again.txt; fail "units are not what their images say"; }
    read -r units images accuracy auc <again.txt
    [ "$(number images)" = "$units" ] || fail "$(number images) judged, not $units"
    [ "$(number source_images)" = "$images" ] || fail "source_images"
    set -- $(row accuracy "operating point")
    [ "$2" = "$accuracy" ] || fail "accuracy $2, by hand $accuracy"
    set -- $(row ROC "from prob")
    [ "$3" = "$auc" ] || fail "AUC $3, by hand $auc"
}

# --- patients, of slices that were labelled one by one -----------------------------------------
quiet "$n" synth --patients 60 --size 24 -o images
refused 2 "say with --unit-label" "$n" index images/manifest.csv --unit patient -o cohort.csv
refused 2 "there are image, series" "$n" index images/manifest.csv --unit person -o cohort.csv
refused 2 "no patient is known" "$n" index images --unit patient --unit-label any -o cohort.csv
refused 9 "do not say their study" "$n" index images/manifest.csv --unit study --unit-label any -o cohort.csv
quiet "$n" index images/manifest.csv --unit patient --unit-label any -o cohort.csv
says "judged: 60 patients; labels by image"
quiet "$n" split cohort.csv
awk '$1 ~ "^(train|val|test)$" && $2 != "part:" { print $1 "," $4 "," $5 "," $6 }' out.txt |
    sort >printed.txt

# Patients of each part, and those with a tumour, counted from the cohort and the split.
tr -d ' \n' <split.json | sed 's/.*"cases":\[\[\(.*\)\]\].*/\1/; s/\],\[/\n/g; s/"//g' >cases.txt
awk -F, -v OFS=, 'NR == FNR { part[$1] = $2; next }
    FNR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    { k = part[$at["id"]] " " $at["patient"]; of[k] = 1; if ($at["label"] == "tumor") ill[k] = 1 }
    END { for (k in of) { split(k, w, " "); n[w[1]]++; if (k in ill) m[w[1]]++ }
          for (p in n) print p, n[p], n[p] - m[p], m[p] }' cases.txt cohort.csv | sort >by_hand.txt
cmp by_hand.txt printed.txt || { cat by_hand.txt printed.txt; fail "the split counts other patients"; }

quiet "$n" init cohort.csv -o proposed.yaml
grep -q "level: patient" proposed.yaml || fail "init does not name the unit"
sed 's/^epochs/unit: {level: study}\nepochs/' recipe.yaml >wrong.yaml
refused 8 "the cohort is judged by patient" "$n" train wrong.yaml -o wrong
for rule in mean max; do
    sed "s/^epochs/unit: {level: patient, aggregation: $rule}\nepochs/" recipe.yaml >$rule.yaml
    quiet "$n" train $rule.yaml -o run
    quiet "$n" test run --again "another rule"
    check_units $rule
    grep -q "; $units patients, from $images images" run/test/results.txt || fail "heading"
    set -- $(row accuracy "operating point") # one question a patient: Wilson over patients
    [ "$6" = Wilson ] && [ "$7" = "$units" ] && [ "$8" = "$units" ] || fail "interval: $*"
    [ $rule = max ] || mv run run_mean
done
says "patients"

# The answer for one patient is that of the test.
id=$(awk -F, 'NR == 2 { print $1 }' run/test/predictions.csv)
awk -F, -v id="$id" '
    FNR == 1 { delete at; for (i = 1; i <= NF; i++) at[$i] = i; next }
    FILENAME ~ /images.csv/ { if ($at["unit"] == id) mine[$at["id"]] = 1; next }
    $at["id"] in mine { print $at["file"] }' run/test/predictions-images.csv cohort.csv >mine.txt
set --
while read -r file; do set -- "$@" -i "$file"; done <mine.txt
refused 2 "(--together)" "$n" predict run "$@"
refused 2 "contradict" "$n" predict run "$@" --together --apart
quiet "$n" predict run "$@" --together
want=$(awk -F, 'NR == 2 { printf "%.6f", $3 }' run/test/predictions.csv)
grep -q "^all,.*,$want," out.txt || { cat out.txt; fail "predict says something else than $want"; }
[ "$(wc -l <out.txt)" = $(($(wc -l <mine.txt) + 2)) ] || fail "rows"
rm mine.txt

# Patients of another hospital are judged as these are, or not at all.
quiet "$n" synth --patients 20 --size 24 --seed 9 -o far
sed '2,$s/,p\([0-9]*\)/,q\1/' far/manifest.csv >far/others.csv
quiet "$n" index far/others.csv -o far.csv
refused 9 "judged by image, the model judges by patient" "$n" test run --external far.csv
quiet "$n" index far/others.csv --unit patient --unit-label any -o far.csv
quiet "$n" test run --external far.csv --name far
says "; 20 patients, from [0-9]* images"
grep -q '"unit": "patient"' run/external/far/results.json || fail "the unit of the cohort from elsewhere"

# --- what is better is chosen on validation ----------------------------------------------------
quiet "$n" train recipe.yaml -o chosen
says "judged by the .* of their images, chosen on validation"
grep -a -o 'chosen_on_units[^0-9]*[0-9]*' chosen/seed_0/model.safetensors | grep -q '[1-9]' ||
    fail "the model does not say what the rule was chosen on"

# --- studies that were labelled as a whole ----------------------------------------------------
rm -rf run
quiet "$n" synth --kind mammo --patients 24 --images-per-patient 2 --size 24 -o breasts
sed '1s/.*/study,label/; 1!d' breasts/labels.csv >studies.csv
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    { s = $at["study"]; if (!(s in ill)) { order[++n] = s; ill[s] = "normal" }
      if ($at["label"] != "normal") ill[s] = "tumor" }
    END { for (i = 1; i <= n; i++) print order[i] "," ill[order[i]] }' breasts/truth.csv >>studies.csv
quiet "$n" index breasts/dicom --labels studies.csv -o cohort.csv
says "labels by study"
quiet "$n" split cohort.csv --ledger second.sqlite
quiet "$n" train recipe.yaml -o run --ledger second.sqlite
quiet "$n" test run --ledger second.sqlite
grep -q "studies of [0-9]* patients, from [0-9]* images" run/test/results.txt || fail "studies"
how=$(grep -a -o 'aggregation[^a-z]*[a-z]*' run/seed_0/model.safetensors | sed 's/.*[^a-z]//')
check_units "$how"
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    { p[$at["patient"]] = 1 } END { for (k in p) n++; print n }' run/test/predictions.csv >patients.txt
[ "$(number patients)" = "$(cat patients.txt)" ] || fail "intervals are not over patients"
[ "$(number patients)" -lt "$(number images)" ] || fail "no patient has several studies"

# Breasts, of images that were labelled one by one: one each side of a patient.
quiet "$n" index breasts/dicom --labels breasts/labels.csv --unit breast --unit-label any -o sides.csv
says "judged: 48 breasts; labels by series"

# A patient's label on every follow-up is a finding, and has to be meant.
quiet "$n" synth --kind mr --patients 14 --size 16 -o heads
refused 2 "--spread-labels" "$n" index heads/dicom --labels heads/labels.csv --unit study -o heads.csv
quiet "$n" index heads/dicom --labels heads/labels.csv --unit study --spread-labels -o heads.csv
again=$(awk -F, 'NR > 1 && !($1 $2 in s) { s[$1 $2] = 1; n[$1]++ }
    END { for (p in n) if (n[p] > 1) { a++; b += n[p] } print a " patients have " b " studies" }' \
    heads/truth.csv)
says "stands on every follow-up: $again"
