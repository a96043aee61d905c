#!/bin/sh
# `nodule version` in its spellings, as text and as JSON; a full disk is an error.
set -eu

fail() { echo "version: $*"; exit 1; }

"$NODULE" version | head -n 1 | grep -qE '^nodule [0-9]+\.[0-9]+\.[0-9]+$' || fail "first line"
[ "$("$NODULE" --version)" = "$("$NODULE" version)" ] || fail "--version differs"
[ "$("$NODULE" -V)" = "$("$NODULE" version)" ] || fail "-V differs"
"$NODULE" version --json | grep -q '^  "version": "[0-9.]*",$' || fail "--json has no version"
[ -z "$("$NODULE" version 2>&1 >/dev/null)" ] || fail "words on stderr"

if [ -w /dev/full ]; then
    status=0
    words=$("$NODULE" version 2>&1 >/dev/full) || status=$?
    [ "$status" = 4 ] || fail "status $status instead of 4 for a full disk"
    case $words in
    *"writing to standard output: No space left on device"*) ;;
    *) fail "full disk: $words" ;;
    esac
fi
