#!/bin/sh
# Nobody is named: names, ids, dates, UIDs of patients, and names of files and folders, are planted in DICOM
# trees, NIfTI files, tables and cohorts, good and broken; every verb runs over them; then all that was
# said and all that was made is searched for them. What may hold them is the source itself and the cohort.
set -eu
. tests/cli/lib/checks.sh
export NODULE_SITE_KEY="$dir/site.key"

# Everything happens below a folder of a patient: it is in every absolute path.
mkdir ZQWARD
cd ZQWARD
names='ZQ[A-Z]{3}|ZQ[ _^][A-Z0-9]|ZQ[0-9]{2}'
planted="$names"'|(^|[^0-9a-f])1933-?[01][0-9]-?[0-3][0-9]($|[^0-9a-f])|2\.25\.[0-9]{12}'

# do_it CODE COMMAND...: runs it and looks at what it said; the exit code must be this one ("any": whatever).
: >said.txt
do_it() {
    code=$1
    shift
    status=0
    "$@" >out.txt 2>&1 || status=$?
    cat out.txt >>said.txt
    [ "$code" = any ] || [ "$status" = "$code" ] || { cat out.txt; fail "exit $status, not $code: $*"; }
    if grep -anE "$planted" out.txt; then fail "that was said by: $*"; fi
}

# --- what is planted ---------------------------------------------------------------------------------
# plant TREE ID: the phantoms of a tree get other names, ids (ID and two digits), dates and descriptions of
# the same length, its files and folders other names.
plant() {
    find "$1" -type f | while read -r file; do
        LC_ALL=C sed -i 's/PHANTOM^P/ZQNAME^ZQ/g; s/p00\([0-9]\{2\}\)/'"$2"'\1/g; s/202[0-7]\([01][0-9][0-3][0-9]\)/1933\1/g; s/brain /ZQSER /g' "$file"
        mv "$file" "$(dirname "$file")/ZQ JOHN^$(basename "$file")"
    done
    find "$1" -depth -type d -name 'p0*' | while read -r folder; do
        mv "$folder" "$(dirname "$folder")/ZQ_$(basename "$folder" | tail -c 4)"
    done
}
table() { sed "s/^p00\([0-9]\{2\}\),/$2\1,/" "$1"; }

