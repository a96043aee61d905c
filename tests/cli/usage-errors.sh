#!/bin/sh
# What cannot be understood: one line on stderr that says which word and what to do, exit code 2,
# nothing on stdout; with --json an object on stdout.
set -eu

# refused WORDS ARGUMENT...: exit code 2, and the line has these words.
refused() {
    words=$1
    shift
    status=0
    line=$("$NODULE" "$@" 2>&1 >/dev/null) || status=$?
    [ "$status" = 2 ] || { echo "status $status: nodule $*"; exit 1; }
    case $line in
    "nodule"*": error: "*"$words"*) ;;
    *) echo "no '$words' for nodule $*: $line"; exit 1 ;;
    esac
    [ "$(printf '%s\n' "$line" | wc -l)" = 1 ] || { echo "more than a line: $line"; exit 1; }
    [ -z "$("$NODULE" "$@" 2>/dev/null)" ] || { echo "stdout of nodule $*"; exit 1; }
}

refused "unknown verb 'verson': did you mean 'version'?" verson
refused "unknown verb 'frobnicate'; 'nodule help' lists them" frobnicate
refused "unknown verb ''" ''
refused "unknown verb '--frob'" --frob
refused "unknown verb 'nothing'" help nothing
refused "unknown option '--jsn': did you mean '--json'?" version --jsn
refused "unknown option '--threads'; see 'nodule version -h'" version --threads 3
refused "option '--json' takes no value" version --json=yes
refused "unknown option '-x'; see 'nodule version -h'" version -x
refused "unknown option '-x'" version -qx
refused "unexpected argument 'word'" version word
refused "unexpected argument '--json'" version -- --json
refused "unexpected argument 'b'" help version b

status=0
out=$("$NODULE" version --json extra 2>/dev/null) || status=$?
[ "$status" = 2 ]
echo "$out" | grep -q '"kind": "invalid"' || { echo "no kind: $out"; exit 1; }
echo "$out" | grep -q '"exit_code": 2' || { echo "no exit code: $out"; exit 1; }
