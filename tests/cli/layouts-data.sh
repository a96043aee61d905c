#!/bin/sh
# Real scans: the Decathlon's hippocampus set, where it is ($NODULE_DATA or ../shared/data), as nnU-Net's
# folder, the Decathlon's, MONAI's datalist in random order and a BIDS tree: one cohort. Its patients are
# ceil(number / 2), counted by awk. A fold that parts the two sides of a scan is mended by the split.
set -eu
data=${NODULE_DATA:-../shared/data}
if [ ! -d "$data/hippocampus/images" ]; then
    echo "SKIPPED: no hippocampus in $data (set NODULE_DATA)"
    exit 77
fi
data=$(cd "$data" && pwd)
. tests/cli/lib/checks.sh

set_folder=$data/hippocampus
ls "$set_folder/images" | sed -n 's/^hippocampus_\([0-9]*\)\.nii\.gz$/\1/p' | sort >ids
n_cases=$(wc -l <ids)
n_patients=$(awk '{ print int(($1 + 1) / 2) }' ids | sort -u | wc -l)
by_value='"labels": {"0": "background", "1": "Anterior", "2": "Posterior"}'
nnunet=Dataset004_Hippocampus msd=Task04_Hippocampus
mkdir -p $nnunet/imagesTr $nnunet/labelsTr $msd bids/derivatives/manual
ln -s "$set_folder/images" $msd/imagesTr
ln -s "$set_folder/labels" $msd/labelsTr
while read -r id; do
    mkdir -p "bids/sub-$id/anat" "bids/derivatives/manual/sub-$id/anat"
    image=$set_folder/images/hippocampus_$id.nii.gz labels=$set_folder/labels/hippocampus_$id.nii.gz
    ln -s "$image" "$nnunet/imagesTr/hippocampus_${id}_0000.nii.gz"
    ln -s "$labels" "$nnunet/labelsTr/hippocampus_$id.nii.gz"
    ln -s "$image" "bids/sub-$id/anat/sub-${id}_T1w.nii.gz"
    ln -s "$labels" "bids/derivatives/manual/sub-$id/anat/sub-${id}_dseg.nii.gz"
done <ids
echo '{"channel_names": {"0": "MRI"}, "labels": {"background": 0, "Anterior": 1, "Posterior": 2},
    "numTraining": '"$n_cases"', "file_ending": ".nii.gz"}' >$nnunet/dataset.json
list() { # list IDS FORMAT: the items of a JSON list
    awk -v format="$2" '{ printf "%s" format, (NR > 1 ? "," : ""), $1, $1, NR % 5 }' "$1"
}
{
    echo "{\"modality\": {\"0\": \"MRI\"}, $by_value, \"training\": ["
    list ids '{"image": "./imagesTr/hippocampus_%s.nii.gz", "label": "./labelsTr/hippocampus_%s.nii.gz"}'
    echo ']}'
} >$msd/dataset.json
{
    echo "{$by_value, \"training\": ["
    sort -k1.3,1.3 ids >shuffled
    list shuffled '{"image": "images/hippocampus_%s.nii.gz", "label": "labels/hippocampus_%s.nii.gz", "fold": %d}'
    echo ']}'
} >datalist.json
echo '{"Name": "hippocampus", "BIDSVersion": "1.10.0"}' >bids/dataset_description.json
printf 'index\tname\n0\tbackground\n1\tAnterior\n2\tPosterior\n' >bids/derivatives/manual/dseg.tsv

same=
index_as() {
    name=$1
    shift
    quiet "$n" index "$@" --patient-regex '([0-9]+)' --patient-divide 2 --max-unreadable 0 -o "$name.csv"
    says "$n_cases cases, 3 classes (background, Anterior, Posterior) from layout '$name'"
    says "patients: $n_patients (derived), 0 cases without"
    hash=$(sed -n 's/^cohort: .* hash //p' out.txt)
    [ "${same:=$hash}" = "$hash" ] && [ -n "$hash" ] || fail "$name: another cohort"
}
index_as nnunet $nnunet
index_as msd $msd
index_as monai datalist.json --data-root "$set_folder"
index_as bids bids
quiet "$n" index datalist.json --data-root "$set_folder" --patient-regex '([0-9]+)' --patient-divide 2 \
    --fold 0 -o fold.csv
quiet "$n" split fold.csv
says 'same patient in a higher part'
