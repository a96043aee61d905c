#!/bin/sh
# `nodule convert --deidentify`: cohorts of phantoms as copies: what is copied, named and warned of, that
# nothing of the sources is in them, and that they are as good images as their sources.
set -eu
. tests/cli/lib/checks.sh
export NODULE_SITE_KEY="$dir/site.key"

# --- a tree with several studies a patient, screens with text, and patients without an id ------------
quiet "$n" synth --kind mr --patients 10 --images-per-patient 2 --size 16 --sites 2 --defect burned-in \
    --defect dummy-ids --seed 5 -o synth
(cd synth && find dicom -type f -exec sha256sum {} +) >before.txt
quiet "$n" convert synth/dicom --deidentify -o copies --map map.csv
files=$(wc -l <before.txt)
says "^$files of $files files copied: [0-9]* patients"
says "copies have no patient"
says "^warning: [0-9]* series say that text is burned into their pixels"
says "^warning: [0-9]* series are scans of heads: faces remain"
(cd synth && sha256sum --quiet -c ../before.txt) || fail "a source was changed"
rm before.txt
[ "$(find copies -name '*.dcm' | wc -l)" = "$files" ] || fail "other files than copied"
[ "$(stat -c %a map.csv)" = 600 ] || fail "others may read the map"
[ "$(tail -n +2 map.csv | wc -l)" = "$files" ] || fail "the map has other files"

# Nobody is in a copy, in its name, in the report, or in what was said.
grep -riE 'phantom\^|p00[0-9]{2}|site [ab]|anonymous' copies && fail "an identifier is in a copy"
find copies | grep -iE 'p00[0-9]{2}|brain|phantom' && fail "an identifier is in a name"
grep -E 'p00[0-9]{2}|synth' out.txt && fail "an identifier was said"

# --- what belongs together stays together ------------------------------------------------------------
for tree in synth/dicom copies; do
    "$n" inspect $tree --headers-only --json >inspect.txt
    grep -oE '"(patients|studies|series|files)": [0-9]+' inspect.txt | head -n 4
done >counts.txt
[ "$(head -n 4 counts.txt)" = "$(tail -n 4 counts.txt)" ] || { cat counts.txt; fail "other groups"; }
# Voxels of a series are the same; its folder is in the map.
series=$(sed -n 's/,.*//p' map.csv | grep '^p0005/1/brain/' | head -n 1)
folder=copies/$(grep "^$series," map.csv | cut -d, -f2 | xargs dirname)
quiet "$n" convert synth/dicom/p0005/1/brain -o source.nii
quiet "$n" convert "$folder" -o copy.nii
cmp source.nii copy.nii || fail "a series has other voxels or another place"

# A table of labels is carried over by the map; the copies are the same cases with the same labels.
quiet "$n" synth --kind mr --patients 12 --images-per-patient 2 --size 16 --seed 6 -o labelled
quiet "$n" convert labelled/dicom --deidentify -o labelled_copies --map labelled.csv
{
    echo patient,label
    awk -F, 'NR == FNR { made[$3] = $4; next } FNR > 1 { print made[$1] "," $2 }' \
        labelled.csv labelled/labels.csv
} >labels.csv
quiet "$n" index labelled/dicom --labels labelled/labels.csv -o cohort.csv
quiet "$n" index labelled_copies --labels labels.csv -o copied.csv
for cohort in cohort copied; do cut -d, -f1,5 $cohort.csv | sort >$cohort.cases; done
cmp cohort.cases copied.cases || fail "the copies are other cases"

# --- the key decides the names, and nothing else does -------------------------------------------------
quiet "$n" convert synth/dicom --deidentify -o again --threads 1
diff -r copies again || fail "not the same bytes again"
quiet "$n" convert synth/dicom/p0005 --deidentify -o one
diff -r one/P-* "copies/$(ls one | grep P-)" || fail "a patient alone has other copies"
quiet "$n" convert synth/dicom --deidentify -o other --site-key other.key
says "site key was made"
ls copies other | sort | uniq -d | grep P-0 && fail "another key gives the same pseudonyms"

# --- as valid as their sources -------------------------------------------------------------------------
if command -v dciodvfy >/dev/null; then
    find synth/dicom -type f -exec dciodvfy {} \; 2>&1 | grep -c '^Error' >errors.txt || :
    find copies -name '*.dcm' -exec dciodvfy {} \; 2>&1 | grep -c '^Error' >>errors.txt || :
    [ "$(head -n 1 errors.txt)" = "$(tail -n 1 errors.txt)" ] || { cat errors.txt; fail "dciodvfy"; }
else
    echo "skipped: dciodvfy (dicom3tools) is not installed"
fi

# --- what is refused -----------------------------------------------------------------------------------
refused 2 'give the folder' "$n" convert synth/dicom --deidentify
refused 2 'lie apart' "$n" convert synth --deidentify -o synth/copies
refused 2 'not empty' "$n" convert synth/dicom --deidentify -o copies
refused 2 'must not lie among the copies' "$n" convert synth/dicom --deidentify -o new --map new/map.csv
refused 2 'goes with --deidentify' "$n" convert synth/dicom -o x.nii --map map.csv
refused 2 'takes no --series' "$n" convert synth/dicom --deidentify -o new --series Modality=MR
refused 3 'no such file' "$n" convert none --deidentify -o new
refused 9 'nothing was copied: 1 files, 1 of them not DICOM' "$n" convert synth/labels.csv --deidentify -o new
quiet "$n" convert synth/dicom --deidentify -o copies --overwrite
diff -r copies again || fail "copies over copies differ"

# --- a zip, a file, broken files -----------------------------------------------------------------------
mkdir mixed
cp -r synth/dicom/p0005/1/brain mixed/Zwetschkenbaum
first=$(find mixed -type f | sort | head -n 1)
head -c 703 "$first" >mixed/Zwetschkenbaum/cut.dcm
echo words >mixed/notes.txt
quiet "$n" convert mixed --deidentify -o mixed_copies --json
says '"not_dicom": 1'
says 'broken DICOM at byte'
grep -ri zwetsch out.txt mixed_copies && fail "a folder's name was said"
quiet "$n" convert "$first" --deidentify -o single
says '^1 of 1 files copied'
