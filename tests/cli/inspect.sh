#!/bin/sh
# inspect: a tree of DICOM with defects, a zip of it, a folder of pictures, broken files; the page loads
# and runs nothing; nobody is named; any number of threads says the same.
set -eu
. tests/cli/lib/checks.sh

quiet "$n" synth --kind mr --patients 6 --size 32 --defect gap --defect tilt --defect burned-in -o heads
quiet "$n" inspect heads/dicom
says '^DICOM: 6 patients'
says 'gap: 1 of 12 slices are missing'
says 'gantry-tilt=shear'
says 'secondary-capture'
awk 'length > 100 { print; bad = 1 } END { exit bad }' out.txt || fail "lines of more than 100 columns"
for word in p0001 p0003 PHANTOM '2\.25\.'; do
    if grep -q "$word" out.txt; then fail "it names '$word'"; fi
done

"$n" inspect heads/dicom --json --threads 1 >one.json
"$n" inspect heads/dicom --json --threads 2 --html page.html >two.json
cmp one.json two.json || fail "threads change what is said"
for word in p0001 PHANTOM '2\.25\.'; do
    if grep -q "$word" one.json page.html; then fail "'$word' is in the JSON or on the page"; fi
done
grep -q "default-src 'none'" page.html || fail "the page has no policy"
if grep -qi '<script\|onload=\|http:\|https:' page.html; then fail "the page loads or runs something"; fi
images=$(grep -c '"usable"' one.json) slices=$(grep -c 'data:image/png;base64,iVBOR' page.html)
[ "$images" = "$slices" ] || fail "$images images, $slices slices on the page"
quiet "$n" inspect heads/dicom --show-ids
says "patient 'p0001'"

quiet "$n" inspect heads/dicom --headers-only
says 'gap: 1 of 12 slices are missing'

if command -v zip >/dev/null; then
    (cd heads && zip -q -r ../heads.zip dicom)
    quiet "$n" inspect heads.zip --json
    cp out.txt zipped.json
    quiet "$n" inspect heads/dicom --json
    cmp zipped.json out.txt || fail "a zip says something else"
else
    echo "inspect: zip is not installed: archives were NOT tried"
fi

# Pictures in folders of classes; bad files are listed and do not stop it.
quiet "$n" synth --kind slices --patients 6 --size 32 -o slices
echo text >slices/normal/bad.png
head -c 200 "$(find heads/dicom -name '*.dcm' | head -n 1)" >slices/normal/cut.dcm
quiet "$n" inspect slices
says 'files [0-9]*-[0-9]* ('
says '^bad: 2'
if grep -q 'normal\|bad.png\|cut.dcm' out.txt; then cat out.txt; fail "it names files"; fi
says '--show-ids names them'
quiet "$n" inspect slices --show-ids
says 'normal/ ('
says 'normal/bad.png: its first bytes are of no known format'
quiet "$n" inspect slices/normal/*.png
says '^bad: 1'

# Exit codes: a path that is not there, nothing readable, nothing at all.
refused 3 "nowhere" "$n" inspect nowhere
refused 5 "none of 1 files could be read" "$n" inspect slices/normal/bad.png
mkdir void
refused 9 "no images among 0 files" "$n" inspect void
refused 9 '"kind": "data"' "$n" inspect void --json
echo "inspect: all of it"
