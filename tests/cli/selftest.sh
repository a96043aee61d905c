#!/bin/sh
# `nodule selftest`: passes here, says what it looked at, and fails where something is wrong.
set -eu
. tests/cli/lib/checks.sh

mkdir temporary
TMPDIR=$dir/temporary quiet "$n" selftest --json
[ "$(grep -c '"passed": *true' out.txt)" = 6 ] || fail "checks: $(cat out.txt)"
[ -z "$(ls -A temporary)" ] || fail "leaves files: $(ls -A temporary)"

# no place to write: that check fails, the others are not lost, and the exit code says so
status=0
words=$(TMPDIR="$dir/none" "$n" selftest 2>err.txt) || status=$?
[ "$status" = 1 ] || fail "status $status"
echo "$words" | grep -q '^files  *FAILED .*set TMPDIR' || fail "said: $words"
[ "$(echo "$words" | grep -c ' ok ')" = 5 ] || fail "said: $words"
grep -q '1 of 6 checks failed' err.txt || fail "said: $(cat err.txt)"
