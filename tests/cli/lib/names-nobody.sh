# names-nobody.sh LOGS SAID: the last of all tests: the log of the run so far (what every test has printed),
# and what the program has said in the tests of the program, name none of the phantoms.
set -eu
. tests/cli/lib/patients.sh

# Tests print command lines of their own, with the paths that they typed.
n=0
for file in "$1"/LastTest.log.tmp "$2"/*.said; do
    [ -f "$file" ] || continue
    n=$((n + $(wc -l <"$file")))
    if grep -anE "$patients" "$file" | grep -av 'Command: '; then
        echo "names-nobody: $file names a patient"
        exit 1
    fi
done
echo "names-nobody: $n lines of all tests name nobody"