for tree in heads others; do
    id=ZQ0
    [ $tree = heads ] || id=9ZQ
    quiet "$n" synth --kind mr --patients 40 --images-per-patient 1 --size 16 --sites 2 --seed ${#tree} -o $tree
    mkdir $tree-in
    mv $tree/dicom $tree-in/scans
    plant $tree-in/scans $id
    table $tree/labels.csv $id >$tree-in/labels.csv
    rm -r $tree
done
one=$(find heads-in/scans -type f | sort | head -n 1)
series=$(dirname "$one")
grep -aq 'ZQNAME^ZQ' "$one" && grep -aq 'ZQ0' "$one" && grep -aq '1933[01]' "$one" || fail "nothing is planted"

# A tree with every kind of bad file, and one series of which a file was cut off.
cp -r heads-in bad-in
head -c 300 "$one" >"bad-in/scans/ZQ CUT.dcm"
: >bad-in/scans/ZQEMPTY.dcm
echo "ZQ^JOHN born 19330404" >bad-in/scans/ZQTEXT.dcm
cut=$(find bad-in/scans -type f -name '*IM0003.dcm' | sort | tail -n 1)
head -c 900 "$cut" >cut.tmp && mv cut.tmp "$cut"
ln -s /nowhere bad-in/scans/ZQLINK.dcm
if command -v zip >/dev/null; then
    (cd heads-in/scans && zip -q -r ../../ZQ.zip ZQ_001 ZQ_002)
    head -c 5000 ZQ.zip >bad-in/scans/ZQ_BROKEN.zip
fi

# --- what the verbs say of it ----------------------------------------------------------------------------
for tree in heads-in bad-in; do
    do_it 0 "$n" inspect $tree/scans
    do_it 0 "$n" inspect $tree/scans --json
    do_it 0 "$n" inspect $tree/scans --html $tree.html --rows 0
done
do_it 5 "$n" inspect bad-in/scans/ZQTEXT.dcm
[ ! -f ZQ.zip ] || do_it 0 "$n" inspect ZQ.zip
do_it 0 "$n" index heads-in/scans --labels heads-in/labels.csv -o cohort.csv
says "it holds ids, dates or paths of patients"
do_it 9 "$n" index bad-in/scans --labels bad-in/labels.csv --max-unreadable 0 -o never.csv
do_it 0 "$n" index bad-in/scans --labels bad-in/labels.csv --max-unreadable 0.5 -o bad.csv
says '^unreadable: u-[0-9a-f]*: '
do_it 9 "$n" index heads-in/scans --labels heads-in/labels.csv --series 'ImageType=ZQ' -o never.csv
do_it 3 "$n" index heads-in/scans --labels heads-in/none.csv -o never.csv
do_it 0 "$n" index others-in/scans --labels others-in/labels.csv -o others.csv --json

# The search finds what is there: with --show-ids all of it is said.
"$n" inspect bad-in/scans --show-ids >out.txt
for word in ZQ0 'ZQ_' 'ZQ JOHN^' ZQSER 'ZQ CUT' '2[.]25[.]'; do says "$word"; done
grep -aqE "$planted" out.txt || fail "the search finds nothing"

# Where a case is, is asked for; whose it is, is not said.
first=$(tail -n +2 cohort.csv | head -n 1 | cut -d, -f1)
"$n" where cohort.csv "$first" >out.txt
says "ZQWARD/heads-in/scans/ZQ_"
says 'patient: P-[0-9a-f]\{8\}$'
unreadable=$(sed -n 's/.*"id": "\(u-[^"]*\)".*/\1/p' bad.csv.json | head -n 1)
"$n" where bad.csv "$unreadable" --json >out.txt
says "bad-in/scans"
do_it 3 "$n" where cohort.csv nobody
grep -q '"phi": true' cohort.csv.json || fail "the cohort does not say what it holds"

do_it any "$n" leak cohort.csv -o leak.csv
do_it any "$n" leak cohort.csv --json
do_it any "$n" leak cohort.csv --against others.csv -o against.csv

# --- the method ------------------------------------------------------------------------------------------
do_it 0 "$n" split cohort.csv --json
do_it 0 "$n" split cohort.csv --seed 3 -o other.json
do_it 0 "$n" split cohort.csv --by site --seed 3 -o by-site.json --allow-one-class
do_it any "$n" split others.csv --by date -o by-date.json --ledger by-date.sqlite --allow-one-class
do_it 0 "$n" split others.csv --ledger others.sqlite -o others.json
do_it 0 "$n" init cohort.csv -o recipe.yaml
sed -i 's/^epochs: .*/epochs: 1/; s/channels: \[16, 32, 64\]/channels: [4]/' recipe.yaml
do_it 0 "$n" train recipe.yaml --dry-run
do_it 0 "$n" train recipe.yaml -o run
(cd heads-in && do_it 0 "$n" train ../recipe.yaml -o ../run2) || exit 1
do_it 0 "$n" summary run
do_it 0 "$n" test run --again 'the first'
do_it 0 "$n" test run --external others.csv --force 'phantoms differ'
do_it 0 "$n" predict run -i "$series" --force -o predicted.csv
do_it any "$n" predict run -i "$series" -i "$one" -i bad-in/scans/ZQTEXT.dcm -i ZQNOWHERE --force
do_it any "$n" predict run -i "$series" -i "bad-in/scans/ZQ CUT.dcm" --force --json
do_it any "$n" predict run -i "$(dirname "$cut")" --force
do_it any "$n" explain run -i "$series" --node output:0
do_it any "$n" explain run -i "bad-in/scans/ZQ CUT.dcm" --node output:0 --json
do_it 0 "$n" convert "$series" -o scan.nii.gz --json
do_it 0 "$n" convert "$series" -o scan.png
do_it 5 "$n" convert "bad-in/scans/ZQ CUT.dcm" -o never.nii
do_it 3 "$n" convert ZQNOWHERE.nii -o never.nii
do_it any "$n" convert "$(dirname "$cut")" -o never.nii
do_it any "$n" convert bad-in/scans --deidentify -o copies

# --- files that change, and artefacts that are broken -----------------------------------------------------
cp -r heads-in kept-in
for file in $(find heads-in -name '*IM0003.dcm' | tr ' ' '?'); do cp "$one" "$file"; done
do_it 9 "$n" train recipe.yaml -o never --cache none
says "case [0-9a-f]* ('nodule where' names its file)"
for file in $(find heads-in -name '*IM0003.dcm' | tr ' ' '?'); do head -c 700 "kept-in/${one#heads-in/}" >"$file"; done
do_it any "$n" train recipe.yaml -o never --cache none
rm -r heads-in
do_it any "$n" leak cohort.csv -o never.csv
do_it any "$n" train recipe.yaml -o never --cache none
mv kept-in heads-in
for broken in 's/,/,,/' 's/^\([^,]*\),\([^,]*\),/\2,\1,/' '1d' 's/,MR,/,ZQNAME,/' 's/[.]dcm/"x/'; do
    sed "$broken" cohort.csv >broken.csv
    cp cohort.csv.json broken.csv.json
    do_it any "$n" split broken.csv -o never.json --ledger never.sqlite
    do_it any "$n" where broken.csv nobody
done
cp cohort.csv broken.csv
sed 's/"file": "/"file": ZQ/; s/"source": "/"source": ZQ^JOHN 19330404 /' bad.csv.json >broken.csv.json
do_it 5 "$n" split broken.csv -o never.json
for broken in 's/,.*/,normal,exam/; 1s/.*/patient,label,part/' '1d' 's/,/;/' '2s/.*/ZQ001,"tumor/' '1s/.*/ZQNAME,ZQID/'; do
    sed "$broken" heads-in/labels.csv >heads-in/broken.csv
    do_it any "$n" index heads-in/scans --labels heads-in/broken.csv -o never.csv
done

# --- other layouts: names of files are names too -----------------------------------------------------------
mkdir -p classes/normal classes/tumor
i=0
for file in $(find heads-in/scans -type d -name ZQSER -o -type d -name brain | sort | head -n 12); do
    i=$((i + 1))
    class=normal
    [ $((i % 2)) = 0 ] || class=tumor
    quiet "$n" convert "$file" -o "classes/$class/ZQ^JOHN 193304$(printf %02d $i).nii.gz"
done
echo "ZQ JOHN" >"classes/tumor/ZQ^BAD.nii.gz"
do_it 0 "$n" inspect classes
do_it 0 "$n" inspect classes/normal classes/tumor --json --html classes.html
do_it 0 "$n" index classes -o classes.csv --max-unreadable 0.2 --patient-regex '/([^.]*)'
do_it 9 "$n" index classes -o never.csv --max-unreadable 0
do_it 9 "$n" index classes -o never.csv --patient-regex '(WARD[0-9]+)'
do_it 9 "$n" index classes -o never.csv --patient-regex '/(..)' --patient-divide 2
do_it 0 "$n" split classes.csv -o classes.json --ledger classes.sqlite --allow-one-class
{
    echo path,label,patient
    for file in classes/*/*JOHN*; do echo "$file,$(basename "$(dirname "$file")"),$(basename "$file" .nii.gz)"; done
} >manifest.csv
do_it 0 "$n" index manifest.csv -o listed.csv
for broken in '1s/.*/ZQ a,ZQ b,ZQ c/' '3s/classes/ZQNOWHERE/' '3s/,.*/,,/' '4s/.*/ZQ/' '1s/$/,ZQNAME/' '2p'; do
    sed "$broken" manifest.csv >broken-list.csv
    do_it any "$n" index broken-list.csv -o never.csv
done
mkdir -p nnunet/imagesTr nnunet/labelsTr
for file in classes/normal/*; do
    cp "$file" "nnunet/imagesTr/$(basename "$file" .nii.gz)_0000.nii.gz"
done
echo '{"channel_names": {"0": "MR"}, "labels": {"background": 0, "tumor": 1}, "file_ending": ".nii.gz"}' >nnunet/dataset.json
do_it any "$n" index nnunet -o never.csv
for file in classes/normal/*; do cp "$file" nnunet/labelsTr/; done
do_it any "$n" index nnunet -o never.csv
do_it any "$n" inspect nnunet --json

# --- all that was made -----------------------------------------------------------------------------------
# The sources, and cohorts with their JSON, may hold it; nothing else, also not in its name.
rm -rf heads-in others-in bad-in classes nnunet ZQ.zip manifest.csv broken* out.txt
for cohort in cohort bad others classes listed never; do rm -f $cohort.csv $cohort.csv.json; done
gzip -d ./*.gz
sed -i 's/;base64,[^"]*//' ./*.html # pictures, in which any letters may stand beside each other
find . | grep -E "$planted" && fail "a name is in the name of a file"
# Of copies dates are shifted and UIDs are others.
grep -raoE "$names" copies && fail "a name is in a copy"
rm -r copies
grep -raoE "$planted" . && fail "a name is in a file"
for made in run/run.json run/seed_0/model.safetensors run/test/results.json run/test/predictions.csv \
    split.json recipe.yaml ledger.sqlite heads-in.html predicted.csv scan.nii said.txt; do
    [ -s $made ] || fail "$made was not looked at"
done
echo "$test_name: $(find . -type f | wc -l) files and $(wc -l <said.txt) lines name nobody"
