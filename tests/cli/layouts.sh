#!/bin/sh
# One set of scans with label maps in the layouts of nnU-Net (both versions), the Decathlon, MONAI, GaNDLF
# and BIDS is one cohort: equal cases, patients, masks, hash. One DICOM tree by a table of labels, as a
# table of GaNDLF and in class folders is one cohort too. What is wrong with a layout is said in one line.
set -eu
. tests/cli/lib/checks.sh

hash_of() { sed -n 's/.*"hash": "\([0-9a-f]*\)".*/\1/p' out.txt; }
# column NAME FILE: its values, one a line.
column() { awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { print at ? $at : "" }' "$2"; }
# index_as NAME SOURCE ARGS...: the cohort NAME.csv, whose hash must be that of the first.
index_as() {
    name=$1
    shift
    quiet "$n" index "$@" -o "$name.csv" --json
    hash=$(hash_of)
    [ -n "$hash" ] || fail "$name: no hash"
    [ "${same:=$hash}" = "$hash" ] || fail "$name: another cohort than the layouts before it"
}

# --- scans with label maps: scan_001 .. with two of a patient, some numbers missing ----------------
quiet "$n" synth --kind mr --patients 5 --images-per-patient 2 --size 24 -o made
mkdir -p scans
i=0
tail -n +2 made/truth.csv | while IFS=, read -r _ _ _ folder _ mask _; do
    i=$((i + 1))
    [ $((i % 5)) -ne 0 ] || continue
    id=$(printf '%03d' "$i")
    "$n" convert "made/$folder" -o "scans/$id.nii.gz" >/dev/null
    cp "made/$mask" "scans/mask_$id.nii.gz"
    echo "$id" >>ids
done
n_cases=$(wc -l <ids)
[ "$n_cases" -ge 6 ] || fail "only $n_cases scans"
rule='--patient-regex ([0-9]+) --patient-divide 2'
labels='"labels": {"background": 0, "tumor": 1}'
by_value='"labels": {"0": "background", "1": "tumor"}'

# nnU-Net, version 2
v2=raw/Dataset009_Scans
mkdir -p $v2/imagesTr $v2/labelsTr
while read -r id; do
    ln -s "$dir/scans/$id.nii.gz" "$v2/imagesTr/scan_${id}_0000.nii.gz"
    ln -s "$dir/scans/mask_$id.nii.gz" "$v2/labelsTr/scan_$id.nii.gz"
done <ids
touch $v2/imagesTr/._scan_001_0000.nii.gz # as a Macintosh leaves them
echo "{\"channel_names\": {\"0\": \"T1\"}, $labels, \"numTraining\": $n_cases, \"file_ending\": \".nii.gz\"}" \
    >$v2/dataset.json
index_as nnunet $v2 $rule
[ "$(tail -n +2 nnunet.csv | wc -l)" -eq "$n_cases" ] || fail "nnunet: cases"
[ "$(column patient nnunet.csv | paste -sd ' ')" = "$(awk '{ print int(($1 + 1) / 2) }' ids | paste -sd ' ')" ] ||
    fail "nnunet: the patient is not ceil(number / 2)"
column mask nnunet.csv | grep -qv 'labelsTr/scan_' && fail "nnunet: masks"
[ "$(column mask_pixels nnunet.csv | grep -c '^[0-9a-f]\{64\}$')" -eq "$n_cases" ] || fail "nnunet: hashes of masks"
column label nnunet.csv | grep -q . && fail "nnunet: labels beside masks"
index_as nnunet_json $v2/dataset.json $rule
cmp -s nnunet.csv nnunet_json.csv || fail "the folder and its dataset.json differ"


# its list of files
mkdir raw2
{
    echo "{\"channel_names\": {\"0\": \"T1\"}, $labels, \"file_ending\": \".nii.gz\", \"dataset\": {"
    sed 's|.*|"scan_&": {"images": ["../scans/&.nii.gz"], "label": "./../scans/mask_&.nii.gz"},|; $ s/,$/}}/' ids
} >raw2/dataset.json
index_as nnunet_list raw2 $rule
says_layout() { grep -q "\"layout\": \"$1\"" out.txt || { cat out.txt; fail "not the layout $1"; }; }
says_layout nnunet

# nnU-Net, version 1: the Decathlon's list, a file for each channel
v1=raw1/Task009_Scans
mkdir -p $v1
cp -r $v2/imagesTr $v2/labelsTr $v1
{
    echo "{\"modality\": {\"0\": \"MRI\"}, $by_value, \"numTraining\": $n_cases, \"training\": ["
    sed 's|.*|{"image": "./imagesTr/scan_&.nii.gz", "label": "./labelsTr/scan_&.nii.gz"},|; $ s/,$/]}/' ids
} >$v1/dataset.json
index_as nnunet_1 $v1 $rule
says_layout nnunet

# The Decathlon
msd=Task09_Scans
mkdir -p $msd/imagesTr $msd/labelsTr
while read -r id; do
    ln -s "$dir/scans/$id.nii.gz" "$msd/imagesTr/scan_$id.nii.gz"
    ln -s "$dir/scans/mask_$id.nii.gz" "$msd/labelsTr/scan_$id.nii.gz"
done <ids
sed 's/"training"/"test": ["imagesTs\/scan_900.nii.gz"], "training"/' $v1/dataset.json >$msd/dataset.json
index_as msd $msd $rule
says_layout msd
grep -q '"no label"' msd.csv.json || fail "msd: the test image without a label is not counted"

# MONAI: any order, folds, a folder where the paths begin
{
    echo "{$by_value, \"training\": ["
    sort -r ids | awk '{ printf "%s{\"image\": \"%s.nii.gz\", \"label\": \"mask_%s.nii.gz\", \"fold\": %d}", (NR > 1 ? "," : ""), $1, $1, NR % 3 }'
    echo ']}'
} >datalist.json
index_as monai datalist.json --data-root scans $rule
says_layout monai
cp datalist.json scans/datalist.json
index_as monai_beside scans/datalist.json $rule

# GaNDLF
{
    echo 'SubjectID,Channel_0,Label'
    awk '{ printf "%d,scans/%s.nii.gz,scans/mask_%s.nii.gz\n", ($1 + 1) / 2, $1, $1 }' ids
} >gandlf.csv
quiet "$n" index gandlf.csv -o gandlf_cohort.csv --json --mask-names background,tumor
says_layout gandlf
grep -q '"tumor"' gandlf_cohort.csv.json || fail "gandlf: names of values"
for c in id patient pixels mask_pixels; do
    [ "$(column $c gandlf_cohort.csv)" = "$(column $c nnunet.csv)" ] || fail "gandlf: $c"
done

# A table of one's own; nobody names the values.
{
    echo 'path,mask'
    sed 's|.*|scans/&.nii.gz,scans/mask_&.nii.gz|' ids
} >manifest.csv
quiet "$n" index manifest.csv -o manifest_cohort.csv
says '2 classes (background, 1) from layout .manifest'
for c in id pixels mask_pixels; do
    [ "$(column $c manifest_cohort.csv)" = "$(column $c nnunet.csv)" ] || fail "manifest: $c"
done

# MONAI's list without names
sed "s/$by_value, //" datalist.json >nameless.json
index_as monai_nameless nameless.json --data-root scans $rule --mask-names background,tumor

# BIDS: label maps in derivatives, their names in a table
mkdir -p bids/derivatives/manual
echo '{"Name": "scans", "BIDSVersion": "1.10.0"}' >bids/dataset_description.json
printf 'participant_id\tage\tsex\tgroup\n' >bids/participants.tsv
while read -r id; do
    mkdir -p "bids/sub-$id/anat" "bids/derivatives/manual/sub-$id/anat"
    ln -s "$dir/scans/$id.nii.gz" "bids/sub-$id/anat/sub-${id}_T1w.nii.gz"
    ln -s "$dir/scans/mask_$id.nii.gz" "bids/derivatives/manual/sub-$id/anat/sub-${id}_desc-manual_dseg.nii.gz"
    printf 'sub-%s\t%d\t%s\t%s\n' "$id" "$((1$id - 960))" female "$([ $((1$id % 2)) = 0 ] && echo ill || echo well)" >>bids/participants.tsv
done <ids
printf 'index\tname\tcolor\n1\ttumor\t#ff0000\n' >bids/derivatives/manual/desc-manual_dseg.tsv
index_as bids bids $rule
says_layout bids
[ "$(column sex bids.csv | sort -u)" = F ] || fail "bids: sex"
[ "$(column age bids.csv | head -1)" = "$(sed -n '2s/^[^\t]*\t\([^\t]*\)\t.*/\1/p' bids/participants.tsv)" ] || fail "bids: age"
# Participants are the patients where no rule says otherwise, and a column may be the truth.
quiet "$n" index bids -o people.csv --label-column group
says '2 classes (ill, well)'
says "patients: $n_cases (declared)"

mkdir bare_bids
cp -r bids/sub-* bids/derivatives bare_bids
index_as bare_bids bare_bids $rule
says_layout bids

# --- channels ---------------------------------------------------------------------------------------
mkdir -p two/imagesTr two/labelsTr
while read -r id; do
    ln -s "$dir/scans/$id.nii.gz" "two/imagesTr/scan_${id}_0000.nii.gz"
    ln -s "$dir/scans/mask_$id.nii.gz" "two/imagesTr/scan_${id}_0001.nii.gz"
    ln -s "$dir/scans/mask_$id.nii.gz" "two/labelsTr/scan_$id.nii.gz"
done <ids
sed 's/{"0": "T1"}/{"0": "T1", "1": "T2"}/' $v2/dataset.json >two/dataset.json
quiet "$n" index two -o two.csv
[ "$(column frames two.csv | sort -u)" = 2 ] || fail "two channels are not two frames"
column files two.csv | grep -q '^scan_001_0000.nii.gz|scan_001_0001.nii.gz$' || fail "files of the channels"
{
    echo 'SubjectID,Channel_0,Channel_1,Label'
    sed 's|.*|&,scans/&.nii.gz,scans/mask_&.nii.gz,scans/mask_&.nii.gz|' ids
} >two_gandlf.csv
quiet "$n" index two_gandlf.csv -o two_cohort.csv
[ "$(column pixels two.csv)" = "$(column pixels two_cohort.csv)" ] || fail "channels of two layouts differ"

# Channels that share no folder, and a series beside the cohort.
mkdir apart
while read -r id; do cp "scans/$id.nii.gz" "apart/other_$id.nii.gz"; done <ids
{
    echo 'SubjectID,Channel_0,Channel_1,ValueToPredict'
    awk '{ printf "%d,scans/%s.nii.gz,apart/other_%s.nii.gz,%d\n", $1, $1, $1, NR % 2 }' ids
} >apart.csv
quiet "$n" index apart.csv -o apart_cohort.csv
[ "$(column file apart_cohort.csv | sort -u)" = . ] || fail "channels without a folder of their own"
quiet "$n" where apart_cohort.csv "$(column id apart_cohort.csv | head -1)"
quiet "$n" split apart_cohort.csv -o apart_split.json --ledger apart.sqlite --allow-one-class
mkdir flat
sed -n '2,$s/^\([^,]*\),.*,\(dicom[^,]*\),.*/\1 \2/p' made/truth.csv | while read -r patient folder; do
    for f in "made/$folder"/*; do cp "$f" "flat/${patient}_$(echo "$folder" | tr / _)_${f##*/}"; done
