#!/bin/sh
# Phantoms as DICOM: equal options give equal trees; every object is what the standard says it is, by
# dciodvfy (Debian: dicom3tools) where that is installed; options that make no sense are refused.
set -eu
. tests/cli/lib/checks.sh

for kind in mr xray mammo cine dce; do
    quiet "$n" synth --kind $kind --patients 3 --images-per-patient 1 --size 32 -o $kind
    quiet "$n" synth --kind $kind --patients 3 --images-per-patient 1 --size 32 -o again
    diff -r $kind again || fail "$kind differs from itself"
    rm -r again
done
quiet "$n" synth --kind mr --patients 4 --size 16 --defect localizer --defect burned-in -o beside

if command -v dciodvfy >/dev/null; then
    find . -name 'IM000[1-3].dcm' | sort | while read -r file; do
        dciodvfy "$file" >verdict.txt 2>&1 || true
        if grep -q '^Error' verdict.txt; then
            cat verdict.txt
            fail "$file"
        fi
        grep '^Warning' verdict.txt || true
    done | sort | uniq -c >verdicts.txt || { cat verdicts.txt; fail "dciodvfy finds errors"; }
    if grep -q 'Error' verdicts.txt; then cat verdicts.txt; fail "dciodvfy finds errors"; fi
    cat verdicts.txt
else
    echo "synth: dciodvfy is not installed: the objects were NOT checked against the standard"
fi

refused 2 "not known" "$n" synth --kind mr --defect gop -o never
says "did you mean 'gap'"
refused 2 "defect of slices" "$n" synth --kind xray --defect tilt -o never
refused 2 "holds 4 files already" "$n" synth --kind mr -o mr
[ ! -e never ] || fail "a refused cohort leaves a folder"
echo "synth: all of it"
