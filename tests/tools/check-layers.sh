#!/bin/sh
# tools/check-layers accepts what is right and names what is wrong.
set -eu

check=$PWD/tools/check-layers
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/src/base" "$tree/src/graph" "$tree/src/cli" "$tree/include/nodule"

# expect_ok LINE FILE: FILE with this line passes.
expect_ok() {
    printf '%s\n' "$1" >"$tree/$2"
    "$check" "$tree" >"$tree/out" || { echo "refused in $2: $1"; cat "$tree/out"; exit 1; }
    rm "$tree/$2"
}

# expect_wrong LINE FILE WORDS: FILE with this line is refused, and the message has these words.
expect_wrong() {
    printf '%s\n' "$1" >"$tree/$2"
    status=0
    "$check" "$tree" >"$tree/out" || status=$?
    [ "$status" = 1 ] || { echo "status $status instead of 1 in $2: $1"; cat "$tree/out"; exit 1; }
    grep -q -e "^$2:1: .*$3" "$tree/out" || { echo "no '$3' for $2: $1"; cat "$tree/out"; exit 1; }
    rm "$tree/$2"
}

expect_ok '#include "base/error.h"' src/graph/x.c
expect_ok '#include "tensor/tensor.h"' src/graph/x.c
expect_ok '#include <stdio.h>' src/graph/x.h
expect_ok '#include <openssl/evp.h>' src/base/x.c
expect_ok '/* #include "cli/verb.h" */' src/base/x.c
expect_ok 'void f(FILE *s) { fprintf(s, "printf(getenv)"); } /* exit(1) */' src/base/x.c
expect_ok 'int main(void) { printf("x"); exit(0); }' src/cli/x.c
expect_ok '#include "nodule/nodule.h"' src/cli/x.c

expect_wrong '#include "graph/graph.h"' src/base/x.c 'base may not include graph'
expect_wrong '#  include "cli/verb.h"' src/graph/x.h 'graph may not include cli'
expect_wrong '#include "imaging/image.h"' src/graph/x.c 'graph may not include imaging'
expect_wrong '#include "error.h"' src/base/x.c 'write the path from src/'
expect_wrong '#include "wonder/x.h"' src/base/x.c 'no layer'
expect_wrong '#include <openssl/evp.h>' src/graph/x.c 'belongs to base only'
expect_wrong '#include <dnnl.h>' src/base/x.c 'belongs to'
expect_wrong '#include <curl/curl.h>' src/cli/x.c 'not in tools/layers.txt'
expect_wrong '#include "base/error.h"' include/nodule/x.h 'include may not include base'
expect_wrong '#include "nodule/nodule.h"' src/graph/x.c 'graph may not include nodule'
expect_wrong 'void f(void) { printf("x"); }' src/base/x.c 'printf: only'
expect_wrong 'const char *home(void) { return getenv("HOME"); }' src/graph/x.c 'getenv: only'
expect_wrong 'void f(void) { fputs("x", stdout); }' src/graph/x.c 'stdout: only'
expect_wrong 'void f(void) { exit(1); }' src/base/x.c 'exit: only'
mkdir "$tree/src/attic"
expect_wrong 'int x;' src/attic/x.c 'no layer'
echo "all found"
