#!/bin/sh
# `nodule selftest`: passes here, says what it looked at, and fails where something is wrong.
set -eu

fail() { echo "selftest: $*"; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/nodule-test-XXXXXX")
trap 'rm -rf "$work"' EXIT

TMPDIR=$work "$NODULE" selftest --json >"$work/out" || fail "failed: $(cat "$work/out")"
[ "$(grep -c '"passed": *true' "$work/out")" = 6 ] || fail "checks: $(cat "$work/out")"
rm "$work/out"
[ -z "$(ls -A "$work")" ] || fail "leaves files: $(ls -A "$work")"

# no place to write: that check fails, the others are not lost, and the exit code says so
status=0
words=$(TMPDIR="$work/none" "$NODULE" selftest 2>"$work/err") || status=$?
[ "$status" = 1 ] || fail "status $status"
echo "$words" | grep -q '^files  *FAILED .*set TMPDIR' || fail "said: $words"
[ "$(echo "$words" | grep -c ' ok ')" = 5 ] || fail "said: $words"
grep -q '1 of 6 checks failed' "$work/err" || fail "said: $(cat "$work/err")"
