#!/bin/sh
# Every verb is listed, and has a page with usage, options and examples; each example on that page
# names the verb it belongs to.
set -eu

fail() { echo "help: $*"; exit 1; }

verbs=$("$NODULE" help | sed -n 's/^  \([a-z-]*\) .*/\1/p')
for verb in version help; do
    echo "$verbs" | grep -qx "$verb" || fail "$verb is not listed"
done
[ "$("$NODULE" -h)" = "$("$NODULE" help)" ] || fail "-h differs"
[ "$("$NODULE" --help)" = "$("$NODULE" help)" ] || fail "--help differs"

for verb in $verbs; do
    page=$("$NODULE" help "$verb")
    [ "$page" = "$("$NODULE" "$verb" -h)" ] || fail "$verb -h differs"
    [ "$page" = "$("$NODULE" "$verb" --help)" ] || fail "$verb --help differs"
    echo "$page" | head -n 1 | grep -q "^Usage: nodule $verb" || fail "$verb: usage"
    echo "$page" | grep -q '^Examples:$' || fail "$verb: no examples"
    echo "$page" | sed '1,/^Examples:$/d' | grep -q "^  nodule $verb" || fail "$verb: examples"
    echo "$page" | grep -q -- '-h, --help' || fail "$verb: options"
    echo "$page" | awk 'length > 96 { exit 1 }' || fail "$verb: a line over 96 columns"
done

# Without a verb: the same list, but it was no success.
status=0
words=$("$NODULE" 2>&1) || status=$?
[ "$status" = 2 ] || fail "status $status without a verb"
[ "$words" = "$("$NODULE" help)" ] || fail "no list without a verb"
