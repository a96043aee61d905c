#!/bin/sh
# Cohorts of DICOM trees: labels by patient and by series, one series a study, findings refused by
# name and repaired by policy, bad files listed, a changed file noticed, nothing of a patient said.
set -eu
. tests/cli/lib/checks.sh

cases() { tail -n +2 "$1" | wc -l; }
# column NAME FILE: its values, one a line.
column() { awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print $at }' "$2"; }
synth() { quiet "$n" synth --patients 12 --images-per-patient 1 --size 24 "$@"; }

# --- volumes: a case is a series, with its place and what it belongs to -----------------------
synth --kind mr -o mr
quiet "$n" index mr/dicom --labels mr/labels.csv -o mr.csv
says "12 cases, 2 classes (normal, tumor) from layout 'dicom'"
says "patients: 12 (declared), 0 cases without"
[ "$(column modality mr.csv | sort -u)" = MR ] || fail "modality"
column spacing mr.csv | awk 'NF != 3 { exit 1 }' || fail "spacing"
[ "$(column files mr.csv | tr '|' '\n' | wc -l)" -eq "$(find mr/dicom -type f | wc -l)" ] ||
    fail "not every file of every series is named"
quiet "$n" split mr.csv

# --- the fourth axis ------------------------------------------------------------------------
synth --kind cine -o cine
quiet "$n" index cine/dicom --labels cine/labels.csv -o cine.csv
[ "$(column frames cine.csv | sort -u)" -gt 1 ] || fail "a cine has no phases"

# --- projection images: each is a case, here with a label by series -----------------------------
synth --kind mammo -o mammo
quiet "$n" index mammo/dicom --labels mammo/labels.csv -o mammo.csv
[ "$(cases mammo.csv)" -eq "$(find mammo/dicom -type f | wc -l)" ] || fail "not every view is a case"
column findings mammo.csv | grep -q detector-spacing || fail "a mammogram's millimetres are not said to be at the detector"
refused 9 "detector-spacing" "$n" index mammo/dicom --labels mammo/labels.csv -o never.csv \
    --policy detector-spacing=refuse

# --- findings: refused by name, repaired by policy ----------------------------------------------
for defect in gap:gap:resample tilt:gantry-tilt:shear uneven:uneven-spacing:resample; do
    made=${defect%%:*} rest=${defect#*:}
    finding=${rest%%:*} policy=${rest#*:}
    synth --kind mr --defect "$made" -o "$made"
    refused 9 "$finding" "$n" index "$made/dicom" --labels "$made/labels.csv" -o never.csv --max-unreadable 0
    quiet "$n" index "$made/dicom" --labels "$made/labels.csv" -o "$made.csv" --max-unreadable 0 \
        --policy "$finding=$policy"
    [ "$(cases "$made.csv")" -eq 12 ] || fail "$made: cases were lost"
    grep -q "\"$finding\": \"$policy\"" "$made.csv.json" || fail "$made: the policy is not kept"
    column findings "$made.csv" | grep -q "$finding" || fail "$made: the finding is not kept"
    quiet "$n" split "$made.csv"
done
refused 2 "did you mean 'gantry-tilt'" "$n" index tilt/dicom --labels tilt/labels.csv --policy gantri-tilt=shear
refused 2 "choose from: refuse, shear" "$n" index tilt/dicom --labels tilt/labels.csv --policy gantry-tilt=accept
refused 2 "write FINDING=POLICY" "$n" index tilt/dicom --labels tilt/labels.csv --policy shear

# --- which series: localizers are out, rules choose, several are listed --------------------------
synth --kind mr --defect localizer -o beside
quiet "$n" index beside/dicom --labels beside/labels.csv -o beside.csv
[ "$(cases beside.csv)" -eq 12 ] || fail "a localizer became a case"
refused 9 "series fit where one is wanted" "$n" index beside/dicom --labels beside/labels.csv \
    --series 'ImageType~.' -o never.csv
quiet "$n" index beside/dicom --labels beside/labels.csv --series 'ImageType!=LOCALIZER' -o chosen.csv
cmp -s beside.csv chosen.csv || fail "the same series give another cohort"
refused 2 "did you mean 'SeriesDescription'" "$n" index beside/dicom --labels beside/labels.csv \
    --series SeriesDesription=x

# --- labels -----------------------------------------------------------------------------------
refused 2 "its labels come from a table" "$n" index mr/dicom -o never.csv
head -4 mr/labels.csv >some.csv
quiet "$n" index mr/dicom --labels some.csv -o some-cases.csv
says "9 series or images have no label"
printf 'patient,label\nnobody,tumor\n' >none.csv
refused 9 "left out: no label" "$n" index mr/dicom --labels none.csv -o never.csv

# --- bad files: listed, and the rest is a cohort -----------------------------------------------
cp -r mr bad
first=$(find bad/dicom -name '*.dcm' | sort | head -1)
head -c 300 "$first" >bad/dicom/cut.dcm
echo "no DICOM at all" >bad/dicom/words.dcm
echo "a note" >bad/dicom/readme.txt
quiet "$n" index bad/dicom --labels bad/labels.csv -o bad.csv --max-unreadable 0.3
[ "$(cases bad.csv)" -eq 12 ] || fail "bad files cost good ones"
[ "$(grep -c '^unreadable: u-[0-9a-f]\{12\}: ' out.txt)" = 2 ] || fail "not two files with ids"
for id in $(sed -n 's/^unreadable: \(u-[0-9a-f]*\): .*/\1/p' out.txt); do "$n" where bad.csv "$id"; done >where.txt
grep -q '/bad/dicom/cut.dcm$' where.txt || fail "where does not find the file that was cut off"
grep -q '/bad/dicom/words.dcm$' where.txt || fail "where does not find the other"
quiet "$n" index bad/dicom --labels bad/labels.csv -o bad.csv --max-unreadable 0.3 --show-ids
says "unreadable: u-[0-9a-f]* .*cut.dcm: "
refused 9 "cannot be read, more than the fraction" "$n" index bad/dicom --labels bad/labels.csv \
    -o never.csv --max-unreadable 0.1

# --- a file that changes after it was indexed ---------------------------------------------------
quiet "$n" index bad/dicom --labels bad/labels.csv -o changed.csv --max-unreadable 0.3
quiet "$n" split changed.csv
quiet "$n" init changed.csv -o changed.yaml
for file in $(find bad/dicom -name 'IM0005.dcm'); do cp "$first" "$file"; done
status=0
"$n" train changed.yaml -o changed >out.txt 2>&1 || status=$?
[ "$status" = 9 ] || { cat out.txt; fail "exit $status where files changed"; }

[ ! -e never.csv ] || fail "a refused cohort was written"
# --- nothing of a patient ----------------------------------------------------------------------
for id in $(column patient mr.csv | sort -u); do
    if "$n" index mr/dicom --labels mr/labels.csv -o mr.csv 2>&1 | grep -v '^unreadable' | grep -q "$id"; then
        fail "the patient $id is named"
    fi
done
echo "index-dicom: all of it"
