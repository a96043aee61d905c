# What is there twice: listed by `leak`, kept together or refused by `split`.
. tests/cli/lib/checks.sh

"$n" synth --kind xray --patients 40 --size 32 --defect leak -o made >/dev/null 2>&1
quiet "$n" index made/dicom --labels made/labels.csv -o cohort.csv
quiet "$n" leak cohort.csv -o leak.csv
says "equal pixels: "
says "near-duplicates of different groups: 0 pairs"
# The truth says which series carry a patient under a second id; each is one row.
planted=$(grep -c ',leak$' made/truth.csv)
[ "$planted" -gt 0 ] || fail "nothing was planted"
[ "$(grep -c '^equal pixels,' leak.csv)" -ge "$((planted / 2))" ] || fail "planted copies are not listed"
head -n 1 leak.csv | grep -q '^what,set,case,other,part,other_part,labels,correlation,local,kind$' ||
    fail "the table has other columns"

# Across parts: none in a split, all of them against the cohort itself.
quiet "$n" split cohort.csv --seed 1
quiet "$n" leak cohort.csv --split split.json
refused 9 "lie in both cohorts" "$n" leak cohort.csv --against cohort.csv
quiet "$n" leak cohort.csv --json
grep -q '"equal pixels"\|equal_pixels' out.txt || fail "the JSON has no equal pixels"
refused 3 "nowhere.csv" "$n" leak nowhere.csv

# What a person may say about near-duplicates, and what not.
refused 2 "refuse or group" "$n" split cohort.csv --near-duplicates maybe --dry-run
refused 5 "column 'case' is missing" "$n" split cohort.csv --distinct made/labels.csv --dry-run
quiet "$n" split cohort.csv --near-duplicates group --dry-run --json
grep -q '"sealed": false' out.txt || fail "a dry run says that it sealed"
