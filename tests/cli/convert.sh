#!/bin/sh
# `nodule convert`: series of DICOM to NIfTI and back into a cohort of volumes that trains; pictures of
# slices; nothing is overwritten unasked.
set -eu
. tests/cli/lib/checks.sh
golden=$OLDPWD/tests/golden

# --- DICOM to NIfTI, turned and again the same ------------------------------------------------------
quiet "$n" synth --kind mr --patients 40 --images-per-patient 1 --size 24 --contrast 3 --seed 5 -o synth
brain=synth/dicom/p0001/1/brain
quiet "$n" convert $brain -o scan.nii.gz
says '24x24x.* voxels of .* mm, LPS'
quiet "$n" convert scan.nii.gz --orientation RAS -o turned.nii
says ' RAS, '
quiet "$n" convert turned.nii --orientation LPS -o again.nii
quiet "$n" convert scan.nii.gz -o plain.nii
tail -c +353 plain.nii >voxels.txt
tail -c +353 again.nii | cmp - voxels.txt || fail "turned twice, other voxels"
quiet "$n" convert plain.nii -o packed.nii.gz
cmp scan.nii.gz packed.nii.gz || fail "packed again is not the same file"

# Masks are equal voxel by voxel: the same file comes out.
mask=$(find synth/masks -name '*.nii*' | head -n 1)
quiet "$n" convert "$mask" -o mask.nii.gz
quiet "$n" convert mask.nii.gz -o mask_again.nii.gz
cmp mask.nii.gz mask_again.nii.gz || fail "a mask changed"

# Every format becomes NIfTI; a 16-bit picture keeps its numbers.
for file in itk/letters.mha itk/ras.nrrd itk/apart_packed.nhdr nifti/frames.nii.gz images/pages16.tif \
    images/rgb8.png; do
    quiet "$n" convert "$golden/$file" -o "$(basename "$file").nii"
done

# --- refusals ---------------------------------------------------------------------------------------
refused 2 'scan.nii.gz exists; --overwrite replaces it' "$n" convert $brain -o scan.nii.gz
quiet "$n" convert $brain -o scan.nii.gz --overwrite
refused 2 'with -o' "$n" convert $brain
refused 2 'must end in .nii' "$n" convert $brain -o scan.jpg
refused 2 'such as LPS' "$n" convert $brain -o x.nii --orientation LPR
refused 2 'centre and width' "$n" convert $brain -o x.png --window 40
refused 2 "is not the name of a finding" "$n" convert $brain -o x.nii --policy tilt=shear
refused 9 '40 studies\|40 DICOM series' "$n" convert synth/dicom -o x.nii
refused 9 'place' "$n" convert "$golden/images/rgb8.png" -o x.nii --orientation LPS
refused 2 'frame 6 of 6' "$n" convert "$golden/nifti/frames.nii.gz" -o x.png --frame 6
refused 3 'the image: No such file' "$n" convert none.nii -o x.nii
refused 3 'none.nii' "$n" convert none.nii -o x.nii --show-ids
[ ! -e x.nii ] && [ ! -e x.png ] || fail "a refused conversion left a file"

# --- findings and policies --------------------------------------------------------------------------
quiet "$n" synth --kind mr --patients 2 --size 24 --defect tilt --seed 5 -o tilted
tilted=tilted/$(grep ',tilt$' tilted/truth.csv | cut -d, -f4)
refused 9 'gantry-tilt' "$n" convert "$tilted" -o x.nii
quiet "$n" convert "$tilted" --policy gantry-tilt=shear -o tilted.nii.gz
says '^  gantry-tilt: '
"$n" convert "$tilted" --policy gantry-tilt=shear -o t.nii --json >out.txt
says '"finding": "gantry-tilt"'
says '"orientation": "LPS"'

# --- pictures ---------------------------------------------------------------------------------------
quiet "$n" convert scan.nii.gz -o scan.png
says 'shown from'
for plane in stored axial coronal sagittal; do
    quiet "$n" convert scan.nii.gz --plane $plane --slices 4 --columns 2 -o $plane.png
done
cmp -s axial.png coronal.png && fail "axial and coronal are the same picture"
quiet "$n" convert axial.png -o axial.nii # 2 x 2 tiles of 24 x 24
says '^axial.nii: 48x48x1 '
quiet "$n" convert "$golden/images/rgb8.png" -o colour.png
quiet "$n" convert colour.png -o colour.nii
cmp colour.nii rgb8.png.nii || fail "a colour picture changed"

# --- a cohort of NIfTI ------------------------------------------------------------------------------
mkdir -p classes/normal classes/tumor
tail -n +2 synth/labels.csv | while IFS=, read -r patient label; do
    quiet "$n" convert "synth/dicom/$patient/1/brain" -o "classes/$label/of$patient.nii.gz"
done
echo 'notes' >classes/normal/readme.txt
quiet "$n" index classes -o cohort.csv --positive tumor --patient-regex '(p[0-9]+)[.]nii'
says '^40 cases, 2 classes (normal, tumor)'
{
    echo path,label,patient
    tail -n +2 synth/labels.csv | while IFS=, read -r patient label; do
        echo "classes/$label/of$patient.nii.gz,$label,$patient"
    done
} >manifest.csv
quiet "$n" index manifest.csv -o again.csv --positive tumor
says '^40 cases'
quiet "$n" split cohort.csv --seed 1
depth=$("$n" convert scan.nii.gz -o depth.nii --json | tr -d ' ,' | sed -n '/"size"/,/]/p' | sed -n 4p)
cat >recipe.yaml <<RECIPE
cohort: cohort.csv
split: split.json
input: {size: [$depth, 24, 24]}
network: {name: cnn, channels: [4]}
epochs: 2
RECIPE
quiet "$n" train recipe.yaml -o run
quiet "$n" predict run -i scan.nii.gz
says '^1,[0-9a-f]\{12\},0[.][0-9]*,0[.][0-9]*,'