done
(cd flat && quiet "$n" index . --labels ../made/labels.csv --spread-labels --unit image)
[ "$(column file flat/cohort.csv | sort -u)" = . ] || fail "a series beside the cohort"
[ "$(column id flat/cohort.csv | wc -l)" -eq "$(tail -n +2 made/truth.csv | wc -l)" ] || fail "series that lie flat"

# --- folds --------------------------------------------------------------------------------------------
first=$(head -1 ids)
{
    printf '[{"train": ['
    tail -n +2 ids | sed 's/.*/"scan_&"/' | paste -sd ,
    printf '], "val": ["scan_%s"]}]' "$first"
} >$v2/splits_final.json
quiet "$n" index $v2 -o fold.csv --fold 0
[ "$(column part fold.csv | paste -sd ' ')" = "val$(yes ' train' | head -$((n_cases - 1)) | tr -d '\n')" ] || fail "parts of a fold"
quiet "$n" index datalist.json --data-root scans -o fold.csv --fold 1
[ "$(column part fold.csv | sort | uniq -c | awk '{ printf "%s %s ", $2, $1 }')" = "train $((n_cases - (n_cases + 2) / 3)) val $(((n_cases + 2) / 3)) " ] ||
    fail "parts of MONAI's fold"
quiet "$n" split nnunet.csv
grep -q tumor out.txt && fail "a split counts the classes of label maps as those of cases"
refused 12 "the cohort has label maps" "$n" init nnunet.csv

# --- DICOM: a table of labels, a table of GaNDLF, class folders ----------------------------------------
same=
index_as tree made/dicom --labels made/labels.csv --unit image --spread-labels
{
    echo 'SubjectID,Channel_0,ValueToPredict'
    awk -F, 'NR > 1 { print $1 ",made/" $4 "," $5 }' made/truth.csv | sort -r
} >dicom_gandlf.csv
index_as by_table dicom_gandlf.csv
awk -F, 'NR == 1 { print "path,label" } NR > 1 { print "made/" $4 "," $5 }' made/truth.csv >dicom_manifest.csv
quiet "$n" index dicom_manifest.csv -o dicom_manifest_cohort.csv
for c in id study patient site; do
    [ "$(column $c dicom_manifest_cohort.csv | sort)" = "$(column $c tree.csv | sort)" ] || fail "manifest of DICOM: $c"
done
mkdir -p classes/normal classes/tumor
tail -n +2 made/labels.csv | while IFS=, read -r patient label; do
    ln -s "$dir/made/dicom/$patient" "classes/$label/$patient"
done
index_as classes classes
says_layout folder
quiet "$n" synth --kind xray --patients 6 --size 24 -o chests
same=
index_as chests chests/dicom --labels chests/labels.csv --unit image --spread-labels
awk -F, 'NR == 1 { print "SubjectID,Channel_0,ValueToPredict" } NR > 1 { print $1 ",chests/" $4 "/IM0001.dcm," $5 }' \
    chests/truth.csv >chests_gandlf.csv
index_as by_row chests_gandlf.csv

# --- what is wrong is said in one line -------------------------------------------------------------------
one_line() { [ "$(grep -c . out.txt)" -eq 1 ] || { cat out.txt; fail "more than one line"; }; }
bad() {
    code=$1 words=$2
    shift 2
    refused "$code" "$words" "$n" index "$@" -o never.csv -q
    one_line
    [ ! -e never.csv ] || fail "a cohort was written"
}
mkdir -p bad/imagesTr bad/labelsTr
cp $v2/imagesTr/* bad/imagesTr
json() { printf '%s' "$1" >bad/dataset.json; }
json '{"channel_names": {"0": "T1"}, "file_ending": ".nii.gz"}'
bad 9 'labels is missing' bad
json '{"channel_names": {"0": "T1"}, "labels": {"background": 0, "tumor": 2}}'
bad 9 'the value 1 has no name, though 2 has' bad
json '{"channel_names": {"0": "T1"}, "labels": {"background": 0, "tumor": 1, "cyst": 1}}'
bad 9 "'tumor' and 'cyst' both have the value 1" bad
json "{\"channel_names\": {}, $labels}"
bad 9 'channel_names is not an object with 1 to' bad
json "{\"channel_names\": {\"0\": \"T1\"}, $labels"
bad 5 'dataset.json:1' bad --layout nnunet
json "{\"channel_names\": {\"0\": \"T1\"}, $labels}"
bad 9 'there is no label map of its name' bad
json "{\"channel_names\": {\"0\": \"T1\", \"1\": \"T2\"}, $labels}"
bad 9 'are not the channels 0000 to 0001' bad
rm -r bad/labelsTr
bad 9 'no folder labelsTr of label maps' bad
bad 2 'there is no fold 7; it has 1' $v2 --fold 7
sed "s/scan_$first/scan_x/" $v2/splits_final.json >splits.json
bad 9 "fold 0 lacks 1 of the $n_cases cases" $v2 --fold 0 --fold-file splits.json
echo '{"training": [{"image": "a.nii.gz"}, {"label": "b.nii.gz"}]}' >list.json
bad 9 'training\[1\]: image is missing' list.json
echo '{"training": [{"image": "a.nii.gz", "label": 1}, {"image": "b.nii.gz", "label": "c.nii.gz"}]}' >list.json
bad 9 'label maps and classes do not go together' list.json
echo '{"training": [{"image": "a.nii.gz", "label": 1}, {"image": "./a.nii.gz", "label": 0}]}' >list.json
bad 9 'images 1 and 2 are the same file' list.json
echo '{"images": []}' >list.json
bad 5 'has no list `training`' list.json
bad 2 'no training image has fold 9; the folds are 0 to 2' datalist.json --data-root scans --fold 9
printf 'path,label,mask\na.png,x,b.png\n' >table.csv
bad 5 "'label' and 'mask' are both there" table.csv
printf 'path,mask\na.png,\n' >table.csv
bad 9 'table.csv:2: the name of the label map is empty' table.csv
printf 'path,label\nmade/dicom,x\n' >table.csv
bad 9 'table.csv:2: .* series or images of DICOM are where one is meant' table.csv
printf 'SubjectID,Channel_0\n1,a.nii.gz\n' >table.csv
bad 5 'neither Label nor ValueToPredict' table.csv
printf 'SubjectID,Channel_0,Label,ValueToPredict\n1,a.nii.gz,b.nii.gz,1\n' >table.csv
bad 5 'both there' table.csv
printf 'SubjectID,Channel_0,ValueToPredict\n1,scans/%s.nii.gz,0.5\n' "$first" >table.csv
bad 9 'table.csv:2: ValueToPredict is a measurement' table.csv
cp -r bids bad_bids
printf 'index\tname\n1\ttumor\n3\tcyst\n' >bad_bids/derivatives/manual/desc-manual_dseg.tsv
bad 9 'the value 2 has no name' bad_bids
printf 'index\tlabel\n1\ttumor\n' >bad_bids/derivatives/manual/desc-manual_dseg.tsv
bad 5 "column 'name' is missing" bad_bids
ln -s "$dir/scans/$first.nii.gz" "bad_bids/sub-$first/anat/sub-${first}_T2w.nii.gz"
bad 9 'several kinds of images: T1w' bad_bids
rm bad_bids/derivatives/manual/desc-manual_dseg.tsv
cp "bids/derivatives/manual/sub-$first/anat/sub-${first}_desc-manual_dseg.nii.gz" \
    "bad_bids/derivatives/manual/sub-$first/anat/sub-${first}_desc-other_dseg.nii.gz"
bad 9 'such as desc-manual_dseg and desc-other_dseg' bad_bids --images _T1w
bad 2 "there is no column 'sick'" bad_bids --images _T1w --label-column sick
rm -r bad_bids/derivatives
sed -i 's/group/kind/' bad_bids/participants.tsv
bad 9 'neither label maps' bad_bids --images _T1w
sed -i 's/participant_id/subject/' bad_bids/participants.tsv
bad 5 "column 'participant_id' is missing" bad_bids --images _T1w
bad 2 'does not take --fold' bids --fold 0
bad 2 'names the values of its label maps itself' $v2 --mask-names a,b
refused 2 'the cohort would replace dicom_gandlf.csv' "$n" index dicom_gandlf.csv -o ./dicom_gandlf.csv
refused 2 'would replace made/labels.csv' "$n" index made/dicom --labels made/labels.csv -o made/labels.csv
bad 2 'has no label maps' dicom_gandlf.csv --mask-names a,b
bad 2 'has 1 names; 2 to' nameless.json --data-root scans --mask-names a
bad 2 'does not take --label-column' $v2 --label-column group

bad 9 'raw holds data sets of nnU-Net or the Decathlon' raw
mkdir nameless
cp -r $v2/imagesTr $v2/labelsTr nameless
bad 9 'no dataset.json, which names the labels' nameless

# Label maps that are none, or lie elsewhere, are named; few of them are left out.
mkdir odd
cp scans/*.nii.gz odd
cp "scans/$first.nii.gz" "odd/mask_$first.nii.gz"
refused 9 "its label map: .*a label map" "$n" index datalist.json --data-root odd --max-unreadable 0
quiet "$n" index datalist.json --data-root odd --max-unreadable 0.2 -o odd.csv
[ "$(tail -n +2 odd.csv | wc -l)" -eq $((n_cases - 1)) ] || fail "a bad label map is not left out"
"$n" convert "scans/mask_$first.nii.gz" -o "odd/mask_$first.nii.gz" --orientation SAR --overwrite >/dev/null
refused 9 'the image and its label map are not on one grid' "$n" index datalist.json --data-root odd \
    --max-unreadable 0
